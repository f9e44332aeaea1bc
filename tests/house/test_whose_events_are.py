"""Every event of a thing that belongs to somebody says to whom it belonged when it was recorded (DATA-1)."""

from dataclasses import fields

import pytest

from deploy.services import SERVICES, definition_of
from shared.commands.as_known import WHOSE
from shared.domain.aggregate import Aggregate
from shared.events.deals.target import TargetNumberSet, TargetSet
from shared.events.leads.lead import LeadAssigned, LeadCaptured, LeadLeftUnassigned
from shared.events.registry import retraction_of

FAMILIES = [aggregate for service in SERVICES for aggregate in definition_of(service).every_aggregate]

OTHERWISE = {
    LeadCaptured: "nobody has it before it is assigned",
    LeadAssigned: "`member_id` and `team_id` are what it tells",
    LeadLeftUnassigned: "`team_id` is what it tells, and nobody owns it",
    TargetSet: "`member_id` is the owner",
    TargetNumberSet: "`member_id` is the owner",
}
"""Events that say it in other fields, or of which there is nothing to say."""
UNTIL_THE_END = {"lead": {"account_id"}}
"""A lead has an account from when it is converted, and nothing but its erasure follows."""
ITSELF = {"member": {"team"}}
"""The team of a member is what these events are about."""


def wanted(aggregate: Aggregate) -> set[str]:
    """What the states of a family say about whose a thing is."""
    known = {field.name for state in aggregate.states for field in fields(state)} & set(WHOSE)
    return known - UNTIL_THE_END.get(aggregate.name, set()) - ITSELF.get(aggregate.name, set())


@pytest.mark.parametrize("aggregate", FAMILIES, ids=lambda aggregate: aggregate.name)
def test_every_event_says_whose_the_thing_is(aggregate: Aggregate) -> None:
    events = {*aggregate.events, *filter(None, map(retraction_of, aggregate.events))}
    lacking = {
        event.__name__: missing
        for event in events - set(OTHERWISE)
        if (missing := wanted(aggregate) - {field.name for field in fields(event)})
    }
    assert lacking == {}, "add the field as `AsKnown[UUID | None] = None`; it is filled when the event is recorded"


def test_what_says_it_otherwise_is_an_event() -> None:
    known = {event for aggregate in FAMILIES for event in aggregate.events}
    assert set(OTHERWISE) <= known
