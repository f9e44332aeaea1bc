"""The rules of deals that people set (policies)."""

from shared.domain.policy import Policy, policies
from shared.domain.roles import Reach, Role, permission
from shared.events.deals.policy import DealPolicySet, NextSteps

STEERING = permission({Role.SALES_OPERATIONS: Reach.ALL, Role.SALES_DIRECTOR: Reach.ALL})

NEXT_STEPS = Policy(
    "next-steps",
    NextSteps,
    default=NextSteps(days_ahead=14),
    allow=STEERING,
    scopes=("company", "team", "process"),
    example={"days_ahead": 21},
)

POLICIES = policies("deal", DealPolicySet, NEXT_STEPS)
