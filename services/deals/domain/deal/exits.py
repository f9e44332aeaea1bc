"""Exit strategy: when it is proposed to give a deal up, and what a person decides about that (DEAL-5).

What going on would still cost is what the rep says it is: a deal's own trial, travel and hours differ by orders of
magnitude, and a figure of a policy would be wrong for nearly all of them.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal
from uuid import UUID

from services.deals.domain.deal.closing import AbandonDeal, AbandonReason, abandon
from services.deals.domain.deal.qualification import ExitProposal, expected_value
from services.deals.domain.deal.state import AbandonedDeal, OpenDeal, deal, written
from shared.domain.aggregate import Decision
from shared.domain.context import Actor, Context
from shared.domain.fields import Text
from shared.domain.money import check_money
from shared.domain.rejection import Rejected
from shared.domain.roles import SELLING
from shared.events.deals.deal_qualification import DealExitAccepted, DealExitDeclined, DealExitProposed
from shared.events.definition import value
from shared.events.money import Money

ExitCause = Literal["insurmountable-event", "not-worth-it"]

CAUSES: Mapping[str, AbandonReason] = {"insurmountable-event": "insurmountable-event", "not-worth-it": "not-worth-it"}
"""Why an exit is proposed → why the deal is abandoned then."""


@value
class AssessExit:
    """What going on would still cost, to be weighed against what it is worth."""

    remaining_cost: Money
    """All that is still to be spent until the decision, in the deal's currency."""

    example: ClassVar[dict[str, Any]] = {"remaining_cost": {"amount": "15000.00", "currency": "EUR"}}


@value
class AcceptExit:
    """The deal is given up as was proposed."""

    example: ClassVar[dict[str, Any]] = {}


@value
class DeclineExit:
    """The deal goes on against the proposal."""

    reason: Text

    example: ClassVar[dict[str, Any]] = {"reason": "The board decides again in January."}


def _is_proposed(state: OpenDeal, actor: Actor) -> ExitProposal:
    """The proposal that stands; raises Rejected without one."""
    if state.qualification.standing_exit is None:
        raise Rejected("no-exit-proposed", "No exit is proposed that somebody could decide about.")
    return state.qualification.standing_exit


@deal.decides(allow=SELLING)
def assess_exit(state: OpenDeal, command: AssessExit, context: Context) -> Decision:
    """Weigh what going on is worth against what it costs: below it, the exit is proposed.

    It is worth amount × probability. Where it is worth its cost nothing is recorded.
    """
    currency = state.amount.currency
    cost = check_money(command.remaining_cost, "remaining_cost", currency=currency, whose="the deal's currency")
    if cost.amount < 0:
        raise Rejected("negative", "A cost is not negative.", field="remaining_cost.amount")
    if expected_value(state.amount, state.probability).amount >= cost.amount:
        return []
    return proposed(state, context, "not-worth-it", remaining_cost=cost)


@deal.decides(allow=SELLING, guard=_is_proposed)
def accept_exit(state: OpenDeal, command: AcceptExit, context: Context) -> Decision:
    """Give the deal up as was proposed: it is abandoned, for the cause of the proposal."""
    proposal = _is_proposed(state, context.actor)
    accepted = DealExitAccepted(deal_id=state.id, cause=proposal.cause, proposed_on=proposal.on, on=context.today)
    return [accepted, *abandon(state, AbandonDeal(reason=CAUSES[proposal.cause]), context)]


@deal.decides(allow=SELLING, guard=_is_proposed)
def decline_exit(state: OpenDeal, command: DeclineExit, context: Context) -> Decision:
    """Go on with the deal against the proposal, with a reason."""
    proposal = _is_proposed(state, context.actor)
    return [
        DealExitDeclined(
            deal_id=state.id,
            cause=proposal.cause,
            proposed_on=proposal.on,
            on=context.today,
            reason=command.reason,
        )
    ]


@deal.already
def is_accepted(state: AbandonedDeal, command: AcceptExit) -> bool:
    return state.qualification.exit is not None and state.qualification.exit.decided == "accepted"


@deal.already
def is_declined(state: OpenDeal, command: DeclineExit) -> bool:
    last = state.qualification.exit
    return last is not None and (last.decided, last.reason) == ("declined", command.reason)


@deal.evolves
def exit_was_proposed(state: OpenDeal, event: DealExitProposed) -> OpenDeal:
    proposal = ExitProposal(
        cause=event.cause,
        on=event.on,
        answer_id=event.answer_id,
        expected_value=event.expected_value,
        remaining_cost=event.remaining_cost,
    )
    return replace(state, qualification=replace(state.qualification, exit=proposal))


@deal.evolves
def exit_was_decided(state: OpenDeal, event: DealExitAccepted | DealExitDeclined) -> OpenDeal:
    last = state.qualification.exit
    if last is None:
        return state
    if isinstance(event, DealExitAccepted):
        decided, told = replace(last, decided="accepted"), state.written
    else:
        decided, told = replace(last, decided="declined", reason=event.reason), written(state, event.reason)
    return replace(state, qualification=replace(state.qualification, exit=decided), written=told)


def proposed(
    state: OpenDeal,
    context: Context,
    cause: str,
    *,
    answer_id: UUID | None = None,
    remaining_cost: Money | None = None,
) -> list[DealExitProposed]:
    """The proposal to give the deal up, or nothing while one stands."""
    if state.qualification.standing_exit is not None:
        return []
    return [
        DealExitProposed(
            deal_id=state.id,
            cause=cause,
            on=context.today,
            answer_id=answer_id,
            expected_value=expected_value(state.amount, state.probability),
            remaining_cost=remaining_cost,
            amount=state.amount,
            probability=state.probability,
        )
    ]
