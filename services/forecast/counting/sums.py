"""Signed changes: what counts where and from when to when, as differences by day and as levels by month. Pure.

A figure at the end of a day is the sum of all changes up to that day: what counted from Monday to Thursday adds itself
on Monday and takes itself away on Thursday. Levels say what the changes before a month come to, so that nobody has to
sum them from the beginning: what stood when a month began, and what still stands, by the month of its beginning.

Several of these values are made for each event, and serve as keys: structs are made and compared in C. Nothing in
them leads back to them, so the garbage collector need not look at them (`gc=False`).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Generic, TypeVar

import msgspec

from shared.domain.context import Company


class Sum(msgspec.Struct, frozen=True, gc=False):
    """How many, worth how much, weighted how much."""

    count: int = 0
    amount: Decimal = Decimal(0)
    weighted: Decimal = Decimal(0)

    def __add__(self, other: "Sum") -> "Sum":
        return Sum(self.count + other.count, self.amount + other.amount, self.weighted + other.weighted)

    def __neg__(self) -> "Sum":
        return Sum(-self.count, -self.amount, -self.weighted)

    def __bool__(self) -> bool:
        return bool(self.count or self.amount or self.weighted)


def fields(value: Any) -> dict[str, Any]:
    """The fields of a place or a sum by their names."""
    return msgspec.structs.asdict(value)


Where = TypeVar("Where")
Key = TypeVar("Key")


class Part(msgspec.Struct, Generic[Where], frozen=True, gc=False):
    """What counts where, from when to when (None: still)."""

    start: datetime
    end: datetime | None
    where: Where
    what: Sum


def moved(
    before: Iterable[Part[Where]], after: Iterable[Part[Where]], company: Company
) -> Iterator[tuple[tuple[date, Where], Sum]]:
    """What changes on which day when some parts are replaced by others; to be `summed`."""
    for part, come, gone in _signed(_joined(before), _joined(after)):
        yield (company.day(part.start), part.where), come
        if part.end is not None:
            yield (company.day(part.end), part.where), gone


def _joined(parts: Iterable[Part[Where]]) -> Iterator[Part[Where]]:
    """Parts of which one goes on where the one before it ended, in the same place and worth as much, as one: between
    them nothing changes."""
    open_: dict[type, Part[Where]] = {}
    for part in parts:
        kind = type(part.where)
        last = open_.get(kind)
        if last and last.end == part.start and last.where == part.where and last.what == part.what:
            part = Part(last.start, part.end, part.where, part.what)  # noqa: PLW2901 - the two together
        elif last:
            yield last
        open_[kind] = part
    yield from open_.values()


def levelled(
    before: Iterable[Part[Where]], after: Iterable[Part[Where]], company: Company
) -> Iterator[tuple[tuple[date, bool, Where], Sum]]:
    """What changes in the levels when some parts are replaced by others; to be `summed`."""
    for part, come, _ in _signed(before, after):
        first = company.day(part.start)
        if part.end is None:
            yield (first.replace(day=1), True, part.where), come
            continue
        for month in months(first, company.day(part.end)):
            yield (month, False, part.where), come


def months(after: date, until: date) -> Iterator[date]:
    """The first days of months that lie after a day, up to another."""
    month = next_month(after)
    while month <= until:
        yield month
        month = next_month(month)


@lru_cache(maxsize=4096)
def next_month(day: date) -> date:
    """The first day of the following month."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _signed(before: Iterable[Part[Where]], after: Iterable[Part[Where]]) -> Iterator[tuple[Part[Where], Sum, Sum]]:
    """Parts with what is added at their beginning, and at their end."""
    for part in before:
        yield part, -part.what, part.what
    for part in after:
        yield part, part.what, -part.what


def summed(changes: Iterable[tuple[Key, Sum]]) -> dict[Key, Sum]:
    """The sums of changes that may come from several times of work, without those that come to nothing."""
    together: dict[Key, list[Sum]] = defaultdict(list)
    for key, change in changes:
        together[key].append(change)
    sums = ((key, values[0] if len(values) == 1 else _total(values)) for key, values in together.items())
    return {key: total for key, total in sums if total}


def _total(values: Sequence[Sum]) -> Sum:
    return Sum(
        sum([value.count for value in values]),
        sum([value.amount for value in values], Decimal(0)),
        sum([value.weighted for value in values], Decimal(0)),
    )
