"""The published reference of the topics: an AsyncAPI 3 document and a JSON Schema for every event of a registry."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import TypeAdapter

from shared.events.codec import fields_apart
from shared.events.envelope import Envelope
from shared.events.registry import Registry, service_of, topic_of_class, type_of, version_of
from shared.kafka.partitioning import PARTITIONS
from shared.kafka.record import headers_of, schema_of

Schema = dict[str, Any]
Samples = Mapping[tuple[str, int], Mapping[str, Any]]
"""Data of events, by type and version."""
NO_SAMPLES: Samples = {}

HEADERS: Mapping[str, tuple[Schema, str]] = {
    "ce_specversion": ({"const": "1.0"}, "CloudEvents, binary content mode."),
    "ce_id": ({"format": "uuid"}, "The event's id; the same whenever the event comes again."),
    "ce_source": ({"pattern": "^/[a-z]+$"}, "The service that owns the event."),
    "ce_type": ({}, "What happened, like deals.deal-won."),
    "ce_subject": (
        {"format": "uuid"},
        "The aggregate that it happened to; also the record's key, which says the partition.",
    ),
    "ce_time": (
        {"format": "date-time"},
        "When it happened, on the company clock, whatever the timestamp of the record. May lie before recordedat.",
    ),
    "ce_recordedat": ({"format": "date-time"}, "When it was recorded, on the company clock."),
    "ce_sequence": ({"pattern": r"^\d+$"}, "The number of the event in its aggregate, from 1 without gaps."),
    "ce_position": ({"pattern": r"^\d+$"}, "Its place in the owner's log. Drop a record whose position was seen."),
    "ce_prev": (
        {"pattern": r"^\d+$"},
        "The position before it in this partition, 0 for none. Later than seen: a gap.",
    ),
    "ce_correlationid": ({"format": "uuid"}, "What all that one request brought about has in common."),
    "ce_causationid": ({"format": "uuid"}, "The command or event that caused it."),
    "ce_actor": ({}, "Who did it: the subject of a member of the company, or a service."),
    "ce_byday": (
        {"const": "true"},
        "Only there when nothing but the company's day of `ce_time` is known; the time then is the end of that day.",
    ),
    "ce_imported": ({"const": "true"}, "Only there when the event was imported as history."),
    "ce_fact": (
        {"minLength": 1},
        "The name of a fact of history in its stream. Of several events under one, those of the last cause count.",
    ),
    "ce_dataschema": ({"pattern": r"^urn:throughline:[a-z.-]+:\d+$"}, "The $id of the value's JSON Schema."),
    "traceparent": ({}, "W3C trace context of the request, when it had one."),
    "content-type": ({"const": "application/json"}, "How the value is written."),
}
EMPTY = "Empty: what people write stays with the service that owns it, and can be erased. Older records carry it."
ABOUT = """\
Everything that happens from lead to cash, one topic for each kind of aggregate. Records of one aggregate are in \
order. A record may come again: drop it by its position.

**Key and partition.** The key is the id of the aggregate as text, in lower case with hyphens (UTF-8), as in \
`ce_subject`. The partition is the one of Kafka's default partitioner, `(murmur2(key) & 0x7fffffff) % partitions`: \
that of Java clients, Kafka Streams and Flink, and of librdkafka with `partitioner=murmur2`. So a topic joins any \
other of as many partitions that is keyed by the same id. There are 12 unless a deployment sets `KAFKA_PARTITIONS`, \
and their number never changes.

**Time.** The timestamp of a record is when it was published, and a topic that was filled again has new ones. When \
something happened is the header `ce_time`, in which an import tells years at once, in no order between aggregates; \
when it was recorded is `ce_recordedat`. Take the time from a header (`TimestampExtractor` in Kafka Streams, \
`TimestampAssigner` in Flink).

**Headers** are text in UTF-8. Kafka Connect guesses types unless a connector says \
`header.converter=org.apache.kafka.connect.storage.StringConverter`.
"""
SERVERS: Mapping[str, Schema] = {
    "kafka": {
        "host": "{bootstrap}",
        "protocol": "kafka",
        "description": "Plaintext, without sign-in. `throughline status` names the address of a local stack.",
        "variables": {
            "bootstrap": {"default": "127.0.0.1:9092", "description": "The setting KAFKA_BOOTSTRAP: host:port."}
        },
    }
}
OPTIONAL_HEADERS = ("ce_byday", "ce_imported", "ce_fact", "traceparent")


def files(registry: Registry, samples: Samples) -> dict[str, str]:
    """Every reference file of the topics: path below docs/reference → content."""
    found = {f"schemas/{type_of(event)}.v{version_of(event)}.json": event_schema(event) for event in registry.classes}
    found["asyncapi.json"] = document(registry, samples)
    return {path: json.dumps(content, indent=2, ensure_ascii=False) + "\n" for path, content in found.items()}


def event_schema(event: type) -> Schema:
    """The JSON Schema of an event's value in its topic."""
    schema = TypeAdapter(event).json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": schema_of(type_of(event), version_of(event)),
        **_published(event, schema),
    }


def document(registry: Registry, samples: Samples = NO_SAMPLES) -> Schema:
    """The AsyncAPI document of all topics. It refers to nothing outside of itself; `samples` are its examples."""
    adapters: list[tuple[type, Literal["validation"], TypeAdapter[Any]]] = [
        (event, "validation", TypeAdapter(event)) for event in registry.classes
    ]
    _, shared = TypeAdapter.json_schemas(adapters, ref_template="#/components/schemas/{model}")
    schemas: dict[str, Schema] = dict(shared["$defs"])
    for event in registry.classes:
        schemas[event.__name__] = _published(event, schemas[event.__name__])
    topics = registry.topics()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Throughline events",
            "version": "1.0.0",
            "description": ABOUT,
        },
        "defaultContentType": "application/json",
        "servers": dict(SERVERS),
        "channels": {topic: _channel(topic, registry) for topic in topics},
        "operations": {f"publish {topic}": _operation(topic) for topic in topics},
        "components": {
            "messages": {event.__name__: _message(event, samples) for event in registry.classes},
            "schemas": {"Headers": headers_schema(), **schemas},
        },
    }


def headers_schema() -> Schema:
    """The JSON Schema of a record's headers."""
    return {
        "type": "object",
        "required": [name for name in HEADERS if name not in OPTIONAL_HEADERS],
        "properties": {
            name: {"type": "string", **shape, "description": about} for name, (shape, about) in HEADERS.items()
        },
    }


def _channel(topic: str, registry: Registry) -> Schema:
    events = [event for event in registry.classes if topic_of_class(event) == topic]
    service, aggregate, _ = topic.split(".")
    return {
        "address": topic,
        "description": f"What happens to the aggregate {aggregate} of the service {service}.",
        "messages": {event.__name__: {"$ref": f"#/components/messages/{event.__name__}"} for event in events},
        "bindings": {
            "kafka": {
                "topic": topic,
                "partitions": PARTITIONS,
                "topicConfiguration": {"cleanup.policy": ["delete"], "retention.ms": -1},
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operation(topic: str) -> Schema:
    service, _, _ = topic.split(".")
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{topic}"},
        "summary": f"The service {service} publishes every event that it recorded.",
    }


def _message(event: type, samples: Samples) -> Schema:
    sample = samples.get((type_of(event), version_of(event)))
    return {
        "name": type_of(event),
        "title": event.__name__,
        "summary": (event.__doc__ or "").strip().split("\n")[0],
        "tags": [{"name": service_of(event)}],
        "headers": {"$ref": "#/components/schemas/Headers"},
        "payload": {"$ref": f"#/components/schemas/{event.__name__}"},
        "bindings": {"kafka": {"key": {"type": "string", "format": "uuid"}, "bindingVersion": "0.5.0"}},
        **({} if sample is None else {"examples": [_example(event, sample)]}),
    }


def _example(event: type, sample: Mapping[str, Any]) -> Schema:
    """A whole record: its payload, and the headers that go with it."""
    aggregate: str = event.aggregate  # type: ignore[attr-defined]
    about = sample.get(f"{aggregate.replace('-', '_')}_id")
    envelope = Envelope(
        id=uuid5(NAMESPACE_URL, schema_of(type_of(event), version_of(event))),
        type=type_of(event),
        version=version_of(event),
        service=service_of(event),
        aggregate=aggregate,
        aggregate_id=uuid5(NAMESPACE_URL, aggregate) if about is None else UUID(about),
        sequence=3,
        position=1042,
        source_position=1042,
        occurred_at=datetime(2026, 6, 12, 9, 30, tzinfo=UTC),
        recorded_at=datetime(2026, 6, 12, 9, 30, 0, 125000, tzinfo=UTC),
        actor="rep-1",
        correlation_id=uuid5(NAMESPACE_URL, "correlation"),
        causation_id=uuid5(NAMESPACE_URL, "causation"),
        imported=False,
        traceparent=None,
        data=sample,
    )
    headers = {name: raw.decode() for name, raw in headers_of(envelope, previous=1017)}
    return {"name": type_of(event), "headers": headers, "payload": sample}


def _published(event: type, schema: Schema) -> Schema:
    """Without the fields that no topic carries, and open for the fields of later releases. A text that was published
    once is still there, empty."""
    apart = fields_apart(event)
    properties = dict(schema["properties"])
    for name, blank in apart.items():
        shape = properties.pop(name)
        if blank is not None:
            properties[name] = {**shape, "description": EMPTY}
    emptied = [name for name, blank in apart.items() if blank is not None]
    return dict(_open({**schema, "properties": properties, "required": [*schema.get("required", ()), *emptied]}))


def _open(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {
            name: _open(part) for name, part in schema.items() if not (name == "additionalProperties" and part is False)
        }
    return [_open(part) for part in schema] if isinstance(schema, list) else schema
