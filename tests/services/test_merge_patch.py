"""Changes of some fields: one that is null is emptied, or refused with its name; one that is left out stays (API-1)."""

import dataclasses
import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from pydantic import TypeAdapter

from deploy.services import SERVICES, definition_of
from services.contracts.domain.contract.drafting import ChangeContract
from services.deals.domain.content_item import UpdateContentItem, content_item
from services.deals.domain.deal.changes import UpdateDeal
from services.deals.domain.deal.state import NextStep
from services.deals.domain.product import UpdateProduct, product
from services.deals.domain.quote.writing import UpdateQuote
from services.leads.domain.account import account
from services.leads.domain.account.record import ChangeAccount, Neighbours
from services.leads.domain.lead import lead
from services.leads.domain.lead.nurturing import NoteLeadQualification
from shared.domain.merge_patch import ABSENT, given
from shared.events.deals.deal import DealCloseDateChanged, DealNextStepPlanned
from shared.http.bodies import parse
from shared.http.command_routes import CommandRoute, command_routes
from shared.http.problems import Problem
from shared.testing.scenario import Scenario, scenario
from tests.services.contracts.facts import DRAFTED, THE_CONTRACT
from tests.services.deals.facts import OPENED, THE_DEAL
from tests.services.deals.test_content_item import ADDED
from tests.services.deals.test_product import LISTED
from tests.services.deals.test_quotes import THERE as THE_QUOTE
from tests.services.deals.test_quotes import drafted, percent
from tests.services.leads.known import OTHER, captured, opened, qualified

DAY = date(2026, 9, 30)
full = dataclasses.replace(opened, industry="manufacturing", size=420, parent_id=OTHER)
known = dataclasses.replace(qualified, timeline="this-year", intent_to_cooperate=True)

MET: dict[type, Scenario] = {
    UpdateDeal: THE_DEAL.given(
        dataclasses.replace(OPENED, account_id=OTHER, account_name="Acme", industry="manufacturing"),
        DealCloseDateChanged(deal_id=OPENED.deal_id, before=None, expected_close=DAY, on=OPENED.on),
        DealNextStepPlanned(deal_id=OPENED.deal_id, on=DAY, what="Workshop", planned_on=OPENED.on),
    ),
    UpdateQuote: THE_QUOTE.given(drafted(discount=percent("5"), valid_until=DAY)),
    UpdateProduct: scenario(product).given(LISTED),
    UpdateContentItem: scenario(content_item).given(ADDED),
    ChangeContract: THE_CONTRACT.given(DRAFTED),
    ChangeAccount: scenario(account).given(full).knowing(neighbours=Neighbours()),
    NoteLeadQualification: scenario(lead).given(captured, known),
}
"""Each command that changes some fields, and where it meets all of them filled."""


def may_be_left_out(command: type) -> list[str]:
    """The fields of a command that stay as they were where it leaves them out."""
    factories = {field.name: field.default_factory for field in dataclasses.fields(command)}
    return [name for name, factory in factories.items() if factory is not dataclasses.MISSING and factory() is ABSENT]


def routes() -> Iterator[CommandRoute]:
    """The routes of all commands that change some fields."""
    for service in SERVICES:
        for route in command_routes(definition_of(service).every_aggregate):
            if route.method == "PATCH" or may_be_left_out(route.command):
                yield route


FIELDS = [
    pytest.param(route, field.name, id=f"{route.operation_id}-{field.name}")
    for route in routes()
    for field in dataclasses.fields(route.command)
]


def inside(state: Any, name: str) -> Any:
    """A field of a state, or of a part of it."""
    for part in ("profile", "qualification"):
        if hasattr(getattr(state, part, None), name):
            return getattr(getattr(state, part), name)
    return getattr(state, name)


def test_every_change_of_some_fields_is_met() -> None:
    assert {route.command for route in routes()} == set(MET)


def read(route: CommandRoute, body: dict[str, Any]) -> Any:
    """The command of a body, or why there is none."""
    try:
        return parse(route.body, json.dumps(body).encode())
    except Problem as refused:
        return refused


@pytest.mark.parametrize(("route", "name"), FIELDS)
def test_api_1_null_empties_a_field_or_is_refused_with_its_name(route: CommandRoute, name: str) -> None:
    """API-1: never is it taken for a field that was left out."""
    assert name in may_be_left_out(route.command)
    command = read(route, {name: None})
    if isinstance(command, Problem):
        assert [fault.pointer for fault in command.faults] == [f"/{name}"]
        return
    assert given(command) == {name: None}
    met = MET[route.command]
    before = met.when(read(route, {})).then().state
    outcome = met.when(command)
    assert len(outcome.facts) == 1, outcome.rejected
    assert inside(before, name) is not None
    assert inside(outcome.state, name) in (None, NextStep(on=None))


def test_what_may_be_left_out_has_no_default_in_a_schema() -> None:
    for route in routes():
        schema = TypeAdapter(route.command).json_schema()
        assert "required" not in schema
        assert all("default" not in told for told in schema["properties"].values())
