"""A PostgreSQL server as tests use it: a database of its own for everything that commits."""

import uuid
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg

from shared.eventstore.connecting import connect


class DatabaseServer:
    """A running server, reached as a user who may create databases."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._templates: dict[str, str] = {}

    async def create_database(self, name: str, template: str | None = None) -> str:
        """A new database that nobody else uses; gives its URL.

        `name` only helps whoever reads the list of databases. `template` is what `template` gave.
        """
        database = f"{name}_{uuid.uuid4().hex[:12]}".replace("-", "_").lower()[:63]
        clone = f' template "{template}" strategy file_copy' if template else ""
        await self._run(f'create database "{database}"{clone}')
        return self.url_of(database)

    async def template(self, name: str, fill: Callable[[str], Awaitable[object]]) -> str:
        """A database filled once by `fill(url)`, to be cloned by `create_database`; gives its name.

        Cloning takes a tenth of what migrating anew takes. `fill` must close its connections.
        """
        if name not in self._templates:
            url = await self.create_database(f"template_{name}")
            await fill(url)
            self._templates[name] = urlsplit(url).path.removeprefix("/")
        return self._templates[name]

    async def drop_database(self, url: str) -> None:
        """Drop a database, with whatever is still connected to it."""
        database = urlsplit(url).path.removeprefix("/")
        await self._run(f'drop database if exists "{database}" with (force)')

    def url_of(self, database: str) -> str:
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{database}"))

    async def _run(self, sql: str) -> None:
        connection = await connect(self.url)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()


async def personal_rows(pool: asyncpg.Pool, person_id: UUID) -> int:
    """How many events still have data about a person; 0 once erased."""
    return int(await pool.fetchval("select count(*) from personal where person_id = $1", person_id))
