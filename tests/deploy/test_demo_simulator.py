"""The simulated people: what they decide, and how they take a refusal, a silence and a request to wait."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from deploy.cli.simulate import next_run, pace
from deploy.demo.cast import REPS
from deploy.demo.decisions import (
    Do,
    Mood,
    convert,
    is_avoided,
    missing_qualification,
    mood,
    next_for_deal,
    next_for_lead,
    remedies,
)
from deploy.demo.desk import Answer, Desk, NotAnswered, patience
from deploy.demo.habits import HABITS, Habit, World, carry_on, open_the_gate, work_on_a_deal, work_on_a_lead
from deploy.demo.market import Market
from deploy.demo.simulator import Simulation, simulate
from deploy.local.fault import LocalError
from deploy.services import SERVICES, definition_of
from services.deals.domain.process.full import FULL
from services.deals.domain.process.short import SHORT
from shared.domain.context import Actor
from shared.domain.roles import Role
from shared.events.process import ProcessDefinition
from shared.projections.cursors import Cursors
from shared.projections.list_queries import QueryParams, understand

TODAY = date(2026, 11, 23)
EAGER = Mood(winning=1.0, opening=1.0)
DEAL = {
    "id": "d1",
    "status": "open",
    "stage": "initial-contact",
    "amount": {"amount": "120000.00", "currency": "EUR"},
    "expected_close": "2026-12-18",
    "nodes": [{"key": "first-conversation", "evidence": None}],
}
LEAD = {
    "id": "l1",
    "status": "open",
    "captured": {"company_name": "Bexholm Paper"},
    "qualification": {"need_stated": None},
    "activities": [{}, {}],
}


def unmet(*facts: str) -> list[dict[str, Any]]:
    return [{"code": "criterion-unmet", "details": {"met": {fact: None}}} for fact in facts]


# -- decisions --------------------------------------------------------------------------------------------------------


def test_a_refusal_is_answered_with_everything_that_it_names() -> None:
    errors = unmet(
        "task.first-conversation", "next_step_planned", "pains", "need_stated", "budget", "deliverable.quote"
    )
    found = remedies(errors, DEAL, Random(1), TODAY)
    assert [do.verb for do in found] == ["complete-node", "plan-next-step", "complete-node", "note-facts"]
    assert found[0].body["key"] == "first-conversation"
    facts = found[-1].body["facts"]
    assert facts["need_stated"] is True
    assert facts["budget"] == "120000.00"
    assert facts["pains"] >= 2


def test_an_unknown_close_date_is_given_under_the_version_that_was_read() -> None:
    [do] = remedies(unmet("expected_close"), {**DEAL, "expected_close": None}, Random(1), TODAY)
    assert do.method == "PATCH"
    assert date.fromisoformat(do.body["expected_close"]) > TODAY


def test_a_missing_deliverable_and_the_facts_of_a_key_action_are_seen_to() -> None:
    """PROC-1: what the full process asks for is known, too."""
    missing = [{"code": "deliverable-missing", "details": {"deliverable": "pain-list", "by": {}}}]
    asked = unmet("task.situation", "background_gaps", "goal", "willing_to_solve", "lead")
    found = remedies([*missing, *asked], DEAL, Random(1), TODAY)
    assert [do.body.get("key") for do in found] == ["pain-list", "situation", None]
    facts = found[-1].body["facts"]
    assert (facts["background_gaps"], facts["willing_to_solve"]) == (0, True)
    assert facts["goal"]
    assert "lead" not in facts


@pytest.mark.parametrize("process", [SHORT, FULL], ids=lambda process: process.key)
def test_a_deal_goes_from_stage_to_stage_of_its_process_and_is_won_in_the_last(process: ProcessDefinition) -> None:
    keys = [stage.key for stage in process.stages]
    for here, after in pairwise(keys):
        moves = [next_for_deal(Random(seed), {**DEAL, "stage": here}, TODAY, EAGER) for seed in range(100)]
        assert {do.body["stage"] for do in moves if do.verb == "move"} == {after}
        assert "win" not in {do.verb for do in moves}
    last = [next_for_deal(Random(seed), {**DEAL, "stage": keys[-1]}, TODAY, EAGER) for seed in range(100)]
    assert "win" in {do.verb for do in last}


def test_a_deal_of_a_process_that_they_do_not_know_stays_where_it_is() -> None:
    verbs = {next_for_deal(Random(seed), {**DEAL, "stage": "theirs"}, TODAY, EAGER).verb for seed in range(200)}
    assert verbs.isdisjoint({"move", "win"})


def test_a_criterion_named_twice_is_met_once() -> None:
    assert len(remedies(unmet("task.a", "task.a"), DEAL, Random(1), TODAY)) == 1


def test_all_kinds_of_work_are_done_on_deals_and_the_same_seed_decides_the_same() -> None:
    chosen = [next_for_deal(Random(seed), DEAL, TODAY, Mood(winning=1, opening=0)) for seed in range(400)]
    verbs = Counter(do.verb for do in chosen)
    assert set(verbs) >= {"log-activity", "complete-node", "move", "", "set-category", "lose"}
    assert verbs["log-activity"] > verbs["move"] > verbs["lose"]
    assert chosen == [next_for_deal(Random(seed), DEAL, TODAY, Mood(winning=1, opening=0)) for seed in range(400)]


def test_deals_are_won_only_at_the_end_of_the_process_and_when_customers_are_eager() -> None:
    last = {**DEAL, "stage": "contract-drafting"}
    verbs = [next_for_deal(Random(seed), last, TODAY, EAGER).verb for seed in range(400)]
    assert "win" in verbs
    assert "move" not in verbs
    nobody = Mood(winning=0.0, opening=1.0)
    assert all(next_for_deal(Random(seed), last, TODAY, nobody).verb != "win" for seed in range(400))
    assert all(next_for_deal(Random(seed), DEAL, TODAY, EAGER).verb != "win" for seed in range(400))


def test_a_close_date_that_has_passed_is_seen_to_first() -> None:
    late = {**DEAL, "expected_close": "2026-11-02"}
    for seed in range(50):
        do = next_for_deal(Random(seed), late, TODAY, EAGER)
        assert do.verb in ("lose", "abandon") or date.fromisoformat(do.body["expected_close"]) > TODAY


@pytest.mark.parametrize(("last", "avoided"), [("2026-11-22", False), ("2026-11-19", False), ("2026-11-18", True)])
def test_a_deal_that_lay_for_days_is_avoided(last: str, avoided: bool) -> None:
    """Otherwise the stalled deals of the history would be gone within minutes."""
    deal = {**DEAL, "activities": [{"on": "2026-10-01"}, {"on": last}]}
    assert is_avoided(deal, TODAY) is avoided
    assert not is_avoided(DEAL, TODAY)


def test_a_lead_is_asked_for_what_conversion_misses() -> None:
    do = missing_qualification(unmet("need_stated", "budget", "decision_chain_known"), "EUR", Random(1))
    assert do.body["need_stated"] is do.body["decision_chain_known"] is True
    assert float(do.body["budget"]["amount"]) >= 500_000
    assert convert(Random(1), LEAD, TODAY, "EUR").body["deal"]["name"].endswith("for Bexholm Paper")


def test_leads_are_worked_on_before_anything_is_decided_about_them() -> None:
    fresh = {**LEAD, "activities": []}
    verbs = {next_for_lead(Random(seed), fresh, EAGER, TODAY, "EUR").verb for seed in range(200)}
    assert verbs == {"log-activity", "plan-follow-up", "note-qualification"}
    known = {next_for_lead(Random(seed), LEAD, EAGER, TODAY, "EUR").verb for seed in range(200)}
    assert known >= {"convert", "disqualify"}


@pytest.mark.parametrize(
    ("attainment", "open_deals", "winning", "opening"),
    [("0.2", 20, 1.0, 1.0), ("0.59", 85, 0.02, 25 / 110 * 2), ("1.4", 140, 0.02, 0.0), (None, 0, 1.0, 1.0)],
)
def test_whoever_is_ahead_finds_customers_hesitating(
    attainment: str | None, open_deals: int, winning: float, opening: float
) -> None:
    """The quarter stays interesting however long the people work."""
    feeling = mood({"attainment": attainment, "elapsed": "0.5870"}, open_deals)
    assert (feeling.winning, feeling.opening) == pytest.approx((winning, opening))


@pytest.mark.parametrize(("said", "seconds"), [("2", 2.0), ("9999", 30.0), (None, 1.0), ("Fri, 1 Jan", 1.0)])
def test_waiting_is_as_long_as_a_service_says_within_reason(said: str | None, seconds: float) -> None:
    assert patience(said) == seconds


# -- the desk ---------------------------------------------------------------------------------------------------------

Reply = Callable[[Request], Awaitable[Response]]


@dataclass
class Company:
    """A stand-in for the services, which answers by script and remembers what it was sent."""

    app: FastAPI = field(default_factory=FastAPI)
    script: list[Response | type[Exception]] = field(default_factory=list)
    seen: list[tuple[str, str, str | None, str | None]] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    asked: list[tuple[str, QueryParams]] = field(default_factory=list)
    tokens: int = 0
    things: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        @self.app.post("/identity/token")
        async def token(request: Request) -> Response:
            self.tokens += 1
            return JSONResponse({"access_token": f"token-{self.tokens}"})

        @self.app.api_route("/v1/{path:path}", methods=["GET", "POST", "PATCH"])
        async def anything(request: Request, path: str) -> Response:
            if request.method == "GET":
                self.asked.append((path, {name: request.query_params.getlist(name) for name in request.query_params}))
                known = self.things.get(path)
                return JSONResponse(known or {}, 200 if known else 404, headers={"ETag": f'"{len(self.seen)}"'})
            said = (request.headers.get("idempotency-key"), request.headers.get("if-match"))
            self.seen.append((request.method, path, *said))
            self.bodies.append(await request.json())
            reply = self.script.pop(0) if self.script else Response(status_code=200)
            if isinstance(reply, type):
                raise reply("as asked")
            return reply

    @property
    def addresses(self) -> list[str]:
        return [path for _, path, _, _ in self.seen]


@pytest.fixture
def company() -> Company:
    return Company()


@pytest_asyncio.fixture
async def desk(company: Company) -> AsyncIterator[Desk]:
    transport = httpx.ASGITransport(company.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://company") as client:
        made = Desk(REPS[0], client, secret="s", random=Random(1), run="run-1-1", stopping=asyncio.Event())
        made.member = "m1"
        yield made


def problem(status: int, code: str, errors: list[dict[str, Any]] | None = None, **headers: str) -> Response:
    content = {"code": code, "errors": errors or []}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return JSONResponse(content, status, media_type="application/problem+json", headers=named)


async def test_what_was_not_answered_is_asked_again_under_the_same_key(company: Company, desk: Desk) -> None:
    company.script = [httpx.ConnectError, problem(503, "unavailable"), Response(status_code=200)]
    assert (await desk.do("/v1/deals/d1/win", {})).ok
    keys = {key for _, _, key, _ in company.seen}
    assert len(company.seen) == 3
    assert len(keys) == 1
    await desk.do("/v1/deals/d1/win", {})
    assert len({key for _, _, key, _ in company.seen}) == 2


async def test_a_service_that_stays_away_is_given_up_and_nobody_dies(company: Company, desk: Desk) -> None:
    desk.rest = _at_once  # type: ignore[method-assign]
    company.script = [httpx.ConnectError] * 20
    with pytest.raises(NotAnswered):
        await desk.do("/v1/deals/d1/win", {})


async def test_a_request_to_wait_is_honoured(company: Company, desk: Desk) -> None:
    waited: list[float] = []

    async def wait(seconds: float) -> bool:
        waited.append(seconds)
        return False

    desk.rest = wait  # type: ignore[method-assign]
    company.script = [problem(429, "too-many-requests", retry_after="7")]
    assert (await desk.do("/v1/deals/d1/win", {})).ok
    assert waited == [7.0]


async def test_a_token_that_no_longer_counts_is_replaced(company: Company, desk: Desk) -> None:
    company.script = [problem(401, "not-signed-in")]
    assert (await desk.do("/v1/deals/d1/win", {})).ok
    assert company.tokens == 2


async def test_what_somebody_else_changed_is_read_again(company: Company, desk: Desk) -> None:
    company.things["deals/d1"] = DEAL
    company.script = [problem(412, "stale-version")]
    answer = await carry_on(desk, a_world(), "/v1/deals/d1", lambda _: Do(verb="", body={}, method="PATCH"))
    assert answer is not None
    assert answer.ok
    assert [version for _, _, _, version in company.seen] == ['"0"', '"1"']


async def test_a_closed_gate_is_opened_and_passed(company: Company, desk: Desk) -> None:
    """DEAL-3: what the refusal names is done, then the same move is asked for again."""
    company.things |= {"deals": {"items": [{"id": "d1"}]}, "deals/d1": DEAL}
    closed = problem(409, "gate-closed", unmet("task.first-conversation", "next_step_planned"))
    for seed in range(200):
        if next_for_deal(Random(seed), DEAL, TODAY, EAGER).verb == "move":
            break
    desk.random = Chosen(seed)
    company.script = [closed]
    await work_on_a_deal(desk, a_world())
    move = "deals/d1/move"
    assert company.addresses == [move, "deals/d1/complete-node", "deals/d1/plan-next-step", move]
    assert company.bodies[0] == company.bodies[3] == {"stage": "needs-confirmed"}


async def test_a_gate_that_refuses_what_opens_another_is_opened_first(company: Company, desk: Desk) -> None:
    """PROC-1: a key action has gates of its own, and a deliverable."""
    company.things["deals/d1"] = {**DEAL, "stage": "needs-diagnosis"}
    missing = {"code": "deliverable-missing", "details": {"deliverable": "needs-confirmation"}}
    refusal = Answer(status=409, body={"code": "gate-closed", "errors": unmet("task.need-payoff")})
    company.script = [problem(409, "gate-closed", [missing, *unmet("goal")])]
    await open_the_gate(desk, a_world(), "/v1/deals/d1", Do(verb="move", body={"stage": "solution"}), refusal)
    verbs = [
        (path.rpartition("/")[2], body.get("key")) for path, body in zip(company.addresses, company.bodies, strict=True)
    ]
    assert verbs == [
        ("complete-node", "need-payoff"),
        ("complete-node", "needs-confirmation"),
        ("note-facts", None),
        ("complete-node", "need-payoff"),
        ("move", None),
    ]


async def test_gates_that_stay_closed_are_given_up(company: Company, desk: Desk) -> None:
    company.things["deals/d1"] = DEAL
    refusal = Answer(status=409, body={"code": "gate-closed", "errors": unmet("task.a")})
    company.script = [problem(409, "gate-closed", unmet("task.a")) for _ in range(100)]
    await open_the_gate(desk, a_world(), "/v1/deals/d1", Do(verb="move", body={"stage": "b"}), refusal)
    assert len(company.addresses) < 20


async def test_a_lead_that_is_not_qualified_is_qualified_and_converted(company: Company, desk: Desk) -> None:
    company.things |= {"leads": {"items": [{"id": "l1"}]}, "leads/l1": LEAD}
    for seed in range(200):
        if next_for_lead(Random(seed), LEAD, EAGER, TODAY, "EUR").verb == "convert":
            break
    desk.random = Chosen(seed)
    company.script = [problem(409, "not-qualified", unmet("need_stated", "budget"))]
    await work_on_a_lead(desk, a_world())
    assert company.addresses == ["leads/l1/convert", "leads/l1/note-qualification", "leads/l1/convert"]


class Chosen(Random):
    """Decides as its seed says, but looks only at the first of what is listed."""

    def choice(self, options: Any) -> Any:
        return options[0] if options and isinstance(options[0], dict) else super().choice(options)


async def _at_once(seconds: float) -> bool:
    return False


def a_world() -> World:
    return World(market=Market(Random(1)), today=TODAY, feeling=EAGER)


EVERY_HABIT = sorted({habit for habits in HABITS.values() for _, habit in habits}, key=lambda habit: habit.__name__)


@pytest.mark.parametrize("habit", EVERY_HABIT, ids=lambda habit: habit.__name__)
async def test_what_somebody_asks_of_a_list_is_what_it_answers(company: Company, desk: Desk, habit: Habit) -> None:
    """A question that is refused has no entries, and nobody would notice that they never come to their work."""
    listings = {listing.name: listing for service in SERVICES for listing in definition_of(service).listings}
    desk.member = str(UUID(int=1))
    company.things["accounts"] = {"items": [{"id": str(UUID(int=2)), "name": "Bexholm Paper", "owner": desk.member}]}
    for _ in range(20):
        await habit(desk, a_world())
    of_lists = [(listings[path], query) for path, query in company.asked if path in listings]
    actor = Actor(subject="anna", roles=frozenset({Role.REP}), member=UUID(int=1))
    for listing, query in of_lists:
        understand(listing, query, actor, Cursors("secret"), TODAY)


# -- the whole --------------------------------------------------------------------------------------------------------


async def test_nobody_stops_working_because_no_service_is_there() -> None:
    """Every connection is refused; the people wait, and go home when they are told to."""
    stopping = asyncio.Event()
    simulation = Simulation(origin="http://127.0.0.1:9", secret="s", seed=1, run=1, pace=6000)
    working = asyncio.create_task(simulate(simulation, stopping))
    done, _ = await asyncio.wait([working], timeout=1.5)
    assert not done
    stopping.set()
    await asyncio.wait_for(working, 5)


def test_runs_are_counted_in_the_home(tmp_path: Path) -> None:
    assert [next_run(tmp_path) for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize("given", ["0", "-3", "much", "nan", "7000"])
def test_a_pace_that_is_none_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("SIMULATE_PACE", given)
    with pytest.raises(LocalError, match="SIMULATE_PACE"):
        pace()
