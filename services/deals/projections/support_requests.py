"""The list of support requests: what waits for each department, what is late there, and for how long."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from services.deals.domain.support_request import support_request
from shared.domain.aggregate import statuses
from shared.domain.roles import READING
from shared.events.deals.support_request import (
    SupportDelivered,
    SupportRequestAccepted,
    SupportRequestDealChanged,
    SupportRequested,
    SupportRequestedAgain,
    SupportRequestReturned,
    SupportRequestWithdrawn,
)
from shared.events.definition import value, words
from shared.events.envelope import Envelope
from shared.projections.columns import BY_LANGUAGE, SEARCHED, OfToday, working_days_since
from shared.projections.lists import Listing, at_least, at_most, equals, in_team, one_of, search
from shared.projections.projection import Projection
from shared.projections.tables import Row, Table

WAITS = "status in ('asked', 'accepted')"
"""Of a request that waits for the department."""


@value
class SupportRequestRow:
    """A support request in the list."""

    id: UUID
    version: int
    status: Annotated[str, words(statuses(support_request))]
    deal_id: UUID
    deal_name: Annotated[str, BY_LANGUAGE, SEARCHED]
    account_id: UUID | None
    process_id: UUID
    process_version: int
    stage: str
    """The stage that the help is for."""
    type: str | None
    """The support type of the process, by its key; none where no type names what is asked."""
    name: Annotated[str | None, SEARCHED]
    """What the type is called."""
    department: str
    owner: UUID | None
    """Whose deal it is."""
    team: UUID | None
    asked_by: UUID | None
    asked_on: date
    """The day on which it was asked, or asked again last."""
    needed_by: date | None
    due: date
    responsible: UUID | None
    """The member of the department who takes care of it."""
    ended_on: date | None
    """The day on which it was delivered or withdrawn."""
    overdue: Annotated[bool, OfToday(f"({WAITS} and due < {{today}})")]
    """Whether it waits for the department after its due day."""
    days_late: Annotated[int, OfToday(f"late_before + case when {WAITS} then {working_days_since('due')} else 0 end")]
    """The working days for which the deal was held up by it so far: from the due day to its delivery, or to today."""
    updated_at: datetime


@value
class SupportRequestDelay:
    """For how long it was late before it was returned, or ended."""

    late_before: int


def _requested(fact: Envelope[SupportRequested], row: Row) -> Row:
    event = fact.data
    return {
        "status": "asked",
        "deal_id": event.deal_id,
        "deal_name": event.deal_name,
        "account_id": event.account_id,
        "process_id": event.process_id,
        "process_version": event.process_version,
        "stage": event.stage,
        "type": event.support_type,
        "name": event.name,
        "department": event.department,
        "owner": event.owner,
        "team": event.team,
        "asked_by": event.asked_by,
        "asked_on": event.on,
        "needed_by": event.needed_by,
        "due": event.due,
        "late_before": 0,
    }


def _requested_again(fact: Envelope[SupportRequestedAgain], row: Row) -> Row:
    event = fact.data
    return {
        "status": "asked",
        "asked_by": event.asked_by,
        "asked_on": event.on,
        "needed_by": event.needed_by,
        "due": event.due,
        "responsible": None,
    }


def _delivered(fact: Envelope[SupportDelivered], row: Row) -> Row:
    event = fact.data
    return {
        "status": "delivered",
        "responsible": event.responsible,
        "ended_on": event.on,
        "late_before": event.days_late,
    }


def _withdrawn(fact: Envelope[SupportRequestWithdrawn], row: Row) -> Row:
    return {"status": "withdrawn", "ended_on": fact.data.on, "late_before": fact.data.days_late}


def _deal_changed(fact: Envelope[SupportRequestDealChanged], row: Row) -> Row:
    event = fact.data
    return {"deal_name": event.deal_name, "owner": event.owner, "team": event.team, "account_id": event.account_id}


SUPPORT_REQUEST = Table(
    name="support_request",
    row=SupportRequestRow,
    kept=SupportRequestDelay,
    events=support_request.events,
    changes={
        SupportRequested: _requested,
        SupportRequestedAgain: _requested_again,
        SupportRequestAccepted: lambda fact, _: {"status": "accepted", "responsible": fact.data.responsible},
        SupportDelivered: _delivered,
        SupportRequestReturned: lambda fact, _: {"status": "returned", "late_before": fact.data.days_late},
        SupportRequestWithdrawn: _withdrawn,
        SupportRequestDealChanged: _deal_changed,
    },
    # What a department asks each week, what whoever sells asks and whoever promised help, and what was asked on a deal.
    indices=(
        "(department, status, due)",
        "(owner, status, due)",
        "(team, status, due)",
        "(responsible, status, due)",
        "(due, id)",
        "(deal_id)",
    ),
)

SUPPORT_REQUEST_PROJECTION = Projection(
    name="support_requests",
    version=2,
    ddl=SUPPORT_REQUEST.ddl,
    indices=SUPPORT_REQUEST.index_ddl,
    apply=SUPPORT_REQUEST.apply,
    events=tuple(SUPPORT_REQUEST.events),
)

SUPPORT_REQUESTS = Listing(
    name="support-requests",
    projection=SUPPORT_REQUEST_PROJECTION,
    table="support_request",
    item=SupportRequestRow,
    key="id",
    filters={
        "status": one_of("status", statuses(support_request)),
        "department": equals("department"),
        "overdue": equals("overdue", bool),
        "due_from": at_least("due", date),
        "due_to": at_most("due", date),
        "deal": equals("deal_id", UUID),
        "account": equals("account_id", UUID),
        "type": equals("type"),
        "stage": equals("stage"),
        "owner": equals("owner", UUID),
        "team": in_team(),
        "asked_by": equals("asked_by", UUID),
        "responsible": equals("responsible", UUID),
        "q": search(),
    },
    sorts=("due", "asked_on", "deal_name"),
    default_sort="due",
    readers=READING,
)
