"""The facts of a CSV export, row by row, as its mapping says (DATA-5)."""

import codecs
import csv
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from deploy.imports.facts import FactPlace, Line, Unreadable
from deploy.imports.flaws import flaw_of
from deploy.imports.mapping import (
    COMPARING,
    NEWEST,
    NUMBER,
    UNDATED,
    BadMapping,
    CsvMapping,
    Lookup,
    Rule,
    When,
)
from shared.domain.context import Company

Row = Mapping[str, str]
Read = Callable[[Row, list[str]], Any]
"""Reads what a field holds from a row; what had to be assumed is added to the list. Raises BadRow."""

COLUMN = re.compile(r"\{([^{}]+)\}")


class BadRow(ValueError):
    """A row that gives no fact; the message says why."""


def facts_of(mapping: CsvMapping, folder: Path, company: Company) -> Iterator[Line]:
    """The facts of an export with the place where each stands, rule by rule. Raises BadMapping."""
    export = _Export(mapping, folder, company)
    for rule in mapping.rules:
        yield from export.facts(rule)


class _Export:
    """The files of an export, corrected, with look-ups and the newest day."""

    def __init__(self, mapping: CsvMapping, folder: Path, company: Company) -> None:
        self._mapping = mapping
        self._folder = folder
        self._company = company
        self._day = lru_cache(maxsize=None)(self._parsed)
        self._tables = {name: self._table(name, look) for name, look in mapping.lookups.items()}
        self._newest = self._newest_day().isoformat()
        self._refused: set[tuple[FactPlace, str]] = set()
        """What was told of which row already."""

    def facts(self, rule: Rule) -> Iterator[Line]:
        """What a rule makes of its file."""
        columns = self._columns(rule.file)
        self._require(rule.place, rule.file, rule.when)
        fields = [
            (name, self._reader(f"{rule.place}.fields.{name}", rule, columns, said))
            for name, said in rule.fields.items()
        ]
        seen: set[str] = set()
        for line, row in self._rows(rule.file):
            place = FactPlace(file=rule.file, line=line)
            if isinstance(row, Unreadable):
                yield from self._refused_once(place, row)
                continue
            try:
                if not all(self._holds(row[column], column, when) for column, when in rule.when.items()):
                    continue
                fact = _fact(rule, fields, row)
            except BadRow as problem:
                yield from self._refused_once(place, Unreadable(reason=str(problem), content=row))
                continue
            if rule.once:
                outside = str(fact.get("id"))
                if outside in seen:
                    continue
                seen.add(outside)
            flaw = flaw_of(fact)
            yield place, Unreadable(reason=flaw, content=row) if flaw else fact

    def _refused_once(self, place: FactPlace, row: Unreadable) -> Iterator[Line]:
        """A row that cannot be read, however many rules read it."""
        if (place, row.reason) not in self._refused:
            self._refused.add((place, row.reason))
            yield place, row

    # -- files ----------------------------------------------------------------------------------------------------

    def _columns(self, file: str) -> Sequence[str]:
        if not (self._folder / file).is_file():
            raise BadMapping(f"{file} is missing in {self._folder}")
        _, columns = next(self._records(file), (1, []))
        if nameless := [number for number, column in enumerate(columns, start=1) if not column.strip()]:
            raise BadMapping(f"{file}: column {nameless[0]} has no name")
        if doubled := [column for number, column in enumerate(columns) if column in columns[:number]]:
            raise BadMapping(f"{file}: there are two columns {doubled[0]!r}")
        return columns

    def _records(self, file: str) -> Iterator[tuple[int, list[str]]]:
        """The records of a file, each with the line where it begins. Raises BadMapping where it is no CSV."""
        dialect = self._mapping.dialect
        encoding = "utf-8-sig" if codecs.lookup(dialect.encoding).name == "utf-8" else dialect.encoding
        begins = 1
        with (self._folder / file).open(newline="", encoding=encoding) as opened:
            reader = csv.reader(opened, delimiter=dialect.delimiter, strict=True)
            try:
                for values in reader:
                    if values:
                        yield begins, values
                    begins = reader.line_num + 1
            except UnicodeError as error:
                raise BadMapping(f"{file}, after line {begins}, is not {dialect.encoding}: {error}") from error
            except csv.Error as error:
                reason = "a quote is opened and never closed" if "end of data" in str(error) else str(error)
                raise BadMapping(f"{file}, in what begins at line {begins}: {reason}") from error

    def _rows(self, file: str) -> Iterator[tuple[int, Row | Unreadable]]:
        columns = self._columns(file)
        corrections = {name: meant for name, meant in self._mapping.corrections.items() if name in columns}
        for line, values in itertools.islice(self._records(file), 1, None):
            row = dict(zip(columns, map(str.strip, values), strict=False))
            if len(values) != len(columns):
                yield line, Unreadable(reason=f"{len(values)} values for {len(columns)} columns", content=row)
                continue
            for name, meant in corrections.items():
                row[name] = meant.get(row[name], row[name])
            yield line, row

    def _good_rows(self, file: str) -> Iterator[Row]:
        return (row for _, row in self._rows(file) if not isinstance(row, Unreadable))

    def _table(self, name: str, look: Lookup) -> dict[str, str]:
        self._require(f"lookups.{name}", look.file, (look.by, look.take))
        return {row[look.by]: row[look.take] for row in self._good_rows(look.file)}

    def _newest_day(self) -> date:
        days = []
        for file, columns in self._mapping.newest_of.items():
            self._require("newest_of", file, columns)
            days += [self._day(row[column]) for row in self._good_rows(file) for column in columns]
        dated = [day for day in days if day is not None]
        if not dated:
            raise BadMapping("newest_of: these columns hold no date")
        return max(dated)

    def _require(self, place: str, file: str, wanted: Sequence[str] | Mapping[str, Any]) -> None:
        there = self._columns(file)
        if missing := [column for column in wanted if column not in there]:
            raise BadMapping(f"{place}: {file} has no column {missing[0]!r}; it has {', '.join(there)}")

    def _holds(self, cell: str, column: str, when: When) -> bool:
        if not when.compared:
            return (cell in when.values) is not when.negated
        number = self._decimal(cell, column) if cell else None
        return number is not None and all(COMPARING[word](number, limit) for word, limit in when.compared)

    def _parsed(self, text: str, given: str | None = None) -> date | None:
        """The company's day of a text: that of its instant where the format knows a zone."""
        try:
            at = datetime.strptime(text, given or self._mapping.date_format)  # noqa: DTZ007 - a day has no time zone
        except ValueError:
            return None
        return self._company.day(at) if at.tzinfo else at.date()

    def _decimal(self, text: str, column: str) -> Decimal:
        dialect = self._mapping.dialect
        whole, _, _ = text.partition(dialect.decimal)
        first, *groups = whole.removeprefix("-").split(dialect.thousands) if dialect.thousands else (whole,)
        in_groups = not groups or (1 <= len(first) <= 3 and all(len(group) == 3 for group in groups))
        plain = text.replace(dialect.thousands, "") if dialect.thousands else text
        plain = plain.replace(dialect.decimal, ".") if dialect.decimal in plain else plain
        if (
            not in_groups
            or not NUMBER.fullmatch(plain)
            or (dialect.decimal != "." and "." in text.replace(dialect.thousands or "\0", ""))
        ):
            raise BadRow(f"{column}: {text!r} is no number like 1234{dialect.decimal}50")
        return Decimal(plain)

    # -- fields ---------------------------------------------------------------------------------------------------

    def _reader(self, place: str, rule: Rule, columns: Sequence[str], said: Any) -> Read:
        if said == NEWEST:
            return lambda row, assumed: self._newest
        if isinstance(said, str):
            self._require(place, rule.file, [said])
            return lambda row, assumed: row[said]
        if "is" in said:
            return lambda row, assumed: said["is"]
        if "text" in said:
            return self._text(place, rule, columns, said)
        word, read = next((word, read) for word, read in self._words.items() if word in said)
        self._require(place, rule.file, [said[word]])
        otherwise = self._reader(f"{place}.else", rule, columns, said["else"]) if "else" in said else None
        held = _with_default(read(said[word], said, otherwise), word, said)
        if "currency" not in said:
            return held
        return _in_currency(held, said["money"], self._reader(f"{place}.currency", rule, columns, said["currency"]))

    @property
    def _words(self) -> Mapping[str, Callable[[str, Mapping[str, Any], Read | None], Read]]:
        return {
            "column": self._column,
            "map": self._map,
            "look": self._look,
            "number": self._number,
            "day": self._date,
            "instant": self._instant,
            "money": self._money,
        }

    def _column(self, column: str, said: Mapping[str, Any], _: Read | None) -> Read:
        return lambda row, assumed: row[column]

    def _text(self, place: str, rule: Rule, columns: Sequence[str], said: Mapping[str, Any]) -> Read:
        named = COLUMN.findall(said["text"])
        self._require(place, rule.file, named)
        otherwise = self._reader(f"{place}.else", rule, columns, said["else"]) if "else" in said else None

        def read(row: Row, assumed: list[str]) -> Any:
            if otherwise is not None and not all(row[column] for column in named):
                return otherwise(row, assumed)
            return COLUMN.sub(lambda found: row[found[1]], said["text"])

        return read

    def _map(self, column: str, said: Mapping[str, Any], _: Read | None) -> Read:
        meant: Mapping[str, Any] = said["to"]

        def read(row: Row, assumed: list[str]) -> Any:
            if row[column] and row[column] not in meant:
                raise BadRow(f"{column}: {row[column]!r} is none of {', '.join(meant)}")
            return meant.get(row[column])

        return read

    def _look(self, column: str, said: Mapping[str, Any], _: Read | None) -> Read:
        table = self._tables[said["in"]]

        def read(row: Row, assumed: list[str]) -> Any:
            if row[column] and row[column] not in table:
                raise BadRow(f"{column}: {row[column]!r} is not in the look-up {said['in']}")
            return table.get(row[column])

        return read

    def _number(self, column: str, said: Mapping[str, Any], _: Read | None) -> Read:
        def read(row: Row, assumed: list[str]) -> Any:
            if not row[column]:
                return None
            number = self._decimal(row[column], column)
            if number != number.to_integral_value():
                raise BadRow(f"{column}: {row[column]!r} is no whole number")
            return int(number)

        return read

    def _date(self, column: str, said: Mapping[str, Any], otherwise: Read | None) -> Read:
        def read(row: Row, assumed: list[str]) -> Any:
            if not row[column]:
                if otherwise is None:
                    return None
                assumed.append(UNDATED)
                return otherwise(row, assumed)
            day = self._day(row[column], said.get("format"))
            if day is None:
                wanted = said.get("format") or self._mapping.date_format
                raise BadRow(f"{column}: {row[column]!r} is no date like {wanted}")
            return day.isoformat()

        return read

    def _instant(self, column: str, said: Mapping[str, Any], _: Read | None) -> Read:
        wanted = said.get("format") or self._mapping.date_format

        def read(row: Row, assumed: list[str]) -> Any:
            if not row[column]:
                return None
            try:
                at = datetime.strptime(row[column], wanted)  # noqa: DTZ007 - without a zone it is the company's
            except ValueError:
                raise BadRow(f"{column}: {row[column]!r} is no instant like {wanted}") from None
            return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(self._company.timezone))).isoformat()

        return read

    def _money(self, column: str, said: Mapping[str, Any], otherwise: Read | None) -> Read:
        zero_is_missing = said.get("zero_is_missing") == "true"

        def read(row: Row, assumed: list[str]) -> Any:
            amount = str(self._decimal(row[column], column)) if row[column] else ""
            if otherwise is not None and (not amount or (zero_is_missing and not Decimal(amount))):
                assumed.append(str(said["note"]))
                found = str(otherwise(row, assumed) or "")
                amount = str(self._decimal(found, column)) if found else ""
            return {"amount": amount, "currency": self._company.currency} if amount else None

        return read


def _with_default(read: Read, word: str, said: Mapping[str, Any]) -> Read:
    """What an empty cell stands for: a number or amount as it would be written, otherwise what the field then holds."""
    if "default" not in said:
        return read
    column, default = said[word], said["default"]

    def defaulted(row: Row, assumed: list[str]) -> Any:
        if row[column]:
            return read(row, assumed)
        return read({**row, column: default}, assumed) if word in ("number", "money") else default

    return defaulted


def _in_currency(read: Read, column: str, currency: Read) -> Read:
    """The amount, in the currency that the row says; where it says none the row is refused, for nobody knows it."""

    def told(row: Row, assumed: list[str]) -> Any:
        money = read(row, assumed)
        if money is None:
            return None
        code = currency(row, assumed)
        if not code:
            raise BadRow(f"{column}: the currency of {money['amount']} is missing")
        return {**money, "currency": code}

    return told


def _fact(rule: Rule, fields: Sequence[tuple[str, Read]], row: Row) -> dict[str, Any]:
    assumed: list[str] = []
    fact: dict[str, Any] = {"fact": rule.fact}
    for name, read in fields:
        held = read(row, assumed)
        if held not in (None, ""):
            fact[name] = held
    if rule.fact == "deal" and assumed:
        fact["assumptions"] = assumed
    return fact
