"""DEAL-9: by policy a deal is won once its contract is signed, which contracts tell."""

from typing import Any

import httpx
import pytest

from services.deals.projections.contracts import KNOWN_CONTRACTS
from shared.domain.roles import Role
from shared.projections.audit import differences
from tests.services.conftest import Everybody
from tests.services.deals.conftest import Office
from tests.services.deals.test_ready import noted, two_stages
from tests.services.deals.test_service import DEAL, codes, seen
from tests.services.leads.conftest import Desk
from tests.shared.http.waiting import until

POLICY = "/v1/deal-policies/winning"
NOBODY_ASKED = {
    "steps": [
        {
            "key": "legal",
            "name": "Legal, of what never is",
            "approvers": [{"role": "legal"}],
            "when": {"fact": "amount", "operator": "above", "value": "1000000000"},
            "within_days": 2,
        }
    ]
}


async def done(desk: Desk, path: str, body: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
    answer = await desk.does(path, body, **headers)
    assert answer.status_code in (200, 201), answer.text
    return answer


async def test_deal_9_a_deal_whose_contract_is_signed_while_it_is_open_is_won(
    everybody: Everybody, office: Office
) -> None:
    team = await office.team()
    ops, rep = office.somebody(), office.somebody(Role.REP, team.subjects[0])
    contracts = Desk(client=everybody.contracts.client(Role.SALES_OPERATIONS, "ops"))
    legal = Desk(client=everybody.contracts.client(Role.LEGAL, "lara"))
    await done(ops, POLICY, {"document": {"needs": "signed-contract"}, "team": team.id})

    async def team_is_known() -> bool:
        chain = {"document": {"chain": NOBODY_ASKED}, "team": team.id}
        return (await legal.does("/v1/contract-policies/contract-approval", chain)).status_code == 200

    await until(team_is_known, 60)
    process = await two_stages(ops)
    opened = await done(rep, "/v1/deals", {**DEAL, "process_id": process})
    deal = opened.json()["id"]
    await noted(rep, deal, satisfied=True)
    moved = await done(rep, f"/v1/deals/{deal}/move", {"stage": "close"})

    async def outcome(last: httpx.Response) -> list[tuple[str, list[str]]]:
        """What a deal in its last stage is told of its outcome, by itself and in the agenda."""
        alone = (await seen(rep, last, f"/v1/deals/{deal}/next-actions"))["items"]
        assert (await seen(rep, last, "/v1/agenda"))["actions"] == alone
        return [(each["reason"], each["commands"]) for each in alone if each["reason"] != "no-decision-maker"]

    assert await outcome(moved) == [("contract-not-signed", [])]
    refused = await rep.does(f"/v1/deals/{deal}/win")
    assert (refused.status_code, refused.json()["code"]) == (409, "contract-not-signed")
    known = {"Consistency-Token": opened.headers["Consistency-Token"]}
    drafted = await done(
        contracts, "/v1/contracts", {"name": "Line", "total": DEAL["amount"], "deal_id": deal}, **known
    )
    contract = f"/v1/contracts/{drafted.json()['id']}"
    await done(contracts, f"{contract}/submit")
    today = str(office.running.clock.now().date())
    approved = await contracts.sees(contract)
    assert approved["status"] == "approved"
    known = {"Consistency-Token": drafted.headers["Consistency-Token"]}
    unsigned = await rep.does(f"/v1/deals/{deal}/win", {}, **known)
    assert unsigned.json()["code"] == "contract-not-signed"
    signature = {"signed_by_us": today, "signed_by_customer": today, "evidence_hash": "a" * 64}
    signed = await done(contracts, f"{contract}/sign", signature)
    assert await outcome(signed) == [("ready-to-win", ["win"])]
    token = {"Consistency-Token": signed.headers["Consistency-Token"]}
    await done(rep, f"/v1/deals/{deal}/win", {}, **token)
    assert (await rep.sees(f"/v1/deals/{deal}"))["status"] == "won"
    running = office.running
    assert await differences(running.pool, running.journal, KNOWN_CONTRACTS, running.settings.company) == []
    # The contract stays as it is: its total is what the deal was won with.
    told = await contracts.sees(contract)
    assert (told["status"], told["flagged"]) == ("signed", None)


@pytest.mark.parametrize("needs", ["printed-quote", "signature", None])
async def test_deal_9_what_nothing_checks_cannot_be_needed(office: Office, needs: str | None) -> None:
    """A policy that asks for what nobody tells would be a promise."""
    refused = await office.somebody().does(POLICY, {"document": {"needs": needs}})
    assert (refused.status_code, codes(refused)) == (422, ["literal-error"])
