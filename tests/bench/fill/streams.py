"""Long streams for the section of ledgers, written as the services write them: books of customers by COPY, number
series and assignment queues by one statement each. History leads to no reactions and is in no topic."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from services.leads.domain.assignment import queue_of
from services.receivables.app import SERVICE
from services.receivables.domain.ledger.state import ledger_of, movement
from services.receivables.domain.numbers import series_of
from shared.events.codec import Codec
from shared.events.definition import value
from shared.events.money import Money
from shared.events.receivables.ledger import InvoiceIssued, ReceiptAllocated, ReceiptRecorded
from shared.events.registry import type_of, version_of
from shared.kafka.partitioning import PARTITIONS, partition_of
from shared.service.definition import registry_for
from tests.bench.fill.copying import EVENT_COLUMNS, PASSED, PUBLISHED

COLUMNS = tuple(name for name in EVENT_COLUMNS if name != "position")
HEAD = "insert into stream_head (aggregate_id, aggregate, sequence) values ($1, $2, $3)"
COUNTED = (
    "insert into event (aggregate_id, aggregate, sequence, event_id, type, version, partition, occurred_at,"
    " recorded_at, actor, correlation_id, causation_id, imported, data)"
    " select $1::uuid, $2::text, number, gen_random_uuid(), $3::text, 1, $4::smallint, now(), now(), 'bench',"
    " gen_random_uuid(), gen_random_uuid(), true, {data} from generate_series(1, $5::bigint) as number"
)
NUMBERS = COUNTED.format(
    data="json_build_object('series_id', $1::uuid, 'legal_entity', 'BENCH', 'number', number,"
    " 'invoice_id', gen_random_uuid())"
)
TURNS = COUNTED.format(
    data="json_build_object('team_id', $6::uuid, 'member_id', gen_random_uuid(), 'lead_id', gen_random_uuid())"
)
NAMES = UUID(int=0xBE)
"""Everything that is made here has its id from it."""
LARGE, SMALL = Decimal(1_000_000), Decimal(100)
"""An invoice that small receipts never settle, and one that is settled at once."""
DUE_DAYS = 60
"""Nothing becomes overdue while it is measured."""


@value
class Books:
    """A customer's ledger to be written: receipts that settle nothing, invoices that stay open, and pairs of an invoice
    and the receipt that settles it."""

    name: str
    currency: str
    today: date
    credits: int = 0
    waiting: int = 0
    settled: int = 0

    @property
    def account_id(self) -> UUID:
        return uuid5(NAMES, self.name)

    @property
    def id(self) -> UUID:
        return ledger_of(self.account_id, self.currency)

    @property
    def length(self) -> int:
        """How many events they are."""
        return self.credits + self.waiting + 3 * self.settled


SERIES, QUEUE = series_of("BENCH"), queue_of(NAMES)


def events_of(books: Books) -> Iterator[Any]:
    """The events of a ledger, in their order."""
    for number in range(books.credits):
        yield _receipt(books, f"credit-{number}", SMALL)
    for number in range(books.waiting):
        yield _invoice(books, f"waiting-{number}", LARGE + number)
    for number in range(books.settled):
        invoice, receipt = _invoice(books, f"settled-{number}", SMALL), _receipt(books, f"paid-{number}", SMALL)
        yield from (invoice, receipt, _allocated(books, invoice, receipt))


def _invoice(books: Books, name: str, amount: Decimal) -> InvoiceIssued:
    due, money = books.today + timedelta(days=DUE_DAYS), Money(amount=amount, currency=books.currency)
    return InvoiceIssued(
        ledger_id=books.id,
        account_id=books.account_id,
        invoice_id=uuid5(books.id, name),
        number=f"{books.name}-{name}",
        legal_entity="MAIN",
        amount=money,
        on=books.today,
        due=due,
        overdue_from=datetime.combine(due + timedelta(days=1), time(), UTC),
        contract_id=uuid5(books.id, f"contract-{name}"),
        owner=NAMES,
        team=NAMES,
        entries=movement("receivable", "revenue", money),
    )


def _receipt(books: Books, name: str, amount: Decimal) -> ReceiptRecorded:
    money = Money(amount=amount, currency=books.currency)
    return ReceiptRecorded(
        ledger_id=books.id,
        account_id=books.account_id,
        receipt_id=uuid5(books.id, name),
        bank_reference=f"{books.name}-{name}",
        amount=money,
        on=books.today,
        entries=movement("bank", "unapplied-credit", money),
    )


def _allocated(books: Books, invoice: InvoiceIssued, receipt: ReceiptRecorded) -> ReceiptAllocated:
    return ReceiptAllocated(
        ledger_id=books.id,
        account_id=books.account_id,
        receipt_id=receipt.receipt_id,
        invoice_id=invoice.invoice_id,
        invoice_number=invoice.number,
        amount=receipt.amount,
        open_after=invoice.amount - receipt.amount,
        rule="exact-amount",
        on=books.today,
        owner=invoice.owner,
        team=invoice.team,
        contract_id=invoice.contract_id,
        entries=movement("unapplied-credit", "receivable", receipt.amount),
    )


def rows_of(books: Books, now: datetime) -> Iterator[tuple[Any, ...]]:
    """The events of a ledger as rows of a store."""
    codec, partition = Codec(registry_for(SERVICE)), partition_of(books.id, PARTITIONS)
    for sequence, event in enumerate(events_of(books), start=1):
        kind, event_id = type(event), uuid5(books.id, str(sequence))
        yield (
            *(books.id, "ledger", sequence, event_id, type_of(kind), version_of(kind), partition, now, now, "bench"),
            *(event_id, event_id, True, None, codec.encode(event).data.decode()),
        )


async def write_books(connection: Any, all_books: Sequence[Books], now: datetime) -> None:
    """Write ledgers into receivables' store, which nobody reads meanwhile."""
    async with connection.transaction():
        for books in all_books:
            await connection.copy_records_to_table("event", records=rows_of(books, now), columns=COLUMNS)
            await connection.execute(HEAD, books.id, "ledger", books.length)


async def write_series(connection: Any, length: int) -> None:
    """Write a number series into receivables' store."""
    await _count(connection, NUMBERS, SERIES, "number-series", "receivables.invoice-number-taken", length)


async def write_queue(connection: Any, length: int) -> None:
    """Write an assignment queue into leads' store."""
    await _count(connection, TURNS, QUEUE, "assignment-queue", "leads.turn-taken", length, NAMES)


async def _count(connection: Any, text: str, one: UUID, aggregate: str, kind: str, length: int, *more: Any) -> None:
    async with connection.transaction():
        await connection.execute(text, one, aggregate, kind, partition_of(one, PARTITIONS), length, *more)
        await connection.execute(HEAD, one, aggregate, length)


async def settle(connection: Any) -> None:
    """What was written counts as published and as reacted to."""
    await connection.execute(PUBLISHED)
    await connection.execute(PASSED.format(table="event", source="log"))
    await connection.execute("analyze")
