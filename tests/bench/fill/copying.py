"""Reading what the services stored of the small history, and writing its copies by COPY into stores and journals.

The services stand still meanwhile. Afterwards every store, journal and mark is as if the services had taken in the
whole history themselves; the topics are filled by the relays once the services run again, or never (`published`).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from operator import itemgetter
from typing import Any
from uuid import UUID

import asyncpg

from deploy.services import definition_of
from shared.events.codec import Codec
from shared.events.registry import SERVICES, topic_of
from shared.eventstore.claims import ClaimHasher
from shared.kafka.inbox import COLUMNS as JOURNAL_COLUMNS
from shared.kafka.layout import laid_out
from shared.kafka.partitioning import PARTITIONS, partition_of
from shared.service.definition import Service, registry_for
from tests.bench.fill.stamp import (
    ONCE,
    Ids,
    Text,
    derivations,
    ids_in,
    in_order,
    marked_domain,
    marked_reference,
    numbered,
    pieces,
    stamped,
)

EVENT_COLUMNS = (
    *("position", "aggregate_id", "aggregate", "sequence", "event_id", "type", "version", "partition", "occurred_at"),
    *("recorded_at", "actor", "correlation_id", "causation_id", "imported", "traceparent", "data"),
)
OF_EVENT = tuple(name for name in JOURNAL_COLUMNS if name in EVENT_COLUMNS)
AS_JOURNALED = itemgetter(*(EVENT_COLUMNS.index(name) for name in OF_EVENT))
POSITION = EVENT_COLUMNS.index("position")

EVENTS = (
    f"select {', '.join(EVENT_COLUMNS)} from event where aggregate <> all ($1) and position <= $2 order by position"
)
PERSONAL = "select event_id, person_id, data from personal"
TIMERS = "select aggregate_id, name, aggregate, due, generation, command from timer"
SLOTS = "select topic, source_position from journal where position <= $1 order by position"
ALONE = "select distinct aggregate_id from event where aggregate = any ($1)"
HEAD = "select coalesce(max(position), 0) from {table}"
MARKS = """
insert into journal_mark (topic, partition, position)
select topic, partition, max(source_position) from journal group by 1, 2
on conflict (topic, partition) do update set position = excluded.position
"""
PASSED = "update mark set position = (select coalesce(max(position), 0) from {table}) where name = 'reactions-{source}'"
PUBLISHED = "update relay set position = (select coalesce(max(position), 0) from event)"

Heads = Mapping[str, tuple[int, int]]
"""The ends of each service's store and journal before the first copy."""
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What one service stored of the small history."""

    service: str
    head: int
    """The last position before the copies."""
    partitions: int
    """Of each topic."""
    events: Sequence[Sequence[Any]]
    data: Sequence[Text]
    """Of each event."""
    sequences: Mapping[UUID, tuple[str, int]]
    """Aggregate and last sequence of each stream."""
    personal: Sequence[tuple[UUID, UUID, Text]]
    timers: Sequence[tuple[Any, ...]]
    claims: Sequence[tuple[str, str, UUID]]
    """Kind, marked key, holder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Journaled:
    """Where the events of the small history stand in one service's journal."""

    service: str
    head: int
    slots: Sequence[tuple[str, int]]
    """Owner, and the place of the event among those that it stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What there is now."""

    events: Mapping[str, int]
    """Copied, by service."""
    journaled: Mapping[str, int]


async def heads_of(databases: Mapping[str, str]) -> Heads:
    """Where stores and journals end now."""
    found = {}
    for name, url in databases.items():
        async with _connection(url) as connection:
            found[name] = (await _head(connection, "event"), await _head(connection, "journal"))
    return found


async def fill(
    databases: Mapping[str, str],
    heads: Heads,
    *,
    copies: int,
    secret: str,
    currency: str,
    published: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Filled:
    """Copy everything up to `heads` that is not there once, so many times; what is there of a run that was cut off is
    passed over. `databases` are the addresses by service; `secret` is that of the claims; `published` says that the
    copies are to count as published, although no topic holds them."""
    async with AsyncExitStack() as stack:
        connections = {name: await stack.enter_async_context(_connection(url)) for name, url in databases.items()}
        kept = frozenset({row[0] for name in SERVICES for row in await connections[name].fetch(ALONE, list(ONCE))})
        stores = [await _stored(name, connections[name], kept, heads[name][0]) for name in SERVICES]
        journals = [
            await _journaled(name, connection, stores, heads[name][1]) for name, connection in connections.items()
        ]
        ids = Ids(kept=kept, derived=_derived(stores, currency))
        known = {known for store in stores for known in _ids(store)}
        for copy in range(1, copies + 1):
            new = {one: ids.of(one, copy) for one in known}
            names = {one: str(name) for one, name in new.items()}
            events = {store.service: _events(store, new, names, copy) for store in stores}
            await asyncio.gather(
                *(
                    _write_store(connections[one.service], one, events[one.service], new, names, copy, secret)
                    for one in stores
                )
            )
            await asyncio.gather(*(_write_journal(connections[one.service], one, events, copy) for one in journals))
            if copy % 10 == 0 or copy == copies:
                say(f"{copy} of {copies} copies, {copy * sum(len(one.events) for one in stores):,} events.")
        for name, connection in connections.items():
            await _settle(connection, name in SERVICES, published)
    return Filled(
        events={one.service: copies * len(one.events) for one in stores},
        journaled={one.service: copies * len(one.slots) for one in journals},
    )


@asynccontextmanager
async def _connection(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def _head(connection: Any, table: str) -> int:
    return int(await connection.fetchval(HEAD.format(table=table)))


async def _partitions(connection: Any) -> int:
    """Over how many partitions the topics of a store are spread; a build from before `topic_layout` has twelve."""
    known = await connection.fetchval("select to_regclass('topic_layout') is not null")
    found = await laid_out(connection) if known else None
    return found if isinstance(found, int) else PARTITIONS


# -- reading --------------------------------------------------------------------------------------------------------


async def _stored(name: str, connection: Any, kept: frozenset[UUID], head: int) -> Stored:
    rows = [tuple(row) for row in await connection.fetch(EVENTS, list(ONCE), head)]
    sequences = {row[1]: (row[2], row[3]) for row in rows}
    own = {row[4] for row in rows}
    personal = [tuple(row) for row in await connection.fetch(PERSONAL) if row["event_id"] in own]
    return Stored(
        service=name,
        head=head,
        partitions=await _partitions(connection),
        events=rows,
        data=[pieces(row[-1], kept) for row in rows],
        sequences=sequences,
        personal=[(event, person, pieces(data, kept)) for event, person, data in personal],
        timers=[
            (*tuple(row)[:-1], pieces(row["command"], kept))
            for row in await connection.fetch(TIMERS)
            if row["aggregate_id"] in sequences
        ],
        claims=list(_claims(name, rows, {event: data for event, _, data in personal})),
    )


def _claims(name: str, rows: Rows, personal: Mapping[UUID, str]) -> Iterator[tuple[str, str, UUID]]:
    """What the aggregates hold, found as the service finds it: from their states."""
    service: Service = definition_of(name)
    codec, aggregates = Codec(registry_for(service)), {one.name: one for one in service.every_aggregate}
    streams: dict[UUID, Rows] = {}
    for row in rows:
        streams.setdefault(row[1], []).append(row)
    for aggregate_id, own in streams.items():
        aggregate = aggregates[own[0][2]]
        state = aggregate.fold(codec.decode(row[5], row[6], row[-1], personal.get(row[4])) for row in own)
        for claim in aggregate.claims_of(state):
            mark = marked_reference if claim.kind == "bank-reference" else marked_domain
            yield claim.kind, mark(claim.key), aggregate_id


async def _journaled(name: str, connection: Any, stores: Sequence[Stored], head: int) -> Journaled:
    places = {
        (topic_of(one.service, row[2]), row[POSITION]): (one.service, place)
        for one in stores
        for place, row in enumerate(one.events)
    }
    rows = [tuple(row) for row in await connection.fetch(SLOTS, head)]
    found = [row for row in rows if row in places]
    return Journaled(
        service=name,
        head=head,
        # The copies stand in other partitions, each of which has to be in the owner's order.
        slots=[places[found[slot]] for slot in in_order(found)],
    )


def _derived(stores: Sequence[Stored], currency: str) -> Any:
    deals = [one for store in stores for one, (aggregate, _) in store.sequences.items() if aggregate == "deal"]
    accounts = [one for store in stores for one, (aggregate, _) in store.sequences.items() if aggregate == "account"]
    receipts = [
        (row[1], json.loads(row[-1])["bank_reference"])
        for store in stores
        for row in store.events
        if row[5] == "receivables.receipt-recorded"
    ]
    return derivations(deals, accounts, receipts, currency)


def _ids(store: Stored) -> set[UUID]:
    of_rows = {row[place] for row in store.events for place in (1, 4, 11, 12)}
    texts = [*store.data, *(data for _, _, data in store.personal), *(timer[-1] for timer in store.timers)]
    return of_rows | ids_in(texts) | {person for _, person, _ in store.personal}


# -- writing --------------------------------------------------------------------------------------------------------


def _events(store: Stored, new: Mapping[UUID, UUID], names: Mapping[UUID, str], copy: int) -> Rows:
    """The rows of a copy; its positions follow those of the copy before."""
    first = store.head + (copy - 1) * len(store.events) + 1
    return [
        (
            first + place,
            new[row[1]],
            *row[2:4],
            new[row[4]],
            *row[5:7],
            partition_of(new[row[1]], store.partitions),
            *row[8:11],
            new[row[11]],
            new[row[12]],
            *row[13:15],
            stamped(data, names, copy),
        )
        for place, (row, data) in enumerate(zip(store.events, store.data, strict=True))
    ]


async def _write_store(
    connection: Any,
    store: Stored,
    events: Rows,
    new: Mapping[UUID, UUID],
    names: Mapping[UUID, str],
    copy: int,
    secret: str,
) -> None:
    keyed = ClaimHasher(secret.encode())
    tables: dict[str, tuple[Sequence[str], Rows]] = {
        "stream_head": (
            ("aggregate_id", "aggregate", "sequence"),
            [(new[one], *stands) for one, stands in store.sequences.items()],
        ),
        "event": (EVENT_COLUMNS, events),
        "personal": (
            ("event_id", "person_id", "data"),
            [(new[event], new[person], stamped(data, names, copy)) for event, person, data in store.personal],
        ),
        "timer": (
            ("aggregate_id", "name", "aggregate", "due", "generation", "command"),
            [(new[timer[0]], *timer[1:-1], stamped(timer[-1], names, copy)) for timer in store.timers],
        ),
        "claim": (
            ("kind", "key_hash", "holder"),
            [(kind, keyed(kind, numbered(key, copy)), new[holder]) for kind, key, holder in store.claims],
        ),
    }
    if not events or await _head(connection, "event") >= events[-1][POSITION]:
        return
    async with connection.transaction():
        for table, (columns, rows) in tables.items():
            await connection.copy_records_to_table(table, records=rows, columns=columns)


async def _write_journal(connection: Any, journal: Journaled, events: Mapping[str, Rows], copy: int) -> None:
    first = journal.head + (copy - 1) * len(journal.slots) + 1
    rows = []
    for place, (owner, number) in enumerate(journal.slots):
        event = events[owner][number]
        rows.append((first + place, topic_of(owner, event[2]), event[POSITION], *AS_JOURNALED(event)))
    columns = ("position", "topic", "source_position", *OF_EVENT)
    if rows and await _head(connection, "journal") < rows[-1][0]:
        await connection.copy_records_to_table("journal", records=rows, columns=columns)


async def _settle(connection: Any, owns_events: bool, published: bool) -> None:
    """Sequences and marks as they stand after everything that was written. History leads to no reactions."""
    tables = {"log": "event", "journal": "journal"}
    async with connection.transaction():
        for source, table in tables.items():
            head = await _head(connection, table)
            if head:
                await connection.execute("select setval($1::regclass, $2)", f"{table}_position", head)
            await connection.execute(PASSED.format(table=table, source=source))
        await connection.execute(MARKS)
        if owns_events and published:
            await connection.execute(PUBLISHED)
    await connection.execute("analyze")
