"""Any command repeated on its own result records nothing, or is refused."""

from dataclasses import fields, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, get_args, get_origin, get_type_hints
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from services.deals.domain.deal import deal
from services.deals.domain.deal.approval import RenameApprovals
from services.deals.domain.deal.automation import MoveOn, Reevaluate, RunDueRules
from services.deals.domain.deal.corrections import Telling, Tellings
from services.deals.domain.deal.following import BringInLine
from services.deals.domain.deal.opening import LineWanted
from services.deals.domain.deal.reminding import RemindOfNextStep
from services.deals.domain.deal.state import NextStep
from services.deals.domain.process import process
from services.deals.domain.process.full import CUSTOM_SOLUTION
from services.deals.domain.process.piloting import Goal
from services.deals.domain.process.publishing import PlannedWave
from services.deals.domain.process.short import SHORT, SHORT_ID
from services.deals.domain.product import product
from services.deals.domain.product_listing import PriceRow
from services.deals.domain.target import target
from shared.domain.aggregate import Handler
from shared.domain.context import Moment
from shared.domain.retraction import RetractFacts
from shared.domain.roles import ONLY_SERVICES
from shared.events.approval_chain import ApprovalChain, ApprovalStep, Approver
from shared.events.criteria import Predicate
from shared.events.deals.deal import DealNextStepPlanned
from shared.events.deals.deal_gates import DealCriterionWaived
from shared.events.money import Money
from shared.events.process import ProcessDefinition, Stage
from shared.testing.scenario import CONTEXT, NOW, Scenario
from tests.services.deals.facts import (
    CHAMPION,
    ID,
    LOADED,
    OPENED_FRIDAY,
    OTHER,
    OWNER,
    PROCESS,
    SERVER,
    TALKED,
    TEAM,
    THE_DEAL,
    TODAY,
)

NEEDS_NOBODY = DealCriterionWaived(
    deal_id=ID, gate="exit of initial-contact", criterion="approved", until=TODAY, role="manager", on=TODAY
)
PLANNED = DealNextStepPlanned(deal_id=ID, on=TODAY + timedelta(days=9), planned_on=TODAY)
STAGES = tuple(stage.key for stage in SHORT.stages)
FLEXIBLE = CUSTOM_SOLUTION.key
NODES = [node.key for stage in SHORT.stages for node in (*stage.tasks, *stage.deliverables)]
HANDLERS: list[Handler] = [
    handler
    for aggregate in (process, product, target, deal)
    for command, group in aggregate.handlers.items()
    for handler in group
    if command is not RetractFacts  # names requests, of which a scenario knows none
]

TOLD_BY = Telling(request=UUID(int=900), at=Moment(NOW))
A_DEAL = THE_DEAL.knowing(
    tellings=Tellings(of=dict.fromkeys((OWNER, OTHER, TEAM), TOLD_BY)),
    process=replace(PROCESS, definition=replace(SHORT, flexible_nodes=(replace(CUSTOM_SOLUTION, stages=STAGES),))),
)
"""The deal, with how every activity was told that these commands may name, and with a flexible node to add."""
ABOVE_500 = ApprovalStep(
    key="direction",
    name="Direction",
    approvers=(Approver(role="sales-director"),),
    when=Predicate(fact="amount", operator="above", value="500"),
)
CHAIN = ApprovalChain(steps=(ABOVE_500,))
TALK, *OTHER_TASKS = SHORT.stages[0].tasks
RESEARCH = replace(OTHER_TASKS[0], exit_approval=CHAIN)
APPROVED_WORK = replace(SHORT.stages[0], tasks=(TALK, RESEARCH, *OTHER_TASKS[1:]))


def beginning(stage: Stage) -> Scenario:
    """The deal, of a process with another first stage."""
    definition = replace(dict(A_DEAL.loaded)["process"].definition, stages=(stage, *SHORT.stages[1:]))
    return A_DEAL.knowing(process=replace(PROCESS, definition=definition))


GATED_DEAL = beginning(replace(APPROVED_WORK, exit_approval=CHAIN))
"""The same of a process in which somebody has to approve that it leaves its first stage, and that a task of it is
completed."""

days = st.sampled_from([-4, -3, -2, -1, 0, 0, 1, 9]).map(lambda offset: TODAY + timedelta(days=offset))
moneys = st.builds(
    Money, amount=st.integers(-100, 10**7).map(lambda cents: Decimal(cents) / 100), currency=st.just("EUR")
)
BY_NAME: dict[str, st.SearchStrategy[Any]] = {
    "stage": st.sampled_from([*STAGES, "nowhere"]),
    "key": st.sampled_from([*NODES, "nothing"]) | st.just(FLEXIBLE),
    "facts": st.fixed_dictionaries(
        {}, optional={"pains": st.integers(0, 3), "need_stated": st.booleans(), "budget": st.just("500000")}
    ),
    "lines": st.just(()),
    "tiers": st.just(()),
    "prices": st.just(()),
    "currency": st.just("EUR"),
    "rows": st.builds(
        PriceRow,
        code=st.sampled_from(["one", "two"]),
        name=st.just("one"),
        currency=st.just("EUR"),
        price=st.integers(0, 10**4).map(Decimal),
        valid_from=st.none() | days,
        from_quantity=st.none(),
        unit_cost=st.none(),
        active=st.booleans(),
    ).map(lambda row: (row,)),
    "assumptions": st.just(()),
    "gate": st.just("exit of initial-contact") | st.just(f"exit of task {RESEARCH.key}"),
    "process_version": st.sampled_from([1, 2]),
    "process_id": st.sampled_from([None, SHORT_ID]),
    "criterion": st.just("next-step-planned") | st.sampled_from(["approved", "nothing"]),
    "waves": st.just(()) | st.builds(PlannedWave, on=days).map(lambda wave: (wave,)),
    "teams": st.just(()),
    "industries": st.just(()),
    "share": st.just(Decimal("0.5")),
    "number": st.none() | st.sampled_from([Decimal("0.4"), Decimal(5)]),
    "goal": st.just(Goal(figure="sales-cycle", change=Decimal("-0.2"))),
    "competitors": st.sampled_from([(), ("Globex",)]),
    "at": st.none(),
    "file_id": st.sampled_from([CONTEXT.derived_id("file"), OTHER]),
    "sha256": st.sampled_from([None, "a" * 64]),
}
BY_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    str: st.sampled_from(["one", "two", "2026-Q1"]),
    UUID: st.sampled_from([OWNER, OTHER, TEAM]),
    tuple[UUID, ...]: st.sampled_from([(), (CHAMPION,)]),
    date: days,
    datetime: st.just(NOW),
    Money: moneys,
    bool: st.booleans(),
    int: st.integers(0, 60),
    NextStep: st.builds(NextStep, on=st.none() | days, what=st.sampled_from([None, "Call"])),
    ProcessDefinition: st.sampled_from([SHORT, replace(SHORT, name="Shorter")]),
}


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a field's type."""
    if get_origin(kind) is Literal:
        return st.sampled_from(get_args(kind))
    if type(None) in get_args(kind):
        (some,) = [each for each in get_args(kind) if each is not type(None)]
        return st.none() | values_of(some)
    return BY_TYPE[kind]


def commands_of(command: type) -> st.SearchStrategy[Any]:
    """Commands of a class, sensible often enough to be accepted."""
    hints = get_type_hints(command)
    names = [field.name for field in fields(command)]
    return st.builds(command, **{name: BY_NAME[name] if name in BY_NAME else values_of(hints[name]) for name in names})


def decided(scenario: Scenario, command: Any) -> list[Any]:
    """The events that a command leads to, of the thing itself; none when it is refused."""
    return [fact.event for fact in scenario.when(command).facts if fact.to in {None, scenario.context.aggregate_id}]


def told(scenario: Scenario, commands: list[Any]) -> Scenario:
    """The scenario after these commands."""
    for command in commands:
        scenario = scenario.given(*decided(scenario, command))
    return scenario


def any_of(*commands: type) -> st.SearchStrategy[Any]:
    return st.one_of(*map(commands_of, commands))


ELSEWHERE = (RetractFacts, BringInLine, RunDueRules, MoveOn, RemindOfNextStep, Reevaluate, RenameApprovals)
"""What names requests, of which a scenario knows none, what happens to the deal's support requests or approvals alone,
and what a stage does by itself."""
TOLD = [command for command in deal.handlers if command not in ELSEWHERE]
NATIVE = [command for command, (handler,) in deal.handlers.items() if handler.allow != ONLY_SERVICES]
"""What history tells is known again by its name, and not by what it says."""


@settings(max_examples=400)
@given(
    history=st.lists(any_of(*TOLD), max_size=8),
    command=any_of(*NATIVE),
    fresh=st.booleans(),
)
def test_a_command_of_a_deal_repeated_records_nothing(history: list[Any], command: Any, fresh: bool) -> None:
    scenario = told(GATED_DEAL if fresh else GATED_DEAL.given(OPENED_FRIDAY), [*history, command])
    assert decided(scenario, command) == []


@pytest.mark.parametrize("aggregate", [process, product, target], ids=lambda each: each.name)
@settings(max_examples=100)
@given(data=st.data())
def test_a_command_of_what_deals_rest_on_repeated_records_nothing(aggregate: Any, data: st.DataObject) -> None:
    native = [command for command, handlers in aggregate.handlers.items() if handlers[0].allow != ONLY_SERVICES]
    commands = data.draw(st.lists(any_of(*native), min_size=1, max_size=5))
    scenario = told(Scenario(aggregate=aggregate, loaded=tuple(LOADED.items())), commands)
    assert decided(scenario, commands[-1]) == []


def test_the_generated_commands_are_sensible_enough_to_be_accepted() -> None:
    """Without this, the properties above could hold because everything is refused."""
    accepted: set[type] = set()

    @settings(max_examples=3200, database=None, derandomize=True)
    @given(history=st.lists(any_of(*TOLD), min_size=18, max_size=24))
    def run(history: list[Any]) -> None:
        # The first gate is open, for few of so many commands are those that open it.
        scenario = GATED_DEAL.given(OPENED_FRIDAY, TALKED, PLANNED, NEEDS_NOBODY)
        for command in history:
            events = decided(scenario, command)
            scenario = scenario.given(*events)
            accepted.update([type(command)] if events else [])

    run()
    assert {
        command.__name__
        for command in {command for command in TOLD if not deal.handlers[command][0].creates} - accepted
    } == set()


def test_deal_1_an_opening_with_lines_repeated_records_nothing() -> None:
    (opening,) = [command for command, (handler,) in deal.handlers.items() if handler.name == "open_"]
    command = opening(name="Servers", lines=(LineWanted(product_id=SERVER, quantity=Decimal(2)),))
    assert decided(told(THE_DEAL, [command]), command) == []


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.command.__name__)
def test_api_1_every_command_has_its_words_and_an_example_that_is_valid(handler: Handler) -> None:
    assert handler.decide.__doc__
    assert handler.command.__doc__
    example = getattr(handler.command, "example", None)
    if handler.allow != ONLY_SERVICES:
        assert isinstance(TypeAdapter(handler.command).validate_python(example), handler.command)
