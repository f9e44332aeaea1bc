"""Bulk commands over HTTP (API-1): each row is the command as its own address takes it, with a result of its own."""

import asyncio
from typing import Any, cast
from uuid import UUID

import httpx
import pytest

from services.deals.domain.deal import deal
from services.deals.domain.deal.changes import SetCategory
from shared.commands.executor import CommandExecutor
from shared.commands.request import CommandRequest, CommandResult
from shared.domain.context import service_actor
from shared.domain.roles import Role
from shared.http.problems import Problem
from shared.ops.ids import new_id
from shared.service.bulk_routes import AT_ONCE, MOST_ROWS, carried_out
from tests.described import as_described
from tests.services.deals.conftest import Office, Team
from tests.services.deals.test_dry_runs import problem, tried
from tests.services.deals.test_service import DEAL, seen
from tests.services.leads.conftest import Desk

HAND_OVER = "/v1/deals/bulk/hand-over"


def row(made: str, owner: str, **more: Any) -> dict[str, Any]:
    return {"id": made, "command": {"owner": owner, "reason": "Leaves"}, **more}


def answered(answer: httpx.Response, path: str = HAND_OVER) -> list[dict[str, Any]]:
    """The rows of an answer, which the document has to describe."""
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = as_described(path, answer.json(), "post")
    rows: list[dict[str, Any]] = told["rows"]
    counts = {outcome: sum(each["outcome"] == outcome for each in rows) for outcome in ("done", "unchanged", "refused")}
    assert counts == {name: told[name] for name in counts}
    return rows


def outcomes(answer: httpx.Response, path: str = HAND_OVER) -> list[tuple[str, bool]]:
    return [(each["outcome"], each["replayed"]) for each in answered(answer, path)]


async def under_a_key(office: Office) -> int:
    """How many rows were carried out so far."""
    pool = office.running.pool
    return int(await pool.fetchval("select count(*) from idempotency where operation = 'bulkHandOverDeal'"))


@pytest.fixture
async def rep(office: Office, team: Team) -> Desk:
    return office.somebody(Role.REP, team.subjects[0])


@pytest.fixture
async def manager(office: Office, team: Team) -> Desk:
    return office.somebody(Role.MANAGER, team.subjects[2])


async def test_api_1_every_row_has_its_own_result_and_stops_no_other(rep: Desk, manager: Desk, team: Team) -> None:
    first, second, lost, third = [await rep.makes("/v1/deals", DEAL) for _ in range(4)]
    await rep.does(f"/v1/deals/{lost}/lose", {"reason": "price"})
    nothing = str(new_id())
    rows = [
        row(first, team.other),
        row(second, team.rep),
        row(lost, team.other),
        row(nothing, team.other),
        row(third, nothing, version=9),
    ]
    answer = await manager.does(HAND_OVER, {"rows": rows})
    found = answered(answer)
    assert [each["id"] for each in found] == [first, second, lost, nothing, third]
    assert [each["outcome"] for each in found] == ["done", "unchanged", "refused", "refused", "refused"]
    assert (found[0]["version"], found[0]["events"]) == (2, ["deals.deal-handed-over"])
    assert (found[1]["version"], found[1]["events"]) == (1, [])
    told = [(each["problem"]["status"], each["problem"]["code"]) for each in found[2:]]
    assert told == [(409, "not-in-this-state"), (404, "not-found"), (412, "stale-version")]
    moved = await seen(rep, answer, f"/v1/deals/{second}")
    assert moved["owner"] == team.rep
    assert await rep.status(f"/v1/deals/{first}") == 404
    assert (await manager.sees(f"/v1/deals/{first}"))["owner"] == team.other


async def test_api_1_a_row_is_refused_as_the_command_would_be(rep: Desk, manager: Desk) -> None:
    """The pointer leads into the body that was sent."""
    made = await rep.makes("/v1/deals", DEAL)
    unknown = str(new_id())
    (found,) = answered(await manager.does(HAND_OVER, {"rows": [row(made, unknown)]}))
    alone = await manager.does(f"/v1/deals/{made}/hand-over", row(made, unknown)["command"])
    (fault,) = alone.json()["errors"]
    placed = {"details": {}, **fault, "pointer": f"/rows/0/command{fault['pointer']}"}
    assert found["problem"] == {**problem(alone), "errors": [placed]}


@pytest.mark.parametrize(("role", "subject"), [(Role.REP, 0), (Role.MARKETING, None)])
async def test_api_4_the_whole_is_no_way_round_a_role(
    office: Office, rep: Desk, team: Team, role: Role, subject: int | None
) -> None:
    made = await rep.makes("/v1/deals", DEAL)
    other = office.somebody(role, "mia" if subject is None else team.subjects[subject])
    assert (await other.does(HAND_OVER, {"rows": [row(made, team.other)]})).status_code == 403
    assert (await rep.sees(f"/v1/deals/{made}"))["version"] == 1


async def test_api_4_the_whole_is_no_way_round_a_scope(office: Office, rep: Desk, team: Team) -> None:
    elsewhere = await office.team()
    stranger = office.somebody(Role.MANAGER, elsewhere.subjects[2])
    made = await rep.makes("/v1/deals", DEAL)
    (found,) = answered(await stranger.does(HAND_OVER, {"rows": [row(made, elsewhere.rep)]}))
    assert (found["outcome"], found["problem"]["code"]) == ("refused", "not-found")
    assert (await rep.sees(f"/v1/deals/{made}"))["owner"] == team.rep


async def test_deal_3_the_whole_is_no_way_round_a_gate(rep: Desk) -> None:
    made = await rep.makes("/v1/deals", DEAL)
    path, rows = "/v1/deals/bulk/move", [{"id": made, "command": {"stage": "needs-confirmed"}}]
    (found,) = answered(await rep.does(path, {"rows": rows}), path)
    assert (found["problem"]["code"], len(found["problem"]["errors"])) == ("gate-closed", 2)
    assert (await rep.sees(f"/v1/deals/{made}"))["stage"] == "initial-contact"


async def test_api_1_the_same_request_again_does_nothing_twice_and_goes_on_where_it_ended(
    rep: Desk, manager: Desk, team: Team
) -> None:
    first, second = [await rep.makes("/v1/deals", DEAL) for _ in range(2)]
    key = {"Idempotency-Key": str(new_id())}
    assert outcomes(await manager.does(HAND_OVER, {"rows": [row(first, team.other)]}, **key)) == [("done", False)]
    # Meanwhile it was handed back: that is not to be undone by a retry.
    await manager.does(f"/v1/deals/{first}/hand-over", {"owner": team.rep})
    rows = [row(first, team.other), row(second, team.other)]
    assert outcomes(await manager.does(HAND_OVER, {"rows": rows}, **key)) == [("done", True), ("done", False)]
    assert (await rep.sees(f"/v1/deals/{first}"))["owner"] == team.rep
    both = await asyncio.gather(*(manager.does(HAND_OVER, {"rows": rows}, **key) for _ in range(3)))
    assert [outcomes(each) for each in both] == [[("done", True)] * 2] * 3
    other = [{**row(first, team.other), "command": {"owner": team.other, "reason": "Another"}}]
    (found,) = answered(await manager.does(HAND_OVER, {"rows": other}, **key))
    assert found["problem"]["code"] == "idempotency-key-reused"
    assert (await manager.client.post(HAND_OVER, json={"rows": rows})).json()["code"] == "idempotency-key-missing"


async def test_data_5_a_bulk_command_is_tried_out_before_and_nothing_is_written(
    office: Office, rep: Desk, manager: Desk, team: Team
) -> None:
    made, before = await rep.makes("/v1/deals", DEAL), await under_a_key(office)
    answer = await tried(manager, HAND_OVER, {"rows": [row(made, team.other), row(str(new_id()), team.other)]})
    found = answered(answer, f"/v1/dry-runs{HAND_OVER.removeprefix('/v1')}")
    assert [each["outcome"] for each in found] == ["done", "refused"]
    assert (found[0]["version"], found[0]["events"]) == (2, ["deals.deal-handed-over"])
    assert await under_a_key(office) == before
    assert (await rep.sees(f"/v1/deals/{made}"))["version"] == 1


async def test_api_1_a_change_names_the_version_that_it_was_decided_on(rep: Desk) -> None:
    made = await rep.makes("/v1/deals", DEAL)
    path = "/v1/deals/bulk/update"
    change: dict[str, Any] = {"id": made, "command": {"industry": "steel"}}
    missing = await rep.does(path, {"rows": [change]})
    assert (missing.status_code, missing.json()["errors"][0]["pointer"]) == (422, "/rows/0/version")
    assert outcomes(await rep.does(path, {"rows": [{**change, "version": 1}]}), path) == [("done", False)]
    (found,) = answered(await rep.does(path, {"rows": [{"id": made, "command": {"source": "x"}, "version": 1}]}), path)
    assert found["problem"]["code"] == "stale-version"


@pytest.mark.parametrize(
    ("rows", "pointer"),
    [
        ([], "/rows"),
        ([{"id": str(new_id()), "command": {}}], "/rows/0/command/owner"),
        ([{"id": "none", "command": {"owner": str(new_id())}}], "/rows/0/id"),
        ([{"id": str(new_id()), "command": {"owner": str(new_id()), "more": 1}}], "/rows/0/command/more"),
        ([{"id": str(new_id()), "command": {"owner": str(new_id())}}] * 2, "/rows/0/id"),
        ([row(str(new_id()), str(new_id())) for _ in range(MOST_ROWS + 1)], "/rows"),
    ],
    ids=["none", "lacks-a-field", "no-id", "unknown-field", "twice", "too-many"],
)
async def test_api_1_a_body_that_is_wrong_anywhere_does_nothing(
    manager: Desk, rows: list[dict[str, Any]], pointer: str
) -> None:
    refused = await manager.does(HAND_OVER, {"rows": rows})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid-body")
    assert refused.json()["errors"][0]["pointer"] == pointer


async def test_api_1_what_is_not_begun_in_time_is_left_for_the_same_request(office: Office) -> None:
    asked = [
        CommandRequest(deal, new_id(), SetCategory(category="commit"), service_actor("deals"))
        for _ in range(AT_ONCE + 1)
    ]
    results = await carried_out(office.running.commands, asked, seconds=0)
    assert [isinstance(each, Problem) and each.kind for each in results] == ["unavailable"] * len(asked)


async def test_api_1_a_row_that_fails_as_nobody_expects_hides_no_other(office: Office) -> None:
    """The others are carried out and told; that one is told as unexpected, and can be sent again."""

    class Failing:
        async def execute(self, request: CommandRequest) -> CommandResult:
            if request.command.category == "commit":
                raise LookupError("a fold that fails")
            return await office.running.commands.execute(request)

    made = await office.somebody().makes("/v1/deals", {"name": "Line", "amount": {"amount": "1", "currency": "EUR"}})
    asked = [
        CommandRequest(deal, UUID(made), SetCategory(category=category), service_actor("deals"))
        for category in ("commit", "best-case")
    ]
    failed, done = await carried_out(cast("CommandExecutor", Failing()), asked)
    assert isinstance(failed, Problem)
    assert (failed.kind, isinstance(done, CommandResult)) == ("unexpected", True)


async def test_acct_4_a_rep_s_deals_are_shared_out_tried_and_handed_over(
    office: Office, rep: Desk, manager: Desk
) -> None:
    """The plan's rows are what the bulk command takes; afterwards nothing is left to plan."""
    crew = await office.team()
    leaving, boss = office.somebody(Role.REP, crew.subjects[0]), office.somebody(Role.MANAGER, crew.subjects[2])
    amounts = ["90.00", "50.00", "40.00", "10.00"]
    money = [{"amount": amount, "currency": "EUR"} for amount in amounts]
    opened = [await leaving.does("/v1/deals", {"name": "Line", "amount": each}) for each in money]
    made = [answer.json()["id"] for answer in opened]
    manager_id = (await office.operations().sees(f"/v1/teams/{crew.id}"))["manager"]
    query: dict[str, Any] = {"owner": crew.rep, "to": [crew.other, manager_id]}
    plan = await seen(boss, opened[-1], "/v1/hand-over-plan", **query)
    as_described("/v1/hand-over-plan", plan)
    assert [(each["deals"], each["worth"]["amount"]) for each in plan["shares"]] == [(2, "100.00"), (2, "90.00")]
    assert [each["id"] for each in plan["rows"]] == made
    assert [each["command"]["owner"] for each in plan["rows"]] == [crew.other, manager_id, manager_id, crew.other]
    assert plan["left"] == 0
    tried_out = await tried(boss, HAND_OVER, {"rows": plan["rows"]})
    assert [each["outcome"] for each in tried_out.json()["rows"]] == ["done"] * 4
    done = await boss.does(HAND_OVER, {"rows": plan["rows"]})
    assert outcomes(done) == [("done", False)] * 4
    after = await seen(boss, done, "/v1/hand-over-plan", **query)
    assert after["rows"] == []
    by_count = await seen(boss, done, "/v1/hand-over-plan", deal=made, to=[crew.rep], by="count")
    assert len(by_count["rows"]) == 4
    # Nobody plans with what others have.
    assert (await manager.sees("/v1/hand-over-plan", deal=made[0], to=crew.rep))["rows"] == []
    assert (await rep.client.get("/v1/hand-over-plan", params=query)).status_code == 403


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ({"to": 1}, ["owner-or-deals"]),
        ({"owner": 1, "deal": 1, "to": 1}, ["owner-or-deals", "same-owner"]),
        ({"owner": 2, "to": [1, 1]}, ["repeated"]),
        ({"owner": 2}, ["missing"]),
    ],
)
async def test_acct_4_a_plan_says_whose_deals_and_to_whom(
    manager: Desk, query: dict[str, Any], codes: list[str]
) -> None:
    ids = [str(new_id()) for _ in range(3)]
    params = {
        name: [ids[each] for each in said] if isinstance(said, list) else ids[said] for name, said in query.items()
    }
    refused = await manager.client.get("/v1/hand-over-plan", params=params)
    assert refused.status_code == 400
    assert [error["code"] for error in refused.json()["errors"]] == codes
