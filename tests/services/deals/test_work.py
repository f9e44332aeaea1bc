"""DEAL-6: activities, and what comes next."""

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from services.deals.domain.deal.state import NextStep
from services.deals.domain.deal.work import LogActivity, PlanNextStep
from shared.domain.context import Actor, Moment
from shared.domain.roles import Role
from shared.events.deals.deal import DealActivityLogged, DealNextStepPlanned, DealWon
from shared.events.money import Money
from shared.events.reminders import PlannedReminder
from shared.testing.scenario import CONTEXT
from tests.services.deals.facts import END_OF_FRIDAY, FRIDAY, ID, OPENED, OWNER, THE_DEAL, TODAY, eur

OPEN = THE_DEAL.given(OPENED)
CALL = LogActivity(activity_id=UUID(int=50), kind="call", minutes=20, outcome="Wants a workshop", cost=eur("12.50"))
CALLED = DealActivityLogged(
    deal_id=ID,
    activity_id=UUID(int=50),
    kind="call",
    by=OWNER,
    on=TODAY,
    minutes=20,
    cost=eur("12.50"),
    outcome="Wants a workshop",
)
PLAN = PlanNextStep(on=date(2026, 3, 20), what="Workshop")
PLANNED = DealNextStepPlanned(
    deal_id=ID,
    on=date(2026, 3, 20),
    what="Workshop",
    planned_on=TODAY,
    silence_until=date(2026, 3, 20),
    silence_version=0,
    step_id=CONTEXT.derived_id(f"next step {ID}"),
    reminders=(
        PlannedReminder(level="owner", at=datetime(2026, 3, 20, 9, tzinfo=UTC)),
        PlannedReminder(level="again", at=datetime(2026, 3, 23, 9, tzinfo=UTC)),
        PlannedReminder(level="manager", at=datetime(2026, 3, 25, 9, tzinfo=UTC)),
    ),
)


def test_deal_6_an_activity_is_logged_by_whoever_asks() -> None:
    OPEN.when(CALL).then(CALLED)


def test_deal_6_what_a_system_logs_on_its_own_behalf_is_automatic() -> None:
    system = Actor(subject="telephony", roles=frozenset({Role.SERVICE}))
    OPEN.by(system).when(CALL).then(replace(CALLED, by=None, automatic=True))
    for_somebody = replace(system, member=OWNER)
    OPEN.by(for_somebody).when(CALL).then(CALLED)
    nobody = Actor(subject="somebody", roles=frozenset({Role.SALES_OPERATIONS}))
    OPEN.by(nobody).when(CALL).then(replace(CALLED, by=None))


def test_deal_6_an_activity_of_an_earlier_day_occurred_at_the_end_of_it() -> None:
    outcome = OPEN.when(replace(CALL, on=FRIDAY))
    assert outcome.facts[0].at == Moment(END_OF_FRIDAY, by_day=True)


def test_deal_6_an_activity_lies_in_the_past() -> None:
    OPEN.when(replace(CALL, on=date(2026, 3, 17))).then_rejected("in-the-future")


def test_deal_6_all_that_is_wrong_with_an_activity_is_told_at_once() -> None:
    dollar, before = Money(amount=eur("1").amount, currency="USD"), NextStep(on=FRIDAY)
    wrong = replace(CALL, on=date(2026, 3, 17), cost=dollar, next_step=before, minutes=1)
    OPEN.given(CALLED).when(wrong).then_rejected(
        "already-logged", "already-logged", "in-the-future", "other-currency", "in-the-past"
    )


def test_deal_6_logging_and_planning_in_one_breath() -> None:
    OPEN.when(replace(CALL, next_step=NextStep(on=PLAN.on, what=PLAN.what))).then(CALLED, PLANNED)
    outcome = OPEN.when(replace(CALL, next_step=NextStep(on=FRIDAY))).then_rejected("in-the-past")
    assert outcome.rejected is not None
    assert outcome.rejected.reasons[0].field == "next_step.on"


def test_deal_6_the_same_activity_is_logged_once() -> None:
    OPEN.given(CALLED).when(CALL).then()
    OPEN.given(CALLED).when(replace(CALL, kind="visit")).then_rejected("already-logged")


def test_deal_6_without_an_id_of_the_caller_every_request_is_an_activity_of_its_own() -> None:
    unnamed = replace(CALL, activity_id=None)
    first = OPEN.when(unnamed).facts[0].event
    assert first.activity_id == CONTEXT.derived_id("activity")
    other = replace(OPEN, context=replace(OPEN.context, command_id=UUID(int=99)))
    assert other.given(first).when(unnamed).rejected is None


def test_deal_6_a_cost_is_in_the_companys_currency() -> None:
    OPEN.when(replace(CALL, cost=Money(amount=eur("1").amount, currency="USD"))).then_rejected("other-currency")


def test_deal_6_a_next_step_is_planned_or_explicitly_none() -> None:
    OPEN.when(PLAN).then(PLANNED)
    OPEN.given(PLANNED).when(PLAN).then()
    none = DealNextStepPlanned(deal_id=ID, on=None, planned_on=TODAY)
    OPEN.given(PLANNED).when(PlanNextStep(on=None)).then(none)
    OPEN.when(PlanNextStep(on=None)).then(none)  # never said is not the same as none
    OPEN.given(none).when(PlanNextStep(on=None)).then()


def test_deal_6_a_next_step_lies_in_the_future() -> None:
    OPEN.when(replace(PLAN, on=FRIDAY)).then_rejected("in-the-past")
    assert OPEN.when(replace(PLAN, on=TODAY)).rejected is None


@pytest.mark.parametrize("command", [CALL, PLAN], ids=["log", "plan"])
def test_deal_6_nobody_works_on_a_closed_or_missing_deal(command: object) -> None:
    won = DealWon(deal_id=ID, on=TODAY, amount=eur("1"), stage="initial-contact", name="x")
    OPEN.given(won).when(command).then_rejected("not-in-this-state")
    THE_DEAL.when(command).then_rejected("does-not-exist")
