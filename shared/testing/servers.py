"""Template databases: a PostgreSQL server as tests use it, with a database of its own for everything that commits.

Several processes may share the server: what is cloned is filled by one of them, and the others wait for it.
"""

import hashlib
import uuid
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg

from shared.eventstore.connecting import connect
from shared.eventstore.migrate import migrate, migrations

THERE = "select true from pg_database where datname = $1"
ALONE = "select pg_advisory_lock(hashtextextended($1, 0))"
"""Whoever fills a template of this name holds it; it goes with the connection."""


class DatabaseServer:
    """A running server, reached as a user who may create databases."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._migrated = ""

    async def create_database(self, name: str, template: str | None = None) -> str:
        """A new database that nobody else uses; gives its URL.

        `name` only helps whoever reads the list of databases. `template` is what `template` gave.
        """
        database = f"{name}_{uuid.uuid4().hex[:12]}".replace("-", "_").lower()[:63]
        # Of 8 MB, copying the files takes 15 ms, and writing them to the log of the server 18.
        clone = f' template "{template}" strategy file_copy' if template else ""
        await self._run(f'create database "{database}"{clone}')
        return self.url_of(database)

    async def template(self, name: str, fill: Callable[[str], Awaitable[object]]) -> str:
        """A database filled once by `fill(url)`, to be cloned by `create_database`; gives its name.

        The name stands for what is in it, for every process that uses the server. `fill` must close its connections.
        """
        template = f"template_{name}"
        connection = await connect(self.url)
        try:
            await connection.fetchval(ALONE, template)
            if not await connection.fetchval(THERE, template):
                # Under another name until it is whole: who fills it may be killed. Whoever entered it later would
                # keep others from cloning it.
                draft = await self.create_database("draft")
                await fill(draft)
                await connection.execute(f'alter database "{name_in(draft)}" rename to "{template}"')
                await connection.execute(f'alter database "{template}" allow_connections false')
        finally:
            await connection.close()
        return template

    async def migrated(self) -> str:
        """The template with the schema of this release, by which it is named; cloning takes a tenth of migrating."""
        if not self._migrated:  # looked for once a process: it stays as long as the server
            schema = "".join(f"{migration.name} {migration.sha256}\n" for migration in migrations())
            name = f"migrated_{hashlib.sha256(schema.encode()).hexdigest()[:16]}"
            self._migrated = await self.template(name, migrate)
        return self._migrated

    async def drop_database(self, url: str) -> None:
        """Drop a database, with whatever is still connected to it."""
        await self._run(f'drop database if exists "{name_in(url)}" with (force)')

    def url_of(self, database: str) -> str:
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{database}"))

    async def _run(self, sql: str) -> None:
        connection = await connect(self.url)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()


def name_in(url: str) -> str:
    """The database that a URL leads to."""
    return urlsplit(url).path.removeprefix("/")


async def personal_rows(pool: asyncpg.Pool, person_id: UUID) -> int:
    """How many events still have data about a person; 0 once erased."""
    return int(await pool.fetchval("select count(*) from personal where person_id = $1", person_id))
