"""What became of the facts of a deal: which of them stand, and which were corrected or withdrawn later."""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

from services.deals.domain.deal.answering import KINDS
from shared.domain.history import Fact, standing
from shared.events.deals.deal import DealActivityLogged
from shared.events.deals.deal_qualification import DealAnswerWithdrawn
from shared.events.deals.deal_record import DealActivityCorrected, DealActivityWithdrawn

Became = Literal["stands", "corrected", "withdrawn"]


def became(facts: Sequence[Fact]) -> Mapping[int, Became]:
    """By its sequence, what became of each fact, from all that was recorded of a deal."""
    stands = {fact.sequence for fact in standing(facts)}
    found: dict[int, Became] = {
        fact.sequence: "stands" if fact.sequence in stands or fact.data.retracts else "corrected" for fact in facts
    }
    found |= dict.fromkeys(_taken_back(facts), "withdrawn")
    return found | _replaced([fact for fact in facts if fact.sequence in stands])


def _taken_back(facts: Sequence[Fact]) -> list[int]:
    """Facts that were taken back: whatever a request told where nothing was told in its place, and an activity that was
    withdrawn. What was told besides that is told once more, and so corrected."""
    told = defaultdict[UUID, list[Fact]](list)
    for fact in facts:
        told[fact.causation_id].append(fact)
    gone = []
    for fact in facts:
        if not fact.data.retracts:
            continue
        instead = [other.data for other in told[fact.causation_id] if other is not fact]
        withdrawn = {event.activity_id for event in instead if isinstance(event, DealActivityWithdrawn)}
        for other in told[fact.data.request]:
            if not instead or getattr(other.data, "activity_id", None) in withdrawn:
                gone.append(other.sequence)
    return gone


def _replaced(facts: Sequence[Fact]) -> dict[int, Became]:
    """Of what is told under an id of its own, an activity or an answer: the last telling counts, and none once that was
    withdrawn."""
    found: dict[int, Became] = {}
    last: dict[Hashable, int] = {}
    for fact in sorted(facts, key=lambda each: each.sequence):
        key = _told_under(fact.data)
        if key is None:
            continue
        if key in last:
            found[last[key]] = "withdrawn" if isinstance(fact.data, WITHDRAWING) else "corrected"
        if isinstance(fact.data, WITHDRAWING):
            last.pop(key, None)
        else:
            last[key] = fact.sequence
    return found


WITHDRAWING = (DealActivityWithdrawn, DealAnswerWithdrawn)


def _told_under(event: Any) -> UUID | None:
    match event:
        case DealActivityLogged() | DealActivityCorrected() | DealActivityWithdrawn():
            return event.activity_id
        case DealAnswerWithdrawn():
            return event.answer_id
    return event.answer_id if type(event) in KINDS else None
