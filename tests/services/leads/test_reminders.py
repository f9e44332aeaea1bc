"""DEAL-6: who is reminded of the follow-up of a lead, and when: as for the next step of a deal, by one rule."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.leads.domain.assignment import AssignmentDesk, Candidate
from services.leads.domain.contact_points import Known, KnownUnder
from services.leads.domain.forgetting import Traces
from services.leads.domain.lead import lead
from services.leads.domain.lead.capture import AssignLead
from services.leads.domain.lead.closing import ConvertLead, DisqualifyLead, MatchedAccount
from services.leads.domain.lead.erasure import EraseLeadPerson
from services.leads.domain.lead.history import (
    ImportLead,
    ImportLeadConversion,
    ImportLeadDisqualification,
    ImportLeadFollowUp,
)
from services.leads.domain.lead.nurturing import PlanLeadFollowUp
from services.leads.domain.lead.reminding import RemindOfFollowUp
from services.leads.domain.organisation.team import NamedMember
from services.leads.domain.policies import NURTURING_EXIT
from services.leads.domain.reminders import OwnerToday, RemindedToday
from services.leads.projections.traces import lead_of
from shared.domain.context import Company, service_actor
from shared.domain.policy import InForce, Version
from shared.domain.working_days import calendar_of
from shared.domain.working_time.hours import usual_hours
from shared.events.leads.lead import LeadAssigned, LeadFollowUpPlanned, LeadFollowUpReminded, LeadMarkedDuplicate
from shared.events.leads.policy import FollowUps
from shared.events.reminders import PlannedReminder
from shared.testing.scenario import CONTEXT, Outcome, Scenario, scenario
from tests.services.leads.known import (
    EARLIER,
    HERE,
    NORTH,
    OTHER,
    ROSA,
    SAM,
    SOUTH,
    TODAY,
    after,
    assigned,
    captured,
    qualified,
    reminding,
)

OPEN = reminding()
FRIDAY = date(2026, 3, 20)
PLAN = PlanLeadFollowUp(on=FRIDAY)
FOLLOW_UP = CONTEXT.derived_id(f"follow-up {HERE}")
FIRST, AGAIN, LAST = (datetime(2026, 3, day, 9, tzinfo=UTC) for day in (20, 23, 25))
"""Of a follow-up that is due on Friday: as work starts on that day, on Monday and on Wednesday."""
PLANNED = LeadFollowUpPlanned(
    lead_id=HERE,
    on=FRIDAY,
    follow_up_id=FOLLOW_UP,
    reminders=(
        PlannedReminder(level="owner", at=FIRST),
        PlannedReminder(level="again", at=AGAIN),
        PlannedReminder(level="manager", at=LAST),
    ),
    reminders_version=0,
)


def reminded(*levels: str, **more: Any) -> LeadFollowUpReminded:
    told: dict[str, Any] = {"on": FRIDAY, "follow_up_id": FOLLOW_UP, "name": "Northwind Tooling"} | more
    return LeadFollowUpReminded(lead_id=HERE, levels=levels, **told)


def planned(outcome: Outcome) -> LeadFollowUpPlanned:
    event: LeadFollowUpPlanned = outcome.facts[0].event
    return event


def times(on: date, by: Scenario = OPEN) -> dict[str, str]:
    """When whom is reminded of a follow-up of a day that is planned now."""
    return {each.level: f"{each.at:%m-%dT%H:%M}" for each in planned(by.when(PlanLeadFollowUp(on=on))).reminders}


def due(*events: Any) -> datetime | None:
    """When the timer of these events runs."""
    timer = lead.timers_of(after(lead, captured, assigned, *events)).get("follow_up_reminder")
    return timer.due if timer else None


def system(moment: datetime, *events: Any) -> Scenario:
    return OPEN.given(*events).by(service_actor("leads")).at(moment)


def tells(moment: datetime, *events: Any) -> Sequence[str]:
    """At which levels somebody is reminded at an instant."""
    facts = system(moment, *events).when(RemindOfFollowUp()).facts
    return [level for fact in facts for level in fact.event.levels]


# -- when -------------------------------------------------------------------------------------------------------------


def test_deal_6_people_are_reminded_of_a_follow_up_as_work_starts_and_after_one_and_three_working_days() -> None:
    OPEN.when(PLAN).then(PLANNED)


def test_deal_6_a_follow_up_of_a_free_day_is_reminded_of_on_the_next_worked_one_of_the_place() -> None:
    germany = Company(timezone="Europe/Berlin", calendar=calendar_of("DE"))
    there = replace(OPEN, context=replace(OPEN.context, company=germany))
    there = there.knowing(hours=InForce(default=usual_hours(germany.calendar), on=TODAY))
    good_friday = date(2026, 4, 3)
    assert times(good_friday, there) == {"owner": "04-07T07:00", "again": "04-08T07:00", "manager": "04-10T07:00"}


def test_deal_6_hours_and_policy_of_the_leads_team_count() -> None:
    def of_team(document: Any, team: UUID) -> InForce[Any]:
        only = Version(number=4, valid_from=TODAY, document=document, team=team, process=None, set_on=TODAY, reason="")
        default = FollowUps() if isinstance(document, FollowUps) else usual_hours(CONTEXT.company.calendar)
        return InForce(default=default, on=TODAY, versions=(only,))

    new_york = replace(usual_hours(CONTEXT.company.calendar), timezone="America/New_York")
    later = FollowUps(remind_again_after=2, tell_manager_after=5)
    assert times(FRIDAY, OPEN.knowing(hours=of_team(new_york, SOUTH)))["owner"] == "03-20T13:00"
    assert times(FRIDAY, OPEN.knowing(hours=of_team(new_york, NORTH)))["owner"] == "03-20T09:00"
    told = planned(OPEN.knowing(follow_ups=of_team(later, SOUTH)).when(PLAN))
    assert (told.reminders_version, [f"{each.at:%m-%d}" for each in told.reminders]) == (4, ["03-20", "03-24", "03-27"])
    assert planned(OPEN.knowing(follow_ups=of_team(later, NORTH)).when(PLAN)) == PLANNED


def test_deal_6_of_a_follow_up_for_today_nobody_is_reminded_once_work_has_started() -> None:
    assert times(TODAY) == {"again": "03-17T09:00", "manager": "03-19T09:00"}


def test_deal_6_where_nobody_is_to_be_reminded_nobody_is() -> None:
    silent = OPEN.knowing(follow_ups=InForce(default=FollowUps(reminders=False), on=TODAY))
    silent.when(PLAN).then(replace(PLANNED, follow_up_id=None, reminders=()))
    OPEN.when(PlanLeadFollowUp(on=None)).then(LeadFollowUpPlanned(lead_id=HERE, on=None))


def test_deal_6_a_follow_up_that_was_planned_before_there_were_reminders_has_none() -> None:
    old = LeadFollowUpPlanned(lead_id=HERE, on=FRIDAY)
    assert due(old) is None
    assert tells(LAST, old) == []


# -- being reminded ---------------------------------------------------------------------------------------------------


def test_deal_6_one_timer_of_a_lead_runs_for_whichever_reminder_comes_first() -> None:
    assert due(PLANNED) == FIRST
    assert due(PLANNED, reminded("owner")) == AGAIN
    assert due(PLANNED, reminded("owner"), reminded("again", "manager")) is None
    assert due(PLANNED, reminded("owner", follow_up_id=UUID(int=9))) == FIRST, "of another follow-up"


def test_deal_6_everybody_is_reminded_of_a_follow_up_once_and_not_before_the_time() -> None:
    system(FIRST, PLANNED).when(RemindOfFollowUp()).then(reminded("owner"))
    assert tells(FIRST - timedelta(seconds=1), PLANNED) == []
    assert tells(FIRST, PLANNED, reminded("owner")) == []
    assert tells(LAST, PLANNED, reminded("owner")) == ["again", "manager"], "after a standstill"


def test_deal_6_while_the_owner_of_a_lead_is_away_whoever_leads_them_is_told_at_once() -> None:
    """ORG-1."""
    away = system(FIRST, PLANNED).knowing(owner=OwnerToday(is_away=True))
    away.when(RemindOfFollowUp()).then(reminded("owner", "manager"))
    back = (PLANNED, reminded("owner", "manager"))
    assert (due(*back), tells(LAST, *back)) == (AGAIN, ["again"])


@pytest.mark.parametrize(
    ("known", "name"),
    [
        ({}, "Northwind Tooling"),
        ({"company_name": None}, "northwind.example"),
        ({"company_name": None, "company_domain": None}, "website"),
    ],
)
def test_deal_6_a_reminder_never_names_the_leads_person(known: dict[str, Any], name: str) -> None:
    """DATA-4: it goes into inboxes and e-mails, and stays there when they are erased."""
    started = replace(OPEN, history=(replace(captured, **known), assigned, PLANNED))
    (told,) = started.by(service_actor("leads")).at(FIRST).when(RemindOfFollowUp()).facts
    assert told.event.name == name
    assert "Ada" not in repr(told.event)
    assert "ada@" not in repr(told.event)


# -- what a reminder does not outlive ---------------------------------------------------------------------------------

TOLD = (PLANNED, reminded("owner"))
DONE = OPEN.given(qualified).knowing(
    matched=MatchedAccount(),
    known=KnownUnder(),
    nurturing=InForce(default=NURTURING_EXIT.default_of(CONTEXT.company), on=TODAY),
    traces=Traces(leads=(lead_of(after(lead, captured, assigned, *TOLD)),)),
)
IMPORTING = service_actor("leads")
ENDS = [
    (PlanLeadFollowUp(on=date(2026, 3, 26)), None),
    (PlanLeadFollowUp(on=None), None),
    (ConvertLead(), None),
    (DisqualifyLead(reason="no-need"), None),
    (EraseLeadPerson(), None),
    (ImportLeadConversion(on=FRIDAY, account_id=OTHER), IMPORTING),
    (ImportLeadDisqualification(on=FRIDAY, reason="no-need"), IMPORTING),
]


@pytest.mark.parametrize(("command", "actor"), ENDS, ids=repr)
def test_deal_6_whatever_ends_a_follow_up_names_it_where_somebody_was_reminded(command: Any, actor: Any) -> None:
    asking = DONE.at(AGAIN).by(actor or CONTEXT.actor).knowing(reminded=RemindedToday(follow_up=FOLLOW_UP))
    ended = [fact.event for fact in asking.given(*TOLD).when(command).facts if fact.event.aggregate == "lead"]
    assert [each.reminded_follow_up for each in ended] == [FOLLOW_UP]
    again = datetime(2026, 3, 26, 9, tzinfo=UTC) if command == ENDS[0][0] else None
    assert due(*TOLD, *ended) == again
    assert tells(LAST, *TOLD, *ended) == []
    unnoticed = Traces(leads=(lead_of(after(lead, captured, assigned, PLANNED)),))
    quiet = asking.knowing(traces=unnoticed, reminded=RemindedToday()).given(PLANNED).when(command)
    assert {fact.event.reminded_follow_up for fact in quiet.facts if fact.event.aggregate == "lead"} == {None}


@pytest.mark.parametrize("command", [command for command, actor in ENDS if actor], ids=repr)
def test_deal_6_an_end_that_is_told_late_settles_what_somebody_was_reminded_of_since(
    command: Any,
) -> None:
    """It is decided on the lead as it stood then, before anything was planned."""
    late = DONE.at(AGAIN).by(IMPORTING).knowing(reminded=RemindedToday(follow_up=FOLLOW_UP)).when(command)
    assert [fact.event.reminded_follow_up for fact in late.facts] == [FOLLOW_UP]


def test_deal_6_a_lead_that_turns_out_to_repeat_an_earlier_one_is_followed_up_no_more() -> None:
    """LEAD-2: history tells of the original."""
    later = Known(id=OTHER, name="Ada Moreno", since=EARLIER, reminded_follow_up=FOLLOW_UP)
    told = ImportLead(on=date(2026, 1, 5), source="fair", person_name="Ada Moreno", email="ada@northwind.example")
    facts = scenario(lead).knowing(known=KnownUnder(people=(later,))).when(told).facts
    (repeats,) = [fact.event for fact in facts if isinstance(fact.event, LeadMarkedDuplicate)]
    assert repeats.reminded_follow_up == FOLLOW_UP
    assert due(*TOLD, replace(repeats, lead_id=HERE)) is None


# -- whose lead it is -------------------------------------------------------------------------------------------------


def given_to(member: UUID, team: UUID, *told: Any) -> LeadAssigned:
    by_hand = OPEN.given(*told).knowing(named_member=NamedMember(team=team), desk=AssignmentDesk(rule="by-hand"))
    (fact,) = by_hand.when(AssignLead(member_id=member)).facts
    event: LeadAssigned = fact.event
    assert (event.owner_before, event.team_before) == (ROSA, SOUTH)
    return event


def test_deal_6_whoever_gets_a_lead_is_reminded_of_what_is_due() -> None:
    told = (*TOLD, reminded("again"), reminded("manager"))
    same_team, other_team = given_to(SAM, SOUTH, *told), given_to(SAM, NORTH, *told)
    assert {same_team.reminded_follow_up, other_team.reminded_follow_up} == {FOLLOW_UP}
    assert due(*told, same_team) == FIRST, "at once"
    assert tells(LAST, *told, same_team) == ["owner", "again"]
    assert tells(LAST, *told, other_team) == ["owner", "again", "manager"], "who leads there does not know"
    assert tells(LAST, *told, same_team, reminded("owner", "again")) == []


def test_deal_6_whose_turn_it_is_takes_over_what_is_due() -> None:
    """LEAD-4."""
    turns = AssignmentDesk(
        rule="given-team", team_id=NORTH, candidates=(Candidate(member_id=SAM, capacity=30, open_leads=0),)
    )
    facts = OPEN.given(*TOLD).knowing(desk=turns, named_member=NamedMember()).when(AssignLead(team_id=NORTH)).facts
    first = facts[0].event
    assert (first.owner_before, first.team_before, first.reminded_follow_up) == (ROSA, SOUTH, FOLLOW_UP)
    assert due(*TOLD, first) == FIRST


def test_deal_6_what_is_not_due_yet_goes_along_with_the_lead() -> None:
    over = given_to(SAM, SOUTH, PLANNED)
    assert over.reminded_follow_up is None
    assert due(PLANNED, over) == FIRST


# -- history ----------------------------------------------------------------------------------------------------------


def test_data_5_people_are_reminded_of_an_imported_follow_up_of_a_lead_that_lies_ahead() -> None:
    """DEAL-6."""
    told = ImportLeadFollowUp(on=TODAY - timedelta(days=9), planned_for=FRIDAY)
    importing = OPEN.by(IMPORTING)
    importing.when(told).then(PLANNED)
    past = importing.when(replace(told, planned_for=TODAY - timedelta(days=1)))
    past.then(LeadFollowUpPlanned(lead_id=HERE, on=TODAY - timedelta(days=1)))
    assert past.state.follow_up == TODAY - timedelta(days=1)
    importing.when(replace(told, planned_for=None)).then(LeadFollowUpPlanned(lead_id=HERE, on=None))


def test_data_5_an_imported_follow_up_of_a_lead_takes_the_place_of_one_that_stood_then() -> None:
    told = ImportLeadFollowUp(on=AGAIN.date(), planned_for=date(2026, 4, 1))
    importing = OPEN.at(AGAIN).by(IMPORTING).knowing(reminded=RemindedToday(follow_up=FOLLOW_UP))
    assert importing.given(*TOLD).when(told).facts[0].event.reminded_follow_up == FOLLOW_UP
    assert importing.when(told).facts[0].event.reminded_follow_up is None, "a later one stays"
    corrected = importing.knowing(reminded=RemindedToday(follow_up=FOLLOW_UP, is_corrected=True))
    assert corrected.when(told).facts[0].event.reminded_follow_up == FOLLOW_UP
