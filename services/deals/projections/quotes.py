"""The list of quotes: what customers are offered, what waits for a decision, and what was accepted (DEAL-8)."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from services.deals.domain.quote import quote
from services.deals.quote_print.sheet import number_of
from shared.domain.aggregate import statuses
from shared.domain.roles import READING
from shared.events.deals.quote import (
    QuoteAccepted,
    QuoteApproved,
    QuoteChanged,
    QuoteDealChanged,
    QuoteDeclined,
    QuoteDeliveryAssessed,
    QuoteDrafted,
    QuoteExpired,
    QuoteOpened,
    QuotePriceApproved,
    QuoteRecalled,
    QuoteReturned,
    QuoteRevised,
    QuoteSent,
    QuoteSetAside,
    QuoteSubmitted,
    QuoteTotals,
    QuoteWithdrawn,
)
from shared.events.definition import Exact, value, words
from shared.events.envelope import Envelope
from shared.projections.columns import BY_LANGUAGE, SEARCHED
from shared.projections.lists import Listing, at_least, at_most, equals, in_currency, in_team, known, one_of, search
from shared.projections.projection import Projection
from shared.projections.tables import Row, Table


@value
class QuoteRow:
    """A quote in the list, as its present version stands."""

    id: UUID
    version: int
    status: Annotated[str, words(statuses(quote))]
    deal_id: UUID
    deal_name: Annotated[str, BY_LANGUAGE, SEARCHED]
    account_id: UUID | None
    quote_version: int
    """Of the quote, counted from 1; `version` is that of its stream."""
    currency: str
    net: Exact
    """What it comes to without tax."""
    total: Exact
    """What the customer pays: net with tax."""
    discount_percent: Exact
    """How far net lies below the list prices, as of its submission where there was one."""
    lines: int
    """How many it has."""
    valid_until: date | None
    needs_assessment: bool
    """Whether product is asked about the delivery of the present version, or was."""
    assessed_on: date | None
    """The day on which product said whether it can be delivered."""
    is_price_approved: bool
    drafted_on: date
    """The day on which the present version was begun."""
    sent_on: date | None
    opened_on: date | None
    ended_on: date | None
    """The day on which it was accepted, declined, withdrawn or set aside, or the last one before it expired."""
    owner: UUID | None
    """Whose deal it is."""
    team: UUID | None
    updated_at: datetime


@value
class QuoteKept:
    """What a customer calls a quote by."""

    number: str


def _of_totals(totals: QuoteTotals) -> Row:
    return {
        "net": totals.net,
        "total": totals.total,
        "discount_percent": totals.discount_percent,
        "lines": len(totals.lines),
    }


UNDECIDED: Row = {"needs_assessment": False, "assessed_on": None, "is_price_approved": False}
"""Of a version that was not submitted, or is a draft again."""


def _drafted(fact: Envelope[QuoteDrafted], row: Row) -> Row:
    event = fact.data
    return {
        "status": "drafted",
        "number": number_of(fact.aggregate_id),
        "deal_id": event.deal_id,
        "deal_name": event.deal_name,
        "account_id": event.account_id,
        "quote_version": event.quote_version,
        "currency": event.currency,
        "valid_until": event.valid_until,
        "drafted_on": event.on,
        "owner": event.owner,
        "team": event.team,
        **_of_totals(event.totals),
        **UNDECIDED,
    }


def _revised(fact: Envelope[QuoteRevised], row: Row) -> Row:
    event = fact.data
    return {
        "status": "drafted",
        "quote_version": event.quote_version,
        "valid_until": None,
        "drafted_on": event.on,
        "sent_on": None,
        "opened_on": None,
        "ended_on": None,
        **UNDECIDED,
    }


def _ended(status: str) -> Any:
    return lambda fact, _: {"status": status, "ended_on": fact.data.on}


def _deal_changed(fact: Envelope[QuoteDealChanged], row: Row) -> Row:
    event = fact.data
    return {"deal_name": event.deal_name, "owner": event.owner, "team": event.team, "account_id": event.account_id}


QUOTE = Table(
    name="quote",
    row=QuoteRow,
    kept=QuoteKept,
    events=quote.events,
    changes={
        QuoteDrafted: _drafted,
        QuoteChanged: lambda fact, _: {"valid_until": fact.data.valid_until, **_of_totals(fact.data.totals)},
        QuoteSubmitted: lambda fact, _: {
            "status": "submitted",
            "needs_assessment": fact.data.needs_assessment,
            "discount_percent": fact.data.discount_percent,
        },
        QuotePriceApproved: lambda *_: {"is_price_approved": True},
        QuoteDeliveryAssessed: lambda fact, _: {"assessed_on": fact.data.on},
        QuoteApproved: lambda *_: {"status": "approved"},
        QuoteReturned: lambda *_: {"status": "drafted", **UNDECIDED},
        QuoteRecalled: lambda *_: {"status": "drafted", **UNDECIDED},
        QuoteSent: lambda fact, _: {
            "status": "sent",
            "sent_on": fact.data.on,
            "valid_until": fact.data.valid_until,
        },
        QuoteOpened: lambda fact, _: {"opened_on": fact.data.on},
        QuoteAccepted: _ended("accepted"),
        QuoteDeclined: _ended("declined"),
        QuoteExpired: lambda fact, _: {"status": "expired", "ended_on": fact.data.valid_until},
        QuoteWithdrawn: _ended("withdrawn"),
        QuoteSetAside: _ended("set-aside"),
        QuoteRevised: _revised,
        QuoteDealChanged: _deal_changed,
    },
    found_by=("number", "deal_name"),
    # What was quoted on a deal, what runs out next, and what whoever sells has on offer.
    indices=("(deal_id)", "(status, valid_until, id)", "(owner, status)", "(team, status)", "(drafted_on, id)"),
)

QUOTE_PROJECTION = Projection(
    name="quotes",
    version=3,
    ddl=QUOTE.ddl,
    indices=QUOTE.index_ddl,
    apply=QUOTE.apply,
    events=tuple(QUOTE.events),
)

QUOTES = Listing(
    name="quotes",
    projection=QUOTE_PROJECTION,
    table="quote",
    item=QuoteRow,
    key="id",
    filters={
        "status": one_of("status", statuses(quote)),
        "deal": equals("deal_id", UUID),
        "account": equals("account_id", UUID),
        "owner": equals("owner", UUID),
        "team": in_team(),
        "currency": in_currency(),
        "needs_assessment": equals("needs_assessment", bool),
        "assessed": known("assessed_on"),
        "valid_until_from": at_least("valid_until", date),
        "valid_until_to": at_most("valid_until", date),
        "q": search(),
    },
    sorts=("drafted_on", "valid_until", "net", "deal_name"),
    default_sort="-drafted_on",
    readers=READING,
)
