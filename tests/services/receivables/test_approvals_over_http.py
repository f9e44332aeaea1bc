"""CON-2 over HTTP: who sees an approval, who decides it, and two who decide at once."""

import asyncio

import pytest

from shared.domain.roles import Role
from shared.ops.ids import new_id
from tests.services.conftest import Everybody
from tests.services.leads.conftest import Desk
from tests.services.receivables.conftest import Office
from tests.services.receivables.errands import eur
from tests.shared.http.waiting import until


async def submitted(office: Office, total: str = "5.00", **more: str) -> tuple[str, str]:
    """A contract that waits; its address and that of its approval."""
    seller = office.seller()
    made = await seller.makes("/v1/contracts", {"name": "Packaging line", "total": eur(total), **more})
    await seller.makes(f"/v1/contracts/{made}/submit")
    contract = f"/v1/contracts/{made}"
    return contract, f"/v1/contract-approvals/{(await seller.sees(contract))['approval_id']}"


async def test_two_who_decide_at_once_approve_it_once_con_2(office: Office) -> None:
    contract, approval = await submitted(office)
    answers = await asyncio.gather(
        *(desk.does(f"{approval}/approve", {"reason": "Fine"}) for desk in (office.lawyer(), office.director()))
    )
    assert [answer.status_code for answer in answers] == [200, 200], [answer.text for answer in answers]
    assert (await office.seller().sees(contract))["status"] == "approved"
    shown = await office.seller().sees(approval)
    assert (shown["status"], len(shown["decisions"])) == ("granted", 2)
    events = await office.contracts.running.pool.fetch(
        "select type from event where aggregate_id = $1", contract.rpartition("/")[2]
    )
    assert [row["type"] for row in events].count("contracts.contract-approved") == 1


async def test_approving_and_taking_back_at_once_ends_in_one_of_both_con_2(office: Office) -> None:
    """What ends the approval and what that changes of the contract are never apart."""
    for _ in range(5):
        contract, approval = await submitted(office)
        await office.lawyer().makes(f"{approval}/approve")
        done, back = await asyncio.gather(
            office.director().does(f"{approval}/approve"), office.seller().does(f"{contract}/recall")
        )
        assert sorted((done.status_code, back.status_code)) == [200, 409], (done.text, back.text)
        found = [(await office.seller().sees(each))["status"] for each in (contract, approval)]
        assert found == (["approved", "granted"] if done.status_code == 200 else ["drafted", "recalled"])


async def test_somebody_of_two_roles_decides_with_one_of_them_con_2(office: Office) -> None:
    """Four eyes: legal and direction are two people."""
    contract, approval = await submitted(office)
    await office.lawyer().makes(f"{approval}/approve")
    as_director = Desk(client=office.contracts.client(Role.SALES_DIRECTOR, "lara"))
    refused = (await as_director.does(f"{approval}/approve")).json()
    assert refused["code"] == "already-decided"
    assert "nobody decides it twice: it waits for the role sales-director" in refused["detail"]
    assert await said(as_director, approval) == refused_with("already-decided")
    assert (await office.seller().sees(contract))["status"] == "submitted"
    await office.director().makes(f"{approval}/approve")
    assert (await office.seller().sees(contract))["status"] == "approved"


async def test_what_was_delegated_is_taken_back_con_2(office: Office) -> None:
    _, approval = await submitted(office)
    lawyer = office.lawyer()
    subject, *_ = await office.team()
    deputy = Desk(client=office.contracts.client(Role.REP, subject))
    them = await office.contracts.running.organisation.actor(subject, ())
    await lawyer.makes(f"{approval}/delegate", {"to": str(them.member), "reason": "On leave"})
    assert await said(deputy, approval) == POSSIBLE
    assert await said(lawyer, approval) == {**refused_with("delegated"), "takeBackDelegationContractApproval": None}
    assert (await deputy.does(f"{approval}/take-back-delegation")).json()["code"] == "not-delegated"
    await lawyer.makes(f"{approval}/take-back-delegation")
    shown = await lawyer.sees(approval)
    assert [each["role"] for each in shown["waits_for"]] == ["sales-director", "legal"]
    assert [each["what"] for each in shown["decisions"]] == ["delegated", "taken-back"]
    assert (await deputy.does(f"{approval}/approve")).json()["code"] == "not-an-approver"
    assert await said(lawyer, approval) == POSSIBLE
    await lawyer.makes(f"{approval}/approve")
    assert (await lawyer.does(f"{approval}/take-back-delegation")).json()["code"] == "not-delegated"


async def test_above_the_limit_an_executive_decides_after_them_con_2(office: Office) -> None:
    contract, approval = await submitted(office, "1000000.01")
    for desk in (office.lawyer(), office.director()):
        await desk.makes(f"{approval}/approve")
    waiting = await office.seller().sees(approval)
    assert (waiting["status"], waiting["step_key"]) == ("waiting", "executive")
    assert [each["role"] for each in waiting["waits_for"]] == ["executive"]
    executive = Desk(client=office.contracts.client(Role.EXECUTIVE, "eve"))
    await executive.makes(f"{approval}/approve")
    assert (await executive.sees(contract))["status"] == "approved"


async def test_whoever_is_not_asked_is_told_who_is_con_2(office: Office) -> None:
    _, approval = await submitted(office)
    finance = Desk(client=office.contracts.client(Role.FINANCE, "fred"))
    refused = (await finance.does(f"{approval}/approve")).json()
    assert refused["code"] == "not-an-approver"
    assert "the role sales-director and the role legal" in refused["detail"]


async def test_what_may_be_decided_is_said_to_whom_it_waits_for_alone_con_2(office: Office) -> None:
    """API-2: the list of commands gives the reason that the command gives."""
    _, approval = await submitted(office)
    lawyer, director = office.lawyer(), office.director()
    finance = Desk(client=office.contracts.client(Role.FINANCE, "fred"))
    others = Desk(client=office.contracts.client(Role.LEGAL, "lena"))
    assert await said(lawyer, approval) == await said(director, approval) == POSSIBLE
    assert await said(finance, approval) == refused_with("not-an-approver")
    assert await said(office.seller(), approval) == refused_with("own-submission")
    await lawyer.makes(f"{approval}/approve")
    assert await said(lawyer, approval) == refused_with("already-decided")
    assert await said(others, approval) == refused_with("not-an-approver")
    assert await said(director, approval) == POSSIBLE
    for desk in (lawyer, finance, office.seller()):
        told = {each["operation"]: each for each in (await desk.sees(approval))["commands"]}["approveContractApproval"]
        answer = (await desk.does(f"{approval}/approve")).json()
        assert (answer["code"], answer["detail"]) == (told["code"], told["message"])


DECIDING = ("approveContractApproval", "returnForReworkContractApproval", "delegateContractApproval")


def refused_with(code: str | None) -> dict[str, str | None]:
    return {**dict.fromkeys(DECIDING, code), "takeBackDelegationContractApproval": "not-delegated"}


POSSIBLE = refused_with(None)


async def said(desk: Desk, approval: str) -> dict[str, str | None]:
    """Why somebody is told that they cannot decide, by operation."""
    return {each["operation"]: each["code"] for each in (await desk.sees(approval))["commands"]}


async def test_an_approval_of_others_is_not_there_for_a_rep_con_2(office: Office) -> None:
    _, approval = await submitted(office)
    rep = Desk(client=office.contracts.client(Role.REP, f"rep-{new_id()}"))
    assert await rep.status(approval) == 404
    assert (await rep.does(f"{approval}/approve")).status_code == 404


async def test_what_is_submitted_is_taken_back_and_changed_con_2(office: Office) -> None:
    contract, approval = await submitted(office)
    seller = office.seller()
    await seller.makes(f"{contract}/recall", {"reason": "Another scope"})
    shown = await seller.sees(contract)
    assert shown["status"] == "drafted"
    assert (await seller.sees(approval))["status"] == "recalled"
    assert (await office.lawyer().does(f"{approval}/approve")).json()["code"] == "not-in-this-state"
    await seller.makes(f"{contract}/submit")
    assert (await seller.sees(contract))["approval_id"] not in approval


async def test_the_chain_is_a_policy_and_names_what_is_wrong_with_it_con_2(office: Office) -> None:
    legal = office.lawyer()
    address = "/v1/contract-policies/contract-approval"
    step = {"key": "legal", "name": "Legal", "approvers": [{"role": "legal"}]}
    wrong = {"document": {"chain": {"steps": [{**step, "approvers": [{}]}], "self_approval": "allow"}}}
    refused = await legal.does(address, wrong)
    assert refused.status_code == 422, refused.text
    pointers = [each["pointer"] for each in refused.json()["errors"]]
    assert pointers == ["/document/chain/steps/0/approvers/0", "/document/chain/self_approval"]
    stranger = {"document": {"chain": {"steps": [{**step, "approvers": [{"member": str(new_id())}]}]}}}
    assert "/document/chain/steps/0/approvers/0/member" in (await legal.does(address, stranger)).text
    assert (await office.seller().does(address, {"document": {"chain": {"steps": [step]}}})).status_code == 403


@pytest.mark.parametrize(("ends", "why"), [("lose", "price"), ("abandon", "no-decision")])
async def test_a_deal_that_came_to_nothing_takes_its_contract_and_the_approval_back_con_2(
    office: Office, everybody: Everybody, ends: str, why: str
) -> None:
    """CON-1, REC-5: the contract is voided, and who was asked has nothing to decide and nothing to know."""
    lawyer = Desk(client=everybody.forecast.client(Role.LEGAL, await member(office, everybody, Role.LEGAL)))
    deal = await office.deal()
    contract, approval = await submitted(office, deal_id=str(deal))
    await until(lambda: _told(lawyer, contract, [("approval-waiting", "unread")]), 60)
    await until(lambda: _waits_for(lawyer, approval), 60)
    await Desk(client=office.deals.client(Role.SALES_OPERATIONS, "ops")).makes(
        f"/v1/deals/{deal}/{ends}", {"reason": why}
    )

    async def voided() -> bool:
        return bool((await office.seller().sees(contract))["status"] == "voided")

    await until(voided, 60)
    shown = await office.seller().sees(approval)
    assert (shown["status"], shown["decisions"][-1]["what"]) == ("recalled", "recalled")
    assert why in shown["decisions"][-1]["reason"]
    await until(lambda: _told(lawyer, contract, [("approval-waiting", "settled")]), 60)

    async def decided() -> bool:
        return not await _waits_for(lawyer, approval)

    await until(decided, 60)


async def test_who_submitted_it_finds_the_outcome_in_their_inbox_con_2(office: Office, everybody: Everybody) -> None:
    """REC-5."""
    subject = await member(office, everybody, Role.SALES_OPERATIONS)
    seller = Desk(client=office.contracts.client(Role.SALES_OPERATIONS, subject))
    inbox = Desk(client=everybody.forecast.client(Role.SALES_OPERATIONS, subject))
    made = await seller.makes("/v1/contracts", {"name": "Packaging line", "total": eur("5.00")})
    contract = f"/v1/contracts/{made}"
    await seller.makes(f"{contract}/submit")
    first = f"/v1/contract-approvals/{(await seller.sees(contract))['approval_id']}"
    await office.lawyer().makes(f"{first}/return-for-rework", {"reason": "The retention is missing"})
    await until(lambda: _told(inbox, contract, [("approval-returned", "unread")]), 60)
    await seller.makes(f"{contract}/submit")
    second = f"/v1/contract-approvals/{(await seller.sees(contract))['approval_id']}"
    for desk in (office.lawyer(), office.director()):
        await desk.makes(f"{second}/approve")
    await until(lambda: _told(inbox, contract, [("approval-granted", "unread"), ("approval-returned", "unread")]), 60)
    items = (await inbox.sees("/v1/notices", about=made))["items"]
    assert [f"/v1/contract-approvals/{each['approval_id']}" for each in items] == [second, first]


async def _waits_for(desk: Desk, approval: str) -> bool:
    """Whether an approval stands in somebody's list of decisions."""
    return approval in [each["address"] for each in (await desk.sees("/v1/decisions", limit="200"))["decisions"]]


async def _told(desk: Desk, contract: str, expected: list[tuple[str, str]]) -> bool:
    """Whether somebody's inbox says this of a contract."""
    items = (await desk.sees("/v1/notices", about=contract.rpartition("/")[2]))["items"]
    return [(each["kind"], each["status"]) for each in items] == expected


async def member(office: Office, everybody: Everybody, role: Role) -> str:
    """The subject of a new member in a role, whom contracts and forecast know."""
    subject = f"{role}-{new_id()}"
    operations = Desk(client=office.leads.client())
    await operations.makes("/v1/members", {"subject": subject, "name": subject, "role": role})

    async def known() -> bool:
        there = (office.contracts, everybody.forecast)
        found = [await service.running.organisation.actor(subject, (), fresh=True) for service in there]
        return all(each.member for each in found)

    await until(known, 60)
    return subject


@pytest.mark.parametrize("body", [{"reason": ""}, {"why": "x"}, {"reason": 7}])
async def test_a_decision_that_is_malformed_names_its_field_api_1(office: Office, body: dict[str, object]) -> None:
    _, approval = await submitted(office)
    refused = await office.lawyer().does(f"{approval}/approve", body)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] in ("/reason", "/why")
