"""Bitemporal fold of belonging: of which account a thing was from when to when, and whose it is (ACCT-1). Pure.

A thing that names its account late, like a lead that is converted, was with that account from the beginning; from when
it names another one, it is with that. So it is with one account at a time; but a lead that an account says it came from
is with that account as well.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from shared.domain.history import timed
from shared.events.chronology import Rank
from shared.events.contracts.contract import ContractActivated, ContractDrafted, ContractTermsChanged
from shared.events.deals.deal import DealHandedOver, DealOpened, DealRenamed
from shared.events.deals.deal_edit import DealAccountChanged
from shared.events.leads.account import AccountChanged, AccountHandedOver, AccountOpened
from shared.events.leads.lead import LeadAssigned, LeadCaptured, LeadConverted, LeadLeftUnassigned
from shared.events.receivables.ledger import InvoiceIssued, ReceiptRecorded
from shared.events.receivables.payment_plan import PlanDrawnUp

FACTS = (
    AccountOpened,
    AccountChanged,
    AccountHandedOver,
    LeadCaptured,
    LeadAssigned,
    LeadLeftUnassigned,
    LeadConverted,
    DealOpened,
    DealRenamed,
    DealHandedOver,
    DealAccountChanged,
    ContractDrafted,
    ContractTermsChanged,
    ContractActivated,
    PlanDrawnUp,
    InvoiceIssued,
    ReceiptRecorded,
)
"""The facts that say with which account a thing is, whose it is, or what it is called."""

BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Says:
    """What a fact says of its thing; `named` are the fields that it says something of, also that they are empty. `lead`
    is the one that an account came from."""

    named: Sequence[str]
    account: UUID | None = None
    lead: UUID | None = None
    name: str | None = None
    team: UUID | None = None
    owner: UUID | None = None
    rank: Rank | None = None
    on: date | None = None
    retracts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A fact as it was told of a thing."""

    data: Says
    occurred_at: datetime
    by_day: bool
    sequence: int
    fact: str | None
    causation_id: UUID


def says(data: Any) -> Says:
    """What an event says."""
    told: dict[str, Any] = {}
    match data:
        case AccountOpened():
            told = {"name": data.name, "team": data.team, "owner": data.owner, "lead": data.lead_id}
        case AccountChanged():
            told = {"name": data.name, "lead": data.lead_id}
        case DealRenamed():
            told = {"name": data.name}
        case LeadCaptured():
            told = {"name": data.company_name}
        case LeadAssigned():
            told = {"team": data.team_id, "owner": data.member_id}
        case LeadLeftUnassigned():
            told = {"team": data.team_id, "owner": None}
        case AccountHandedOver() | DealHandedOver():
            told = {"team": data.team, "owner": data.owner}
        case DealOpened() | ContractDrafted():
            told = {"account": data.account_id, "name": data.name, "team": data.team, "owner": data.owner}
        case PlanDrawnUp():
            told = {"account": data.account_id, "team": data.team, "owner": data.owner}
        case ContractTermsChanged():  # of a new owner and team it says nothing where they stay
            told = {"account": data.account_id, **_given(team=data.team, owner=data.owner)}
        case LeadConverted() | DealAccountChanged() | ContractActivated() | InvoiceIssued() | ReceiptRecorded():
            told = {"account": data.account_id}
    partly = getattr(data, "said", None)
    kept = {field: value for field, value in told.items() if partly is None or field == "lead" or field in partly}
    return Says(named=tuple(kept), rank=data.rank, on=getattr(data, "on", None), **kept)


def _given(**fields: UUID | None) -> dict[str, UUID]:
    return {field: value for field, value in fields.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """With which account a thing is from an instant until the next (None: still)."""

    account: UUID | None
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Belonging:
    """A thing as it stood: where it was when, what it is called and whose it is, and the leads that it came from."""

    stays: tuple[Stay, ...] = ()
    leads: frozenset[UUID] = frozenset()
    name: str | None = None
    team: UUID | None = None
    owner: UUID | None = None


def belonging(facts: Iterable[Said], as_of: datetime) -> Belonging | None:
    """A thing at an instant, by what was told of it; None before anything happened."""
    found = None
    for moment, fact in timed(facts):
        if moment > as_of:
            break
        found = _after(found or Belonging(), fact.data, moment)
    return found


def _after(before: Belonging, told: Says, moment: datetime) -> Belonging:
    changed = {field: getattr(told, field) for field in ("name", "team", "owner") if field in told.named}
    leads = before.leads | ({told.lead} if told.lead else set())
    stays = _with(before.stays, told.account, moment) if "account" in told.named else before.stays
    return replace(before, **changed, leads=leads, stays=stays)


def _with(stays: tuple[Stay, ...], account: UUID | None, moment: datetime) -> tuple[Stay, ...]:
    if not stays:
        return (Stay(account=account, since=BEGINNING),) if account else ()
    *earlier, last = stays
    if last.account == account:
        return stays
    return (*earlier, replace(last, until=moment), Stay(account=account, since=moment))
