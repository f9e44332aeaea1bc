"""Transactional outbox: an event leads to messages and calls outside, each under an id by which repeats are known.

    deliveries = Deliveries("forecast")

    @deliveries.on
    def tell_of_notice(event: NoticeRaised, fact: Envelope[NoticeRaised]) -> Iterable[Deliver]:
        yield Deliver(channel="webhook", kind=event.kind, data={"notice_id": event.notice_id, ...})

The functions are pure, and say what is sent; `Receivers` says to whom, as of the event. An event leads to one delivery
for a channel and a receiver: its id follows from the three, and is the same however often it is sent. What is kept
holds ids, codes and figures; addresses and names are looked up when it is sent. Imported events lead to nothing.
"""

import typing
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeAlias, TypeVar
from uuid import UUID, uuid5

import msgspec

from shared.events.envelope import Envelope
from shared.events.registry import service_of, type_of

Function = TypeVar("Function", bound=Callable[..., Any])

CHECKPOINT = "deliveries"
"""How far the events are that deliveries were made of."""

_JSON = msgspec.json.Encoder(decimal_format="string")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliver:
    """Something to be sent because of an event."""

    channel: str
    """By which way: `mail`, `webhook`."""
    kind: str
    """What it says, as receivers know it; they may ask for some kinds only."""
    data: Mapping[str, Any]
    """Ids, codes, days and figures; nothing of people."""
    to: UUID | None = None
    """For whom. None: for whoever asked for this kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What is to be sent to one receiver."""

    id: UUID
    channel: str
    receiver: UUID
    position: int
    """Of the event in the log: the order of a receiver."""
    event_id: UUID
    kind: str
    content: str
    """JSON: `type` (the kind), `timestamp` (when it happened, company clock) and `data`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A delivery whose turn it is."""

    delivery: Delivery
    attempts: int
    """How often it was tried."""
    queued_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """The receiver has taken it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """It was not taken, and may be later. `code` never quotes the other side, which may have said anything."""

    code: str
    retry_after: float | None = None
    """In how many seconds the receiver wants to be asked again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """It will never be taken as it is: dead at once, until somebody has it sent anew."""

    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """It was not tried, because the receiver wants nothing for now."""

    code: str


Outcome: TypeAlias = Delivered | Failed | Refused | Withheld


class Channel(Protocol):
    """A way outside. It says what became of an attempt, and raises only what is a fault of ours or of the database."""

    async def send(self, delivery: Delivery) -> Outcome:
        """Send it once, in a bounded time."""
        ...


Receivers: TypeAlias = Callable[[Deliver], Awaitable[Collection[UUID]]]
"""Who is reached by a way, of the one whom it is for or of all who asked for its kind."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A registered function."""

    events: tuple[type, ...]
    function: Callable[[Any, Envelope[Any]], Iterable[Deliver]]


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What a service sends outside. Filled by decorators while its module is imported, then only read."""

    service: str
    _rules: list[Rule] = field(default_factory=list)

    def on(self, function: Function) -> Function:
        """Register `(event, fact) -> what to send`; the annotation of the first parameter says of which events."""
        event = next(iter(typing.get_type_hints(function).values()))
        events = typing.get_args(event) or (event,)
        for each in events:
            if service_of(each) != self.service:
                raise ValueError(f"{function.__name__}: {each.__name__} is no event of {self.service}")
        self._rules.append(Rule(events, function))
        return function

    @property
    def types(self) -> frozenset[str]:
        """The names of the types of events that something may follow from."""
        return frozenset(type_of(event) for rule in self._rules for event in rule.events)

    def of(self, fact: Envelope[Any]) -> Sequence[Deliver]:
        """What is to be sent because of an event."""
        if fact.imported:
            return ()
        return [
            asked
            for rule in self._rules
            if isinstance(fact.data, rule.events)
            for asked in rule.function(fact.data, fact)
        ]


def delivery_id(event_id: UUID, channel: str, receiver: UUID) -> UUID:
    """By which a receiver knows a delivery again: the same in every attempt, also after a restore of the database."""
    return uuid5(event_id, f"{channel}/{receiver}")


def delivery_of(asked: Deliver, fact: Envelope[Any], receiver: UUID) -> Delivery:
    """What follows from an event for one receiver."""
    content = _JSON.encode({"type": asked.kind, "timestamp": fact.occurred_at, "data": dict(asked.data)})
    return Delivery(
        id=delivery_id(fact.id, asked.channel, receiver),
        channel=asked.channel,
        receiver=receiver,
        position=fact.position,
        event_id=fact.id,
        kind=asked.kind,
        content=content.decode(),
    )
