"""The process stands in every key of a figure: stages of two processes never fall together (FC-1, FC-4, PROC-2)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest

from shared.domain.roles import Role
from shared.events.deals.process import PilotGoal, ProcessPilotStarted, ProcessPublished
from shared.events.envelope import Envelope
from shared.events.process import ProcessDefinition, Stage
from tests.services.forecast.conftest import journaled
from tests.services.forecast.facts import SHORT, TENDER, fact, opened, won
from tests.shared.http.conftest import Errands
from tests.shared.http.test_command_routes import problem

STANDARD_STAGES = (("contact", "Initial contact", "0.1", 14), ("needs", "Needs confirmed", "0.3", 21))
TENDER_STAGES = (("needs", "Tender", "0.9", 5),)
SECOND_STAGES = (*STANDARD_STAGES, ("quotation", "Quotation", "0.5", 30))


def published(
    process: UUID, key: str, name: str, version: int, stages: tuple[tuple[str, str, str, int], ...]
) -> ProcessPublished:
    made = tuple(
        Stage(key=code, name=called, purpose="x", probability=Decimal(chance), category="pipeline", max_days=days)
        for code, called, chance, days in stages
    )
    definition = ProcessDefinition(key=key, name=name, stages=made)
    return ProcessPublished(process_id=process, process_version=version, definition=definition)


def on_trial(version: ProcessPublished, begun: datetime) -> ProcessPilotStarted:
    """PROC-2: the same version, followed by a pilot's deals alone."""
    return ProcessPilotStarted(
        process_id=version.process_id,
        process_version=version.process_version,
        definition=version.definition,
        goal=PilotGoal(figure="sales-cycle", change=Decimal("-0.20")),
        on=begun.date(),
        until=begun.date() + timedelta(days=91),
        share=Decimal(1),
    )


@pytest.fixture(scope="module")
async def director(served: Errands) -> httpx.AsyncClient:
    """A standard process of two versions and a tender that uses one of its keys; a deal of each in that stage."""
    now = served.running.clock.now()
    begun = now - timedelta(days=10)

    def deal(number: int, amount: int, **of: Any) -> Envelope[Any]:
        close = (now + timedelta(days=1)).date()
        return fact(1, opened(amount, "needs", close, UUID(int=number), **of), begun, deal=UUID(int=number))

    facts = [
        fact(1, published(SHORT, "standard", "Standard", 1, STANDARD_STAGES), begun, deal=SHORT),
        fact(1, on_trial(published(TENDER, "tender", "Tender process", 1, TENDER_STAGES), begun), begun, deal=TENDER),
        fact(2, published(SHORT, "standard", "Standard", 2, SECOND_STAGES), begun, deal=SHORT),
        deal(1001, 1000),
        deal(1002, 2000, process=TENDER),
        deal(1003, 4000, version=2),
        deal(1004, 500, process=TENDER),
        fact(2, won(now.date(), 500, deal=UUID(int=1004)), now - timedelta(minutes=1), deal=UUID(int=1004)),
    ]
    await journaled(served.running, facts)
    return served.client(Role.SALES_DIRECTOR, "dora")


async def seen(client: httpx.AsyncClient, path: str, **query: Any) -> dict[str, Any]:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def place(row: Mapping[str, Any]) -> tuple[str, int, str]:
    return row["process"], row["process_version"], row["stage"]


async def test_stages_of_two_processes_are_rows_of_their_own_in_their_process_s_order(
    director: httpx.AsyncClient,
) -> None:
    """FC-1: name, sums and order are each process's own; an old version is shown where a deal stands in it."""
    funnel = await seen(director, "/v1/funnel")
    assert [(place(row), row["name"], row["count"], row["amount"]["amount"]) for row in funnel["stages"]] == [
        (("standard", 2, "contact"), "Initial contact", 0, "0.00"),
        (("standard", 2, "needs"), "Needs confirmed", 1, "4000.00"),
        (("standard", 2, "quotation"), "Quotation", 0, "0.00"),
        (("standard", 1, "needs"), "Needs confirmed", 1, "1000.00"),
        (("tender", 1, "needs"), "Tender", 1, "2000.00"),
    ]
    assert {row["process_id"] for row in funnel["stages"]} == {str(SHORT), str(TENDER)}
    assert {row["process_name"] for row in funnel["stages"]} == {"Standard", "Tender process"}


async def test_the_norm_of_a_stage_is_that_of_the_deal_s_own_process(director: httpx.AsyncClient) -> None:
    """FC-4: ten days in the standard stage are within its norm, in the tender's they are not."""
    found = await seen(director, "/v1/endangered-deals", limit=100)
    overdue = {
        deal["id"]: reason["sentence"]
        for deal in found["deals"]
        for reason in deal["reasons"]
        if reason["code"] == "stage-overdue"
    }
    assert overdue == {str(UUID(int=1002)): "10 days in Tender; the norm is 5."}
    assert {(deal["process_id"], deal["process_version"]) for deal in found["deals"]} == {
        (str(SHORT), 1),
        (str(SHORT), 2),
        (str(TENDER), 1),
    }


@pytest.mark.parametrize("then", [{}, {"as_of": True}, {"known_at": True}], ids=str)
@pytest.mark.parametrize(
    ("asked", "deals", "won_deals"),
    [
        ({"process_id": TENDER}, [1002], 1),
        ({"process_id": SHORT}, [1003, 1001], 0),
        ({"process_id": SHORT, "process_version": 1}, [1001], 0),
        ({"process_id": SHORT, "process_version": 3}, [], 0),
    ],
)
async def test_the_funnel_and_its_deals_are_narrowed_to_a_process(
    served: Errands,
    director: httpx.AsyncClient,
    asked: dict[str, Any],
    deals: list[int],
    won_deals: int,
    then: dict[str, Any],
) -> None:
    """FC-1: by process and version, now, then and as known then."""
    asked = asked | {name: served.running.clock.now().isoformat() for name in then}
    funnel = await seen(director, "/v1/funnel", **asked)
    assert sum(row["count"] for row in funnel["stages"]) == len(deals)
    assert {row["process_id"] for row in funnel["stages"]} <= {str(asked["process_id"])}
    assert funnel["closed"]["won"]["count"] == won_deals
    found = await seen(director, "/v1/funnel/deals", stage="needs", **asked)
    assert [row["id"] for row in found["deals"]] == [str(UUID(int=deal)) for deal in deals]
    assert found["count"] == len(deals)
    assert {row["process_id"] for row in found["deals"]} <= {str(asked["process_id"])}
    ended = await seen(director, "/v1/funnel/deals", outcome="won", **asked)
    assert (ended["count"], len(ended["deals"])) == (won_deals, won_deals)


async def test_a_version_is_one_of_a_process(director: httpx.AsyncClient) -> None:
    for address in ("/v1/funnel", "/v1/funnel/deals"):
        told = problem(await director.get(f"{address}?process_version=1"), 400, "invalid-parameter")
        assert [(fault["parameter"], fault["code"]) for fault in told["errors"]] == [
            ("process_version", "without-process")
        ]


async def test_a_version_beyond_every_number_that_one_may_have_is_refused(director: httpx.AsyncClient) -> None:
    """API-1: and the largest one that it may have is only unknown."""
    for address in ("/v1/funnel", "/v1/funnel/deals"):
        largest = await director.get(f"{address}?process_id={SHORT}&process_version={2**31 - 1}")
        assert largest.status_code == 200
        told = problem(
            await director.get(f"{address}?process_id={SHORT}&process_version={2**31}"), 400, "invalid-parameter"
        )
        assert [fault["parameter"] for fault in told["errors"]] == ["process_version"]
