"""DATA-2: every event that was ever published is read by today's code.

A sample holds an event's data exactly as it was stored when its version was released. Samples are only ever added.
"""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from shared.events.codec import Codec
from shared.events.deals.deal import DealFactRetracted, DealWon
from shared.events.deals.deal_qualification import DealPainStated
from shared.events.registry import SERVICES, modules_of, registry_of, retraction_of, type_of, version_of

ROOT = Path(__file__).parents[3]
GOLDEN = Path(__file__).parent / "golden"
SAMPLES = sorted(GOLDEN.glob("*.json"), key=lambda path: path.name)
REGISTRY = registry_of()
CODEC = Codec(REGISTRY)


def named(path: Path) -> tuple[str, int]:
    """The type and version that a sample's name says."""
    name, _, version = path.stem.rpartition(".v")
    return name, int(version)


def lost(before: Any, after: Any, where: str = "") -> list[str]:
    """The places of a sample that today's code does not give back as they were. Further fields are welcome."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [place for key in before for place in lost(before[key], after.get(key, "absent"), f"{where}/{key}")]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = enumerate(zip(before, after, strict=True))
        return [place for index, (old, new) in pairs for place in lost(old, new, f"{where}/{index}")]
    return [] if before == after else [where]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_data_2_todays_code_reads_the_sample(path: Path) -> None:
    name, version = named(path)
    text = path.read_bytes()
    event = CODEC.decode(name, version, text)
    assert type_of(type(event)) == name
    if version_of(type(event)) == version:
        encoded = CODEC.encode(event)
        # Texts were published once, and stand beside the log since.
        today = json.loads(encoded.data) | json.loads(encoded.personal or b"{}")
        assert lost(json.loads(text), today) == []


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_data_4_no_sample_holds_personal_data(path: Path) -> None:
    event_class = type(CODEC.decode(*named(path), path.read_bytes()))
    personal = {name for name, hint in get_type_hints(event_class, include_extras=True).items() if is_personal(hint)}
    assert personal.isdisjoint(json.loads(path.read_bytes()))


def is_personal(hint: Any) -> bool:
    return "personal" in getattr(hint, "__metadata__", ())


def test_data_2_no_event_is_without_its_sample() -> None:
    published = {(type_of(found), version_of(found)) for found in REGISTRY.classes}
    assert published - {named(path) for path in SAMPLES} == set()


def test_data_2_a_changed_or_missing_field_is_noticed() -> None:
    sample = {"amount": {"amount": "1.00"}, "lines": [{"quantity": "2"}]}
    assert lost(sample, {**sample, "further": 1}) == []
    assert lost(sample, {"amount": {"amount": "1.0"}, "lines": [{"quantity": "2"}]}) == ["/amount/amount"]
    assert lost(sample, {"amount": {"amount": "1.00"}, "lines": [{}]}) == ["/lines/0/quantity"]
    assert lost(sample, {"amount": {"amount": "1.00"}, "lines": []}) == ["/lines"]


@pytest.mark.parametrize("service", SERVICES)
def test_an_event_stands_in_the_module_of_its_aggregate_and_is_published(service: str) -> None:
    defined = {found for module in modules_of(service) for found in vars(module).values() if hasattr(found, "retracts")}
    aggregates = defaultdict[str, set[str]](set)
    for event in defined:
        home, name = f"shared.events.{service}.", event.aggregate.replace("-", "_")
        # A second module of a big aggregate is called after it.
        assert event.__module__ == home + name or event.__module__.startswith(f"{home}{name}_"), event
        aggregates[event.__module__].add(event.aggregate)
        assert REGISTRY.of(type_of(event), version_of(event)) is event
    assert all(len(told) == 1 for told in aggregates.values()), "a module is of one aggregate"
    files = {path.stem for path in (ROOT / "shared" / "events" / service).rglob("*.py")} - {"__init__"}
    assert files == {event.__module__.rpartition(".")[2] for event in defined}, "a module of no event, or out of reach"


def test_data_5_what_takes_a_fact_back_is_found_from_every_module_of_its_aggregate() -> None:
    assert retraction_of(DealPainStated) is retraction_of(DealWon) is DealFactRetracted
