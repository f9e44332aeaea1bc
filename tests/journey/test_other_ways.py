"""What a sale may do besides going well, and who sees what of it: over HTTP, on the whole stack."""

import asyncio

from tests.journey.company import contracts_of, done, found, join, known_everywhere, made, open_deal, seen
from tests.whole_stack import WholeStack


async def test_a_newcomers_first_command_is_theirs(stack: WholeStack) -> None:
    """API-2, ORG-1: the token of their joining makes them known where they ask next."""
    company = await found(stack)
    joined = await join(company.operations, f"new.{company.mark}", "rep", company.team)
    newcomer = stack.person("rep", f"new.{company.mark}")
    opened = await made(newcomer, "/v1/deals", {"name": f"First {company.mark}"}, after=joined)
    deal = await seen(newcomer, f"/v1/deals/{opened.id}", after=opened)
    assert (deal["owner"], deal["team"]) == (joined.id, company.team)


async def test_a_reopened_deal_voids_its_draft(stack: WholeStack) -> None:
    """DEAL-9, CON-1."""
    company = await found(stack)
    opened = await open_deal(company)
    won = await done(company.rep, f"/v1/deals/{opened.id}/win", {})
    [drafted] = await contracts_of(company.rep, opened.id, after=won)
    assert drafted["status"] == "drafted"
    reopened = await done(company.rep, f"/v1/deals/{opened.id}/reopen", {"reason": "The order was taken back"})
    [voided] = await contracts_of(company.rep, opened.id, after=reopened)
    assert (voided["id"], voided["status"]) == (drafted["id"], "voided")
    again = await done(company.rep, f"/v1/deals/{opened.id}/win", {})
    [anew] = await contracts_of(company.rep, opened.id, after=again)
    assert (anew["id"], anew["status"]) == (drafted["id"], "drafted")


async def test_a_reopened_deal_flags_a_submitted_contract(stack: WholeStack) -> None:
    """DEAL-9, CON-1, CON-2."""
    company = await found(stack)
    opened = await open_deal(company)
    won = await done(company.rep, f"/v1/deals/{opened.id}/win", {})
    [drafted] = await contracts_of(company.rep, opened.id, after=won)
    path = f"/v1/contracts/{drafted['id']}"
    await done(company.director, f"{path}/submit", {})
    approval = (await seen(company.director, path))["approval_id"]
    own = await company.director.post(f"/v1/contract-approvals/{approval}/approve", {})
    assert (own.status, own.body["code"]) == (409, "own-submission")
    reopened = await done(company.rep, f"/v1/deals/{opened.id}/reopen", {"reason": "The order was taken back"})
    [flagged] = await contracts_of(company.rep, opened.id, after=reopened)
    assert flagged["status"] == "submitted"
    assert flagged["flagged"] == "The deal was reopened."


async def test_the_stream_is_live_and_tells_everybody_only_what_is_theirs(stack: WholeStack) -> None:
    """API-3, API-4."""
    company = await found(stack)
    async with company.manager.listening() as mine, company.stranger.listening() as others:
        opened = await open_deal(company)
        async with asyncio.timeout(20):
            while (await anext(mine))["id"] != opened.id:
                pass
            own = await made(company.stranger, "/v1/deals", {"name": f"North {company.mark}"})
            heard = await anext(others)
    assert heard["id"] == own.id, "the stranger's first event is their own"


async def test_a_manager_sees_the_team_and_no_other(stack: WholeStack) -> None:
    """API-4, ORG-1."""
    company = await found(stack)
    opened = await open_deal(company)
    foreign = await made(company.stranger, "/v1/deals", {"name": f"North {company.mark}"})
    await known_everywhere(company.operations, opened, foreign)
    listed = (await seen(company.manager, "/v1/deals"))["items"]
    assert [row["id"] for row in listed] == [opened.id]
    assert (await company.manager.get(f"/v1/deals/{foreign.id}")).status == 404
    assert (await company.manager.post(f"/v1/deals/{foreign.id}/lose", {"reason": "price"})).status == 404
    both = {row["id"] for row in (await seen(company.director, "/v1/deals", q=company.mark))["items"]}
    assert both == {opened.id, foreign.id}
