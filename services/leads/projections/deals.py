"""The deals as leads know them: what they are called, and of which account and lead they are (DATA-4)."""

from uuid import UUID

from shared.events.deals.deal import DealOpened, DealRenamed
from shared.events.definition import value
from shared.events.envelope import Envelope
from shared.projections.projection import Projection
from shared.projections.tables import Row, Table


@value
class KnownDeal:
    """What leads know of a deal."""

    id: UUID
    name: str
    account_id: UUID | None
    lead_id: UUID | None


def _opened(fact: Envelope[DealOpened], row: Row) -> Row:
    event = fact.data
    return {"name": event.name, "account_id": event.account_id, "lead_id": event.lead_id}


KNOWN_DEAL = Table(
    name="deal",
    row=KnownDeal,
    events=(DealOpened, DealRenamed),
    changes={DealOpened: _opened, DealRenamed: lambda fact, _: {"name": fact.data.name}},
    indices=("(account_id)", "(lead_id)"),
)

KNOWN_DEALS = Projection(
    name="known_deals",
    version=1,
    ddl=KNOWN_DEAL.ddl,
    indices=KNOWN_DEAL.index_ddl,
    apply=KNOWN_DEAL.apply,
    source="journal",
    events=tuple(KNOWN_DEAL.events),
)

OF_PERSON = """
select id, name from {view}.deal
 where id = any($1) or lead_id = any($2) or account_id = any($3) order by id
"""
"""Some deals, those that came of some leads, and those of some accounts."""
