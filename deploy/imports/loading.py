"""From facts to events: each service takes in its facts in order, many commands to a transaction (DATA-5).

Account is kept of every fact: one that was taken in before records nothing, whatever came after it, so that an import
which broke off is resumed by running it again.
"""

import asyncio
import hashlib
import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any
from uuid import UUID

from deploy.imports.facts import THINGS, FactPlace, Ids, Line, Named, NotAFact, Taken, Unreadable, brought, read_fact
from shared.domain.context import service_actor
from shared.domain.rejection import Rejected
from shared.ops.settings import Settings
from shared.store.append import Idempotency
from shared.store.commands import Commands
from shared.store.errors import Refused
from shared.store.request import Request, Result
from shared.web.composition import commands_alone

IMPORTER = service_actor("import")
BATCH = 1000
"""Facts read before the services are asked; their transactions are far smaller."""

Understood = tuple[FactPlace, Mapping[str, Any], Taken]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A fact that was not taken in: where it stands, why, and the fact itself."""

    place: FactPlace
    reason: str
    fact: Mapping[str, Any]


@dataclass(slots=True, kw_only=True)
class Summary:
    """What came of an import: facts by kind, what had to be assumed, and what was refused."""

    recorded: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    assumptions: Counter[str] = field(default_factory=Counter)
    rejections: list[Rejection] = field(default_factory=list)

    @property
    def read(self) -> int:
        """How many facts were read."""
        return self.recorded.total() + self.known.total() + len(self.rejections)


async def load(
    read: Callable[[], Iterable[Line]], ids: Ids, settings: Mapping[str, Settings], say: Callable[[Summary], None]
) -> Summary:
    """Take facts in. `read` gives them from the first one on: once to see what comes, once to take it in. `settings`
    are those of the services that decide; `say` is told after every batch."""
    summary = Summary()
    async with AsyncExitStack() as stack:
        desks = {name: await stack.enter_async_context(_desk(name, own)) for name, own in settings.items()}
        currency = next(iter(settings.values())).company.currency
        there = brought(read(), ids)
        for batch in _batches(read()):
            understood = list(_understood(batch, ids, currency, summary))
            taken = await _without_strangers(understood, there, desks, summary)
            async with asyncio.TaskGroup() as group:
                for name, commands in desks.items():
                    group.create_task(
                        _take_in(commands, [one for one in taken if one[2].kind.service == name], summary)
                    )
            say(summary)
    return summary


def _batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    rest = iter(lines)
    while batch := list(itertools.islice(rest, BATCH)):
        yield batch


def _understood(batch: Iterable[Line], ids: Ids, currency: str, summary: Summary) -> Iterator[Understood]:
    for place, line in batch:
        if isinstance(line, Unreadable):
            summary.rejections.append(Rejection(place=place, reason=line.reason, fact=line.content))
            continue
        try:
            taken = read_fact(line, ids, currency)
        except NotAFact as error:
            summary.rejections.append(Rejection(place=place, reason=str(error), fact=line))
            continue
        yield place, line, taken


async def _without_strangers(
    facts: Sequence[Understood], there: set[UUID], desks: Mapping[str, Commands], summary: Summary
) -> list[Understood]:
    """The facts that name only what comes with this import or was there before; that is added to `there`."""
    named = {each.id: each for _, _, taken in facts for each in taken.names if each.about in THINGS}
    unseen = [each for each in named.values() if each.id not in there]
    for about in {each.about for each in unseen}:
        kind = THINGS[about]
        found = await desks[kind.service].states(kind.aggregate, [each.id for each in unseen if each.about == about])
        there |= {found_id for found_id, held in found.items() if held.sequence}
    kept = []
    for place, line, taken in facts:
        if strangers := [each for each in taken.names if each.about in THINGS and each.id not in there]:
            reason = "; ".join(map(_unknown, strangers))
            summary.rejections.append(Rejection(place=place, reason=reason, fact=line))
        else:
            kept.append((place, line, taken))
    return kept


def _unknown(named: Named) -> str:
    return f"{named.field}: there is no {named.about} {named.outside!r}"


async def _take_in(commands: Commands, facts: Sequence[Understood], summary: Summary) -> None:
    requests = [
        Request(
            aggregate=taken.kind.aggregate,
            aggregate_id=taken.aggregate_id,
            command=taken.command,
            actor=IMPORTER,
            idempotency=_account(line, taken),
            imported=True,
        )
        for _, line, taken in facts
    ]
    answers = await commands.execute_many(requests)
    for (place, line, taken), answer in zip(facts, answers, strict=True):
        kind = str(line["fact"])
        if isinstance(answer, Result):
            (summary.recorded if answer.events else summary.known)[kind] += 1
            summary.assumptions.update(f"{kind}: {each}" for each in getattr(taken.command, "assumptions", ()))
        else:
            summary.rejections.append(Rejection(place=place, reason=_why(answer), fact=line))


def _account(line: Mapping[str, Any], taken: Taken) -> Idempotency:
    """By what a fact is known again: what it is about, and every word of it."""
    said = hashlib.sha256(json.dumps(line, sort_keys=True, default=str).encode()).digest()
    return Idempotency(
        principal=IMPORTER.subject, operation="import", key=f"{taken.aggregate_id}/{said.hex()}", request_hash=said
    )


def _why(refusal: Rejected | Refused) -> str:
    if isinstance(refusal, Rejected) and refusal.reasons:
        return "; ".join(f"{each.field}: {each.message}" if each.field else each.message for each in refusal.reasons)
    return str(refusal)


@asynccontextmanager
async def _desk(name: str, settings: Settings) -> AsyncIterator[Commands]:
    """The commands of a service, without its web side and its workers."""
    service = import_module(f"services.{name}.app").SERVICE
    async with commands_alone(service, settings) as commands:
        yield commands
