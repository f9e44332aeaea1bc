"""Working on a lead until it is worth a deal: activities, follow-up, qualification and its exit rule (LEAD-7)."""

from dataclasses import replace
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from annotated_types import Ge, Le

from services.leads.domain.fields import ActivityKind
from services.leads.domain.lead.reminding import reminded_follow_up
from services.leads.domain.lead.state import Activity, OpenLead, Qualification, lead
from services.leads.domain.reminders import reminders_of, reminding
from shared.domain.aggregate import Decision, Occurrence
from shared.domain.context import Context, is_system
from shared.domain.criteria import Facts
from shared.domain.fields import Day, LongText
from shared.domain.merge_patch import absent, given
from shared.domain.money import check_money
from shared.domain.policy import InForce
from shared.domain.references import ActivityId
from shared.domain.rejection import Rejected
from shared.domain.roles import SELLING
from shared.events.definition import value
from shared.events.leads.lead import LeadActivityLogged, LeadFollowUpPlanned, LeadQualificationNoted
from shared.events.leads.policy import FollowUps
from shared.events.money import Money
from shared.events.working_hours import WorkingHours

ActivityOutcome = Literal["reached", "not-reached", "answered", "meeting-agreed", "declined"]
Timeline = Literal["this-month", "this-quarter", "this-half-year", "this-year", "later"]
Minutes = Annotated[int, Ge(0), Le(24 * 60)]


def facts_about(known: Qualification) -> Facts:
    """The qualification as facts for criteria."""
    return {
        "need_stated": known.need_stated,
        "budget": known.budget.amount if known.budget else None,
        "decision_chain_known": known.decision_chain_known,
        "timeline": known.timeline,
        "intent_to_cooperate": known.intent_to_cooperate,
    }


@value
class LogLeadActivity:
    """Record that somebody worked on the lead."""

    kind: ActivityKind
    activity_id: ActivityId | None = None
    """Made by the client, so that a repeated request logs one activity; default: made here."""
    on: Day | None = None
    """The day; default today, never in the future."""
    minutes: Minutes | None = None
    outcome: ActivityOutcome | None = None
    note: LongText | None = None

    example: ClassVar[dict[str, object]] = {
        "kind": "call",
        "minutes": 12,
        "outcome": "reached",
        "note": "Asked for a visit in the new year.",
    }


@value
class PlanLeadFollowUp:
    """Say when the lead is to be followed up next."""

    on: Day | None
    """Today or later; null says explicitly that nothing is planned."""

    example: ClassVar[dict[str, object]] = {"on": "2027-01-11"}


@value
class NoteLeadQualification:
    """Say what is known about the lead."""

    need_stated: bool | None = absent()
    """A field that is left out stays as it was; null says that it is unknown."""
    budget: Money | None = absent()
    decision_chain_known: bool | None = absent()
    timeline: Timeline | None = absent()
    intent_to_cooperate: bool | None = absent()

    example: ClassVar[dict[str, object]] = {
        "need_stated": True,
        "budget": {"amount": "650000.00", "currency": "EUR"},
        "decision_chain_known": True,
    }


@lead.decides(allow=SELLING)
def log_activity(state: OpenLead, command: LogLeadActivity, context: Context) -> Decision:
    """Record that somebody called, wrote to, visited or met the lead."""
    on = command.on or context.today
    if on > context.today:
        raise Rejected("in-the-future", "An activity is logged once it has happened.", field="on")
    logged = LeadActivityLogged(
        lead_id=state.id,
        activity_id=command.activity_id or context.derived_id("activity"),
        kind=command.kind,
        by=context.actor.member,
        on=on,
        minutes=command.minutes,
        outcome=command.outcome,
        automatic=is_system(context.actor),
        note=command.note,
    )
    before = next((one for one in state.activities if one.id == logged.activity_id), None)
    if before is None:
        return [Occurrence(event=logged, at=context.moment(on))]
    if before == activity_of(logged):
        return []
    raise Rejected("other-content", "This activity was logged with other content.", field="activity_id")


@lead.decides(allow=SELLING)
def plan_follow_up(
    state: OpenLead,
    command: PlanLeadFollowUp,
    context: Context,
    *,
    follow_ups: InForce[FollowUps],
    hours: InForce[WorkingHours],
) -> Decision:
    """Say when the lead is to be followed up next, or explicitly that it is not.

    People are reminded of a follow-up that is due, as the policy follow-ups says.
    """
    if command.on is not None and command.on < context.today:
        raise Rejected("in-the-past", "A follow-up is planned for today or later.", field="on")
    return [
        LeadFollowUpPlanned(
            lead_id=state.id,
            on=command.on,
            **reminding(state.id, command.on, context, team=state.team, follow_ups=follow_ups, hours=hours),
            reminded_follow_up=reminded_follow_up(state),
        )
    ]


@lead.decides(allow=SELLING)
def note_qualification(state: OpenLead, command: NoteLeadQualification, context: Context) -> Decision:
    """Note need, budget, decision chain, timeline and intent; conversion asks for them."""
    known = with_news(state.qualification, command, context.company.currency)
    return [] if known == state.qualification else [qualification_noted(state.id, known)]


@lead.already
def is_follow_up_planned(state: OpenLead, command: PlanLeadFollowUp) -> bool:
    return state.follow_up_planned and state.follow_up == command.on


@lead.evolves
def was_worked_on(state: OpenLead, event: LeadActivityLogged) -> OpenLead:
    return replace(state, activities=(*state.activities, activity_of(event)))


@lead.evolves
def is_to_be_followed_up(state: OpenLead, event: LeadFollowUpPlanned) -> OpenLead:
    return replace(state, follow_up=event.on, follow_up_planned=True, reminders=reminders_of(event))


@lead.evolves
def is_known_better(state: OpenLead, event: LeadQualificationNoted) -> OpenLead:
    known = Qualification(
        need_stated=event.need_stated,
        budget=event.budget,
        decision_chain_known=event.decision_chain_known,
        timeline=event.timeline,
        intent_to_cooperate=event.intent_to_cooperate,
    )
    return replace(state, qualification=known)


def with_news(known: Qualification, news: NoteLeadQualification, currency: str) -> Qualification:
    """What is known with what a command adds. `Rejected` for a budget in another currency or below zero."""
    said = given(news)
    if said.get("budget"):
        said["budget"] = check_money(said["budget"], "budget", currency=currency)
        if said["budget"].amount < 0:
            raise Rejected("out-of-range", "A budget is not below zero.", field="budget.amount")
    return replace(known, **said)


def qualification_noted(lead_id: UUID, known: Qualification) -> LeadQualificationNoted:
    """The fact that this is known about a lead."""
    return LeadQualificationNoted(
        lead_id=lead_id,
        need_stated=known.need_stated,
        budget=known.budget,
        decision_chain_known=known.decision_chain_known,
        timeline=known.timeline,
        intent_to_cooperate=known.intent_to_cooperate,
    )


def activity_of(event: LeadActivityLogged) -> Activity:
    """The activity that an event tells of."""
    return Activity(
        id=event.activity_id,
        kind=event.kind,
        by=event.by,
        on=event.on,
        minutes=event.minutes,
        outcome=event.outcome,
        automatic=event.automatic,
        note=event.note,
    )
