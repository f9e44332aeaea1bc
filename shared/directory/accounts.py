"""Projection of accounts, for the services that name them: that they are there, their names, and whose they are; and of
the contacts at them (ACCT-1)."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from shared.domain.history import stated
from shared.events.definition import value
from shared.events.envelope import Envelope
from shared.events.leads.account import AccountChanged, AccountHandedOver, AccountOpened, ContactAdded
from shared.projections.columns import BY_LANGUAGE
from shared.projections.names import ACCOUNTS_OF_OTHERS
from shared.projections.projection import Projection, ProjectionDatabase
from shared.projections.tables import Row, Table


@value
class KnownAccount:
    """What other services know of an account."""

    id: UUID
    name: Annotated[str, BY_LANGUAGE]
    owner: UUID | None
    team: UUID | None
    industry: str | None
    size: int | None
    """How many people work there."""
    country: str | None


PROFILE = ("name", "industry", "size", "country")
"""What a change of an account tells."""


@value
class KnownContact:
    """At which account somebody is. Who they are, only leads know."""

    id: UUID
    account_id: UUID


def _opened(fact: Envelope[AccountOpened], row: Row) -> Row:
    return stated(fact.data, (*PROFILE, "owner", "team"), first=row["name"] is None)


ACCOUNT = Table(
    name="account",
    row=KnownAccount,
    events=(AccountOpened, AccountChanged, AccountHandedOver),
    changes={
        AccountOpened: _opened,
        AccountChanged: lambda fact, _: stated(fact.data, PROFILE),
        AccountHandedOver: lambda fact, _: stated(fact.data, ("owner", "team")),
    },
)

CONTACT = Table(
    name="contact",
    row=KnownContact,
    events=(ContactAdded,),
    changes={ContactAdded: lambda fact, _: {"account_id": fact.data.account_id}},
    keys=lambda fact: (fact.data.contact_id,),
)


async def apply(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    """What a batch of events changes of accounts, and of the contacts at them."""
    await ACCOUNT.apply(db, events)
    await CONTACT.apply(db, events)


KNOWN_ACCOUNTS = Projection(
    name=ACCOUNTS_OF_OTHERS,
    version=7,
    ddl=ACCOUNT.ddl + CONTACT.ddl,
    indices=(*ACCOUNT.index_ddl, *CONTACT.index_ddl),
    apply=apply,
    source="journal",
    events=(*ACCOUNT.events, *CONTACT.events),
)
