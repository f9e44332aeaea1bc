"""The rules of deals that people set (policies)."""

from collections.abc import Iterator
from decimal import Decimal

from services.deals.domain.choice import rule_faults
from services.deals.domain.process.full import FULL_ID
from services.deals.domain.process.short import SHORT_ID
from shared.domain.money import money_faults
from shared.domain.policy import Policy, policies
from shared.domain.rejection import Reason
from shared.domain.roles import Reach, Role, permission
from shared.events.deals.policy import DealPolicySet, NextSteps, OpeningRules, QualificationRule, Winning

STEERING = permission({Role.SALES_OPERATIONS: Reach.ALL, Role.SALES_DIRECTOR: Reach.ALL})

NEXT_STEPS = Policy(
    "next-steps",
    NextSteps,
    default=NextSteps(days_ahead=14),
    allow=STEERING,
    scopes=("company", "team", "process"),
    example={"days_ahead": 21, "reminders": True, "remind_again_after": 1, "tell_manager_after": 5},
)

LIMITS = {"weakest": (Decimal("0.01"), Decimal(1)), "silent_day_drop": (Decimal(0), Decimal(1))}
"""The bounds of what is a share."""


def _qualification_faults(document: QualificationRule) -> Iterator[Reason]:
    for name, (least, most) in LIMITS.items():
        if not least <= getattr(document, name) <= most:
            yield Reason(code="out-of-range", message=f"It lies between {least} and {most}.", field=name)
    currencies = [cost.currency for cost in document.carrying_costs]
    for index, cost in enumerate(document.carrying_costs):
        yield from money_faults(cost, f"carrying_costs.{index}")
        if cost.amount < 0:
            yield Reason(code="negative", message="A cost is not negative.", field=f"carrying_costs.{index}.amount")
        if cost.currency in currencies[:index]:
            message = f"There is one amount in {cost.currency}."
            yield Reason(code="repeated", message=message, field=f"carrying_costs.{index}.currency")


QUALIFICATION = Policy(
    "qualification",
    QualificationRule,
    default=QualificationRule(half_life_days=60, weakest=Decimal("0.5"), silent_day_drop=Decimal("0.005")),
    allow=STEERING,
    scopes=("company", "team", "process"),
    faults=_qualification_faults,
    example={
        "half_life_days": 45,
        "weakest": "0.5",
        "silent_day_drop": "0.005",
        "carrying_costs": [{"amount": "40.00", "currency": "EUR"}],
    },
)

WINNING = Policy(
    "winning",
    Winning,
    default=Winning(needs="nothing"),
    allow=STEERING,
    scopes=("company", "team", "process"),
    example={"needs": "signed-contract"},
)

OPENING_RULES = Policy(
    "opening-rules",
    OpeningRules,
    default=OpeningRules(otherwise=SHORT_ID),
    allow=STEERING,
    scopes=("company",),
    faults=rule_faults,
    example={
        "segments": [
            {
                "key": "enterprise",
                "name": "Enterprise",
                "when": {"fact": "size", "operator": "at-least", "value": 1000},
            }
        ],
        "rules": [
            {
                "name": "Large or new",
                "when": {
                    "any_of": [
                        {"fact": "amount", "operator": "at-least", "value": "500000"},
                        {
                            "all_of": [
                                {"fact": "segment", "operator": "is", "value": "enterprise"},
                                {"fact": "customer", "operator": "is", "value": "new"},
                            ]
                        },
                    ]
                },
                "process_id": str(FULL_ID),
            }
        ],
        "otherwise": str(SHORT_ID),
    },
)

POLICIES = policies("deal", DealPolicySet, NEXT_STEPS, QUALIFICATION, WINNING, OPENING_RULES)
