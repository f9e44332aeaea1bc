"""The law of the lists: an aggregate's list folds every event that changes the aggregate, and says when it did last."""

import pytest

from deploy.services import definition_of
from shared.domain.aggregate import Aggregate
from shared.events.registry import SERVICES
from shared.projections.columns import CURRENCY
from shared.projections.lists import UPDATED_SINCE, Listing
from shared.projections.tables import UPDATED_AT
from shared.service.definition import Service

OWNERS: list[Service] = [definition_of(name) for name in SERVICES]
AGGREGATES = [(service, aggregate) for service in OWNERS for aggregate in service.every_aggregate]
LISTINGS = [listing for service in OWNERS for listing in service.listings]
UNLISTED = {
    "assignment-queue": "whose turn it is shows in the leads that were assigned",
    "approval": "what waits for a decision is listed by forecast, of all services",
    "calendar-link": "it is its member's alone, and there is one",
    "notice-address": "it is its member's alone, and there is one",
    "occasion": "whom it concerns sees its notices",
    "number-series": "the numbers stand on the invoices",
}
LEFT_OUT: dict[str, str] = {
    "HistoryArranged": "what it led to are events of their own",
    "TargetPartSet": "it notes a part in its whole, which stays as it is",
}
"""The name of an event that the list of its aggregate passes over → why. Its list's `version` then lags behind."""
IN_THE_COMPANYS_CURRENCY = {"leads", "targets"}
"""The lists all of whose amounts are in one currency."""


@pytest.mark.parametrize(("service", "aggregate"), AGGREGATES, ids=[aggregate.name for _, aggregate in AGGREGATES])
def test_a_list_folds_every_event_of_its_aggregate(service: Service, aggregate: Aggregate) -> None:
    """A new event is folded, or left out with a reason: forgotten it would leave the list behind the truth."""
    listed = {listing.projection.name: listing.projection for listing in service.listings}.values()
    folded = {event for projection in listed for event in projection.events} & aggregate.events
    if aggregate.name in UNLISTED:
        assert not folded, "it has a list after all"
        return
    forgotten = {event.__name__ for event in aggregate.events - folded} - LEFT_OUT.keys()
    assert not forgotten, f"no list of {service.name} folds {sorted(forgotten)}"


def test_what_is_left_out_exists() -> None:
    assert UNLISTED.keys() <= {aggregate.name for _, aggregate in AGGREGATES}
    assert LEFT_OUT.keys() <= {event.__name__ for _, aggregate in AGGREGATES for event in aggregate.events}


@pytest.mark.parametrize(
    "listing", [each for service in OWNERS for each in service.listings], ids=lambda each: each.name
)
def test_a_list_of_amounts_can_be_narrowed_to_a_currency(listing: Listing) -> None:
    has_currencies = CURRENCY in listing.columns and listing.name not in IN_THE_COMPANYS_CURRENCY
    assert (CURRENCY in listing.filters) is has_currencies


@pytest.mark.parametrize(
    "listing", [each for service in OWNERS for each in service.listings], ids=lambda each: each.name
)
def test_whoever_keeps_a_copy_of_a_list_can_ask_what_has_changed(listing: Listing) -> None:
    assert {UPDATED_SINCE} <= listing.parameters
    assert UPDATED_AT in listing.orders
