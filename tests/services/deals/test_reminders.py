"""DEAL-6: who is reminded of the next step, and when: as work starts on its day, once more, and then whoever leads."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.deals.domain.deal import deal
from services.deals.domain.deal.changes import HandOver, RenameDeal, UpdateDeal
from services.deals.domain.deal.closing import AbandonDeal, LoseDeal, ReopenDeal, WinDeal
from services.deals.domain.deal.history import (
    DealToday,
    ImportDealAbandonment,
    ImportDealChange,
    ImportDealLoss,
    ImportDealReopening,
    ImportDealWin,
)
from services.deals.domain.deal.reminding import RemindOfNextStep
from services.deals.domain.deal.state import NextStep
from services.deals.domain.deal.work import LogActivity, PlanNextStep
from shared.domain.context import Company, service_actor
from shared.domain.policy import InForce, Version
from shared.domain.working_days import calendar_of
from shared.domain.working_time.hours import usual_hours
from shared.events.deals.deal import DealHandedOver, DealNextStepPlanned, DealReopened, DealTextsErased
from shared.events.deals.deal_help import DealHelpAsked
from shared.events.deals.deal_reminder import DealNextStepReminded
from shared.events.deals.policy import NextSteps
from shared.events.reminders import PlannedReminder
from shared.events.working_hours import WEEKDAYS, Shift, WorkingHours
from shared.testing.scenario import Scenario
from tests.services.deals.facts import ID, OPENED, OTHER, OTHER_TEAM, TEAM, THE_DEAL, TODAY

OPEN = THE_DEAL.given(OPENED)
FRIDAY = date(2026, 3, 20)
GERMANY = Company(timezone="Europe/Berlin", calendar=calendar_of("DE"))
NIGHTS = WorkingHours(shifts=tuple(Shift(weekday=each, start="22:00", end="06:00") for each in WEEKDAYS))
STEP_ID = THE_DEAL.context.derived_id(f"next step {ID}")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


FIRST, AGAIN, LAST = at("2026-03-20T09:00"), at("2026-03-23T09:00"), at("2026-03-25T09:00")
"""Of a step that is due on Friday: as work starts on that day, on Monday and on Wednesday."""
PLANNED = DealNextStepPlanned(
    deal_id=ID,
    on=FRIDAY,
    what="Workshop",
    planned_on=TODAY,
    silence_until=FRIDAY,
    silence_version=0,
    step_id=STEP_ID,
    reminders=(
        PlannedReminder(level="owner", at=FIRST),
        PlannedReminder(level="again", at=AGAIN),
        PlannedReminder(level="manager", at=LAST),
    ),
)
PLAN = PlanNextStep(on=FRIDAY, what="Workshop")


def reminded(*levels: str, **more: Any) -> DealNextStepReminded:
    told: dict[str, Any] = {"on": FRIDAY, "step_id": STEP_ID} | more
    return DealNextStepReminded(deal_id=ID, levels=levels, name=OPENED.name, **told)


def times(on: date, scenario: Scenario = OPEN) -> dict[str, str]:
    """When whom is reminded of a step of a day that is planned now."""
    (planned,) = scenario.when(PlanNextStep(on=on)).facts
    return {each.level: f"{each.at:%m-%dT%H:%M}" for each in planned.event.reminders}


def of_company(company: Company, scenario: Scenario = OPEN) -> Scenario:
    """The deal in another company, by the hours that are usual there."""
    known = replace(scenario, context=replace(scenario.context, company=company))
    return known.knowing(hours=InForce(default=usual_hours(company.calendar), on=TODAY))


def by_hours(hours: WorkingHours, *, team: UUID | None = None) -> Scenario:
    """The deal, where these working hours were set."""
    version = Version(number=1, valid_from=TODAY, document=hours, team=team, process=None, set_on=TODAY, reason=None)
    usual = usual_hours(Company().calendar)
    return OPEN.knowing(hours=InForce(default=usual, on=TODAY, versions=(version,)))


def by_rule(**rule: Any) -> Scenario:
    return OPEN.knowing(next_steps=InForce(default=NextSteps(days_ahead=14, **rule), on=TODAY))


def due(*events: Any) -> datetime | None:
    """When the timer of these events runs."""
    timer = deal.timers_of(deal.fold((OPENED, *events))).get("next_step_reminder")
    return timer.due if timer else None


def system(moment: datetime, *events: Any) -> Scenario:
    return OPEN.given(*events).by(service_actor("deals")).at(moment)


def tells(moment: datetime, *events: Any) -> Sequence[str]:
    """At which levels somebody is reminded at an instant."""
    facts = system(moment, *events).when(RemindOfNextStep()).facts
    return [level for fact in facts for level in fact.event.levels]


# -- when -------------------------------------------------------------------------------------------------------------


def test_deal_6_people_are_reminded_as_work_starts_on_the_day_of_the_step_and_after_one_and_three_working_days() -> (
    None
):
    OPEN.when(PLAN).then(PLANNED)


def test_deal_6_a_step_of_a_free_day_is_reminded_of_on_the_next_worked_one() -> None:
    saturday, good_friday = date(2026, 3, 21), date(2026, 4, 3)
    monday_on = {"owner": "03-23T09:00", "again": "03-24T09:00", "manager": "03-26T09:00"}
    assert times(saturday) == monday_on
    after_easter = {"owner": "04-07T07:00", "again": "04-08T07:00", "manager": "04-10T07:00"}
    assert times(good_friday, of_company(GERMANY)) == after_easter


def test_deal_6_work_starts_by_the_clocks_of_the_place_before_and_after_they_change() -> None:
    before_summer_time = date(2026, 3, 27)
    expected = {"owner": "03-27T08:00", "again": "03-30T07:00", "manager": "04-01T07:00"}
    assert times(before_summer_time, of_company(GERMANY)) == expected


def test_deal_6_the_working_hours_of_the_deals_team_count() -> None:
    new_york = replace(usual_hours(Company().calendar), timezone="America/New_York")
    assert times(FRIDAY, by_hours(new_york, team=TEAM))["owner"] == "03-20T13:00"
    assert times(FRIDAY, by_hours(new_york, team=OTHER_TEAM))["owner"] == "03-20T09:00"
    nights = {"owner": "03-20T22:00", "again": "03-21T22:00", "manager": "03-23T22:00"}
    assert times(FRIDAY, by_hours(NIGHTS)) == nights


def test_deal_6_of_a_step_for_today_nobody_is_reminded_once_work_has_started() -> None:
    rest = {"again": "03-17T09:00", "manager": "03-19T09:00"}
    assert times(TODAY) == rest
    assert times(TODAY, OPEN.at(at("2026-03-16T09:00"))) == rest
    assert times(TODAY, OPEN.at(at("2026-03-16T08:59"))) == {"owner": "03-16T09:00", **rest}


def test_deal_6_the_policy_says_whether_and_after_how_many_working_days() -> None:
    later = {"owner": "03-20T09:00", "again": "03-24T09:00", "manager": "03-27T09:00"}
    assert times(FRIDAY, by_rule(remind_again_after=2, tell_manager_after=5)) == later
    silent = replace(PLANNED, step_id=None, reminders=())
    by_rule(reminders=False).when(PLAN).then(silent)
    assert due(silent) is None


def test_deal_6_explicitly_nothing_reminds_of_nothing() -> None:
    none = OPEN.when(PlanNextStep(on=None)).facts[0].event
    assert (none.step_id, none.reminders) == (None, ())


def test_deal_6_a_step_is_reminded_of_however_it_is_planned() -> None:
    step = NextStep(on=FRIDAY, what="Workshop")
    for command in (LogActivity(kind="call", next_step=step), UpdateDeal(next_step=step)):
        assert OPEN.when(command).facts[-1].event == PLANNED


# -- being reminded ---------------------------------------------------------------------------------------------------


def test_deal_6_one_timer_runs_for_whichever_reminder_comes_first() -> None:
    assert due(PLANNED) == FIRST
    assert due(PLANNED, reminded("owner")) == AGAIN
    assert due(PLANNED, reminded("owner"), reminded("again")) == LAST
    assert due(PLANNED, reminded("owner"), reminded("again"), reminded("manager")) is None


def test_deal_6_everybody_is_reminded_once_and_not_before_the_time() -> None:
    system(FIRST, PLANNED).when(RemindOfNextStep()).then(reminded("owner"))
    assert tells(FIRST - timedelta(seconds=1), PLANNED) == []
    assert tells(FIRST, PLANNED, reminded("owner")) == []
    assert tells(AGAIN, PLANNED, reminded("owner")) == ["again"]
    assert tells(LAST, PLANNED, reminded("owner"), reminded("again")) == ["manager"]


def test_deal_6_what_comes_at_once_after_a_standstill_is_told_at_once() -> None:
    system(LAST, PLANNED).when(RemindOfNextStep()).then(reminded("owner", "again", "manager"))
    assert tells(LAST, PLANNED, reminded("owner", "again", "manager")) == []


def test_deal_6_a_step_that_was_planned_before_there_were_reminders_has_none() -> None:
    old = DealNextStepPlanned(deal_id=ID, on=FRIDAY, planned_on=TODAY)
    assert due(old) is None
    assert tells(LAST, old) == []


# -- what a reminder does not outlive ---------------------------------------------------------------------------------


def test_deal_6_a_step_that_is_moved_is_reminded_of_on_its_new_day() -> None:
    moved = system(AGAIN, PLANNED, reminded("owner")).when(PlanNextStep(on=date(2026, 3, 26))).facts[0].event
    assert moved.reminded_step == STEP_ID
    assert due(PLANNED, reminded("owner"), moved) == at("2026-03-26T09:00")
    assert tells(LAST, PLANNED, reminded("owner"), moved) == []
    unnoticed = OPEN.given(PLANNED).when(PlanNextStep(on=date(2026, 3, 26))).facts[0].event
    assert unnoticed.reminded_step is None, "nobody knows of it"
    stale = reminded("owner", step_id=UUID(int=9))
    assert due(PLANNED, stale) == FIRST, "a reminder of another step is none of this one"


def test_deal_6_a_step_that_is_cleared_is_reminded_of_no_more() -> None:
    cleared = system(FIRST, PLANNED, reminded("owner")).when(PlanNextStep(on=None)).facts[0].event
    assert cleared.reminded_step == STEP_ID
    assert due(PLANNED, reminded("owner"), cleared) is None
    assert tells(LAST, PLANNED, reminded("owner"), cleared) == []


@pytest.mark.parametrize("command", [WinDeal(), LoseDeal(reason="price"), AbandonDeal(reason="no-need")], ids=repr)
def test_deal_6_of_a_closed_deal_nobody_is_reminded(command: Any) -> None:
    closed = system(FIRST, PLANNED, reminded("owner")).when(command).facts[0].event
    assert closed.reminded_step == STEP_ID
    assert due(PLANNED, reminded("owner"), closed) is None
    system(AGAIN, PLANNED, closed).when(RemindOfNextStep()).then_rejected("not-in-this-state")
    assert OPEN.given(PLANNED).when(command).facts[0].event.reminded_step is None


def test_deal_6_a_reopened_deal_has_the_reminders_that_lie_ahead() -> None:
    lost = system(FIRST, PLANNED, reminded("owner")).when(LoseDeal(reason="price")).facts[0].event
    before, after = (
        system(moment, PLANNED, reminded("owner"), lost).when(ReopenDeal(reason="They came back")).facts[0].event
        for moment in (AGAIN - timedelta(hours=1), LAST + timedelta(days=60))
    )
    assert [each.level for each in before.reminders] == ["again", "manager"]
    assert due(PLANNED, reminded("owner"), lost, before) == AGAIN
    assert after.reminders == ()
    assert due(PLANNED, reminded("owner"), lost, after) is None, "nobody is reminded of what passed meanwhile"


# -- whose deal it is -------------------------------------------------------------------------------------------------


def handed_over(**to: Any) -> DealHandedOver:
    told = (PLANNED, reminded("owner"), reminded("again"), reminded("manager"))
    (fact,) = system(LAST, *told).when(HandOver(**to)).facts
    assert fact.event.reminded_step == STEP_ID
    event: DealHandedOver = fact.event
    return event


def test_deal_6_whoever_takes_a_deal_over_is_reminded_of_what_is_due() -> None:
    told = (PLANNED, reminded("owner"), reminded("again"), reminded("manager"))
    same_team, other_team = handed_over(owner=OTHER), handed_over(owner=OTHER, team=OTHER_TEAM)
    assert due(*told, same_team) == FIRST, "at once"
    assert tells(LAST, *told, same_team) == ["owner", "again"]
    assert tells(LAST, *told, other_team) == ["owner", "again", "manager"], "who leads there does not know"
    assert tells(FIRST, PLANNED, reminded("owner"), same_team) == ["owner"]
    along = replace(other_team, owner=OPENED.owner)
    assert tells(LAST, *told, along) == ["owner", "again", "manager"], "who goes along to another team is told there"
    assert tells(LAST, *told, same_team, reminded("owner", "again")) == []


def test_deal_6_what_is_not_due_yet_goes_along_with_the_deal() -> None:
    (over,) = OPEN.given(PLANNED).when(HandOver(owner=OTHER)).facts
    assert over.event.reminded_step is None
    assert due(PLANNED, over.event) == FIRST


# -- what the deal is called ------------------------------------------------------------------------------------------


def test_data_4_who_renames_a_deal_tells_of_which_steps_anybody_was_reminded() -> None:
    assert OPEN.given(PLANNED).when(RenameDeal(name="Line")).facts[0].event.reminded_steps == ()
    second = replace(PLANNED, step_id=UUID(int=7))
    told = (PLANNED, reminded("owner"), reminded("again"), second)
    (fact,) = OPEN.given(*told, replace(reminded("owner"), step_id=UUID(int=7))).when(RenameDeal(name="Line")).facts
    assert fact.event.reminded_steps == (STEP_ID, UUID(int=7)), "also of one that another was planned in place of"


# -- history, and what is forgotten -----------------------------------------------------------------------------------


def test_deal_6_a_step_of_history_whose_day_has_not_passed_is_reminded_of() -> None:
    told = ImportDealChange(on=TODAY, next_step=NextStep(on=FRIDAY, what="Workshop"))
    (imported,) = OPEN.when(told).facts
    assert (imported.event.step_id, imported.event.reminders) == (STEP_ID, PLANNED.reminders)
    assert due(imported.event) == FIRST
    (off,) = by_rule(reminders=False).when(told).facts
    assert (off.event.step_id, off.event.reminders) == (None, ())


def test_deal_6_history_that_is_past_reminds_nobody_and_takes_the_place_of_what_was_planned() -> None:
    told = ImportDealChange(on=TODAY, next_step=NextStep(on=TODAY - timedelta(days=1)))
    (imported,) = OPEN.when(told).facts
    assert (imported.event.step_id, imported.event.reminders, due(imported.event)) == (None, (), None)
    later = system(FIRST, PLANNED, reminded("owner")).when(replace(told, on=FRIDAY)).facts[0].event
    assert later.reminded_step == STEP_ID
    lost = system(FIRST, PLANNED).when(LoseDeal(reason="price")).facts[0].event
    back = ImportDealReopening(on=FRIDAY, reason="They came back")
    assert system(FIRST, PLANNED, lost).when(back).facts[0].event.reminders == ()


LATE_ENDS = [
    ImportDealWin(on=TODAY),
    ImportDealLoss(on=TODAY, reason="price"),
    ImportDealAbandonment(on=TODAY, reason="no-need"),
]


@pytest.mark.parametrize("command", LATE_ENDS, ids=repr)
def test_deal_6_an_end_that_is_told_late_settles_what_people_were_told_since(command: Any) -> None:
    """It is decided on the deal as it stood then, when nobody had been reminded, or asked for help."""

    def ended(*since: Any) -> Any:
        today = DealToday(state=deal.fold(OPEN.given(PLANNED, *since).history))
        return OPEN.given(PLANNED).knowing(today=today).when(command).facts[0].event

    assert (ended().ends_notices, ended().reminded_step) == (False, None)
    told = ended(reminded("owner"))
    assert (told.ends_notices, told.reminded_step) == (True, STEP_ID)
    asked = ended(DealHelpAsked(deal_id=ID, help_id=OTHER, kind="price", urgency="today", name="", on=FRIDAY))
    assert (asked.ends_notices, asked.reminded_step) == (True, None)
    back = DealReopened(
        deal_id=ID,
        outcome_before="lost",
        reason="",
        stage=OPENED.stage,
        probability=OPENED.probability,
        category=OPENED.category,
        amount=OPENED.amount,
        on=FRIDAY,
        reminders=PLANNED.reminders,
    )
    lost = system(FIRST, PLANNED).when(LoseDeal(reason="price")).facts[0].event
    goes_on = ended(lost, back, reminded("owner"))
    assert (goes_on.ends_notices, goes_on.reminded_step) == (False, None), "it was reopened since, and goes on"


def test_deal_6_a_step_that_is_told_late_settles_the_one_before_it_and_none_that_was_planned_since() -> None:
    other = replace(PLANNED, step_id=OTHER)
    plan = ImportDealChange(on=TODAY, next_step=NextStep(on=date(2026, 4, 1)))
    since_then: list[tuple[tuple[Any, ...], UUID | None]] = [
        ((), None),
        ((reminded("owner"),), STEP_ID),
        ((other, reminded("owner", step_id=OTHER)), None),
    ]
    for since, settled in since_then:
        today = DealToday(state=deal.fold(OPEN.given(PLANNED, *since).history))
        told = OPEN.given(PLANNED).knowing(today=today).when(plan).facts[0].event
        assert told.reminded_step == settled


def test_data_5_a_step_that_history_tells_otherwise_settles_what_people_were_told_of_it() -> None:
    """A line that is corrected is decided on the deal without what it told before, of which somebody was reminded."""
    plan = ImportDealChange(on=TODAY, next_step=NextStep(on=date(2026, 4, 1)))
    today = DealToday(state=deal.fold(OPEN.given(PLANNED, reminded("owner")).history), is_corrected=True)
    assert OPEN.knowing(today=today).when(plan).facts[0].event.reminded_step == STEP_ID
    another = replace(today, is_corrected=False)
    assert OPEN.knowing(today=another).when(plan).facts[0].event.reminded_step is None


def test_deal_6_that_its_text_is_erased_leaves_a_step_due() -> None:
    """DATA-4: a reminder says nothing of what was written."""
    erased = DealTextsErased(deal_id=ID)
    assert due(PLANNED, erased) == FIRST
    told = system(FIRST, PLANNED).when(RemindOfNextStep()).facts[0].event
    assert "Workshop" not in repr(told)
