"""What the contracts service consists of."""

from services.contracts import api
from services.contracts.domain.contract import contract
from services.contracts.domain.contract.approval import APPROVALS
from services.contracts.domain.contract.drafting import NamedDeal
from services.contracts.domain.policies import CONTRACT_APPROVAL, POLICIES
from services.contracts.projections.contracts import CONTRACT_PROJECTION, CONTRACTS
from services.contracts.projections.deals import DEALS, KNOWN_DEALS
from services.contracts.projections.lookups import named_deal
from services.contracts.reactions import reactions
from services.contracts.resources import RESOURCES
from shared.directory.accounts import KNOWN_ACCOUNTS
from shared.directory.approvals import approvers_by
from shared.directory.hours import KNOWN_HOURS
from shared.directory.references import ACCOUNTS, PEOPLE
from shared.domain.approval.chain import Approvers
from shared.service.definition import Service

SERVICE = Service(
    "contracts",
    description="Contracts: drafted, approved by somebody else, signed by both sides, in force.",
    tags={
        "contracts": "What is agreed with a customer, from its draft until it is in force.",
        "contract-approvals": "What waits for decisions about contracts, and what they were.",
        "contract-policies": "The rules with numbers that contracts are decided by, in versions.",
    },
    aggregates=(contract,),
    approvals=APPROVALS,
    policies=POLICIES,
    resources=RESOURCES,
    reactions=reactions,
    projections=(CONTRACT_PROJECTION, KNOWN_DEALS, KNOWN_ACCOUNTS, KNOWN_HOURS),
    listings=(CONTRACTS,),
    routes=(api.router,),
    knows=(*PEOPLE, ACCOUNTS, DEALS),
    provides={
        NamedDeal: named_deal,
        Approvers: approvers_by(POLICIES, CONTRACT_APPROVAL),
    },
)
