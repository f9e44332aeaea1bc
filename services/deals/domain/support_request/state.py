"""What is known of a support request, the states that it can stand in, and when it is due (DEAL-12)."""

from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from shared.domain.aggregate import Aggregate, carried
from shared.domain.context import Context
from shared.domain.roles import READING
from shared.events.definition import value


@value
class NoSupportRequest:
    """Nothing was asked under this id."""


@value
class SupportRequest:
    """What is known of a support request, whatever its state. It belongs to whom its deal belongs to."""

    id: UUID
    deal_id: UUID
    deal_name: str
    process_id: UUID
    process_version: int
    stage: str
    after_the_win: bool
    """Whether it is for a stage of the contract, and goes on when the deal is won."""
    type: str | None
    name: str | None
    department: str
    days: int
    what: str
    written: bool
    """Whether there is anything that somebody wrote in it, in whatever state (DATA-4)."""
    needed_by: date | None
    asked_by: UUID | None
    asked_on: date
    """The day on which it was asked, or asked again last."""
    due: date
    overdue_from: datetime
    is_told_overdue: bool
    """Whether it was told that this due day has passed."""
    days_late: int
    """The working days for which it was overdue before it was returned, or ended; the present ones of an open one are
    not among them."""
    responsible: UUID | None
    owner: UUID | None
    team: UUID | None
    account_id: UUID | None


@value
class AskedSupportRequest(SupportRequest):
    """The department is asked, and nobody there has accepted."""


@value
class AcceptedSupportRequest(SupportRequest):
    """Somebody of the department takes care of it."""


@value
class ReturnedSupportRequest(SupportRequest):
    """The asker has to say more, or to withdraw it; the department's days do not run."""

    reason: str
    returned_on: date


@value
class DeliveredSupportRequest(SupportRequest):
    """The help is there."""

    reference: str
    delivered_on: date


@value
class WithdrawnSupportRequest(SupportRequest):
    """Nobody needs it any more."""

    cause: str
    withdrawn_on: date


WaitingSupportRequest = AskedSupportRequest | AcceptedSupportRequest
"""It waits for the department."""
OpenSupportRequest = AskedSupportRequest | AcceptedSupportRequest | ReturnedSupportRequest
AnySupportRequest = (
    AskedSupportRequest
    | AcceptedSupportRequest
    | ReturnedSupportRequest
    | DeliveredSupportRequest
    | WithdrawnSupportRequest
)

support_request = Aggregate("support-request", plural="support-requests", start=NoSupportRequest, readers=READING)

Kind = TypeVar("Kind", bound=SupportRequest)


def become(kind: type[Kind], state: SupportRequest, **changes: Any) -> Kind:
    """The request in another state, with what changes on the way."""
    return kind(**(carried(state, SupportRequest) | changes))


def due_day(asked: date, days: int, needed_by: date | None, context: Context) -> date:
    """The day by which help is due: so many working days of the company after the day it was asked.

    A later day by which it is needed gives the department that long. An earlier one is a wish that it is told of: it
    shortens nothing that the process promises.
    """
    promised = context.company.calendar.after(asked, days)
    return max(promised, needed_by) if needed_by else promised


def days_late(state: AnySupportRequest, context: Context) -> int:
    """The working days for which a request was overdue by now: its deal was held up for so long."""
    waits = isinstance(state, WaitingSupportRequest)
    return state.days_late + (context.company.calendar.between(state.due, context.today) if waits else 0)
