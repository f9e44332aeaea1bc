"""A follow-up: what came of a reaction to an event, or of a deadline, told once (a family of each service).

Whoever goes through an event again, after a crash or a redrive, finds the follow-up settled and tells nothing. One that
was parked is settled when its event is handled after all.
"""

import functools
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from shared.domain.aggregate import Aggregate
from shared.domain.roles import EVERYBODY, ONLY_SERVICES
from shared.events.definition import value
from shared.events.follow_ups import FOLLOW_UP, Place, follow_up_events


@value
class Settle:
    """Tell what came of it."""

    told: tuple[Any, ...]


@value
class Park:
    """Tell that it could not be handled yet."""

    told: Any


@value
class Begin:
    """Tell from where on events are reacted to."""

    told: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class NoFollowUp:
    """Nothing was told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedFollowUp:
    """It failed, or waits behind what failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledFollowUp:
    """What came of it was told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunFollowUp:
    """From where on events are reacted to was told."""

    types: tuple[str, ...]
    passed: tuple[Place, ...]


@functools.lru_cache
def follow_up(service: str) -> Aggregate:
    """The family of a service."""
    told = follow_up_events(service)
    family = Aggregate(FOLLOW_UP, plural=f"{service}-follow-ups", start=NoFollowUp, readers=EVERYBODY)

    @family.decides(allow=ONLY_SERVICES, routed=False)
    def settle(state: NoFollowUp | ParkedFollowUp, command: Settle) -> Sequence[Any]:
        return command.told

    @family.decides(allow=ONLY_SERVICES, routed=False)
    def park(state: NoFollowUp, command: Park) -> Sequence[Any]:
        return [command.told]

    @family.decides(allow=ONLY_SERVICES, routed=False)
    def begin(state: NoFollowUp | BegunFollowUp, command: Begin) -> Sequence[Any]:
        return [command.told]

    @family.already
    def is_settled(state: SettledFollowUp, command: Settle | Park) -> bool:
        return True

    @family.already
    def is_parked(state: ParkedFollowUp, command: Park) -> bool:
        return True

    @family.already
    def has_begun(state: BegunFollowUp, command: Begin) -> bool:
        return (state.types, state.passed) == (command.told.types, command.told.passed)

    _evolves(family, (NoFollowUp, ParkedFollowUp), told.refused, (NoFollowUp, ParkedFollowUp), lambda state, _: state)
    _evolves(family, (NoFollowUp,), told.parked, (ParkedFollowUp,), lambda *_: ParkedFollowUp())
    _evolves(family, (NoFollowUp, ParkedFollowUp), told.answered, (SettledFollowUp,), lambda *_: SettledFollowUp())
    _evolves(family, (NoFollowUp,), told.timer_refused, (SettledFollowUp,), lambda *_: SettledFollowUp())
    _evolves(
        family,
        (NoFollowUp, BegunFollowUp),
        told.begun,
        (BegunFollowUp,),
        lambda _, event: BegunFollowUp(types=event.types, passed=event.passed),
    )
    return family


def _evolves(
    family: Aggregate, before: tuple[type, ...], event: type, after: tuple[type, ...], change: Callable[[Any, Any], Any]
) -> None:
    """Register a change by an event class that is known at run time only: what others write as annotations."""

    def evolve(state: Any, event: Any) -> Any:
        return change(state, event)

    evolve.__annotations__ = {"state": _any_of(before), "event": event, "return": _any_of(after)}
    family.evolves(evolve)


def _any_of(classes: tuple[type, ...]) -> Any:
    return functools.reduce(operator.or_, classes)
