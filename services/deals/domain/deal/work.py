"""Work on a deal: what was done, and what is to be done next (DEAL-6)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from annotated_types import Ge, Le, MaxLen

from services.deals.domain.deal.contacts import KnownContacts, contact_faults
from services.deals.domain.deal.content import ContentUse, NamedContent, content_of, is_that_use
from services.deals.domain.deal.reminding import reminded_step, reminding
from services.deals.domain.deal.state import (
    Activity,
    AnyDeal,
    NextStep,
    OpenDeal,
    deal,
    said,
    written,
)
from shared.domain.aggregate import Decision, Occurrence
from shared.domain.context import Context, is_system
from shared.domain.fields import Day, Text
from shared.domain.money import check_money
from shared.domain.policy import InForce
from shared.domain.references import ActivityId, AnyMemberId, ContactId, ContentItemId
from shared.domain.rejection import Rejected, all_at_once, refuse_all
from shared.domain.roles import SELLING
from shared.domain.working_time.reminders import Reminders
from shared.events.deals.deal import DealActivityLogged, DealNextStepPlanned
from shared.events.deals.policy import NextSteps
from shared.events.definition import value
from shared.events.money import Money
from shared.events.working_hours import WorkingHours

ActivityKind = Literal["call", "email", "visit", "meeting", "demo"]


@value
class LogActivity:
    """Something was done for the deal, by the asking member."""

    kind: ActivityKind
    activity_id: ActivityId | None = None
    """The caller's own id, so that the same activity is logged once; default: made for every request."""
    on: Day | None = None
    """Default: today."""
    minutes: Annotated[int, Ge(0), Le(6000)] | None = None
    cost: Money | None = None
    outcome: Text | None = None
    contacts: Annotated[tuple[ContactId, ...], MaxLen(50)] = ()
    """Who took part at the customer's: contacts of the deal's account."""
    members: Annotated[tuple[AnyMemberId, ...], MaxLen(50)] = ()
    """Who took part beside the asking member, of whatever team."""
    content_id: ContentItemId | None = None
    """What was used of what is kept as content; it counts in the version that it has now."""
    content_use: ContentUse | None = None
    """Default, of content: sent."""
    next_step: NextStep | None = None
    """What is to happen next; it can be planned in the same breath."""

    example: ClassVar[dict[str, Any]] = {
        "kind": "meeting",
        "minutes": 60,
        "outcome": "The plant manager named two pains.",
        "next_step": {"on": "2026-12-07", "what": "Send the needs confirmation"},
    }


@value
class PlanNextStep:
    """What is to happen next, and when; without a day, explicitly nothing."""

    on: Day | None
    what: Text | None = None

    example: ClassVar[dict[str, Any]] = {"on": "2026-12-07", "what": "Walk through the quotation"}


@deal.decides(allow=SELLING)
def log_activity(
    state: OpenDeal,
    command: LogActivity,
    context: Context,
    *,
    next_steps: InForce[NextSteps],
    hours: InForce[WorkingHours],
    contacts: KnownContacts,
    content: NamedContent,
) -> Decision:
    """Log a call, e-mail, visit, meeting or demo, and plan what comes next."""
    activity_id = command.activity_id or context.derived_id("activity")
    on = command.on or context.today
    all_at_once(
        lambda: _check_new(state, activity_id),
        lambda: check_day(state, on, context),
        lambda: cost_of(command.cost, context),
        lambda: check_parties(state, command.contacts, context, contacts),
        lambda: content_of(command.content_id, command.content_use, content),
        lambda: _following(state, command, context, next_steps, hours),
    )
    logged = DealActivityLogged(
        deal_id=state.id,
        activity_id=activity_id,
        kind=command.kind,
        by=context.actor.member,
        on=on,
        minutes=command.minutes,
        cost=cost_of(command.cost, context),
        outcome=command.outcome,
        automatic=is_system(context.actor),
        contacts=command.contacts,
        members=command.members,
        content=content_of(command.content_id, command.content_use, content),
    )
    return [Occurrence(event=logged, at=context.moment(on)), *_following(state, command, context, next_steps, hours)]


@deal.decides(allow=SELLING)
def plan_next_step(
    state: OpenDeal,
    command: PlanNextStep,
    context: Context,
    *,
    next_steps: InForce[NextSteps],
    hours: InForce[WorkingHours],
) -> Decision:
    """Plan the next step, or say explicitly that there is none.

    People are reminded of a step that is due, as the policy next-steps says.
    """
    return planned(state, NextStep(on=command.on, what=command.what), context, next_steps, hours=hours, field="on")


@deal.already
def is_logged(state: OpenDeal, command: LogActivity) -> bool:
    return any(
        activity.id == command.activity_id
        and (activity.kind, activity.minutes, activity.cost, activity.outcome, activity.contacts, activity.members)
        == (command.kind, command.minutes, command.cost, command.outcome, command.contacts, command.members)
        and is_that_use(activity.content, command.content_id, command.content_use)
        and command.on in (None, activity.on)
        for activity in state.activities
    )


@deal.evolves
def activity_logged(state: OpenDeal, event: DealActivityLogged) -> OpenDeal:
    activity = Activity(
        id=event.activity_id,
        kind=event.kind,
        by=event.by,
        on=event.on,
        minutes=event.minutes,
        cost=event.cost,
        outcome=event.outcome,
        automatic=event.automatic,
        contacts=event.contacts,
        members=event.members,
        content=event.content,
    )
    return replace(state, activities=(*state.activities, activity), written=written(state, event.outcome))


@deal.evolves
def next_step_planned(state: OpenDeal, event: DealNextStepPlanned) -> OpenDeal:
    step = NextStep(on=event.on, what=event.what)
    reminders = Reminders(plan_id=event.step_id, planned=event.reminders) if event.step_id else None
    changes = said(state, "next-step", event.planned_on, step)
    return replace(state, next_step=step, reminders=reminders, changes=changes, written=written(state, event.what))


def planned(
    state: OpenDeal,
    step: NextStep,
    context: Context,
    next_steps: InForce[NextSteps],
    *,
    hours: InForce[WorkingHours],
    field: str,
) -> list[DealNextStepPlanned]:
    """The next step as a fact, with how long it keeps the deal from counting as silent and who is reminded of it, or
    nothing when it is planned already; `field` names its day in the command."""
    if state.next_step == step:
        return []
    if step.on and step.on < context.today:
        raise Rejected("in-the-past", "A next step lies in the future; log what was done as an activity.", field=field)
    rule = next_steps.of(team=state.team, process=state.process_id)
    furthest = context.today + timedelta(days=rule.document.days_ahead)
    return [
        DealNextStepPlanned(
            deal_id=state.id,
            on=step.on,
            what=step.what,
            planned_on=context.today,
            silence_until=min(step.on, furthest) if step.on else None,
            silence_version=rule.version if step.on else None,
            **reminding(state, step.on, context, rule.document, hours),
            reminded_step=reminded_step(state),
        )
    ]


def _check_new(state: OpenDeal, activity_id: UUID) -> None:
    known = (*(activity.id for activity in state.activities), *(gone.activity_id for gone in state.withdrawn))
    if activity_id in known:
        raise Rejected("already-logged", "Another activity was logged under this id.", field="activity_id")


def check_day(state: AnyDeal, on: date, context: Context) -> None:
    """Refuse a day on which nothing can have been done for the deal."""
    if on > context.today:
        raise Rejected("in-the-future", "An activity lies in the past; plan it as the next step.", field="on")
    if state.open_since and state.open_since != state.opening.on and on < state.open_since:
        # What came before the opening counts from there; what came while the deal was closed would count nowhere.
        raise Rejected("before-it-began", f"The deal is open again since {state.open_since}.", field="on")


def cost_of(cost: Money | None, context: Context) -> Money | None:
    """What an activity cost, once it can have; raises Rejected."""
    return check_money(cost, "cost", currency=context.company.currency) if cost else None


def check_parties(state: AnyDeal, contacts: Sequence[UUID], context: Context, known: KnownContacts) -> None:
    """Refuse contacts who cannot have taken part in an activity."""
    faults = list(contact_faults(state, contacts, "contacts.{}", context.actor, known))
    refuse_all("invalid-participants", "These people cannot have taken part.", faults)


def _following(
    state: OpenDeal,
    command: LogActivity,
    context: Context,
    next_steps: InForce[NextSteps],
    hours: InForce[WorkingHours],
) -> list[DealNextStepPlanned]:
    step = command.next_step
    return planned(state, step, context, next_steps, hours=hours, field="next_step.on") if step else []
