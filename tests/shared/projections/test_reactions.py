"""Reactions happen once for every event, in order, and whatever goes wrong with one stops no other."""

import asyncio
import contextlib
import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from shared.commands.executor import CommandExecutor
from shared.commands.request import Busy, CommandRequest, CommandResult, InFlight
from shared.events.envelope import Envelope
from shared.eventstore.log import Page
from shared.following.dead_letters import parked, request_redrive
from shared.kafka.partitioning import PARTITIONS, partition_of
from shared.kafka.republishing import forget_journal
from shared.ops.ids import new_id
from shared.reactions.follower import Reacting
from shared.reactions.registry import Do, Reactions
from tests.shared.projections.conftest import Depot, reacted, until, working
from tests.shared.projections.depot import (
    OrderPaid,
    OrderPraised,
    ParcelPosted,
    ScanParcel,
    depot_reactions,
    parcel,
    parcel_of,
)

PER_PARCEL = "select aggregate_id, count(*) as events from event where aggregate = 'parcel' group by 1 order by 1"
TOLD = """
    select type, data::text as data, correlation_id, causation_id, actor from event
     where aggregate = 'follow-up' and type <> 'depot.reactions-begun' order by position
"""


async def posted(depot: Depot) -> dict[UUID, int]:
    """Parcel → its number of events; a parcel of a reaction has two."""
    return {row["aggregate_id"]: row["events"] for row in await depot.pool.fetch(PER_PARCEL)}


async def told(depot: Depot) -> list[tuple[str, dict[str, Any]]]:
    """What was told of reactions, in its order."""
    rows = await depot.pool.fetch(TOLD)
    return [(row["type"].removeprefix("depot."), json.loads(row["data"])) for row in rows]


async def number(depot: Depot, kind: str) -> int:
    """How many follow-ups of a type were told."""
    return [name for name, _ in await told(depot)].count(kind)


def facts_of(page: Page) -> list[Envelope[Any]]:
    """The events of parcels."""
    return [fact for fact in page.events if isinstance(fact, Envelope) and fact.aggregate == "parcel"]


async def test_a_command_follows_from_an_event_and_says_why(depot: Depot) -> None:
    order_id = new_id()
    await depot.receive(1, OrderPaid(order_id=order_id, weight=3))
    async with working(depot.reactor(depot_reactions())):
        await reacted(depot)
    (source,) = (await depot.journal.read(0, 10)).events
    assert isinstance(source, Envelope)
    facts = facts_of(await depot.log.read(0, 10))
    for fact in facts:
        assert (fact.aggregate_id, fact.actor) == (parcel_of(order_id), "service:depot")
        assert (fact.causation_id, fact.correlation_id) == (source.id, source.correlation_id)
    assert [fact.data.__class__.__name__ for fact in facts] == ["ParcelPosted", "ParcelScanned"]
    ((kind, answer),) = await told(depot)
    assert (kind, answer["event_id"], answer["refused"]) == ("event-answered", str(source.id), 0)
    assert [(each["command"], each["version"]) for each in answer["carried_out"]] == [
        ("PostParcel", 1),
        ("ScanParcel", 2),
    ]
    (row,) = await depot.pool.fetch(TOLD)
    assert (row["correlation_id"], row["causation_id"]) == (source.correlation_id, source.id)
    assert row["actor"] == "service:depot"


async def test_a_crash_between_command_and_mark_repeats_nothing(depot: Depot) -> None:
    orders = [new_id() for _ in range(5)]
    await depot.receive(1, *(OrderPaid(order_id=order_id, weight=1) for order_id in orders))
    async with depot.pool.acquire() as connection:
        await connection.execute("insert into mark (name) values ('reactions-journal')")
    reactions = depot_reactions()
    reacting = Reacting(
        "journal",
        1,
        pool=depot.pool,
        log=depot.journal,
        reactions=reactions,
        commands=depot.commands,
        partitions=PARTITIONS,
    )
    page = await depot.journal.read(0, 100)
    await reacting.handle(0, page)
    await depot.pool.execute("update mark set position = 0")  # as if the process had died before it
    async with working(depot.reactor(reactions, page=2)):
        await reacted(depot)
    assert await posted(depot) == {parcel_of(order_id): 2 for order_id in sorted(orders, key=parcel_of)}


async def test_reactions_killed_at_any_moment_happen_once(depot: Depot) -> None:
    orders = [new_id() for _ in range(60)]
    await depot.receive(1, *(OrderPaid(order_id=order_id, weight=1) for order_id in orders))
    for step in range(8):
        task = asyncio.create_task(depot.reactor(depot_reactions(), page=7).run(asyncio.Event()))

        async def went_on(events: int = 10 * step) -> bool:
            """In the middle of pages, each further than the one before."""
            return bool(await depot.pool.fetchval("select count(*) >= $1 from event", events))

        await until(went_on)
        assert not task.done()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    async with working(depot.reactor(depot_reactions(), page=7)):
        await reacted(depot)
    assert await posted(depot) == {parcel_of(order_id): 2 for order_id in sorted(orders, key=parcel_of)}
    assert await parked(depot.pool) == []


async def test_two_processes_react_once(depot: Depot, other: Depot) -> None:
    orders = [new_id() for _ in range(40)]
    await depot.receive(1, *(OrderPaid(order_id=order_id, weight=1) for order_id in orders))
    page = await depot.journal.read(0, 100)
    await depot.pool.execute("insert into mark (name) values ('reactions-journal')")
    leaders = [
        Reacting(
            "journal",
            1,
            pool=one.pool,
            log=one.journal,
            reactions=depot_reactions(),
            commands=one.commands,
            partitions=PARTITIONS,
        )
        for one in (depot, other)
    ]
    ended = await asyncio.gather(*(leader.handle(0, page) for leader in leaders), return_exceptions=True)
    assert True in ended
    assert await posted(depot) == {parcel_of(order_id): 2 for order_id in sorted(orders, key=parcel_of)}


async def test_a_refused_reaction_is_an_event_and_parks_nothing(depot: Depot) -> None:
    heavy, light = new_id(), new_id()
    await depot.receive(1, OrderPaid(order_id=heavy, weight=101), OrderPaid(order_id=light, weight=1))
    async with working(depot.reactor(depot_reactions())):
        await reacted(depot)
    assert await posted(depot) == {parcel_of(light): 2}
    assert await parked(depot.pool) == []
    refused = [event for kind, event in await told(depot) if kind == "reaction-refused"]
    said = [(event["reaction"], event["ordinal"], event["asked"]["command"], event["code"]) for event in refused]
    assert said == [
        ("post_what_is_paid", 0, "PostParcel", "too-heavy"),
        ("post_what_is_paid", 1, "ScanParcel", "not-found"),
    ]
    assert {event["asked"]["aggregate_id"] for event in refused} == {str(parcel_of(heavy))}
    assert refused[0]["message"] == "A parcel weighs 100 kg at most."
    assert await depot.pool.fetchval("select count(*) from refused_reaction") == 0


async def test_a_refused_reaction_is_told_once_also_after_a_crash(depot: Depot) -> None:
    """And stays refused, although the rule would not refuse it any more when the page is gone through again."""
    heavy, light = new_id(), new_id()
    await depot.receive(1, OrderPaid(order_id=heavy, weight=101), OrderPaid(order_id=light, weight=1))
    await depot.pool.execute("insert into mark (name) values ('reactions-journal')")
    reacting = Reacting(
        "journal",
        1,
        pool=depot.pool,
        log=depot.journal,
        reactions=depot_reactions(),
        commands=depot.commands,
        partitions=PARTITIONS,
    )
    await reacting.handle(0, await depot.journal.read(0, 100))
    before = await told(depot)
    await depot.post(parcel_of(heavy))  # so that it could be scanned now
    await depot.pool.execute("update mark set position = 0")  # as if the process had died before it
    async with working(depot.reactor(depot_reactions())):
        await reacted(depot)
    assert await told(depot) == before
    assert await posted(depot) == {parcel_of(light): 2, parcel_of(heavy): 1}


async def test_a_process_says_from_where_on_it_answers(depot: Depot) -> None:
    """What another release has passed, which told nothing, is not waited for."""
    first, later = new_id(), new_id()
    place = await depot.receive(1, OrderPaid(order_id=first, weight=1))
    await depot.pool.execute("insert into mark (name, position) values ('reactions-journal', 1)")
    for _ in range(2):
        about: Any = {"pool": depot.pool, "log": depot.journal, "commands": depot.commands, "partitions": PARTITIONS}
        await Reacting("journal", 1, reactions=depot_reactions(), **about).begin()
    begun = await depot.pool.fetch("select data::text from event where type = 'depot.reactions-begun'")
    assert [json.loads(row["data"]) for row in begun] == [
        {
            "types": ["shops.order-paid"],
            "passed": [{"topic": "shops.order.v1", "partition": partition_of(first, PARTITIONS), "position": place}],
        }
    ], "told once as long as nothing was passed"
    await depot.receive(2, OrderPaid(order_id=later, weight=1))
    async with working(depot.reactor(depot_reactions())):
        await reacted(depot)
    assert await posted(depot) == {parcel_of(later): 2}
    assert await number(depot, "event-answered") == 1


async def test_a_journal_that_is_read_again_repeats_nothing(depot: Depot) -> None:
    """Neither what was carried out, nor what was refused then and would not be now."""
    light, heavy = new_id(), new_id()
    await depot.receive(1, OrderPaid(order_id=light, weight=1), OrderPaid(order_id=heavy, weight=101))
    async with working(depot.reactor(depot_reactions())):
        await reacted(depot)
    journaled = await depot.pool.fetch("select * from journal order by position")
    await depot.post(parcel_of(heavy))  # so that it could be scanned now
    await depot.pool.execute("delete from idempotency")  # as after seven days
    async with depot.pool.acquire() as connection, connection.transaction():
        await forget_journal(connection)
    assert await depot.journal.head() == 0
    columns = [name for name in journaled[0].keys() if name != "position"]  # noqa: SIM118 - a record is no dictionary
    again = [tuple(row[name] for name in columns) for row in journaled]
    await depot.pool.copy_records_to_table("journal", records=again, columns=columns)
    async with working(depot.reactor(depot_reactions())):
        await reacted(depot)
    assert await posted(depot) == {parcel_of(light): 2, parcel_of(heavy): 1}
    assert (await number(depot, "reaction-refused"), await number(depot, "event-answered")) == (2, 2)


@pytest.mark.parametrize(("imported", "expected"), [(False, 0), (True, 2)])
async def test_imported_events_are_left_alone_unless_asked_for(depot: Depot, imported: bool, expected: int) -> None:
    order_id = new_id()
    await depot.receive(1, OrderPaid(order_id=order_id, weight=1), imported=True)
    async with working(depot.reactor(depot_reactions(imported=imported))):
        await reacted(depot)
    facts = facts_of(await depot.log.read(0, 10))
    assert len(facts) == expected
    assert all(fact.imported for fact in facts)
    assert await number(depot, "event-answered") == bool(expected)


async def test_what_is_decided_now_because_of_imported_events_is_no_history(depot: Depot) -> None:
    await depot.receive(1, OrderPaid(order_id=new_id(), weight=1), imported=True)
    async with working(depot.reactor(depot_reactions(imported=True, live=True))):
        await reacted(depot)
    facts = await depot.log.read(0, 10)
    assert [fact.imported for fact in facts_of(facts)] == [False, False]
    answered = [fact for fact in facts.events if isinstance(fact, Envelope) and fact.type == "depot.event-answered"]
    assert [fact.imported for fact in answered] == [True], "the answer is told beside the event"


async def test_an_unexpected_failure_parks_its_aggregate_and_comes_back_in_order(depot: Depot) -> None:
    poisoned, sound = new_id(), new_id()
    mistakes = {poisoned}
    reactions = depot_reactions(fails=lambda event: event.order_id in mistakes)
    await depot.receive(1, OrderPaid(order_id=poisoned, weight=5), OrderPaid(order_id=sound, weight=1))
    async with working(depot.reactor(reactions)):
        await reacted(depot)
        await depot.pool.execute("update parked_sequence set next_attempt_at = null")
        await depot.receive(3, OrderPaid(order_id=poisoned, weight=6))
        await reacted(depot)
        assert await posted(depot) == {parcel_of(sound): 2}
        (waiting,) = await parked(depot.pool)
        assert (waiting.runner, waiting.aggregate_id, waiting.events) == ("reactions-journal", poisoned, 2)
        stuck = [event for kind, event in await told(depot) if kind == "event-parked"]
        assert [event["error"] for event in stuck] == ["RuntimeError", "WaitsBehind"]
        assert await number(depot, "event-answered") == 1
        mistakes.clear()
        await request_redrive(depot.pool, "reactions-journal", poisoned)

        async def released() -> bool:
            return not await parked(depot.pool)

        await until(released)
    facts = await depot.pool.fetch("select data ->> 'weight' from event where aggregate_id = $1", parcel_of(poisoned))
    assert [row[0] for row in facts if row[0]] == ["5"]  # the first payment posts it, the second is refused
    assert (await number(depot, "reaction-refused"), await number(depot, "event-parked")) == (1, 2)
    assert await number(depot, "event-answered") == 3


async def test_events_of_our_own_lead_to_commands_too(depot: Depot) -> None:
    reactions = Reactions("depot")

    @reactions.on
    def scan_when_posted(event: ParcelPosted, fact: Envelope[ParcelPosted]) -> Iterable[Do]:
        yield Do(aggregate=parcel, aggregate_id=event.parcel_id, command=ScanParcel())

    assert (reactions.sources, reactions.reads) == (("log",), ())
    async with working(depot.reactor(reactions, "log")):
        parcel_id = await depot.post()
        await reacted_to_log(depot)
    assert await posted(depot) == {parcel_id: 2}


async def reacted_to_log(depot: Depot) -> None:
    async def level() -> bool:
        position = await depot.pool.fetchval("select position from mark where name = 'reactions-log'")
        return position is not None and position >= 2

    await until(level)


def test_reactions_say_what_they_read() -> None:
    reactions = Reactions("depot")

    @reactions.on
    def both(event: OrderPaid | OrderPraised, fact: Envelope[OrderPaid | OrderPraised]) -> Iterable[Do]:
        return ()

    assert reactions.reads == (OrderPaid, OrderPraised)
    assert reactions.checkpoints == ("reactions-journal",)
    with pytest.raises(ValueError, match="two reactions"):
        reactions.on(both)


class Contended:
    """Commands to an aggregate that others keep changing for a while."""

    def __init__(self, commands: CommandExecutor, times: int) -> None:
        self._commands = commands
        self.times = times

    async def execute(self, request: CommandRequest) -> CommandResult:
        if self.times and request.aggregate is parcel:
            self.times -= 1
            raise Busy("others") if self.times % 2 else InFlight("elsewhere")
        return await self._commands.execute(request)


async def test_what_others_hold_up_is_tried_again_and_not_parked(depot: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.reactions.follower.BUSY_SECONDS", 0.001)
    order_id = new_id()
    await depot.receive(1, OrderPaid(order_id=order_id, weight=1))
    contended: Any = Contended(depot.commands, times=10)
    async with working(replace(depot, commands=contended).reactor(depot_reactions())):
        await reacted(depot)
    assert (await posted(depot), await parked(depot.pool)) == ({parcel_of(order_id): 2}, [])


async def test_what_others_hold_up_for_long_stops_the_worker_and_parks_nothing(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.reactions.follower.BUSY_SECONDS", 0.001)
    await depot.receive(1, OrderPaid(order_id=new_id(), weight=1))
    contended: Any = Contended(depot.commands, times=1000)
    with pytest.raises((Busy, InFlight)):
        await replace(depot, commands=contended).reactor(depot_reactions()).run(asyncio.Event())
    assert await parked(depot.pool) == []
