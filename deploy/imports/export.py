"""The facts of a CSV export, row by row, as its mapping says (DATA-5)."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from deploy.imports.facts import FactPlace, Line, Unreadable, flaw_of
from deploy.imports.mapping import NEWEST, UNDATED, BadMapping, CsvMapping, Lookup, Rule

Row = Mapping[str, str]
Read = Callable[[Row, list[str]], Any]
"""Reads what a field holds from a row; what had to be assumed is added to the list. Raises BadRow."""

COLUMN = re.compile(r"\{(\w+)\}")


class BadRow(ValueError):
    """A row that gives no fact; the message says why."""


def facts_of(mapping: CsvMapping, folder: Path, currency: str) -> Iterator[Line]:
    """The facts of an export with the place where each stands, rule by rule. Raises BadMapping."""
    export = _Export(mapping, folder, currency)
    for rule in mapping.rules:
        yield from export.facts(rule)


class _Export:
    """The files of an export, corrected, with look-ups and the newest day."""

    def __init__(self, mapping: CsvMapping, folder: Path, currency: str) -> None:
        self._mapping = mapping
        self._folder = folder
        self._currency = currency
        self._day = lru_cache(maxsize=None)(self._parsed)
        self._tables = {name: self._table(name, look) for name, look in mapping.lookups.items()}
        self._newest = self._newest_day().isoformat()

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
                yield place, row
                continue
            if not all(row[column] in values for column, values in rule.when.items()):
                continue
            try:
                fact = _fact(rule, fields, row)
            except BadRow as problem:
                yield place, Unreadable(reason=str(problem), content=row)
                continue
            if rule.once:
                outside = str(fact.get("id"))
                if outside in seen:
                    continue
                seen.add(outside)
            flaw = flaw_of(fact)
            yield place, Unreadable(reason=flaw, content=row) if flaw else fact

    # -- files ----------------------------------------------------------------------------------------------------

    def _columns(self, file: str) -> Sequence[str]:
        path = self._folder / file
        if not path.is_file():
            raise BadMapping(f"{file} is missing in {self._folder}")
        with path.open(newline="", encoding="utf-8-sig") as opened:
            try:
                return next(csv.reader(opened), [])
            except UnicodeDecodeError as error:
                raise BadMapping(f"{file} is not UTF-8: {error}") from error

    def _rows(self, file: str) -> Iterator[tuple[int, Row | Unreadable]]:
        columns = self._columns(file)
        corrections = {name: meant for name, meant in self._mapping.corrections.items() if name in columns}
        with (self._folder / file).open(newline="", encoding="utf-8-sig") as opened:
            reader = csv.reader(opened)
            next(reader, None)
            try:
                for values in reader:
                    if not values:
                        continue
                    row = dict(zip(columns, map(str.strip, values), strict=False))
                    if len(values) != len(columns):
                        reason = f"{len(values)} values for {len(columns)} columns"
                        yield reader.line_num, Unreadable(reason=reason, content=row)
                        continue
                    for name, meant in corrections.items():
                        row[name] = meant.get(row[name], row[name])
                    yield reader.line_num, row
            except (UnicodeDecodeError, csv.Error) as error:
                raise BadMapping(f"{file}, after line {reader.line_num}: {error}") from error

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

    def _parsed(self, text: str) -> date | None:
        try:
            return datetime.strptime(text, self._mapping.date_format).date()  # noqa: DTZ007 - a day has no time zone
        except ValueError:
            return None

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
        return read(said[word], said, otherwise)

    @property
    def _words(self) -> Mapping[str, Callable[[str, Mapping[str, Any], Read | None], Read]]:
        return {"map": self._map, "look": self._look, "number": self._number, "day": self._date, "money": self._money}

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
            try:
                return int(row[column]) if row[column] else None
            except ValueError:
                raise BadRow(f"{column}: {row[column]!r} is no whole number") from None

        return read

    def _date(self, column: str, said: Mapping[str, Any], otherwise: Read | None) -> Read:
        def read(row: Row, assumed: list[str]) -> Any:
            if not row[column]:
                if otherwise is None:
                    return None
                assumed.append(UNDATED)
                return otherwise(row, assumed)
            day = self._day(row[column])
            if day is None:
                raise BadRow(f"{column}: {row[column]!r} is no date like {self._mapping.date_format}")
            return day.isoformat()

        return read

    def _money(self, column: str, said: Mapping[str, Any], otherwise: Read | None) -> Read:
        missing = ("", "0") if said.get("zero_is_missing") else ("",)

        def read(row: Row, assumed: list[str]) -> Any:
            amount = row[column]
            if amount in missing and otherwise is not None:
                assumed.append(str(said["note"]))
                amount = str(otherwise(row, assumed) or "")
            return {"amount": amount, "currency": self._currency} if amount else None

        return read


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
