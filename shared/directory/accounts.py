"""Projection of accounts, for the services that name them: that they are there, their names, and whose they are
(ACCT-1)."""

from typing import Annotated
from uuid import UUID

from shared.domain.history import stated
from shared.events.definition import value
from shared.events.envelope import Envelope
from shared.events.leads.account import AccountChanged, AccountHandedOver, AccountOpened
from shared.projections.columns import BY_LANGUAGE
from shared.projections.names import ACCOUNTS_OF_OTHERS
from shared.projections.projection import Projection
from shared.projections.tables import Row, Table


@value
class KnownAccount:
    """What other services know of an account."""

    id: UUID
    name: Annotated[str, BY_LANGUAGE]
    owner: UUID | None
    team: UUID | None


def _opened(fact: Envelope[AccountOpened], row: Row) -> Row:
    return stated(fact.data, ("name", "owner", "team"), first=row["name"] is None)


ACCOUNT = Table(
    name="account",
    row=KnownAccount,
    events=(AccountOpened, AccountChanged, AccountHandedOver),
    changes={
        AccountOpened: _opened,
        AccountChanged: lambda fact, _: stated(fact.data, ("name",)),
        AccountHandedOver: lambda fact, _: stated(fact.data, ("owner", "team")),
    },
)

KNOWN_ACCOUNTS = Projection(
    name=ACCOUNTS_OF_OTHERS,
    version=5,
    ddl=ACCOUNT.ddl,
    indices=ACCOUNT.index_ddl,
    apply=ACCOUNT.apply,
    source="journal",
    events=tuple(ACCOUNT.events),
)
