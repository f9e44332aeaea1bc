"""Dry runs over HTTP: they answer what the command then does, and nothing is written."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.domain.roles import Role
from shared.http.dry_runs import dry_path
from shared.ops.ids import new_id
from tests.described import as_described
from tests.services.deals.conftest import Office, Team
from tests.services.leads.conftest import Desk

NEW_DEAL = {"name": "Servers", "amount": {"amount": "120000.00", "currency": "EUR"}, "source": "referral"}


async def tried(desk: Desk, path: str, body: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
    return await desk.client.post(dry_path(path), json=body or {}, headers=headers)


def problem(answer: httpx.Response) -> dict[str, Any]:
    """What a refusal says, without what is its own: where, and in which request."""
    told: dict[str, Any] = answer.json()
    return {name: said for name, said in told.items() if name not in ("instance", "correlation_id")}


async def written(office: Office) -> list[int]:
    """How many rows there are of all that a command may write."""
    tables = ("stream_head", "event", "personal", "claim", "timer", "idempotency")
    return [await office.running.pool.fetchval(f"select count(*) from {table}") for table in tables]


async def test_what_a_creation_would_record_is_told_and_nothing_is_written(office: Office, team: Team) -> None:
    rep, before = office.somebody(Role.REP, team.subjects[0]), await written(office)
    answer = await tried(rep, "/v1/deals", NEW_DEAL)
    assert answer.status_code == 200, answer.text
    would = as_described("/v1/dry-runs/deals", answer.json(), "post")
    (event,) = would["events"]
    assert (would["version"], would["status"]) == (1, "open")
    assert (event["type"], event["aggregate"], event["id"]) == ("deals.deal-opened", "deal", would["id"])
    assert (event["data"]["name"], event["data"]["owner"]) == ("Servers", str(team.rep))
    assert await rep.status(f"/v1/deals/{would['id']}") == 404
    assert await written(office) == before


async def test_what_is_so_already_would_record_nothing(office: Office, team: Team) -> None:
    rep = office.somebody(Role.REP, team.subjects[0])
    deal = await rep.makes("/v1/deals", NEW_DEAL)
    shown = await rep.sees(f"/v1/deals/{deal}")
    would = (await tried(rep, f"/v1/deals/{deal}", {"amount": shown["amount"]})).json()
    assert (would["id"], would["version"], would["events"]) == (deal, shown["version"], [])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/deals/{deal}/move", {"stage": "negotiation"}),
        ("/v1/deals/{deal}/move", {"stage": "nowhere"}),
        ("/v1/deals/{deal}/reopen", {}),
        ("/v1/deals/{deal}/lose", {"reason": 7}),
        ("/v1/deals/{deal}/lose", {"reason": "price", "more": True}),
        ("/v1/deals/{nothing}/win", {}),
        ("/v1/deals/none/win", {}),
        ("/v1/deals", {**NEW_DEAL, "owner": str(uuid4())}),
        ("/v1/deals", {**NEW_DEAL, "id": "{deal}", "name": "Another"}),
        ("/v1/deals", {**NEW_DEAL, "id": str(uuid4())}),
    ],
)
async def test_a_refusal_is_the_command_s_own(office: Office, team: Team, path: str, body: dict[str, Any]) -> None:
    rep = office.somebody(Role.REP, team.subjects[0])
    deal = await rep.makes("/v1/deals", {**NEW_DEAL, "id": str(new_id())})
    where = path.format(deal=deal, nothing=new_id())
    said = {name: deal if value == "{deal}" else value for name, value in body.items()}
    answer, done = await tried(rep, where, said), await rep.does(where, said)
    assert answer.status_code == done.status_code >= 400, (answer.text, done.text)
    assert problem(answer) == problem(done)


@pytest.mark.parametrize(("role", "subject"), [(Role.REP, 1), (Role.MARKETING, 0), (Role.FINANCE, 0)])
async def test_rights_are_those_of_the_command(office: Office, team: Team, role: Role, subject: int) -> None:
    deal = await office.somebody(Role.REP, team.subjects[0]).makes("/v1/deals", NEW_DEAL)
    other = office.somebody(role, team.subjects[1] if subject else "somebody-else")
    path = f"/v1/deals/{deal}/move"
    answer, done = await tried(other, path, {"stage": "quotation"}), await other.does(path, {"stage": "quotation"})
    assert answer.status_code == done.status_code, (answer.text, done.text)
    assert answer.status_code in (403, 404)
    assert problem(answer) == problem(done)


async def test_nobody_tries_without_signing_in(office: Office) -> None:
    nobody = httpx.AsyncClient(transport=httpx.ASGITransport(office.deals.app), base_url="http://errands.test")
    assert (await nobody.post("/v1/dry-runs/deals", json=NEW_DEAL)).status_code == 401


async def test_a_version_may_be_named_and_need_not(office: Office, team: Team) -> None:
    rep = office.somebody(Role.REP, team.subjects[0])
    deal = await rep.makes("/v1/deals", NEW_DEAL)
    path, change = f"/v1/deals/{deal}", {"amount": {"amount": "1.00", "currency": "EUR"}}
    would = await tried(rep, path, change)
    assert [event["type"] for event in would.json()["events"]] == ["deals.deal-amount-changed"]
    assert would.json()["version"] == 2
    stale = await tried(rep, path, change, **{"If-Match": '"7"'})
    assert (stale.status_code, stale.json()["code"], stale.json()["version"]) == (412, "stale-version", 1)
    assert (await rep.sees(path))["version"] == 1


async def test_hand_written_commands_are_tried_out_too(office: Office) -> None:
    fred, path, day = office.somebody(Role.FINANCE, "fred"), "/v1/exchange-rates", "2019-03-01"
    table = {"base": "EUR", "on": day, "rates": [{"currency": "USD", "rate": "1.1383"}]}
    would = (await tried(fred, path, table)).json()
    assert [event["type"] for event in would["events"]] == ["deals.exchange-rates-published"]
    assert await fred.status(f"{path}/{would['id']}") == 404
    wrong = {**table, "base": "???"}
    answer, done = await tried(fred, path, wrong), await fred.does(path, wrong)
    assert answer.status_code == done.status_code >= 400
    assert problem(answer) == problem(done)
    assert (await fred.client.post(dry_path(path), json=table, params={"more": "1"})).status_code == 400
