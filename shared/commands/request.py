"""A command as it is requested, its result, and why it may be refused apart from a rule's `Rejected`."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any
from uuid import UUID

from shared.domain.aggregate import Aggregate
from shared.domain.context import Actor
from shared.events.chronology import Told
from shared.eventstore.append import Idempotency, StreamPosition


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """A command for an aggregate, and everything that surrounds it."""

    aggregate: Aggregate
    aggregate_id: UUID
    command: Any
    actor: Actor
    _: KW_ONLY
    expected: int | None = None
    """The version that the caller saw (If-Match); None when it does not matter."""
    idempotency: Idempotency | None = None
    correlation_id: UUID | None = None
    causation_id: UUID | None = None
    command_id: UUID | None = None
    """Unique per accepted request and the same on each of its tries; ids of what it brings about derive from it.
    Default: a new UUIDv7, kept with the idempotency record. A reaction's derives from the event that caused it."""
    imported: bool = False
    """History from another system: its events say so, and timers that are due already are not set."""
    told: Told | None = None
    """Of a fact of history: by what it is known again, and where it stands (DATA-5)."""
    by: str | None = None
    """The subject of whoever did what a fact of history tells: its events have them as their actor. Who may is judged
    by `actor`, who tells it. Default: whoever tells it."""
    traceparent: str | None = None
    precondition: Callable[[Any], bool] | None = None
    """Whether the command is still to run in this state; otherwise it succeeds without events. For timers."""


def required_id(id_: UUID | None) -> UUID:
    """An id that the executor has given a request, if it came without one."""
    assert id_ is not None
    return id_


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamOutcome:
    """What a command did to one aggregate: the events in their order, and the state after them."""

    aggregate: Aggregate
    aggregate_id: UUID
    state: Any
    events: tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """A command was carried out. `written` is where the last events of what it wrote to stand in the log of this
    service, and `streams` is what it did there; both begin with the aggregate itself. A replayed answer is that of the
    first time, without `streams`. One that `corrects` told facts in place of others that were told under their name
    (DATA-5)."""

    aggregate_id: UUID
    sequence: int
    written: tuple[StreamPosition, ...]
    replayed: bool = False
    corrects: bool = False
    streams: tuple[StreamOutcome, ...] = ()

    @property
    def position(self) -> int:
        """Where the last event of the aggregate itself stands."""
        return self.written[0].position

    @property
    def events(self) -> tuple[Any, ...]:
        """What happened, to whichever aggregate."""
        return tuple(event for stream in self.streams for event in stream.events)


class Refused(Exception):
    """A command was not carried out; nothing was recorded."""


class NotFound(Refused):
    """There is no such aggregate, or the actor may not know of it."""

    def __init__(self, aggregate: str, aggregate_id: UUID) -> None:
        super().__init__(f"There is no {aggregate} {aggregate_id}.")
        self.aggregate = aggregate
        self.aggregate_id = aggregate_id


class Forbidden(Refused):
    """The actor sees the aggregate, but may not do this. `reason` is a sentence for them."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class StaleVersion(Refused):
    """The caller expected another version of the aggregate than it has."""

    def __init__(self, expected: int, actual: int) -> None:
        super().__init__(f"The version is {actual}, not {expected}.")
        self.expected = expected
        self.actual = actual


class Busy(Refused):
    """Others changed the same aggregate on every try. Trying again later helps."""


class InFlight(Refused):
    """The same request is being carried out right now."""


class ContentDiffers(Refused):
    """The idempotency key was used before for a request with other content."""
