"""Event enrichment: an event says whose its thing was when it was recorded, so that nobody joins all history for it.

What the handler leaves empty of these fields is filled from the state of the stream, where the event marks it as known
when it was recorded (`AsKnown`). No fold reads it: a fact that is told later may have changed whose it was.
"""

from dataclasses import replace
from functools import cache
from typing import Any

from shared.events.definition import known_fields

WHOSE = ("owner", "team", "account_id")


def with_whose(event: Any, state: Any) -> Any:
    """The event, with whose its thing was in this state."""
    known = {name: getattr(state, name, None) for name in _fillable(event.__class__) if getattr(event, name) is None}
    told = {name: whose for name, whose in known.items() if whose is not None}
    return replace(event, **told) if told else event


@cache
def _fillable(event_class: type) -> tuple[str, ...]:
    fields = known_fields(event_class)
    return tuple(name for name in WHOSE if name in fields)
