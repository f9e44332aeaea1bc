"""Where the buyer stands in their journey, beside the stage of the seller (PROC-7)."""

from dataclasses import replace
from typing import Any, ClassVar

from services.deals.domain.deal.state import AnyDeal, BuyerStanding, OpenDeal, WonDeal, deal, written
from services.deals.domain.journey import BuyerStage
from shared.domain.aggregate import Decision
from shared.domain.context import Context
from shared.domain.fields import Day, Text
from shared.domain.rejection import Rejected
from shared.domain.roles import SELLING
from shared.events.deals.deal_record import DealBuyerStageNoted
from shared.events.definition import value


@value
class NoteBuyerStage:
    """The buyer stands here, whatever the stage of the deal is."""

    buyer_stage: BuyerStage
    evidence: Text | None = None
    """What it rests on: who said so, or where it is written."""
    on: Day | None = None
    """The day on which that was found out; default: today."""

    example: ClassVar[dict[str, Any]] = {
        "buyer_stage": "evaluation",
        "evidence": "Their engineers compare three offers, says the head of procurement.",
    }


@deal.decides(allow=SELLING)
def note_buyer_stage(state: OpenDeal | WonDeal, command: NoteBuyerStage, context: Context) -> Decision:
    """Note where the buyer stands: while the deal is open, and once it is won, when they use what they bought."""
    on = command.on or context.today
    if on > context.today:
        raise Rejected("in-the-future", "It was found out today, or before.", field="on")
    known = state.buyer
    if known is not None and on < known.on:
        # What was found out later stands: an earlier finding does not take its place.
        raise Rejected("known-since", f"Where the buyer stands was found out on {known.on}.", field="on")
    return [
        DealBuyerStageNoted(
            deal_id=state.id,
            before=known.stage if known else None,
            buyer_stage=command.buyer_stage,
            evidence=command.evidence,
            on=on,
        )
    ]


@deal.already
def is_buyer_stage_noted(state: OpenDeal | WonDeal, command: NoteBuyerStage) -> bool:
    known = state.buyer
    return (
        known is not None
        and (known.stage, known.evidence) == (command.buyer_stage, command.evidence)
        and command.on in (None, known.on)
    )


@deal.evolves
def buyer_stage_noted(state: AnyDeal, event: DealBuyerStageNoted) -> AnyDeal:
    stands = BuyerStanding(stage=event.buyer_stage, on=event.on, evidence=event.evidence)
    return replace(state, buyer=stands, written=written(state, event.evidence))
