"""What every list has, over HTTP and between services: names beside ids, one row by its id, and what is the asker's."""

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from deploy.services import SERVICES, definition_of
from shared.domain.roles import Role
from shared.ops.ids import new_id
from shared.projections.lists import Listing
from shared.projections.names import names_of
from tests.described import as_described
from tests.services.conftest import Everybody
from tests.services.leads.conftest import Desk, House, patiently, ready_lead, unique
from tests.services.receivables.conftest import Office as BackOffice
from tests.services.receivables.conftest import office as back_office
from tests.services.receivables.errands import arrival, eur, issued, one_instalment
from tests.shared.http.test_command_routes import problem

__all__ = ["back_office"]

LISTINGS = [
    pytest.param(service, listing, id=listing.name)
    for service in SERVICES
    for listing in definition_of(service).listings
]
WANTED = {"name": "New plant", "amount": {"amount": "120000.00", "currency": "EUR"}}


def after(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code in {200, 201}, answer.text
    return {"Consistency-Token": answer.headers["Consistency-Token"]}


async def rows(desk: Desk, path: str, token: httpx.Response, **query: str) -> Any:
    known = after(token)
    response = await patiently(lambda: desk.client.get(path, params=query, headers=known), known)
    assert response.status_code == 200, response.text
    return as_described(path, response.json())


@pytest.mark.parametrize(("service", "listing"), LISTINGS)
async def test_api_1_every_list_answers_what_every_list_is_asked(
    everybody: Everybody, service: str, listing: Listing
) -> None:
    """Filters, order and totals follow from the rows, so they are asked of every list, by nobody who is known."""
    client = getattr(everybody, service).client(Role.ADMIN, "root")
    query = {"totals": "true", "updated_since": "2026-03-16T10:00:00Z", "sort": "-updated_at"}
    query |= {"unassigned": "true"} if listing.owner else {}
    answer = await client.get(f"/v1/{listing.name}", params=query)
    assert answer.status_code == 200, answer.text
    told = as_described(f"/v1/{listing.name}", answer.json())
    assert set(told["totals"]) == {"count", *(["sums"] if listing.amounts else [])}
    assert all(named.name in row for row in told["items"] for named in names_of(listing.item).values())
    wrong = await client.get(f"/v1/{listing.name}", params={"mine": "true"})
    assert problem(wrong, 400, "invalid-parameter")["errors"][0]["code"] == (
        "not-a-member" if listing.owner else "unknown-parameter"
    )


async def test_api_1_names_stand_beside_ids_as_they_are_now(everybody: Everybody) -> None:
    """DEAL-1: the deal of a converted lead states no account: the account's own name is shown, and searched."""
    ops, deals = Desk(client=everybody.leads.client()), Desk(client=everybody.deals.client())
    company, subject = unique("Northwind"), unique("rosa")
    team, (rep,) = await House(service=everybody.leads).team(subject)
    lead = await ready_lead(ops, company_name=company)
    await ops.makes(f"/v1/leads/{lead}/assign", {"team_id": team})
    converted = await ops.does(f"/v1/leads/{lead}/convert", {"deal": WANTED})
    (row,) = (await rows(deals, "/v1/deals", converted, q=f"plant {company.upper()}"))["items"]
    named = ("owner", "owner_name", "team_name", "account_name")
    assert [row[name] for name in named] == [rep, subject, f"Team of {subject}", company]
    seller = Desk(client=everybody.deals.client(Role.REP, subject))
    assert [each["id"] for each in (await rows(seller, "/v1/deals", converted, mine="true"))["items"]] == [row["id"]]

    renamed = unique("Southwind")
    account = await ops.client.get(f"/v1/accounts/{row['account_id']}")
    changed = await ops.client.patch(
        f"/v1/accounts/{row['account_id']}", json={"name": renamed}, headers={"If-Match": account.headers["ETag"]}
    )
    (found,) = (await rows(deals, "/v1/deals", changed, q=renamed))["items"]
    assert (found["id"], found["account_name"]) == (row["id"], renamed)
    assert (await rows(deals, "/v1/deals", changed, q=company))["items"] == []
    (leads_row,) = (await rows(ops, "/v1/leads", changed, account=row["account_id"]))["items"]
    assert [leads_row[name] for name in named] == [rep, subject, f"Team of {subject}", renamed]
    (contact,) = (await rows(ops, "/v1/contacts", changed, q=f"ada {renamed}"))["items"]
    assert contact["account_name"] == renamed


async def test_what_a_deal_states_of_its_account_comes_first(everybody: Everybody) -> None:
    ops, deals = Desk(client=everybody.leads.client()), Desk(client=everybody.deals.client())
    called, stated = unique("Called"), unique("Stated")
    account = await ops.does("/v1/accounts", {"name": called})
    body = {**WANTED, "account_id": account.json()["id"], "account_name": stated}
    opened = await deals.does("/v1/deals", body, **after(account))
    for word in (called, stated):
        (row,) = (await rows(deals, "/v1/deals", opened, q=word))["items"]
        assert (row["account_name"], row["owner_name"]) == (stated, None)
    assert (await deals.sees(f"/v1/deals/{opened.json()['id']}"))["account_name"] == stated
    unnamed = await deals.does("/v1/deals", {**WANTED, "name": unique("Plain")})
    assert (await deals.sees(f"/v1/deals/{unnamed.json()['id']}"))["account_name"] is None
    row = (await rows(deals, "/v1/deals", unnamed, sort="-updated_at", limit="1"))["items"][0]
    assert (row["account_id"], row["account_name"]) == (None, None)


async def test_api_1_a_deal_by_its_id_calls_its_account_as_the_list_does(everybody: Everybody) -> None:
    """Opened without a name of its own: what the account is called now, whatever version the reader has."""
    ops, deals = Desk(client=everybody.leads.client()), Desk(client=everybody.deals.client())
    called, renamed = unique("Called"), unique("Renamed")
    account = await ops.does("/v1/accounts", {"name": called})
    body = {**WANTED, "account_id": account.json()["id"]}
    opened = await deals.does("/v1/deals", body, **after(account))
    path = f"/v1/deals/{opened.json()['id']}"

    async def shown(token: httpx.Response, **headers: str) -> httpx.Response:
        known = after(token) | headers
        return await patiently(lambda: deals.client.get(path, headers=known), known)

    first = await shown(account)
    assert as_described(path, first.json())["account_name"] == called
    changed = await ops.client.patch(
        f"/v1/accounts/{account.json()['id']}", json={"name": renamed}, headers={"If-Match": account.headers["ETag"]}
    )
    again = await shown(changed, **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.json()["account_name"]) == (200, renamed)
    assert again.headers["ETag"] == first.headers["ETag"]


async def test_api_1_one_row_by_its_id(everybody: Everybody, back_office: BackOffice) -> None:
    """REC-2: an invoice, a receipt, an instalment; what is not there, or not the asker's to see, is not found."""
    finance = back_office.finance()
    plan, account = await one_instalment(back_office, "800.00")
    billed = await issued(back_office, plan, 1)
    (invoice,) = (await rows(finance, "/v1/invoices", billed, account=str(account)))["items"]
    fetched = await finance.client.get(f"/v1/invoices/{invoice['id']}", headers=after(billed))
    assert as_described(f"/v1/invoices/{invoice['id']}", fetched.json()) == invoice
    paid = await finance.does("/v1/receipts", arrival(back_office, account, "800.00"))
    (receipt,) = (await rows(finance, "/v1/receipts", paid, account=str(account)))["items"]
    fetched = await finance.client.get(f"/v1/receipts/{receipt['id']}")
    assert (fetched.json(), fetched.json()["amount"]) == (receipt, eur("800.00"))
    settled = await finance.client.get(f"/v1/invoices/{invoice['id']}", headers=after(paid))
    assert (settled.json()["status"], settled.json()["overdue"]) == ("paid", False)
    assert settled.json()["updated_at"] > invoice["updated_at"]
    (instalment,) = (await rows(finance, "/v1/instalments", paid, plan=str(plan)))["items"]
    for spelled in (instalment["id"], quote(instalment["id"], safe="")):
        answer = await finance.client.get(f"/v1/instalments/{spelled}")
        assert (answer.status_code, answer.json()) == (200, instalment)
    (allocation,) = (await rows(finance, "/v1/allocations", paid, receipt=receipt["id"]))["items"]
    assert (await finance.client.get(f"/v1/allocations/{allocation['id']}")).json() == allocation

    for missing in (new_id(), "INV-1", f"{invoice['id']}/x"):
        problem(await finance.client.get(f"/v1/invoices/{missing}"), 404, "not-found")
    problem(await finance.client.get("/v1/instalments/INV-1"), 404, "not-found")
    problem(await finance.client.get(f"/v1/invoices/{invoice['id']}?mine=true"), 400, "invalid-parameter")
    rep = everybody.receivables.client(Role.REP, "nobody")
    problem(await rep.get(f"/v1/invoices/{invoice['id']}"), 404, "not-found")
    problem(await everybody.receivables.client(Role.LEGAL, "x").get(f"/v1/receipts/{new_id()}"), 404, "not-found")
