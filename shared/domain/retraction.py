"""Retraction: facts of history are taken back by further facts, for nothing is ever deleted from a stream (DATA-5).

    retractable(deal, DealFactRetracted)

A retraction names the request that told a fact, and folds of the present leave that out (`standing`). What had been
corrected by it counts again.
"""

from typing import Any

from shared.domain.aggregate import Aggregate, Decision
from shared.domain.context import Context
from shared.domain.references import ToldById
from shared.domain.roles import ONLY_SERVICES
from shared.events.definition import value


@value
class RetractFacts:
    """Take back what some requests told of a thing."""

    requests: tuple[ToldById, ...]


def retractable(aggregate: Aggregate, retraction: type, *, thing: str | None = None) -> None:
    """Let facts of a family be taken back, as events of the class `retraction`, whose field `thing` (by default the
    aggregate's name with `_id`) says of what. Imports do so, nobody else."""

    # Whatever has become of the thing: who asks has made sure that nothing rests on these facts.
    @aggregate.decides(allow=ONLY_SERVICES, routed=False)
    def retract_facts(state: object, command: RetractFacts, context: Context) -> Decision:
        """Take back facts of history."""
        own: dict[str, Any] = {thing or f"{aggregate.name}_id": context.aggregate_id}
        return [retraction(**own, request=request) for request in command.requests]
