"""What was folded to see what follows from a decision is what is kept of it, and nothing else is (DATA-5)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from services.deals.domain.deal import deal
from services.deals.domain.deal.closing import ReopenDeal
from shared.commands.decision import Decided, Evolved
from shared.commands.effects import changes_of
from shared.commands.request import CommandRequest
from shared.domain.aggregate import Occurrence
from shared.domain.history import Recorded, folded
from shared.events.deals.deal import DealRenamed
from shared.eventstore.snapshots import LoadedAggregate
from shared.testing.scenario import CONTEXT, NOW
from tests.services.deals.facts import ID, OPENED, OWNER, REP, TEAM

BOLT = DealRenamed(deal_id=ID, name="Bolt", owner=OWNER, team=TEAM)
"""It says already whose the deal is."""
NUT = replace(BOLT, name="Nut")
MEMOIZED = replace(deal.fold([OPENED, BOLT]), source="from the memoized fold")


def after(happened: Sequence[Any], evolved: Evolved | None) -> Any:
    """What is held of the deal once this has happened."""
    opened = Recorded(data=OPENED, occurred_at=NOW, by_day=False, sequence=1, fact=None, causation_id=UUID(int=5))
    before = LoadedAggregate(state=deal.fold([OPENED]), sequence=1, position=1, folded=folded(None, [opened]))
    request = CommandRequest(deal, ID, ReopenDeal(reason="any"), REP, causation_id=UUID(int=6))
    decided = Decided(
        on=before,
        occurrences=tuple(Occurrence(event=event) for event in happened),
        loaded={},
        unchanged={},
        evolved=evolved,
    )
    (change,) = changes_of(decided, request, CONTEXT, aggregates={"deal": deal})
    return change.after.state


def test_the_very_events_that_were_folded_are_not_folded_again() -> None:
    evolved = Evolved(events=[BOLT], state=MEMOIZED)

    assert after([BOLT], evolved) == MEMOIZED
    assert after([BOLT, NUT], evolved) == replace(MEMOIZED, name="Nut"), "what follows is folded on it"


def test_other_events_are_folded_from_what_was_there() -> None:
    evolved = Evolved(events=[BOLT], state=MEMOIZED)

    assert after([replace(BOLT, name="Nut")], evolved) == deal.fold([OPENED, NUT])
    assert after([BOLT], None) == deal.fold([OPENED, BOLT])
