"""Undo: what an import brought in is retracted by further facts, as far as nothing rests on it yet (DATA-5).

Something rests on a thing when anything was recorded about it, or names it, since the import told of it, and is no part
of that import, or cannot be retracted itself. So a thing is retracted with all that the import told of it, or stays
with all of it; what a staying thing names stays too. Contracts, invoices and receipts always stay: the books are
corrected by entries of their own.
"""

import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import asyncpg

from deploy.imports.loading import IMPORTER, OPERATION, account_key
from deploy.imports.ordering import circular
from deploy.imports.runs import desk, turn
from shared.commands.executor import CommandExecutor
from shared.commands.request import CommandRequest, CommandResult, Refused
from shared.domain.context import service_actor
from shared.domain.rejection import Rejected
from shared.domain.retraction import RetractFacts
from shared.events.registry import SERVICES, registry_of, type_of
from shared.eventstore.personal_data import forget_retracted
from shared.eventstore.pool import create_pool
from shared.ops.ids import new_id
from shared.ops.settings import Settings

REACTING = [service_actor(name).subject for name in SERVICES]
"""Who records by itself what follows from events, with the correlation id of those."""
RETRACTIONS = [type_of(each) for each in registry_of().classes if each.retracts]  # type: ignore[attr-defined]
UUIDS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
AT_ONCE = 1_000
"""Things with which the services are asked at a time, and events that are read at a time."""
OVERLAP = timedelta(seconds=60)
"""So long an event may take from when it was recorded until it is seen."""
STATEMENT_SECONDS = 600
"""The logs are read whole, and have no index for it."""

# Whoever asks over HTTP chooses the correlation id, and what follows from an import has that of the import: what is
# imported and no service did is one's run.
TOLD = """
select aggregate, aggregate_id, sequence, causation_id, fact, recorded_at,
       case aggregate when 'account' then data ->> 'contact_id' when 'member' then data ->> 'subject' end as part
  from event
 where correlation_id = $1 and imported and actor <> all($3::text[]) and type <> all($2::text[]) order by position
"""
RETRACTED = "select aggregate_id, (data ->> 'request')::uuid as request from event where type = any($1::text[])"
SINCE = """
select aggregate_id, sequence, correlation_id = $3 and imported and actor <> all($4::text[]) as is_of_run,
       causation_id, type, actor, data::text as data
  from event where recorded_at >= $1 and type <> all($2::text[])
"""
HEADS = "select aggregate_id, sequence from stream_head where aggregate_id = any($1::uuid[])"
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
    requests: dict[UUID, None] = field(default_factory=dict)
    """The requests that told of it, in their order."""
    facts: set[str] = field(default_factory=set)
    """By what its facts are known again."""
    parts: set[str] = field(default_factory=set)
    """What else names it: the ids of an account's contacts, the subjects of a member, who is an actor by them."""
    head: int = 0
    """The sequence of the last event of the thing, whosever."""


class Mention(NamedTuple):
    """An event that stands: what it is about, and which things of a run it names."""

    thing: UUID
    sequence: int
    is_of_run: bool
    type: str
    names: frozenset[UUID]


Names = Mapping[UUID, set[UUID]]
"""Which things of a run each of them names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A thing that is not retracted, and why."""

    aggregate: str
    id: UUID
    reason: str


@dataclass(slots=True, kw_only=True)
class Undone:
    """What came of it: things by kind, and those that stay."""

    retracted: Counter[str] = field(default_factory=Counter)
    facts: int = 0
    before: int = 0
    """Facts of the run that had been retracted before."""
    kept: list[Kept] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoing:
    """A run, what it told, and what is worked with."""

    run: UUID
    things: Mapping[UUID, Thing]
    pools: Pools
    desks: Mapping[str, CommandExecutor]
    gone: Mapping[str, set[tuple[UUID, UUID]]]
    """What was retracted before, by service: things and requests."""
    dry_run: bool


async def undo(run: UUID, settings: Mapping[str, Settings], *, dry_run: bool = False) -> Undone:
    """Retract what a run told. A dry run says what would be retracted, and writes nothing. Running it again goes on
    where it broke off."""
    undone = Undone()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(turn(settings, alone=not dry_run))
        pools = {
            name: await stack.enter_async_context(
                await create_pool(own.database_url, name=f"{name}-undo", statement_seconds=STATEMENT_SECONDS)
            )
            for name, own in settings.items()
        }
        desks = {name: await stack.enter_async_context(desk(name, own, dry_run)) for name, own in settings.items()}
        gone = {name: await _retracted(pool) for name, pool in pools.items()}
        things = await _things(run, pools, gone, undone)
        undoing = Undoing(run=run, things=things, pools=pools, desks=desks, gone=gone, dry_run=dry_run)
        began = min((thing.since for thing in things.values()), default=None)
        since = [each async for each in _since(undoing, began)] if began else []
        names = named_by(since, things)
        stays = {each: "cannot be retracted" for each, thing in things.items() if not _is_retractable(thing, desks)}
        rest_on(stays, things, since, names)
        done = await _retract(undoing, names, stays)
        undone.retracted.update(things[each].aggregate for each in done)
        undone.facts = sum(len(things[each].requests) for each in done)
        undone.kept = [
            Kept(aggregate=things[each].aggregate, id=each, reason=why)
            for each, why in stays.items()
            if each not in done
        ]
        for pool in () if dry_run else pools.values():
            await forget_retracted(pool, run, RETRACTIONS)
    return undone


# -- what rests on what ----------------------------------------------------------------------------------------------


def named_by(since: Sequence[Mention], things: Mapping[UUID, Thing]) -> Names:
    """Which other things of a run each thing of it names, but for those that the same line told of."""
    names: dict[UUID, set[UUID]] = defaultdict(set)
    for each in since:
        if each.is_of_run:
            own = things[each.thing].requests.keys()
            names[each.thing] |= {name for name in each.names if not own & things[name].requests.keys()}
    return names


def rest_on(stays: dict[UUID, str], things: Mapping[UUID, Thing], since: Iterable[Mention], names: Names) -> None:
    """Let stay, too, what was worked on since the run, or is named, and all that rests on."""
    for each in since:
        if each.is_of_run:
            continue
        if each.thing in things and each.sequence > things[each.thing].first:
            stays.setdefault(each.thing, f"{each.type} was recorded about it since")
        for name in each.names:
            stays.setdefault(name, f"{each.type} names it")
    spread(stays, things, names)


def spread(stays: dict[UUID, str], things: Mapping[UUID, Thing], names: Names) -> None:
    """Let stay, too, what staying things name, and what the same line told of others."""
    told_with: dict[UUID, set[UUID]] = defaultdict(set)
    for thing in things.values():
        for request in thing.requests:
            told_with[request].add(thing.id)
    rest = list(stays)
    for thing_id in rest:  # grows meanwhile
        together = {other for request in things[thing_id].requests for other in told_with[request]}
        for other in (names.get(thing_id, set()) | together) - stays.keys():
            stays[other] = f"a staying {things[thing_id].aggregate} rests on it"
            rest.append(other)


def next_ones(left: Iterable[UUID], names: Names) -> list[UUID]:
    """The things that none of the others left names; where there are none, those that name each other in a circle."""
    rest = set(left)
    edges = [(namer, named) for namer in rest for named in names.get(namer, set()) & rest if namer != named]
    named = {each for _, each in edges}
    if rest - named:
        return [each for each in left if each not in named]
    numbers = {each: number for number, each in enumerate(rest)}
    circle = circular((numbers[namer], numbers[named]) for namer, named in edges)
    return [each for each in left if numbers[each] in circle]


# -- reading and writing ---------------------------------------------------------------------------------------------


async def _retracted(pool: asyncpg.Pool) -> set[tuple[UUID, UUID]]:
    return {(row["aggregate_id"], row["request"]) for row in await pool.fetch(RETRACTED, RETRACTIONS)}


async def _things(
    run: UUID, pools: Pools, gone: Mapping[str, set[tuple[UUID, UUID]]], undone: Undone
) -> dict[UUID, Thing]:
    """The things of which a run told something that stands, in the order in which it did."""
    things: dict[UUID, Thing] = {}
    before: set[UUID] = set()
    for service, pool in pools.items():
        for row in await pool.fetch(TOLD, run, RETRACTIONS, REACTING):
            about, request = row["aggregate_id"], row["causation_id"]
            if (about, request) in gone[service]:
                before.add(request)
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
            thing.requests[request] = None
            thing.facts |= {row["fact"]} if row["fact"] else set()
            thing.parts |= {row["part"]} if row["part"] else set()
        for row in await pool.fetch(HEADS, [each.id for each in things.values() if each.service == service]):
            things[row["aggregate_id"]].head = row["sequence"]
    undone.before = len(before)
    return things


async def _since(undoing: Undoing, began: datetime) -> AsyncIterator[Mention]:
    """All events that stand and were recorded since an instant, as far as they are about things of the run or name
    them."""
    things = undoing.things
    # As texts: each event has several ids, and hardly any is one of these.
    known = {part: thing.id for thing in things.values() for part in thing.parts}
    known |= {str(thing.id): thing.id for thing in things.values()}
    asked = (began, RETRACTIONS, undoing.run, REACTING)
    for service, pool in undoing.pools.items():
        async with pool.acquire() as connection, connection.transaction():
            async for row in connection.cursor(SINCE, *asked, prefetch=AT_ONCE):
                about = row["aggregate_id"]
                if (about, row["causation_id"]) in undoing.gone[service]:
                    continue
                texts = (*UUIDS.findall(row["data"]), row["actor"])
                named = frozenset(known[each] for each in texts if each in known) - {about}
                if named or about in things:
                    yield Mention(about, row["sequence"], row["is_of_run"], row["type"], named)


def _is_retractable(thing: Thing, desks: Mapping[str, CommandExecutor]) -> bool:
    return RetractFacts in desks[thing.service].aggregates[thing.aggregate].handlers


async def _retract(undoing: Undoing, names: Names, stays: dict[UUID, str]) -> set[UUID]:
    """Retract what does not stay, those first that name others: should one stay after all, what it names does too. What
    meets a key that another one still holds waits for that. Gives what was retracted."""
    run, things, done, waiting, progress = new_id(), undoing.things, set[UUID](), dict[UUID, str](), False
    left = [each for each in things if each not in stays]
    while left:
        chosen = [each for each in next_ones(left, names) if each not in waiting]
        if not chosen and not progress:
            stays |= waiting
        elif not chosen:
            chosen, waiting, progress = list(waiting), {}, False
        for some in _parts(chosen):
            await _look_again(undoing, names, stays)
            asked = [things[each] for each in some if each not in stays]
            await _forget_accounts(asked, undoing)
            for each, answer in (await _answers(asked, undoing.desks, run)).items():
                if isinstance(answer, CommandResult):
                    done.add(each)
                    progress = True
                elif isinstance(answer, Rejected):
                    waiting[each] = str(answer)
                else:
                    stays[each] = str(answer)
        spread(stays, things, names)
        left = [each for each in left if each not in stays and each not in done]
        waiting = {each: why for each, why in waiting.items() if each not in stays}
    return done


async def _look_again(undoing: Undoing, names: Names, stays: dict[UUID, str]) -> None:
    """Let stay what came to be rested on a moment ago."""
    now = max(commands.now() for commands in undoing.desks.values())
    began = min(thing.since for thing in undoing.things.values())
    meanwhile = [each async for each in _since(undoing, max(began, now - OVERLAP))]
    rest_on(stays, undoing.things, meanwhile, names)


async def _answers(
    things: Sequence[Thing], desks: Mapping[str, CommandExecutor], run: UUID
) -> dict[UUID, CommandResult | Rejected | Refused]:
    answers: dict[UUID, CommandResult | Rejected | Refused] = {}
    for service, commands in desks.items():
        own = [thing for thing in things if thing.service == service]
        requests = [_request(commands, thing, run) for thing in own]
        found = await commands.execute_many(requests)
        answers |= {thing.id: answer for thing, answer in zip(own, found, strict=True)}
    return answers


def _request(commands: CommandExecutor, thing: Thing, run: UUID) -> CommandRequest:
    return CommandRequest(
        aggregate=commands.aggregates[thing.aggregate],
        aggregate_id=thing.id,
        # Those told last first: what is read in between has its opening still.
        command=RetractFacts(requests=tuple(reversed(thing.requests))),
        actor=IMPORTER,
        # Whoever comes to rest on it meanwhile was not looked at.
        expected=thing.head,
        imported=True,
        correlation_id=run,
    )


async def _forget_accounts(things: Iterable[Thing], undoing: Undoing) -> None:
    """Forget that these facts came in, so that they do when they are told again. Before they are retracted: what stands
    without its account is told again to no harm, what is gone with it would never come in again."""
    keys: dict[str, list[str]] = defaultdict(list)
    for thing in things:
        keys[thing.service] += [account_key(thing.id, name) for name in thing.facts]
    for service, own in keys.items():
        if not undoing.dry_run:
            await undoing.pools[service].execute(FORGET, IMPORTER.subject, OPERATION, own)


def _parts(chosen: Sequence[UUID]) -> list[Sequence[UUID]]:
    return [chosen[start : start + AT_ONCE] for start in range(0, len(chosen), AT_ONCE)]
