"""Contract to cash over HTTP, PostgreSQL and Kafka (CON-1 … CON-3, REC-1 … REC-4)."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.contracts.domain.contract import contract
from services.contracts.domain.contract.drafting import DraftForDeal
from services.contracts.domain.contract.state import DraftedContract, contract_of
from services.receivables.domain.invoicing import IssueInvoice
from services.receivables.domain.ledger import ledger
from services.receivables.domain.ledger.arrangement import ArrangeHistory
from services.receivables.domain.ledger.receipts import ImportReceipt
from services.receivables.domain.ledger.state import ledger_of
from services.receivables.domain.plan import DrawUpPlan, payment_plan, plan_of
from shared.commands.request import CommandRequest, CommandResult
from shared.domain.roles import Role
from shared.events.contracts.contract import PaymentTerm
from shared.events.money import Money
from shared.http.dry_runs import dry_path
from shared.ops.ids import new_id
from tests.described import as_described
from tests.services.leads.conftest import Desk
from tests.services.receivables.conftest import ITSELF, Office
from tests.services.receivables.errands import PATIENCE, arrival, eur, issued, one_instalment, shown, today, usd
from tests.shared.http.waiting import until

EVIDENCE = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


async def active_contract(office: Office, total: str, account: UUID) -> tuple[UUID, str]:
    """A contract in force; its id and the token of its activation."""
    seller = office.seller()
    draft = {"name": "Packaging line", "total": eur(total), "account_id": str(account)}
    made = UUID(await seller.makes("/v1/contracts", draft))
    return made, await in_force(office, made)


async def in_force(office: Office, made: UUID) -> str:
    """The token of the activation of a draft."""
    seller = office.seller()
    address = f"/v1/contracts/{made}"
    day = today(office.contracts)
    await seller.makes(f"{address}/submit")
    approval = f"/v1/contract-approvals/{(await seller.sees(address))['approval_id']}"
    for approver in (office.lawyer(), office.director()):
        await approver.makes(f"{approval}/approve", {"reason": "Standard"})
    await seller.makes(f"{address}/sign", {"signed_by_us": day, "signed_by_customer": day, "evidence_hash": EVIDENCE})
    done = await seller.does(f"{address}/activate", {"on": day})
    assert done.status_code == 200, done.text
    return done.headers["Consistency-Token"]


async def test_one_key_for_two_instalments_a_week_apart_issues_two_invoices_rec_2(office: Office) -> None:
    """REC-2, API-1: a monthly run that uses the key again after its first answer was forgotten bills both parts."""
    account = new_id()
    plan_id = await office.plan(
        DrawUpPlan(
            contract_id=new_id(),
            account_id=account,
            total=Money(amount=Decimal("800.00"), currency="EUR"),
            payment_terms=(PaymentTerm(ratio=Decimal("0.625"), days=30), PaymentTerm(ratio=Decimal("0.375"), days=60)),
            on=office.running.clock.now().date(),
        )
    )
    finance, address = office.finance(), f"/v1/payment-plans/{plan_id}/issue-invoice"
    for number in (1, 2):
        answer = await finance.client.post(address, json={"number": number}, headers={"Idempotency-Key": str(account)})
        assert answer.status_code == 200, answer.text
        await office.running.pool.execute("delete from idempotency where key = $1", str(account))
    listed = await shown(finance, "/v1/invoices", answer.headers["Consistency-Token"], account=str(account))
    assert len({row["id"] for row in listed["items"]}) == 2
    assert sorted(row["amount"]["amount"] for row in listed["items"]) == ["300.00", "500.00"]
    received = await finance.does("/v1/receipts", arrival(office, account, "800.00"))
    assert received.status_code == 201, received.text


async def test_what_is_tried_out_takes_no_number_rec_1(office: Office) -> None:
    """Of the series that gives the number out, and of the ledger, the dry run tells that they would move."""
    account = new_id()
    day = office.running.clock.now().date()
    terms = (PaymentTerm(ratio=Decimal("1"), days=30),)
    total = Money(amount=Decimal("800.00"), currency="EUR")
    plan_id = await office.plan(
        DrawUpPlan(contract_id=new_id(), account_id=account, total=total, payment_terms=terms, on=day)
    )
    finance, address = office.finance(), f"/v1/payment-plans/{plan_id}/issue-invoice"
    before = await office.running.pool.fetchrow(WRITTEN)
    for _ in range(2):
        would = await finance.client.post(dry_path(address), json={"number": 1})
        assert would.status_code == 200, would.text
        told = as_described(dry_path("/v1/payment-plans/{id}/issue-invoice"), would.json(), "post")
        moved = {event["aggregate"]: event["data"] is not None for event in told["events"]}
        assert moved == {"payment-plan": True, "ledger": False, "number-series": False}
    assert await office.running.pool.fetchrow(WRITTEN) == before
    assert (await finance.does(address, {"number": 1})).status_code == 200


WRITTEN = "select (select count(*) from event), (select count(*) from claim), (select count(*) from timer)"


# -- contracts ------------------------------------------------------------------------------------------------------


async def test_a_contract_goes_from_draft_to_force_con_3(office: Office) -> None:
    made, token = await active_contract(office, "100000.01", await office.account())
    found = await office.seller().sees(f"/v1/contracts/{made}")
    assert (found["status"], found["total"]) == ("active", eur("100000.01"))
    listed = await shown(office.seller(), "/v1/contracts", token, status="active", q="PACKAGING")
    [row] = [each for each in listed["items"] if each["id"] == str(made)]
    assert (row["total"], row["activated_on"]) == (eur("100000.01"), today(office.contracts))


async def test_a_filter_by_a_status_that_is_not_there_is_refused_api_1(office: Office) -> None:
    seller, finance = office.seller(), office.finance()
    statuses = "active, approved, drafted, signed, submitted, voided"
    for desk, listing, allowed in [(seller, "contracts", statuses), (finance, "invoices", "open, part-paid, paid")]:
        refused = await desk.client.get(f"/v1/{listing}", params={"status": "opne"})
        assert refused.status_code == 400
        (fault,) = refused.json()["errors"]
        assert (fault["parameter"], allowed in fault["message"]) == ("status", True)


async def test_the_submitter_may_not_approve_con_2(office: Office) -> None:
    lawyer, seller = office.lawyer(), office.seller()
    made = await seller.makes("/v1/contracts", {"name": "Own", "total": eur("5.00")})
    await seller.makes(f"/v1/contracts/{made}/submit")
    both = Desk(client=office.contracts.client(Role.SALES_DIRECTOR, "ops"))
    approval = f"/v1/contract-approvals/{(await seller.sees(f'/v1/contracts/{made}'))['approval_id']}"
    assert (await both.does(f"{approval}/approve")).json()["code"] == "own-submission"
    assert (await seller.does(f"{approval}/approve")).json()["code"] == "own-submission"
    await lawyer.makes(f"{approval}/return-for-rework", {"reason": "Retention is missing"})
    found = await seller.sees(f"/v1/contracts/{made}")
    assert (found["status"], found["returned_for"]) == ("drafted", "Retention is missing")


async def test_a_draft_is_changed_on_the_version_that_was_read(office: Office) -> None:
    seller = office.seller()
    made = await seller.makes("/v1/contracts", {"name": "Changing", "total": eur("5.00")})
    path = f"/v1/contracts/{made}"
    body = {"payment_terms": [{"ratio": "0.5", "days": 10}, {"ratio": "0.6"}]}
    headers = {"If-Match": '"1"'}
    wrong = await seller.client.patch(path, json=body, headers=headers)
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/payment_terms")
    changed = await seller.client.patch(path, json={"total": eur("6.00")}, headers=headers)
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    assert (await seller.client.patch(path, json={"total": eur("7.00")}, headers=headers)).status_code == 412


async def test_a_deal_has_one_contract_however_often_it_is_drafted_con_1(office: Office) -> None:
    deal = await office.deal()
    draft = {"name": "Deal's", "total": eur("5.00"), "deal_id": str(deal)}
    made = {await office.seller().makes("/v1/contracts", draft) for _ in range(2)}
    assert made == {str(contract_of(deal))}
    other = await office.seller().does("/v1/contracts", {**draft, "name": "Another"})
    assert other.status_code == 409


async def test_a_rep_drafts_for_their_own_deal_and_a_manager_for_their_teams_con_1(office: Office) -> None:
    """CON-1, API-4: for others the deal is not there; the contract is whose the deal is."""
    subjects = await office.team()
    rep, other, manager = (
        Desk(client=office.contracts.client(role, subject))
        for role, subject in zip((Role.REP, Role.REP, Role.MANAGER), subjects, strict=True)
    )
    drafts: list[dict[str, Any]] = [
        {"name": "Own", "total": eur("5.00"), "deal_id": str(await office.deal(Role.REP, subjects[0]))}
        for _ in range(2)
    ]
    hidden = await other.does("/v1/contracts", drafts[0])
    unknown = await other.does("/v1/contracts", {**drafts[0], "deal_id": str(new_id())})
    assert (hidden.status_code, hidden.json()["errors"]) == (422, unknown.json()["errors"])
    assert [(error["code"], error["pointer"]) for error in hidden.json()["errors"]] == [("unknown-deal", "/deal_id")]
    foreign = await manager.does("/v1/contracts", {**drafts[0], "owner": str(new_id())})
    assert (foreign.status_code, foreign.json()["errors"][0]["pointer"]) == (422, "/owner")
    for desk, draft in zip((rep, manager), drafts, strict=True):
        made = await desk.makes("/v1/contracts", draft)
        assert made == str(contract_of(UUID(draft["deal_id"])))
        found = await rep.sees(f"/v1/contracts/{made}")
        me = await office.contracts.running.organisation.actor(subjects[0], ())
        assert (found["owner"], found["team"]) == (str(me.member), str(me.team))
        assert await other.status(f"/v1/contracts/{made}") == 404


async def test_a_deal_that_was_handed_over_is_drafted_for_by_whoever_has_it_con_1(office: Office) -> None:
    """CON-1, API-2: the token of the hand-over is waited for."""
    subjects = await office.team()
    deal = await office.deal(Role.REP, subjects[0])
    heir = await office.deals.running.organisation.actor(subjects[1], ())
    manager = Desk(client=office.deals.client(Role.MANAGER, subjects[2]))
    handed = await manager.does(f"/v1/deals/{deal}/hand-over", {"owner": str(heir.member)})
    await office.known(handed)
    draft = {"name": "Taken over", "total": eur("5.00"), "deal_id": str(deal)}
    before, after = (Desk(client=office.contracts.client(Role.REP, subject)) for subject in subjects[:2])
    assert (await before.does("/v1/contracts", draft)).status_code == 422
    assert (await after.does("/v1/contracts", draft)).status_code == 201


async def test_a_contract_names_only_whom_and_what_there_is_api_1(office: Office) -> None:
    """API-1, CON-1, ORG-1: every field that leads nowhere is named."""
    nowhere, seller = str(new_id()), office.seller()
    named = {"owner": nowhere, "team": nowhere, "account_id": nowhere}
    draft = {"name": "Nobody's", "total": eur("5.00")}
    refused = await seller.does("/v1/contracts", {**draft, **named})
    assert refused.status_code == 422
    assert {error["pointer"]: error["code"] for error in refused.json()["errors"]} == {
        "/owner": "unknown-member",
        "/team": "unknown-team",
        "/account_id": "unknown-account",
    }
    made = await seller.makes("/v1/contracts", draft)
    change = {"account_id": nowhere}
    changed = await seller.client.patch(f"/v1/contracts/{made}", json=change, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.json()["errors"][0]["pointer"]) == (422, "/account_id")


async def test_what_a_deal_says_of_whose_it_is_is_no_question_con_1(office: Office) -> None:
    """CON-1, API-1: its owner may have left since; who left is named by nobody of their own accord."""
    subjects = await office.team()
    rep = (await office.deals.running.organisation.actor(subjects[0], ())).member
    deal = await office.deal(Role.REP, subjects[0])
    operations = Desk(client=office.leads.client())
    await office.known(await operations.does(f"/v1/members/{rep}/leave", {"on": today(office.leads)}))
    draft = {"name": "Left behind", "total": eur("5.00"), "owner": str(rep)}
    alone = await office.seller().does("/v1/contracts", draft)
    assert (alone.status_code, alone.json()["code"]) == (422, "unknown-member")
    await office.seller().makes("/v1/contracts", {**draft, "deal_id": str(deal)})


async def test_a_rep_leaves_a_customer_as_it_is_whom_they_do_not_see_api_4(office: Office) -> None:
    """CON-1, CON-3, API-4: and names no other one whom they do not see."""
    subjects = await office.team()
    me = await office.contracts.running.organisation.actor(subjects[0], ())
    customer, other = await office.account(), await office.account()
    whose = {"owner": str(me.member), "team": str(me.team), "account_id": str(customer)}
    made = await office.seller().makes("/v1/contracts", {"name": "Given", "total": eur("5.00"), **whose})
    rep = Desk(client=office.contracts.client(Role.REP, subjects[0]))

    async def change(account: UUID) -> httpx.Response:
        body = {"total": eur("6.00"), "account_id": str(account)}
        return await rep.client.patch(f"/v1/contracts/{made}", json=body, headers={"If-Match": '"1"'})

    hidden = await change(other)
    assert (hidden.status_code, hidden.json()["code"]) == (422, "unknown-account")
    assert (await change(customer)).status_code == 200


async def test_stage_and_win_at_once_make_one_contract_with_the_won_amount_con_1(office: Office) -> None:
    commands = office.contracts.running.commands
    for _ in range(10):
        deal = new_id()
        triggers = [
            DraftForDeal(
                deal_id=deal,
                name="Race",
                total=Money(amount=Decimal(amount), currency="EUR"),
                trigger=trigger,  # type: ignore[arg-type]
            )
            for trigger, amount in (("stage", "100.00"), ("win", "90.00"), ("stage", "100.00"))
        ]
        await asyncio.gather(
            *(commands.execute(CommandRequest(contract, contract_of(deal), trigger, ITSELF)) for trigger in triggers)
        )
        held = await commands.state(contract, contract_of(deal))
        assert isinstance(held.state, DraftedContract)
        assert held.state.total.amount == Decimal("90.00")
        assert held.sequence <= 2


# -- receivables ----------------------------------------------------------------------------------------------------


async def test_a_contract_in_force_is_planned_invoiced_and_paid_rec_1(office: Office) -> None:
    account = await office.account()
    made, token = await active_contract(office, "100000.01", account)
    finance = office.finance()
    plan_id = plan_of(made)
    plan = await shown(finance, f"/v1/payment-plans/{plan_id}", token)
    amounts = [Decimal(part["amount"]["amount"]) for part in plan["instalments"]]
    assert amounts == [Decimal("30000.00"), Decimal("60000.00"), Decimal("10000.01")]
    first = await issued(office, plan_id, 1)
    assert first.status_code == 200, first.text
    [invoice] = (await shown(finance, "/v1/invoices", first.headers["Consistency-Token"], account=str(account)))[
        "items"
    ]
    assert (invoice["status"], invoice["open"], invoice["overdue"]) == ("open", eur("30000.00"), False)
    body = arrival(office, account, "30500.00", reference=invoice["number"])
    paid = await finance.does("/v1/receipts", body)
    assert paid.status_code == 201, paid.text
    after = paid.headers["Consistency-Token"]
    [invoice] = (await shown(finance, "/v1/invoices", after, number=invoice["number"]))["items"]
    assert (invoice["status"], invoice["open"], invoice["paid_on"]) == ("paid", eur("0.00"), today(office.receivables))
    [balance] = (await shown(finance, "/v1/balances", after, account=str(account)))["items"]
    assert (balance["outstanding"], balance["unapplied"]) == (eur("0.00"), eur("500.00"))
    [receipt] = (await shown(finance, "/v1/receipts", after, account=str(account)))["items"]
    assert receipt["unapplied"] == eur("500.00")
    instalments = (await shown(finance, "/v1/instalments", after, plan=str(plan_id), sort="due"))["items"]
    assert [each["invoiced"] for each in instalments] == [True, False, False]
    ledger = await finance.sees(f"/v1/ledgers/{ledger_of(account, 'EUR')}")
    assert (ledger["status"], ledger["currency"], ledger["account_id"]) == ("open", "EUR", str(account))
    assert [(each["number"], each["open"]) for each in ledger["invoices"]] == [(invoice["number"], eur("0.00"))]
    assert [(each["amount"], each["unapplied"]) for each in ledger["receipts"]] == [(eur("30500.00"), eur("500.00"))]


async def a_sale_in_dollars(office: Office, account: UUID) -> UUID:
    """A deal that is won in dollars, whose contract comes into force; the contract's id."""
    director = Desk(client=office.deals.client(Role.SALES_DIRECTOR, "dora"))
    named = {"name": "Line for Ohio", "account_id": str(account), "expected_close": today(office.deals)}
    deal = UUID(await director.makes("/v1/deals", {**named, "amount": eur("900.00")}))
    negotiated = await director.does(f"/v1/deals/{deal}/change-amount", {"amount": usd("1000.00")})
    assert negotiated.status_code == 200, negotiated.text
    won = await director.does(f"/v1/deals/{deal}/win", {})
    assert won.status_code == 200, won.text
    token = won.headers["Consistency-Token"]
    listed = await shown(director, "/v1/deals", token, account=str(account), currency="USD")
    assert [each["amount"] for each in listed["items"]] == [usd("1000.00")]
    assert (await shown(director, "/v1/deals", token, account=str(account), currency="EUR"))["items"] == []
    seller, made = office.seller(), contract_of(deal)

    async def drafted() -> bool:
        return await seller.status(f"/v1/contracts/{made}") == 200

    await until(drafted, PATIENCE)
    assert (await seller.sees(f"/v1/contracts/{made}"))["total"] == usd("1000.00")
    return made


async def test_a_sale_in_dollars_is_planned_invoiced_and_paid_in_dollars_rec_4(office: Office) -> None:
    """REC-1, REC-2, REC-4: money of the customer in euros pays none of it, whatever the payer writes."""
    account, entity = await office.account(), f"E{new_id().hex[-8:].upper()}"
    made = await a_sale_in_dollars(office, account)
    token, finance = await in_force(office, made), office.finance()
    plan = await shown(finance, f"/v1/payment-plans/{plan_of(made)}", token)
    assert [part["amount"] for part in plan["instalments"]] == [usd("300.00"), usd("600.00"), usd("100.00")]
    in_euros = (await active_contract(office, "10.00", account))[1]
    await shown(finance, "/v1/payment-plans", in_euros, account=str(account))
    [euros] = (await finance.sees("/v1/payment-plans", account=str(account), currency="EUR"))["items"]
    first, second = [await issued(office, UUID(each), 1, legal_entity=entity) for each in (plan["id"], euros["id"])]
    assert (first.status_code, second.status_code) == (200, 200), (first.text, second.text)
    token = second.headers["Consistency-Token"]
    for currency, number in (("USD", f"{entity}-000001"), ("EUR", f"{entity}-000002")):
        asked = {"currency": currency, "legal_entity": entity}
        listed = (await shown(finance, "/v1/invoices", token, **asked))["items"]
        assert [each["number"] for each in listed] == [number], "one series for all currencies"

    body = arrival(office, account, "300.00", reference=f"{entity}-000001")
    paid = await finance.does("/v1/receipts", body)
    assert paid.status_code == 201, paid.text
    again = await finance.does("/v1/receipts", {**body, "amount": usd("300.00")})
    assert (again.status_code, again.json()["code"]) == (409, "bank-reference-used")

    token = paid.headers["Consistency-Token"]
    balances = (await shown(finance, "/v1/balances", token, account=str(account), sort="invoiced"))["items"]
    assert [(each["outstanding"], each["unapplied"]) for each in balances] == [
        (eur("0.00"), eur("297.00")),
        (usd("300.00"), usd("0.00")),
    ]
    [invoice] = (await shown(finance, "/v1/invoices", token, account=str(account), currency="USD"))["items"]
    [receipt] = (await shown(finance, "/v1/receipts", token, account=str(account), currency="EUR"))["items"]
    by_hand = {"receipt_id": receipt["id"], "invoice_id": invoice["id"], "reason": "They said so."}
    for currency, pointer in (("EUR", "/invoice_id"), ("USD", "/receipt_id")):
        refused = await finance.does(f"/v1/ledgers/{ledger_of(account, currency)}/allocate", by_hand)
        assert refused.status_code == 422, refused.text
        (error,) = refused.json()["errors"]
        assert (error["code"], error["pointer"]) == ("other-currency", pointer)

    paid = await finance.does("/v1/receipts", {**arrival(office, account), "amount": usd("300.00")})
    assert paid.status_code == 201, paid.text
    token = paid.headers["Consistency-Token"]
    [invoice] = (await shown(finance, "/v1/invoices", token, account=str(account), currency="USD"))["items"]
    assert (invoice["status"], invoice["open"]) == ("paid", usd("0.00"))
    [settled] = (await shown(finance, "/v1/allocations", token, account=str(account), currency="USD"))["items"]
    assert (settled["amount"], settled["rule"]) == (usd("300.00"), "exact-amount")
    parts = (await shown(finance, "/v1/instalments", token, account=str(account), currency="USD"))["items"]
    assert [(part["amount"], part["invoiced"]) for part in sorted(parts, key=lambda part: int(part["number"]))] == [
        (usd("300.00"), True),
        (usd("600.00"), False),
        (usd("100.00"), False),
    ]
    contracts = await shown(office.seller(), "/v1/contracts", token, account=str(account), currency="USD")
    assert [each["id"] for each in contracts["items"]] == [str(made)]


async def test_twenty_invoices_at_once_leave_no_gap_rec_2(office: Office) -> None:
    entity = f"E{new_id().hex[-8:].upper()}"
    plans = [(await one_instalment(office, "10.00"))[0] for _ in range(20)]
    answers = await asyncio.gather(*(issued(office, plan_id, 1, legal_entity=entity) for plan_id in plans))
    assert [answer.status_code for answer in answers] == [200] * 20, [answer.text for answer in answers]
    states = [await office.finance().sees(f"/v1/payment-plans/{plan_id}") for plan_id in plans]
    numbers = sorted(state["instalments"][0]["invoice_number"] for state in states)
    assert numbers == [f"{entity}-{number:06}" for number in range(1, 21)]


async def test_an_instalment_invoiced_twice_at_once_has_one_invoice_rec_2(office: Office) -> None:
    plan_id, account = await one_instalment(office, "10.00")
    answers = await asyncio.gather(*(issued(office, plan_id, 1) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    token = answers[0].headers["Consistency-Token"]
    listed = await shown(office.finance(), "/v1/invoices", token, account=str(account))
    assert len(listed["items"]) == 1


async def test_a_bank_reference_is_recorded_once_in_a_race_of_customers_rec_3(office: Office) -> None:
    reference = f"B-{new_id()}"
    accounts = [await office.account() for _ in range(10)]
    bodies = [arrival(office, account, bank_reference=reference) for account in accounts]
    answers = await asyncio.gather(*(office.finance().does("/v1/receipts", body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {
        "bank-reference-used",
        "already-taken",
    }


async def test_a_bank_reference_sent_again_records_nothing_rec_3(office: Office) -> None:
    body = arrival(office, await office.account())
    answers = await asyncio.gather(*(office.finance().does("/v1/receipts", body) for _ in range(10)))
    assert [(answer.status_code, answer.json()["version"]) for answer in answers] == [(201, 1)] * 10
    other = await office.finance().does("/v1/receipts", {**body, "amount": eur("6.00")})
    assert (other.status_code, other.json()["code"]) == (409, "bank-reference-used")


async def test_only_finance_writes_invoices_and_books_receipts_api_4(office: Office) -> None:
    plan_id, account = await one_instalment(office, "10.00")
    seller = Desk(client=office.receivables.client())
    assert (await seller.does(f"/v1/payment-plans/{plan_id}/issue-invoice", {"number": 1})).status_code == 403
    body = arrival(office, account)
    assert (await seller.does("/v1/receipts", body)).status_code == 403


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"amount": {"amount": "5.00", "currency": "XAU"}}, "/amount/currency"),
        ({"amount": {"amount": "5.50", "currency": "JPY"}}, "/amount/amount"),
        ({"amount": {"amount": 5, "currency": "EUR"}}, "/amount/amount"),
        ({"on": "2999-01-01"}, "/on"),
        ({"account_id": "01936d2f-8a5c-7e54-b8a1-3d2c9b5e7f10"}, "/account_id"),
        ({"colour": "red"}, "/colour"),
    ],
)
async def test_a_receipt_that_cannot_be_names_the_field(office: Office, change: dict[str, Any], pointer: str) -> None:
    body = {
        "account_id": str(await office.account()),
        "bank_reference": "B",
        "amount": eur("5.00"),
        "on": today(office.receivables),
        **change,
    }
    answer = await office.finance().does("/v1/receipts", body)
    assert (answer.status_code, [error["pointer"] for error in answer.json()["errors"]]) == (422, [pointer])


async def test_money_is_booked_for_a_customer_with_the_token_of_their_account_rec_3(office: Office) -> None:
    """REC-3, API-1, API-2: an account that was registered a moment ago is known with its token."""
    registered = await Desk(client=office.leads.client()).does("/v1/accounts", {"name": f"New {new_id()}"})
    token = {"Consistency-Token": registered.headers["Consistency-Token"]}
    body = arrival(office, UUID(registered.json()["id"]))
    assert (await office.finance().does("/v1/receipts", body, **token)).status_code == 201
    unknown = await office.finance().does("/v1/receipts", arrival(office, new_id()))
    assert (unknown.status_code, unknown.json()["errors"][0]["code"]) == (422, "unknown-account")


async def test_whoever_has_a_ledger_is_a_customer_already_rec_3(office: Office) -> None:
    """REC-3, DATA-5: one whom only history names pays like any other."""
    account, amount = new_id(), Money(amount=Decimal("7.00"), currency="EUR")
    on = office.receivables.running.clock.now().date()
    told = ImportReceipt(account_id=account, bank_reference=f"B-{new_id()}", amount=amount, on=on)
    await office.running.commands.execute(CommandRequest(ledger, ledger_of(account, "EUR"), told, ITSELF))
    assert (await office.finance().does("/v1/receipts", arrival(office, account))).status_code == 201


async def test_an_invoice_becomes_overdue_by_itself_on_the_day_after_it_was_due(office: Office) -> None:
    plan_id, account = await one_instalment(office, "10.00", days=1)
    first = await issued(office, plan_id, 1)
    finance = office.finance()
    [invoice] = (await shown(finance, "/v1/invoices", first.headers["Consistency-Token"], account=str(account)))[
        "items"
    ]
    assert invoice["overdue"] is False
    await office.running.clock.advance(office.running.pool, timedelta(days=2))
    async with asyncio.timeout(PATIENCE):
        while not await is_overdue(office, account, 0):
            pass


async def test_history_comes_in_dated_and_its_open_invoices_become_overdue_from_now_on_data_5(office: Office) -> None:
    contract_id, account = new_id(), new_id()
    plan_id, ledger_id = plan_of(contract_id), ledger_of(account, "EUR")
    long_ago = office.running.clock.now().date() - timedelta(days=400)
    terms = tuple(PaymentTerm(ratio=Decimal("0.5"), days=days) for days in (30, 401))
    total = Money(amount=Decimal("100.00"), currency="EUR")
    half = Money(amount=Decimal("50.00"), currency="EUR")
    entity = f"E{account.hex[-8:].upper()}"
    history: list[tuple[Any, UUID, Any]] = [
        (
            payment_plan,
            plan_id,
            DrawUpPlan(contract_id=contract_id, account_id=account, total=total, payment_terms=terms, on=long_ago),
        ),
        (payment_plan, plan_id, IssueInvoice(number=1, on=long_ago, legal_entity=entity)),
        (payment_plan, plan_id, IssueInvoice(number=2, on=long_ago, legal_entity=entity)),
        (
            ledger,
            ledger_id,
            ImportReceipt(account_id=account, bank_reference=f"B-{account}", amount=half, on=long_ago),
        ),
        (ledger, ledger_id, ArrangeHistory()),
    ]
    requests = [
        CommandRequest(aggregate=family, aggregate_id=aggregate_id, command=command, actor=ITSELF, imported=True)
        for family, aggregate_id, command in history
    ]
    for _ in range(2):
        answers = [(await office.running.commands.execute_many([request]))[0] for request in requests]
        assert all(isinstance(answer, CommandResult) for answer in answers), answers
    finance = office.finance()
    again = {"account_id": str(account), "bank_reference": f"B-{account}", "amount": eur("50.00"), "on": str(long_ago)}
    token = (await finance.does("/v1/receipts", again)).headers["Consistency-Token"]
    listed = await shown(finance, "/v1/invoices", token, account=str(account), sort="due")
    assert [(row["status"], row["overdue"]) for row in listed["items"]] == [("paid", False), ("open", False)]
    assert {row["issued_on"] for row in listed["items"]} == {long_ago.isoformat()}
    await office.running.clock.advance(office.running.pool, timedelta(days=2))
    async with asyncio.timeout(PATIENCE):
        while not await is_overdue(office, account, 1):
            pass


async def is_overdue(office: Office, account: UUID, place: int) -> bool:
    """Whether an invoice of a customer (by due date) is overdue; when not, the next change of the projections was
    awaited."""
    seen = office.running.advanced.count
    listed = await office.finance().sees("/v1/invoices", account=str(account), sort="due")
    if listed["items"][place]["overdue"]:
        return True
    await office.running.advanced.wait(seen, 1.0)
    return False
