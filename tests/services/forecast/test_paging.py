"""Every drill-down, history and list of forecast comes in keyset pages of at most 200 (API-1)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import pytest

from shared.domain.roles import Role
from shared.events.envelope import Envelope
from shared.events.leads.account import AccountOpened
from tests.described import as_described
from tests.services.forecast.conftest import journaled
from tests.services.forecast.facts import fact, opened, repriced, won
from tests.shared.http.conftest import Errands
from tests.shared.http.test_command_routes import problem

OLD = UUID(int=500)
"""A deal with a long history."""
OF_OLD = UUID(int=501)
"""The account that it is with."""
BEGUN = datetime(2026, 1, 5, 12, tzinfo=UTC)


def many(number: int = 230) -> list[Envelope[Any]]:
    """Open deals, a third of the same amount, some won, and one of which a lot is told."""
    facts: list[Envelope[Any]] = []
    for place in range(number):
        deal, amount = UUID(int=1000 + place), 100 * (1 + place // 3)
        facts.append(fact(1, opened(amount, deal=deal, close=date(2026, 1, 20)), BEGUN, deal=deal))
        if place % 10 == 0:
            facts.append(fact(2, won(date(2026, 1, 9), amount, deal=deal), BEGUN + timedelta(days=4), deal=deal))
        if place % 10 == 1:
            facts.append(fact(2, repriced(amount + 50, amount, deal=deal), BEGUN + timedelta(days=4), deal=deal))
    known = replace(fact(1, AccountOpened(account_id=OF_OLD, name="Acme"), BEGUN, deal=OF_OLD), service="leads")
    facts.append(replace(known, aggregate="account"))
    old = replace(opened(5, deal=OLD, stage="needs", close=None), account_id=OF_OLD)
    facts.append(fact(1, old, BEGUN, deal=OLD))
    facts += [fact(n, repriced(n, n - 1, deal=OLD), BEGUN + timedelta(hours=n // 2), deal=OLD) for n in range(2, 250)]
    return facts


@pytest.fixture(scope="module")
async def director(served: Errands) -> httpx.AsyncClient:
    """Somebody who sees everything, and what there is to see."""
    await journaled(served.running, many())
    return served.client(Role.SALES_DIRECTOR, "dora")


@dataclass(frozen=True, slots=True)
class Drill:
    """A list of forecast: its address, and where its rows stand in an answer."""

    address: str
    rows: str
    number: int
    key: Callable[[Any], Any] = lambda row: row["id"]


LISTS = [
    Drill("/v1/funnel/deals?", "deals", 208),
    Drill("/v1/funnel/deals?stage=contact", "deals", 207),
    Drill("/v1/funnel/deals?outcome=won", "deals", 23),
    Drill("/v1/funnel/deals?as_of=2026-01-07", "deals", 231),
    Drill("/v1/funnel/deals?as_of=2026-02-07&known_at=2026-01-07", "deals", 231),
    Drill("/v1/forecast/deals?period=2026-Q1", "deals", 230),
    Drill("/v1/forecast/deals?period=2026-Q1&category=closed", "deals", 23),
    Drill("/v1/forecast/deals?period=2026-Q1&figure=open&category=pipeline", "deals", 207),
    # Those that are open still, and those that came and were won: these stand in two legs.
    Drill("/v1/pipeline-changes/deals?from=2026-01-01", "deals", 208 + 2 * 23, lambda row: (row["id"], row["leg"])),
    Drill("/v1/pipeline-changes/deals?from=2026-01-07&leg=won", "deals", 23),
    Drill("/v1/endangered-deals?period=2026-Q1&limit=100", "deals", 208),
    Drill(f"/v1/deal-histories/{OLD}?", "entries", 249, lambda row: row["sequence"]),
    Drill(f"/v1/account-timelines/{OF_OLD}?limit=200", "entries", 250, lambda row: row["position"]),
    Drill("/v1/newest-events?limit=100", "events", len(many()), lambda row: row["position"]),
]


async def pages(client: httpx.AsyncClient, drill: Drill, **more: Any) -> list[dict[str, Any]]:
    """All pages of a list, each found by the cursor of the one before."""
    found, query = [], {name: value[0] for name, value in parse_qs(urlsplit(drill.address).query).items()}
    query |= {name: str(value) for name, value in more.items()}
    while True:
        answer = await client.get(urlsplit(drill.address).path, params=query)
        assert answer.status_code == 200, answer.text
        body = as_described(urlsplit(drill.address).path, answer.json())
        found.append(body)
        assert body["has_more"] is (body["next"] is not None)
        assert ("link" in answer.headers) is body["has_more"]
        if not body["has_more"]:
            return found
        assert parse_qs(urlsplit(answer.links["next"]["url"]).query)["cursor"] == [body["next"]]
        query["cursor"] = body["next"]


@pytest.mark.parametrize("drill", LISTS, ids=lambda drill: drill.address)
async def test_pages_hold_every_row_once_in_the_order_of_the_whole(director: httpx.AsyncClient, drill: Drill) -> None:
    """API-1."""
    in_large = [row for page in await pages(director, drill) for row in page[drill.rows]]
    in_small = [row for page in await pages(director, drill, limit=37) for row in page[drill.rows]]
    assert len({drill.key(row) for row in in_large}) == len(in_large) == drill.number
    assert in_small == in_large


@pytest.mark.parametrize("drill", [drill for drill in LISTS if "limit" not in drill.address], ids=lambda d: d.address)
async def test_no_page_holds_more_than_200_and_every_one_says_what_all_add_up_to(
    director: httpx.AsyncClient, drill: Drill
) -> None:
    found = await pages(director, drill)
    assert max(len(page[drill.rows]) for page in found) <= 200
    assert {page["count"] for page in found} == {drill.number}
    if "amount" in found[0]:
        cents = sum(round(float(row["amount"]["amount"]) * 100) for page in found for row in page[drill.rows])
        assert {round(float(page["amount"]["amount"]) * 100) for page in found} == {cents}


async def test_what_is_expected_counts_closed_deals_whole_and_open_ones_weighted(director: httpx.AsyncClient) -> None:
    """FC-4: the drill-down adds up to the forecast's own figure."""
    forecast = (await director.get("/v1/forecast?period=2026-Q1")).json()
    found = (await director.get("/v1/forecast/deals?period=2026-Q1&limit=1")).json()
    assert found["expected"] == forecast["expected"]
    assert found["weighted"] == forecast["weighted"]


@pytest.mark.parametrize(
    "other",
    ["/v1/funnel/deals?outcome=won", "/v1/funnel/deals?as_of=2026-01-07", "/v1/forecast/deals", "/v1/newest-events"],
)
async def test_a_cursor_is_good_for_its_own_question_alone(director: httpx.AsyncClient, other: str) -> None:
    """API-1."""
    cursor = (await director.get("/v1/funnel/deals?limit=3")).json()["next"]
    assert (await director.get("/v1/funnel/deals", params={"cursor": cursor, "limit": 9})).status_code == 200
    asked = {name: value[0] for name, value in parse_qs(urlsplit(other).query).items()}
    refused = await director.get(urlsplit(other).path, params={**asked, "cursor": cursor})
    told = problem(refused, 400, "invalid-parameter")
    assert [(fault["parameter"], fault["code"]) for fault in told["errors"]] == [("cursor", "malformed-cursor")]


async def test_a_cursor_has_one_spelling(director: httpx.AsyncClient) -> None:
    """The decoder of base64 skips what it does not know."""
    following = (await director.get("/v1/funnel/deals?limit=2")).json()["next"]
    for other in (f"{following[:9]}!!{following[9:]}", f"{following}=", f"{following} "):
        told = await director.get("/v1/funnel/deals", params={"limit": "2", "cursor": other})
        assert problem(told, 400, "invalid-parameter")["errors"][0]["code"] == "malformed-cursor"


async def test_a_cursor_of_a_release_that_orders_its_rows_otherwise_is_refused(served: Errands) -> None:
    cursor = served.running.cursors.encode(["2026-01-01", 1], '["/v1/funnel/deals",[]]')
    client = served.client(Role.SALES_DIRECTOR, "dora")
    told = problem(await client.get("/v1/funnel/deals", params={"cursor": cursor}), 400, "invalid-parameter")
    assert [(fault["parameter"], fault["code"]) for fault in told["errors"]] == [("cursor", "malformed-cursor")]


@pytest.mark.parametrize("address", ["/v1/funnel/deals?limit=201", "/v1/deal-histories/{old}?limit=0"])
async def test_a_page_has_between_1_and_200_rows(director: httpx.AsyncClient, address: str) -> None:
    told = problem(await director.get(address.format(old=OLD)), 400, "invalid-parameter")
    assert [(fault["parameter"], fault["code"]) for fault in told["errors"]] == [("limit", "invalid-value")]
