"""Retraction: facts of history are taken back by further facts, for nothing is ever deleted from a stream (DATA-5).

    retractable(deal, DealFactRetracted)

A retraction names the request that told a fact, and no fold of a thing knows that any more (`standing`). What had been
corrected by it counts again.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from shared.domain.aggregate import Aggregate, Decision, Fact
from shared.domain.context import Context, Moment
from shared.domain.roles import ONLY_SERVICES
from shared.events.definition import value


@value
class ToldBefore:
    """A fact that is to be taken back: the request that told it, and when it happened."""

    request: UUID
    at: datetime
    by_day: bool


@value
class RetractFacts:
    """Take back facts of a thing."""

    facts: tuple[ToldBefore, ...]


def retractable(aggregate: Aggregate, retraction: type) -> None:
    """Let facts of a family be taken back, as events of the class `retraction`. Imports do so, nobody else."""

    # Whatever has become of the thing: who asks has made sure that nothing rests on these facts.
    @aggregate.decides(allow=ONLY_SERVICES, routed=False)
    def retract_facts(state: object, command: RetractFacts, context: Context) -> Decision:
        """Take back facts of history."""
        own: dict[str, Any] = {f"{aggregate.name}_id": context.aggregate_id}
        return [
            Fact(event=retraction(**own, request=each.request), at=Moment(each.at, by_day=each.by_day))
            for each in command.facts
        ]
