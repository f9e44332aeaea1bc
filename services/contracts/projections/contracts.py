"""The list of contracts."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from services.contracts.domain.contract import contract
from shared.domain.aggregate import statuses
from shared.domain.roles import READING
from shared.events.contracts.contract import (
    ContractActivated,
    ContractApproved,
    ContractDrafted,
    ContractFlagged,
    ContractRecalled,
    ContractReturned,
    ContractSigned,
    ContractSubmitted,
    ContractTermsChanged,
    ContractVoided,
)
from shared.events.definition import value, words
from shared.events.envelope import Envelope
from shared.events.money import Money
from shared.projections.columns import BY_LANGUAGE, SEARCHED
from shared.projections.lists import Listing, at_least, at_most, equals, in_currency, in_team, one_of, search
from shared.projections.projection import Projection
from shared.projections.tables import Row, Table


@value
class ContractRow:
    """A contract in the list."""

    id: UUID
    version: int
    name: Annotated[str, BY_LANGUAGE, SEARCHED]
    status: Annotated[str, words(statuses(contract))]
    total: Money
    deal_id: UUID | None
    account_id: UUID | None
    owner: UUID | None
    team: UUID | None
    flagged: str | None
    """Why somebody should look at it."""
    drafted_at: datetime
    signed_on: date | None
    activated_on: date | None
    updated_at: datetime


def _drafted(fact: Envelope[ContractDrafted], row: Row) -> Row:
    event = fact.data
    return {
        "name": event.name,
        "status": "drafted",
        "total": event.total.amount,
        "currency": event.total.currency,
        "deal_id": event.deal_id,
        "account_id": event.account_id,
        "owner": event.owner,
        "team": event.team,
        "drafted_at": fact.occurred_at,
    }


def _agreed(fact: Envelope[ContractTermsChanged], row: Row) -> Row:
    event = fact.data
    return {
        "total": event.total.amount,
        "currency": event.total.currency,
        "account_id": event.account_id,
        "owner": event.owner or row["owner"],
        "team": event.team or row["team"],
    }


def _signed(fact: Envelope[ContractSigned], row: Row) -> Row:
    return {"status": "signed", "signed_on": max(fact.data.signed_by_us, fact.data.signed_by_customer)}


def _activated(fact: Envelope[ContractActivated], row: Row) -> Row:
    return {"status": "active", "activated_on": fact.data.on, "account_id": fact.data.account_id}


CONTRACT = Table(
    name="contract",
    row=ContractRow,
    events=contract.events,
    changes={
        ContractDrafted: _drafted,
        ContractTermsChanged: _agreed,
        ContractSubmitted: lambda *_: {"status": "submitted"},
        ContractApproved: lambda *_: {"status": "approved"},
        ContractReturned: lambda *_: {"status": "drafted"},
        ContractRecalled: lambda *_: {"status": "drafted"},
        ContractSigned: _signed,
        ContractActivated: _activated,
        ContractVoided: lambda *_: {"status": "voided"},
        ContractFlagged: lambda fact, _: {"flagged": fact.data.reason},
    },
    indices=("(drafted_at, id)", "(deal_id)", "(account_id)", "(status, drafted_at)"),
)

CONTRACT_PROJECTION = Projection(
    name="contracts",
    version=8,
    ddl=CONTRACT.ddl,
    indices=CONTRACT.index_ddl,
    apply=CONTRACT.apply,
    events=tuple(CONTRACT.events),
)

CONTRACTS = Listing(
    name="contracts",
    projection=CONTRACT_PROJECTION,
    table="contract",
    item=ContractRow,
    key="id",
    filters={
        "status": one_of("status", statuses(contract)),
        "deal": equals("deal_id", UUID),
        "account": equals("account_id", UUID),
        "currency": in_currency(),
        "owner": equals("owner", UUID),
        "team": in_team(),
        "drafted_from": at_least("drafted_at", datetime),
        "drafted_to": at_most("drafted_at", datetime),
        "q": search(),
    },
    sorts=("drafted_at", "total", "name"),
    default_sort="-drafted_at",
    readers=READING,
)
