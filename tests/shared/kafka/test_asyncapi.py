"""The reference of the topics is what the registry says, and what is really written fits it."""

import json
from dataclasses import replace

import jsonschema
import pytest

from deploy.reference import samples
from shared.events.codec import fields_apart
from shared.events.registry import registry_of
from shared.kafka.asyncapi import EMPTY, document, event_schema, headers_schema
from shared.kafka.record import headers_of
from tests.shared.kafka.test_record import EVENT

REGISTRY = registry_of()


def test_every_event_has_a_message_in_exactly_one_channel() -> None:
    channels = document(REGISTRY)["channels"]
    named = [name for channel in channels.values() for name in channel["messages"]]
    assert sorted(named) == sorted(event.__name__ for event in REGISTRY.classes)
    assert all(channel["bindings"]["kafka"]["partitions"] == 12 for channel in channels.values())


def test_every_reference_inside_the_document_leads_somewhere() -> None:
    content = document(REGISTRY)

    def references(part: object) -> list[str]:
        if isinstance(part, dict):
            own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
            return own + [found for inner in part.values() for found in references(inner)]
        return [found for inner in part for found in references(inner)] if isinstance(part, list) else []

    for reference in references(content):
        place: object = content
        for step in reference.removeprefix("#/").split("/"):
            assert isinstance(place, dict)
            place = place[step]


@pytest.mark.parametrize("event", REGISTRY.classes, ids=lambda event: event.__name__)
def test_no_schema_shows_personal_data_or_refuses_fields_of_later_releases(event: type) -> None:
    schema = event_schema(event)
    jsonschema.Draft202012Validator.check_schema(schema)
    for name, blank in fields_apart(event).items():
        if blank is None:
            assert name not in schema["properties"]
        else:  # required before it stood apart: still there, and said to be empty
            assert schema["properties"][name]["description"] == EMPTY
            assert name in schema["required"]
    assert '"additionalProperties": false' not in json.dumps(schema)


def test_some_events_do_have_fields_that_stand_apart_and_some_of_them_empty() -> None:
    apart = [blank for event in REGISTRY.classes for blank in fields_apart(event).values()]
    assert {None, ""} == set(apart)


def test_every_example_is_a_record_that_fits_its_schemas() -> None:
    """DATA-2: tools show them, and mock what consumers are tested with."""
    content = document(REGISTRY, samples())
    for name, message in content["components"]["messages"].items():
        [example] = message["examples"]
        jsonschema.validate(example["headers"], headers_schema(), format_checker=jsonschema.FormatChecker())
        whole = {"$ref": f"#/components/schemas/{name}", "components": content["components"]}
        jsonschema.validate(example["payload"], whole, format_checker=jsonschema.FormatChecker())


def test_the_document_says_where_the_topics_are_and_what_tools_cannot_guess() -> None:
    content = document(REGISTRY)
    assert [server["protocol"] for server in content["servers"].values()] == ["kafka"]
    about = content["info"]["description"]
    assert "(murmur2(key) & 0x7fffffff) % partitions" in about
    assert "header.converter=org.apache.kafka.connect.storage.StringConverter" in about


def test_written_headers_fit_the_header_schema() -> None:
    headers = {
        name: raw.decode() for name, raw in headers_of(replace(EVENT, by_day=True, fact="deal-won/2026-03-16"), 110)
    }
    jsonschema.validate(headers, headers_schema(), format_checker=jsonschema.FormatChecker())
    assert set(headers) == set(headers_schema()["properties"])
