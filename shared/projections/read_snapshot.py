"""Snapshot reads: the projections that a question is about at one moment, and how current these are."""

import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from asyncpg import Pool, Record

from shared.domain.context import Company
from shared.eventstore.log import Log
from shared.eventstore.pool import AnyConnection
from shared.following.dead_letters import Unavailable
from shared.projections.builds import schema_of
from shared.projections.projection import Projection, ProjectionDatabase, Source, named_in, placed, revision_of
from shared.projections.readers import Readers

SERVING = """
    select b.view, b.build, b.source, m.position, m.as_of,
           (select count(*) from parked_event e where e.runner = m.name) as parked
      from view_build b join mark m on m.name = b.view || '_' || b.build
     where b.state = 'serving' and b.revision = any($1::text[])
"""
LEVEL = """
    select coalesce(min(m.position), 9223372036854775807)
      from view_build b join mark m on m.name = b.view || '_' || b.build
     where b.state = 'serving' and b.revision = any($1::text[]) and b.source = $2 and b.stalled_since is null
"""
SCHEMAS = "select view, build from view_build where state = 'serving' and revision = any($1::text[])"

UNREAD = "select exists (select from journal_generation where complete_upto is null)"
READ_AGAIN = (
    "the journal is being read again, until `throughline republish --recreate` has ended; "
    "if it was ended before its end, run `throughline republish`"
)

SCHEMA_SECONDS = 1.0
"""How long a look-up goes on with the build that it knows; a replaced one stays readable for a minute. That there is
none is not remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSnapshot:
    """Some projections of a service on one snapshot: `reading("deals")` is the database of one."""

    databases: Mapping[str, ProjectionDatabase]
    sources: Mapping[str, Source]

    def __call__(self, projection: Projection | str) -> ProjectionDatabase:
        """The serving build of a projection, by itself or its name. Raises LookupError for one that this snapshot was
        not taken of."""
        name = projection if isinstance(projection, str) else projection.name
        if name not in self.databases:
            raise LookupError(f"{name} is not among what is said to be read: {', '.join(self.databases) or 'nothing'}")
        return self.databases[name]

    @property
    def position(self) -> int:
        """Every event up to here is in each of them; a position of the journal, or of the log where none reads the
        journal."""
        return min((db.position for db in self._foremost()), default=0)

    @property
    def as_of(self) -> datetime | None:
        """When the newest event was recorded that each of them holds (company clock)."""
        return min((db.as_of for db in self._foremost() if db.as_of is not None), default=None)

    @property
    def parked(self) -> int:
        """The number of events that they lack because they could not be handled."""
        return sum(db.parked for db in self.databases.values())

    def _foremost(self) -> list[ProjectionDatabase]:
        journal = [db for name, db in self.databases.items() if self.sources[name] == "journal"]
        return journal or list(self.databases.values())


class Projections:
    """The read side of a service's projections, each in the revision of this release. Whoever reads their tables has a
    place beside the other `readers`."""

    def __init__(
        self,
        pool: Pool,
        projections: Sequence[Projection],
        logs: Mapping[Source, Log],
        company: Company,
        readers: Readers | None = None,
    ) -> None:
        self._pool = pool
        self._readers = readers or Readers()
        self._revisions = {projection.name: revision_of(projection, company) for projection in projections}
        self._logs = logs
        self._company = company
        self._schemas: dict[str, str] = {}
        self._schemas_until = 0.0

    @property
    def every(self) -> frozenset[str]:
        """The names of all projections of the service."""
        return frozenset(self._revisions)

    @asynccontextmanager
    async def reading(self, names: Collection[str]) -> AsyncIterator[ReadSnapshot]:
        """Rows, positions and the number of parked events of these projections agree, whatever is folded meanwhile; how
        others fare is nothing to them. Raises NotBuilt while one of them does not serve, and ReadersStandStill while
        those who have the places get nowhere."""
        async with (
            self._readers.place(names),
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            rows = await self._serving(connection, names)
            schemas = {row["view"]: schema_of(row["view"], row["build"]) for row in rows}
            yield ReadSnapshot(
                databases={row["view"]: self._database(connection, row, schemas) for row in rows},
                sources={row["view"]: row["source"] for row in rows},
            )

    async def require(self, names: Collection[str]) -> None:
        """Raise NotBuilt while one of these projections does not serve; none of their tables is read."""
        async with self._pool.acquire() as connection:
            await self._serving(connection, names)

    async def _serving(self, connection: AnyConnection, names: Collection[str]) -> Sequence[Record]:
        rows = await connection.fetch(SERVING, [self._revisions[name] for name in names])
        if missing := set(names) - {row["view"] for row in rows}:
            lacking = f"not built in this release: {', '.join(sorted(missing))}"
            raise NotBuilt(READ_AGAIN if await connection.fetchval(UNREAD) else lacking)
        return rows

    async def level(self, source: Source) -> int:
        """The position up to which every projection of a log holds it, but for those that stand still; the highest that
        there can be where all do."""
        return int(await self._pool.fetchval(LEVEL, list(self._revisions.values()), source))

    async def lookup(self, projection: Projection | str, sql: str, *arguments: object) -> list[Record]:
        """The rows of one statement on one projection, and on others that it names, in one round trip: for look-ups
        that need no position. Raises NotBuilt while one of them does not serve, and ReadersStandStill while those
        who have the places get nowhere."""
        name = projection if isinstance(projection, str) else projection.name
        needed = {name} | (named_in(sql) & self.every)
        if time.monotonic() > self._schemas_until or not needed <= self._schemas.keys():
            rows = await self._pool.fetch(SCHEMAS, list(self._revisions.values()))
            self._schemas = {row["view"]: schema_of(row["view"], row["build"]) for row in rows}
            self._schemas_until = time.monotonic() + SCHEMA_SECONDS
        if missing := needed - self._schemas.keys():
            raise NotBuilt(f"not built in this release: {', '.join(sorted(missing))}")
        async with self._readers.place(needed):
            return await self._pool.fetch(placed(sql, {**self._schemas, "view": self._schemas[name]}), *arguments)

    def _database(self, connection: AnyConnection, row: Record, schemas: Mapping[str, str]) -> ProjectionDatabase:
        return ProjectionDatabase(
            connection,
            {**schemas, "view": schemas[row["view"]]},
            log=self._logs[row["source"]],
            company=self._company,
            position=row["position"],
            as_of=row["as_of"],
            parked=row["parked"],
        )


class NotBuilt(Unavailable):
    """A projection does not serve yet in the revision of this release: it is being built. Its message is for
    operators."""
