"""Continuous qualification: what is found out about a deal's case, with evidence and a day (DEAL-5).

Of pains, events, requirements and risks there may be many, each under its own id; of the rest there is one answer. A
newer one replaces what stands under its id.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID, uuid5

from annotated_types import Ge, Le, MaxLen

from services.deals.domain.deal.exits import proposed
from services.deals.domain.deal.qualification import (
    TOPICS,
    Answer,
    Budget,
    Competition,
    CustomerEvent,
    Inaction,
    Pain,
    Requirement,
    Risk,
    fading,
    is_insurmountable,
    with_answer,
    without_answer,
)
from services.deals.domain.deal.state import OpenDeal, deal, written
from shared.domain.aggregate import Decision, carried
from shared.domain.context import Context
from shared.domain.fields import Day, Name, Text
from shared.domain.money import check_money
from shared.domain.policy import InForce
from shared.domain.references import AnswerId
from shared.domain.rejection import Rejected, all_at_once
from shared.domain.roles import SELLING
from shared.events.deals.deal_qualification import (
    DealAnswerWithdrawn,
    DealBudgetStated,
    DealCompetitionStated,
    DealCustomerEventStated,
    DealInactionAssessed,
    DealPainStated,
    DealRequirementStated,
    DealRiskAssessed,
)
from shared.events.deals.policy import QualificationRule
from shared.events.definition import value
from shared.events.money import Money

Grade = Annotated[int, Ge(1), Le(5)]
"""From 1, hardly, to 5, very much."""
EventKind = Literal["compelling", "blocking", "insurmountable"]

STATED: Mapping[type[Answer], type] = {
    Pain: DealPainStated,
    Inaction: DealInactionAssessed,
    CustomerEvent: DealCustomerEventStated,
    Budget: DealBudgetStated,
    Competition: DealCompetitionStated,
    Requirement: DealRequirementStated,
    Risk: DealRiskAssessed,
}
"""The event by which an answer of each kind is told; it has the fields of the answer."""
KINDS = {event: kind for kind, event in STATED.items()}


@value
class StatePain:
    """A pain that the customer named."""

    text: Text
    severity: Grade
    """How much it hurts, from 1 to 5."""
    evidence: Text
    """What it rests on: who said so, or where it is written."""
    found_on: Day | None = None
    """The day on which it was found out; default: today."""
    answer_id: AnswerId | None = None
    """What stands under it is replaced; default: a further pain."""

    example: ClassVar[dict[str, Any]] = {
        "text": "The line stands still for two hours a week.",
        "severity": 4,
        "evidence": "The plant manager, in the visit of 30 November.",
    }


@value
class AssessInaction:
    """What happens to the customer when nothing is done."""

    consequence: Text
    cost_of_delay: Money | None = None
    """What a month costs them, in any currency."""
    evidence: Text
    """What it rests on: who said so, or where it is written."""
    found_on: Day | None = None
    """The day on which it was found out; default: today."""

    example: ClassVar[dict[str, Any]] = {
        "consequence": "They lose the second shift.",
        "cost_of_delay": {"amount": "18000.00", "currency": "EUR"},
        "evidence": "Their own calculation, DOC-12.",
    }


@value
class StateCustomerEvent:
    """Something at the customer's compels them to decide, or keeps them from it."""

    kind: EventKind
    """An insurmountable one blocks, and nothing overcomes it: the exit is proposed."""
    text: Text
    day: Day | None = None
    """The day on which it comes; default: nobody knows."""
    evidence: Text
    """What it rests on: who said so, or where it is written."""
    found_on: Day | None = None
    """The day on which it was found out; default: today."""
    answer_id: AnswerId | None = None
    """What stands under it is replaced; default: a further event."""

    example: ClassVar[dict[str, Any]] = {
        "kind": "compelling",
        "text": "The new plant opens.",
        "day": "2027-03-01",
        "evidence": "Press release of the customer.",
    }


@value
class StateBudget:
    """What the customer can spend."""

    amount: Money
    evidence: Text
    """What it rests on: who said so, or where it is written."""
    found_on: Day | None = None
    """The day on which it was found out; default: today."""

    example: ClassVar[dict[str, Any]] = {
        "amount": {"amount": "150000.00", "currency": "EUR"},
        "evidence": "The head of purchasing, by e-mail.",
    }


@value
class StateCompetition:
    """Who else is asked."""

    competitors: Annotated[tuple[Name, ...], MaxLen(20)]
    """Names of companies; none when nobody else is."""
    evidence: Text
    """What it rests on: who said so, or where it is written."""
    found_on: Day | None = None
    """The day on which it was found out; default: today."""

    example: ClassVar[dict[str, Any]] = {
        "competitors": ["Globex"],
        "evidence": "Their logo stood on the slides of the tender.",
    }


@value
class StateRequirement:
    """Something that the customer asks for."""

    text: Text
    matched: bool
    """Whether we have it."""
    evidence: Text
    """What it rests on: who said so, or where it is written."""
    found_on: Day | None = None
    """The day on which it was found out; default: today."""
    answer_id: AnswerId | None = None
    """What stands under it is replaced; default: a further requirement."""

    example: ClassVar[dict[str, Any]] = {
        "text": "Restart within a minute after a power cut.",
        "matched": True,
        "evidence": "Specification, page 7.",
    }


@value
class AssessRisk:
    """What may go wrong with the deal."""

    text: Text
    likelihood: Grade
    impact: Grade
    response: Text | None = None
    """What is done about it."""
    evidence: Text
    """What it rests on: who said so, or where it is written."""
    found_on: Day | None = None
    """The day on which it was found out; default: today."""
    answer_id: AnswerId | None = None
    """What stands under it is replaced; default: a further risk."""

    example: ClassVar[dict[str, Any]] = {
        "text": "The sponsor leaves in spring.",
        "likelihood": 3,
        "impact": 4,
        "response": "Meet the successor before Christmas.",
        "evidence": "The sponsor, by telephone.",
    }


@value
class WithdrawAnswer:
    """An answer does not hold any more."""

    answer_id: AnswerId
    reason: Text | None = None

    example: ClassVar[dict[str, Any]] = {
        "answer_id": "01936d2f-8a5c-7e54-b8a1-3d2c9b5e7f11",
        "reason": "The plant is sold.",
    }


Rules = InForce[QualificationRule]


@deal.decides(allow=SELLING)
def state_pain(state: OpenDeal, command: StatePain, context: Context, qualification: Rules) -> Decision:
    """State a pain of the customer."""
    common = _common(Pain, state, command, context, qualification)
    return _stated(state, Pain(**common, text=command.text, severity=command.severity))


@deal.decides(allow=SELLING)
def assess_inaction(state: OpenDeal, command: AssessInaction, context: Context, qualification: Rules) -> Decision:
    """Say what happens when nothing is done, and what a month of delay costs the customer."""
    cost = command.cost_of_delay
    all_at_once(
        lambda: _common(Inaction, state, command, context, qualification),
        lambda: cost and _amount(cost, "cost_of_delay"),
    )
    common = _common(Inaction, state, command, context, qualification)
    delay = _amount(cost, "cost_of_delay") if cost else None
    return _stated(state, Inaction(**common, consequence=command.consequence, cost_of_delay=delay))


@deal.decides(allow=SELLING)
def state_customer_event(
    state: OpenDeal, command: StateCustomerEvent, context: Context, qualification: Rules
) -> Decision:
    """State what compels the customer to decide, or keeps them from it. An insurmountable event proposes the exit."""
    common = _common(CustomerEvent, state, command, context, qualification)
    event = CustomerEvent(**common, kind=command.kind, text=command.text, day=command.day)
    is_new = is_insurmountable(event) and not is_insurmountable(state.qualification.answer(event.answer_id))
    proposal = proposed(state, context, "insurmountable-event", answer_id=event.answer_id) if is_new else []
    return [*_stated(state, event), *proposal]


@deal.decides(allow=SELLING)
def state_budget(state: OpenDeal, command: StateBudget, context: Context, qualification: Rules) -> Decision:
    """State what the customer can spend."""
    all_at_once(
        lambda: _common(Budget, state, command, context, qualification),
        lambda: _amount(command.amount, "amount"),
    )
    common = _common(Budget, state, command, context, qualification)
    return _stated(state, Budget(**common, amount=_amount(command.amount, "amount")))


@deal.decides(allow=SELLING)
def state_competition(state: OpenDeal, command: StateCompetition, context: Context, qualification: Rules) -> Decision:
    """State who else is asked."""
    common = _common(Competition, state, command, context, qualification)
    return _stated(state, Competition(**common, competitors=command.competitors))


@deal.decides(allow=SELLING)
def state_requirement(state: OpenDeal, command: StateRequirement, context: Context, qualification: Rules) -> Decision:
    """State a requirement of the customer, and whether it is matched."""
    common = _common(Requirement, state, command, context, qualification)
    return _stated(state, Requirement(**common, text=command.text, matched=command.matched))


@deal.decides(allow=SELLING)
def assess_risk(state: OpenDeal, command: AssessRisk, context: Context, qualification: Rules) -> Decision:
    """Say what may go wrong, how likely and how bad that is, and what is done about it."""
    risk = Risk(
        **_common(Risk, state, command, context, qualification),
        text=command.text,
        likelihood=command.likelihood,
        impact=command.impact,
        response=command.response,
    )
    return _stated(state, risk)


@deal.decides(allow=SELLING)
def withdraw_answer(state: OpenDeal, command: WithdrawAnswer) -> Decision:
    """Take an answer back that does not hold any more. An exit that was proposed because of it is not any longer."""
    if state.qualification.answer(command.answer_id) is None:
        raise Rejected("unknown-answer", "The deal has no such answer.", field="answer_id")
    return [DealAnswerWithdrawn(deal_id=state.id, answer_id=command.answer_id, reason=command.reason)]


@deal.already
def is_withdrawn(state: OpenDeal, command: WithdrawAnswer) -> bool:
    return command.answer_id in state.qualification.withdrawn


@deal.evolves
def was_answered(
    state: OpenDeal,
    event: DealPainStated
    | DealInactionAssessed
    | DealCustomerEventStated
    | DealBudgetStated
    | DealCompetitionStated
    | DealRequirementStated
    | DealRiskAssessed,
) -> OpenDeal:
    kind = KINDS[type(event)]
    answer = kind(**carried(event, kind))
    return replace(
        state, qualification=with_answer(state.qualification, answer), written=written(state, answer.evidence)
    )


@deal.evolves
def answer_withdrawn(state: OpenDeal, event: DealAnswerWithdrawn) -> OpenDeal:
    qualification = without_answer(state.qualification, event.answer_id)
    return replace(state, qualification=qualification, written=written(state, event.reason))


def _common(kind: type[Answer], state: OpenDeal, command: Any, context: Context, rules: Rules) -> dict[str, Any]:
    """What every answer has; raises Rejected for a day to come, or an id under which another question is answered."""
    found_on = command.found_on or context.today
    answer_id = _id(kind, state, command, context)
    all_at_once(lambda: _check_day(command, context), lambda: _check_kind(kind, state, answer_id))
    return {
        "answer_id": answer_id,
        "found_on": found_on,
        "evidence": command.evidence,
        "by": context.actor.member,
        "fades": fading(found_on, rules.of(team=state.team, process=state.process_id)),
    }


def _id(kind: type[Answer], state: OpenDeal, command: Any, context: Context) -> UUID:
    """The answer's own id; where there is one answer, it follows from the deal."""
    topic = next(topic for topic, each in TOPICS.items() if each is kind)
    if not hasattr(command, "answer_id"):
        return uuid5(state.id, topic)
    return command.answer_id or context.derived_id(topic)


def _check_day(command: Any, context: Context) -> None:
    if command.found_on and command.found_on > context.today:
        raise Rejected("in-the-future", "What is found out later is told then.", field="found_on")


def _check_kind(kind: type[Answer], state: OpenDeal, answer_id: UUID) -> None:
    known = state.qualification.answer(answer_id)
    if known is not None and not isinstance(known, kind):
        raise Rejected("other-question", "Another question is answered under this id.", field="answer_id")


def _amount(amount: Money, field: str) -> Money:
    money = check_money(amount, field)
    if money.amount < 0:
        raise Rejected("negative", "The amount must not be negative.", field=f"{field}.amount")
    return money


def _stated(state: OpenDeal, answer: Answer) -> list[Any]:
    """The answer as a fact, or nothing where the deal has it already, whoever gave it and by which rule it fades."""
    known = state.qualification.answer(answer.answer_id)
    if known is not None and replace(answer, by=known.by, fades=known.fades) == known:
        return []
    return [STATED[type(answer)](deal_id=state.id, **carried(answer, type(answer)))]
