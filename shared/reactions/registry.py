"""Process manager: an event, of another service or our own, leads to commands of ours.

    reactions = Reactions("contracts")

    @reactions.on
    def draft_on_win(event: DealWon, fact: Envelope[DealWon]) -> Iterable[Do]:
        yield Do(aggregate=contract, aggregate_id=uuid5(event.deal_id, "contract"), command=DraftContract(...))

The functions are pure. What they ask for is carried out once for every event, in the order of each aggregate's events,
under an idempotency key that follows from the event. Imported events are left alone unless a reaction says otherwise
(`imported=True`); what follows from them is history like them, unless it is decided now (`live=True`).
What came of each event is told as an event of ours; readers know that they may wait for that from
`shared.events.follow_ups.FOLLOWERS`.
"""

import types
import typing
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, overload
from uuid import UUID

from shared.domain.aggregate import Aggregate
from shared.events.envelope import Envelope
from shared.events.registry import service_of, type_of
from shared.projections.projection import Source

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Do:
    """A command that follows from an event."""

    aggregate: Aggregate
    aggregate_id: UUID
    command: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """A registered function. Its name is part of the idempotency key: a renamed function reacts anew."""

    name: str
    events: tuple[type, ...]
    imported: bool
    """Whether it reacts to imported events too."""
    function: Callable[[Any, Envelope[Any]], Iterable[Do]]
    when: str | None = None
    """The field of the event that has to say something: nothing follows from events where it does not."""
    live: bool = False
    """Whether what follows from imported events happens now: it is no history itself, and others answer it."""

    def answers(self, fact: Envelope[Any]) -> bool:
        """Whether it reacts to an event."""
        if not isinstance(fact.data, self.events) or (fact.imported and not self.imported):
            return False
        return self.when is None or getattr(fact.data, self.when) not in (None, False)

    def to(self, fact: Envelope[Any]) -> Sequence[Do]:
        """What follows from an event."""
        return tuple(self.function(fact.data, fact)) if self.answers(fact) else ()

    def tells_history(self, fact: Envelope[Any]) -> bool:
        """Whether what follows from an event is recorded as history, as the event was."""
        return fact.imported and not self.live


class Reactions:
    """The reactions of one service. Filled by decorators while its module is imported, then only read."""

    def __init__(self, service: str) -> None:
        self.service = service
        self._all: dict[str, Reaction] = {}

    @overload
    def on(self, function: Function) -> Function: ...
    @overload
    def on(
        self, *, imported: bool = False, live: bool = False, when: str | None = None
    ) -> Callable[[Function], Function]: ...
    def on(
        self, function: Function | None = None, *, imported: bool = False, live: bool = False, when: str | None = None
    ) -> Any:
        """Register `(event, fact) -> what to do`; the annotation of the first parameter says to which events, `when`
        which field of theirs has to say something."""
        if function is None:
            return lambda named: self._register(named, imported, live, when)
        return self._register(function, imported, live, when)

    @property
    def every(self) -> tuple[Reaction, ...]:
        """All of them."""
        return tuple(self._all.values())

    def of(self, source: Source) -> tuple[Reaction, ...]:
        """The reactions to events that stand in our own log, or in the journal."""
        return tuple(
            reaction
            for reaction in self._all.values()
            if any((service_of(event) == self.service) == (source == "log") for event in reaction.events)
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        """The logs that there are reactions to."""
        both: tuple[Source, Source] = ("log", "journal")
        return tuple(source for source in both if self.of(source))

    @property
    def checkpoints(self) -> tuple[str, ...]:
        """The names of the checkpoints that move as events are reacted to."""
        return tuple(checkpoint_of(source) for source in self.sources)

    @property
    def reads(self) -> tuple[type, ...]:
        """The event classes of other services that are reacted to."""
        every = (event for reaction in self._all.values() for event in reaction.events)
        return tuple(dict.fromkeys(event for event in every if service_of(event) != self.service))

    def _register(self, function: Function, imported: bool, live: bool, when: str | None) -> Function:
        name = function.__name__
        if name in self._all:
            raise ValueError(f"{self.service} has two reactions named {name!r}")
        event = next(iter(typing.get_type_hints(function).values()))
        union = typing.get_origin(event) in (typing.Union, types.UnionType)
        events = typing.get_args(event) if union else (event,)
        self._all[name] = Reaction(name=name, events=events, imported=imported, function=function, when=when, live=live)
        return function


def types_of(reactions: Iterable[Reaction]) -> frozenset[str]:
    """The names of the types of events that somebody reacts to."""
    return frozenset(type_of(event) for reaction in reactions for event in reaction.events)


def checkpoint_of(source: Source) -> str:
    """The checkpoint of the reactions to a log."""
    return f"reactions-{source}"
