"""What the contracts service consists of."""

from services.contracts import api
from services.contracts.domain.contract import contract
from services.contracts.reactions import reactions
from services.contracts.views import CONTRACT_LIST, CONTRACTS
from shared.web.service import Service

SERVICE = Service(
    "contracts",
    description="Contracts: drafted, approved by somebody else, signed by both sides, in force.",
    aggregates=(contract,),
    reactions=reactions,
    views=(CONTRACTS,),
    listings=(CONTRACT_LIST,),
    routes=(api.router,),
)
