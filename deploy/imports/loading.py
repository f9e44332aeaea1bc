"""From facts to events: each service takes in its facts in order, many commands to a transaction (DATA-5).

A fact that was taken in before records nothing, so that an import which broke off is resumed by running it again.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from deploy.imports.facts import Ids, NotAFact, Taken, read_fact
from shared.domain.context import Actor
from shared.domain.rejection import Rejected
from shared.domain.roles import Role
from shared.ops.settings import Settings
from shared.store.commands import Commands
from shared.store.errors import Refused
from shared.store.request import Request, Result
from shared.web.composition import commands_alone

IMPORTER = Actor(subject="service:import", roles=frozenset({Role.SERVICE}))
BATCH = 1000
"""Facts read before the services are asked; their transactions are far smaller."""

Line = tuple[int, Mapping[str, Any]]
"""Where a fact stands, and the fact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A fact that was not taken in: where it stands, why, and the fact itself."""

    line: int
    reason: str
    fact: Mapping[str, Any]


@dataclass(slots=True, kw_only=True)
class Summary:
    """What came of an import: facts by kind, what had to be assumed, and what was refused."""

    recorded: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    assumptions: Counter[str] = field(default_factory=Counter)
    rejections: list[Rejection] = field(default_factory=list)
    positions: dict[str, int] = field(default_factory=dict)
    """The position of the last event recorded, by service."""

    @property
    def read(self) -> int:
        """How many facts were read."""
        return self.recorded.total() + self.known.total() + len(self.rejections)


async def load(
    lines: Iterable[Line], ids: Ids, settings: Mapping[str, Settings], say: Callable[[Summary], None]
) -> Summary:
    """Take facts in. `settings` are those of the services that decide; `say` is told after every batch."""
    summary = Summary()
    async with AsyncExitStack() as stack:
        desks = {name: await stack.enter_async_context(_desk(name, own)) for name, own in settings.items()}
        currency = next(iter(settings.values())).company.currency
        for batch in _batches(lines):
            taken = list(_understood(batch, ids, currency, summary))
            async with asyncio.TaskGroup() as group:
                for name, commands in desks.items():
                    ours = [(line, one) for line, one in taken if one.kind.service == name]
                    group.create_task(_take_in(name, commands, ours, summary))
            say(summary)
    return summary


def _batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    rest = iter(lines)
    while batch := list(itertools.islice(rest, BATCH)):
        yield batch


def _understood(batch: Iterable[Line], ids: Ids, currency: str, summary: Summary) -> Iterator[tuple[Line, Taken]]:
    for number, line in batch:
        try:
            taken = read_fact(line, ids, currency)
        except NotAFact as error:
            summary.rejections.append(Rejection(line=number, reason=str(error), fact=line))
            continue
        yield (number, line), taken


async def _take_in(name: str, commands: Commands, facts: list[tuple[Line, Taken]], summary: Summary) -> None:
    requests = [
        Request(
            aggregate=taken.kind.aggregate,
            aggregate_id=taken.aggregate_id,
            command=taken.command,
            actor=IMPORTER,
            imported=True,
        )
        for _, taken in facts
    ]
    answers = await commands.execute_many(requests)
    for ((number, line), taken), answer in zip(facts, answers, strict=True):
        kind = str(line["fact"])
        if isinstance(answer, Result):
            (summary.recorded if answer.events else summary.known)[kind] += 1
            summary.positions[name] = max(summary.positions.get(name, 0), answer.position if answer.events else 0)
            summary.assumptions.update(f"{kind}: {each}" for each in getattr(taken.command, "assumptions", ()))
        else:
            summary.rejections.append(Rejection(line=number, reason=_why(answer), fact=line))


def _why(refusal: Rejected | Refused) -> str:
    if isinstance(refusal, Rejected):
        said = [reason.message for reason in refusal.reasons]
        return "; ".join([refusal.message, *(each for each in said if each != refusal.message)])
    return str(refusal)


@asynccontextmanager
async def _desk(name: str, settings: Settings) -> AsyncIterator[Commands]:
    """The commands of a service, without its web side and its workers."""
    service = import_module(f"services.{name}.app").SERVICE
    async with commands_alone(service, settings) as commands:
        yield commands
