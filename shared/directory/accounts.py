"""Projection of accounts, for the services that name them: that they are there, and whose they are (ACCT-1)."""

from shared.domain.history import stated
from shared.events.envelope import Envelope
from shared.events.leads.account import AccountHandedOver, AccountOpened
from shared.projections.projection import Projection
from shared.projections.tables import Row, Table


def _kept(fact: Envelope[AccountOpened | AccountHandedOver], row: Row) -> Row:
    return stated(fact.data, ("owner", "team"))


ACCOUNT = Table(
    name="account",
    columns={"id": "uuid primary key", "owner": "uuid", "team": "uuid"},
    changes={AccountOpened: _kept, AccountHandedOver: _kept},
)

KNOWN_ACCOUNTS = Projection(
    name="known_accounts",
    version=3,
    ddl=ACCOUNT.ddl,
    apply=ACCOUNT.apply,
    source="journal",
    events=tuple(ACCOUNT.changes),
)
