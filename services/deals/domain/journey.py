"""An ordered vocabulary: the buyer's journey, beside the stages of the seller (PROC-7).

Repurchase and churn are two ends of it, and neither is before the other.
"""

from collections.abc import Iterable, Mapping
from typing import Literal, get_args

from shared.events.process import Touchpoint

BuyerStage = Literal["awareness", "interest", "evaluation", "decision", "use", "repurchase", "churn"]
"""Where a customer stands with what they buy."""

BUYER_STAGES: tuple[str, ...] = get_args(BuyerStage)

ENDS = ("repurchase", "churn")

PLACES: Mapping[str, int] = {stage: min(place, BUYER_STAGES.index(ENDS[0])) for place, stage in enumerate(BUYER_STAGES)}
"""How far along each stage is."""


def is_ahead(mirrored: str | None, stands: str) -> bool:
    """Whether the buyer's stage that a stage of the seller mirrors comes after the one in which the buyer stands. What
    mirrors none, or one of which the journey does not know, is ahead of nobody."""
    return mirrored is not None and PLACES.get(mirrored, 0) > PLACES[stands]


def weight(touchpoint: Touchpoint) -> int:
    """How much a touchpoint calls for attention, from 1 to 25: importance × urgency."""
    return touchpoint.importance * touchpoint.urgency


def ranked(touchpoints: Iterable[Touchpoint]) -> list[Touchpoint]:
    """Touchpoints by weight, the heaviest first; of equal ones the more important, then in the order of the process."""
    return sorted(touchpoints, key=lambda each: (-weight(each), -each.importance))
