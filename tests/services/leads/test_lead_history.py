"""How the history of leads comes in (DATA-5)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from services.leads.domain.contact_points import Known, KnownUnder
from services.leads.domain.lead import lead
from services.leads.domain.lead.history import (
    ImportLead,
    ImportLeadActivity,
    ImportLeadConversion,
    ImportLeadDisqualification,
    ImportLeadQualification,
)
from services.leads.domain.lead.state import DuplicateLead, OpenLead
from services.leads.domain.reminders import RemindedToday
from shared.domain.context import Moment
from shared.events.leads.lead import LeadActivityLogged, LeadAssigned, LeadCaptured, LeadQualificationNoted
from shared.testing.scenario import CONTEXT, NOW, scenario
from tests.services.leads.known import (
    HERE,
    OTHER,
    ROSA,
    SOUTH,
    TODAY,
    assigned,
    captured,
    converted,
    given_up,
)

work = scenario(lead).given(captured, assigned).knowing(reminded=RemindedToday())

# -- history --------------------------------------------------------------------------------------------------------

PAST = date(2025, 5, 6)
told = ImportLead(
    on=PAST, source="fair", email="Ada@northwind.example", company_name="Northwind Tooling", owner=ROSA, team=SOUTH
)
unclaimed = scenario(lead).knowing(known=KnownUnder())


def test_data_5_a_lead_of_the_past_comes_in_with_its_day_and_owner() -> None:
    outcome = unclaimed.when(told)
    moment = CONTEXT.company.end_of(PAST)
    outcome.then(
        LeadCaptured(
            lead_id=HERE,
            source="fair",
            email="ada@northwind.example",
            company_name="Northwind Tooling",
            captured_at=moment,
        ),
        LeadAssigned(lead_id=HERE, team_id=SOUTH, member_id=ROSA, rule="imported"),
    )
    assert {fact.at for fact in outcome.facts} == {Moment(moment, by_day=True)}


def test_lead_2_a_lead_of_the_past_can_be_a_duplicate_too() -> None:
    outcome = scenario(lead).knowing(known=KnownUnder(people=(Known(id=OTHER),))).when(told)
    assert isinstance(outcome.state, DuplicateLead)


def test_data_5_the_past_of_a_lead_comes_in_without_gates() -> None:
    activity = ImportLeadActivity(on=PAST, activity_id=UUID(int=31), kind="call", by=ROSA)
    happened = LeadActivityLogged(lead_id=HERE, activity_id=UUID(int=31), kind="call", by=ROSA, on=PAST)
    work.when(activity).then(happened)
    work.given(happened).when(activity).then()

    known = ImportLeadQualification(on=PAST, need_stated=True)
    noted = LeadQualificationNoted(lead_id=HERE, need_stated=True)
    work.when(known).then(noted)

    conversion = ImportLeadConversion(on=PAST, account_id=OTHER, contact_id=UUID(int=21))
    work.when(conversion).then(converted)
    work.given(converted).when(conversion).then()

    end = ImportLeadDisqualification(on=PAST, reason="no-budget", note="Frozen.")
    work.when(end).then(given_up)
    work.given(given_up).when(end).then()


def test_data_5_a_deal_of_the_past_has_an_amount() -> None:
    conversion = ImportLeadConversion(on=PAST, account_id=OTHER, deal_id=UUID(int=41))
    work.when(conversion).then_rejected("amount-missing")


def test_lead_2_the_lead_captured_earlier_is_the_original_however_late_it_is_told() -> None:
    since = CONTEXT.company.end_of(PAST) + timedelta(days=1)
    later = Known(id=OTHER, since=since)
    outcome = scenario(lead).knowing(known=KnownUnder(people=(later,))).when(told)
    assert isinstance(outcome.state, OpenLead)
    *_, marked = outcome.facts
    assert (marked.to, marked.at) == (OTHER, Moment(since))
    assert (marked.event.lead_id, marked.event.original_id, marked.event.owner) == (OTHER, HERE, ROSA)


def test_lead_2_a_contact_who_was_known_later_makes_no_duplicate() -> None:
    later = Known(id=OTHER, kind="account", since=CONTEXT.company.end_of(PAST) + timedelta(days=1))
    outcome = scenario(lead).knowing(known=KnownUnder(people=(later,))).when(told)
    assert isinstance(outcome.state, OpenLead)
    assert outcome.state.candidates == (OTHER,)
    assert len(outcome.facts) == 2


def test_data_5_one_odd_number_does_not_lose_a_lead() -> None:
    outcome = unclaimed.when(replace(told, email="ada at northwind", phone="12", company_domain="co.uk"))
    assert isinstance(outcome.state, OpenLead)
    assert (outcome.state.captured.email, outcome.state.captured.phone) == (None, None)


def test_data_5_the_past_of_a_lead_is_over_and_lies_on_its_day() -> None:
    activity = ImportLeadActivity(on=PAST, activity_id=UUID(int=31), kind="call")
    unclaimed.when(replace(told, on=TODAY + timedelta(days=1))).then_rejected("in-the-future")
    for command in (told, activity, ImportLeadQualification(on=PAST, need_stated=True)):
        history = unclaimed if isinstance(command, ImportLead) else work
        history.when(replace(command, at=datetime(2025, 5, 7, tzinfo=UTC))).then_rejected("other-day")
        history.when(replace(command, at=datetime(2025, 5, 6))).then_rejected("other-day")  # noqa: DTZ001
        history.when(replace(command, on=TODAY, at=NOW + timedelta(hours=1))).then_rejected("in-the-future")
