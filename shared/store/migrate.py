"""The schema of a service's database: numbered files, applied once each and in order, only ever forward."""

import asyncio
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import structlog

log = structlog.get_logger(__name__)

FOLDER = Path(__file__).parent / "migrations"
LOCK = 0x7468726F7567686C
"""The advisory lock of whoever migrates: "throughl"."""
PATIENCE_SECONDS = 60.0
"""How long to wait for another process that migrates."""
POLL_SECONDS = 0.05

TABLE = """
create table if not exists schema_migration (
    number     integer primary key,
    name       text not null,
    sha256     text not null,
    applied_at timestamptz not null default clock_timestamp()
)"""


class MigrationError(Exception):
    """The database and this release do not fit together; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One file."""

    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """What the file said when it was applied."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations(folder: Path = FOLDER) -> list[Migration]:
    """The files of a folder, in order of their numbers."""
    found = [_migration(path) for path in sorted(folder.glob("*.sql"))]
    if len({migration.number for migration in found}) < len(found):
        raise MigrationError(f"Two files in {folder} have the same number.")
    return found


async def migrate(url: str, folder: Path = FOLDER) -> list[str]:
    """Bring a database up to this release; gives the names of what was applied. Raises `MigrationError`.

    Any number of processes may call it at once: one works, the others wait for it.
    """
    connection = await asyncpg.connect(url)
    try:
        await _alone(connection)
        await connection.execute(TABLE)
        missing = _missing(migrations(folder), await _applied(connection))
        for migration in missing:
            await _apply(connection, migration)
        return [migration.name for migration in missing]
    finally:
        await connection.close()


async def check(pool: asyncpg.Pool, folder: Path = FOLDER) -> None:
    """Raise `MigrationError` unless the database has exactly the schema of this release."""
    present = await pool.fetchval("select to_regclass('schema_migration') is not null")
    if missing := _missing(migrations(folder), await _applied(pool) if present else {}):
        raise MigrationError(f"The database lacks {missing[0].name}: it has to be migrated.")


def _missing(files: list[Migration], applied: dict[int, tuple[str, str]]) -> list[Migration]:
    by_number = {migration.number: migration for migration in files}
    for number, (name, sha256) in applied.items():
        if number not in by_number:
            raise MigrationError(f"The database is ahead of this release: it has {name}. Run the newer release.")
        if by_number[number].sha256 != sha256:
            raise MigrationError(f"{name} differs from what was applied. Applied files never change: add another one.")
    missing = [migration for migration in files if migration.number not in applied]
    if missing and missing[0].number < max(applied, default=0):
        raise MigrationError(f"{missing[0].name} comes before what was applied. Give it the next number.")
    return missing


async def _apply(connection: Any, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(migration.sql)
        await connection.execute(
            "insert into schema_migration (number, name, sha256) values ($1, $2, $3)",
            *(migration.number, migration.name, migration.sha256),
        )
    log.info("migration-applied", name=migration.name)


async def _applied(connection: Any) -> dict[int, tuple[str, str]]:
    rows = await connection.fetch("select number, name, sha256 from schema_migration order by number")
    return {row["number"]: (row["name"], row["sha256"]) for row in rows}


async def _alone(connection: Any) -> None:
    # Polled: a session that waits inside the lock call would hold a snapshot, which some changes of a schema wait for.
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await connection.fetchval("select pg_try_advisory_lock($1)", LOCK):  # noqa: ASYNC110 - another process ends it
            await asyncio.sleep(POLL_SECONDS)


def _migration(path: Path) -> Migration:
    match = re.fullmatch(r"(\d{4})_[a-z0-9_]+", path.stem)
    if match is None:
        raise MigrationError(f"{path.name} is not named like 0001_what_it_brings.sql.")
    return Migration(number=int(match[1]), name=path.stem, sql=path.read_text())
