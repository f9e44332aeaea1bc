"""What became of the facts of a deal: which of them stand, and which were corrected or withdrawn later.

For some facts of a long stream, that follows from these together with what is `RELATED` to them: the facts by which
others are taken back or replaced, those told under the same names, and what was told along with what took them back.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

from services.deals.domain.deal.answering import KINDS
from shared.domain.history import Fact, standing
from shared.events.deals.deal import DealActivityLogged, DealFactRetracted
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


def names_of(facts: Iterable[Fact]) -> set[str]:
    """The names under which some facts are told: of several under one, the last counts."""
    return {fact.fact for fact in facts if fact.fact is not None}


def retractions_of(facts: Iterable[Fact], retracting: Iterable[Fact]) -> set[UUID]:
    """The requests that took some facts back: what else they told says what became of those."""
    requests = {fact.causation_id for fact in facts}
    return {each.causation_id for each in retracting if each.data.retracts and each.data.request in requests}


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
RELATED: frozenset[type] = frozenset(
    (DealFactRetracted, DealActivityCorrected, DealActivityWithdrawn, DealAnswerWithdrawn, *KINDS)
)
"""What takes other facts back, or is told in their place under their id; an activity is logged once under its id."""


def _told_under(event: Any) -> UUID | None:
    match event:
        case DealActivityLogged() | DealActivityCorrected() | DealActivityWithdrawn():
            return event.activity_id
        case DealAnswerWithdrawn():
            return event.answer_id
    return event.answer_id if type(event) in KINDS else None
