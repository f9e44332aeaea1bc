"""Command routes: what follows from a handler, and every convention with the way in which it is broken."""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4, uuid5

import httpx
import pytest

from shared.domain.roles import Role
from shared.events.envelope import Envelope
from shared.ops.ids import new_id
from tests.shared.http.conftest import BREAD, Errands, served
from tests.shared.http.sample import errand

Key = Callable[[], dict[str, str]]


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem that an answer tells."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = response.json()
    assert told["code"] == code
    assert told["status"] == status
    assert told["correlation_id"] == response.headers["x-correlation-id"]
    return told


async def test_a_command_creates_and_says_where(operations: httpx.AsyncClient, key: Key) -> None:
    response = await operations.post("/v1/errands", json=BREAD, headers=key())
    assert response.status_code == 201, response.text
    made = response.json()
    assert made["version"] == 1
    assert UUID(made["id"]).version == 7
    assert response.headers["etag"] == '"1"'
    assert response.headers["location"] == f"/v1/errands/{made['id']}"
    assert response.headers["consistency-token"]
    assert "idempotency-replayed" not in response.headers
    shown = await operations.get(response.headers["location"])
    assert shown.headers["etag"] == '"1"'
    told = shown.json()
    assert {each["operation"] for each in told.pop("commands")} == {"changeErrand", "finishItErrand", "blessErrand"}
    assert told == {**BREAD, "owner": None, "team": None, "id": made["id"], "version": 1, "status": "open"}


async def test_a_client_may_choose_the_id(operations: httpx.AsyncClient, key: Key) -> None:
    chosen = str(new_id())
    first = await operations.post("/v1/errands", json={**BREAD, "id": chosen}, headers=key())
    assert first.json()["id"] == chosen
    again = await operations.post("/v1/errands", json={**BREAD, "id": chosen}, headers=key())
    problem(again, 409, "not-in-this-state")


@pytest.mark.parametrize(
    "spelling",
    [
        '{"price": {"currency": "EUR", "amount": "3.50"}, "name": "Bread"}',
        '{"name":"Bread","price":{"amount":"3.50","currency":"EUR"}}',
        '{"name": "\\u0042read",\n "price": {"amount": "3.50", "currency": "EUR"}}',
    ],
)
async def test_the_same_json_in_another_spelling_is_the_same_request(
    operations: httpx.AsyncClient, key: Key, spelling: str
) -> None:
    """API-1: a client may encode its retry anew."""
    headers = key()
    first = await operations.post("/v1/errands", json=BREAD, headers=headers)
    typed = {**headers, "Content-Type": "application/json"}
    again = await operations.post("/v1/errands", content=spelling, headers=typed)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    other = spelling.replace("3.50", "3.51")
    problem(await operations.post("/v1/errands", content=other, headers=typed), 422, "idempotency-key-reused")


@pytest.mark.parametrize(
    "spell",
    [str.upper, lambda text: f"urn:uuid:{text}", lambda text: text.replace("-", ""), lambda text: f"{{{text}}}"],
)
async def test_an_id_in_another_spelling_is_the_same_id(
    operations: httpx.AsyncClient, opened: httpx.Response, key: Key, spell: Callable[[str], str]
) -> None:
    """R3: in the body and in the address."""
    headers, chosen = key(), str(new_id())
    first = await operations.post("/v1/errands", json={**BREAD, "id": chosen}, headers=headers)
    again = await operations.post("/v1/errands", json={**BREAD, "id": spell(chosen)}, headers=headers)
    assert (again.status_code, again.json()) == (201, first.json()), again.text
    assert again.headers["idempotency-replayed"] == "true"
    headers, acted = key(), opened.json()["id"]
    done = await operations.post(f"/v1/errands/{acted}/finish-it", headers=headers)
    again = await operations.post(f"/v1/errands/{spell(acted)}/finish-it", headers=headers)
    assert (again.status_code, again.json()) == (done.status_code, done.json()), again.text


@pytest.mark.parametrize("chosen", [str(uuid4()), str(uuid5(uuid4(), "contract")), "x", 7], ids=["v4", "v5", "x", "7"])
async def test_a_chosen_id_is_of_version_7(operations: httpx.AsyncClient, key: Key, chosen: object) -> None:
    response = await operations.post("/v1/errands", json={**BREAD, "id": chosen}, headers=key())
    told = problem(response, 422, "invalid-body")
    assert [fault["pointer"] for fault in told["errors"]] == ["/id"]


async def test_an_action_moves_the_version(operations: httpx.AsyncClient, opened: httpx.Response, key: Key) -> None:
    address = opened.headers["location"]
    response = await operations.post(f"{address}/finish-it", headers=key())
    assert response.status_code == 200
    assert response.json()["version"] == 2
    assert (await operations.get(address)).json()["status"] == "finished"
    again = await operations.post(f"{address}/finish-it", json={}, headers=key())
    assert (again.status_code, again.json()["version"]) == (200, 2)


async def test_a_handler_for_services_alone_has_no_route(
    operations: httpx.AsyncClient, opened: httpx.Response, key: Key
) -> None:
    problem(await operations.post(f"{opened.headers['location']}/forget", headers=key()), 404, "not-found")


# -- who --------------------------------------------------------------------------------------------------------------


async def test_nobody_gets_in_without_a_token(errands: Errands, key: Key) -> None:
    response = await errands.client(None).post("/v1/errands", json=BREAD, headers=key())
    problem(response, 401, "not-signed-in")
    assert response.headers["www-authenticate"].startswith("Bearer")


async def test_a_role_that_may_not_is_told_why(errands: Errands, key: Key) -> None:
    legal = errands.client(Role.LEGAL, "lawyer")
    told = problem(await legal.post("/v1/errands", json=BREAD, headers=key()), 403, "not-allowed")
    assert told["detail"].startswith("This takes one of the roles ")
    assert "sales-operations" in told["detail"]


async def test_inside_the_read_scope_403_outside_404(errands: Errands, opened: httpx.Response, key: Key) -> None:
    address = opened.headers["location"]
    finance = errands.client(Role.FINANCE, "finance")
    assert (await finance.get(address)).status_code == 200
    problem(await finance.post(f"{address}/finish-it", headers=key()), 403, "not-allowed")
    rep = errands.client(Role.REP, "a rep")
    problem(await rep.get(address), 404, "not-found")
    problem(await rep.post(f"{address}/finish-it", headers=key()), 404, "not-found")


@pytest.mark.parametrize("aggregate_id", [str(uuid4()), "nonsense", "%00"], ids=["unknown", "nonsense", "nul"])
async def test_what_is_not_there_is_not_found(operations: httpx.AsyncClient, key: Key, aggregate_id: str) -> None:
    problem(await operations.get(f"/v1/errands/{aggregate_id}"), 404, "not-found")
    problem(await operations.post(f"/v1/errands/{aggregate_id}/finish-it", headers=key()), 404, "not-found")


@pytest.mark.parametrize("name", ["Idempotency-Key", "If-Match", "Consistency-Token", "Authorization"])
@pytest.mark.parametrize("others", [["another"], ["the same", "the same"]])
async def test_a_header_that_says_one_thing_is_given_once(
    operations: httpx.AsyncClient, opened: httpx.Response, key: Key, name: str, others: list[str]
) -> None:
    """API-1: of two keys, versions, tokens or callers nobody knows which one is meant."""
    good = {
        **key(),
        "If-Match": opened.headers["etag"],
        "Consistency-Token": opened.headers["consistency-token"],
        "Authorization": operations.headers["authorization"],
    }
    twice = [*good.items(), *((name, good[name] if other == "the same" else other) for other in others)]
    told = problem(
        await operations.post(f"{opened.headers['location']}/finish-it", headers=twice), 400, "malformed-request"
    )
    assert told["detail"] == f"{name} is given more than once."
    assert (await operations.get(opened.headers["location"])).json()["version"] == 1


# -- the same intent twice --------------------------------------------------------------------------------------------


async def test_a_post_needs_an_idempotency_key(operations: httpx.AsyncClient) -> None:
    problem(await operations.post("/v1/errands", json=BREAD), 400, "idempotency-key-missing")


@pytest.mark.parametrize("given", ["", "x" * 256, "with space"])
async def test_an_idempotency_key_is_short_and_visible(operations: httpx.AsyncClient, given: str) -> None:
    response = await operations.post("/v1/errands", json=BREAD, headers={"Idempotency-Key": given})
    problem(response, 400, "malformed-request")


async def test_a_retry_gets_the_first_answer(operations: httpx.AsyncClient, key: Key) -> None:
    same = key()
    first = await operations.post("/v1/errands", json=BREAD, headers=same)
    again = await operations.post("/v1/errands", json=BREAD, headers=same)
    assert again.status_code == 201
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    for name in ("etag", "location", "consistency-token"):
        assert again.headers[name] == first.headers[name]


async def test_a_key_belongs_to_one_content(operations: httpx.AsyncClient, key: Key) -> None:
    same = key()
    await operations.post("/v1/errands", json=BREAD, headers=same)
    other = await operations.post("/v1/errands", json={**BREAD, "name": "Milk"}, headers=same)
    problem(other, 422, "idempotency-key-reused")


async def test_a_key_belongs_to_one_aggregate(operations: httpx.AsyncClient, key: Key) -> None:
    one, two = [(await operations.post("/v1/errands", json=BREAD, headers=key())).headers["location"] for _ in "ab"]
    same = key()
    assert (await operations.post(f"{one}/finish-it", headers=same)).status_code == 200
    problem(await operations.post(f"{two}/finish-it", headers=same), 422, "idempotency-key-reused")


async def test_a_key_belongs_to_one_caller(errands: Errands, operations: httpx.AsyncClient, key: Key) -> None:
    same = key()
    first = await operations.post("/v1/errands", json=BREAD, headers=same)
    other = await errands.client(Role.ADMIN, "admin").post("/v1/errands", json=BREAD, headers=same)
    assert other.status_code == 201
    assert other.json()["id"] != first.json()["id"]


async def test_a_refusal_is_not_kept_with_the_key(operations: httpx.AsyncClient, key: Key) -> None:
    same = key()
    problem(await operations.post("/v1/errands", json={**BREAD, "name": ""}, headers=same), 422, "invalid-body")
    assert (await operations.post("/v1/errands", json=BREAD, headers=same)).status_code == 201


# -- on what it was decided -------------------------------------------------------------------------------------------


async def test_a_change_needs_the_version_it_was_decided_on(
    operations: httpx.AsyncClient, opened: httpx.Response
) -> None:
    address = opened.headers["location"]
    problem(await operations.patch(address, json={"name": "Milk"}), 428, "precondition-required")
    changed = await operations.patch(address, json={"name": "Milk"}, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.json()["version"], changed.headers["etag"]) == (200, 2, '"2"')
    stale = await operations.patch(address, json={"name": "Tea"}, headers={"If-Match": '"1"'})
    assert problem(stale, 412, "stale-version")["version"] == 2
    assert stale.headers["etag"] == '"2"'
    assert (await operations.get(address)).json()["name"] == "Milk"


@pytest.mark.parametrize("given", ['W/"1"', '"1-gzip"', "*"])
async def test_an_etag_that_a_gateway_has_marked_is_still_the_version(
    operations: httpx.AsyncClient, opened: httpx.Response, given: str
) -> None:
    changed = await operations.patch(opened.headers["location"], json={"name": "Milk"}, headers={"If-Match": given})
    assert changed.status_code == 200, changed.text


@pytest.mark.parametrize("given", ["1", '"x"', '"1", "2"', '""'])
async def test_an_if_match_that_is_no_etag_is_refused(
    operations: httpx.AsyncClient, opened: httpx.Response, given: str
) -> None:
    changed = await operations.patch(opened.headers["location"], json={"name": "Milk"}, headers={"If-Match": given})
    problem(changed, 400, "malformed-request")


async def test_an_action_heeds_if_match_when_there_is_one(
    operations: httpx.AsyncClient, opened: httpx.Response, key: Key
) -> None:
    address = f"{opened.headers['location']}/finish-it"
    problem(await operations.post(address, headers={**key(), "If-Match": '"9"'}), 412, "stale-version")
    assert (await operations.post(address, headers={**key(), "If-Match": '"1"'})).status_code == 200


async def test_what_has_not_changed_is_not_sent_again(operations: httpx.AsyncClient, opened: httpx.Response) -> None:
    address = opened.headers["location"]
    same = await operations.get(address, headers={"If-None-Match": '"7", "1"'})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", '"1"')
    assert (await operations.get(address, headers={"If-None-Match": '"2"'})).status_code == 200


# -- bodies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, {"/name", "/price"}),
        ({**BREAD, "colour": "red"}, {"/colour"}),
        ({**BREAD, "price": {"amount": "1", "currency": "EUR", "tax": "0"}}, {"/price/tax"}),
        ({**BREAD, "price": {"amount": 3.5, "currency": "EUR"}}, {"/price/amount"}),
        ({**BREAD, "price": {"amount": "NaN", "currency": "EUR"}}, {"/price/amount"}),
        ({**BREAD, "name": 5}, {"/name"}),
        ({**BREAD, "name": None}, {"/name"}),
        ({**BREAD, "name": "a\0b"}, {"/name"}),
        ({**BREAD, "owner": "me"}, {"/owner"}),
        ({"name": "", "price": 1, "x/y~z": 1}, {"/name", "/price", "/x~1y~0z"}),
        ([], {""}),
        ("text", {""}),
    ],
)
async def test_every_wrong_field_is_named(
    operations: httpx.AsyncClient, key: Key, body: object, pointers: set[str]
) -> None:
    told = problem(await operations.post("/v1/errands", json=body, headers=key()), 422, "invalid-body")
    assert {fault["pointer"] for fault in told["errors"]} == pointers


@pytest.mark.parametrize(
    "raw", [b"{", b"\xff", b'{"name": "a\x00"}', b"{'name': 1}", b"{}{}", b'{"name": "\\ud800"}', b"[" * 33 + b"]" * 33]
)
async def test_what_is_no_json_is_refused(operations: httpx.AsyncClient, key: Key, raw: bytes) -> None:
    headers = {**key(), "Content-Type": "application/json"}
    problem(await operations.post("/v1/errands", content=raw, headers=headers), 400, "malformed-json")


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", None])
async def test_a_body_is_declared_as_json(operations: httpx.AsyncClient, key: Key, media_type: str | None) -> None:
    headers = {**key(), **({"Content-Type": media_type} if media_type else {})}
    response = await operations.post("/v1/errands", content=b'{"name": "x"}', headers=headers)
    problem(response, 415, "unsupported-media-type")


async def test_a_body_has_a_size(errands: Errands, operations: httpx.AsyncClient, key: Key) -> None:
    large = b'{"name": "%s"}' % (b"x" * errands.settings.body_limit)
    headers = {**key(), "Content-Type": "application/json"}
    problem(await operations.post("/v1/errands", content=large, headers=headers), 413, "body-too-large")

    async def in_parts() -> Any:
        for _ in range(3):
            yield large[: len(large) // 2]

    problem(await operations.post("/v1/errands", content=in_parts(), headers=headers), 413, "body-too-large")


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/errands"), ("GET", "/v1/errands"), ("POST", "/v1/nowhere"), ("POST", "/clock")]
)
@pytest.mark.parametrize("length", ["1048577", "999999999999999999"])
async def test_a_body_that_says_it_is_too_large_is_not_waited_for(
    errands: Errands, operations: httpx.AsyncClient, method: str, path: str, length: str
) -> None:
    async with served(errands.app) as address:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]))
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {operations.headers['authorization']}\r\n"
        writer.write(f"{head}Content-Length: {length}\r\n\r\n".encode())
        async with asyncio.timeout(10):
            answer = await reader.read()  # to the end of the connection
        writer.close()
    assert answer.startswith(b"HTTP/1.1 413 "), answer
    assert b"body-too-large" in answer


@pytest.mark.parametrize("number", ["1" * 41, "1" * 5000, f"0.{'1' * 5000}", f"1{'0' * 40}e5"])
async def test_a_number_has_a_length(operations: httpx.AsyncClient, key: Key, number: str) -> None:
    """The field and the rule are named, before anything reckons with it."""
    headers = {**key(), "Content-Type": "application/json"}
    raw = json.dumps({"name": "7" * 99, "price": {"amount": "3.50", "parts": [1, 0], "currency": "EUR"}})
    raw = raw.replace("[1, 0]", f"[1, {number}]")
    told = problem(await operations.post("/v1/errands", content=raw.encode(), headers=headers), 422, "invalid-body")
    assert [(fault["pointer"], fault["code"]) for fault in told["errors"]] == [("/price/parts/1", "number-too-long")]


async def test_parameters_that_nobody_knows_are_refused(operations: httpx.AsyncClient, key: Key) -> None:
    told = problem(await operations.post("/v1/errands?dry_run=1", json=BREAD, headers=key()), 400, "invalid-parameter")
    assert told["errors"][0]["parameter"] == "dry_run"
    problem(await operations.get(f"/v1/errands/{new_id()}?fields=name"), 400, "invalid-parameter")


# -- rules ------------------------------------------------------------------------------------------------------------


async def test_a_rule_about_a_field_is_422_and_names_it(operations: httpx.AsyncClient, key: Key) -> None:
    body = {**BREAD, "price": {"amount": "1.00", "currency": "USD"}}
    told = problem(await operations.post("/v1/errands", json=body, headers=key()), 422, "other-currency")
    assert told["type"] == "/docs/problems#refused-content"
    assert told["errors"][0]["pointer"] == "/price/currency"


async def test_rules_about_the_state_are_409_with_every_reason(operations: httpx.AsyncClient, key: Key) -> None:
    dear = {**BREAD, "price": {"amount": "5000.00", "currency": "EUR"}}
    address = (await operations.post("/v1/errands", json=dear, headers=key())).headers["location"]
    told = problem(await operations.post(f"{address}/finish-it", headers=key()), 409, "not-finished")
    assert [fault["code"] for fault in told["errors"]] == ["too-dear", "too-long"]
    assert told["errors"][0]["details"] == {"price": "5000.00"}


async def test_a_state_that_does_not_allow_it_is_409(
    operations: httpx.AsyncClient, opened: httpx.Response, key: Key
) -> None:
    address = opened.headers["location"]
    await operations.post(f"{address}/finish-it", headers=key())
    told = problem(await operations.post(f"{address}/bless", headers=key()), 409, "not-in-this-state")
    assert "finished" in told["detail"]


# -- what ties things together ----------------------------------------------------------------------------------------


async def test_the_correlation_id_reaches_the_event(errands: Errands, operations: httpx.AsyncClient, key: Key) -> None:
    correlation_id = str(new_id())
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    headers = {**key(), "X-Correlation-Id": correlation_id, "traceparent": trace}
    response = await operations.post("/v1/errands", json=BREAD, headers=headers)
    assert response.headers["x-correlation-id"] == correlation_id
    async with errands.running.pool.acquire() as connection:
        (envelope,) = await errands.running.log.history(connection, [UUID(response.json()["id"])], 1 << 60)
    assert isinstance(envelope, Envelope)
    assert str(envelope.correlation_id) == correlation_id
    assert envelope.traceparent == trace
    assert envelope.actor == "ops"


async def test_a_correlation_id_is_a_uuid(operations: httpx.AsyncClient) -> None:
    response = await operations.get("/v1/errands", headers={"X-Correlation-Id": "<script>"})
    problem(response, 400, "malformed-request")


async def test_other_methods_are_refused(operations: httpx.AsyncClient) -> None:
    for path, methods in {f"/v1/errands/{new_id()}": "GET, HEAD, PATCH", "/v1/errands": "GET, HEAD, POST"}.items():
        refused = await operations.delete(path)
        problem(refused, 405, "method-not-allowed")
        assert refused.headers["allow"] == methods
    refused = await operations.delete("/v1/errand-receipts")
    assert refused.headers["allow"] == "POST"
    problem(await operations.get("/v1/nothing"), 404, "not-found")


async def test_a_problem_names_the_address_as_a_uri(operations: httpx.AsyncClient) -> None:
    told = problem(await operations.get('/v1/errands/Ê%22 %7B|?q="'), 400, "invalid-parameter")
    assert told["instance"] == "/v1/errands/%C3%8A%22%20%7B%7C"


async def test_two_at_once_are_never_both_right(operations: httpx.AsyncClient, opened: httpx.Response) -> None:
    import asyncio

    address = opened.headers["location"]
    answers = await asyncio.gather(
        *(operations.patch(address, json={"name": f"n{i}"}, headers={"If-Match": '"1"'}) for i in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7


def test_two_commands_never_share_an_address() -> None:
    from shared.domain.aggregate import Aggregate
    from shared.domain.roles import SELLING
    from shared.http.command_routes import command_routes
    from tests.shared.http.sample import ChangeErrand, NoErrand, OpenNewErrand

    twice = Aggregate("errand", plural="errands", start=NoErrand, readers=errand.readers)

    @twice.decides(allow=SELLING)
    def one(state: NoErrand, command: OpenNewErrand) -> list[Any]:
        return []

    @twice.decides(allow=SELLING)
    def two(state: NoErrand, command: ChangeErrand) -> list[Any]:
        return []

    with pytest.raises(ValueError, match="both claim POST /v1/errands"):
        command_routes([twice])


async def test_a_caller_who_hangs_up_is_no_fault_of_the_service(
    errands: Errands, operations: httpx.AsyncClient
) -> None:
    """OPS-2: half a body came, and then nobody is there to be answered."""
    given = {**operations.headers, "idempotency-key": str(new_id()), "content-type": "application/json"}
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/errands",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
        "client": ("127.0.0.1", 1),
    }
    comes = iter([{"type": "http.request", "body": b'{"a', "more_body": True}, {"type": "http.disconnect"}])
    sent: list[object] = []

    async def receive() -> Any:
        return next(comes)

    async def send(message: Any) -> None:
        sent.append(message)

    await errands.app(scope, receive, send)
    assert sent == []
    assert b'status="499"' in errands.running.health.metrics.page()
