"""Price lists as CSV (RFC 4180): the same rows as in JSON, written so that people keep them in a spreadsheet."""

import csv
import io
from collections.abc import Iterable
from dataclasses import fields
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from services.deals.domain.product_listing import PriceRow
from shared.http.problems import Problem

MEDIA_TYPE = "text/csv"
COLUMNS = tuple(field.name for field in fields(PriceRow))
TRUTH = {"true": True, "false": False}
FORMULA = tuple("=+-@\t\r\n")
"""What a spreadsheet takes a cell for a formula by (OWASP, CSV injection)."""
TEXT = "'"
"""Before a cell: it is a text, whatever it begins with."""


def rows_as_json(raw: bytes) -> bytes:
    """The rows of a file as JSON; an empty cell says nothing. Raises Problem where it is no table of our columns."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Problem("malformed-csv", "A CSV body is UTF-8.") from None
    if "\0" in text:
        raise Problem("malformed-csv", "A text cannot hold the character U+0000.")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = [cell.strip() for cell in next(reader, [])]
        _refuse_columns(columns)
        rows = [_row(columns, cells, reader.line_num) for cells in reader if any(cells)]
    except csv.Error as error:
        raise Problem("malformed-csv", f"This is no CSV: {error}, in line {reader.line_num}.") from None
    return msgspec.json.encode({"rows": rows})


def csv_of(rows: Iterable[PriceRow]) -> str:
    """Rows as a file, which is taken back as it is."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    writer.writerows([_cell(getattr(row, column)) for column in COLUMNS] for row in rows)
    return file.getvalue()


def _refuse_columns(columns: list[str]) -> None:
    if len(set(columns)) < len(columns) or not set(columns) <= set(COLUMNS):
        named = ", ".join(COLUMNS)
        raise Problem("malformed-csv", f"The first line names columns out of these, each once: {named}.")


def _row(columns: list[str], cells: list[str], line: int) -> dict[str, Any]:
    if len(cells) != len(columns):
        raise Problem("malformed-csv", f"A row has as many cells as there are columns; see line {line}.")
    said = {column: _read(cell) for column, cell in zip(columns, cells, strict=True) if cell.strip()}
    return {
        column: TRUTH.get(cell.strip().casefold(), cell) if column == "active" else cell
        for column, cell in said.items()
    }


def _cell(held: str | Decimal | date | bool | None) -> str:
    if isinstance(held, bool):
        return str(held).lower()
    if isinstance(held, Decimal):
        return f"{held:f}"
    if isinstance(held, str) and held.startswith((*FORMULA, TEXT)):
        return TEXT + held
    return "" if held is None else str(held)


def _read(cell: str) -> str:
    """A cell as it was before it was marked as a text."""
    return cell[1:] if cell.startswith(TEXT) and cell[1:].startswith((*FORMULA, TEXT)) else cell
