"""Forecast over HTTP: what is wrong with a question is told as by every other service (API-1)."""

from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import httpx
import pytest

from services.forecast.app import SERVICE
from shared.domain.roles import Role
from shared.events.leads.member import MemberJoined, MemberLeft
from shared.service.build import build
from shared.service.runtime import FOLDS_AT_ONCE
from tests.services.forecast.conftest import journaled
from tests.services.forecast.facts import fact, moved, opened
from tests.shared.http.conftest import Errands
from tests.shared.http.test_command_routes import problem
from tests.shared.http.waiting import until


@pytest.fixture
def director(served: Errands) -> httpx.AsyncClient:
    """Somebody who sees everything."""
    return served.client(Role.SALES_DIRECTOR, "dora")


@pytest.mark.parametrize(
    ("address", "parameter", "code"),
    [
        ("/v1/funnel?as_of=yesterday", "as_of", "not-an-instant"),
        ("/v1/funnel?known_at=2026-06-30T12:00:00", "known_at", "without-offset"),
        ("/v1/forecast?as_of=0001-01-01", "as_of", "out-of-range"),
        ("/v1/forecast?period=2026-Q5", "period", "not-a-period"),
        ("/v1/endangered-deals?period=soon", "period", "not-a-period"),
        ("/v1/endangered-deals?limit=0", "limit", "invalid-value"),
        ("/v1/newest-events?limit=101", "limit", "invalid-value"),
        ("/v1/newest-events?owner=anna", "owner", "invalid-value"),
        ("/v1/funnel?team=north", "team", "invalid-value"),
        ("/v1/funnel?from=yesterday", "from", "invalid-value"),
        ("/v1/funnel?from=2026-02-02&to=2026-02-01", "from", "from-after-to"),
        ("/v1/funnel?from=0", "from", "invalid-value"),
        ("/v1/funnel?to=1767225600", "to", "invalid-value"),
        ("/v1/funnel/deals?from=2026-03-09T00:00:00", "from", "invalid-value"),
        ("/v1/funnel/deals?limit=1.0", "limit", "invalid-value"),
        ("/v1/endangered-deals?limit=%2B1", "limit", "invalid-value"),
        ("/v1/newest-events?limit=1_0", "limit", "invalid-value"),
        ("/v1/newest-events?limit=01", "limit", "invalid-value"),
        ("/v1/newest-events?limit=%201", "limit", "invalid-value"),
        (f"/v1/funnel?process_id={UUID(int=1)}&process_version=1.0", "process_version", "invalid-value"),
        (f"/v1/funnel?process_id={UUID(int=1).hex}", "process_id", "invalid-value"),
        (f"/v1/funnel?owner=urn:uuid:{UUID(int=1)}", "owner", "invalid-value"),
        (f"/v1/stream?team={UUID(int=1).hex}", "team", "invalid-value"),
        ("/v1/funnel?as_of=2026-W10-1", "as_of", "not-an-instant"),
        ("/v1/funnel?known_at=20260310T120000Z", "known_at", "not-an-instant"),
        ("/v1/pipeline-changes?from=2026-03-10%2012:00:00Z", "from", "not-an-instant"),
        ("/v1/forecast?period=", "period", "not-a-period"),
        ("/v1/pipeline-changes?period=", "period", "not-a-period"),
        ("/v1/pipeline-changes?from=yesterday", "from", "not-an-instant"),
        ("/v1/pipeline-changes?to=yesterday", "to", "not-an-instant"),
        ("/v1/pipeline-changes?from=2026-02-02&to=2026-02-01", "from", "from-after-to"),
        ("/v1/pipeline-changes?period=26", "period", "not-a-period"),
        ("/v1/horizon?as_of=2026-02-28", "as_of", "unknown-parameter"),
        ("/v1/me?known_at=2026-02-28", "known_at", "unknown-parameter"),
        (f"/v1/me?team={UUID(int=1)}", "team", "unknown-parameter"),
        ("/v1/forecast?as_of=2199-01-01", "as_of", "in-the-future"),
        ("/v1/health-metrics?known_at=2199-01-01T00:00:00Z", "known_at", "in-the-future"),
        ("/v1/pipeline-changes?to=2199-01-01", "to", "in-the-future"),
        ("/v1/pipeline-changes?from=2199-01-01", "from", "in-the-future"),
    ],
)
async def test_a_wrong_value_is_refused_with_its_parameter_and_rule(
    director: httpx.AsyncClient, address: str, parameter: str, code: str
) -> None:
    """API-1: 400 as by the lists; 422 is for bodies."""
    told = problem(await director.get(address), 400, "invalid-parameter")
    assert [(fault["parameter"], fault["code"]) for fault in told["errors"]] == [(parameter, code)]
    assert told["errors"][0]["message"].endswith(".")


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("/v1/pipeline-changes/deals?leg=up", ["new", "scope-out"]),
        ("/v1/funnel/deals?outcome=draw", ["open", "won", "lost", "abandoned"]),
        ("/v1/forecast/deals?category=sure", ["closed", "omitted"]),
        ("/v1/forecast/deals?figure=sum", ["won", "expected"]),
        ("/v1/process-conformance/cases?figure=luck", ["skips", "exits-proposed"]),
        ("/v1/forecast?rollup=no", ["cumulative", "single"]),
    ],
)
async def test_a_word_out_of_a_closed_set_is_refused_with_those_that_are_allowed(
    director: httpx.AsyncClient, address: str, allowed: list[str]
) -> None:
    """API-1."""
    told = problem(await director.get(address), 400, "invalid-parameter")
    (fault,) = told["errors"]
    assert fault["parameter"] == address.partition("?")[2].partition("=")[0]
    assert all(f"'{word}'" in fault["message"] for word in allowed)


async def test_the_day_that_the_company_clock_shows_may_be_asked_about(
    served: Errands, director: httpx.AsyncClient
) -> None:
    now = served.running.clock.now()
    today = served.settings.company.day(now)
    found = await director.get("/v1/funnel", params={"as_of": str(today), "known_at": str(today)})
    assert found.status_code == 200, found.text
    assert datetime.fromisoformat(found.json()["as_of"]) >= now
    refused = await director.get("/v1/funnel", params={"as_of": str(today + timedelta(days=1))})
    assert refused.json()["errors"][0]["code"] == "in-the-future"


@pytest.mark.parametrize("parameter", ["as_of", "known_at", "colour"])
async def test_the_stream_is_of_now_and_knows_no_other_instant(director: httpx.AsyncClient, parameter: str) -> None:
    """API-3: what it cannot heed it refuses."""
    told = problem(await director.get(f"/v1/stream?{parameter}=2026-01-01"), 400, "invalid-parameter")
    assert [(fault["parameter"], fault["code"]) for fault in told["errors"]] == [(parameter, "unknown-parameter")]


@pytest.mark.parametrize(
    "path", ["funnel", "funnel/deals", "forecast", "health-metrics", "process-conformance", "pipeline-changes"]
)
async def test_what_was_known_then_waits_for_a_place_and_the_present_for_none(
    served: Errands, director: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(served.running.folding, "_wait_seconds", 0.01)
    today = str(served.settings.company.day(served.running.clock.now()))
    async with AsyncExitStack() as held:
        for _ in range(FOLDS_AT_ONCE):
            await held.enter_async_context(served.running.folding.place())
        refused = await director.get(f"/v1/{path}", params={"known_at": today})
        assert problem(refused, 503, "unavailable")["code"] == "unavailable"
        assert refused.headers["Retry-After"] == "1"
        assert (await director.get(f"/v1/{path}", params={"as_of": today})).status_code == 200
    assert (await director.get(f"/v1/{path}", params={"known_at": today})).status_code == 200


async def test_a_stage_is_data_so_an_unknown_one_is_an_empty_answer(director: httpx.AsyncClient) -> None:
    found = await director.get("/v1/funnel/deals?stage=nowhere")
    assert (found.status_code, found.json()["deals"]) == (200, [])


async def test_what_comes_between_two_pages_neither_hides_nor_repeats_a_row(served: Errands) -> None:
    """API-1."""
    client = served.client(Role.SALES_DIRECTOR, "dora")
    now, mine = served.running.clock.now(), UUID(int=777)
    deals = [UUID(int=9000 + number) for number in range(4)]
    owned = [fact(1, opened(100 * (9 - n), deal=deal, owner=mine), now, deal=deal) for n, deal in enumerate(deals)]
    await journaled(served.running, owned)
    drill = f"/v1/funnel/deals?owner={mine}&limit=2"
    first = (await client.get(drill)).json()
    larger = UUID(int=9900)
    await journaled(served.running, [fact(1, opened(5000, deal=larger, owner=mine), now, deal=larger)])
    await journaled(served.running, [fact(2, moved("needs", deal=deals[3], amount=600), now, deal=deals[3])])
    second = (await client.get(drill, params={"owner": str(mine), "limit": 2, "cursor": first["next"]})).json()
    assert [row["id"] for row in (*first["deals"], *second["deals"])] == [str(deal) for deal in deals]
    assert (first["count"], second["count"]) == (4, 5)


async def test_periods_are_those_of_the_company_s_fiscal_year(served: Errands) -> None:
    """PROC-4: it began in April 2026 and is named after 2027; a month is a month all the same."""
    settings = replace(served.settings, company_fiscal_year_start=4)
    app = build(SERVICE, settings)
    async with app.router.lifespan_context(app):
        director = replace(served, app=app, settings=settings).client(Role.SALES_DIRECTOR, "dora")
        asked = [
            (await director.get("/v1/forecast", params=params)).json()
            for params in (
                {"as_of": "2026-05-20"},
                {"period": "2027"},
                {"period": "2027-Q4"},
                {"period": "2026-11"},
            )
        ]
        assert [(told["period"], told["first"], told["last"]) for told in asked] == [
            ("2027-Q1", "2026-04-01", "2026-06-30"),
            ("2027", "2026-04-01", "2027-03-31"),
            ("2027-Q4", "2027-01-01", "2027-03-31"),
            ("2026-11", "2026-11-01", "2026-11-30"),
        ]
        horizon = (await director.get("/v1/horizon")).json()
        running = settings.company.fiscal_year.quarter_of(datetime.fromisoformat(horizon["today"]).date())
        assert horizon["periods"][1] == {
            "name": running.name,
            "first": str(running.first),
            "last": str(running.last),
        }


async def test_api_4_whoever_is_signed_in_is_greeted_by_their_own_name(served: Errands) -> None:
    """ORG-1: somebody else signed in as the same subject before them, and left."""
    now, subject = served.running.clock.now(), "desk-7"
    before, since = UUID(int=711), UUID(int=712)

    async def told(who: UUID, sequence: int, data: MemberJoined | MemberLeft) -> None:
        happened = replace(fact(sequence, data, now, deal=who), service="leads", aggregate="member")
        await journaled(served.running, [happened])

    await told(before, 1, MemberJoined(member_id=before, subject=subject, name="Tom", role="rep"))
    await told(before, 2, MemberLeft(member_id=before, on=now.date()))
    person = served.client(Role.REP, subject)
    gone = (await person.get("/v1/me")).json()
    assert (gone["name"], gone["member"]) == (subject, None), "who has left is nobody here"
    await told(since, 1, MemberJoined(member_id=since, subject=subject, name="Tim", role="rep"))

    async def known() -> bool:
        return (await served.running.organisation.actor(subject, ())).member == since

    await until(known, 30)
    greeted = (await person.get("/v1/me")).json()
    assert (greeted["name"], greeted["member"]) == ("Tim", str(since))
