"""The books of a customer over HTTP, PostgreSQL and Kafka: overdue, work by hand, numbers, plans (REC-1 … REC-4)."""

import asyncio
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.contracts.domain.contract import contract
from services.contracts.domain.contract.history import ImportContract
from services.receivables.domain.invoicing import ImportInvoice
from services.receivables.domain.ledger import ledger
from services.receivables.domain.ledger.arrangement import ArrangeHistory
from services.receivables.domain.ledger.receipts import ImportReceipt
from services.receivables.domain.ledger.state import ledger_of
from services.receivables.domain.numbers import series_of
from services.receivables.domain.plan import DrawUpPlan, plan_of
from shared.commands.request import CommandRequest, CommandResult
from shared.events.contracts.contract import PaymentTerm
from shared.events.money import Money
from shared.eventstore.streams import BatchCache
from shared.ops.ids import new_id
from tests.services.leads.conftest import Desk
from tests.services.receivables.conftest import ITSELF, Office
from tests.services.receivables.errands import PATIENCE, arrival, eur, issued, one_instalment, shown
from tests.shared.http.waiting import until


async def told(office: Office, account: UUID, *commands: Any) -> None:
    """History of a customer, as an import tells it, with its end."""
    book = ledger_of(account, "EUR")
    requests = [
        CommandRequest(aggregate=ledger, aggregate_id=book, command=command, actor=ITSELF, imported=True)
        for command in (*commands, ArrangeHistory())
    ]
    answers = await office.running.commands.execute_many(requests)
    assert all(isinstance(answer, CommandResult) for answer in answers), answers


def old_invoice(account: UUID, on: date, due: date, amount: str = "100.00", **more: Any) -> ImportInvoice:
    """An invoice that history tells."""
    return ImportInvoice(
        account_id=account,
        invoice_id=new_id(),
        amount=Money(amount=Decimal(amount), currency="EUR"),
        on=on,
        due=due,
        outside_id=f"o-{new_id()}",
        **more,
    )


async def test_every_open_invoice_past_its_day_is_overdue_whatever_else_is_fault_1(office: Office) -> None:
    """An old unpaid invoice of history hid those that fell due later: there is one timer for all of a customer."""
    day = office.running.clock.now().date()
    plan_id, account = await one_instalment(office, "10.00", days=3)
    native = await issued(office, plan_id, 1)
    old = old_invoice(account, day - timedelta(days=60), day - timedelta(days=30))
    soon = old_invoice(account, day - timedelta(days=20), day + timedelta(days=2), "200.00")
    await told(office, account, old, soon)
    finance = office.finance()

    async def overdue() -> list[str]:
        listed = await finance.sees("/v1/invoices", account=str(account), overdue="true", sort="due")
        assert all(row["overdue"] for row in listed["items"])
        rest = await finance.sees("/v1/invoices", account=str(account), overdue="false")
        assert not any(row["overdue"] for row in rest["items"])
        return [row["amount"]["amount"] for row in listed["items"]]

    token = native.headers["Consistency-Token"]
    await shown(finance, "/v1/invoices", token, account=str(account))

    async def are(*amounts: str) -> None:
        async def so() -> bool:
            return await overdue() == list(amounts)

        await until(so, PATIENCE)

    await are("100.00")
    await office.running.clock.advance(office.running.pool, timedelta(days=5))
    await are("100.00", "200.00", "10.00")

    async def noted() -> bool:
        """The timer, too, passes over nothing."""
        held = await office.running.commands.state(ledger, ledger_of(account, "EUR"))
        return all(each.overdue for each in held.state.invoices)

    await until(noted, PATIENCE)


async def test_a_tie_waits_until_a_person_allocates_it_and_may_be_put_elsewhere_rec_4(office: Office) -> None:
    """REC-4: allocate, take back and re-allocate, each with its reason, over HTTP."""
    account, finance, day = await office.account(), office.finance(), office.running.clock.now().date()
    mark = str(10_000 + new_id().int % 90_000)  # no more runs of letters and digits than a text is searched for
    one, other = (old_invoice(account, day, day, number=number) for number in (f"R-{mark}", f"R {mark}"))
    await told(office, account, one, other)
    paid = await finance.does("/v1/receipts", arrival(office, account, "100.00", reference=f"re R/{mark}"))
    token = paid.headers["Consistency-Token"]
    [waiting] = (await shown(finance, "/v1/receipts", token, account=str(account), waits="tie"))["items"]
    assert (waiting["waits"], waiting["unapplied"]) == ("tie", eur("100.00"))
    address = f"/v1/ledgers/{ledger_of(account, 'EUR')}"
    book = await finance.sees(address)
    assert {share["invoice_number"] for share in book["receipts"][0]["shares"]} == {one.number, other.number}
    chosen = {"receipt_id": waiting["id"], "invoice_id": str(one.invoice_id)}
    blind = await finance.does(f"{address}/allocate", chosen)
    assert (blind.status_code, blind.json()["errors"][0]["pointer"]) == (422, "/reason")
    seller = Desk(client=office.receivables.client())
    assert (await seller.does(f"{address}/allocate", {**chosen, "reason": "x"})).status_code == 403
    done = await finance.does(f"{address}/allocate", {**chosen, "reason": "They said so on the phone."})
    assert done.status_code == 200, done.text
    moved = await finance.does(
        f"{address}/re-allocate",
        {
            "receipt_id": waiting["id"],
            "from_invoice_id": str(one.invoice_id),
            "to_invoice_id": str(other.invoice_id),
            "amount": eur("40.00"),
            "reason": "They meant both.",
        },
    )
    assert moved.status_code == 200, moved.text
    back = await finance.does(
        f"{address}/take-back", {**chosen, "amount": eur("10.00"), "reason": "They dispute a part."}
    )
    assert back.status_code == 200, back.text
    token = back.headers["Consistency-Token"]
    rows = (await shown(finance, "/v1/allocations", token, account=str(account), status="standing"))["items"]
    assert {row["invoice_number"]: (row["amount"]["amount"], row["rule"]) for row in rows} == {
        one.number: ("50.00", "by-hand"),
        other.number: ("40.00", "by-hand"),
    }
    [waiting] = (await shown(finance, "/v1/receipts", token, account=str(account)))["items"]
    assert (waiting["waits"], waiting["unapplied"]) == ("taken-back", eur("10.00"))
    invoices = (await shown(finance, "/v1/invoices", token, account=str(account)))["items"]
    assert {row["number"]: (row["status"], row["open"]["amount"]) for row in invoices} == {
        one.number: ("part-paid", "50.00"),
        other.number: ("part-paid", "60.00"),
    }
    [balance] = (await shown(finance, "/v1/balances", token, account=str(account)))["items"]
    assert (balance["outstanding"], balance["unapplied"]) == (eur("110.00"), eur("10.00"))


@pytest.mark.parametrize(
    ("change", "pointers"),
    [
        ({"receipt_id": str(UUID(int=1)), "invoice_id": str(UUID(int=2))}, ["/receipt_id", "/invoice_id"]),
        ({"amount": {"amount": "1.00", "currency": "USD"}}, ["/amount/currency"]),
        ({"amount": {"amount": "100.01", "currency": "EUR"}}, ["/amount/amount"]),
        ({"reason": " "}, ["/reason"]),
        ({"colour": "red"}, ["/colour"]),
    ],
)
async def test_an_allocation_that_cannot_be_names_the_fields_api_1(
    office: Office, change: dict[str, Any], pointers: list[str]
) -> None:
    plan_id, account = await one_instalment(office, "100.00")
    await issued(office, plan_id, 1)
    finance, address = office.finance(), f"/v1/ledgers/{ledger_of(account, 'EUR')}"
    await finance.does("/v1/receipts", arrival(office, account, "100.00"))
    book = await finance.sees(address)
    ids = {"receipt_id": book["receipts"][0]["id"], "invoice_id": book["invoices"][0]["id"]}
    refused = await finance.does(f"{address}/take-back", {**ids, "reason": "x", **change})
    assert (refused.status_code, [error["pointer"] for error in refused.json()["errors"]]) == (422, pointers)


async def test_paid_is_the_day_of_the_last_money_in_whatever_order_it_is_told_rec_4(office: Office) -> None:
    account, day = new_id(), office.running.clock.now().date()
    half = Money(amount=Decimal("50.00"), currency="EUR")
    invoice = old_invoice(account, day - timedelta(days=60), day - timedelta(days=30))
    for ago in (10, 40):
        on = day - timedelta(days=ago)
        receipt = ImportReceipt(account_id=account, bank_reference=f"B-{new_id()}", amount=half, on=on)
        await told(office, account, *([invoice] if ago == 10 else []), receipt)

    async def paid() -> bool:
        listed = await office.finance().sees("/v1/invoices", account=str(account), status="paid")
        return [row["paid_on"] for row in listed["items"]] == [str(day - timedelta(days=10))]

    await until(paid, PATIENCE)


async def test_what_is_left_of_a_running_contract_of_history_can_be_invoiced_data_5(office: Office) -> None:
    """Fault 6: it had no payment plan. What history says was invoiced of it before is not asked for again."""
    account, contract_id, day = new_id(), new_id(), office.running.clock.now().date()
    began = day - timedelta(days=50)
    told_before = old_invoice(account, began, began, "300.00", contract_id=contract_id)
    told_after = old_invoice(account, began, began, "650.00", contract_id=contract_id)
    await told(office, account, told_before)
    running = ImportContract(
        name="R",
        total=Money(amount=Decimal("1000.00"), currency="EUR"),
        payment_terms=tuple(PaymentTerm(ratio=Decimal("0.5"), days=days) for days in (0, 30)),
        drafted_on=began,
        signed_on=began,
        activated_on=began,
        account_id=account,
    )
    command = CommandRequest(aggregate=contract, aggregate_id=contract_id, command=running, actor=ITSELF, imported=True)
    [answer] = await office.contracts.running.commands.execute_many([command])
    assert isinstance(answer, CommandResult), answer
    finance, plan = office.finance(), plan_of(contract_id)

    async def drawn_up() -> bool:
        return await finance.status(f"/v1/payment-plans/{plan}") == 200

    await until(drawn_up, PATIENCE)
    await told(office, account, told_after)
    shown_ = await finance.sees(f"/v1/payment-plans/{plan}")
    assert [part["left"]["amount"] for part in shown_["instalments"]] == ["0.00", "50.00"]
    nothing = await issued(office, plan, 1)
    assert (nothing.status_code, nothing.json()["code"]) == (422, "nothing-to-pay")
    early = await issued(office, plan, 2, on=str(began - timedelta(days=1)))
    assert (early.status_code, early.json()["code"]) == (422, "before-it-began")
    rest = await issued(office, plan, 2)
    token = rest.headers["Consistency-Token"]
    [invoice] = (await shown(finance, "/v1/invoices", token, plan=str(plan)))["items"]
    assert invoice["amount"] == eur("50.00")
    assert (await shown(finance, "/v1/instalments", token, plan=str(plan), invoiced="false"))["items"] == []


async def test_an_invoice_of_history_finds_the_plan_that_came_meanwhile_data_5(office: Office) -> None:
    """Write skew: an import that had looked for a plan before there was one did not count what it told later."""
    account, contract_id, day, seen = new_id(), new_id(), office.running.clock.now().date(), BatchCache()

    async def tell() -> None:
        invoice = old_invoice(account, day, day, "10.00", contract_id=contract_id)
        book = ledger_of(account, "EUR")
        about = CommandRequest(aggregate=ledger, aggregate_id=book, command=invoice, actor=ITSELF, imported=True)
        await office.running.commands.execute(about, seen)

    await tell()
    plan_id = await office.plan(
        DrawUpPlan(
            contract_id=contract_id,
            account_id=account,
            total=Money(amount=Decimal("100.00"), currency="EUR"),
            payment_terms=(PaymentTerm(ratio=Decimal(1), days=0),),
            on=day,
        )
    )
    await tell()
    plan = await office.finance().sees(f"/v1/payment-plans/{plan_id}")
    assert plan["instalments"][0]["left"] == eur("80.00")


async def test_fifty_customers_at_once_are_all_invoiced_rec_2(office: Office) -> None:
    """REC-2, fault N3: "Others kept changing" the number series."""
    entity = f"E{new_id().hex[-8:].upper()}"
    plans = [await five_instalments(office) for _ in range(50)]
    asked = [issued(office, plan_id, number, legal_entity=entity) for number in range(1, 6) for plan_id in plans]
    answers = await asyncio.gather(*asked)
    assert [answer.text for answer in answers if answer.status_code != 200] == []
    series = await office.finance().sees(f"/v1/number-series/{series_of(entity)}")
    assert series["last"] == 250


async def test_fifty_customers_at_once_come_in_with_numbers_of_the_series_rec_2(office: Office) -> None:
    """Fault N3: an import of invoices for fifty accounts was refused some of them, and their numbers came at random."""
    entity, day = f"E{new_id().hex[-8:].upper()}", office.running.clock.now().date()
    accounts = [new_id() for _ in range(50)]
    requests = [
        CommandRequest(
            aggregate=ledger,
            aggregate_id=ledger_of(account, "EUR"),
            command=old_invoice(account, day, day, number=f"{entity}-{place:06}", legal_entity=entity),
            actor=ITSELF,
            imported=True,
        )
        for place, account in enumerate(accounts * 6, start=1)
    ]
    answers = await office.running.commands.execute_many(requests)
    assert [answer for answer in answers if not isinstance(answer, CommandResult)] == []
    series = await office.finance().sees(f"/v1/number-series/{series_of(entity)}")
    assert series["last"] == 300
    plan_id, _ = await one_instalment(office, "10.00")
    assert (await issued(office, plan_id, 1, legal_entity=entity)).status_code == 200
    plan = await office.finance().sees(f"/v1/payment-plans/{plan_id}")
    assert plan["instalments"][0]["invoice_number"] == f"{entity}-000301"


async def test_a_number_that_an_invoice_of_history_has_is_passed_over_rec_2(office: Office) -> None:
    """A number too long to be one of the series once stopped all invoicing when the series came to it."""
    account, entity, day = new_id(), f"E{new_id().hex[-8:].upper()}", office.running.clock.now().date()
    for number in (f"{entity}-999999999", f"{entity}-1000000000", f"{entity}-1000000001"):
        await told(office, account, old_invoice(account, day, day, number=number, legal_entity=entity))
    plan_id, _ = await one_instalment(office, "10.00")
    assert (await issued(office, plan_id, 1, legal_entity=entity)).status_code == 200
    plan = await office.finance().sees(f"/v1/payment-plans/{plan_id}")
    assert plan["instalments"][0]["invoice_number"] == f"{entity}-1000000002"


async def five_instalments(office: Office) -> UUID:
    return await office.plan(
        DrawUpPlan(
            contract_id=new_id(),
            account_id=new_id(),
            total=Money(amount=Decimal("50.00"), currency="EUR"),
            payment_terms=tuple(PaymentTerm(ratio=Decimal("0.2"), days=days) for days in range(1, 6)),
            on=office.running.clock.now().date(),
        )
    )


async def test_a_plan_with_parts_of_nothing_is_finished_once_the_rest_is_invoiced_rec_1(office: Office) -> None:
    """Fault R5: a cent in three parts left two of nothing, which could never be invoiced."""
    plan_id = await office.plan(
        DrawUpPlan(
            contract_id=new_id(),
            account_id=new_id(),
            total=Money(amount=Decimal("0.01"), currency="EUR"),
            payment_terms=tuple(PaymentTerm(ratio=Decimal(ratio), days=0) for ratio in ("0.3", "0.3", "0.4")),
            on=office.running.clock.now().date(),
        )
    )
    finance = office.finance()
    plan = await finance.sees(f"/v1/payment-plans/{plan_id}")
    (number,) = (part["number"] for part in plan["instalments"] if part["left"]["amount"] != "0.00")
    done = await issued(office, plan_id, number)
    token = done.headers["Consistency-Token"]
    left = await shown(finance, "/v1/instalments", token, plan=str(plan_id), invoiced="false")
    assert left["items"] == []
    [row] = [each for each in (await shown(finance, "/v1/payment-plans", token))["items"] if each["id"] == str(plan_id)]
    assert (row["instalments"], row["invoiced"], row["to_invoice"]) == (3, 3, eur("0.00"))
