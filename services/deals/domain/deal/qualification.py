"""Evidence with exponential decay: what is known of a deal's case, and how much of it still holds (DEAL-5).

Answers are values, each replaced by a newer one under its id. Everything else here is reckoned from them, a day, and
the policy `qualification`; nothing is recorded by it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Context, Decimal
from typing import Literal, TypeVar
from uuid import UUID

from shared.domain.money import half_up, rounded
from shared.domain.policy import Counts
from shared.events.deals.deal_qualification import Fading
from shared.events.deals.policy import QualificationRule
from shared.events.definition import value
from shared.events.money import Money

INSURMOUNTABLE = "insurmountable"

HALF = Decimal("0.5")
SHARE = Decimal("0.0001")
"""Shares are stated in steps of a hundredth of a per cent."""
EXACTLY = Context(prec=28)
"""Powers come out the same whatever context a thread has; those of whole half-lives are exact."""


@value
class Answer:
    """Something that was found out, and what it rests on."""

    answer_id: UUID
    found_on: date
    evidence: str | None
    """None once it was erased, as all texts."""
    by: UUID | None
    """Who said so."""
    fades: Fading


@value
class Pain(Answer):
    """What hurts the customer; severity from 1 to 5."""

    text: str | None
    severity: int


@value
class Inaction(Answer):
    """What happens when nothing is done, and what a month of it costs the customer."""

    consequence: str | None
    cost_of_delay: Money | None


@value
class CustomerEvent(Answer):
    """What compels the customer to decide, or keeps them from it: compelling, blocking or insurmountable."""

    kind: str
    text: str | None
    day: date | None


@value
class Budget(Answer):
    """What the customer can spend."""

    amount: Money


@value
class Competition(Answer):
    """Who else is asked."""

    competitors: tuple[str, ...]


@value
class Requirement(Answer):
    """What the customer asks for, and whether we have it."""

    text: str | None
    matched: bool


@value
class Risk(Answer):
    """What may go wrong, from 1 to 5 each, and what is done about it."""

    text: str | None
    likelihood: int
    impact: int
    response: str | None

    @property
    def exposure(self) -> int:
        """Likelihood × impact."""
        return self.likelihood * self.impact


Topic = Literal["pains", "inaction", "customer-events", "budget", "competition", "requirements", "risks"]
TOPICS: Mapping[Topic, type[Answer]] = {
    "pains": Pain,
    "inaction": Inaction,
    "customer-events": CustomerEvent,
    "budget": Budget,
    "competition": Competition,
    "requirements": Requirement,
    "risks": Risk,
}
"""What there is to find out about a deal, in the order in which it is asked."""


@value
class ExitProposal:
    """The proposal to give the deal up that was made last, and what was decided about it."""

    cause: str
    """insurmountable-event or not-worth-it."""
    on: date
    answer_id: UUID | None
    """The insurmountable event that brought it about."""
    expected_value: Money
    remaining_cost: Money | None
    decided: Literal["accepted", "declined"] | None = None
    reason: str | None = None
    """Why it was declined."""


@value
class Qualification:
    """What stands of a deal's answers, in the order in which they first came."""

    answers: tuple[Answer, ...] = ()
    withdrawn: frozenset[UUID] = frozenset()
    """Answers that were taken back, and not given again."""
    exit: ExitProposal | None = None

    @property
    def standing_exit(self) -> ExitProposal | None:
        """The proposal that nobody has decided about."""
        return self.exit if self.exit is not None and self.exit.decided is None else None

    def answer(self, answer_id: UUID) -> Answer | None:
        """The answer that stands under an id."""
        return next((each for each in self.answers if each.answer_id == answer_id), None)


Kind = TypeVar("Kind", bound=Answer)


def of_kind(kind: type[Kind], qualification: Qualification) -> list[Kind]:
    """The answers to one question."""
    return [answer for answer in qualification.answers if isinstance(answer, kind)]


def with_answer(qualification: Qualification, answer: Answer) -> Qualification:
    """An answer more, or in place of that under its id."""
    if qualification.answer(answer.answer_id) is None:
        answers = (*qualification.answers, answer)
    else:
        answers = tuple(answer if each.answer_id == answer.answer_id else each for each in qualification.answers)
    return _without_moot_exit(
        replace(qualification, answers=answers, withdrawn=qualification.withdrawn - {answer.answer_id})
    )


def without_answer(qualification: Qualification, answer_id: UUID) -> Qualification:
    """What is left when an answer is taken back."""
    answers = tuple(each for each in qualification.answers if each.answer_id != answer_id)
    return _without_moot_exit(replace(qualification, answers=answers, withdrawn=qualification.withdrawn | {answer_id}))


def _without_moot_exit(qualification: Qualification) -> Qualification:
    """A standing proposal falls with the insurmountable event that it rests on."""
    proposal = qualification.standing_exit
    if proposal is None or proposal.answer_id is None or is_insurmountable(qualification.answer(proposal.answer_id)):
        return qualification
    return replace(qualification, exit=None)


def is_insurmountable(answer: Answer | None) -> bool:
    """Whether an answer says that something cannot be overcome."""
    return isinstance(answer, CustomerEvent) and answer.kind == INSURMOUNTABLE


# -- strength ---------------------------------------------------------------------------------------------------------


def strength(age_days: int, half_life_days: int) -> Decimal:
    """How strong an answer is after so many days: 0.5 ** (age ÷ half-life), 1 when it is new; 28 digits."""
    return EXACTLY.power(HALF, EXACTLY.divide(Decimal(age_days), Decimal(half_life_days)))


def renewal_day(found_on: date, rule: QualificationRule) -> date:
    """The first day on which an answer is weaker than the rule's limit."""
    half_lives = EXACTLY.divide(EXACTLY.ln(rule.weakest), EXACTLY.ln(HALF))
    # Rounding may be off by a day at most, and never to the late side of the first weaker one.
    days = int(EXACTLY.multiply(half_lives, Decimal(rule.half_life_days)))
    while strength(days, rule.half_life_days) >= rule.weakest:
        days += 1
    return found_on + timedelta(days=days)


def fading(found_on: date, rule: Counts[QualificationRule]) -> Fading:
    """How an answer will lose strength, by the rule that counts when it is given."""
    return Fading(
        half_life_days=rule.document.half_life_days,
        renew_on=renewal_day(found_on, rule.document),
        policy_version=rule.version,
    )


def strength_on(answer: Answer, today: date) -> Decimal:
    """How strong an answer is on a day, in steps of 0.0001; 1 up to the day on which it was found out."""
    age = max((today - answer.found_on).days, 0)
    return half_up(strength(age, answer.fades.half_life_days), SHARE)


def overall_strength(qualification: Qualification, today: date) -> Decimal | None:
    """That of the weakest answer: a case is as strong as what it rests on. None without answers."""
    return min((strength_on(answer, today) for answer in qualification.answers), default=None)


def renewal_due(qualification: Qualification) -> date | None:
    """The day on which the first answer has to be found out anew; None without answers."""
    return min((answer.fades.renew_on for answer in qualification.answers), default=None)


# -- what follows from the answers ------------------------------------------------------------------------------------


def fit(requirements: Iterable[Requirement]) -> Decimal | None:
    """Matched ÷ stated requirements, in steps of 0.0001; None when none is stated."""
    stated = [requirement.matched for requirement in requirements]
    return half_up(Decimal(sum(stated)) / len(stated), SHARE) if stated else None


def by_exposure(risks: Iterable[Risk]) -> list[Risk]:
    """Risks by likelihood × impact, the greatest first; of equals the one that is known longest."""
    return sorted(risks, key=lambda risk: -risk.exposure)


def missing(qualification: Qualification) -> list[Topic]:
    """The questions that nobody has answered."""
    return [topic for topic, kind in TOPICS.items() if not of_kind(kind, qualification)]


def expected_value(amount: Money, probability: Decimal) -> Money:
    """What going on is worth: amount × probability, rounded half up to the currency's minor unit."""
    return Money(amount=rounded(amount.amount * probability, amount.currency), currency=amount.currency)


def cost_of_idle_day(amount: Money, rule: QualificationRule) -> Money:
    """What a day costs on which nothing happens, in the deal's currency: amount × drop of the probability to win +
    carrying cost, rounded half up once."""
    carrying = sum((cost.amount for cost in rule.carrying_costs if cost.currency == amount.currency), Decimal(0))
    cost = amount.amount * rule.silent_day_drop + carrying
    return Money(amount=rounded(cost, amount.currency), currency=amount.currency)
