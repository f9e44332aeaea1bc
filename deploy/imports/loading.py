"""From facts to events: the services take facts in as they happened, many commands to a transaction (DATA-5).

All lines are read first, and put in an order in which each finds what it rests on. Account is kept of every fact: one
that was taken in before records nothing, whatever came after it, so that an import which broke off is resumed by
running it again.
"""

import asyncio
import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from deploy.imports.doers import subjects_of
from deploy.imports.facts import BY, FactPlace, Line, Named, NotAFact, Taken, Unreadable, read_fact
from deploy.imports.kinds import THINGS
from deploy.imports.ordering import Spool, Stranded
from deploy.imports.runs import RecordedFact, connected, desk, runs_of, turn
from shared.commands.executor import CommandExecutor
from shared.commands.request import CommandRequest, CommandResult, Refused
from shared.domain.context import service_actor
from shared.domain.imports import FactKind, Ids
from shared.domain.rejection import SAYS_OTHERWISE, Rejected
from shared.events.chronology import ORDER_OF_DAY, Rank, Told
from shared.events.money import Money
from shared.eventstore.append import Idempotency
from shared.ops.ids import new_id
from shared.ops.settings import Settings

IMPORTER = service_actor("import")
OPERATION = "import"
"""Under which account is kept of what came in."""
BATCH = 1000
"""Facts with which the services are asked at a time; their transactions are far smaller."""

Item = TypeVar("Item")

Keys = frozenset[tuple[str, str]]
"""Kinds of keys, and the keys in their normal form."""
NO_KEYS: Keys = frozenset()

Understood = tuple[FactPlace, Mapping[str, Any], Taken]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A fact that was not taken in: where it stands, why, and the fact itself."""

    place: FactPlace
    reason: str
    fact: Mapping[str, Any]
    rule: str | None = None
    """The fields and the rules, without what the fact says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A fact that came in without something that it says: where it stands, and what is missing."""

    place: FactPlace
    without: str


@dataclass(slots=True, kw_only=True)
class Summary:
    """What came of an import: facts by kind, what had to be assumed, and what was refused; of that, `otherwise` counts
    facts that are known already and say something else. Of what was recorded, `corrected` counts facts that take the
    place of what was told of them before."""

    run: UUID
    """The correlation id of all events of the import; it may be undone by that."""
    earlier: set[UUID] = field(default_factory=set)
    """The runs with which the facts came in that are known already."""
    recorded: Counter[str] = field(default_factory=Counter)
    corrected: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    otherwise: Counter[str] = field(default_factory=Counter)
    assumptions: Counter[str] = field(default_factory=Counter)
    rejections: list[Rejection] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    currencies: set[str] = field(default_factory=set)
    """Those of the amounts that came in, or were there."""

    def refuse(self, refused: Iterable[Stranded]) -> None:
        """Note lines that are not taken in."""
        self.rejections += [Rejection(place=each.place, reason=each.reason, fact=each.fact) for each in refused]

    @property
    def read(self) -> int:
        """How many facts were read."""
        return self.recorded.total() + self.known.total() + len(self.rejections)


async def load(
    read: Callable[[], Iterable[Line]],
    ids: Ids,
    settings: Mapping[str, Settings],
    say: Callable[[Summary], None],
    *,
    run: UUID | None = None,
    dry_run: bool = False,
) -> Summary:
    """Take facts in, as a run of this id or a new one. `read` gives them, in any order. `settings` are those of the
    services that decide; `say` is told after every batch. A dry run says what would come in, and writes nothing; it
    takes its turn as well, for what an undo takes back meanwhile would be found and then gone."""
    summary = Summary(run=run or new_id())
    company = next(iter(settings.values())).company
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(turn(settings, alone=False))
        desks = {name: await stack.enter_async_context(desk(name, own, dry_run)) for name, own in settings.items()}
        logs = {name: await stack.enter_async_context(connected(own)) for name, own in settings.items()}
        told_at = max(commands.now() for commands in desks.values())
        spool = stack.enter_context(Spool(company))
        for place, line, taken in _understood(read(), ids, summary):
            spool.add(place, line, taken)
        summary.refuse(spool.contradictions())
        summary.refuse(spool.arrange())
        summary.assumptions.update({f"{about}: {ORDER_OF_DAY}": count for about, count in spool.unordered().items()})
        there: dict[UUID, Keys] = {}
        told_of: dict[UUID, FactKind] = {}
        for batch in _batches(spool.ordered()):
            understood = [(place, line, read_fact(line, ids)) for place, line in batch]
            there |= await _found(understood, there, desks)
            told_of |= {taken.aggregate_id: taken.kind for *_, taken in understood if taken.kind.afterwards}
            for wave in waves(understood, there):
                known = await _inherited(list(_without_strangers(wave, there, summary)), desks)
                doers = await subjects_of((taken for *_, taken in known), desks)
                tasks = {}
                async with asyncio.TaskGroup() as group:
                    for name, commands in desks.items():
                        own = [one for one in known if one[2].kind.service == name]
                        tasks[name] = group.create_task(_take_in(commands, own, doers, told_at, there, summary))
                for name, task in tasks.items():
                    summary.earlier |= await runs_of(task.result(), logs[name])
            say(summary)
        if not dry_run:
            await _afterwards(desks, told_of, summary.run)
    for told in (summary.rejections, summary.notes):
        told.sort(key=lambda each: (each.place.file, each.place.line))
    return summary


async def _afterwards(desks: Mapping[str, CommandExecutor], told_of: Mapping[UUID, FactKind], run: UUID) -> None:
    """Give the aggregates of which facts were told the command that comes after all of them, like that money is
    allocated as it happened."""
    for some in _batches(told_of.items()):
        for name, commands in desks.items():
            await commands.execute_many(
                [
                    CommandRequest(
                        aggregate=commands.aggregates[kind.aggregate],
                        aggregate_id=aggregate_id,
                        command=kind.afterwards,
                        actor=IMPORTER,
                        imported=True,
                        correlation_id=run,
                    )
                    for aggregate_id, kind in some
                    if kind.service == name
                ]
            )


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    rest = iter(items)
    while batch := list(itertools.islice(rest, BATCH)):
        yield batch


def _understood(lines: Iterable[Line], ids: Ids, summary: Summary) -> Iterator[Understood]:
    for place, line in lines:
        if isinstance(line, Unreadable):
            summary.rejections.append(Rejection(place=place, reason=line.reason, fact=line.content))
            continue
        try:
            taken = read_fact(line, ids)
        except NotAFact as error:
            summary.rejections.append(Rejection(place=place, reason=str(error), fact=line))
            continue
        yield place, line, taken


def waves(facts: Sequence[Understood], there: Mapping[UUID, Keys]) -> list[list[Understood]]:
    """Facts that are taken in side by side, one wave after the other: those of one thing in their order, what names
    another thing after it, what somebody did after who they are, and what takes or frees one key (an address, a domain)
    one by one. `there` says which keys belong to what came before."""
    found: list[list[Understood]] = []
    lasts: dict[UUID, int] = {}
    brought: dict[UUID, int] = {}
    keyed: dict[tuple[str, str], tuple[int, UUID]] = {}
    own: dict[UUID, Keys] = {}
    for fact in facts:
        taken = fact[2]
        thing = taken.aggregate_id
        keys = told = keys_of(taken)
        if taken.kind.rank is Rank.END or taken.kind.keys:  # what it held before may be let go of
            keys |= own.get(thing) or there.get(thing, NO_KEYS)
        others = (each.id for each in taken.names if each.id != thing or each.field == BY)
        named = [brought[each] + 1 for each in others if each in brought]
        after = [last + (by != thing) for last, by in (keyed[key] for key in keys & keyed.keys())]
        wave = max([lasts.get(thing, 0), *named, *after])
        lasts[thing] = wave
        if taken.brings:
            brought[taken.brings], own[taken.brings] = wave, told
        keyed |= dict.fromkeys(keys, (wave, thing))
        found += [[] for _ in range(wave + 1 - len(found))]
        found[wave].append(fact)
    return found


async def _found(
    facts: Sequence[Understood], there: Mapping[UUID, Keys], desks: Mapping[str, CommandExecutor]
) -> dict[UUID, Keys]:
    """Of what these facts name or are about, what was there before this import, with the keys that it holds."""
    unseen = {each.id: each.about for _, _, taken in facts for each in _things(taken)}
    unseen |= {taken.brings: taken.kind.about for _, _, taken in facts if taken.brings}
    unseen = {each: about for each, about in unseen.items() if each not in there}
    found: dict[UUID, Keys] = {}
    for about in set(unseen.values()):
        commands = desks[THINGS[about].service]
        aggregate = commands.aggregates[THINGS[about].aggregate]
        wanted = [each for each, kind in unseen.items() if kind == about]
        for each, held in (await commands.states(aggregate, wanted)).items():
            if not isinstance(held.state, aggregate.start):
                claims = aggregate.claims_of(held.state)
                found[each] = frozenset((claim.kind, claim.key) for claim in claims)
    return found


def _without_strangers(
    facts: Sequence[Understood], there: Mapping[UUID, Keys], summary: Summary
) -> Iterator[Understood]:
    """The facts that name only what is there by now: what was refused brings nothing into being for others."""
    coming: set[UUID] = set()
    for place, line, taken in facts:
        if strangers := [each for each in _things(taken) if each.id not in there and each.id not in coming]:
            reason = "; ".join(map(_unknown, strangers))
            summary.rejections.append(Rejection(place=place, reason=reason, fact=line))
        else:
            coming |= {taken.brings} if taken.brings else set()
            yield place, line, taken


async def _inherited(facts: list[Understood], desks: Mapping[str, CommandExecutor]) -> list[Understood]:
    """The facts, with fields that they do not say from the things that they name: a deal that came from a lead began
    when that was captured (DEAL-1)."""
    named = {each.id: each.about for *_, taken in facts for _, each in _unsaid(taken)}
    states: dict[UUID, Any] = {}
    for about in set(named.values()):
        commands = desks[THINGS[about].service]
        wanted = [each for each, kind in named.items() if kind == about]
        held = await commands.states(commands.aggregates[THINGS[about].aggregate], wanted)
        states |= {each: found.state for each, found in held.items()}
    return [(place, line, _completed(taken, states)) for place, line, taken in facts]


def _unsaid(taken: Taken) -> Iterator[tuple[str, Named]]:
    """The fields that a line leaves to what it names."""
    for field_name, said in taken.kind.inherits.items():
        if getattr(taken.command, field_name) is None:
            yield from ((field_name, each) for each in taken.names if each.field == said)


def _completed(taken: Taken, states: Mapping[UUID, Any]) -> Taken:
    found = {field_name: getattr(states[named.id], field_name, None) for field_name, named in _unsaid(taken)}
    return replace(taken, command=replace(taken.command, **found)) if found else taken


def _things(taken: Taken) -> list[Named]:
    return [each for each in taken.names if each.about in THINGS]


def keys_of(taken: Taken) -> Keys:
    """The keys by which services know things again, of which only one may hold each."""
    told = taken.kind.keys(taken.command) if taken.kind.keys else ()
    return frozenset((kind, key) for kind, key in told if key)


def _unknown(named: Named) -> str:
    return f"{named.field}: there is no {named.about} {named.outside!r}"


async def _take_in(  # noqa: PLR0917
    commands: CommandExecutor,
    facts: Sequence[Understood],
    doers: Mapping[UUID, str],
    told_at: datetime,
    there: dict[UUID, Keys],
    summary: Summary,
) -> list[RecordedFact]:
    """Have a service take its facts in; where those stand in its log that it knew."""
    requests = [
        CommandRequest(
            aggregate=commands.aggregates[taken.kind.aggregate],
            aggregate_id=taken.aggregate_id,
            command=taken.command,
            actor=IMPORTER,
            idempotency=_account(line, taken),
            imported=True,
            correlation_id=summary.run,
            told=Told(name=taken.name, rank=taken.kind.rank, at=told_at),
            by=doers[taken.by] if taken.by else None,
        )
        for _, line, taken in facts
    ]
    before: list[RecordedFact] = []
    answers = await commands.execute_many(requests)
    for (place, line, taken), answer in zip(facts, answers, strict=True):
        kind = str(line["fact"])
        if isinstance(answer, CommandResult):
            (summary.recorded if answer.events else summary.known)[kind] += 1
            before += [(answer.position, taken.name)] if answer.replayed else []
            summary.corrected[kind] += answer.corrects
            summary.currencies |= currencies_of(taken.command)
            summary.notes += [Note(place=place, without=each) for each in left_out(taken.command, answer.events)]
            if taken.brings:
                there[taken.brings] = keys_of(taken)
            assumed = taken.kind.assumed(answer.events) if taken.kind.assumed else ()
            told = (*getattr(taken.command, "assumptions", ()), *assumed)
            summary.assumptions.update(f"{kind}: {each}" for each in told)
        else:
            rejection = Rejection(place=place, reason=_why(answer, kind), fact=line, rule=_rule(answer))
            summary.rejections.append(rejection)
            summary.otherwise[kind] += isinstance(answer, Rejected) and answer.code == SAYS_OTHERWISE
    return before


def currencies_of(command: Any) -> set[str]:
    """The currencies of the amounts that a fact says."""
    said = [getattr(command, each.name) for each in fields(command)]
    return {each.currency for each in said if isinstance(each, Money)}


def left_out(command: Any, events: Sequence[Any]) -> list[str]:
    """What a fact says of how to reach somebody, and what came of it does not: it cannot be read, or the person was
    erased."""
    said = [name for name in ("email", "phone", "country", "domain", "company_domain") if getattr(command, name, None)]
    telling = [event for event in events if any(hasattr(event, name) for name in said)]
    return [name for name in said if telling and all(getattr(event, name, None) is None for event in telling)]


def _account(line: Mapping[str, Any], taken: Taken) -> Idempotency:
    """By what a fact is known again: what it is about and its name; and every word that was told of it last."""
    said = hashlib.sha256(json.dumps(line, sort_keys=True, default=str).encode()).digest()
    return Idempotency(
        principal=IMPORTER.subject,
        operation=OPERATION,
        key=account_key(taken.aggregate_id, taken.name),
        request_hash=said,
        latest=True,
    )


def account_key(aggregate_id: UUID, name: str) -> str:
    """Under which key account is kept of a fact."""
    return f"{aggregate_id}/{name}"


QUOTE = "' "
"""Ends the name of a command in the words of a refusal."""


def _why(refusal: Rejected | Refused, kind: str) -> str:
    if isinstance(refusal, Rejected) and refusal.code == "not-in-this-state":
        # Whoever writes lines knows the kind, and not the command that takes it in.
        return f"{kind!r} {refusal.message.partition(QUOTE)[2]}"
    if isinstance(refusal, Rejected) and refusal.reasons:
        return "; ".join(f"{each.field}: {each.message}" if each.field else each.message for each in refusal.reasons)
    return str(refusal)


def _rule(refusal: Rejected | Refused) -> str:
    if not isinstance(refusal, Rejected):
        return type(refusal).__name__
    return ", ".join(f"{each.field}: {each.code}" if each.field else each.code for each in refusal.reasons)
