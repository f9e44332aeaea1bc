"""Events of a support request: help that a sale asks of another department, until it is delivered (DEAL-12)."""

from datetime import date, datetime
from uuid import UUID

from shared.events.definition import AsKnown, FreeText, event


@event("deals.support-requested", aggregate="support-request")
class SupportRequested:
    """Help was asked of a department, on a deal and a stage of its process."""

    support_request_id: UUID
    deal_id: UUID
    deal_name: str
    process_id: UUID
    process_version: int
    stage: str
    """The stage that the help is for: that of the type, else the one in which the deal stood."""
    after_the_win: bool
    """Whether that is a stage of the contract: then the request goes on when the deal is won."""
    support_type: str | None
    """The support type of the process, by its key; none where no type names what is asked."""
    name: str | None
    """What the type is called."""
    department: str
    """The role whose people are asked, like presales."""
    days: int
    """The working days within which it is promised."""
    what: FreeText[str] = ""
    needed_by: date | None
    on: date
    """The company's day on which it was asked."""
    due: date
    """As many working days later, or the day by which it is needed where that is later."""
    overdue_from: datetime
    """The first instant (UTC) at which it is overdue."""
    asked_by: UUID | None
    """The member who asked."""
    others: tuple[UUID, ...] = ()
    """What else had been asked on the deal."""
    owner: UUID | None
    """Whose deal it is."""
    team: UUID | None
    account_id: UUID | None


@event("deals.support-requested-again", aggregate="support-request")
class SupportRequestedAgain:
    """What had been returned was asked again, with more said; the department has its days anew."""

    support_request_id: UUID
    what: FreeText[str] = ""
    needed_by: date | None
    on: date
    due: date
    overdue_from: datetime
    asked_by: UUID | None
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.support-request-accepted", aggregate="support-request")
class SupportRequestAccepted:
    """Somebody of the department takes care of it, or takes it over from another one there."""

    support_request_id: UUID
    responsible: UUID
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.support-delivered", aggregate="support-request")
class SupportDelivered:
    """The help is there."""

    support_request_id: UUID
    deal_id: UUID
    department: str
    responsible: UUID | None
    """Whoever had accepted it, else who delivers."""
    reference: FreeText[str] = ""
    """Where it is."""
    due: date
    on: date
    days_late: int
    """The working days between due and delivery, with those of before it was returned."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.support-request-returned", aggregate="support-request")
class SupportRequestReturned:
    """The department cannot help before the asker says more."""

    support_request_id: UUID
    reason: FreeText[str] = ""
    on: date
    days_late: int
    """The working days for which it was overdue until then."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.support-request-withdrawn", aggregate="support-request")
class SupportRequestWithdrawn:
    """Nobody needs the help any more."""

    support_request_id: UUID
    cause: str
    """asker, deal-won, deal-lost or deal-abandoned."""
    on: date
    days_late: int
    """The working days for which it was overdue until then."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.support-request-overdue", aggregate="support-request")
class SupportRequestOverdue:
    """The due day has passed, and the help is not there: told once for each due day."""

    support_request_id: UUID
    deal_id: UUID
    name: str | None
    department: str
    due: date
    asked_by: UUID | None
    responsible: UUID | None
    """Who has accepted it; nobody yet."""
    owner: UUID | None
    team: UUID | None
    account_id: UUID | None


@event("deals.support-request-deal-changed", aggregate="support-request")
class SupportRequestDealChanged:
    """The deal that it is for is called otherwise, or has another owner or customer; and so has it."""

    support_request_id: UUID
    deal_name: str
    owner: UUID | None
    team: UUID | None
    account_id: UUID | None = None


@event("deals.support-request-texts-erased", aggregate="support-request", erases="support_request_id")
class SupportRequestTextsErased:
    """What people wrote in it until then is gone, as is what they wrote about the deal (DATA-4)."""

    support_request_id: UUID
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None
