"""The invoices and the receipts of a ledger, with what commands ask of them kept as indices.

Both are persistent: a changed one shares nearly everything with the one before. So an event costs nearly the same at
twenty invoices as at twenty thousand, and so does a command.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import reduce
from itertools import chain, starmap, takewhile
from typing import Literal, get_args
from uuid import UUID

from rpds import HashTrieMap

from services.receivables.domain.ledger.remittance import Mention, keys_of, mentions, written_as
from shared.domain.sorted_keys import SortedKeys
from shared.events.definition import value
from shared.events.money import Money
from shared.events.receivables.ledger import Share


@value
class LedgerInvoice:
    """An invoice and what of it is open."""

    id: UUID
    number: str
    amount: Money
    open: Money
    on: date
    due: date
    overdue_from: datetime | None = None
    overdue: bool = False
    contract_id: UUID | None = None
    deal_id: UUID | None = None
    owner: UUID | None = None
    team: UUID | None = None
    legal_entity: str | None = None
    outside_id: str | None = None
    """By what the system knows it that it came from."""
    unnumbered: bool = False
    """History knows no number of it, and it is shown by its outside id."""


@value
class LedgerReceipt:
    """Money that arrived, and what of it settles no invoice yet."""

    id: UUID
    bank_reference: str
    amount: Money
    unapplied: Money
    on: date
    reference: str | None = None
    """What the payer wrote."""
    outside_id: str | None = None
    waits: str | None = None
    """Why it waits for a person: tie, taken-back, or would-be-allocated-otherwise."""
    waits_of_history: bool = False
    """Whether what history tells decided that."""
    shares: tuple[Share, ...] = ()
    """The invoices that it may be for, with what was open then; or how it would be allocated."""
    taken_back: Money | None = None
    """What of it was taken back, and waits until somebody allocates it."""

    @property
    def credit(self) -> Money:
        """What of it settles by itself what is open: what is left, and about which no person has to decide."""
        if self.waits == TIE:
            return self.unapplied - self.unapplied
        return self.unapplied - self.taken_back if self.taken_back else self.unapplied


Waits = Literal["tie", "taken-back", "would-be-allocated-otherwise"]
"""Why a receipt waits for a person."""
TIE, TAKEN_BACK, OTHERWISE = get_args(Waits)


EntryPlace = int
"""The number of an invoice or receipt in the order of entry, from 0 on."""


@dataclass(frozen=True, slots=True)
class InvoiceIndex:
    """What commands ask of the invoices."""

    numbers: SortedKeys[tuple[str, EntryPlace]]
    """By number, in the ways in which a payer may write it."""
    waiting: SortedKeys[tuple[date, str, EntryPlace]]
    """What is open, the oldest due first."""
    amounts: SortedKeys[tuple[Decimal, date, str, EntryPlace]]
    """What is open, by how much, the oldest due first."""
    awaited: SortedKeys[tuple[datetime, EntryPlace]]
    """What is open and not noted as overdue, by when it will be."""

    @classmethod
    def of(cls, placed: Sequence[tuple[EntryPlace, LedgerInvoice]]) -> "InvoiceIndex":
        """The index of all of these."""
        return cls(
            SortedKeys(chain.from_iterable(starmap(_called, placed))),
            SortedKeys(filter(None, starmap(_waits, placed))),
            SortedKeys(filter(None, starmap(_asks, placed))),
            SortedKeys(filter(None, starmap(_awaits, placed))),
        )

    def with_(self, place: EntryPlace, invoice: LedgerInvoice) -> "InvoiceIndex":
        """With an invoice more."""
        return InvoiceIndex(
            _with_all(self.numbers, _called(place, invoice)),
            self.waiting.moved(None, _waits(place, invoice)),
            self.amounts.moved(None, _asks(place, invoice)),
            self.awaited.moved(None, _awaits(place, invoice)),
        )

    def changed(self, place: EntryPlace, before: LedgerInvoice, after: LedgerInvoice) -> "InvoiceIndex":
        """With another content of an invoice; its number stays."""
        return InvoiceIndex(
            self.numbers,
            self.waiting.moved(_waits(place, before), _waits(place, after)),
            self.amounts.moved(_asks(place, before), _asks(place, after)),
            self.awaited.moved(_awaits(place, before), _awaits(place, after)),
        )


def _called(place: EntryPlace, invoice: LedgerInvoice) -> list[tuple[str, EntryPlace]]:
    return [(key, place) for key in keys_of(invoice.number)]


def _waits(place: EntryPlace, invoice: LedgerInvoice) -> tuple[date, str, EntryPlace] | None:
    return (invoice.due, invoice.number, place) if invoice.open.amount > 0 else None


def _asks(place: EntryPlace, invoice: LedgerInvoice) -> tuple[Decimal, date, str, EntryPlace] | None:
    amount = invoice.open.amount
    return (amount, invoice.due, invoice.number, place) if amount > 0 else None


def _awaits(place: EntryPlace, invoice: LedgerInvoice) -> tuple[datetime, EntryPlace] | None:
    if invoice.overdue_from is None or invoice.overdue or invoice.open.amount <= 0:
        return None
    return (invoice.overdue_from, place)


@dataclass(frozen=True, slots=True)
class Invoices:
    """What was invoiced, in the order in which it was entered."""

    standing: "HashTrieMap[EntryPlace, LedgerInvoice]"
    places: "HashTrieMap[UUID, EntryPlace]"
    """By id, the last one should two have the same."""
    outstanding: Decimal
    _index: InvoiceIndex | None = field(default=None, repr=False, compare=False)

    @property
    def index(self) -> InvoiceIndex:
        """The index: made for the first command after a load, and carried along from then on. A fold needs none."""
        if self._index is None:
            # Not a change: it follows from the rest, and everybody would make the same.
            object.__setattr__(self, "_index", InvoiceIndex.of(list(enumerate(self))))
        assert self._index is not None
        return self._index

    def __iter__(self) -> Iterator[LedgerInvoice]:
        return (self.standing[place] for place in range(len(self)))

    def __len__(self) -> int:
        return len(self.standing)

    def get(self, invoice_id: UUID) -> LedgerInvoice | None:
        """The invoice of an id."""
        place = self.places.get(invoice_id)
        return None if place is None else self.standing[place]

    def called(self, number: str) -> list[LedgerInvoice]:
        """The invoices of this number; case and outer spaces are none of it."""
        return self._under(written_as(number))

    def named(self, text: str) -> list[list[LedgerInvoice]]:
        """The invoices whose numbers stand in a payer's text: for each stretch that is a number, those that have it."""
        if whole := self.called(text):
            return [whole]
        found: list[tuple[Mention, list[LedgerInvoice]]] = []
        for mention in mentions(text):
            within = any(other.first <= mention.first and mention.last <= other.last for other, _ in found)
            if not within and (invoices := self._under(mention.key)):
                found.append((mention, invoices))
        return [invoices for _, invoices in found]

    def _under(self, key: str) -> list[LedgerInvoice]:
        return [self.standing[place] for _, place in _beginning(self.index.numbers, key)]

    def oldest(self, by: date) -> LedgerInvoice | None:
        """Of what is open and was issued by a day, that which fell due first."""
        return next((each for each in self.waiting() if each.on <= by), None)

    def open_by(self, amount: Decimal, by: date) -> LedgerInvoice | None:
        """Of what is open by exactly this much and was issued by a day, that which fell due first."""
        exact = takewhile(lambda key: key[0] == amount, self.index.amounts.since((amount,)))
        return next((each for key in exact if (each := self.standing[key[-1]]).on <= by), None)

    def after(self, day: date) -> list[LedgerInvoice]:
        """What is open and was issued after a day, in the order of issue."""
        return sorted((each for each in self.waiting() if each.on > day), key=order_of)

    def waiting(self) -> Iterator[LedgerInvoice]:
        """What is open, the oldest due first."""
        return (self.standing[key[-1]] for key in self.index.waiting)

    def late(self, now: datetime) -> list[LedgerInvoice]:
        """What has become overdue and is not noted as such, in the order in which it was entered."""
        due = takewhile(lambda key: key[0] <= now, self.index.awaited)
        return [self.standing[place] for place in sorted(place for _, place in due)]

    def next_late(self) -> datetime | None:
        """When the next invoice becomes overdue."""
        found = self.index.awaited.first()
        return None if found is None else found[0]

    def with_(self, invoice: LedgerInvoice) -> "Invoices":
        """With an invoice more."""
        place = len(self)
        return Invoices(
            self.standing.insert(place, invoice),
            self.places.insert(invoice.id, place),
            self.outstanding + invoice.open.amount,
            self._index and self._index.with_(place, invoice),
        )

    def changed(self, invoice: LedgerInvoice) -> "Invoices":
        """With another content of an invoice that is here; its number stays."""
        place = self.places[invoice.id]
        before = self.standing[place]
        return Invoices(
            self.standing.insert(place, invoice),
            self.places,
            self.outstanding - before.open.amount + invoice.open.amount,
            self._index and self._index.changed(place, before, invoice),
        )


def invoices_of(invoices: Sequence[LedgerInvoice]) -> Invoices:
    """These invoices, in this order."""
    return Invoices(
        HashTrieMap(enumerate(invoices)),
        HashTrieMap((each.id, place) for place, each in enumerate(invoices)),
        sum((each.open.amount for each in invoices), Decimal(0)),
    )


@dataclass(frozen=True, slots=True)
class ReceiptIndex:
    """What commands ask of the receipts."""

    bank_references: "HashTrieMap[str, EntryPlace]"
    credit: SortedKeys[tuple[date, str, EntryPlace]]
    """What settles by itself what is issued from now on, the oldest first."""
    texts: SortedKeys[tuple[str, EntryPlace]]
    """The same, by each stretch of the payer's text that may be a number."""

    @classmethod
    def of(cls, placed: Sequence[tuple[EntryPlace, LedgerReceipt]]) -> "ReceiptIndex":
        """The index of all of these."""
        return cls(
            HashTrieMap((each.bank_reference, place) for place, each in placed),
            SortedKeys(filter(None, starmap(_is_left, placed))),
            SortedKeys(chain.from_iterable(starmap(_texts, placed))),
        )

    def with_(self, place: EntryPlace, receipt: LedgerReceipt) -> "ReceiptIndex":
        """With a receipt more."""
        return ReceiptIndex(
            self.bank_references.insert(receipt.bank_reference, place),
            self.credit.moved(None, _is_left(place, receipt)),
            _with_all(self.texts, _texts(place, receipt)),
        )

    def changed(self, place: EntryPlace, before: LedgerReceipt, after: LedgerReceipt) -> "ReceiptIndex":
        """With another content of a receipt; its references stay."""
        texts = self.texts
        if before.credit.amount > 0 and after.credit.amount <= 0:
            texts = reduce(SortedKeys.without, _texts(place, before), texts)
        elif after.credit.amount > 0 and before.credit.amount <= 0:
            texts = _with_all(texts, _texts(place, after))
        credit = self.credit.moved(_is_left(place, before), _is_left(place, after))
        return ReceiptIndex(self.bank_references, credit, texts)


def _is_left(place: EntryPlace, receipt: LedgerReceipt) -> tuple[date, str, EntryPlace] | None:
    return (*order_of(receipt), place) if receipt.credit.amount > 0 else None


def _texts(place: EntryPlace, receipt: LedgerReceipt) -> list[tuple[str, EntryPlace]]:
    if receipt.reference is None or receipt.credit.amount <= 0:
        return []
    keys = {written_as(receipt.reference), *(mention.key for mention in mentions(receipt.reference))}
    return [(key, place) for key in sorted(keys)]


@dataclass(frozen=True, slots=True)
class Receipts:
    """What was received, in the order in which it was recorded."""

    standing: "HashTrieMap[EntryPlace, LedgerReceipt]"
    places: "HashTrieMap[UUID, EntryPlace]"
    unapplied: Decimal
    _index: ReceiptIndex | None = field(default=None, repr=False, compare=False)

    @property
    def index(self) -> ReceiptIndex:
        """As that of the invoices."""
        if self._index is None:
            object.__setattr__(self, "_index", ReceiptIndex.of(list(enumerate(self))))
        assert self._index is not None
        return self._index

    def __iter__(self) -> Iterator[LedgerReceipt]:
        return (self.standing[place] for place in range(len(self)))

    def __len__(self) -> int:
        return len(self.standing)

    def get(self, receipt_id: UUID) -> LedgerReceipt | None:
        """The receipt of an id."""
        place = self.places.get(receipt_id)
        return None if place is None else self.standing[place]

    def of(self, bank_reference: str) -> LedgerReceipt | None:
        """The receipt of a bank reference."""
        place = self.index.bank_references.get(bank_reference)
        return None if place is None else self.standing[place]

    def credit(self) -> Iterator[LedgerReceipt]:
        """What settles by itself what is issued from now on, the oldest first."""
        return (self.standing[key[-1]] for key in self.index.credit)

    def credit_for(self, number: str) -> list[LedgerReceipt]:
        """Of that, what named an invoice of this number before it was issued, the oldest first."""
        places = {place for key in keys_of(number) for _, place in _beginning(self.index.texts, key)}
        return sorted((self.standing[place] for place in places), key=order_of)

    def with_(self, receipt: LedgerReceipt) -> "Receipts":
        """With a receipt more."""
        place = len(self)
        return Receipts(
            self.standing.insert(place, receipt),
            self.places.insert(receipt.id, place),
            self.unapplied + receipt.unapplied.amount,
            self._index and self._index.with_(place, receipt),
        )

    def changed(self, receipt: LedgerReceipt) -> "Receipts":
        """With another content of a receipt that is here; its references stay."""
        place = self.places[receipt.id]
        before = self.standing[place]
        return Receipts(
            self.standing.insert(place, receipt),
            self.places,
            self.unapplied - before.unapplied.amount + receipt.unapplied.amount,
            self._index and self._index.changed(place, before, receipt),
        )


def receipts_of(receipts: Sequence[LedgerReceipt]) -> Receipts:
    """These receipts, in this order."""
    return Receipts(
        HashTrieMap(enumerate(receipts)),
        HashTrieMap((each.id, place) for place, each in enumerate(receipts)),
        sum((each.unapplied.amount for each in receipts), Decimal(0)),
    )


def order_of(document: LedgerInvoice | LedgerReceipt) -> tuple[date, str]:
    """Where something stands in the order in which it happened: by its day, then by what it is known outside by."""
    own = document.number if isinstance(document, LedgerInvoice) else document.bank_reference
    return document.on, document.outside_id or own


def _with_all(
    keys: SortedKeys[tuple[str, EntryPlace]], more: list[tuple[str, EntryPlace]]
) -> SortedKeys[tuple[str, EntryPlace]]:
    return reduce(SortedKeys.with_, more, keys)


def _beginning(keys: SortedKeys[tuple[str, EntryPlace]], name: str) -> Iterator[tuple[str, EntryPlace]]:
    return takewhile(lambda key: key[0] == name, keys.since((name,)))


NO_INVOICES, NO_RECEIPTS = invoices_of(()), receipts_of(())
