"""Lists and hand-written routes: who may, what is known of the question, and waiting for one's own change."""

import asyncio
from collections.abc import Callable
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from shared.domain.roles import READING, Role
from shared.http.context import ServiceContext
from shared.http.handwritten import BySecret, by_secret, handwritten, operation, served
from shared.ops.ids import new_id
from shared.projections.tokens import PartitionPosition, token_for
from tests.shared.http.conftest import BREAD, Errands
from tests.shared.http.test_command_routes import problem

Key = Callable[[], dict[str, str]]


def test_a_router_that_asks_nobody_who_they_are_is_not_served() -> None:
    async def show() -> None: ...

    open_to_all, guarded = APIRouter(), handwritten()
    for router in (open_to_all, guarded):
        router.get("/v1/secrets", **operation(roles=READING))(show)

    with pytest.raises(ValueError, match="/v1/secrets asks nobody"):
        served(open_to_all)
    assert [route.path for route in served(guarded) if isinstance(route, APIRoute)] == ["/v1/secrets"]


def test_a_route_without_a_token_is_served_only_by_a_secret_and_only_to_show_something() -> None:
    """DEAL-6: the one exception is spelled out thrice: by the router, by the operation and by the address."""

    async def nobody(service: ServiceContext, of: UUID, secret: str) -> None: ...

    async def show() -> None: ...

    def of(path: str, *, says: bool = True, method: str = "GET", router: APIRouter | None = None) -> APIRouter:
        made = router or by_secret(asking=BySecret(nobody))
        made.api_route(path, methods=[method], **operation(roles=READING, by_secret=says))(show)
        return made

    address = "/v1/links/{id}/{secret}.ics"
    assert [route.path for route in served(of(address)) if isinstance(route, APIRoute)] == [address]
    for refused in (
        of(address, says=False),
        of("/v1/links/{id}"),
        of("/v1/links/{secret}"),
        of(address, method="POST"),
        of(address, router=APIRouter()),
        of(address, router=handwritten()),
    ):
        with pytest.raises(ValueError, match="asks nobody who they are"):
            served(refused)


def token(
    errands: Errands, position: int, service: str = "errands", topic: str = "errands.errand.v1"
) -> dict[str, str]:
    made = token_for(service, [PartitionPosition(topic, 0, position)])
    return {"Consistency-Token": made.encode()}


async def test_a_read_with_the_token_holds_the_change(operations: httpx.AsyncClient, key: Key) -> None:
    for _ in range(5):
        name = str(new_id())
        made = await operations.post("/v1/errands", json={**BREAD, "name": name}, headers=key())
        seen = {"Consistency-Token": made.headers["consistency-token"]}
        found = await operations.get("/v1/errands", params={"name": name}, headers=seen)
        assert [item["errand_id"] for item in found.json()["items"]] == [made.json()["id"]]


async def test_a_change_that_does_not_arrive_is_told(errands: Errands, operations: httpx.AsyncClient) -> None:
    ahead = token(errands, await errands.running.log.head() + 1000)
    began = asyncio.get_running_loop().time()
    behind = await operations.get("/v1/errands", headers=ahead)
    problem(behind, 503, "read-model-behind")
    assert behind.headers["retry-after"] == "1"
    assert asyncio.get_running_loop().time() - began >= 1.9
    lenient = await operations.get("/v1/errands", headers={**ahead, "Prefer": "handling=lenient"})
    assert lenient.status_code == 200
    assert lenient.headers["preference-applied"] == "handling=lenient"


@pytest.mark.parametrize("change", [lambda _: "%%%", lambda token: f"{token}=", lambda token: f"{token}===="])
async def test_a_token_that_is_none_is_refused(
    operations: httpx.AsyncClient, opened: httpx.Response, change: Callable[[str], str]
) -> None:
    given = change(opened.headers["consistency-token"])
    told = problem(
        await operations.get("/v1/errand-count", headers={"Consistency-Token": given}), 400, "invalid-parameter"
    )
    assert told["errors"][0]["parameter"] == "Consistency-Token"


async def test_pages_follow_one_another(operations: httpx.AsyncClient, key: Key) -> None:
    name = str(new_id())
    made = []
    for _ in range(5):
        response = await operations.post("/v1/errands", json={**BREAD, "name": name}, headers=key())
        made.append(response.json()["id"])
    headers = {"Consistency-Token": response.headers["consistency-token"]}
    found: list[str] = []
    address = f"/v1/errands?name={name}&limit=2&sort=opened_at"
    while address:
        page = await operations.get(address, headers=headers)
        assert page.status_code == 200, page.text
        told = page.json()
        assert told["has_more"] is (told["next"] is not None)
        found += [item["errand_id"] for item in told["items"]]
        address = page.links["next"]["url"] if "next" in page.links else ""
    assert found == made
    assert told["items"][0]["price"] == BREAD["price"]


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        ("colour=red", ["colour"]),
        ("limit=0&sort=x", ["limit", "sort"]),
        ("limit=5&limit=6", ["limit"]),
        ("cursor=abc", ["cursor"]),
        ("opened_from=yesterday", ["opened_from"]),
        ("name=%00", ["name"]),
    ],
)
async def test_every_wrong_parameter_is_named(operations: httpx.AsyncClient, query: str, parameters: list[str]) -> None:
    told = problem(await operations.get(f"/v1/errands?{query}"), 400, "invalid-parameter")
    assert [fault["parameter"] for fault in told["errors"]] == parameters


async def test_a_list_holds_what_the_caller_may_see(errands: Errands, operations: httpx.AsyncClient, key: Key) -> None:
    await operations.post("/v1/errands", json=BREAD, headers=key())
    rep = errands.client(Role.REP, "a rep without a team")
    assert (await rep.get("/v1/errands")).json()["items"] == []
    problem(await errands.client(None).get("/v1/errands"), 401, "not-signed-in")


async def test_a_hand_written_route_keeps_the_conventions(errands: Errands, operations: httpx.AsyncClient) -> None:
    assert (await operations.get("/v1/errand-count?least=100000")).json() == {"count": 100000}
    problem(await errands.client(None).get("/v1/errand-count"), 401, "not-signed-in")
    told = problem(await operations.get("/v1/errand-count?least=-1&most=3"), 400, "invalid-parameter")
    assert [fault["parameter"] for fault in told["errors"]] in (["most"], ["least"])
    assert problem(await operations.get("/v1/errand-count?most=3"), 400, "invalid-parameter")
    assert problem(await operations.get("/v1/errand-count?least=x"), 400, "invalid-parameter")


async def test_roles_of_a_hand_written_route_are_enforced(errands: Errands, operations: httpx.AsyncClient) -> None:
    assert (await operations.get("/v1/errand-secrets")).status_code == 200
    told = problem(await errands.client(Role.LEGAL, "lawyer").get("/v1/errand-secrets"), 403, "role-missing")
    assert "sales-operations" in told["detail"]


async def test_a_hand_written_command_keeps_the_conventions(operations: httpx.AsyncClient, key: Key) -> None:
    address, same = "/v1/errand-receipts", key()
    problem(await operations.post(address, json={"name": "x"}), 400, "idempotency-key-missing")
    first = await operations.post(address, json={"name": "x"}, headers=same)
    assert first.status_code == 201, first.text
    again = await operations.post(address, json={"name": "x"}, headers=same)
    assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")
    told = problem(await operations.post(address, json={"name": "", "y": 1}, headers=key()), 422, "invalid-body")
    assert {fault["pointer"] for fault in told["errors"]} == {"/name", "/y"}


async def test_a_question_with_a_body_needs_no_key_and_has_no_dry_run(
    operations: httpx.AsyncClient, errands: Errands, key: Key
) -> None:
    made = await operations.post("/v1/errands", json={**BREAD, "name": "Looked for"}, headers=key())
    token = {"Consistency-Token": made.headers["Consistency-Token"]}
    address, body = "/v1/errand-search", {"names": ["Looked for"]}
    counted = await operations.post(address, json=body, headers=token)
    assert (counted.status_code, counted.json()) == (200, {"count": 1}), counted.text
    told = problem(await operations.post(address, json={"names": [1], "y": 1}), 422, "invalid-body")
    assert {fault["pointer"] for fault in told["errors"]} == {"/names/0", "/y"}
    problem(await errands.client(Role.LEGAL, "lawyer").post(address, json=body), 403, "role-missing")
    assert (await operations.post(f"/v1/dry-runs{address.removeprefix('/v1')}", json=body)).status_code == 404


async def test_what_breaks_tells_nothing_of_itself(operations: httpx.AsyncClient) -> None:
    told = problem(await operations.get("/v1/errand-failures"), 500, "unexpected")
    assert "secret" not in str(told)


async def test_every_answer_says_how_to_read_it(operations: httpx.AsyncClient) -> None:
    headers = (await operations.get("/v1/errands")).headers
    assert headers["content-type"] == "application/json"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
