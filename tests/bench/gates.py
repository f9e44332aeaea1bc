"""The section of gates: what the process of a deal adds to a command on it.

It is this build alone, in this process. What is decided is pure, and is timed in memory; the same command on deals of a
process without rules and on those of one with many goes through the real executor to PostgreSQL, without HTTP, one by
one in turn, so that a machine that slows down slows both.
"""

import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from deploy.local import postgres
from deploy.local.home import Home
from deploy.local.ports import free_port
from services.deals.app import SERVICE
from services.deals.domain.deal import deal
from services.deals.domain.deal.approval import PendingApprovals
from services.deals.domain.deal.automation import goes_on
from services.deals.domain.deal.changes import NoteFacts
from services.deals.domain.deal.opening import OpenNewDeal
from services.deals.domain.deal.stages import MoveDeal
from services.deals.domain.deal.state import OpenDeal
from services.deals.domain.deal.work import LogActivity
from services.deals.domain.exchange_rate import Conversion
from services.deals.domain.process import process
from services.deals.domain.process.publishing import PublishProcess
from services.deals.domain.process.state import Process
from services.deals.domain.process.writing import criterion, done
from shared.commands.executor import CommandExecutor
from shared.commands.request import CommandRequest
from shared.domain.context import Actor, Company, Context
from shared.domain.rejection import Rejected
from shared.domain.roles import Role
from shared.events.criteria import FactValue, Predicate
from shared.events.money import Money
from shared.events.process import FactDefinition, ProcessDefinition, Stage, StageRule
from shared.eventstore.migrate import migrate
from shared.ops.ids import new_id
from shared.ops.settings import Settings
from shared.service.runtime import commands_alone
from tests.bench.builds import THIS
from tests.bench.figures import Decided, Measured
from tests.bench.machine import machine

MANY_CRITERIA, MANY_RULES = 20, 10
DEALS = 100
"""So many deals follow each process, one command after the other."""
COMMANDS, DECISIONS, WARM_UP = 1_500, 5_000, 200
DIRECTOR = Actor(subject="director", roles=frozenset({Role.SALES_DIRECTOR}), member=UUID(int=7))
DAY = datetime(2026, 3, 16, 10, 0, tzinfo=UTC)
OPERATIONS = Actor(subject="operations", roles=frozenset({Role.SALES_OPERATIONS}))


async def pass_gates(into: Measured) -> None:
    """Decide at gates, and give commands on deals that stand before them, on a server of its own."""
    load = os.getloadavg()[0]
    with ExitStack() as ending:
        home = Home(Path(ending.enter_context(TemporaryDirectory(prefix="throughline-bench-"))))
        for folder in (home.logs, home.records):
            folder.mkdir()
        place = postgres.PostgresPlace(home, free_port(set()))
        server = await postgres.launch(place)
        ending.callback(server.process.wait)
        ending.callback(server.process.send_signal, signal.SIGINT)
        await migrate(place.url)
        into.gates += await on_gates(place.url)
        into.about = into.about or await machine(place.url, load)


async def on_gates(
    url: str, *, deals: int = DEALS, commands: int = COMMANDS, decisions: int = DECISIONS, warm_up: int = WARM_UP
) -> list[Decided]:
    """Both halves of the section on a migrated database; of a kind, what is asked of little stands first."""
    settings = Settings(service="deals", database_url=url, claim_secret="c" * 32)
    async with commands_alone(SERVICE, settings) as executor:
        followed = [await _published(executor, definition) for definition in (plain(), demanding())]
        opened = [[await _opened(executor, each) for _ in range(deals)] for each in followed]
        unknown = await _opened(executor, followed[1], known=False)
        before = [(each, each.definition.name, of[0]) for each, of in zip(followed, opened, strict=True)]
        before.append((followed[1], f"{followed[1].definition.name}, nearly nothing met", unknown))
        states = [(each, name, (await executor.state(deal, deal_id)).state) for each, name, deal_id in before]
        decided = _decided(states, decisions, warm_up)
        return [*decided, *await _logged(executor, list(zip(followed, opened, strict=True)), commands, warm_up)]


def plain() -> ProcessDefinition:
    """A process of two stages that asks for nothing and does nothing by itself."""
    return ProcessDefinition(key="plain", name="Without gates and rules", stages=(_stage("first"), _stage("last")))


def demanding(criteria: int = MANY_CRITERIA, rules: int = MANY_RULES) -> ProcessDefinition:
    """The same with a gate of many criteria behind its first stage, and many rules that wait there for a fact."""
    keys = [f"fact_{number}" for number in range(criteria)]
    gate = tuple(done(key.replace("_", "-"), key, key) for key in keys[:-1])
    last = criterion("amount-known", "The amount is known", "amount", "above", 0)
    waiting = tuple(
        StageRule(
            key=f"rule-{number}",
            name=f"Rule {number}",
            on="fact",
            when=Predicate(fact=keys[number % criteria], operator="is", value=False),
            notify=("owner",),
        )
        for number in range(rules)
    )
    return ProcessDefinition(
        key="demanding",
        name=f"A gate of {criteria} criteria, {rules} rules",
        stages=(replace(_stage("first"), exit=(*gate, last), rules=waiting), _stage("last")),
        facts=tuple(FactDefinition(key=key, name=key, kind="yes-no") for key in keys),
    )


def _stage(key: str) -> Stage:
    return Stage(key=key, name=key, purpose="To be passed.", probability=Decimal("0.5"), category="pipeline")


async def _published(executor: CommandExecutor, definition: ProcessDefinition) -> Process:
    process_id = new_id()
    await executor.execute(CommandRequest(process, process_id, PublishProcess(definition=definition), OPERATIONS))
    return Process(id=process_id, version=1, definition=definition)


async def _opened(executor: CommandExecutor, followed: Process, *, known: bool = True) -> UUID:
    """A deal that is before the gate of its process, and lacks nothing where what that asks for is known."""
    deal_id, amount = new_id(), Money(amount=Decimal(1000), currency="EUR")
    opening = OpenNewDeal(name="Press line", amount=amount, process_id=followed.id)
    await executor.execute(CommandRequest(deal, deal_id, opening, DIRECTOR))
    facts: dict[str, FactValue] = {fact.key: True for fact in followed.definition.facts}
    if known and facts:
        await executor.execute(CommandRequest(deal, deal_id, NoteFacts(facts=facts), DIRECTOR))
    return deal_id


def _decided(before: Sequence[tuple[Process, str, OpenDeal]], number: int, warm_up: int) -> list[Decided]:
    """How long it takes to decide a move through the gate, refused with every reason or not, and what follows at once
    from how a deal stands."""
    company = Company()
    conversion = Conversion(currency=company.currency, factors={})

    def moves(followed: Process, state: OpenDeal, context: Context) -> Any:
        with suppress(Rejected):
            return deal.decide(state, MoveDeal(stage="last"), context, {"process": followed, "conversion": conversion})

    def follows(followed: Process, state: OpenDeal, context: Context) -> Any:
        return goes_on(state, context, followed, conversion, PendingApprovals())

    steps: list[tuple[str, Callable[[Process, OpenDeal, Context], Any]]] = [
        ("deciding a move", moves),
        ("deciding what follows at once", follows),
    ]
    found = []
    for what, step in steps:
        times: list[list[float]] = [[] for _ in before]
        for turn in range(warm_up + number):
            for place, (followed, _, state) in enumerate(before):
                context = Context(command_id=new_id(), aggregate_id=state.id, now=DAY, actor=DIRECTOR, company=company)
                began = time.perf_counter()
                step(followed, state, context)
                if turn >= warm_up:
                    times[place].append(time.perf_counter() - began)
        found += [_of(what, name, own) for (_, name, _), own in zip(before, times, strict=True)]
    return found


async def _logged(
    executor: CommandExecutor, before: Sequence[tuple[Process, Sequence[UUID]]], number: int, warm_up: int
) -> list[Decided]:
    """How long `log-activity` takes on deals of each process, in turn."""
    times: list[list[float]] = [[] for _ in before]
    for turn in range(warm_up + number):
        for place, (_, opened) in enumerate(before):
            request = CommandRequest(deal, opened[turn % len(opened)], LogActivity(kind="call", minutes=5), DIRECTOR)
            began = time.perf_counter()
            await executor.execute(request)
            if turn >= warm_up:
                times[place].append(time.perf_counter() - began)
    named = [followed.definition.name for followed, _ in before]
    return [_of("log-activity, recorded", name, own) for name, own in zip(named, times, strict=True)]


def _of(what: str, name: str, times: Sequence[float]) -> Decided:
    return Decided(build=THIS.label, what=what, process=name, times=times)
