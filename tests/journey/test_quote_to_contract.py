"""From a quote to the contract that says exactly the same: over HTTP, on the whole stack with its broker."""

import asyncio
from typing import Any

from tests.journey.company import Company, complete, contracts_of, done, found, made, open_deal, seen, work_through
from tests.whole_stack import Answer, WholeStack

INSTALLATION = {
    "name": "Installation by Quentin Ashgrove",
    "unit": "day",
    "quantity": "3",
    "price": {"amount": "1111.11", "currency": "EUR"},
    "tax_percent": "19",
}


async def test_deal_8_con_1_an_accepted_quote_is_the_contract_of_the_deal_that_is_won(stack: WholeStack) -> None:
    """DEAL-8, DEAL-9, CON-1, CON-2: written, approved by two at once, sent and accepted; then the deal is won."""
    company = await found(stack)
    opened = await open_deal(company)
    quote = await it_is_quoted(company, opened.id)
    accepted = await done(company.rep, f"{quote}/accept", {"evidence": "Order 4711"})
    assert await contracts_of(company.rep, opened.id, after=accepted) == []
    deal = await seen(company.rep, f"/v1/deals/{opened.id}", after=accepted)
    assert deal["lines"] == []
    won = await done(company.rep, f"/v1/deals/{opened.id}/win", {})
    contract = await the_contract(company, opened.id, after=won)
    assert contract["status"] == "drafted"
    await it_says_what_was_quoted(company, contract, quote)


async def test_deal_8_con_1_a_draft_takes_over_the_quote_that_is_accepted_while_it_is_one(stack: WholeStack) -> None:
    """DEAL-8, CON-1: also what somebody changed in it, and nothing is left to do for the win."""
    company = await found(stack)
    opened = await open_deal(company)
    entered = await work_through(company, opened.id, "contract-drafting")
    before = await the_contract(company, opened.id, after=entered)
    assert (before["total"]["amount"], before["lines"], before["quote"]) == ("90000.00", [], None)
    other = {"total": {"amount": "89000.00", "currency": "EUR"}}
    changed = await company.rep.patch(f"/v1/contracts/{before['id']}", other, version=before["version"])
    assert changed.status == 200, changed.body
    quote = await it_is_quoted(company, opened.id)
    accepted = await done(company.rep, f"{quote}/accept", {"evidence": "Order 4711"})
    contract = await the_contract(company, opened.id, after=accepted)
    await it_says_what_was_quoted(company, contract, quote)
    await complete(company, opened.id, "agree-terms")
    won = await done(company.rep, f"/v1/deals/{opened.id}/win", {})
    assert (await the_contract(company, opened.id, after=won))["version"] == contract["version"]


async def test_deal_8_con_1_a_submitted_contract_is_flagged_by_a_quote_that_says_something_else(
    stack: WholeStack,
) -> None:
    """DEAL-8, CON-1: its total stands, and somebody should look at it."""
    company = await found(stack)
    opened = await open_deal(company)
    entered = await work_through(company, opened.id, "contract-drafting")
    drafted = await the_contract(company, opened.id, after=entered)
    await done(company.rep, f"/v1/contracts/{drafted['id']}/submit", {})
    quote = await it_is_quoted(company, opened.id)
    accepted = await done(company.rep, f"{quote}/accept", {"evidence": "Order 4711"})
    contract = await the_contract(company, opened.id, after=accepted)
    assert (contract["status"], contract["total"], contract["lines"]) == ("submitted", drafted["total"], [])
    assert contract["flagged"] == "The customer accepted a quote that says something else than this contract."


async def it_is_quoted(company: Company, deal: str) -> str:
    """A quote of products and of work, dear to nobody: its manager agrees to the price and product to the delivery at
    once, and it is sent. Returns its path."""
    price = {"amount": "4800.00", "currency": "EUR"}
    product = {"code": f"SRV-{company.mark}", "name": "Server", "list_price": price}
    server = await made(company.operations, "/v1/products", product)
    lines = [{"product_id": server.id, "quantity": "7"}, INSTALLATION]
    body = {"deal_id": deal, "lines": lines, "discount": {"percent": "23"}}
    path = f"/v1/quotes/{(await made(company.rep, '/v1/quotes', body)).id}"
    submitted = await done(company.rep, f"{path}/submit", {})
    approval = (await seen(company.rep, path, after=submitted))["approval_id"]
    assessor = company.stack.person("product", f"pia.{company.mark}")
    await asyncio.gather(
        done(company.manager, f"/v1/deal-approvals/{approval}/approve", {}),
        done(assessor, f"{path}/assess-delivery", {"difficulty": 3, "duration_days": 40}),
    )
    assert (await seen(company.rep, path))["status"] == "approved"
    await done(company.rep, f"{path}/send", {"channel": "e-mail"})
    return path


async def the_contract(company: Company, deal: str, *, after: Answer) -> Any:
    """The one contract of a deal."""
    [row] = await contracts_of(company.rep, deal, after=after)
    return await seen(company.rep, f"/v1/contracts/{row['id']}", after=after)


async def it_says_what_was_quoted(company: Company, contract: Any, path: str) -> None:
    """Each position, to the cent, without what somebody called it."""
    quote = await seen(company.rep, path)
    assert contract["total"] == {"amount": quote["totals"]["net"], "currency": "EUR"}
    assert contract["total"]["amount"] == "28438.66"  # 23 percent off 36 933.33
    assert contract["quote"] == {"quote_id": quote["id"], "quote_version": 1}
    assert [
        (line["position"], line["product_id"], line["unit"], line["quantity"], line["amount"]["amount"])
        for line in contract["lines"]
    ] == [
        (position, line["product_id"], line["unit"], line["quantity"], totals["net"])
        for position, (line, totals) in enumerate(zip(quote["lines"], quote["totals"]["lines"], strict=True), start=1)
    ]
    assert "Quentin" not in str(contract)
