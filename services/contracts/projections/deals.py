"""The deals as contracts know them: that they are there, whose they are, and with which account (CON-1)."""

from typing import Any
from uuid import UUID

from shared.commands.references import Listed
from shared.domain.roles import READING
from shared.events.deals.deal import DealHandedOver, DealOpened
from shared.events.deals.deal_edit import DealAccountChanged
from shared.events.definition import value
from shared.events.envelope import Envelope
from shared.projections.projection import Projection
from shared.projections.tables import Row, Table


@value
class KnownDeal:
    """What contracts know of a deal."""

    id: UUID
    owner: UUID | None
    team: UUID | None
    account_id: UUID | None


def _opened(fact: Envelope[DealOpened], row: Row) -> Row:
    return {**_kept(fact, row), "account_id": fact.data.account_id}


def _kept(fact: Envelope[Any], row: Row) -> Row:
    return {"owner": fact.data.owner, "team": fact.data.team}


KNOWN_DEAL = Table(
    name="deal",
    row=KnownDeal,
    events=(DealOpened, DealHandedOver, DealAccountChanged),
    changes={
        DealOpened: _opened,
        DealHandedOver: _kept,
        DealAccountChanged: lambda fact, _: {"account_id": fact.data.account_id},
    },
)

KNOWN_DEALS = Projection(
    name="known_deals",
    version=5,
    ddl=KNOWN_DEAL.ddl,
    indices=KNOWN_DEAL.index_ddl,
    apply=KNOWN_DEAL.apply,
    source="journal",
    events=tuple(KNOWN_DEAL.events),
)

DEALS = Listed(
    thing="deal",
    projection=KNOWN_DEALS.name,
    rows="select id, owner, team, account_id from {known_deals}.deal where id = any($1)",
    readers=READING,
    tells=True,
)
