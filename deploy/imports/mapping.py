"""How a CSV export becomes facts: a mapping, written in YAML (DATA-5). docs/how-to/import.md explains the words.

A rule reads one file and gives one fact a row. What a field holds is said by one of:

    name: sales_agent                       the column of that name
    name: {column: sales_agent, default: x} the same; `default` (also of map, look, number, money) for an empty cell
    name: {text: "Team {manager}"}          text with columns in it; `else` is used when one of them is empty
    role: {is: rep}                         always the same
    stage: {map: deal_stage, to: {Engaging: needs-confirmed}}
    size: {number: employees}               a whole number
    on: newest                              the export's newest day, for what has no date at all
    on: {day: close_date, else: newest}     a date; where it is empty, the newest day, noted as "undated"
    at: {instant: closed, format: "%Y-%m-%dT%H:%M:%S%z"}   an instant, in the zone that it says or the company's
    industry: {look: account, in: sector}   what a look-up has for the column
    amount: {money: close_value, else: {look: product, in: list_price}, note: list-price}
    amount: {money: close_value, currency: iso_code}   in the currency of that column, or of another source of a text

All words and values are read as they are written: YAML's own readings (Yes, NO, 2026-01-02, 1_000) never change one.
"""

import codecs
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

UNDATED, NEWEST = "undated", "newest"
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")

WORDS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "is": (frozenset(), frozenset()),
    "column": (frozenset(), frozenset({"default"})),
    "text": (frozenset(), frozenset({"else"})),
    "map": (frozenset({"to"}), frozenset({"default"})),
    "look": (frozenset({"in"}), frozenset({"default"})),
    "number": (frozenset(), frozenset({"default"})),
    "day": (frozenset(), frozenset({"else", "format"})),
    "instant": (frozenset(), frozenset({"format"})),
    "money": (frozenset(), frozenset({"currency", "else", "note", "zero_is_missing", "default"})),
}
"""The words that a field begins with: what must stand beside each, and what may."""


SAYING_CURRENCIES = frozenset({"is", "column", "text", "map", "look"})
"""The words that may say the currency of an amount."""


class BadMapping(ValueError):
    """A mapping that cannot be followed; the message names the place."""


COMPARING: Mapping[str, Callable[[Decimal, Decimal], bool]] = {
    "above": operator.gt,
    "at-least": operator.ge,
    "below": operator.lt,
    "at-most": operator.le,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """What a cell has to hold: one of `values`, or none of them (`negated`); or a number that compares."""

    values: frozenset[str] = frozenset()
    negated: bool = False
    compared: tuple[tuple[str, Decimal], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How the files of an export are written."""

    delimiter: str = ","
    encoding: str = "utf-8"
    decimal: str = "."
    thousands: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a mapping; `place` names it in messages."""

    place: str
    file: str
    fact: str
    when: Mapping[str, "When"]
    once: bool
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """A table to look things up in: the file, the column to look for, and the column to take."""

    file: str
    by: str
    take: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvMapping:
    """How the files of an export become facts."""

    source: str
    dialect: Dialect
    date_format: str
    newest_of: Mapping[str, Sequence[str]]
    corrections: Mapping[str, Mapping[str, str]]
    lookups: Mapping[str, Lookup]
    rules: Sequence[Rule]

    @property
    def files(self) -> frozenset[str]:
        """The files that an export of this kind has."""
        looked_in = {lookup.file for lookup in self.lookups.values()}
        return frozenset({rule.file for rule in self.rules} | set(self.newest_of) | looked_in)


def read_mapping(path: Path) -> CsvMapping:
    """Read a mapping. Raises BadMapping."""
    try:
        said = yaml.load(path.read_text(encoding="utf-8"), Loader=_AsWritten)  # noqa: S506 - makes texts only
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadMapping(f"{path.name} is no YAML: {error}") from error
    try:
        return _mapping(said)
    except BadMapping as error:
        raise BadMapping(f"{path.name}: {error}") from error


def _mapping(said: Any) -> CsvMapping:
    needed, allowed = {"source", "date_format", "newest_of", "rules"}, {"corrections", "lookups"}
    words = _words("the mapping", said, needed, allowed | {field.name for field in fields(Dialect)})
    lookups = {name: _lookup(f"lookups.{name}", look) for name, look in _table(words, "lookups").items()}
    rules = words["rules"]
    if not isinstance(rules, list) or not rules:
        raise BadMapping("rules: it is a list of rules")
    return CsvMapping(
        source=_text("source", words["source"]),
        dialect=_dialect(words),
        date_format=_text("date_format", words["date_format"]),
        newest_of={file: _texts(f"newest_of.{file}", columns) for file, columns in _table(words, "newest_of").items()},
        corrections={
            column: _meanings(f"corrections.{column}", meant) for column, meant in _table(words, "corrections").items()
        },
        lookups=lookups,
        rules=[_rule(f"rules.{number}", rule, lookups) for number, rule in enumerate(rules)],
    )


def _rule(place: str, said: Any, lookups: Mapping[str, Lookup]) -> Rule:
    words = _words(place, said, {"from", "fact", "fields"}, {"when", "once"})
    sources = _object(f"{place}.fields", words["fields"])
    for name, source in sources.items():
        _check_source(f"{place}.fields.{name}", source, lookups)
    when = _object(f"{place}.when", words.get("when") or {})
    return Rule(
        place=place,
        file=_text(f"{place}.from", words["from"]),
        fact=_text(f"{place}.fact", words["fact"]),
        when={column: _when(f"{place}.when.{column}", values) for column, values in when.items()},
        once=_yes(f"{place}.once", words.get("once", "false")),
        fields=sources,
    )


def _check_source(place: str, source: Any, lookups: Mapping[str, Lookup]) -> None:
    if isinstance(source, str):
        return
    said = _object(place, source)
    begins = [word for word in WORDS if word in said]
    if len(begins) != 1:
        raise BadMapping(f"{place}: a field is a column, {NEWEST}, or has one of the words {', '.join(WORDS)}")
    word = begins[0]
    needed, allowed = WORDS[word]
    _words(place, said, {word, *needed}, set(allowed))
    if word != "is":
        _text(f"{place}.{word}", said[word])
    for name in ("default", "format"):
        if name in said:
            _text(f"{place}.{name}", said[name])
    if word == "map":
        _meanings(f"{place}.to", said["to"])
    if word == "money":
        _yes(f"{place}.zero_is_missing", said.get("zero_is_missing", "false"))
    if word == "look" and said["in"] not in lookups:
        raise BadMapping(f"{place}.in: there is no look-up {said['in']!r}; there are {', '.join(lookups) or 'none'}")
    if word == "day" and said.get("else", NEWEST) != NEWEST:
        raise BadMapping(f"{place}.else: a day can only be replaced by {NEWEST}")
    if word == "money" and ("else" in said) != ("note" in said):
        raise BadMapping(f"{place}: `else` and `note` belong together: what stands in for an amount is noted")
    if word == "money" and "currency" in said:
        _check_currency(f"{place}.currency", said["currency"], lookups)
    if word in ("text", "money") and "else" in said:
        _check_source(f"{place}.else", said["else"], lookups)


def _check_currency(place: str, source: Any, lookups: Mapping[str, Lookup]) -> None:
    _check_source(place, source, lookups)
    said = source if isinstance(source, dict) else {"column": source}
    if source == NEWEST or not SAYING_CURRENCIES & said.keys():
        raise BadMapping(f"{place}: a column is wanted, or one of the words {', '.join(sorted(SAYING_CURRENCIES))}")
    if "is" in said:
        _text(f"{place}.is", said["is"])


def _dialect(words: Mapping[str, Any]) -> Dialect:
    dialect = Dialect(**{field.name: words[field.name] for field in fields(Dialect) if field.name in words})
    for field in fields(Dialect):
        _known_text(field.name, getattr(dialect, field.name))
    if len(dialect.delimiter) != 1 or dialect.delimiter in '"\r\n':
        raise BadMapping(f"delimiter: one character is wanted, not {dialect.delimiter!r}")
    if dialect.decimal not in (".", ","):
        raise BadMapping(f"decimal: . or , is wanted, not {dialect.decimal!r}")
    if len(dialect.thousands) > 1 or dialect.thousands == dialect.decimal or dialect.thousands.isdigit():
        raise BadMapping(f"thousands: another character than the decimal's is wanted, not {dialect.thousands!r}")
    try:
        codecs.lookup(dialect.encoding)
    except LookupError as error:
        raise BadMapping(f"encoding: there is no encoding {dialect.encoding!r}") from error
    return dialect


def _when(place: str, said: Any) -> When:
    """`Won`, `[Won, Lost]`, `{not: Won}`, `{empty: true}` or `{above: 5}`, also several comparisons at once."""
    if not isinstance(said, dict):
        return When(values=frozenset(_texts(place, said)))
    if "not" in said:
        _words(place, said, {"not"}, set())
        return When(values=frozenset(_texts(f"{place}.not", said["not"])), negated=True)
    if "empty" in said:
        _words(place, said, {"empty"}, set())
        return When(values=frozenset({""}), negated=not _yes(f"{place}.empty", said["empty"]))
    words = _words(place, said, set(), set(COMPARING))
    if not words:
        raise BadMapping(f"{place}: a value is wanted, or not, empty, {', '.join(COMPARING)}")
    return When(compared=tuple((word, _decimal(f"{place}.{word}", limit)) for word, limit in words.items()))


def _decimal(place: str, said: Any) -> Decimal:
    if not isinstance(said, str) or not NUMBER.fullmatch(said):
        raise BadMapping(f"{place}: a number like 12.50 is wanted, not {said!r}")
    return Decimal(said)


def _yes(place: str, said: Any) -> bool:
    if said not in ("true", "false"):
        raise BadMapping(f"{place}: true or false is wanted, not {said!r}")
    return bool(said == "true")


def _meanings(place: str, said: Any) -> Mapping[str, str]:
    return {written: _known_text(f"{place}.{written}", meant) for written, meant in _object(place, said).items()}


def _known_text(place: str, said: Any) -> str:
    if not isinstance(said, str):
        raise BadMapping(f"{place}: a text is wanted, not {said!r}")
    return said


class _AsWritten(yaml.BaseLoader):
    """YAML in which everything is text, and no name stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [self.construct_object(key, deep=True) for key, _ in node.value]
        if doubled := [name for number, name in enumerate(names) if name in names[:number]]:
            raise yaml.constructor.ConstructorError(None, None, f"{doubled[0]!r} stands twice", node.start_mark)
        return dict(super().construct_mapping(node, deep=deep))


def _lookup(place: str, said: Any) -> Lookup:
    words = _words(place, said, {"in", "by", "take"}, set())
    return Lookup(file=str(words["in"]), by=str(words["by"]), take=str(words["take"]))


def _words(place: str, said: Any, needed: set[str], allowed: set[str]) -> Mapping[str, Any]:
    words = _object(place, said)
    if unknown := [str(word) for word in words if word not in needed | allowed]:
        known = ", ".join(sorted(needed | allowed))
        raise BadMapping(f"{place}: unknown words {', '.join(sorted(unknown))}; there are {known}")
    if missing := needed - set(words):
        raise BadMapping(f"{place}: {', '.join(sorted(missing))} is missing")
    return words


def _table(words: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return _object(name, words.get(name) or {})


def _object(place: str, said: Any) -> Mapping[str, Any]:
    if not isinstance(said, dict):
        raise BadMapping(f"{place}: names with values are wanted, not {said!r}")
    return said


def _text(place: str, said: Any) -> str:
    if not isinstance(said, str) or not said:
        raise BadMapping(f"{place}: a text is wanted, not {said!r}")
    return said


def _texts(place: str, said: Any) -> Sequence[str]:
    texts: Iterable[Any] = said if isinstance(said, list) else [said]
    return [_text(place, text) for text in texts]


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
