"""Events of the policies of deals: rules with numbers that people set, from a day on."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from annotated_types import Ge, Le, MaxLen, MinLen

from shared.events.approval_chain import ApprovalChain
from shared.events.criteria import Key, Predicate
from shared.events.definition import Exact, FreeText, event, value
from shared.events.money import Money
from shared.events.references import Reference


@value
class NextSteps:
    """How long a planned next step keeps a deal from counting as silent, and who is reminded of it once it is due."""

    days_ahead: Annotated[int, Ge(1), Le(365)]
    """So many days after it was planned, at most: a step that lies further ahead is no sign of life until then."""
    reminders: bool = True
    """Whether people are reminded of a step that is still open: its owner as work starts on its day, or on the first
    worked day after it."""
    remind_again_after: Annotated[int, Ge(1), Le(90)] = 1
    """So many working days later the owner is reminded again."""
    tell_manager_after: Annotated[int, Ge(1), Le(90)] = 3
    """So many working days after the first reminder whoever leads the owner is told."""


@value
class QualificationRule:
    """How answers about a deal lose strength, and what a day costs on which nothing happens."""

    half_life_days: Annotated[int, Ge(1), Le(3650)]
    """After so many days an answer is half as strong."""
    weakest: Exact
    """An answer that is weaker has to be found out anew; from 0.01 to 1."""
    silent_day_drop: Exact
    """By so much each silent day lowers the probability to win; from 0 to 1."""
    carrying_costs: Annotated[tuple[Money, ...], MaxLen(50)] = ()
    """What a day of an open deal costs besides: the amount in the currency of the deal counts; none is nothing."""


@value
class Winning:
    """What a deal needs before it is won."""

    needs: Literal["nothing", "signed-contract", "accepted-quote"]
    """`signed-contract`: its contract is signed by both parties, or in force. `accepted-quote`: the customer accepted a
    quote, and that was not set aside."""


LimitedMember = Annotated[UUID, Reference("member", called="active member", anywhere=True)]
"""A member who has a limit of their own."""


@value
class DiscountLimit:
    """How much some members may take off without asking anybody."""

    members: Annotated[tuple[LimitedMember, ...], MaxLen(200)]
    """Whom it counts for; no member has two limits in a document."""
    percent: Exact
    """Of the list prices, from 0 to 100."""


@value
class QuoteRules:
    """How quotes are reckoned, how long they hold, and what has to be decided before one is sent."""

    rounding: Literal["per-line", "per-rate", "in-total"]
    """What is rounded by itself: every line, the lines of one rate of tax together, or all of them together."""
    validity_days: Annotated[int, Ge(1), Le(365)]
    """So many days after it was sent a quote can be accepted, where it says no day itself."""
    tax_percent: Exact
    """The rate of tax on a line that says none, from 0 to 100."""
    discount_limit: Exact
    """A discount above so many percent of the list prices is `over_limit` for the chain; from 0 to 100."""
    discount_limits: Annotated[tuple[DiscountLimit, ...], MaxLen(50)] = ()
    """Limits of members, in place of that one where one of them submits a quote."""
    large_amount: Exact | None = None
    """From so much on, without tax and in the company's currency, a quote is `large`: product says whether it can be
    delivered. None: none is."""
    chain: ApprovalChain
    """Who has to approve the price. Its conditions are about the facts discount, amount, currency, over_limit,
    large, custom_line and unlisted_price."""


RuledProcess = Annotated[UUID, Reference("process")]
"""A process that deals can follow."""


@value
class Segment:
    """A part of the market: deals are in the first one whose condition their customer meets."""

    key: Key
    name: Annotated[str, MinLen(1), MaxLen(200)]
    when: Predicate
    """About the facts industry, country and size (the employees of the account)."""


@value
class OpeningRule:
    """Deals that meet the condition follow the process."""

    name: Annotated[str, MinLen(1), MaxLen(100)]
    """What deals record as the rule that chose."""
    when: Predicate
    """About facts of a deal as it begins: amount (in the company's currency), currency, source, industry, country,
    size, team, teams (its team and those above it), account, segment (by its key), customer (new or returning),
    families (of its products) and from_lead."""
    process_id: RuledProcess


@value
class OpeningRules:
    """Which process a new deal follows: the first rule that applies decides."""

    otherwise: RuledProcess
    """What deals follow to which no rule applies, and leads by whose stages something is due."""
    rules: Annotated[tuple[OpeningRule, ...], MaxLen(50)] = ()
    """In order."""
    segments: Annotated[tuple[Segment, ...], MaxLen(50)] = ()
    """In order; rules may ask for them, and deals record theirs."""


@value
class TargetRule:
    """What becomes of a target that takes the parts of another one above it."""

    split: Literal["warn", "refuse"]
    """`warn`: it counts, and the split says the difference; `refuse`: it is refused, as is a smaller whole."""


@event("deals.policy-set", aggregate="policy")
class DealPolicySet:
    """A policy of deals counts from a day on: the field of its kind has the document, none takes it back."""

    policy_id: UUID
    kind: str
    number: int
    """The version, counted from 1 in its kind."""
    on: date
    """The company's day on which it was set."""
    valid_from: date
    team: UUID | None = None
    """The team that it is for, with those below it; without team and process it is for the company."""
    process: UUID | None = None
    reason: FreeText[str | None] = None
    next_steps: NextSteps | None = None
    qualification: QualificationRule | None = None
    winning: Winning | None = None
    opening_rules: OpeningRules | None = None
    quotes: QuoteRules | None = None
    targets: TargetRule | None = None
