"""The list of leads."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from services.leads.domain.assignment import AssignmentRule
from services.leads.domain.contact_points import KnownKind
from services.leads.domain.lead import lead
from services.leads.domain.lead.closing import DisqualificationReason
from shared.domain.aggregate import statuses
from shared.domain.roles import READING
from shared.events.chronology import ORDER_OF_DAY
from shared.events.definition import value, words
from shared.events.envelope import Envelope
from shared.events.leads.lead import (
    LeadActivityLogged,
    LeadAssigned,
    LeadCaptured,
    LeadConverted,
    LeadDisqualified,
    LeadErased,
    LeadFollowUpPlanned,
    LeadLeftUnassigned,
    LeadMarkedDuplicate,
    LeadQualificationNoted,
)
from shared.events.money import Money
from shared.projections.columns import SEARCHED
from shared.projections.lists import Listing, at_least, at_most, equals, in_team, one_of, search
from shared.projections.projection import Projection
from shared.projections.tables import Change, Row, Table

PERSONAL = ("person_name", "email", "phone", "title")


@value
class LeadRow:
    """A lead in the list; nothing about its person is left once they are erased."""

    id: UUID
    version: int
    status: Annotated[str, words(statuses(lead))]
    source: str
    person_name: Annotated[str | None, SEARCHED]
    email: Annotated[str | None, SEARCHED]
    phone: Annotated[str | None, SEARCHED]
    title: str | None
    company_name: Annotated[str | None, SEARCHED]
    company_domain: str | None
    industry: str | None
    company_size: int | None
    country: str | None
    campaign: str | None
    acquisition_cost: Money | None
    owner: UUID | None
    """None while nobody has it: it stands in the public pool."""
    team: UUID | None
    rule: AssignmentRule | None
    """The rule that decided about the owner."""
    original_id: UUID | None
    original_kind: KnownKind | None
    candidates: tuple[UUID, ...]
    """Leads and accounts where others are known under the same e-mail address, who may be the same person."""
    need_stated: bool | None
    budget: Money | None
    decision_chain_known: bool | None
    last_activity_on: date | None
    follow_up: date | None
    account_id: UUID | None
    deal_id: UUID | None
    reason: DisqualificationReason | None
    """Why it was disqualified."""
    erased: bool
    assumptions: tuple[str, ...]
    """What had to be assumed: "order-of-day" of one that came to two ends on a day whose order nobody knows."""
    captured_at: datetime
    closed_at: datetime | None
    updated_at: datetime


@value
class LeadLinks:
    """To whom a lead led."""

    contact_id: UUID | None


def _captured(fact: Envelope[LeadCaptured], row: Row) -> Row:
    event = fact.data
    cost = event.acquisition_cost
    return {
        "status": "open",
        "source": event.source,
        **{name: getattr(event, name) for name in PERSONAL},
        "company_name": event.company_name,
        "company_domain": event.company_domain,
        "industry": event.industry,
        "company_size": event.company_size,
        "country": event.country,
        "campaign": event.campaign,
        "acquisition_cost": cost.amount if cost else None,
        "currency": cost.currency if cost else None,
        "candidates": event.candidates or (),
        "erased": False,
        "assumptions": (),
        "captured_at": fact.occurred_at,
    }


def _known_again(fact: Envelope[LeadMarkedDuplicate], row: Row) -> Row:
    event = fact.data
    return {
        "status": "duplicate",
        "original_id": event.original_id,
        "original_kind": event.original_kind,
        "owner": event.owner,
        "team": event.team,
    }


def _qualified(fact: Envelope[LeadQualificationNoted], row: Row) -> Row:
    event = fact.data
    return {
        "need_stated": event.need_stated,
        "decision_chain_known": event.decision_chain_known,
        "budget": event.budget.amount if event.budget else None,
        "currency": event.budget.currency if event.budget else row["currency"],
    }


def _converted(fact: Envelope[LeadConverted], row: Row) -> Row:
    event = fact.data
    return {
        "status": "converted",
        "account_id": event.account_id,
        "contact_id": event.contact_id,
        "deal_id": event.deal_id,
        "closed_at": fact.occurred_at,
    }


def _worked_on(fact: Envelope[LeadActivityLogged], row: Row) -> Row:
    days = [day for day in (row["last_activity_on"], fact.data.on) if day is not None]
    return {"last_activity_on": max(days, default=None)}


def _erased(fact: Envelope[LeadErased], row: Row) -> Row:
    ended = {"status": "erased", "closed_at": fact.occurred_at} if row["status"] == "open" else {}
    return {**dict.fromkeys(PERSONAL), **ended, "candidates": (), "erased": True}


def _owned(fact: Envelope[Any], row: Row) -> Row:
    event = fact.data
    return {"owner": getattr(event, "member_id", None), "team": event.team_id, "rule": event.rule}


def _given_up(fact: Envelope[LeadDisqualified], row: Row) -> Row:
    return {"status": "disqualified", "reason": fact.data.reason, "closed_at": fact.occurred_at}


def _while_open(change: Change) -> Change:
    """As the lead itself: what is told of the time after its end changes nothing about it."""
    return lambda fact, row: change(fact, row) if row["status"] == "open" else {}


LEAD = Table(
    name="lead",
    row=LeadRow,
    kept=LeadLinks,
    events=lead.events,
    changes={
        LeadCaptured: _captured,
        LeadMarkedDuplicate: _while_open(_known_again),
        LeadAssigned: _while_open(_owned),
        LeadLeftUnassigned: _while_open(_owned),
        LeadActivityLogged: _while_open(_worked_on),
        LeadFollowUpPlanned: _while_open(lambda fact, _: {"follow_up": fact.data.on}),
        LeadQualificationNoted: _while_open(_qualified),
        LeadConverted: _while_open(_converted),
        LeadDisqualified: _while_open(_given_up),
        LeadErased: _erased,
    },
    found_by=("person_name", "company_name", "email"),
    assumes=lambda *_: {"assumptions": (ORDER_OF_DAY,)},
    indices=(
        "(captured_at, id)",
        "(follow_up, id)",
        "(owner, status)",
        "(team)",
        "(email)",
        "(original_id)",
        "(contact_id)",
    ),
)

OPEN_THEN = """
select id, person_name, captured_at, owner, team from {view}.lead
 where email = $1 and closed_at > $2 and (captured_at, id) < ($2, $3)
   and status in ('converted', 'disqualified')
"""
"""The leads with an address that have ended, were open at an instant, and came before one of that instant."""

OF_PERSON = """
select id from {view}.lead
 where id = any($1) or original_id = any($1) or contact_id = any($2) or email = any($3) order by id
"""
"""The leads that are the same as some, became some contacts, or have some addresses."""

LEAD_PROJECTION = Projection(
    name="leads", version=9, ddl=LEAD.ddl, indices=LEAD.index_ddl, apply=LEAD.apply, events=tuple(LEAD.events)
)

LEADS = Listing(
    name="leads",
    projection=LEAD_PROJECTION,
    table="lead",
    item=LeadRow,
    key="id",
    filters={
        "status": one_of("status", statuses(lead)),
        "owner": equals("owner", UUID),
        "team": in_team(),
        "source": equals("source"),
        "campaign": equals("campaign"),
        "industry": equals("industry"),
        "original": equals("original_id", UUID),
        "account": equals("account_id", UUID),
        "follow_up_to": at_most("follow_up", date),
        "captured_from": at_least("captured_at", datetime),
        "captured_to": at_most("captured_at", datetime),
        "q": search(),
    },
    sorts=("captured_at", "follow_up"),
    default_sort="-captured_at",
    readers=READING,
)
