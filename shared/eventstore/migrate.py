"""Parallel change of a service's schema: numbered files, applied once each and in order, only ever forward.

A file says in its first comment how old a release may be that runs on the database after it, by the newest migration
which that release has: `-- compatible-with: 0010`, or `none`. It is kept with what was applied, so that a release which
lacks the file can read it. Who says nothing is compatible with no older release.
"""

import asyncio
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import asyncpg
import structlog

from shared.eventstore.connecting import connect

log = structlog.get_logger(__name__)

FOLDER = Path(__file__).parent / "migrations"
LOCK = 0x7468726F7567686C
"""The advisory lock of whoever migrates: "throughl"."""
TIMEOUT_SECONDS = 60.0
"""How long to wait for another process that migrates, and for the locks of those who are at work."""
POLL_SECONDS = 0.05
GIVE_WAY_SECONDS = 0.5
"""So long a change waits for a lock, then lets those pass who wait behind it: less than any of them waits."""

TABLE = """
create table if not exists schema_migration (
    number     integer primary key,
    name       text not null,
    sha256     text not null,
    applied_at timestamptz not null default clock_timestamp()
)"""
# Only where it is missing: the change of a table waits for everybody who reads it, were it for nothing.
LACKS_COMPATIBLE_WITH = """
select not exists (select from pg_attribute
                    where attrelid = 'schema_migration'::regclass and attname = 'compatible_with')"""
EXPAND = "alter table schema_migration add compatible_with integer"
# Through JSON: the column is missing where only releases from before it have migrated.
APPLIED = """
select number, name, sha256, (to_json(m) ->> 'compatible_with')::integer as compatible_with
  from schema_migration m order by number"""
RECORD = "insert into schema_migration (number, name, sha256, compatible_with) values ($1, $2, $3, $4)"
STATED = "compatible-with"


class MigrationError(Exception):
    """The database and this release do not fit together; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One file."""

    number: int
    name: str
    sql: str
    stated: str | None
    """What it says of older releases: the number of a migration, "none", or nothing."""

    @property
    def compatible_with(self) -> int | None:
        """The newest migration of the oldest release that runs on the database after it; None for no older one."""
        return int(self.stated) if self.stated and self.stated != "none" else None

    @property
    def sha256(self) -> str:
        """What the file said when it was applied."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """One file that a database has, of this release or another one."""

    number: int
    name: str
    sha256: str
    compatible_with: int | None


def migrations(folder: Path = FOLDER) -> list[Migration]:
    """The files of a folder, in order of their numbers."""
    found = [_migration(path) for path in sorted(folder.glob("*.sql"))]
    if len({migration.number for migration in found}) < len(found):
        raise MigrationError(f"Two files in {folder} have the same number.")
    return found


async def migrate(url: str, folder: Path = FOLDER) -> list[str]:
    """Bring a database up to this release; gives the names of what was applied. Raises `MigrationError`.

    Any number of processes may call it at once: one works, the others wait for it. A database that is ahead of this
    release stays as it is.
    """
    connection = await connect(url, server_settings={"lock_timeout": str(int(GIVE_WAY_SECONDS * 1000))})
    try:
        await _alone(connection)
        await connection.execute(TABLE)
        if await connection.fetchval(LACKS_COMPATIBLE_WITH):
            await _giving_way("schema_migration", connection, EXPAND)
        files, applied = migrations(folder), await _applied(connection)
        missing = _missing(files, applied)
        if ahead := _unknown(files, applied):
            log.info("database-ahead", has=[one.name for one in ahead])
        for migration in missing:
            await _apply(connection, migration)
        return [migration.name for migration in missing]
    finally:
        await connection.close()


async def check(pool: asyncpg.Pool, folder: Path = FOLDER) -> None:
    """Raise `MigrationError` unless the database has the schema of this release, or a newer one compatible with it."""
    present = await pool.fetchval("select to_regclass('schema_migration') is not null")
    if missing := _missing(migrations(folder), await _applied(pool) if present else []):
        raise MigrationError(f"The database lacks {missing[0].name}: it has to be migrated.")


def _missing(files: Sequence[Migration], applied: Sequence[Applied]) -> list[Migration]:
    """What is still to be applied. Raises `MigrationError` when this release cannot run on what was applied."""
    newest = max((file.number for file in files), default=0)
    for one in _unknown(files, applied):
        if one.number < newest or one.compatible_with is None or one.compatible_with > newest:
            raise MigrationError(_refusal(one))
    hashes = {one.number: one.sha256 for one in applied}
    for file in files:
        if hashes.get(file.number, file.sha256) != file.sha256:
            raise MigrationError(
                f"{file.name} differs from what was applied. Applied files never change: add another one."
            )
    missing = [file for file in files if file.number not in hashes]
    if missing and missing[0].number < max(hashes, default=0):
        raise MigrationError(f"{missing[0].name} comes before what was applied. Give it the next number.")
    return missing


def _unknown(files: Sequence[Migration], applied: Sequence[Applied]) -> list[Applied]:
    """What only other releases have."""
    known = {file.number for file in files}
    return [one for one in applied if one.number not in known]


def _refusal(one: Applied) -> str:
    oldest = "no older release" if one.compatible_with is None else f"releases from {one.compatible_with:04} on"
    return (
        f"The database is ahead of this release: it has {one.name}, compatible with {oldest}. "
        "Run a release that has it, or put back an older state of the database."
    )


async def _apply(connection: Any, migration: Migration) -> None:
    record = (migration.number, migration.name, migration.sha256, migration.compatible_with)
    await _giving_way(migration.name, connection, migration.sql, record)
    log.info("migration-applied", name=migration.name)


async def _giving_way(name: str, connection: Any, sql: str, record: tuple[Any, ...] = ()) -> None:
    """Change the schema, whole or not at all. Whoever reads a table that is changed comes before the change."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + TIMEOUT_SECONDS
    while True:
        try:
            async with connection.transaction():
                await connection.execute(sql)
                if record:
                    await connection.execute(RECORD, *record)
            return
        except asyncpg.LockNotAvailableError as error:
            if loop.time() >= deadline:
                raise MigrationError(f"{name} finds a lock in its way all the time ({error}). Run it again.") from error
            log.info("migration-gave-way", name=name)
            await asyncio.sleep(GIVE_WAY_SECONDS)


async def _applied(connection: Any) -> list[Applied]:
    return [Applied(**row) for row in await connection.fetch(APPLIED)]


async def _alone(connection: Any) -> None:
    # Polled: a session that waits inside the lock call would hold a snapshot, which some changes of a schema wait for.
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while not await connection.fetchval("select pg_try_advisory_lock($1)", LOCK):  # noqa: ASYNC110 - another process ends it
            await asyncio.sleep(POLL_SECONDS)


def _migration(path: Path) -> Migration:
    match = re.fullmatch(r"(\d{4})_[a-z0-9_]+", path.stem)
    if match is None:
        raise MigrationError(f"{path.name} is not named like 0001_what_it_brings.sql.")
    sql = path.read_text(encoding="utf-8")
    return Migration(number=int(match[1]), name=path.stem, sql=sql, stated=_stated(path, sql))


def _stated(path: Path, sql: str) -> str | None:
    head = takewhile(lambda line: line.startswith("--"), sql.splitlines())
    told = [line for line in head if STATED in line]
    match = re.fullmatch(rf"-- {STATED}: (\d{{4}}|none)", told[0]) if len(told) == 1 else None
    if told and match is None:
        raise MigrationError(f"{path.name} has to say it once, like `-- {STATED}: 0010` or `-- {STATED}: none`.")
    return match[1] if match else None
