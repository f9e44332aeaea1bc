"""DATA-1: records carry events as CloudEvents in binary mode; whatever else stands in a topic is kept aside."""

import base64
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

import orjson
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat

from shared.events.envelope import Envelope
from shared.events.registry import UNREADABLE
from shared.kafka.record import Headers, headers_of, read

DEAL = UUID("0190f5d0-0000-7000-8000-000000000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    """A record as a consumer hands it over."""

    topic: str = "deals.deal.v1"
    partition: int = 5
    offset: int = 41
    key: bytes | None = str(DEAL).encode()
    value: bytes | None = b"{}"
    headers: Headers = ()


EVENT = Envelope(
    id=UUID(int=2),
    type="deals.deal-won",
    version=3,
    service="deals",
    aggregate="deal",
    aggregate_id=DEAL,
    sequence=7,
    partition=5,
    position=120,
    source_position=120,
    occurred_at=datetime(2026, 11, 23, 10, 0, 0, 125, tzinfo=UTC),
    recorded_at=datetime(2026, 11, 23, 10, 0, 1, tzinfo=UTC),
    actor="rep-1",
    correlation_id=UUID(int=3),
    causation_id=UUID(int=4),
    imported=True,
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    data=b'{ "amount" : "10.50" }',
)


def got(event: Envelope[bytes] = EVENT, previous: int = 110, **changes: bytes | None) -> Got:
    """The record of an event, with some headers changed; None stands for a header whose value is null."""
    headers = {**dict(headers_of(event, previous)), **changes}
    return Got(value=event.data, headers=tuple(headers.items()))


def test_an_event_comes_back_from_its_record_byte_for_byte() -> None:
    received = read(got())
    assert received.event == EVENT
    assert received.previous == 110


def test_what_is_not_always_there_may_be_absent() -> None:
    plain = replace(EVENT, imported=False, traceparent=None)
    names = [name for name, _ in headers_of(plain, 0)]
    assert "ce_imported" not in names
    assert "traceparent" not in names
    assert read(got(plain, 0)).event == plain


def test_the_cloudevents_sdk_reads_our_records() -> None:
    record = got()
    message = KafkaMessage(
        headers={name: raw or b"" for name, raw in record.headers}, key=record.key, value=record.value or b""
    )
    event = from_binary(message, JSONFormat())
    assert event.get_id() == str(EVENT.id)
    assert event.get_source() == "/deals"
    assert event.get_type() == "deals.deal-won"
    assert event.get_subject() == str(DEAL)
    assert event.get_time() == EVENT.occurred_at
    assert event.get_dataschema() == "urn:throughline:deals.deal-won:3"
    assert event.get_data() == {"amount": "10.50"}
    assert {name: event.get_extension(name) for name in ("position", "prev", "sequence", "actor", "imported")} == {
        "position": "120",
        "prev": "110",
        "sequence": "7",
        "actor": "rep-1",
        "imported": "true",
    }


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (replace(got(), value=None), "the record has no value"),
        (replace(got(), value=b"{"), "the value is not JSON"),
        (replace(got(), value=b"\xff\xfe"), "the value is not JSON"),
        (replace(got(), value=b"[]"), "the value is not a JSON object"),
        (got(ce_type=None), "ce_type is missing"),
        (got(ce_type=b"\xff"), "ce_type is not UTF-8"),
        (got(ce_actor=b"a\x00b"), "ce_actor holds a zero byte"),
        (got(ce_id=b"one"), "ce_id is not a UUID"),
        (got(ce_time=b"yesterday"), "ce_time is not a time"),
        (got(ce_time=b"2026-11-23T10:00:00"), "ce_time has no time zone"),
        (got(ce_time=b"0001-01-01T00:00:00+14:00"), "ce_time is not a time"),
        (got(ce_sequence=b"0"), "ce_sequence is not a number of 1 or more"),
        (got(ce_sequence="٣".encode()), "ce_sequence is not a number of 1 or more"),
        (got(ce_prev=b"-1"), "ce_prev is not a number of 0 or more"),
        (got(ce_dataschema=b"urn:throughline:deals.deal-lost:1"), "ce_dataschema does not name a version of the type"),
    ],
)
def test_what_cannot_be_read_is_kept_whole_under_its_aggregate_and_place(record: Got, reason: str) -> None:
    received = read(record)
    assert received.event.type == UNREADABLE
    assert received.event.aggregate_id == DEAL
    assert received.event.source_position == 120
    data = orjson.loads(received.event.data)
    assert data["reason"] == reason
    assert data["offset"] == 41
    kept = dict(data["headers"])["ce_subject"]
    assert base64.b64decode(kept).decode() == str(DEAL)


@pytest.mark.parametrize("position", [None, b"", b"12a", b"99999999999999999999", b"9223372036854775808"])
def test_a_record_without_a_position_stands_outside_of_the_chain(position: bytes | None) -> None:
    received = read(got(ce_position=position))
    assert received.previous is None
    assert received.event.source_position == -42
    assert read(got(ce_position=position)).event.id == received.event.id


def test_a_stranger_record_gets_an_aggregate_of_its_own() -> None:
    strange = read(Got(key=None, value=b"hello"))
    assert strange.event.type == UNREADABLE
    assert strange.event.aggregate_id not in (DEAL, read(Got(key=None, value=b"hello", offset=42)).event.aggregate_id)
