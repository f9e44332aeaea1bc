"""An event as a Kafka record and back: CloudEvents 1.0 in binary mode.

The value is the stored JSON byte for byte, which holds no personal data; everything else stands in the headers.
`ce_position` is the event's place in the owner's log and `ce_prev` the one of the record before it in this partition,
so that whoever reads a partition can prove from the headers alone that nothing is missing.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson

from shared.events.envelope import Envelope
from shared.events.registry import UNREADABLE

Headers = Sequence[tuple[str, bytes | None]]

MAX_INT64 = 2**63 - 1
"""The largest number that a column of ours can hold."""


class Consumed(Protocol):
    """What we read of a record that a consumer got."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Headers: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A record read back. `previous` is None, and the position below zero, when its headers do not say them."""

    event: Envelope[bytes]
    previous: int | None


def headers_of(event: Envelope[Any], previous: int) -> list[tuple[str, bytes]]:
    """The headers of an event whose predecessor in its partition stands at `previous` (0: it is the first)."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(event.id),
        "ce_source": f"/{event.service}",
        "ce_type": event.type,
        "ce_subject": str(event.aggregate_id),
        "ce_time": moment(event.occurred_at),
        "ce_recordedat": moment(event.recorded_at),
        "ce_sequence": str(event.sequence),
        "ce_position": str(event.source_position),
        "ce_prev": str(previous),
        "ce_correlationid": str(event.correlation_id),
        "ce_causationid": str(event.causation_id),
        "ce_actor": event.actor,
        "ce_dataschema": schema_of(event.type, event.version),
        "content-type": "application/json",
    }
    if event.by_day:
        headers["ce_byday"] = "true"
    if event.imported:
        headers["ce_imported"] = "true"
    if event.fact is not None:
        headers["ce_fact"] = event.fact
    if event.traceparent is not None:
        headers["traceparent"] = event.traceparent
    return [(name, text.encode()) for name, text in headers.items()]


def read(record: Consumed) -> Received:
    """Read a record. One that is no event of ours comes back as an `UNREADABLE` event that holds it whole."""
    headers = dict(record.headers)
    try:
        return Received(event=_event(record, headers), previous=_number(headers, "ce_prev", least=0))
    except ValueError as error:
        return _unreadable(record, headers, str(error))


def moment(at: datetime) -> str:
    """RFC 3339 in UTC, to the microsecond."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def schema_of(type_name: str, version: int) -> str:
    """The name of an event's JSON Schema, its `$id`."""
    return f"urn:throughline:{type_name}:{version}"


def _event(record: Consumed, headers: Mapping[str, bytes | None]) -> Envelope[bytes]:
    if record.value is None:
        raise ValueError("the record has no value")
    _check_json(record.value)
    service, aggregate, _ = record.topic.split(".")
    type_name = _text(headers, "ce_type")
    position = _number(headers, "ce_position", least=1)
    return Envelope(
        id=_id(headers, "ce_id"),
        type=type_name,
        version=_version(headers, type_name),
        service=service,
        aggregate=aggregate,
        aggregate_id=_id(headers, "ce_subject"),
        sequence=_number(headers, "ce_sequence", least=1),
        partition=record.partition,
        position=position,
        source_position=position,
        occurred_at=_moment(headers, "ce_time"),
        by_day=headers.get("ce_byday") == b"true",
        recorded_at=_moment(headers, "ce_recordedat"),
        actor=_text(headers, "ce_actor"),
        correlation_id=_id(headers, "ce_correlationid"),
        causation_id=_id(headers, "ce_causationid"),
        imported=headers.get("ce_imported") == b"true",
        fact=_text(headers, "ce_fact") if "ce_fact" in headers else None,
        traceparent=_text(headers, "traceparent") if "traceparent" in headers else None,
        data=record.value,
    )


def _unreadable(record: Consumed, headers: Mapping[str, bytes | None], reason: str) -> Received:
    """The record as it came, in an event of its own type. It keeps its place in the chain when its headers say it."""
    service, aggregate, _ = record.topic.split(".")
    place = uuid5(NAMESPACE_URL, f"urn:throughline:{record.topic}:{record.partition}:{record.offset}")
    nowhere = -record.offset - 1  # unlike any position of a log, and the same whenever the record comes again
    position = _given_number(headers, "ce_position", least=1)
    now = datetime.fromtimestamp(0, UTC)
    event = Envelope(
        id=place,
        type=UNREADABLE,
        version=1,
        service=service,
        aggregate=aggregate,
        aggregate_id=_given_id(record.key, headers) or uuid5(place, "aggregate"),
        sequence=_given_number(headers, "ce_sequence", least=1) or 0,
        partition=record.partition,
        position=nowhere if position is None else position,
        source_position=nowhere if position is None else position,
        occurred_at=now,
        recorded_at=now,
        actor="",
        correlation_id=place,
        causation_id=place,
        imported=False,
        traceparent=None,
        data=orjson.dumps(
            {
                "reason": reason,
                "topic": record.topic,
                "offset": record.offset,
                "key": _encoded(record.key),
                "value": _encoded(record.value),
                "headers": [[name, _encoded(value)] for name, value in record.headers],
            }
        ),
    )
    return Received(event=event, previous=None if position is None else _given_number(headers, "ce_prev", least=0))


def _check_json(value: bytes) -> None:
    try:
        data = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise ValueError("the value is not JSON") from error
    if not isinstance(data, dict):
        raise ValueError("the value is not a JSON object")


def _text(headers: Mapping[str, bytes | None], name: str) -> str:
    raw = headers.get(name)
    if raw is None:
        raise ValueError(f"{name} is missing")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is not UTF-8") from error
    if "\x00" in text:  # PostgreSQL holds no such text
        raise ValueError(f"{name} holds a zero byte")
    return text


def _number(headers: Mapping[str, bytes | None], name: str, *, least: int) -> int:
    text = _text(headers, name)
    if not (text.isascii() and text.isdecimal() and len(text) <= 19 and least <= int(text) <= MAX_INT64):
        raise ValueError(f"{name} is not a number of {least} or more")
    return int(text)


def _id(headers: Mapping[str, bytes | None], name: str) -> UUID:
    try:
        return UUID(_text(headers, name))
    except ValueError as error:
        raise ValueError(f"{name} is not a UUID") from error


def _moment(headers: Mapping[str, bytes | None], name: str) -> datetime:
    text = _text(headers, name)
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{name} is not a time") from error
    raise ValueError(f"{name} has no time zone")


def _version(headers: Mapping[str, bytes | None], type_name: str) -> int:
    schema = _text(headers, "ce_dataschema")
    version = schema.removeprefix(schema_of(type_name, 0)[:-1])
    if not (version.isascii() and version.isdecimal() and len(version) <= 4):
        raise ValueError("ce_dataschema does not name a version of the type")
    return int(version)


def _given_number(headers: Mapping[str, bytes | None], name: str, *, least: int) -> int | None:
    try:
        return _number(headers, name, least=least)
    except ValueError:
        return None


def _given_id(key: bytes | None, headers: Mapping[str, bytes | None]) -> UUID | None:
    """Whose record it is: by its key, or else by its subject."""
    for raw in (key, headers.get("ce_subject")):
        try:
            return UUID((raw or b"").decode())
        except ValueError:
            continue
    return None


def _encoded(raw: bytes | None) -> str | None:
    return None if raw is None else base64.b64encode(raw).decode()
