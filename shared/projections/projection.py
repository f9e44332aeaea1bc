"""A projection: tables, and how a batch of events changes them.

    OPEN_DEALS = Projection(
        name="open_deals",
        version=1,
        ddl="create table {view}.deal (deal_id uuid primary key, stage text not null)",
        apply=fold,
        events=(DealOpened, DealMoved, DealWon),
    )

SQL writes its tables as `{view}.deal`, because every build of a projection has a schema of its own. A changed
fold gets a higher version, which is built beside the one that serves; so do changed tables, and other settings of the
company.
"""

import hashlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from io import BytesIO
from typing import Any, Literal
from uuid import UUID

from asyncpg import Record

from shared.domain.context import Company
from shared.domain.history import by_thing, late_among, standing
from shared.events.chronology import Dated
from shared.events.envelope import Envelope
from shared.events.registry import types_read
from shared.eventstore.log import WHOLE, Excerpt, Log
from shared.eventstore.pool import AnyConnection
from shared.following.stored_events import readable
from shared.projections.csv import CSV_OPTIONS, CsvValue, csv

Source = Literal["log", "journal"]
"""The service's own events, or those of others that it reads."""
POLL_SECONDS: Mapping[Source, float] = {"log": 2.0, "journal": 0.5}
"""How often a log is looked at when nobody says that it has grown. Appends are announced to other processes as well,
what another process has journaled is not."""

FINGERPRINT = 16
NAME = re.compile(r"[a-z][a-z_]*")
_PLACEHOLDER = re.compile(r"\{([a-z][a-z_]*)\}")


class ProjectionDatabase:
    """A connection that knows in which schemas the tables of the projections stand."""

    def __init__(
        self,
        connection: AnyConnection,
        schemas: Mapping[str, str],
        *,
        log: Log,
        company: Company,
        position: int,
        as_of: datetime | None = None,
        parked: int = 0,
    ) -> None:
        self.connection = connection
        self.schemas = schemas
        self.position = position
        """The rows hold every event up to this position of the projection's log."""
        self.as_of = as_of
        """When the newest of those events was recorded (company clock); None before the first."""
        self.parked = parked
        """The number of events that the rows lack because they could not be handled."""
        self.company = company
        self.memo: dict[Hashable, Any] = {}
        """What a question has worked out already from these rows, for its next part."""
        self._log = log

    async def execute(self, sql: str, *arguments: Any) -> str:
        """Run one statement."""
        return await self.connection.execute(self.sql(sql), *arguments)

    async def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for many rows of arguments, in one round trip."""
        await self.connection.executemany(self.sql(sql), rows)

    async def copy(self, table: str, rows: Iterable[Sequence[CsvValue]]) -> None:
        """Write new rows, all columns in their order, by COPY: for less than half of what it takes to insert them."""
        source, schema = BytesIO(csv(rows)), self.schemas["view"]
        await self.connection.copy_to_table(table, schema_name=schema, source=source, **CSV_OPTIONS)

    async def fetch(self, sql: str, *arguments: Any) -> list[Record]:
        """All rows."""
        return await self.connection.fetch(self.sql(sql), *arguments)

    async def fetchrow(self, sql: str, *arguments: Any) -> Record | None:
        """The first row."""
        return await self.connection.fetchrow(self.sql(sql), *arguments)

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        """The first column of the first row."""
        return await self.connection.fetchval(self.sql(sql), *arguments)

    async def history(self, aggregate_ids: Sequence[UUID]) -> list[Envelope[Any]]:
        """All events of these aggregates up to `position`, in the order of the log."""
        return readable(await self._log.history(self.connection, aggregate_ids, self.position))

    async def standing(self, aggregate_ids: Sequence[UUID], events: Iterable[type]) -> list[Envelope[Any]]:
        """What stands of these aggregates, up to `position`, of some classes of events."""
        known = by_thing(await self.history(aggregate_ids))
        kinds = tuple(events)
        return [fact for told in known.values() for fact in standing(told) if isinstance(fact.data, kinds)]

    async def late(
        self,
        last: Mapping[Any, Dated],
        facts: Sequence[Envelope[Any]],
        keys: Callable[[Envelope[Any]], Iterable[Any]] = lambda fact: (fact.aggregate_id,),
    ) -> tuple[set[UUID], dict[Any, Dated]]:
        """The aggregates that are to be folded anew, for one of these facts was told late, corrects or takes back
        another one; and the last places by key: those of late ones are to be worked out anew."""
        keyed = [(key, fact) for fact in facts if not fact.data.retracts for key in keys(fact)]
        late, places = late_among(last, keyed)
        anew = {fact.aggregate_id for key, fact in keyed if key in late}
        anew |= {fact.aggregate_id for fact in facts if fact.data.retracts}
        return anew | await self._log.corrected(self.connection, facts), places

    async def scan(self, aggregate: str, excerpt: Excerpt = WHOLE) -> AsyncIterator[list[Envelope[Any]]]:
        """The events of a family of aggregates up to `position`, stream by stream, in parts."""
        async for part in self._log.scan(self.connection, aggregate, self.position, excerpt):
            yield readable(part)

    def sql(self, text: str) -> str:
        """The statement with the schemas in place of `{view}` and `{name of another projection}`."""
        return placed(text, self.schemas)


Apply = Callable[[ProjectionDatabase, Sequence[Envelope[Any]]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """A read model. `apply` gets events in the order of the log and is right whatever the order between aggregates:
    to set a poison apart, a page may be given in parts. It is set-based, takes no time from outside and does not
    commit; the rows and the checkpoint are committed together."""

    name: str
    version: int
    ddl: str
    apply: Apply
    source: Source = "log"
    events: Sequence[type] = ()
    """The classes that `apply` is given; none means all."""
    pages_at_once: int = 1
    """So many pages of streams `apply` is given at once by a build that is made beside: less is written where many
    streams change the same rows. With more than one, it lets the event loop do other work in between."""
    indices: Sequence[str] = ()
    """Statements that make what only readers need, each `create index if not exists <name> on {view}.…`: they are
    carried out once a build has folded the history that it found, before it serves."""

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name) or self.name == "view":
            raise ValueError(f"{self.name!r} is no name of a projection: small letters and underscores, and not 'view'")

    @property
    def types(self) -> frozenset[str] | None:
        """The names of the types that the projection folds, and of those that take such facts back; None means all."""
        return types_read(self.events) if self.events else None


def indices(**of: Sequence[str]) -> tuple[str, ...]:
    """The statements that make the indices of tables, each told as what follows the table's name, in their order."""
    if single := [table for table, all_of in of.items() if isinstance(all_of, str)]:
        raise TypeError(f"the indices of {', '.join(single)} are one text, and not several")
    return tuple(
        f"create index if not exists {table}_{number} on {{view}}.{table} {each}"
        for table, all_of in of.items()
        for number, each in enumerate(all_of, start=1)
    )


def revision_of(projection: Projection, company: Company) -> str:
    """The revision of a projection that this process folds and reads: its version, with a fingerprint of what else its
    rows depend on. Builds of one revision are alike, whichever process folds them."""
    depends: Sequence[object] = (
        " ".join(projection.ddl.split()),
        [" ".join(statement.split()) for statement in projection.indices],
        projection.source,
        None if projection.types is None else sorted(projection.types),
        (company.currency, company.timezone),
    )
    fingerprint = hashlib.sha256(json.dumps(depends).encode()).hexdigest()
    return f"{projection.name}-{projection.version}-{fingerprint[:FINGERPRINT]}"


@lru_cache(maxsize=2048)
def named_in(text: str) -> frozenset[str]:
    """The projections, and whatever else stands in braces, that a statement names."""
    return frozenset(_PLACEHOLDER.findall(text))


def placed(text: str, schemas: Mapping[str, str]) -> str:
    """The statement with schemas in place of `{view}` and `{name of another projection}`; other braces stay."""
    return _placed(text, tuple(schemas.items()))


@lru_cache(maxsize=2048)
def _placed(text: str, schemas: tuple[tuple[str, str], ...]) -> str:
    known = dict(schemas)
    return _PLACEHOLDER.sub(lambda found: known.get(found[1], found[0]), text)
