"""How a department answers: it accepts, delivers or returns; that the due day has passed is told once (DEAL-12)."""

from dataclasses import replace
from typing import Any, ClassVar

from services.deals.domain.support_request.state import (
    AcceptedSupportRequest,
    DeliveredSupportRequest,
    ReturnedSupportRequest,
    SupportRequest,
    WaitingSupportRequest,
    become,
    days_late,
    support_request,
)
from shared.domain.aggregate import Decision, Occurrence, Timer
from shared.domain.context import Actor, Context, Moment
from shared.domain.fields import Text
from shared.domain.rejection import Rejected
from shared.domain.roles import EVERYBODY, ONLY_SERVICES
from shared.events.deals.support_request import (
    SupportDelivered,
    SupportRequestAccepted,
    SupportRequestOverdue,
    SupportRequestReturned,
)
from shared.events.definition import value


@value
class Accept:
    """Whoever asks takes care of it."""

    example: ClassVar[dict[str, Any]] = {}


@value
class Deliver:
    """The help is there."""

    reference: Text
    """Where it is: a document, a system, a talk."""

    example: ClassVar[dict[str, Any]] = {"reference": "CRM-DOC-204"}


@value
class ReturnToAsker:
    """Not to be helped with before the asker says more."""

    reason: Text

    example: ClassVar[dict[str, Any]] = {"reason": "Which size of company? The references differ a lot."}


@value
class NoteOverdue:
    """Note that the due day has passed."""


def of_department(state: SupportRequest, actor: Actor) -> None:
    """Refuse whoever does not work in the department that is asked."""
    if state.department not in actor.roles:
        raise Rejected("other-department", f"This is asked of the department {state.department}.")


@support_request.decides(allow=EVERYBODY, guard=of_department)
def accept(state: WaitingSupportRequest, command: Accept, context: Context) -> Decision:
    """Take care of it, as somebody of the department; also in place of a colleague."""
    if context.actor.member is None:
        raise Rejected("not-a-member", "Whoever takes care of it is a member of the organisation.")
    if context.actor.member == state.responsible:
        return []
    return [SupportRequestAccepted(support_request_id=state.id, responsible=context.actor.member)]


@support_request.decides(allow=EVERYBODY, guard=of_department)
def deliver(state: WaitingSupportRequest, command: Deliver, context: Context) -> Decision:
    """Deliver what was asked for, and say where it is."""
    return [
        SupportDelivered(
            support_request_id=state.id,
            deal_id=state.deal_id,
            department=state.department,
            responsible=state.responsible or context.actor.member,
            reference=command.reference,
            due=state.due,
            on=context.today,
            days_late=days_late(state, context),
        )
    ]


@support_request.decides(allow=EVERYBODY, guard=of_department)
def return_to_asker(state: WaitingSupportRequest, command: ReturnToAsker, context: Context) -> Decision:
    """Return it to the asker, who has to say more; the days of the department do not run meanwhile."""
    return [
        SupportRequestReturned(
            support_request_id=state.id,
            reason=command.reason,
            on=context.today,
            days_late=days_late(state, context),
        )
    ]


@support_request.decides(allow=ONLY_SERVICES)
def note_overdue(state: WaitingSupportRequest, command: NoteOverdue, context: Context) -> Decision:
    """Note that the due day has passed, as of the first moment of the day after it."""
    if state.is_told_overdue or context.now < state.overdue_from:
        return []
    told = SupportRequestOverdue(
        support_request_id=state.id,
        deal_id=state.deal_id,
        name=state.name,
        department=state.department,
        due=state.due,
        asked_by=state.asked_by,
        responsible=state.responsible,
        owner=state.owner,
        team=state.team,
        account_id=state.account_id,
    )
    return [Occurrence(event=told, at=Moment(state.overdue_from))]


@support_request.already
def is_delivered(state: DeliveredSupportRequest, command: Deliver) -> bool:
    return state.reference == command.reference


@support_request.already
def is_returned(state: ReturnedSupportRequest, command: ReturnToAsker) -> bool:
    return state.reason == command.reason


@support_request.evolves
def accepted(state: WaitingSupportRequest, event: SupportRequestAccepted) -> AcceptedSupportRequest:
    return become(AcceptedSupportRequest, state, responsible=event.responsible)


@support_request.evolves
def delivered(state: WaitingSupportRequest, event: SupportDelivered) -> DeliveredSupportRequest:
    return become(
        DeliveredSupportRequest,
        state,
        responsible=event.responsible,
        reference=event.reference,
        written=state.written or bool(event.reference),
        delivered_on=event.on,
        days_late=event.days_late,
    )


@support_request.evolves
def returned(state: WaitingSupportRequest, event: SupportRequestReturned) -> ReturnedSupportRequest:
    return become(
        ReturnedSupportRequest,
        state,
        reason=event.reason,
        written=state.written or bool(event.reason),
        returned_on=event.on,
        days_late=event.days_late,
    )


@support_request.evolves
def was_told_overdue(state: WaitingSupportRequest, event: SupportRequestOverdue) -> WaitingSupportRequest:
    return replace(state, is_told_overdue=True)


@support_request.timer
def overdue(state: WaitingSupportRequest) -> Timer | None:
    """One for each due day."""
    return None if state.is_told_overdue else Timer(due=state.overdue_from, command=NoteOverdue())
