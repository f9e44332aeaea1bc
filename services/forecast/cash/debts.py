"""What an invoice adds to the summary tables: what is owed of it from when to when, and what was invoiced. Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from services.forecast.counting.sums import Part, Sum


class Debt(msgspec.Struct, frozen=True):
    """Where what is owed counts."""

    due: date
    currency: str
    team: UUID
    owner: UUID


class Bill(msgspec.Struct, frozen=True):
    """Where an invoice counts."""

    issued_on: date
    currency: str
    team: UUID
    owner: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An invoice, and what settled it: when and how much."""

    amount: Decimal
    currency: str
    issued_on: date
    due: date
    issued_at: datetime
    team: UUID
    owner: UUID
    settled: tuple[tuple[datetime, Decimal], ...]


def debts(item: Item) -> list[Part[Debt]]:
    """What is owed of an item, from when to when: between two moments at which money settles some of it, or does so no
    more. It counts as one as long as anything of it is owed."""
    where, left, since, found = (
        Debt(item.due, item.currency, item.team, item.owner),
        item.amount,
        item.issued_at,
        list[Part[Debt]](),
    )
    moments: dict[datetime, Decimal] = {}
    for at, amount in item.settled:
        counted = max(at, item.issued_at)
        moments[counted] = moments.get(counted, Decimal(0)) + amount
    for at in sorted(moments):
        if left > 0 and moments[at]:
            found.append(Part(since, at, where, Sum(1, left)))
        since, left = (at, left - moments[at]) if moments[at] else (since, left)
    if left > 0:
        found.append(Part(since, None, where, Sum(1, left)))
    return found


def bill(item: Item) -> Part[Bill]:
    """An invoice was issued, for good."""
    return Part(item.issued_at, None, Bill(item.issued_on, item.currency, item.team, item.owner), Sum(1, item.amount))
