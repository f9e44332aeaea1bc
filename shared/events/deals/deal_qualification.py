"""Events of a deal's qualification: what was found out about the customer's case, and whether to go on (DEAL-5)."""

from datetime import date
from uuid import UUID

from shared.events.chronology import Rank
from shared.events.definition import AsKnown, Exact, FreeText, event, value
from shared.events.money import Money


@value
class Fading:
    """How an answer loses strength, by the policy qualification that counted when it was given: it is
    0.5 ** (age in days ÷ half-life)."""

    half_life_days: int
    renew_on: date
    """The first day on which it is weaker than the policy's limit, and has to be found out anew."""
    policy_version: int
    """0 is the default."""


@event("deals.deal-pain-stated", aggregate="deal", rank=Rank.CHANGE)
class DealPainStated:
    """The customer named a pain. What stood under the id is replaced."""

    deal_id: UUID
    answer_id: UUID
    found_on: date
    severity: int
    """From 1 to 5."""
    text: FreeText[str | None] = None
    evidence: FreeText[str | None] = None
    by: UUID | None = None
    fades: Fading
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-inaction-assessed", aggregate="deal", rank=Rank.CHANGE)
class DealInactionAssessed:
    """What happens to the customer when nothing is done, and what a month of it costs them."""

    deal_id: UUID
    answer_id: UUID
    found_on: date
    cost_of_delay: Money | None = None
    """For each month."""
    consequence: FreeText[str | None] = None
    evidence: FreeText[str | None] = None
    by: UUID | None = None
    fades: Fading
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-customer-event-stated", aggregate="deal", rank=Rank.CHANGE)
class DealCustomerEventStated:
    """Something at the customer's compels them to decide, or keeps them from it. What stood under the id is
    replaced."""

    deal_id: UUID
    answer_id: UUID
    found_on: date
    kind: str
    """compelling, blocking or insurmountable: blocking, and nothing overcomes it."""
    day: date | None = None
    """The day on which it comes; None when nobody knows."""
    text: FreeText[str | None] = None
    evidence: FreeText[str | None] = None
    by: UUID | None = None
    fades: Fading
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-budget-stated", aggregate="deal", rank=Rank.CHANGE)
class DealBudgetStated:
    """What the customer can spend."""

    deal_id: UUID
    answer_id: UUID
    found_on: date
    amount: Money
    evidence: FreeText[str | None] = None
    by: UUID | None = None
    fades: Fading
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-competition-stated", aggregate="deal", rank=Rank.CHANGE)
class DealCompetitionStated:
    """Who else is asked; nobody is an answer, too."""

    deal_id: UUID
    answer_id: UUID
    found_on: date
    competitors: tuple[str, ...] = ()
    """Names of companies."""
    evidence: FreeText[str | None] = None
    by: UUID | None = None
    fades: Fading
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-requirement-stated", aggregate="deal", rank=Rank.CHANGE)
class DealRequirementStated:
    """The customer asks for something, and we have it or not. What stood under the id is replaced."""

    deal_id: UUID
    answer_id: UUID
    found_on: date
    matched: bool
    text: FreeText[str | None] = None
    evidence: FreeText[str | None] = None
    by: UUID | None = None
    fades: Fading
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-risk-assessed", aggregate="deal", rank=Rank.CHANGE)
class DealRiskAssessed:
    """What may go wrong with the deal, and what is done about it. What stood under the id is replaced."""

    deal_id: UUID
    answer_id: UUID
    found_on: date
    likelihood: int
    """From 1 to 5."""
    impact: int
    """From 1 to 5."""
    text: FreeText[str | None] = None
    response: FreeText[str | None] = None
    evidence: FreeText[str | None] = None
    by: UUID | None = None
    fades: Fading
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-answer-withdrawn", aggregate="deal", rank=Rank.CHANGE)
class DealAnswerWithdrawn:
    """An answer does not hold any more, and nothing stands in its place."""

    deal_id: UUID
    answer_id: UUID
    reason: FreeText[str | None] = None
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-exit-proposed", aggregate="deal", rank=Rank.CHANGE)
class DealExitProposed:
    """It is proposed to give the deal up; a person decides."""

    deal_id: UUID
    cause: str
    """insurmountable-event or not-worth-it."""
    on: date
    """The company's day of the proposal."""
    answer_id: UUID | None = None
    """The insurmountable event that was stated."""
    expected_value: Money
    """Amount × probability, as it stood then."""
    remaining_cost: Money | None = None
    """What going on would still cost, where that was weighed."""
    amount: AsKnown[Money]
    probability: AsKnown[Exact]
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-exit-accepted", aggregate="deal", rank=Rank.CHANGE)
class DealExitAccepted:
    """The deal is given up as was proposed; `deals.deal-abandoned` follows."""

    deal_id: UUID
    cause: str
    """insurmountable-event or not-worth-it."""
    proposed_on: date
    on: date
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-exit-declined", aggregate="deal", rank=Rank.CHANGE)
class DealExitDeclined:
    """Somebody goes on with the deal against the proposal."""

    deal_id: UUID
    cause: str
    """insurmountable-event or not-worth-it."""
    proposed_on: date
    on: date
    reason: FreeText[str | None] = None
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None
