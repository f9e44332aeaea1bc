"""The deals as leads know them: what they are called, and of which account and lead they are (DATA-4)."""

from uuid import UUID

from shared.events.deals.deal import DealOpened, DealRenamed
from shared.events.deals.deal_edit import DealAccountChanged
from shared.events.definition import value
from shared.events.envelope import Envelope
from shared.projections.projection import Projection
from shared.projections.tables import Row, Table


@value
class KnownDeal:
    """What leads know of a deal."""

    id: UUID
    name: str
    accounts: tuple[UUID, ...]
    """Those that it was ever with: whoever is at one may be named in what was written about it."""
    lead_id: UUID | None


def _opened(fact: Envelope[DealOpened], row: Row) -> Row:
    event = fact.data
    return {"name": event.name, "accounts": _accounts(event.account_id, row), "lead_id": event.lead_id}


def _accounts(account_id: UUID | None, row: Row) -> list[UUID]:
    return sorted({*(row["accounts"] or ()), *([account_id] if account_id else ())})


KNOWN_DEAL = Table(
    name="deal",
    row=KnownDeal,
    events=(DealOpened, DealRenamed, DealAccountChanged),
    changes={
        DealOpened: _opened,
        DealRenamed: lambda fact, _: {"name": fact.data.name},
        DealAccountChanged: lambda fact, row: {"accounts": _accounts(fact.data.account_id, row)},
    },
    indices=("using gin (accounts)", "(lead_id)"),
)

KNOWN_DEALS = Projection(
    name="known_deals",
    version=2,
    ddl=KNOWN_DEAL.ddl,
    indices=KNOWN_DEAL.index_ddl,
    apply=KNOWN_DEAL.apply,
    source="journal",
    events=tuple(KNOWN_DEAL.events),
)

OF_PERSON = """
select id, name from {view}.deal
 where id = any($1) or lead_id = any($2) or accounts && $3 order by id
"""
"""Some deals, those that came of some leads, and those of some accounts."""
