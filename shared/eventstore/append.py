"""Append with optimistic concurrency: what one command writes, whole or not at all, and the outcomes that it may
have."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An event that is about to be appended. `data` and `personal` are JSON objects."""

    id: UUID
    type: str
    version: int
    occurred_at: datetime
    by_day: bool = False
    fact: str | None = None
    data: bytes
    personal: bytes | None = None
    person: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamAppend:
    """Events for one stream, which must be at the sequence `expected` (0: not there yet). Without events the stream is
    only checked."""

    aggregate: str
    aggregate_id: UUID
    expected: int
    events: tuple[NewEvent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldKey:
    """A claim as it is stored: the keyed hash of the key, and the aggregate that holds it, maybe beside others."""

    kind: str
    key_hash: bytes
    holder: UUID
    beside: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerChange:
    """A timer to be set; without `due` and `command` (JSON) to be cancelled."""

    aggregate: str
    aggregate_id: UUID
    name: str
    generation: int
    due: datetime | None = None
    command: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Idempotency:
    """What makes two requests the same one: who asked for what under which key, and the hash of the content."""

    principal: str
    operation: str
    key: str
    request_hash: bytes
    latest: bool = False
    """The key stands for the newest request under it: one with other content takes its place, and is no misuse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """The effect of one command. The first stream is the one that the command was addressed to; `position` is where
    its last event stands so far, the answer to keep when it gets no new one. `command_id` is kept with the answer."""

    command_id: UUID
    streams: tuple[StreamAppend, ...]
    actor: str
    correlation_id: UUID
    causation_id: UUID
    recorded_at: datetime
    imported: bool = False
    traceparent: str | None = None
    idempotency: Idempotency | None = None
    position: int = 0
    take: tuple[HeldKey, ...] = ()
    release: tuple[HeldKey, ...] = ()
    timers: tuple[TimerChange, ...] = ()
    erase: tuple[UUID, ...] = ()

    def touches(self) -> Iterator[object]:
        """What no other command of the same call may touch."""
        yield from (stream.aggregate_id for stream in self.streams)
        yield from ((key.kind, key.key_hash) for key in (*self.take, *self.release))
        if self.idempotency is not None:
            yield (self.idempotency.principal, self.idempotency.operation, self.idempotency.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """It is in the log: the position of the last event of each stream that got some."""

    positions: dict[UUID, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A stream was not where it was expected to be."""

    aggregate_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimTaken:
    """Another aggregate holds a claim that was to be taken, and not beside it."""

    kind: str
    key_hash: bytes
    holder: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPosition:
    """Where the last event that a command wrote to an aggregate stands in the log."""

    aggregate: str
    aggregate_id: UUID
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """The same request was carried out before, with this answer; `others` is where it wrote besides, as far as that was
    looked up."""

    aggregate_id: UUID
    sequence: int
    position: int
    others: tuple[StreamPosition, ...] = ()


@dataclass(frozen=True, slots=True)
class RequestInFlight:
    """The same request is being carried out right now."""


@dataclass(frozen=True, slots=True)
class OtherContent:
    """The idempotency key stands for a request with other content."""


Outcome = Appended | Conflict | ClaimTaken | Replayed | RequestInFlight | OtherContent

CALL = "select * from append_commands($1::json, $2::json, $3::json, $4::json, $5::json, $6::json)"


def arguments(batch: Sequence[Append]) -> tuple[str | None, ...]:
    """The arguments of `CALL`; the commands are numbered by their place."""
    numbered = tuple(enumerate(batch))
    return (
        _json([_events(command, append) for command, append in numbered if any(s.events for s in append.streams)]),
        _json([_stream(command, stream) for command, append in numbered for stream in append.streams]),
        _json_or_none([_key(command, append) for command, append in numbered if append.idempotency is not None]),
        _json_or_none([row for command, append in numbered for row in _claims(command, append)]),
        _json_or_none([_timer(command, timer) for command, append in numbered for timer in append.timers]),
        _json_or_none([row for command, append in numbered for row in _people(command, append)]),
    )


def outcomes(batch: Sequence[Append], rows: Iterable[Any]) -> list[Outcome]:
    """The answer to each command of a batch from the rows of `CALL`."""
    lost: dict[int, Outcome] = {}
    positions: dict[UUID, int] = {}
    for row in rows:
        if row["outcome"] == "appended":
            positions[row["aggregate_id"]] = row["position"]
        else:
            lost[row["command"]] = _loss(row)
    return [
        lost[command]
        if command in lost
        else Appended(
            positions={
                stream.aggregate_id: positions[stream.aggregate_id] for stream in append.streams if stream.events
            }
        )
        for command, append in enumerate(batch)
    ]


def _loss(row: Any) -> Outcome:
    match row["outcome"]:
        case "conflict":
            return Conflict(aggregate_id=row["aggregate_id"])
        case "claim-taken":
            return ClaimTaken(kind=row["kind"], key_hash=row["key_hash"], holder=row["aggregate_id"])
        case "replayed":
            return Replayed(aggregate_id=row["aggregate_id"], sequence=row["sequence"], position=row["position"])
        case "in-flight":
            return RequestInFlight()
        case "content-differs":
            return OtherContent()
        case other:
            raise LookupError(f"append_commands answered {other!r}")


def _events(command: int, append: Append) -> dict[str, Any]:
    events = ((stream, ordinal, event) for stream in append.streams for ordinal, event in enumerate(stream.events))
    return {
        "command": command,
        "recorded_at": append.recorded_at,
        "actor": append.actor,
        "correlation_id": append.correlation_id,
        "causation_id": append.causation_id,
        "imported": append.imported,
        "traceparent": append.traceparent,
        "events": [
            {
                "place": place,
                "aggregate_id": stream.aggregate_id,
                "aggregate": stream.aggregate,
                "sequence": stream.expected + ordinal + 1,
                "event_id": event.id,
                "type": event.type,
                "version": event.version,
                "occurred_at": event.occurred_at,
                "by_day": event.by_day,
                "fact": event.fact,
                "data": msgspec.Raw(event.data),
            }
            for place, (stream, ordinal, event) in enumerate(events)
        ],
    }


def _stream(command: int, stream: StreamAppend) -> dict[str, Any]:
    return {
        "command": command,
        "aggregate_id": stream.aggregate_id,
        "aggregate": stream.aggregate,
        "expected": stream.expected,
        "events": len(stream.events),
    }


def _key(command: int, append: Append) -> dict[str, Any]:
    assert append.idempotency is not None
    main = append.streams[0]
    return {
        "command": command,
        "principal": append.idempotency.principal,
        "operation": append.idempotency.operation,
        "key": append.idempotency.key,
        "request_hash": _hex(append.idempotency.request_hash),
        "aggregate_id": main.aggregate_id,
        "sequence": main.expected + len(main.events),
        "position": append.position,
        "command_id": append.command_id,
        "latest": append.idempotency.latest,
    }


def _claims(command: int, append: Append) -> Iterator[dict[str, Any]]:
    for keys, take in ((append.take, True), (append.release, False)):
        for key in keys:
            hashed = _hex(key.key_hash)
            row = {"command": command, "kind": key.kind, "key_hash": hashed, "holder": key.holder, "take": take}
            yield {**row, "beside": sorted(key.beside)} if key.beside else row


def _timer(command: int, timer: TimerChange) -> dict[str, Any]:
    return {
        "command": command,
        "aggregate_id": timer.aggregate_id,
        "name": timer.name,
        "aggregate": timer.aggregate,
        "due": timer.due,
        "generation": timer.generation,
        "command_data": None if timer.command is None else msgspec.Raw(timer.command),
    }


def _people(command: int, append: Append) -> Iterator[dict[str, Any]]:
    for event in (event for stream in append.streams for event in stream.events if event.personal is not None):
        assert event.personal is not None
        data = msgspec.Raw(event.personal)
        yield {"command": command, "person_id": event.person, "event_id": event.id, "data": data}
    for person in append.erase:
        yield {"command": command, "person_id": person, "event_id": None}


def _hex(value: bytes) -> str:
    return "\\x" + value.hex()


def _json(rows: list[dict[str, Any]]) -> str:
    return msgspec.json.encode(rows).decode()


def _json_or_none(rows: list[dict[str, Any]]) -> str | None:
    return _json(rows) if rows else None
