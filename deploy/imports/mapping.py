"""A CSV export becomes facts by a mapping, written in YAML (DATA-5). docs/how-to/import.md explains the words.

A rule reads one file and gives one fact a row. What a field holds is said by one of:

    name: sales_agent                       the column of that name
    name: {text: "Team {manager}"}          text with columns in it; `else` is used when one of them is empty
    role: {is: rep}                         always the same
    stage: {map: deal_stage, to: {Engaging: needs-confirmed}}
    size: {number: employees}               a whole number
    on: newest                              the export's newest day, for what has no date at all
    on: {day: close_date, else: newest}     a date; where it is empty, the newest day, noted as "undated"
    industry: {look: account, in: sector}   what a look-up has for the column
    amount: {money: close_value, else: {look: product, in: list_price}, note: list-price}
"""

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

Row = Mapping[str, str]
Source = Mapping[str, Any]
"""What a mapping says about a field."""

COLUMN = re.compile(r"\{(\w+)\}")
UNDATED, NEWEST = "undated", "newest"


class BadMapping(ValueError):
    """A mapping that cannot be followed; the message names the place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a mapping."""

    file: str
    fact: str
    when: Mapping[str, Sequence[str]]
    once: bool
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvMapping:
    """How the files of an export become facts."""

    source: str
    date_format: str
    newest_of: Mapping[str, Sequence[str]]
    corrections: Mapping[str, Mapping[str, str]]
    lookups: Mapping[str, Any]
    rules: Sequence[Rule]

    @property
    def files(self) -> frozenset[str]:
        """The files that an export of this kind has."""
        looked_in = {look["in"] for look in self.lookups.values()}
        return frozenset({rule.file for rule in self.rules} | set(self.newest_of) | looked_in)


def read_mapping(path: Path) -> CsvMapping:
    """Read a mapping. Raises BadMapping."""
    try:
        said = yaml.safe_load(path.read_text())
        rules = [_rule(place, rule) for place, rule in enumerate(said["rules"])]
        return CsvMapping(
            source=said["source"],
            date_format=said["date_format"],
            newest_of=said["newest_of"],
            corrections=said.get("corrections", {}),
            lookups=said.get("lookups", {}),
            rules=rules,
        )
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise BadMapping(f"{path.name} is no mapping: {type(error).__name__}: {error}") from error


def _rule(place: int, said: Mapping[str, Any]) -> Rule:
    unknown = set(said) - {"from", "fact", "when", "once", "fields"}
    if unknown:
        raise BadMapping(f"rules.{place}: unknown words {', '.join(sorted(unknown))}")
    when = {column: [value] if isinstance(value, str) else value for column, value in said.get("when", {}).items()}
    return Rule(file=said["from"], fact=said["fact"], when=when, once=said.get("once", False), fields=said["fields"])


def facts_of(mapping: CsvMapping, folder: Path, currency: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The facts of an export with the line that each stands in, rule by rule. Raises BadMapping."""
    export = _Export(mapping, folder, currency)
    for rule in mapping.rules:
        seen: set[str] = set()
        for number, row in export.rows(rule.file):
            if not all(row.get(column, "") in values for column, values in rule.when.items()):
                continue
            fact = export.fact(rule, row)
            if rule.once and str(fact["id"]) in seen:
                continue
            seen.add(str(fact["id"]))
            yield number, fact


class _Export:
    """The files of an export, corrected, with look-ups and the newest day."""

    def __init__(self, mapping: CsvMapping, folder: Path, currency: str) -> None:
        self._mapping = mapping
        self._folder = folder
        self._currency = currency
        self._tables = {name: self._table(look) for name, look in mapping.lookups.items()}
        self._newest = self._newest_day()

    def rows(self, file: str) -> Iterator[tuple[int, Row]]:
        path = self._folder / file
        if not path.is_file():
            raise BadMapping(f"{file} is missing in {self._folder}")
        with path.open(newline="", encoding="utf-8-sig") as opened:
            reader = csv.DictReader(opened)
            for row in reader:
                yield reader.line_num, {name: self._correct(name, value or "") for name, value in row.items() if name}

    def fact(self, rule: Rule, row: Row) -> dict[str, Any]:
        assumed: list[str] = []
        fact: dict[str, Any] = {"fact": rule.fact}
        for name, source in rule.fields.items():
            held = self._value(source, row, assumed)
            if held not in (None, ""):
                fact[name] = held
        if rule.fact == "deal" and assumed:
            fact["assumptions"] = assumed
        return fact

    def _correct(self, column: str, value: str) -> str:
        return self._mapping.corrections.get(column, {}).get(value, value)

    def _table(self, look: Mapping[str, str]) -> dict[str, str]:
        return {row[look["by"]]: row[look["take"]] for _, row in self.rows(look["in"])}

    def _newest_day(self) -> date:
        days = [
            self._day(row[column])
            for file, columns in self._mapping.newest_of.items()
            for _, row in self.rows(file)
            for column in columns
            if row.get(column)
        ]
        if not days:
            raise BadMapping("newest_of: these columns hold no date")
        return max(days)

    def _day(self, text: str) -> date:
        try:
            return datetime.strptime(text, self._mapping.date_format).date()  # noqa: DTZ007 — a day has no time zone
        except ValueError as error:
            raise BadMapping(f"{text!r} is no date like {self._mapping.date_format}") from error

    def _value(self, source: Any, row: Row, assumed: list[str]) -> Any:
        if source == NEWEST:
            return self._newest.isoformat()
        if isinstance(source, str):
            return self._column(source, row)
        kinds = [kind for kind in self._kinds if kind in source]
        if len(kinds) != 1:
            raise BadMapping(f"{source!r} says nothing about a field; it has one of {', '.join(self._kinds)}")
        return self._kinds[kinds[0]](source, row, assumed)

    @property
    def _kinds(self) -> Mapping[str, Callable[[Source, Row, list[str]], Any]]:
        return {
            "is": lambda source, row, assumed: source["is"],
            "text": self._text,
            "map": lambda source, row, assumed: source["to"].get(self._column(source["map"], row)),
            "look": lambda source, row, assumed: self._tables[source["in"]].get(self._column(source["look"], row)),
            "number": lambda source, row, assumed: int(self._column(source["number"], row) or 0) or None,
            "day": self._date,
            "money": self._amount,
        }

    def _text(self, source: Source, row: Row, assumed: list[str]) -> Any:
        columns = COLUMN.findall(source["text"])
        if "else" in source and not all(self._column(column, row) for column in columns):
            return self._value(source["else"], row, assumed)
        return COLUMN.sub(lambda found: self._column(found[1], row), source["text"])

    def _column(self, name: str, row: Row) -> str:
        if name not in row:
            raise BadMapping(f"there is no column {name!r}; there are {', '.join(row)}")
        return row[name].strip()

    def _date(self, source: Source, row: Row, assumed: list[str]) -> str | None:
        text = self._column(source["day"], row)
        if text:
            return self._day(text).isoformat()
        if source.get("else") != NEWEST:
            return None
        assumed.append(UNDATED)
        return self._newest.isoformat()

    def _amount(self, source: Source, row: Row, assumed: list[str]) -> dict[str, str] | None:
        text = self._column(source["money"], row)
        missing = not text or (source.get("zero_is_missing", False) and text == "0")
        if missing and "else" in source:
            assumed.append(str(source["note"]))
            text = str(self._value(source["else"], row, assumed) or "")
        return {"amount": text, "currency": self._currency} if text else None


def shipped() -> Iterator[Path]:
    """The mappings that come with the product."""
    return Path(__file__).parent.joinpath("mappings").glob("*.yaml")


def mapping_for(folder: Path) -> Path:
    """The mapping of an export: its own mapping.yaml, else a shipped one whose files are all there.

    Raises BadMapping when there is none.
    """
    own = folder / "mapping.yaml"
    if own.is_file():
        return own
    for path in shipped():
        if all((folder / file).is_file() for file in read_mapping(path).files):
            return path
    raise BadMapping(f"No mapping fits {folder}: it has no mapping.yaml, and not the files of a known export.")
