"""What commands wait for: the projections that their loaders read, and those in which what they name is looked up."""

from typing import Any

import pytest

from deploy.services import SERVICES, definition_of
from services.deals.domain.deal import deal
from services.deals.domain.deal.changes import ChangeAmount
from services.deals.domain.deal.opening import OpenNewDeal
from services.deals.domain.deal.stages import MoveDeal
from services.deals.domain.product import AddProduct, product
from services.leads.domain.lead.capture import CaptureLead
from services.leads.domain.lead.state import lead
from shared.commands.executor import CommandExecutor
from shared.commands.loaders import LoaderContext
from shared.domain.aggregate import Aggregate
from shared.domain.context import Company
from shared.events.codec import Codec
from shared.ops.clock import Clock
from shared.service.definition import projections_of, providers_of, registry_for


def commands_of(name: str) -> CommandExecutor:
    """The commands of a service, which nobody will give."""
    service: Any = definition_of(name)
    nothing: Any = None
    return CommandExecutor(
        aggregates=service.families,
        pool=nothing,
        appender=nothing,
        streams=nothing,
        codec=Codec(registry_for(service)),
        clock=Clock(),
        company=Company(),
        claim_secret=b"-" * 32,
        provides=providers_of(service),
        knows=service.knows,
    )


@pytest.mark.parametrize(
    ("service", "aggregate", "command", "projections"),
    [
        ("deals", product, AddProduct, set()),
        ("deals", deal, ChangeAmount, {"exchange_rates"}),  # what follows at once is judged with it
        ("deals", deal, OpenNewDeal, {"organisation", "known_accounts", "exchange_rates", "deals"}),
        ("deals", deal, MoveDeal, {"exchange_rates"}),
        ("leads", lead, CaptureLead, {"leads", "people"}),
    ],
)
def test_a_command_waits_for_what_it_is_decided_on(
    service: str, aggregate: Aggregate, command: type, projections: set[str]
) -> None:
    assert commands_of(service).reads(aggregate, command) == projections


@pytest.mark.parametrize("service", SERVICES)
def test_what_commands_read_is_there(service: str) -> None:
    known = {projection.name for projection in projections_of(definition_of(service))}
    assert commands_of(service).every_read <= known


async def test_a_loader_is_given_no_projection_that_it_does_not_name() -> None:
    nothing: Any = None
    reader = LoaderContext(nothing, nothing, nothing, None)
    with pytest.raises(LookupError, match=r"@reads\('deals'\)"):
        await reader.fetch("deals", "select")
    with pytest.raises(LookupError, match=r"@reads\('deals'\)"):
        reader.reading("deals")
