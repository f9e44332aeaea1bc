"""How the history of leads comes in: dated facts, without gates (DATA-5). Imports run these, nobody else."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from services.leads.domain.assignment import IMPORTED
from services.leads.domain.contact_points import Known, KnownUnder, email_key, first_known
from services.leads.domain.fields import ActivityKind, Country, Domain, Email, Headcount, Phone, Word
from services.leads.domain.lead.capture import as_captured, duplicate_of
from services.leads.domain.lead.closing import DisqualificationReason
from services.leads.domain.lead.nurturing import Timeline, qualification_noted
from services.leads.domain.lead.state import (
    Activity,
    ConvertedLead,
    DisqualifiedLead,
    NoLead,
    OpenLead,
    Qualification,
    lead,
    same_fields,
)
from services.leads.domain.reminders import RemindedToday, reminded_until, reminding
from shared.domain.aggregate import Decision, Occurrence
from shared.domain.context import Context, Moment
from shared.domain.fields import Day, LongText, Name
from shared.domain.imports import ONCE
from shared.domain.money import check_money
from shared.domain.policy import InForce
from shared.domain.references import AccountId, ActivityId, ContactId, DealId, MemberId, TeamId
from shared.domain.rejection import Rejected, refuse_otherwise
from shared.domain.retraction import retractable
from shared.domain.roles import ONLY_SERVICES
from shared.events.definition import value
from shared.events.leads.lead import (
    LeadActivityLogged,
    LeadAssigned,
    LeadCaptured,
    LeadConverted,
    LeadDisqualified,
    LeadFactRetracted,
    LeadFollowUpPlanned,
    LeadMarkedDuplicate,
    LeadQualificationNoted,
)
from shared.events.leads.policy import FollowUps
from shared.events.money import Money
from shared.events.working_hours import WorkingHours


@value
class ImportLead:
    """A lead as history knows it."""

    on: Day
    """The day: when the interest was shown."""
    source: Word
    person_name: Name | None = None
    email: Email | None = None
    phone: Phone | None = None
    title: Name | None = None
    interest: LongText | None = None
    company_name: Name | None = None
    company_domain: Domain | None = None
    industry: Word | None = None
    company_size: Headcount | None = None
    country: Country | None = None
    campaign: Word | None = None
    acquisition_cost: Money | None = None
    consent: bool = False
    owner: MemberId | None = None
    """Together with `team`, or the lead has no owner."""
    team: TeamId | None = None
    at: datetime | None = None
    """The instant, UTC, where it is known; default: the end of the day."""


@value
class ImportLeadActivity:
    """Work on a lead as history knows it."""

    on: Day
    """The day: when it happened."""
    activity_id: ActivityId
    kind: ActivityKind
    by: MemberId | None = None
    minutes: int | None = None
    note: LongText | None = None
    at: datetime | None = None
    """The instant, UTC, where it is known; default: the end of the day."""


@value
class ImportLeadFollowUp:
    """When a lead was to be followed up next, as history knows it."""

    on: Day
    """The day: when it was planned."""
    planned_for: Day | None
    """The day of the follow-up; null where explicitly none was planned."""
    at: datetime | None = None
    """The instant, UTC, where it is known; default: the end of the day."""


@value
class ImportLeadQualification:
    """What was known about a lead, all of it."""

    on: Day
    """The day: when it was noted."""
    need_stated: bool | None = None
    budget: Money | None = None
    decision_chain_known: bool | None = None
    timeline: Timeline | None = None
    intent_to_cooperate: bool | None = None
    at: datetime | None = None
    """The instant, UTC, where it is known; default: the end of the day."""


@value
class ImportLeadConversion:
    """A conversion as history knows it. Account, contact and deal come in by themselves."""

    on: Day
    """The day: when it happened."""
    account_id: AccountId
    contact_id: ContactId | None = None
    """Default: an id derived from the lead's."""
    deal_id: DealId | None = None
    deal_name: Name | None = None
    amount: Money | None = None
    expected_close: Day | None = None
    at: datetime | None = None
    """The instant, UTC, where it is known; default: the end of the day."""


@value
class ImportLeadDisqualification:
    """The end of a lead as history knows it."""

    on: Day
    """The day: when it happened."""
    reason: DisqualificationReason
    note: LongText | None = None
    at: datetime | None = None
    """The instant, UTC, where it is known; default: the end of the day."""


retractable(lead, LeadFactRetracted)


@lead.imports(
    "lead",
    LeadCaptured,
    LeadAssigned,
    LeadMarkedDuplicate,
    again=ONCE,
    keys=lambda command: [("email", email_key(command.email))],
)
def import_lead(state: NoLead, command: ImportLead, context: Context, known: KnownUnder) -> Decision:
    """Take over a lead from history. Of two with one address the one captured earlier is the original, however late it
    is told: it is the duplicate of whoever was known before it, and open leads that came after it are its own."""
    captured = as_captured(command, context.company.currency, leave_out=True)
    lead_id = context.aggregate_id
    at = context.past_moment(command.on, command.at)
    happened = LeadCaptured(lead_id=lead_id, captured_at=at.at, **same_fields(captured))
    others = known.without(lead_id)
    same = others.named(captured.person_name)
    if same and first_known(same[0]) < (at.at, lead_id):
        return [Occurrence(event=happened, at=at), Occurrence(event=duplicate_of(same[0], lead_id), at=at)]
    repeating = [each for each in same if each.kind == "lead"]
    candidates = tuple(each for each in others.ids if each not in {lead.id for lead in repeating})
    facts = [Occurrence(event=replace(happened, candidates=candidates or None), at=at)]
    if command.owner is not None and command.team is not None:
        assigned = LeadAssigned(lead_id=lead_id, team_id=command.team, member_id=command.owner, rule=IMPORTED)
        facts.append(Occurrence(event=assigned, at=at))
    original = Known(id=lead_id, owner=command.owner, team=command.team)
    return facts + [
        Occurrence(
            event=duplicate_of(original, each.id, each.reminded_follow_up),
            at=Moment(first_known(each)[0]),
            to=each.id,
        )
        for each in repeating
    ]


@lead.imports("lead-activity", LeadActivityLogged, again=("activity",))
def import_activity(state: OpenLead, command: ImportLeadActivity, context: Context) -> Decision:
    """Take over an activity from history."""
    if known := _activity(state, command.activity_id):
        refuse_otherwise(_told(known), _told(command))
    logged = LeadActivityLogged(
        lead_id=state.id,
        activity_id=command.activity_id,
        kind=command.kind,
        by=command.by,
        on=command.on,
        minutes=command.minutes,
        note=command.note,
    )
    return [Occurrence(event=logged, at=context.past_moment(command.on, command.at))]


@lead.imports("lead-follow-up", LeadFollowUpPlanned)
def import_follow_up(
    state: OpenLead,
    command: ImportLeadFollowUp,
    context: Context,
    *,
    reminded: RemindedToday,
    follow_ups: InForce[FollowUps],
    hours: InForce[WorkingHours],
) -> Decision:
    """Take over from history when a lead was to be followed up. Where that day has not passed people are reminded, as
    of a follow-up that is planned here."""
    planned = LeadFollowUpPlanned(
        lead_id=state.id,
        on=command.planned_for,
        **reminding(state.id, command.planned_for, context, team=state.team, follow_ups=follow_ups, hours=hours),
        reminded_follow_up=reminded_until(reminded, state.reminders),
    )
    return [Occurrence(event=planned, at=context.past_moment(command.on, command.at))]


@lead.imports("lead-qualification", LeadQualificationNoted)
def import_qualification(state: OpenLead, command: ImportLeadQualification, context: Context) -> Decision:
    """Take over from history what was known about a lead."""
    known = as_qualification(command)
    if known.budget is not None:
        check_money(known.budget, "budget", currency=context.company.currency)
    return [Occurrence(event=qualification_noted(state.id, known), at=context.past_moment(command.on, command.at))]


@lead.imports("lead-converted", LeadConverted, again=ONCE)
def import_conversion(
    state: OpenLead, command: ImportLeadConversion, context: Context, reminded: RemindedToday
) -> Decision:
    """Take over a conversion from history."""
    amount = check_money(command.amount, "amount") if command.amount else None
    if command.deal_id is not None and amount is None:
        raise Rejected("amount-missing", "A deal has an amount.", field="amount")
    converted = LeadConverted(
        lead_id=state.id,
        account_id=command.account_id,
        contact_id=command.contact_id or uuid5(state.id, "contact"),
        captured_at=state.captured_at or context.past_moment(command.on, command.at).at,
        source=state.captured.source,
        owner=state.owner,
        team=state.team,
        deal_id=command.deal_id,
        deal_name=command.deal_name,
        amount=amount,
        expected_close=command.expected_close,
        industry=state.captured.industry,
        company_size=state.captured.company_size,
        country=state.captured.country,
        reminded_follow_up=reminded.follow_up,
    )
    return [Occurrence(event=converted, at=context.past_moment(command.on, command.at))]


@lead.decides(allow=ONLY_SERVICES)
def import_conversion_again(state: ConvertedLead, command: ImportLeadConversion) -> Decision:
    """Leave a conversion that is known as it is; what says otherwise of it is refused."""
    known = {"account": state.account_id, "deal": state.deal_id}
    refuse_otherwise(known, {"account": command.account_id, "deal": command.deal_id})
    return []


@lead.imports("lead-disqualified", LeadDisqualified)
def import_disqualification(
    state: OpenLead, command: ImportLeadDisqualification, context: Context, reminded: RemindedToday
) -> Decision:
    """Take over the end of a lead from history."""
    given_up = LeadDisqualified(
        lead_id=state.id,
        reason=command.reason,
        note=command.note,
        reminded_follow_up=reminded.follow_up,
    )
    return [Occurrence(event=given_up, at=context.past_moment(command.on, command.at))]


@lead.decides(allow=ONLY_SERVICES)
def import_disqualification_again(state: DisqualifiedLead, command: ImportLeadDisqualification) -> Decision:
    """Leave an end that is known as it is; what says otherwise of it is refused."""
    refuse_otherwise({"reason": state.reason}, {"reason": command.reason})
    return []


@lead.already
def is_activity_imported(state: OpenLead | ConvertedLead | DisqualifiedLead, command: ImportLeadActivity) -> bool:
    known = _activity(state, command.activity_id)
    return known is not None and _told(known) == _told(command)


def _activity(state: OpenLead | ConvertedLead | DisqualifiedLead, activity_id: UUID) -> Activity | None:
    return next((activity for activity in state.activities if activity.id == activity_id), None)


def _told(said: Activity | ImportLeadActivity) -> dict[str, Any]:
    return {"kind": said.kind, "by": said.by, "on": said.on, "minutes": said.minutes, "note": said.note}


def as_qualification(command: ImportLeadQualification) -> Qualification:
    """What an imported qualification says."""
    return Qualification(
        need_stated=command.need_stated,
        budget=command.budget,
        decision_chain_known=command.decision_chain_known,
        timeline=command.timeline,
        intent_to_cooperate=command.intent_to_cooperate,
    )
