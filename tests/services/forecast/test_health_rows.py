"""Health reads maintained rows; they say what counting every lead, task and invoice says, at any instant (FC-7).

What was known then is counted from all rows: asked as known at the end of time, it is what the maintained rows have to
come to.
"""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from services.forecast.asking.question import NOBODY, Question
from services.forecast.cash.debts import Item, debts
from services.forecast.cash.queries import ever_invoiced, invoiced, open_items
from services.forecast.execution.queries import completion
from services.forecast.leads.queries import conversion
from shared.events.deals.deal import DealNodeCompleted, DueNode
from shared.events.envelope import Envelope
from shared.events.leads.lead import LeadAssigned, LeadCaptured, LeadConverted, LeadMarkedDuplicate
from shared.events.money import Money
from shared.events.receivables.ledger import InvoiceIssued, ReceiptAllocated
from tests.services.forecast.conftest import COMPANY, Forecast
from tests.services.forecast.facts import ANNA, BEN, NORTH, SOUTH, fact, handed_over, lost, moved, opened
from tests.services.forecast.rates import CURRENCIES, tables
from tests.services.forecast.test_changes import ALL
from tests.services.forecast.test_deals import START

EVER = START + timedelta(days=9999)
WHOSE = ((ANNA, NORTH), (BEN, SOUTH), (ANNA, SOUTH))
SCOPES: tuple[dict[str, Any], ...] = (
    {},
    {"teams": (NORTH,)},
    {"owners": (ANNA,)},
    {"sees_all": False, "sees_teams": (NORTH,), "member": BEN, "owners": (ANNA, BEN, NOBODY)},
    {"sees_all": False, "sees_teams": (SOUTH,), "member": ANNA},
    {"sees_all": False, "sees_teams": (), "member": BEN},
)

Lives = list[list[Envelope[Any]]]


def lead_lives(dice: random.Random) -> Iterator[list[Envelope[Any]]]:
    """Leads: some handed on, some converted, some duplicates."""
    for number in range(70):
        lead, sequence = UUID(int=5000 + number), 1
        at = START + timedelta(hours=dice.randrange(0, 2400))
        told: list[tuple[Any, datetime]] = [(LeadCaptured(lead_id=lead, source="web"), at)]
        for _ in range(dice.randrange(0, 3)):
            owner, team = dice.choice(WHOSE)
            assigned = LeadAssigned(lead_id=lead, team_id=team, member_id=owner, rule="turn")
            told.append((assigned, at + timedelta(hours=dice.randrange(0, 50))))
        if dice.random() < 0.5:
            ended = LeadConverted(
                lead_id=lead,
                account_id=lead,
                contact_id=lead,
                captured_at=at,
                source="web",
                owner=ANNA,
                team=NORTH,
                deal_id=lead if dice.random() < 0.8 else None,
            )
            told.append((ended, at + timedelta(hours=dice.choice([1, dice.randrange(0, 900)]))))
        elif dice.random() < 0.2:
            same = LeadMarkedDuplicate(
                lead_id=lead, original_id=lead, original_kind="lead", matched_on="email", score=Decimal(1)
            )
            told.append((same, at))
        yield [
            replace(fact(sequence + n, data, when, deal=lead), service="leads", aggregate="lead")
            for n, (data, when) in enumerate(told)
        ]


def node_lives(dice: random.Random) -> Iterator[list[Envelope[Any]]]:
    """Deals with tasks: done in time or late, left behind with their stage, handed over with the deal."""
    for number in range(50):
        deal, at = UUID(int=6000 + number), START + timedelta(hours=dice.randrange(0, 2000))
        owner, team = dice.choice(WHOSE)
        told: list[tuple[Any, datetime]] = [
            (replace(opened(deal=deal, team=team, owner=owner), nodes=due(dice, at)), at),
        ]
        stage = "contact"
        for _ in range(dice.randrange(0, 5)):
            at += timedelta(hours=dice.randrange(0, 300))
            change = dice.choice(["done", "moved", "handed over", "lost"])
            if change == "done":
                key, kind = dice.choice([("a", "task"), ("b", "task"), ("c", "deliverable")])
                told.append(
                    (
                        DealNodeCompleted(deal_id=deal, stage=stage, key=key, kind=kind, required=True, evidence="x"),
                        at,
                    )
                )
            elif change == "moved":
                before, stage = stage, dice.choice(["needs", "quotation"])
                told.append((replace(moved(stage, before, deal=deal), nodes=due(dice, at)), at))
            elif change == "handed over":
                owner, team = dice.choice(WHOSE)
                told.append((handed_over(team, owner, deal=deal), at))
            else:
                told.append((replace(lost(at.date(), deal=deal), stage=stage), at))
        yield [fact(n, data, when, deal=deal) for n, (data, when) in enumerate(told, 1)]


def due(dice: random.Random, at: datetime) -> tuple[DueNode, ...]:
    return tuple(
        DueNode(
            key=key,
            kind=kind,
            required=dice.random() < 0.8,
            due=COMPANY.day(at) + timedelta(days=dice.randrange(0, 20)),
        )
        for key, kind in (("a", "task"), ("b", "task"), ("c", "deliverable"))
        if dice.random() < 0.7
    )


def ledger_lives(dice: random.Random) -> Iterator[list[Envelope[Any]]]:
    """Invoices, paid in parts or wholly, also by money that came before them."""
    for number in range(12):
        ledger, currency = UUID(int=7000 + number), dice.choice(CURRENCIES)
        told: list[tuple[Any, datetime]] = []
        for which in range(dice.randrange(1, 6)):
            invoice, amount = UUID(int=number * 100 + which + 70_000), 100 * dice.randrange(1, 9)
            at = START + timedelta(hours=dice.randrange(0, 2400))
            owner, team = dice.choice(WHOSE)
            on = COMPANY.day(at)
            told.append(
                (issued(ledger, invoice, Money(amount=Decimal(amount), currency=currency), on, team, owner), at)
            )
            left = amount
            while left and dice.random() < 0.7:
                paid = dice.choice([left, left, 50])
                left -= paid
                when = max(START, at + timedelta(hours=dice.randrange(-100, 1500)))
                told.append((allocated(ledger, invoice, paid, left, currency, COMPANY.day(when)), when))
        yield [
            replace(fact(n, data, when, deal=ledger), service="receivables", aggregate="ledger")
            for n, (data, when) in enumerate(told, 1)
        ]


def issued(
    ledger: UUID, invoice: UUID, amount: Money, on: date, team: UUID | None, owner: UUID | None
) -> InvoiceIssued:
    return InvoiceIssued(
        ledger_id=ledger,
        account_id=ledger,
        invoice_id=invoice,
        number=str(invoice.int),
        legal_entity="main",
        amount=amount,
        on=on,
        due=on + timedelta(days=30),
        team=team,
        owner=owner,
    )


def allocated(ledger: UUID, invoice: UUID, paid: int, left: int, currency: str, on: date) -> ReceiptAllocated:
    return ReceiptAllocated(
        ledger_id=ledger,
        account_id=ledger,
        receipt_id=ledger,
        invoice_id=invoice,
        invoice_number="1",
        amount=Money(amount=Decimal(paid), currency=currency),
        open_after=Money(amount=Decimal(left), currency=currency),
        rule="reference",
        on=on,
    )


async def test_what_health_counts_is_what_counting_everything_comes_to(forecast: Forecast) -> None:
    dice = random.Random(20260316)
    lives = [*lead_lives(dice), *node_lives(dice), *ledger_lives(dice), *([each] for each in tables())]
    await forecast.journal_facts(shuffled(dice, lives))
    moments = [START + timedelta(hours=dice.randrange(0, 3500)) for _ in range(14)]
    moments += [COMPANY.end_of(date(2026, 2, 28)), COMPANY.start_of(date(2026, 3, 1)), START + timedelta(days=500)]
    moments += [life[-1].occurred_at + timedelta(minutes=1) for life in lives[::9]]
    counted = 0
    for moment in moments:
        for scope in SCOPES:
            counted += await compare(forecast, replace(ALL, as_of=moment, **scope))
    assert counted > 1000, "the facts say something"


def shuffled(dice: random.Random, lives: Lives) -> list[Envelope[Any]]:
    """The facts of all in one order, each life in its own."""
    order = [number for number, life in enumerate(lives) for _ in life]
    dice.shuffle(order)
    left = [iter(life) for life in lives]
    return [next(left[number]) for number in order]


async def compare(forecast: Forecast, asked: Question) -> int:
    """The maintained rows against all rows; gives how much there was to count."""
    counted = replace(asked, known_at=EVER)
    seen = 0
    async with forecast.reading() as reading:
        for since in (asked.as_of - timedelta(days=90), asked.as_of - timedelta(days=9), asked.as_of - timedelta(0, 9)):
            for name, count in (("leads", conversion), ("nodes", completion)):
                rows = reading(name)
                found = await count(rows, asked, COMPANY, since)
                assert found == await count(rows, counted, COMPANY, since), (name, asked.as_of, since)
                seen += found.entered + found.reached
        cash = reading
        owed = await open_items(cash, asked, COMPANY)
        assert owed == await open_items(cash, counted, COMPANY), asked.as_of
        for first, last in ((date.min, date.max), (date(2026, 1, 1), date(2026, 3, 31)), (asked.as_of.date(),) * 2):
            billed = await invoiced(cash, asked, COMPANY, first, last)
            assert billed == await invoiced(cash, counted, COMPANY, first, last), (asked.as_of, first)
            ever = await ever_invoiced(cash, asked, COMPANY, last)
            assert ever is await ever_invoiced(cash, counted, COMPANY, last)
    return seen + owed.number


days = st.integers(-5, 200)
settled = st.lists(st.tuples(days.map(lambda day: START + timedelta(days=day)), st.integers(1, 120)), max_size=5)


@settings(max_examples=150)
@given(st.integers(0, 200), settled, days)
def test_what_is_owed_of_an_invoice_at_any_instant(amount: int, paid: list[tuple[datetime, int]], after: int) -> None:
    """One item as long as anything of it is owed, whenever and however much was paid."""
    item = Item(
        amount=Decimal(amount),
        currency="EUR",
        issued_on=START.date(),
        due=START.date(),
        issued_at=START,
        team=NOBODY,
        owner=NOBODY,
        settled=tuple((at, Decimal(part)) for at, part in paid),
    )
    asked = START + timedelta(days=after, hours=1)
    standing = [part for part in debts(item) if part.start <= asked and (part.end is None or part.end > asked)]
    left = amount - sum(part for at, part in paid if at <= asked) if asked >= START else 0
    expected = (1, left) if left > 0 else (0, 0)
    assert (sum(part.what.count for part in standing), sum(part.what.amount for part in standing)) == expected
