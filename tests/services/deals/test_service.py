"""The deals service over HTTP, PostgreSQL and Kafka: what only shows on real parts."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from services.deals.domain.process import process
from services.deals.domain.process.full import FULL_ID
from services.deals.domain.process.short import SHORT_ID
from services.deals.projections.deals import DEAL_PROJECTION
from services.deals.seeds import publish_processes
from shared.domain.roles import Role
from shared.ops.ids import new_id
from shared.projections.audit import differences
from tests.services.deals.conftest import Office, Team
from tests.services.leads.conftest import Desk, patiently

EUR = {"currency": "EUR"}
DEAL: dict[str, Any] = {
    "name": "Servers for the new plant",
    "amount": {"amount": "120000.00", **EUR},
    "expected_close": "2099-06-30",
}


def codes(response: httpx.Response) -> list[str]:
    return [error["code"] for error in response.json()["errors"]]


async def seen(desk: Desk, answer: httpx.Response, path: str, **query: str | list[str]) -> Any:
    """A read that holds what the answer tells of."""
    known = {"Consistency-Token": answer.headers["Consistency-Token"]}
    response = await patiently(lambda: desk.client.get(path, params=query, headers=known), known)
    assert response.status_code == 200, response.text
    return response.json()


async def patched(desk: Desk, path: str, version: int, body: Mapping[str, Any]) -> httpx.Response:
    return await desk.client.patch(path, json=body, headers={"If-Match": f'"{version}"'})


# -- the way of a deal ------------------------------------------------------------------------------------------------


async def test_deal_3_a_deal_goes_all_the_way_by_its_gates(office: Office) -> None:
    desk = office.somebody()
    deal = await desk.makes("/v1/deals", DEAL)
    refused = await desk.does(f"/v1/deals/{deal}/move", {"stage": "needs-confirmed"})
    assert refused.status_code == 409
    assert refused.json()["code"] == "gate-closed"
    assert [error["details"]["criterion"] for error in refused.json()["errors"]] == [
        "conversation-held",
        "next-step-planned",
    ]
    assert (refused.json()["version"], refused.headers["ETag"]) == (2, '"2"')
    again = await desk.does(f"/v1/deals/{deal}/move", {"stage": "needs-confirmed"})
    assert (again.status_code, "ETag" in again.headers, "version" in again.json()) == (409, False, False)
    tried = await desk.does(f"/v1/dry-runs/deals/{deal}/move", {"stage": "quotation"})
    assert (tried.status_code, (await desk.sees(f"/v1/deals/{deal}"))["version"]) == (409, 2)
    assert ("ETag" in tried.headers, "version" in tried.json()) == (False, False), "nothing came of it"
    await desk.makes(f"/v1/deals/{deal}/complete-node", {"key": "first-conversation", "evidence": "Minutes 118"})
    planned = await desk.does(f"/v1/deals/{deal}/plan-next-step", {"on": "2099-01-05", "what": "Workshop"})
    moved = await patched(desk, f"/v1/deals/{deal}", planned.json()["version"], {"stage": "needs-confirmed"})
    assert moved.status_code == 200, moved.text
    await desk.makes(
        f"/v1/deals/{deal}/note-facts",
        {"facts": {"need_stated": True, "budget": "150000", "decision_chain_known": True}},
    )
    await desk.makes(f"/v1/deals/{deal}/complete-node", {"key": "needs-confirmation", "evidence": "DOC-2"})
    await desk.makes(f"/v1/deals/{deal}/log-activity", {"kind": "meeting", "minutes": 60})
    await desk.makes(f"/v1/deals/{deal}/move", {"stage": "contract-drafting", "reason": "Frame contract"})
    won = await desk.does(f"/v1/deals/{deal}/win")
    found = await desk.sees(f"/v1/deals/{deal}")
    assert (found["status"], found["stage"], found["version"]) == ("won", "contract-drafting", won.json()["version"])
    assert [visit["stage"] for visit in found["trail"]] == ["initial-contact", "needs-confirmed", "contract-drafting"]
    assert found["facts"]["budget"] == "150000"
    assert found["amount"] == {"amount": "120000.00", "currency": "EUR"}
    (row,) = (await seen(desk, won, "/v1/deals", status="won", q=DEAL["name"], sort="-updated_at", limit="1"))["items"]
    assert (row["id"], row["status"], row["probability"]) == (deal, "won", "0.80")
    reopened = await desk.does(f"/v1/deals/{deal}/reopen", {"reason": "They came back"})
    (row,) = (await seen(desk, reopened, "/v1/deals", sort="-updated_at", limit="1"))["items"]
    assert (row["id"], row["status"], row["closed_on"]) == (deal, "open", None)


async def test_deal_9_a_quick_update_needs_the_version_that_was_read(office: Office) -> None:
    desk = office.somebody()
    deal = await desk.makes("/v1/deals", DEAL)
    path, body = f"/v1/deals/{deal}", {"amount": {"amount": "5.00", **EUR}}
    assert (await desk.client.patch(path, json=body)).status_code == 428
    assert (await patched(desk, path, 7, body)).status_code == 412
    assert (await patched(desk, path, 1, body)).json()["version"] == 2
    refused = await patched(desk, path, 2, {"stage": "nowhere", "amount": {"amount": "-1", **EUR}})
    assert (refused.status_code, codes(refused)) == (422, ["negative", "unknown-stage"])


async def test_api_1_null_in_a_quick_update_empties_a_field_or_is_refused(office: Office) -> None:
    """DEAL-9: the list follows; what is left out stays."""
    desk = office.somebody()
    deal = await desk.makes("/v1/deals", {**DEAL, "expected_close": "2099-01-29"})
    await desk.makes(f"/v1/deals/{deal}/plan-next-step", {"on": "2099-01-05", "what": "Workshop"})
    path = f"/v1/deals/{deal}"
    refused = await patched(desk, path, 2, {"amount": None, "stage": None, "expected_close": None})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid-body")
    assert {error["pointer"].split("/")[1] for error in refused.json()["errors"]} == {"amount", "stage"}
    emptied = await patched(desk, path, 2, {"expected_close": None, "next_step": None})
    assert emptied.json()["version"] == 4
    row = next(each for each in (await seen(desk, emptied, "/v1/deals"))["items"] if each["id"] == deal)
    assert (row["expected_close"], row["next_step"], row["amount"]) == (None, None, DEAL["amount"])


async def test_deal_1_an_opening_repeated_under_its_own_id_or_key_opens_one_deal(office: Office) -> None:
    desk, deal = office.somebody(), str(new_id())
    body = {"id": deal, **DEAL}
    first, second = await desk.does("/v1/deals", body), await desk.does("/v1/deals", body)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json() == {"id": deal, "version": 1}
    other = await desk.does("/v1/deals", {**body, "name": "Other"})
    assert (other.status_code, other.json()["code"]) == (409, "not-in-this-state")


async def test_api_1_what_is_wrong_with_a_command_is_named_by_its_place(office: Office) -> None:
    desk = office.somebody()
    wrong = await desk.does(
        "/v1/deals",
        {
            **DEAL,
            "amount": {"amount": 5, "currency": "EUR"},
            "lines": [{"product_id": "x", "quantity": "0"}],
            "more": 1,
        },
    )
    assert wrong.status_code == 422
    pointers = {error["pointer"] for error in wrong.json()["errors"]}
    assert pointers == {"/amount/amount", "/lines/0/product_id", "/lines/0/quantity", "/more"}
    for amount, currency, pointer in ("5", "XAU", "/amount/currency"), ("5.50", "JPY", "/amount/amount"):
        refused = await desk.does("/v1/deals", {**DEAL, "amount": {"amount": amount, "currency": currency}})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
    unknown = await desk.does("/v1/deals", {**DEAL, "lines": [{"product_id": str(new_id()), "quantity": "1"}]})
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/lines/0/product_id")


async def test_deal_3_of_two_moves_at_once_one_wins_and_the_other_is_decided_again(office: Office) -> None:
    desk = office.somebody()
    deal = await desk.makes("/v1/deals", DEAL)
    answers = await asyncio.gather(
        *(desk.does(f"/v1/deals/{deal}/lose", {"reason": reason}) for reason in ("price", "timing", "terms", "price"))
    )
    assert sorted(answer.status_code for answer in answers) in ([200, 200, 409, 409], [200, 409, 409, 409])
    assert (await desk.sees(f"/v1/deals/{deal}"))["version"] == 2


# -- who may ----------------------------------------------------------------------------------------------------------


async def test_api_4_a_rep_sees_and_changes_what_is_theirs_and_a_manager_their_teams(
    office: Office, team: Team
) -> None:
    rep, other, manager = (
        office.somebody(role, subject)
        for role, subject in zip((Role.REP, Role.REP, Role.MANAGER), team.subjects, strict=True)
    )
    deal = await rep.makes("/v1/deals", DEAL)
    found = await rep.sees(f"/v1/deals/{deal}")
    assert (found["owner"], found["team"]) == (team.rep, team.id)
    assert await other.status(f"/v1/deals/{deal}") == 404
    assert (await other.does(f"/v1/deals/{deal}/win")).status_code == 404
    assert await manager.status(f"/v1/deals/{deal}") == 200
    override = {"category": "commit", "reason": "Signed letter of intent"}
    assert (await rep.does(f"/v1/deals/{deal}/override-category", override)).status_code == 403
    answer = await manager.does(f"/v1/deals/{deal}/override-category", override)
    assert answer.status_code == 200
    mine = await seen(rep, answer, "/v1/deals")
    assert deal in {row["id"] for row in mine["items"]}
    assert {row["owner"] for row in mine["items"]} == {team.rep}
    assert deal not in {row["id"] for row in (await other.sees("/v1/deals"))["items"]}
    handed = await manager.does(f"/v1/deals/{deal}/hand-over", {"owner": team.other})
    assert handed.status_code == 200
    assert await rep.status(f"/v1/deals/{deal}") == 404
    assert await other.status(f"/v1/deals/{deal}") == 200


async def test_deal_1_a_rep_opens_deals_for_themselves_only(office: Office, team: Team) -> None:
    rep = office.somebody(Role.REP, team.subjects[0])
    assert (await rep.does("/v1/deals", {**DEAL, "owner": team.other})).status_code == 403
    assert (await rep.does("/v1/deals", {**DEAL, "team": str(new_id())})).status_code == 422
    assert (await office.somebody(Role.FINANCE, "fred").does("/v1/deals", DEAL)).status_code == 403


async def test_api_1_a_deal_names_only_whom_and_what_there_is(office: Office) -> None:
    """API-1, API-4, DEAL-1, ORG-1: each field that leads nowhere is named; what exists is known with its token."""
    desk, nowhere = office.somebody(), str(new_id())
    refused = await desk.does("/v1/deals", {**DEAL, "owner": nowhere, "team": nowhere, "account_id": nowhere})
    assert refused.status_code == 422
    assert {error["pointer"]: error["code"] for error in refused.json()["errors"]} == {
        "/owner": "unknown-member",
        "/team": "unknown-team",
        "/account_id": "unknown-account",
    }
    assert "Consistency-Token" in refused.json()["errors"][0]["message"]
    # Along with all else that is wrong.
    product, yesterday = [{"product_id": nowhere, "quantity": "1"}], "2020-01-01"
    worse = await desk.does("/v1/deals", {**DEAL, "owner": nowhere, "expected_close": yesterday, "lines": product})
    assert {error["pointer"]: error["code"] for error in worse.json()["errors"]} == {
        "/expected_close": "in-the-past",
        "/owner": "unknown-member",
        "/lines/0/product_id": "unknown-product",
    }
    team, operations = await office.team(), office.operations()
    account = await operations.does("/v1/accounts", {"name": f"Northwind {nowhere}", "owner": team.rep})
    body = {**DEAL, "owner": team.rep, "team": team.id, "account_id": account.json()["id"]}
    opened = await desk.does("/v1/deals", body, **{"Consistency-Token": account.headers["Consistency-Token"]})
    assert opened.status_code == 201, opened.text
    # Of an account that is not theirs, a rep does not even learn that it is there.
    rep, other = (office.somebody(Role.REP, subject) for subject in team.subjects[:2])
    hidden = await other.does("/v1/deals", {**DEAL, "account_id": account.json()["id"]})
    assert (hidden.status_code, codes(hidden)) == (422, ["unknown-account"])
    assert (await rep.does("/v1/deals", {**DEAL, "account_id": account.json()["id"]})).status_code == 201


async def test_api_1_a_deal_is_handed_over_only_to_who_is_there(office: Office) -> None:
    """API-1, ORG-1: an owner who is unknown or has left would strand the deal."""
    team = await office.team()
    manager, rep = office.somebody(Role.MANAGER, team.subjects[2]), office.somebody(Role.REP, team.subjects[0])
    path = f"/v1/deals/{await rep.makes('/v1/deals', DEAL)}/hand-over"
    unknown = await manager.does(path, {"owner": str(new_id()), "team": str(new_id())})
    assert (unknown.status_code, codes(unknown)) == (422, ["unknown-member", "unknown-team"])
    today = office.running.clock.now().date().isoformat()
    left = await office.operations().does(f"/v1/members/{team.other}/leave", {"on": today})
    token = {"Consistency-Token": left.headers["Consistency-Token"]}
    departed = await manager.does(path, {"owner": team.other}, **token)
    assert (departed.status_code, codes(departed)) == (422, ["unknown-member"])
    assert departed.json()["errors"][0]["pointer"] == "/owner"


# -- what deals rest on -----------------------------------------------------------------------------------------------


async def test_proc_1_the_built_in_processes_are_there_and_starting_again_changes_nothing(office: Office) -> None:
    await publish_processes(office.running.commands)
    for process_id in (SHORT_ID, FULL_ID):
        assert (await office.running.commands.state(process, process_id)).sequence == 1
    rep = office.somebody(Role.REP, "anybody")
    (row,) = (await rep.sees("/v1/processes", key="short"))["items"]
    assert row["stages"] == ["initial-contact", "needs-confirmed", "quotation", "contract-drafting"]
    shown = await rep.sees(f"/v1/processes/{SHORT_ID}")
    assert shown["versions"][0]["definition"]["stages"][0]["tasks"][0]["key"] == "first-conversation"


async def test_proc_3_a_bad_process_is_refused_with_the_position_of_every_fault(office: Office) -> None:
    stage = {
        "key": "one",
        "name": "One",
        "purpose": "p",
        "probability": "0.5",
        "category": "pipeline",
        "exit": [{"key": "c", "name": "C", "when": {"fact": "mood", "operator": "is", "value": "good"}}],
    }
    answer = await office.somebody().does(
        "/v1/processes", {"definition": {"key": f"bad-{new_id()}", "name": "Bad", "stages": [stage, stage]}}
    )
    assert answer.status_code == 422
    assert {(error["code"], error["pointer"]) for error in answer.json()["errors"]} == {
        ("unknown-fact", "/definition/stages/0/exit/0/when/fact"),
        ("unknown-fact", "/definition/stages/1/exit/0/when/fact"),
        ("repeated-key", "/definition/stages/1/key"),
    }


async def test_prod_1_a_code_belongs_to_one_product_even_when_two_ask_at_once(office: Office) -> None:
    product = {"name": "Server", "list_price": {"amount": "4800.00", **EUR}}
    desk, code = office.somebody(Role.PRODUCT, "pia"), f"SRV-{new_id()}"
    answers = await asyncio.gather(
        *(desk.does("/v1/products", {"code": spelt, **product}) for spelt in (code, code.lower(), code.upper()))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    (made,) = [answer for answer in answers if answer.status_code == 201]
    listed = await seen(desk, made, "/v1/products", sort="-list_price")
    assert made.json()["id"] in {row["id"] for row in listed["items"]}
    seller = office.somebody()
    deal = await seller.makes(
        "/v1/deals", {"name": "With a line", "lines": [{"product_id": made.json()["id"], "quantity": "2.5"}]}
    )
    assert (await seller.sees(f"/v1/deals/{deal}"))["amount"] == {"amount": "12000.00", "currency": "EUR"}
    stopped = await patched(desk, f"/v1/products/{made.json()['id']}", 1, {"active": False})
    assert stopped.status_code == 200
    late = await seller.does("/v1/deals", {"name": "x", "lines": [{"product_id": made.json()["id"], "quantity": "1"}]})
    assert codes(late) == ["inactive-product"]


async def test_proc_4_a_period_and_a_team_have_one_target(office: Office) -> None:
    team = await office.team()
    manager = office.somebody(Role.MANAGER, team.subjects[2])
    target = {"period": "2099-Q4", "level": "team", "team": team.id, "amount": {"amount": "100000.00", **EUR}}
    made = await manager.does("/v1/targets", target)
    assert made.status_code == 201, made.text
    assert (await manager.does("/v1/targets", target)).json()["code"] == "already-taken"
    other = await office.team()
    assert (await manager.does("/v1/targets", {**target, "team": other.id})).status_code == 403
    nowhere = await manager.does("/v1/targets", {**target, "team": str(new_id())})
    assert (nowhere.status_code, codes(nowhere)) == (422, ["unknown-team"])
    company = {"period": "2099", "level": "company", "amount": target["amount"]}
    assert (await manager.does("/v1/targets", company)).status_code == 403
    changed = await manager.does(f"/v1/targets/{made.json()['id']}/change", {"amount": {"amount": "90000.00", **EUR}})
    (row,) = (await seen(manager, changed, "/v1/targets", team=team.id))["items"]
    assert (row["amount"]["amount"], row["version"]) == ("90000.00", 2)


async def test_proc_4_a_target_is_seen_by_those_whom_it_is_set_for_and_those_above_them(
    office: Office, team: Team
) -> None:
    """API-4, PROC-4: the list, the single target and its change show the same to everybody."""
    desk, period = office.somebody(), "2098-Q4"
    goal = {"period": period, "amount": {"amount": "100000.00", **EUR}}
    theirs = {
        "company": await desk.makes("/v1/targets", {**goal, "level": "company"}),
        "team": await desk.makes("/v1/targets", {**goal, "level": "team", "team": team.id}),
        "rep": await desk.makes("/v1/targets", {**goal, "level": "rep", "team": team.id, "member": team.rep}),
        "other": await desk.makes("/v1/targets", {**goal, "level": "rep", "team": team.id, "member": team.other}),
    }
    foreign = await desk.does("/v1/targets", {**goal, "level": "team", "team": (await office.team()).id})
    everything = {*theirs, "foreign"}
    named = {**theirs, "foreign": foreign.json()["id"]}
    rep, other, manager = (
        office.somebody(role, subject)
        for role, subject in zip((Role.REP, Role.REP, Role.MANAGER), team.subjects, strict=True)
    )
    scopes = [
        (rep, {"company", "team", "rep"}),
        (other, {"company", "team", "other"}),
        (manager, {"company", "team", "rep", "other"}),
        (office.somebody(Role.REP, "stranger"), {"company"}),
        (office.somebody(Role.FINANCE, "fred"), everything),
    ]
    for person, scope in scopes:
        rows = (await seen(person, foreign, "/v1/targets", period=period))["items"]
        assert {row["id"] for row in rows} == {named[name] for name in scope}
        found = {name for name in everything if await person.status(f"/v1/targets/{named[name]}") == 200}
        assert found == scope
    lower = {"amount": {"amount": "1.00", **EUR}}
    assert (await manager.does(f"/v1/targets/{named['foreign']}/change", lower)).status_code == 404
    assert (await manager.does(f"/v1/targets/{named['company']}/change", lower)).status_code == 403


async def test_proc_4_a_target_is_set_for_the_reps_of_ones_own_teams(office: Office, team: Team) -> None:
    """API-4, PROC-4: nobody takes the target of a rep whom another one leads, and it counts where the rep sits."""
    theirs, goal = await office.team(), {"period": "2097-Q1", "level": "rep", "amount": {"amount": "1.00", **EUR}}
    stranger, own, desk = (
        office.somebody(Role.MANAGER, team.subjects[2]),
        office.somebody(Role.MANAGER, theirs.subjects[2]),
        office.somebody(),
    )
    wrong = {**goal, "team": team.id, "member": theirs.rep}
    refused = await stranger.does("/v1/targets", wrong)
    assert refused.status_code == 422
    assert {(error["code"], error["pointer"]) for error in refused.json()["errors"]} == {
        ("member-not-in-team", "/team"),
        ("member-of-other-team", "/member"),
    }
    assert codes(await desk.does("/v1/targets", wrong)) == ["member-not-in-team"]
    deal = await stranger.does("/v1/deals", {"name": "A gift", "owner": theirs.rep})
    assert (deal.status_code, codes(deal)) == (422, ["member-of-other-team"])
    right = {**goal, "team": theirs.id, "member": theirs.rep}
    assert codes(await stranger.does("/v1/targets", right)) == ["member-of-other-team"]
    assert (await own.does("/v1/targets", right)).status_code == 201


@pytest.mark.parametrize(
    ("listing", "parameter", "allowed"),
    [
        ("targets", "level", "company, team, rep"),
        ("deals", "status", "abandoned, lost, open, won"),
        ("deals", "category", "omitted, pipeline, best-case, commit"),
    ],
)
async def test_a_filter_by_a_word_that_is_not_there_is_refused(
    office: Office, listing: str, parameter: str, allowed: str
) -> None:
    """API-1."""
    refused = await office.somebody().client.get(f"/v1/{listing}", params={parameter: "opne"})
    assert refused.status_code == 400
    (fault,) = refused.json()["errors"]
    assert (fault["parameter"], allowed in fault["message"]) == (parameter, True)


# -- projections and reactions
# ----------------------------------------------------------------------------------------------


async def test_api_1_a_list_is_paged_without_gaps_or_repeats(office: Office) -> None:
    desk, source = office.somebody(), f"fair-{new_id()}"
    made = [
        await desk.makes("/v1/deals", {**DEAL, "source": source, "amount": {"amount": f"{n % 3}.00", **EUR}})
        for n in range(7)
    ]
    last = await desk.does(f"/v1/deals/{made[0]}/abandon", {"reason": "no-decision"})
    page = await seen(desk, last, "/v1/deals", source=source, sort="amount", limit="3")
    items = page["items"]
    while page["next"]:
        page = await desk.sees("/v1/deals", source=source, sort="amount", limit="3", cursor=page["next"])
        items += page["items"]
    assert sorted(row["id"] for row in items) == sorted(made)
    assert [row["amount"]["amount"] for row in items] == sorted(row["amount"]["amount"] for row in items)
    assert len((await desk.sees("/v1/deals", source=source, status="abandoned"))["items"]) == 1


async def test_api_2_the_deal_of_a_converted_lead_is_there_for_the_leads_token(office: Office, team: Team) -> None:
    """DEAL-1: the reaction opens it; who asks with the token of the conversion finds it."""
    desk = office.operations()
    lead = await desk.makes("/v1/leads", {"source": "fair", "person_name": "Ada Moreno", "company_name": "Northwind"})
    await desk.makes(
        f"/v1/leads/{lead}/note-qualification",
        {"need_stated": True, "budget": {"amount": "650000.00", **EUR}, "decision_chain_known": True},
    )
    wanted = {"name": "New plant", "amount": DEAL["amount"]}
    converted = await desk.does(f"/v1/leads/{lead}/convert", {"deal": wanted})
    assert converted.status_code == 200, converted.text
    deal = (await desk.sees(f"/v1/leads/{lead}"))["deal_id"]
    seller = office.somebody()
    found = await seen(seller, converted, f"/v1/deals/{deal}")
    assert (found["lead_id"], found["name"], found["source"]) == (lead, "New plant", "fair")
    assert found["process_rule"] == "default"


async def test_the_list_of_deals_is_what_a_fresh_fold_gives(office: Office) -> None:
    desk = office.somebody()
    last = await desk.does("/v1/deals", DEAL)
    await seen(desk, last, "/v1/deals", limit="1")
    running = office.running
    assert await differences(running.pool, running.log, DEAL_PROJECTION, running.settings.company) == []
