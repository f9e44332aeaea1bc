"""The rules of deals that people set (policies)."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from uuid import UUID

from services.deals.domain.choice import rule_faults
from services.deals.domain.prices import is_fine
from services.deals.domain.process.full import FULL_ID
from services.deals.domain.process.short import SHORT_ID
from shared.domain.approval.chain import four_eyes_faults
from shared.domain.money import money_faults
from shared.domain.policy import Policy, policies
from shared.domain.rejection import Reason
from shared.domain.roles import Reach, Role, permission
from shared.events.approval_chain import ApprovalChain, ApprovalStep, Approver
from shared.events.criteria import Predicate
from shared.events.deals.policy import (
    DealPolicySet,
    NextSteps,
    OpeningRules,
    QualificationRule,
    QuoteRules,
    TargetRule,
    Winning,
)

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


QUOTE_FACTS: Mapping[str, str] = {
    "discount": "number",
    "amount": "number",
    "currency": "text",
    "over_limit": "yes-no",
    "large": "yes-no",
    "custom_line": "yes-no",
    "unlisted_price": "yes-no",
}
"""What conditions of the chain may ask of a quote, and its kind: how many percent it lies below the list prices, what
it comes to without tax in the company's currency, its own currency, and what the policy makes of that: whether the
discount is over the limit and the amount large; whether anything of it is made for this customer; and whether the list
has no price of one of its products in its currency, so that no discount can be told."""

HUNDRED = Decimal(100)


def _quote_faults(document: QuoteRules) -> Iterator[Reason]:
    for name in ("tax_percent", "discount_limit"):
        if not 0 <= getattr(document, name) <= HUNDRED:
            yield Reason(code="out-of-range", message="It lies between 0 and 100 percent.", field=name)
    if 0 <= document.tax_percent <= HUNDRED and not is_fine(document.tax_percent):
        # Else every draft would be refused, at a rate that nobody sent with it.
        message = "A rate of tax has at most six decimals."
        yield Reason(code="too-precise", message=message, field="tax_percent")
    yield from _limit_faults(document)
    if document.large_amount is not None and document.large_amount <= 0:
        message = "A large amount is above zero; leave it out, and none is large."
        yield Reason(code="not-positive", message=message, field="large_amount")
    yield from four_eyes_faults(document.chain, QUOTE_FACTS, "chain")


def _limit_faults(document: QuoteRules) -> Iterator[Reason]:
    limited = set[UUID]()
    for index, limit in enumerate(document.discount_limits):
        where = f"discount_limits.{index}"
        if not 0 <= limit.percent <= HUNDRED:
            yield Reason(code="out-of-range", message="It lies between 0 and 100 percent.", field=f"{where}.percent")
        # No rule of the type: that one also counts what is wrong with a member as its absence.
        if not limit.members:
            yield Reason(code="no-members", message="A limit is that of somebody.", field=f"{where}.members")
        for place, member in enumerate(limit.members):
            if member in limited:
                message = "This member has a limit already."
                yield Reason(code="doubled-member", message=message, field=f"{where}.members.{place}")
            limited.add(member)


def limit_of(document: QuoteRules, member: UUID | None) -> Decimal:
    """How many percent a member may take off without asking anybody: their own limit, else the one of all."""
    own = (limit.percent for limit in document.discount_limits if member is not None and member in limit.members)
    return next(own, document.discount_limit)


def _is_so(fact: str) -> Predicate:
    return Predicate(fact=fact, operator="is", value=True)


QUOTES = Policy(
    "quotes",
    QuoteRules,
    default=QuoteRules(
        rounding="per-line",
        validity_days=30,
        tax_percent=Decimal(0),
        discount_limit=Decimal(10),
        large_amount=Decimal(250000),
        chain=ApprovalChain(
            steps=(
                ApprovalStep(
                    key="manager",
                    name="The manager",
                    approvers=(Approver(superior=1),),
                    when=Predicate(
                        any_of=(_is_so("over_limit"), _is_so("custom_line"), _is_so("unlisted_price"), _is_so("large"))
                    ),
                    within_days=2,
                ),
                ApprovalStep(
                    key="sales-director",
                    name="Sales direction, from 25 percent or a large amount on",
                    approvers=(Approver(role=Role.SALES_DIRECTOR),),
                    when=Predicate(
                        any_of=(Predicate(fact="discount", operator="at-least", value="25"), _is_so("large"))
                    ),
                    within_days=2,
                ),
            ),
            empty_approver="fallback",
            fallback=Approver(role=Role.SALES_DIRECTOR),
        ),
    ),
    allow=STEERING,
    scopes=("company", "team", "process"),
    faults=_quote_faults,
    example={
        "rounding": "per-rate",
        "validity_days": 45,
        "tax_percent": "19",
        "discount_limit": "5",
        "large_amount": "100000",
        "chain": {
            "steps": [
                {
                    "key": "direction",
                    "name": "Sales direction",
                    "approvers": [{"role": "sales-director"}],
                    "when": {"fact": "over_limit", "operator": "is", "value": True},
                    "within_days": 1,
                }
            ]
        },
    },
)


TARGETS = Policy(
    "targets",
    TargetRule,
    default=TargetRule(split="warn"),
    allow=permission({**STEERING, Role.EXECUTIVE: Reach.ALL}),
    scopes=("company",),
    example={"split": "refuse"},
)

POLICIES = policies("deal", DealPolicySet, NEXT_STEPS, QUALIFICATION, WINNING, OPENING_RULES, QUOTES, TARGETS)
