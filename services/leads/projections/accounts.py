"""The lists of accounts and of their contacts (ACCT-1)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, get_args
from uuid import UUID

from services.leads.domain.account.state import KEPT_BY, PROFILE
from services.leads.domain.fields import BuyingRole
from shared.domain.history import stated
from shared.domain.roles import READING
from shared.events.definition import value
from shared.events.envelope import Envelope
from shared.events.leads.account import AccountChanged, AccountHandedOver, AccountOpened, ContactAdded, ContactErased
from shared.projections.lists import Listing, equals, in_team, one_of, search
from shared.projections.projection import Projection, ProjectionDatabase
from shared.projections.tables import Row, Table

PERSONAL = ("name", "email", "phone", "title")


def _profile(fact: Envelope[Any], row: Row) -> Row:
    lead_id = fact.data.lead_id or row["lead_id"]
    return {**stated(fact.data, PROFILE), "lead_id": lead_id, "updated_at": fact.recorded_at}


def _opened(fact: Envelope[AccountOpened], row: Row) -> Row:
    event = fact.data
    return {
        **stated(event, (*PROFILE, *KEPT_BY), first=row["name"] is None),
        "updated_at": fact.recorded_at,
        "lead_id": event.lead_id or row["lead_id"],
        "opened_at": row["opened_at"] or fact.occurred_at,
    }


def _kept(fact: Envelope[Any], row: Row) -> Row:
    return {**stated(fact.data, KEPT_BY), "updated_at": fact.recorded_at}


def _touched(fact: Envelope[Any], row: Row) -> Row:
    return {"updated_at": fact.recorded_at}


def _added(fact: Envelope[ContactAdded], row: Row) -> Row:
    event = fact.data
    return {
        "account_id": event.account_id,
        "buying_role": event.buying_role,
        **{name: getattr(event, name) for name in PERSONAL},
        "erased": bool(row["erased"]),
        "added_at": fact.occurred_at,
    }


ACCOUNT = Table(
    name="account",
    searched=("name", "domain"),
    by_language=("name",),
    columns={
        "id": "uuid primary key",
        "version": "bigint not null",
        "name": "text not null",
        "domain": "text",
        "industry": "text",
        "size": "integer",
        "country": "text",
        "parent_id": "uuid",
        "owner": "uuid",
        "team": "uuid",
        "lead_id": "uuid",
        "opened_at": "timestamptz not null",
        "updated_at": "timestamptz not null",
    },
    changes={
        AccountOpened: _opened,
        AccountChanged: _profile,
        AccountHandedOver: _kept,
        ContactAdded: _touched,
        ContactErased: _touched,
    },
)

CONTACT = Table(
    name="contact",
    searched=("name", "email", "phone"),
    columns={
        "id": "uuid primary key",
        "version": "bigint not null",
        "account_id": "uuid not null",
        "buying_role": "text",
        "name": "text",
        "email": "text",
        "phone": "text",
        "title": "text",
        "erased": "boolean not null",
        "added_at": "timestamptz not null",
    },
    changes={ContactAdded: _added, ContactErased: lambda fact, row: {**dict.fromkeys(PERSONAL), "erased": True}},
    keys=lambda fact: (fact.data.contact_id,),
)

DDL = f"""
{ACCOUNT.ddl}
{CONTACT.ddl}
create index on {{view}}.account (name_key, id);
create index on {{view}}.account (opened_at, id);
create index on {{view}}.account (owner);
create index on {{view}}.account (team);
create index on {{view}}.account (parent_id);
create index on {{view}}.contact (account_id);
create index on {{view}}.contact (added_at, id);
create view {{view}}.contact_of_account as
    select {", ".join(f"c.{name}" for name in CONTACT.columns)}, c.search_key || ' ' || a.name_key as search_key,
           a.name as account_name, a.name_key as account_name_key, a.owner, a.team
      from {{view}}.contact c join {{view}}.account a on a.id = c.account_id;
"""  # noqa: S608 — names of our own tables


async def apply(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    """What a batch of events changes in the lists."""
    await ACCOUNT.apply(db, events)
    await CONTACT.apply(db, events)


@value
class AccountRow:
    """An account in the list."""

    id: UUID
    version: int
    name: str
    domain: str | None
    industry: str | None
    size: int | None
    country: str | None
    parent_id: UUID | None
    owner: UUID | None
    team: UUID | None
    lead_id: UUID | None
    """The lead that it came from."""
    opened_at: datetime
    updated_at: datetime


@value
class ContactRow:
    """A contact in the list; nothing about the person is left once they are erased."""

    id: UUID
    version: int
    """The version of the account at the contact's last change."""
    account_id: UUID
    account_name: str
    buying_role: BuyingRole | None
    name: str | None
    email: str | None
    phone: str | None
    title: str | None
    erased: bool
    added_at: datetime


ACCOUNT_PROJECTION = Projection(name="accounts", version=5, ddl=DDL, apply=apply, events=tuple(ACCOUNT.changes))

ACCOUNTS = Listing(
    name="accounts",
    by_language=("name",),
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
        "q": search(),
    },
    sorts=("name", "opened_at", "updated_at"),
    default_sort="name",
    readers=READING,
)

CONTACTS = Listing(
    name="contacts",
    by_language=("account_name",),
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
