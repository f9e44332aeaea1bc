"""One sale from lead to cash, over HTTP only, through the gateway of a whole stack on real parts.

Every question that follows a command shows the command's token and sees its effect; nothing waits for a guess.
"""

import asyncio
import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from shared.ops.ids import new_id
from tests.journey.company import (
    AMOUNT,
    Company,
    complete,
    contracts_of,
    done,
    found,
    made,
    quarter,
    seen,
)
from tests.journey.full_process import STAGES, enter_contract, goes_over
from tests.whole_stack import Answer, Person, WholeStack

EVIDENCE = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """What a sale brought about, by id."""

    company: Company
    lead: str
    deal: str
    account: str
    close: date


async def test_lead_to_cash(stack: WholeStack) -> None:
    """LEAD-1, LEAD-4, LEAD-7, LEAD-8, ACCT-1, PROC-1, DEAL-1, DEAL-2, DEAL-3, DEAL-6, DEAL-9, DEAL-12, CON-1, CON-2,
    CON-3, REC-1, REC-2, REC-3, REC-4, REC-5, FC-1, FC-3, FC-4, FC-7, API-2, API-3, API-4, API-6."""
    company = await found(stack)
    lead = await a_lead_is_captured_and_qualified(company)
    await stack.let_pass(days=3)
    sale = await it_becomes_a_deal(company, lead)
    before = datetime_of((await seen(company.manager, "/v1/funnel", team=company.team))["as_of"])
    await it_follows_the_full_process(sale)
    await the_gates_name_every_unmet_criterion(sale)
    drafted = await it_reaches_the_contract_stage(sale)
    await legal_is_asked_by_itself_and_reviews_it(sale, drafted)
    contract = await one_contract_is_drafted(sale, drafted)
    await the_pipeline_shows_it(sale, drafted, before)
    await stack.let_pass(days=10)
    won = await it_is_won_yesterday(sale)
    assert [each["id"] for each in await contracts_of(company.rep, sale.deal, after=won)] == [contract]
    await both_clocks_tell_it(sale, won)
    active = await the_contract_comes_into_force(sale, contract)
    plan = await the_payment_plan_adds_up(sale, contract, active)
    invoiced = await invoices_have_numbers_without_gaps(sale, plan)
    paid = await money_settles_them(sale, invoiced)
    await the_figures_hold_it(sale, won, invoiced)
    await its_history_is_told(sale, won)
    await all_of_it_happened_with_the_account(sale, contract, paid)
    await the_stream_told_it(sale)
    await what_is_not_paid_falls_overdue(sale)
    await whom_it_concerns_is_told_until_it_is_paid(sale)


# -- the acts ---------------------------------------------------------------------------------------------------------


async def a_lead_is_captured_and_qualified(company: Company) -> str:
    domain = f"northwind-{company.mark}.example"
    captured = await made(
        company.rep,
        "/v1/leads",
        {
            "source": "fair",
            "person_name": "Ada Moreno",
            "email": f"ada@{domain}",
            "company_name": f"Northwind {company.mark}",
            "company_domain": domain,
        },
    )
    path = f"/v1/leads/{captured.id}"
    lead = await seen(company.rep, path, after=captured)
    assert (lead["status"], lead["owner"], lead["team"]) == ("open", company.rep_id, company.team)
    assert (await company.stranger.get(path)).status == 404
    assert (await seen(company.stranger, "/v1/leads", after=captured))["items"] == []

    await done(company.rep, f"{path}/log-activity", {"kind": "call", "minutes": 12, "outcome": "reached"})
    early = await company.rep.post(f"{path}/convert", {})
    assert (early.status, early.body["code"]) == (409, "not-qualified")
    assert len(early.body["errors"]) == 3
    qualification = {"need_stated": True, "budget": {"amount": "650000.00", "currency": "EUR"}}
    await done(company.rep, f"{path}/note-qualification", {**qualification, "decision_chain_known": True})
    return captured.id


async def it_becomes_a_deal(company: Company, lead: str) -> Sale:
    close = company.today + timedelta(days=20)
    wanted = {"name": f"Line for {company.mark}", "amount": AMOUNT, "expected_close": str(close)}
    path = f"/v1/leads/{lead}"
    assert (await company.stranger.post(f"{path}/convert", {"deal": wanted})).status == 404
    assert (await company.finance.post(f"{path}/convert", {"deal": wanted})).status == 403
    key = str(new_id())
    converted = await done(company.rep, f"{path}/convert", {"buying_role": "champion", "deal": wanted}, key=key)
    again = await done(company.rep, f"{path}/convert", {"buying_role": "champion", "deal": wanted}, key=key)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.body == converted.body

    told = await seen(company.rep, path, after=converted)
    assert told["status"] == "converted"
    account = await seen(company.rep, f"/v1/accounts/{told['account_id']}", after=converted)
    assert [contact["buying_role"] for contact in account["contacts"]] == ["champion"]
    deal = await seen(company.rep, f"/v1/deals/{told['deal_id']}", after=converted)
    assert (deal["status"], deal["stage"], deal["owner"]) == ("open", "initial-contact", company.rep_id)
    assert deal["amount"] == AMOUNT
    assert (await company.stranger.get(f"/v1/deals/{told['deal_id']}")).status == 404
    return Sale(company=company, lead=lead, deal=told["deal_id"], account=told["account_id"], close=close)


async def it_follows_the_full_process(sale: Sale) -> None:
    gone_over = await goes_over(sale.company, sale.deal)
    deal = await seen(sale.company.rep, f"/v1/deals/{sale.deal}", after=gone_over)
    assert (deal["stage"], deal["process_rule"]) == ("needs-diagnosis", "migrated")
    due = {node["key"] for node in deal["nodes"]}
    assert {"situation", "problem", "implication", "need-payoff"} <= due
    assert "first-conversation" not in due


async def the_gates_name_every_unmet_criterion(sale: Sale) -> None:
    """Of a stage left and the one entered, and of a key action and its deliverable: all at once, and on record."""
    rep, path = sale.company.rep, f"/v1/deals/{sale.deal}"
    refused = await rep.post(f"{path}/move", {"stage": "solution"})
    assert (refused.status, refused.body["code"]) == (409, "gate-closed")
    assert [(fault["details"]["gate"], fault["details"]["criterion"]) for fault in refused.body["errors"]] == [
        ("exit of needs-diagnosis", "needs-confirmed"),
        ("exit of needs-diagnosis", "budget-known"),
        ("exit of needs-diagnosis", "decision-chain-known"),
        ("entry of solution", "goal-known"),
    ]
    early = await rep.post(f"{path}/complete-node", {"key": "situation", "evidence": "CRM-DOC-situation"})
    assert (early.status, early.body["code"]) == (409, "gate-closed")
    assert [fault["details"].get("criterion", fault["code"]) for fault in early.body["errors"]] == [
        "deliverable-missing",
        "intent-to-cooperate",  # that it came from a lead is known
        "no-key-gap",
    ]
    recorded = (await seen(rep, f"{path}/history"))["items"]
    assert [fact["data"]["key"] for fact in recorded if fact["type"] == "deals.deal-gate-refused"] == [
        "solution",
        "situation",
    ]
    assert (await sale.company.stranger.post(f"{path}/move", {"stage": "solution"})).status == 404
    forbidden = await sale.company.legal.post(f"{path}/move", {"stage": "solution"})
    assert forbidden.status == 403
    assert forbidden.body["detail"]


async def it_reaches_the_contract_stage(sale: Sale) -> Answer:
    await done(sale.company.rep, f"/v1/deals/{sale.deal}/log-activity", {"kind": "visit", "minutes": 90})
    moved = await enter_contract(sale.company, sale.deal)
    deal = await seen(sale.company.manager, f"/v1/deals/{sale.deal}", after=moved)
    assert deal["stage"] == "contract"
    assert [visit["stage"] for visit in deal["trail"]] == ["initial-contact", *STAGES]
    return moved


async def legal_is_asked_by_itself_and_reviews_it(sale: Sale, moved: Answer) -> None:
    """The stage has a rule that asks legal for the review; the rep files what they say, and the gate is open."""
    company, path = sale.company, f"/v1/deals/{sale.deal}"
    async with asyncio.timeout(20):
        # A reaction asks for it, which is nobody's request: there is no token to show.
        while True:
            if asked := (await seen(company.legal, "/v1/support-requests", deal=sale.deal))["items"]:
                break
            await asyncio.sleep(0.05)
    [review] = asked
    assert (review["type"], review["department"], review["status"]) == ("legal-review", "legal", "asked")
    await done(company.legal, f"/v1/support-requests/{review['id']}/deliver", {"reference": "DOC-77"})
    await complete(company, sale.deal, "legal-review", "signing-day", "contract-draft")
    page = await seen(company.rep, f"{path}/page")
    assert page["gate"]["is_open"], page["gate"]


async def one_contract_is_drafted(sale: Sale, moved: Answer) -> str:
    [drafted] = await contracts_of(sale.company.rep, sale.deal, after=moved)
    assert (drafted["status"], drafted["total"]) == ("drafted", AMOUNT)
    assert (await sale.company.stranger.get(f"/v1/contracts/{drafted['id']}")).status == 404
    return str(drafted["id"])


async def the_pipeline_shows_it(sale: Sale, moved: Answer, before: datetime) -> None:
    """The funnel, the forecast and the changes, each for the team alone."""
    company, amount = sale.company, Decimal(AMOUNT["amount"])
    team = {"team": company.team, "after": moved}
    funnel = await seen(company.manager, "/v1/funnel", **team)
    stages = {stage["stage"]: stage for stage in funnel["stages"]}
    assert (stages["contract"]["count"], stages["contract"]["amount"]) == (1, AMOUNT)
    assert stages["contract"]["weighted"]["amount"] == "558000.01"
    assert sum(stage["count"] for stage in stages.values()) == 1
    rows = await seen(company.manager, "/v1/funnel/deals", stage="contract", **team)
    assert [row["id"] for row in rows["deals"]] == [sale.deal]
    empty = await seen(company.stranger, "/v1/funnel", after=moved)
    assert sum(stage["count"] for stage in empty["stages"]) == 0

    forecast = await seen(company.manager, "/v1/forecast", period=quarter(sale.close), **team)
    assert (forecast["open"], forecast["weighted"]["amount"]) == (AMOUNT, "558000.01")
    assert forecast["won"]["amount"] == "0.00"

    changes = await seen(
        company.manager, "/v1/pipeline-changes", **{"from": str(company.today - timedelta(30))}, **team
    )
    assert legs(changes)["new"] == (1, amount)
    assert_adds_up(changes)
    still = await seen(company.manager, "/v1/funnel", as_of=before.isoformat(), **team)
    assert {stage["stage"]: stage["count"] for stage in still["stages"]}["contract"] == 0


async def it_is_won_yesterday(sale: Sale) -> Answer:
    company = sale.company
    on = {"on": str(company.today - timedelta(days=1))}
    tomorrow = await company.rep.post(f"/v1/deals/{sale.deal}/win", {"on": str(company.today + timedelta(days=1))})
    assert (tomorrow.status, tomorrow.codes) == (422, ["in-the-future"])
    won = await done(company.rep, f"/v1/deals/{sale.deal}/win", on)
    assert (await done(company.rep, f"/v1/deals/{sale.deal}/win", on)).body["version"] == won.body["version"]
    return won


async def both_clocks_tell_it(sale: Sale, won: Answer) -> None:
    """It happened yesterday and was recorded today: yesterday's answer depends on when one asks."""
    company, yesterday = sale.company, str(sale.company.today - timedelta(days=1))
    asked = {"team": company.team, "after": won}

    def count(funnel: Any) -> tuple[int, int]:
        return sum(stage["count"] for stage in funnel["stages"]), funnel["closed"]["won"]["count"]

    assert count(await seen(company.manager, "/v1/funnel", **asked)) == (0, 1)
    assert count(await seen(company.manager, "/v1/funnel", as_of=yesterday, **asked)) == (0, 1)
    assert count(await seen(company.manager, "/v1/funnel", known_at=yesterday, **asked)) == (1, 0)
    assert count(await seen(company.manager, "/v1/funnel", as_of=yesterday, known_at=yesterday, **asked)) == (1, 0)
    long_ago = str(company.today - timedelta(days=60))
    assert count(await seen(company.manager, "/v1/funnel", as_of=long_ago, **asked)) == (0, 0)
    history = await seen(company.manager, f"/v1/deal-histories/{sale.deal}", known_at=yesterday, after=won)
    assert "deals.deal-won" not in [entry["type"] for entry in history["entries"]]


async def waits_for(person: Person, path: str, *, after: Answer) -> str | None:
    """Where somebody decides about a thing, if that waits for their decision. The token of a command on the thing says
    nothing of its approval, which is told in a topic of its own."""
    rows = (await seen(person, "/v1/decisions", after=after))["decisions"]
    return next((row["address"] for row in rows if row["subject_address"] == path), None)


async def the_contract_comes_into_force(sale: Sale, contract: str) -> Answer:
    company, path, today = sale.company, f"/v1/contracts/{contract}", str(sale.company.today)
    version = (await seen(company.rep, path))["version"]
    terms = [
        {"ratio": "0.3", "days": 30, "label": "Advance"},
        {"ratio": "0.3", "days": 60, "label": "Delivery"},
        {"ratio": "0.4", "days": 90, "label": "Acceptance"},
    ]
    stale = await company.rep.patch(path, {"payment_terms": terms}, version=version + 7)
    assert stale.status == 412
    changed = await company.rep.patch(path, {"payment_terms": terms, "account_id": sale.account}, version=version)
    assert changed.status == 200, changed.body
    submitted = await done(company.rep, f"{path}/submit", {})
    approval = None
    async with asyncio.timeout(20):
        while approval is None:
            approval = await waits_for(company.legal, path, after=submitted)
    assert approval.endswith((await seen(company.rep, path, after=submitted))["approval_id"])
    assert await waits_for(company.rep, path, after=submitted) is None
    assert (await company.rep.post(f"{approval}/approve", {})).body["code"] == "own-submission"
    assert (await company.manager.post(f"{approval}/approve", {})).body["code"] == "not-an-approver"
    agreed = await done(company.legal, f"{approval}/approve", {"reason": "Agreed terms"})
    assert await waits_for(company.legal, path, after=agreed) is None
    assert await waits_for(company.director, path, after=agreed) == approval
    assert (await company.legal.post(f"{approval}/approve", {})).body["code"] == "already-decided"
    assert (await seen(company.legal, path))["status"] == "submitted"
    await done(company.director, f"{approval}/approve", {})
    signature = {"signed_by_us": today, "signed_by_customer": today, "evidence_hash": EVIDENCE}
    await done(company.rep, f"{path}/sign", signature)
    active = await done(company.rep, f"{path}/activate", {"on": today})
    told = await seen(company.legal, path, after=active)
    assert (told["status"], told["account_id"], told["total"]) == ("active", sale.account, AMOUNT)
    return active


async def the_payment_plan_adds_up(sale: Sale, contract: str, active: Answer) -> str:
    finance = sale.company.finance
    [plan] = (await seen(finance, "/v1/payment-plans", contract=contract, after=active))["items"]
    assert plan["total"] == AMOUNT
    instalments = (await seen(finance, "/v1/instalments", plan=plan["id"]))["items"]
    assert [each["label"] for each in instalments] == ["Advance", "Delivery", "Acceptance"]
    assert sum(Decimal(each["amount"]["amount"]) for each in instalments) == Decimal(AMOUNT["amount"])
    assert [each["due"] for each in instalments] == [
        str(sale.company.today + timedelta(days=days)) for days in (30, 60, 90)
    ]
    return str(plan["id"])


async def invoices_have_numbers_without_gaps(sale: Sale, plan: str) -> list[dict[str, Any]]:
    """All three at once: each gets the next number, whoever comes first."""
    company, path = sale.company, f"/v1/payment-plans/{plan}/issue-invoice"
    entity = entity_of(company)
    assert (await company.rep.post(path, {"number": 1})).status == 403
    issued = await asyncio.gather(
        *(company.finance.post(path, {"number": number, "legal_entity": entity}) for number in (1, 2, 3))
    )
    assert [answer.status for answer in issued] == [200, 200, 200], [answer.body for answer in issued]
    for answer in issued:
        listed = (await seen(company.finance, "/v1/invoices", account=sale.account, after=answer))["items"]
    assert sorted(invoice["number"] for invoice in listed) == [f"{entity}-{number:06}" for number in (1, 2, 3)]
    return sorted(listed, key=lambda invoice: str(invoice["due"]))


async def money_settles_them(sale: Sale, invoices: list[dict[str, Any]]) -> Answer:
    """The first invoice by its number; then more than the second asks for: the rest pays into the third."""
    finance, today = sale.company.finance, str(sale.company.today)
    first, second, third = invoices
    receipt = {"account_id": sale.account, "bank_reference": f"{sale.company.mark}/1", "on": today}
    receipt |= {"amount": first["amount"], "reference": first["number"]}
    assert (await sale.company.rep.post("/v1/receipts", receipt)).status == 403
    received = await made(finance, "/v1/receipts", receipt)
    assert (await finance.post("/v1/receipts", receipt)).body["version"] == received.body["version"]
    other = {**receipt, "amount": {"amount": "1.00", "currency": "EUR"}}
    assert (await finance.post("/v1/receipts", other)).status == 409
    gold = {**receipt, "bank_reference": "x", "amount": {"amount": "1.00", "currency": "XAU"}}
    refused = await finance.post("/v1/receipts", gold)
    assert refused.status in (409, 422)
    assert "currency" in json.dumps(refused.body["errors"])

    over = Decimal(second["amount"]["amount"]) + 1000
    more = {**receipt, "bank_reference": f"{sale.company.mark}/2", "reference": second["number"]}
    received = await made(finance, "/v1/receipts", {**more, "amount": {"amount": str(over), "currency": "EUR"}})
    listed = (await seen(finance, "/v1/invoices", account=sale.account, after=received))["items"]
    still = {invoice["number"]: Decimal(invoice["open"]["amount"]) for invoice in listed}
    assert still == {
        first["number"]: 0,
        second["number"]: 0,
        third["number"]: Decimal(third["amount"]["amount"]) - 1000,
    }
    return received


async def the_figures_hold_it(sale: Sale, won: Answer, invoices: list[dict[str, Any]]) -> None:
    company = sale.company
    closing = company.today - timedelta(days=1)
    asked = {"team": company.team, "after": won}
    funnel = await seen(company.manager, "/v1/funnel", **{"from": str(closing), "to": str(closing)}, **asked)
    assert (funnel["closed"]["won"]["count"], funnel["closed"]["won"]["amount"]) == (1, AMOUNT)
    assert funnel["closed"]["won"]["cycle_days"]["n"] == 1
    assert Decimal(funnel["closed"]["won"]["cycle_days"]["mean"]) == 12

    target = {"period": quarter(closing), "level": "team", "team": company.team}
    goal = await made(company.manager, "/v1/targets", {**target, "amount": {"amount": "1240000.02", "currency": "EUR"}})
    foreign = {**target, "period": "2031", "amount": {"amount": "1.00", "currency": "USD"}}
    assert (await company.manager.post("/v1/targets", foreign)).status in (409, 422)
    forecast = await seen(company.manager, "/v1/forecast", period=quarter(closing), team=company.team, after=goal)
    assert (forecast["won"], Decimal(forecast["attainment"])) == (AMOUNT, Decimal("0.5"))
    assert forecast["gap"]["amount"] == AMOUNT["amount"]

    metrics = {each["metric"]: each for each in (await seen(company.manager, "/v1/health-metrics", **asked))["metrics"]}
    counted = {name: (Decimal(each["numerator"]), Decimal(each["denominator"])) for name, each in metrics.items()}
    assert counted["sales-cycle"] == (Decimal(12), Decimal(1))
    assert counted["win-rate"] == counted["lead-conversion"] == (Decimal(1), Decimal(1))
    assert metrics["sales-cycle"]["state"] == "no-data", "one deal is too small a sample"

    changes = await seen(company.manager, "/v1/pipeline-changes", **{"from": str(closing - timedelta(5))}, **asked)
    assert legs(changes)["won"] == (1, -Decimal(AMOUNT["amount"]))
    assert_adds_up(changes)


async def its_history_is_told(sale: Sale, won: Answer) -> None:
    history = await seen(sale.company.manager, f"/v1/deal-histories/{sale.deal}", after=won)
    types = [entry["type"].removeprefix("deals.") for entry in history["entries"]]
    assert types[0] == "deal-opened"
    assert types[-1] == "deal-won"
    assert types.count("deal-moved") == 3
    last = history["entries"][-1]
    assert datetime_of(last["occurred_at"]) < datetime_of(last["recorded_at"])
    assert last["actor_name"] == f"Rosa.{sale.company.mark}".title()
    (outcome,) = [each for each in last["changes"] if each["field"] == "outcome"]
    assert outcome["title"] == "Outcome"
    assert (outcome["before"], outcome["before_title"]) == ("open", "Open")
    assert (outcome["after"], outcome["after_title"]) == ("won", "Won")
    assert (await sale.company.stranger.get(f"/v1/deal-histories/{sale.deal}")).status == 404


async def all_of_it_happened_with_the_account(sale: Sale, contract: str, paid: Answer) -> None:
    """From the lead that it came from to the money, each as far as its reader sees it."""
    path = f"/v1/account-timelines/{sale.account}"
    kinds = {"account", "lead", "deal", "contract", "payment-plan", "ledger"}
    timeline = (await seen(sale.company.finance, path, limit=200, after=paid))["entries"]
    assert {entry["aggregate"] for entry in timeline} == kinds
    assert {entry["id"] for entry in timeline} >= {sale.lead, sale.account, sale.deal, contract}
    told = [entry["type"].partition(".")[2] for entry in reversed(timeline)]
    way = ("lead-captured", "lead-converted", "deal-won", "contract-signed", "invoice-issued", "receipt-allocated")
    assert sorted(way, key=told.index) == [*way]
    assert "receipt-recorded" in told
    assert "Ada" not in json.dumps(timeline)
    mine = (await seen(sale.company.rep, path, limit=200))["entries"]
    assert {entry["aggregate"] for entry in mine} == kinds
    assert (await sale.company.stranger.get(path)).status == 404


async def the_stream_told_it(sale: Sale) -> None:
    """Whoever comes back with the id of an event misses nothing that followed it."""
    newest = (await seen(sale.company.manager, "/v1/newest-events", limit=100))["events"]
    mine = [event for event in reversed(newest) if event["id"] == sale.deal]
    wanted, heard = [event["position"] for event in mine[1:]], []
    async with asyncio.timeout(20), sale.company.manager.listening(last=mine[0]["position"]) as events:
        while wanted[-1] not in heard:
            heard.append((await anext(events))["position"])
    assert heard == sorted(set(heard)), "in order, each once"
    assert set(wanted) <= set(heard)


async def what_is_not_paid_falls_overdue(sale: Sale) -> None:
    await sale.company.stack.let_pass(days=100)

    async def overdue() -> list[str]:
        asked = {"account": sale.account, "overdue": "true"}
        return [invoice["status"] for invoice in (await seen(sale.company.finance, "/v1/invoices", **asked))["items"]]

    async with asyncio.timeout(30):
        # The timer's command is nobody's request: there is no token to show.
        while True:
            if late := await overdue():
                break
            await asyncio.sleep(0.05)
    assert late == ["part-paid"]


async def whom_it_concerns_is_told_until_it_is_paid(sale: Sale) -> None:
    company = sale.company
    people = (company.rep, company.manager)

    async def inboxes() -> list[list[dict[str, Any]]]:
        asked = {"account": sale.account, "kind": "invoice-overdue", "mine": "true"}
        return [(await seen(person, "/v1/notices", **asked))["items"] for person in people]

    async with asyncio.timeout(30):
        while not all(told := await inboxes()):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)
    assert [[each["status"] for each in inbox] for inbox in told] == [["unread"], ["unread"]]
    (own,), _ = told
    assert (await company.manager.post(f"/v1/notices/{own['id']}/read", {})).status == 404
    await done(company.rep, f"/v1/notices/{own['id']}/acknowledge", {})
    rest = {"account_id": sale.account, "bank_reference": f"{company.mark}/3", "on": str(company.today)}
    paid = await made(company.finance, "/v1/receipts", {**rest, "amount": own["amount"], "reference": own["reference"]})
    for person in people:
        found = await seen(person, "/v1/notices", account=sale.account, kind="invoice-overdue", after=paid)
        assert [each["status"] for each in found["items"]] == ["settled"]


# -- what the acts share ----------------------------------------------------------------------------------------------


def entity_of(company: Company) -> str:
    """A legal entity of this company alone."""
    return f"J{company.mark}".upper()[:16]


def datetime_of(text: str) -> datetime:
    return datetime.fromisoformat(text)


def legs(changes: Any) -> dict[str, tuple[int, Decimal]]:
    return {leg["leg"]: (leg["count"], Decimal(leg["amount"]["amount"])) for leg in changes["legs"]}


def assert_adds_up(changes: Any) -> None:
    moved = sum(amount for _, amount in legs(changes).values())
    assert Decimal(changes["start"]["amount"]["amount"]) + moved == Decimal(changes["end"]["amount"]["amount"])
