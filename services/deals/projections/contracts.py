"""The contracts as deals know them: of which deal they are, and whether they are signed (DEAL-9)."""

from uuid import UUID

from shared.events.contracts.contract import ContractActivated, ContractDrafted, ContractSigned
from shared.events.definition import value
from shared.projections.projection import Projection
from shared.projections.tables import Table


@value
class KnownContract:
    """What deals know of a contract."""

    id: UUID
    deal_id: UUID | None
    is_signed: bool


KNOWN_CONTRACT = Table(
    name="contract",
    row=KnownContract,
    events=(ContractDrafted, ContractSigned, ContractActivated),
    changes={
        # One that was voided is drafted anew under its id.
        ContractDrafted: lambda fact, _: {"deal_id": fact.data.deal_id, "is_signed": False},
        ContractSigned: lambda *_: {"is_signed": True},
        ContractActivated: lambda *_: {"is_signed": True},
    },
    indices=("(deal_id)",),
)

KNOWN_CONTRACTS = Projection(
    name="known_contracts",
    version=1,
    ddl=KNOWN_CONTRACT.ddl,
    indices=KNOWN_CONTRACT.index_ddl,
    apply=KNOWN_CONTRACT.apply,
    source="journal",
    events=tuple(KNOWN_CONTRACT.events),
)

SIGNED = "select distinct deal_id from {view}.contract where deal_id = any($1) and is_signed"
"""Those of some deals that have a signed contract."""
