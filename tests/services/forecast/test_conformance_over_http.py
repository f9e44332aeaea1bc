"""How processes are followed, over HTTP: by stage, who sees what of it, and the cases behind it (DEAL-2, DEAL-4)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.forecast.conformance.figures import FIGURES
from shared.domain.roles import Role
from shared.events.deals.deal import DueNode
from shared.events.envelope import Envelope
from tests.described import as_described
from tests.services.forecast import test_conformance as told
from tests.services.forecast.conftest import journaled
from tests.services.forecast.facts import SHORT, TENDER, fact, handed_over, lost, moved, opened, won
from tests.services.forecast.test_narrowing import ANNA, BEN, COMPANY, MIA, NORTH, SOUTH
from tests.services.forecast.test_processes import published
from tests.shared.http.conftest import Errands
from tests.shared.http.test_command_routes import problem

STAGES = tuple((key, key.title(), "0.1", 14) for key in told.ORDER)
FIRST, SECOND, THIRD, UNTOLD = (UUID(int=8300 + number) for number in range(4))
ADDRESS = "/v1/process-conformance"
LONG_AFTER = date(2099, 1, 1)
WORK = (
    DueNode(key="talk", kind="task", required=True, due=LONG_AFTER, proposal=True),
    DueNode(key="plan", kind="task", required=True, due=LONG_AFTER),
)
"""It falls due with the end of its deal."""


def facts(now: Any) -> Iterator[Envelope[Any]]:
    """Two deals of Anna, one of which came from Ben; one of Ben's in another process; one in a process that nobody has
    told of yet."""
    yield fact(1, published(SHORT, "short", "Short way", 1, STAGES), now - timedelta(days=9), deal=SHORT)
    yield fact(1, published(TENDER, "tender", "Tender", 1, STAGES), now - timedelta(days=9), deal=TENDER)
    lives: dict[UUID, list[Any]] = {
        FIRST: [
            opened(deal=FIRST, team=NORTH, owner=ANNA),
            told.refused("needs", deal=FIRST),
            told.waived(deal=FIRST, until=LONG_AFTER),
            replace(moved("needs", deal=FIRST), waived=(told.BUDGET,)),
            moved("drafting", deal=FIRST),
            moved("contact", deal=FIRST),
            told.proposed(deal=FIRST),
            told.declined(deal=FIRST),
            replace(won(now.date(), deal=FIRST), unmet=(told.UNMET,)),
        ],
        SECOND: [
            replace(opened(deal=SECOND, team=SOUTH, owner=BEN), nodes=WORK),
            told.waived(deal=SECOND, until=told.ON),
            told.completed("talk", deal=SECOND),
            told.added(deal=SECOND),
            told.removed(deal=SECOND),
            handed_over(NORTH, ANNA, deal=SECOND),
            lost(now.date(), deal=SECOND),
        ],
        THIRD: [opened(deal=THIRD, team=SOUTH, owner=BEN, process=TENDER), moved("drafting", deal=THIRD)],
        UNTOLD: [
            opened(deal=UNTOLD, team=SOUTH, owner=BEN, process=UUID(int=5)),
            moved("needs", deal=UNTOLD),
            told.refused("quotation", deal=UNTOLD),
        ],
    }
    for deal, events in lives.items():
        begun = now - timedelta(minutes=2 * len(events))
        yield from (fact(n, each, begun + timedelta(minutes=n), deal=deal) for n, each in enumerate(events, 1))


@pytest.fixture(scope="module")
async def company(served: Errands) -> Errands:
    """Two teams at work; `mia` leads the north."""
    await journaled(served.running, [*COMPANY, *facts(served.running.clock.now())])
    return served


async def seen(client: httpx.AsyncClient, path: str = "", **query: Any) -> Any:
    answer = await client.get(f"{ADDRESS}{path}", params=query)
    assert answer.status_code == 200, answer.text
    return as_described(f"{ADDRESS}{path}", answer.json())


def attempts(first: int, passed: int, rate: str | None, refusals: int) -> dict[str, Any]:
    return {"first_attempts": first, "first_passes": passed, "pass_rate": rate, "refusals": refusals}


NO_EXITS = {"proposed": 0, "accepted": 0, "declined": 0, "moot": 0, "undecided": 0, "outcomes": []}


async def test_deal_2_a_stage_of_a_version_says_how_it_was_followed(company: Errands) -> None:
    """DEAL-4, DEAL-5."""
    answer = await seen(company.client(Role.SALES_DIRECTOR, "dora"))
    rows = {(row["process_name"], row["stage"]): row for row in answer["stages"]}
    order = [*(("Short way", key) for key in told.ORDER), *(("Tender", key) for key in told.ORDER[:3])]
    assert list(rows) == [*order, (None, "needs")]
    contact = rows["Short way", "contact"]
    assert (contact["process"], contact["process_version"], contact["name"]) == ("short", 1, "Contact")
    assert contact["figures"] == {
        "gates": attempts(2, 1, "0.5000", 1),
        "stage_gates": attempts(1, 0, "0.0000", 1),
        "work_gates": attempts(1, 1, "1.0000", 0),
        "skips": 0,
        "returns": 0,
        "winning": {"stages_passed": 0, "exits_unmet": 1},
        "waivers": {"given": 2, "used": 1, "revoked": 0, "expired": 1},
        "flexible_nodes": {"added": 1, "removed": 1},
        "completion": {"due": 2, "completed": 1, "completion_rate": "0.5000"},
        "proposals": {"due": 1, "on_time": 1, "on_time_rate": "1.0000"},
        "exits": {
            **NO_EXITS,
            "proposed": 1,
            "declined": 1,
            "outcomes": [{"decided": "declined", "outcome": "won", "count": 1}],
        },
    }
    assert rows["Short way", "drafting"]["figures"]["returns"] == 1
    assert rows["Short way", "quotation"]["figures"]["skips"] == 1
    assert rows["Short way", "quotation"]["figures"]["gates"] == attempts(0, 0, None, 0)
    # From its first stage the deal was won past the three that lay ahead.
    assert rows["Short way", "quotation"]["figures"]["winning"] == {"stages_passed": 1, "exits_unmet": 0}
    assert answer["total"]["winning"] == {"stages_passed": 3, "exits_unmet": 1}
    # Of the process that nobody has told of yet moves cannot be judged; refusals can.
    assert rows[None, "needs"]["figures"]["stage_gates"] == attempts(1, 0, "0.0000", 1)
    assert answer["total"]["gates"] == attempts(5, 3, "0.6000", 2)
    assert answer["total"]["skips"] == 3
    # What a process has not called for is neither due nor late.
    assert rows["Tender", "contact"]["figures"]["completion"] == {"due": 0, "completed": 0, "completion_rate": None}
    assert answer["total"]["proposals"] == {"due": 1, "on_time": 1, "on_time_rate": "1.0000"}


async def test_deal_2_a_version_and_a_period_are_asked_for_by_themselves(company: Errands) -> None:
    director = company.client(Role.SALES_DIRECTOR, "dora")
    tender = await seen(director, process_id=TENDER, process_version=1)
    assert {row["process_id"] for row in tender["stages"]} == {str(TENDER)}
    assert tender["total"]["skips"] == 2
    assert (await seen(director, process_id=TENDER, process_version=2))["stages"] == []
    before = await seen(director, period="2020")
    assert (before["since"], before["until"], before["stages"]) == ("2020-01-01", "2020-12-31", [])
    assert before["total"]["exits"] == NO_EXITS
    yesterday = company.running.clock.now() - timedelta(days=1)
    assert (await seen(director, as_of=yesterday.isoformat()))["stages"] == []
    refused = problem(await director.get(f"{ADDRESS}?process_version=1"), 400, "invalid-parameter")
    assert refused["errors"][0]["code"] == "without-process"


async def test_api_4_one_sees_figures_of_the_deals_that_one_sees(company: Errands) -> None:
    """DEAL-2: they go with the deal to whoever holds it."""
    anna, ben = company.client(Role.REP, "anna"), company.client(Role.REP, "ben")
    mia, director = company.client(Role.MANAGER, "mia"), company.client(Role.SALES_DIRECTOR, "dora")
    own = (await seen(anna))["total"]
    assert (own["gates"]["first_attempts"], own["flexible_nodes"]["added"]) == (3, 1)
    assert (await seen(mia))["total"] == own == (await seen(director, owner=ANNA))["total"]
    of_ben = (await seen(ben))["total"]
    assert (of_ben["gates"]["first_attempts"], of_ben["flexible_nodes"]["added"]) == (2, 0)
    assert (await seen(director, team=SOUTH))["total"] == of_ben == (await seen(director, owner=BEN))["total"]
    assert (await seen(mia, owner=MIA))["stages"] == []
    assert await cases(ben, "returns") == []
    assert await cases(anna, "returns") == [(str(FIRST), ["drafting"])]


@pytest.mark.parametrize("known", [{}, {"known_at": "now"}])
async def test_fc_17_the_cases_behind_each_figure_are_as_many_as_it_says(
    company: Errands, known: dict[str, str]
) -> None:
    director = company.client(Role.SALES_DIRECTOR, "dora")
    then = {name: company.running.clock.now().isoformat() for name in known}
    for figure in FIGURES:
        answer = await seen(director, "/cases", figure=figure, limit=200, **then)
        assert answer["count"] == sum(len(each["stages"]) for each in answer["cases"])
        assert (answer["count"] > 0) == (figure not in {"waivers-revoked", "work-refusals"}), figure
    first = await seen(director, "/cases", figure="skips", limit=1, **then)
    rest = await seen(director, "/cases", figure="skips", limit=1, cursor=first["next"], **then)
    assert (first["count"], first["has_more"], rest["has_more"]) == (3, True, False)
    shown = [(each["deal_id"], each["stages"]) for each in (*first["cases"], *rest["cases"])]
    assert sorted(shown) == [(str(FIRST), ["quotation"]), (str(THIRD), ["needs", "quotation"])]
    assert await cases(director, "skips", stage="needs", **then) == [(str(THIRD), ["needs"])]
    assert await cases(director, "skips", process_id=SHORT, **then) == [(str(FIRST), ["quotation"])]
    passed = (str(FIRST), ["needs", "quotation", "drafting"])
    assert await cases(director, "stages-passed-by-winning", **then) == [passed]
    assert await cases(director, "won-with-exit-unmet", **then) == [(str(FIRST), ["contact"])]


async def test_api_1_a_figure_out_of_the_closed_set_is_asked_for(company: Errands) -> None:
    director = company.client(Role.SALES_DIRECTOR, "dora")
    for query in ("", "?figure=luck"):
        told_ = problem(await director.get(f"{ADDRESS}/cases{query}"), 400, "invalid-parameter")
        assert [fault["parameter"] for fault in told_["errors"]] == ["figure"]


async def cases(client: httpx.AsyncClient, figure: str, **query: Any) -> list[tuple[str, list[str]]]:
    found = await seen(client, "/cases", figure=figure, **query)
    return [(each["deal_id"], each["stages"]) for each in found["cases"]]
