"""The lists of accounts and of their contacts (ACCT-1)."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, get_args
from uuid import UUID

from services.leads.domain.account.state import KEPT_BY, PROFILE, account
from services.leads.domain.fields import ActivityKind
from shared.domain.fields import BuyingRole
from shared.domain.history import stated
from shared.domain.roles import READING
from shared.events.definition import value
from shared.events.envelope import Envelope
from shared.events.leads.account import (
    AccountChanged,
    AccountFollowUpPlanned,
    AccountHandedOver,
    AccountOpened,
    ContactAdded,
    ContactErased,
)
from shared.projections.columns import BY_LANGUAGE, SEARCHED
from shared.projections.lists import Listing, at_most, equals, in_team, one_of, search
from shared.projections.projection import Projection, ProjectionDatabase
from shared.projections.tables import Row, Table

PERSONAL = ("name", "email", "phone", "title")


@value
class AccountRow:
    """An account in the list."""

    id: UUID
    version: int
    name: Annotated[str, BY_LANGUAGE, SEARCHED]
    domain: Annotated[str | None, SEARCHED]
    industry: str | None
    size: int | None
    country: str | None
    parent_id: UUID | None
    owner: UUID | None
    team: UUID | None
    lead_id: UUID | None
    """The lead that it came from."""
    follow_up: date | None
    follow_up_kind: ActivityKind | None
    """What is to be done then; null: it is not said."""
    opened_at: datetime
    updated_at: datetime


@value
class ContactRow:
    """A contact in the list; nothing about the person is left once they are erased."""

    id: UUID
    version: int
    """The version of the account at the contact's last change."""
    account_id: UUID
    buying_role: BuyingRole | None
    name: Annotated[str | None, SEARCHED]
    email: Annotated[str | None, SEARCHED]
    phone: Annotated[str | None, SEARCHED]
    title: str | None
    erased: bool
    added_at: datetime
    updated_at: datetime


def _profile(fact: Envelope[Any], row: Row) -> Row:
    lead_id = fact.data.lead_id or row["lead_id"]
    return {**stated(fact.data, PROFILE), "lead_id": lead_id}


def _opened(fact: Envelope[AccountOpened], row: Row) -> Row:
    event = fact.data
    return {
        **stated(event, (*PROFILE, *KEPT_BY), first=row["name"] is None),
        "lead_id": event.lead_id or row["lead_id"],
        "opened_at": row["opened_at"] or fact.occurred_at,
    }


def _kept(fact: Envelope[Any], row: Row) -> Row:
    return stated(fact.data, KEPT_BY)


def _added(fact: Envelope[ContactAdded], row: Row) -> Row:
    event = fact.data
    return {
        "account_id": event.account_id,
        "buying_role": event.buying_role,
        **{name: getattr(event, name) for name in PERSONAL},
        "erased": bool(row["erased"]),
        "added_at": fact.occurred_at,
    }


def _planned(fact: Envelope[AccountFollowUpPlanned], row: Row) -> Row:
    return {"follow_up": fact.data.on, "follow_up_kind": fact.data.kind}


ACCOUNT = Table(
    name="account",
    row=AccountRow,
    events=account.events,
    changes={
        AccountOpened: _opened,
        AccountChanged: _profile,
        AccountHandedOver: _kept,
        AccountFollowUpPlanned: _planned,
    },
    indices=("(name_key, id)", "(opened_at, id)", "(follow_up, id)", "(owner)", "(team)", "(parent_id)"),
    found_by=("name", "domain"),
)

CONTACT = Table(
    name="contact",
    row=ContactRow,
    events=(ContactAdded, ContactErased),
    changes={ContactAdded: _added, ContactErased: lambda fact, row: {**dict.fromkeys(PERSONAL), "erased": True}},
    keys=lambda fact: (fact.data.contact_id,),
    indices=("(account_id)", "(added_at, id)", "(email)"),
    found_by=("name", "email"),
)

DDL = f"""
{ACCOUNT.ddl}
{CONTACT.ddl}
create view {{view}}.contact_of_account as
    select c.*, a.owner, a.team from {{view}}.contact c join {{view}}.account a on a.id = c.account_id;
"""  # noqa: S608 — names of our own tables


async def apply(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    """What a batch of events changes in the lists."""
    await ACCOUNT.apply(db, events)
    await CONTACT.apply(db, events)


AT = "select distinct account_id from {view}.contact where email = any($1) order by account_id"
"""The accounts where people have some addresses."""

ACCOUNT_PROJECTION = Projection(
    name="accounts",
    version=11,
    ddl=DDL,
    indices=(*ACCOUNT.index_ddl, *CONTACT.index_ddl),
    apply=apply,
    events=tuple(ACCOUNT.events),
)

ACCOUNTS = Listing(
    name="accounts",
    projection=ACCOUNT_PROJECTION,
    table="account",
    item=AccountRow,
    key="id",
    filters={
        "owner": equals("owner", UUID),
        "team": in_team(),
        "parent": equals("parent_id", UUID),
        "industry": equals("industry"),
        "country": equals("country"),
        "domain": equals("domain"),
        "follow_up_to": at_most("follow_up", date),
        "q": search(),
    },
    sorts=("name", "opened_at", "follow_up"),
    default_sort="name",
    readers=READING,
)

CONTACTS = Listing(
    name="contacts",
    projection=ACCOUNT_PROJECTION,
    table="contact_of_account",
    item=ContactRow,
    key="id",
    filters={
        "account": equals("account_id", UUID),
        "buying_role": one_of("buying_role", get_args(BuyingRole)),
        "q": search(),
    },
    sorts=("added_at",),
    default_sort="-added_at",
    readers=READING,
)
