"""Exchange rates in the form in which the European Central Bank publishes them: a table of days and currencies (CSV).

    Date,USD,JPY,BGN,          the whole history: newest day first, no rows of closing days, N/A where there is no rate
    2026-11-27,1.1607,180.93,N/A,

    Date, USD, JPY,            a single day
    27 November 2026, 1.1607, 180.93,

A rate is how many units of the currency one euro is worth. Cells are read as they are written, never as floats.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from deploy.imports.facts import FactPlace, Line, Unreadable
from services.deals.domain.exchange_rate import rate_fault
from shared.domain.exchange import has_rates

SOURCE = "ecb"
BASE, DATE, GAP = "EUR", "Date", "N/A"
RATE = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?")
ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
WRITTEN = re.compile(r"([0-9]{1,2}) ([A-Z][a-z]+) ([0-9]{4})")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


class BadTable(ValueError):
    """A file that is no table of rates; the message names the column."""


def rates_in(path: Path) -> Iterator[Line]:
    """The facts of a table, a day each, with their places. Raises BadTable."""
    # What is no UTF-8 comes through as surrogates, which no cell may hold: its line is refused, and no other.
    with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
        lines = ((number, _cells(line)) for number, line in enumerate(file, start=1) if line.strip())
        _, columns = next(lines, (1, []))
        _check(path.name, columns)
        for number, cells in lines:
            yield FactPlace(file=path.name, line=number), _fact(columns, cells)


def _cells(line: str) -> list[str]:
    """The cells of a line, without the empty one behind its last comma."""
    cells = [cell.strip() for cell in line.split(",")]
    return cells[:-1] if len(cells) > 1 and not cells[-1] else cells


def _check(file: str, columns: Sequence[str]) -> None:
    if columns[:1] != [DATE] or len(columns) == 1:
        raise BadTable(f"{file}: the first line is {DATE} and currencies, like {DATE},USD,JPY.")
    for number, column in enumerate(columns[1:], start=2):
        if not has_rates(column) or column == BASE:
            raise BadTable(f"{file}: column {number} is no currency with a rate in {BASE}: {column!r}.")
        if column in columns[: number - 1]:
            raise BadTable(f"{file}: there are two columns {column}.")


def _fact(columns: Sequence[str], cells: Sequence[str]) -> Mapping[str, Any] | Unreadable:
    row = dict(zip(columns, cells, strict=False))
    if len(cells) != len(columns):
        return _unreadable([f"{len(cells)} values for {len(columns)} columns"], row)
    on = _day(row[DATE])
    reasons = [] if on else [f"{DATE}: {row[DATE]!r} is no day like 2026-11-27 or 27 November 2026"]
    rates = {currency: rate for currency, rate in row.items() if currency != DATE and rate != GAP}
    reasons += [f"{currency}: {fault}" for currency, rate in rates.items() if (fault := _fault(rate))]
    if not rates:
        reasons.append("there is no rate in it")
    if on is None or reasons:
        return _unreadable(reasons, row)
    listed = [{"currency": currency, "rate": rates[currency]} for currency in sorted(rates)]
    return {"fact": "exchange-rates", "on": on.isoformat(), "base": BASE, "rates": listed}


def _day(text: str) -> date | None:
    """A day in one of the two forms; names of months are those of the files, whatever the machine's language."""
    try:
        if found := ISO.fullmatch(text):
            year, month, day = found.groups()
            return date(int(year), int(month), int(day))
        if found := WRITTEN.fullmatch(text):
            day, name, year = found.groups()
            return date(int(year), MONTHS.index(name) + 1, int(day))
    except ValueError:
        pass
    return None


def _fault(text: str) -> str | None:
    if not RATE.fullmatch(text):
        return f"{text!r} is no rate like 1.1607, nor {GAP}"
    fault = rate_fault(Decimal(text))
    return fault[1].removesuffix(".") if fault else None


def _unreadable(reasons: Sequence[str], row: Mapping[str, str]) -> Unreadable:
    return Unreadable(reason="; ".join(reasons), content=row)
