"""Undo: what an import brought in is taken back by further facts, as far as nothing rests on it yet (DATA-5).

Something rests on a thing when anything was recorded about it since the import, or names it, and is no part of that
import, or cannot be taken back itself. So a thing is taken back with all that the import told of it, or stays with
all of it; what a staying thing names stays too. Contracts, invoices and receipts always stay: the books are corrected
by entries of their own.
"""

import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from deploy.imports.loading import IMPORTER, OPERATION, account_key, desk
from shared.domain.rejection import Rejected
from shared.domain.retraction import RetractFacts, ToldBefore
from shared.events.registry import registry_of, type_of
from shared.ops.ids import new_id
from shared.ops.settings import Settings
from shared.store.commands import Commands
from shared.store.errors import Refused
from shared.store.personal import forget_retracted
from shared.store.pool import create_pool
from shared.store.request import Request, Result

RETRACTIONS = [type_of(each) for each in registry_of().classes if each.retracts]  # type: ignore[attr-defined]
UUIDS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
AT_ONCE = 1_000
"""Things with which the services are asked at a time, and events that are read at a time."""

TOLD = """
select aggregate, aggregate_id, sequence, causation_id, fact, occurred_at, by_day, recorded_at,
       (data ->> 'contact_id')::uuid as contact
  from event where correlation_id = $1 and type <> all($2::text[]) order by position
"""
RETRACTED = "select aggregate_id, (data ->> 'request')::uuid as request from event where type = any($1::text[])"
SINCE = """
select aggregate_id, sequence, correlation_id, causation_id, type, data::text as data
  from event where recorded_at >= $1 and type <> all($2::text[])
"""
ENDS = "select aggregate_id, sequence from stream_head where aggregate_id = any($1::uuid[])"
FORGET = "delete from idempotency where principal = $1 and operation = $2 and key = any($3::text[])"

Pools = Mapping[str, asyncpg.Pool]


@dataclass(slots=True, kw_only=True)
class Thing:
    """What a run told of one thing."""

    service: str
    aggregate: str
    id: UUID
    first: int
    """The sequence of the run's first event."""
    since: datetime
    """When that was recorded."""
    told: dict[UUID, ToldBefore] = field(default_factory=dict)
    """By request."""
    facts: set[str] = field(default_factory=set)
    """By what its facts are known again."""
    parts: set[UUID] = field(default_factory=set)
    """Ids of what has no stream of its own, like contacts."""
    events: int = 0
    last: int = 0
    """The sequence of the last event of the thing, whosever."""

    @property
    def vanishes(self) -> bool:
        """Whether nothing is known of it but what the run told."""
        return self.last == self.events


class Mention(NamedTuple):
    """An event that stands: what it is about, and which things of a run it names."""

    thing: UUID
    sequence: int
    is_of_run: bool
    type: str
    names: frozenset[UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """A thing that is not taken back, and why."""

    aggregate: str
    id: UUID
    reason: str


@dataclass(slots=True, kw_only=True)
class Undone:
    """What came of it: things by kind, and those that stay."""

    taken_back: Counter[str] = field(default_factory=Counter)
    facts: int = 0
    stay: list[Stay] = field(default_factory=list)


async def undo(run: UUID, settings: Mapping[str, Settings], *, dry_run: bool = False) -> Undone:
    """Take back what a run told. A dry run says what would be taken back, and writes nothing. Running it again goes on
    where it broke off."""
    undone = Undone()
    async with AsyncExitStack() as stack:
        pools = {
            name: await stack.enter_async_context(await create_pool(own.database_url, name=f"{name}-undo"))
            for name, own in settings.items()
        }
        desks = {name: await stack.enter_async_context(desk(name, own, dry_run)) for name, own in settings.items()}
        things = await _things(run, pools)
        fixed = {each for each, thing in things.items() if not _may_be_taken_back(thing, desks)}
        stays = staying(things, fixed, [each async for each in _since(run, things, pools)])
        undone.stay = [Stay(aggregate=things[each].aggregate, id=each, reason=why) for each, why in stays.items()]
        going = [thing for each, thing in things.items() if each not in stays]
        if not dry_run:
            await _forget_accounts(going, pools)
        # What vanishes goes first: it frees the keys that others get back.
        await _retract([thing for thing in going if thing.vanishes], desks, undone)
        await _retract([thing for thing in going if not thing.vanishes], desks, undone)
        for pool in () if dry_run else pools.values():
            await forget_retracted(pool, run, RETRACTIONS)
    return undone


def staying(things: Mapping[UUID, Thing], fixed: Iterable[UUID], since: Sequence[Mention]) -> dict[UUID, str]:
    """The things of a run that stay, and why. `fixed` cannot be taken back, `since` is what was recorded since."""
    names: dict[UUID, set[UUID]] = defaultdict(set)
    stays = dict.fromkeys(fixed, "cannot be taken back")
    for each in since:
        if each.is_of_run:
            names[each.thing] |= each.names
            continue
        if each.thing in things and each.sequence > things[each.thing].first:
            stays.setdefault(each.thing, f"{each.type} was recorded about it since")
        for name in each.names:
            stays.setdefault(name, f"{each.type} names it")
    told_with: dict[UUID, set[UUID]] = defaultdict(set)
    for thing in things.values():
        for request in thing.told:
            told_with[request].add(thing.id)
    rest = list(stays)
    for thing_id in rest:  # grows meanwhile
        # What one line told of several things stays with all of them.
        together = {other for request in things[thing_id].told for other in told_with[request]}
        for other in (names[thing_id] | together) - stays.keys():
            stays[other] = f"a {things[thing_id].aggregate} that stays rests on it"
            rest.append(other)
    return stays


async def _things(run: UUID, pools: Pools) -> dict[UUID, Thing]:
    """The things of which a run told something that stands, in the order in which it did."""
    things: dict[UUID, Thing] = {}
    for service, pool in pools.items():
        gone = await _retracted(pool)
        for row in await pool.fetch(TOLD, run, RETRACTIONS):
            about, request = row["aggregate_id"], row["causation_id"]
            if (about, request) in gone:
                continue
            thing = things.get(about)
            if thing is None:
                thing = things[about] = Thing(
                    service=service,
                    aggregate=row["aggregate"],
                    id=about,
                    first=row["sequence"],
                    since=row["recorded_at"],
                )
            thing.events += 1
            thing.told.setdefault(request, ToldBefore(request=request, at=row["occurred_at"], by_day=row["by_day"]))
            thing.facts |= {row["fact"]} if row["fact"] else set()
            thing.parts |= {row["contact"]} if row["contact"] else set()
        for row in await pool.fetch(ENDS, [each.id for each in things.values() if each.service == service]):
            things[row["aggregate_id"]].last = row["sequence"]
    return things


async def _retracted(pool: asyncpg.Pool) -> set[tuple[UUID, UUID]]:
    return {(row["aggregate_id"], row["request"]) for row in await pool.fetch(RETRACTED, RETRACTIONS)}


async def _since(run: UUID, things: Mapping[UUID, Thing], pools: Pools) -> AsyncIterator[Mention]:
    """All events that stand and were recorded since the run began, as far as they are about its things or name them."""
    if not things:
        return
    began = min(thing.since for thing in things.values())
    # As texts: each event has several ids, and hardly any is one of these.
    known = {str(thing.id): thing.id for thing in things.values()}
    known |= {str(part): thing.id for thing in things.values() for part in thing.parts}
    for pool in pools.values():
        gone = await _retracted(pool)
        async with pool.acquire() as connection, connection.transaction():
            async for row in connection.cursor(SINCE, began, RETRACTIONS, prefetch=AT_ONCE):
                about = row["aggregate_id"]
                if (about, row["causation_id"]) in gone:
                    continue
                named = frozenset(known[each] for each in UUIDS.findall(row["data"]) if each in known) - {about}
                if named or about in things:
                    yield Mention(about, row["sequence"], row["correlation_id"] == run, row["type"], named)


def _may_be_taken_back(thing: Thing, desks: Mapping[str, Commands]) -> bool:
    return RetractFacts in desks[thing.service].aggregates[thing.aggregate].handlers


async def _forget_accounts(things: Iterable[Thing], pools: Pools) -> None:
    """Forget that these facts came in, so that they do when they are told again."""
    keys: dict[str, list[str]] = defaultdict(list)
    for thing in things:
        keys[thing.service] += [account_key(thing.id, name) for name in thing.facts]
    for service, own in keys.items():
        await pools[service].execute(FORGET, IMPORTER.subject, OPERATION, own)


async def _retract(things: Sequence[Thing], desks: Mapping[str, Commands], undone: Undone) -> None:
    """Take things back; what meets a key that another one still holds waits for that."""
    run, left = new_id(), list(things)
    while left:
        refused: list[tuple[Thing, Rejected | Refused]] = []
        for some in batches(left):
            for service, commands in desks.items():
                own = [thing for thing in some if thing.service == service]
                requests = [_request(commands, thing, run) for thing in own]
                for thing, answer in zip(own, await commands.execute_many(requests), strict=True):
                    if isinstance(answer, Result):
                        undone.taken_back[thing.aggregate] += 1
                        undone.facts += len(thing.told)
                    else:
                        refused.append((thing, answer))
        if len(refused) == len(left):
            undone.stay += [Stay(aggregate=thing.aggregate, id=thing.id, reason=str(why)) for thing, why in refused]
            return
        left = [thing for thing, _ in refused]


def batches(things: Sequence[Thing]) -> list[Sequence[Thing]]:
    """The things in parts."""
    return [things[start : start + AT_ONCE] for start in range(0, len(things), AT_ONCE)]


def _request(commands: Commands, thing: Thing, run: UUID) -> Request:
    return Request(
        aggregate=commands.aggregates[thing.aggregate],
        aggregate_id=thing.id,
        # Those told last first: what is read in between has its opening still.
        command=RetractFacts(facts=tuple(reversed(thing.told.values()))),
        actor=IMPORTER,
        # Whoever comes to rest on it meanwhile was not looked at.
        expected=thing.last,
        imported=True,
        correlation_id=run,
    )
