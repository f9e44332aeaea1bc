"""What the contracts service consists of."""

from services.contracts import api
from services.contracts.domain.contract import contract
from services.contracts.reactions import reactions
from services.contracts.views.contracts import CONTRACT_VIEW, CONTRACTS
from shared.web.service import Service

SERVICE = Service(
    "contracts",
    description="Contracts: drafted, approved by somebody else, signed by both sides, in force.",
    aggregates=(contract,),
    reactions=reactions,
    views=(CONTRACT_VIEW,),
    listings=(CONTRACTS,),
    routes=(api.router,),
)
