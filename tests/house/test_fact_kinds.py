"""The law of the kinds of facts: whatever can happen to a thing can be told of its past, or there is a reason."""

from collections import Counter

import pytest

from deploy.imports.kinds import KINDS, UNTOLD
from deploy.services import definition_of
from shared.domain.aggregate import Aggregate
from shared.domain.imports import FactKind
from shared.events.registry import SERVICES, type_of

AGGREGATES = [aggregate for name in SERVICES for aggregate in definition_of(name).every_aggregate]
DECLARED = [kind for aggregate in AGGREGATES for kind in aggregate.kinds]
TOLD = {type_of(event) for kind in DECLARED for event in kind.tells}

every_aggregate = pytest.mark.parametrize("aggregate", AGGREGATES, ids=lambda aggregate: aggregate.name)
every_kind = pytest.mark.parametrize("kind", DECLARED, ids=lambda kind: kind.name)


@every_aggregate
def test_data_5_every_event_of_an_aggregate_can_be_told_or_there_is_a_reason(aggregate: Aggregate) -> None:
    """A new event has a kind of fact that tells it, or stands in `UNTOLD`, which the reference shows."""
    forgotten = {type_of(event) for event in aggregate.events} - TOLD - UNTOLD.keys()
    assert not forgotten, f"no kind of fact tells {sorted(forgotten)}"


def test_what_is_untold_exists_and_no_kind_tells_it() -> None:
    assert UNTOLD.keys() <= {type_of(event) for aggregate in AGGREGATES for event in aggregate.events}
    assert not UNTOLD.keys() & TOLD


@every_aggregate
def test_a_command_that_tells_the_past_belongs_to_one_kind(aggregate: Aggregate) -> None:
    commands = {command for command in aggregate.handlers if command.__name__.startswith("Import")}
    assert Counter(commands) == Counter(kind.command for kind in aggregate.kinds)


@every_aggregate
def test_a_kind_stands_first_for_an_event_of_its_own_aggregate(aggregate: Aggregate) -> None:
    """Its service, its aggregate and its rank follow from that."""
    for kind in aggregate.kinds:
        assert kind.tells[0] in aggregate.events, kind.name


@every_kind
def test_a_kind_tells_events_that_its_service_evolves_on(kind: FactKind) -> None:
    own = {event for aggregate in definition_of(kind.service).every_aggregate for event in aggregate.events}
    assert set(kind.tells) <= own


def test_a_kind_has_a_name_of_its_own() -> None:
    assert Counter(kind.name for kind in DECLARED) == Counter(list(KINDS))
