"""From won deals to money: contracts, invoices, and receipts that come on time, late, or not yet."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from deploy.demo.calendar import Calendar
from deploy.demo.cast import DIRECTOR, LEGAL, Line
from deploy.demo.deals import Deal
from deploy.demo.market import money
from shared.domain.money import split
from shared.events.money import Money

TERMS = (("0.30", 30, "Advance"), ("0.60", 60, "Delivery"), ("0.10", 90, "Retention"))
DAYS_TO_PAY = 27
OVERDUE_SHARE = 0.19
"""Of what is owed, by amount."""
LATE_PAYERS = 0.35


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """The contract of a deal with the days of its steps, as far as they have come."""

    deal: Deal
    drafted: date
    submitted: date | None
    approved: date | None
    activated: date | None
    """Signed on the same day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """An invoice; `paid` is None while it is open."""

    contract: Contract
    part: int
    amount: Decimal
    on: date
    due: date
    paid: date | None


def contracts(random: Random, calendar: Calendar, deals: Sequence[Deal]) -> list[Contract]:
    """The contracts of won deals, and of open ones in their last stage."""
    made = []
    for deal in deals:
        drafting = [visit.on for visit in deal.course.visits if deal.process.stage(visit.stage).drafts_contract]
        if deal.won_on:
            began, agreed = (drafting or [deal.won_on])[-1], deal.won_on
            approved = max(began, agreed - timedelta(days=random.randint(0, 3)))
            signed: date | None = agreed + timedelta(days=random.randint(0, 9))
        elif deal.is_open and drafting:
            began, signed = drafting[-1], None
            approved = began + timedelta(days=random.randint(12, 40))
        else:
            continue
        submitted = max(began, approved - timedelta(days=random.randint(1, 3)))
        days = [calendar.working(day) if day else None for day in (submitted, approved, signed)]
        known = [day if day and day <= calendar.last else None for day in days]
        for place in (1, 2):  # a step that has not come hides those after it
            known[place] = known[place] if known[place - 1] else None
        made.append(Contract(deal=deal, drafted=began, submitted=known[0], approved=known[1], activated=known[2]))
    return made


def contract_facts(made: Sequence[Contract], currency: str, random: Random) -> Iterator[Line]:
    """The fact of each contract: one line with the days of its steps."""
    for contract in made:
        deal = contract.deal
        line: Line = {
            "fact": "contract",
            "id": deal.key,
            "name": deal.name,
            "total": money(deal.amount, currency),
            "payment_terms": [{"ratio": ratio, "days": days, "label": label} for ratio, days, label in TERMS],
            "deal": deal.key,
            "account": deal.customer.key,
            "owner": deal.rep.subject,
            "team": deal.rep.team,
            "drafted_on": contract.drafted.isoformat(),
        }
        if contract.submitted:
            line |= {"submitted_on": contract.submitted.isoformat(), "submitter": deal.rep.subject}
        if contract.approved:
            approver = random.choice((LEGAL, LEGAL, DIRECTOR)).subject
            line |= {"approved_on": contract.approved.isoformat(), "approver": approver}
        if contract.activated:
            on = contract.activated.isoformat()
            evidence = hashlib.sha256(deal.key.encode()).hexdigest()
            line |= {"signed_on": on, "activated_on": on, "evidence_hash": evidence}
        yield line


def invoices(random: Random, calendar: Calendar, made: Sequence[Contract], currency: str) -> list[Invoice]:
    """All invoices of contracts in force, in the order of their days."""
    late: dict[str, bool] = {}
    issued: list[Invoice] = []
    for contract in made:
        if contract.activated is None:
            continue
        customer = contract.deal.customer.key
        late.setdefault(customer, random.random() < LATE_PAYERS)
        total = Money(amount=Decimal(contract.deal.amount), currency=currency)
        parts = split(total, [Decimal(ratio) for ratio, _, _ in TERMS])
        for number, ((_, days, _), part) in enumerate(zip(TERMS, parts, strict=True), start=1):
            due = contract.activated + timedelta(days=days)
            on = calendar.working(due - timedelta(days=DAYS_TO_PAY))
            if on > calendar.last:
                continue
            paid = calendar.working(due + timedelta(days=_delay(random, late[customer])))
            issued.append(
                Invoice(
                    contract=contract,
                    part=number,
                    amount=part.amount,
                    on=on,
                    due=due,
                    paid=paid if paid <= calendar.last else None,
                )
            )
    issued.sort(key=lambda invoice: (invoice.on, invoice.contract.deal.key, invoice.part))
    return _with_overdue_share(calendar, issued)


def _delay(random: Random, late: bool) -> int:
    """Days from the due date to the money: late payers take log-normal time, some of them very long."""
    if not late:
        return random.randint(-8, 1)
    if random.random() < 0.04:
        return random.randint(90, 140)
    return int(random.lognormvariate(2.1, 0.8))


def _with_overdue_share(calendar: Calendar, issued: list[Invoice]) -> list[Invoice]:
    """The invoices, of which as many overdue ones are paid or not yet paid as the wanted share needs."""
    owed = [invoice for invoice in issued if invoice.paid is None]
    not_due = sum(invoice.amount for invoice in owed if invoice.due >= calendar.today)
    aim = not_due * Decimal(OVERDUE_SHARE) / (1 - Decimal(OVERDUE_SHARE))
    overdue, open_now = Decimal(0), set[int]()
    late = [place for place, invoice in enumerate(issued) if invoice.due < calendar.today]
    # Those not paid yet first, then those that were paid last.
    late.sort(
        key=lambda place: (issued[place].paid is not None, -(issued[place].paid or issued[place].due).toordinal())
    )
    for place in late:
        if overdue + issued[place].amount <= aim:
            overdue += issued[place].amount
            open_now.add(place)
    last = calendar.worked(calendar.last)

    def settled(place: int, invoice: Invoice) -> Invoice:
        if place in open_now:
            return replace(invoice, paid=None)
        if invoice.due < calendar.today and invoice.paid is None:
            return replace(invoice, paid=max(invoice.on, last))
        return invoice

    return [settled(place, invoice) for place, invoice in enumerate(issued)]


def cash_facts(issued: Sequence[Invoice], currency: str) -> Iterator[Line]:
    """The facts of invoices and receipts in the order of their days."""
    entries: list[tuple[date, int, Line]] = []
    for number, invoice in enumerate(issued, start=1):
        deal = invoice.contract.deal
        key, written = f"{deal.key}/{invoice.part}", f"{invoice.on.year}/{number:04}"
        line = {
            "fact": "invoice",
            "id": key,
            "account": deal.customer.key,
            "amount": money(float(invoice.amount), currency),
            "on": invoice.on.isoformat(),
            "due": invoice.due.isoformat(),
            "number": written,
            "contract": deal.key,
            "deal": deal.key,
            "owner": deal.rep.subject,
            "team": deal.rep.team,
        }
        entries.append((invoice.on, 0, line))
        if invoice.paid:
            receipt = {
                "fact": "receipt",
                "id": key,
                "account": deal.customer.key,
                "bank_reference": f"{invoice.paid.isoformat()}/{number:04}",
                "amount": money(float(invoice.amount), currency),
                "on": invoice.paid.isoformat(),
                "reference": written,
            }
            entries.append((invoice.paid, 1, receipt))
    yield from (line for _, _, line in sorted(entries, key=lambda entry: entry[:2]))
