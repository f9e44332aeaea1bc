"""How a CSV export becomes facts: a mapping, written in YAML (DATA-5). docs/how-to/import.md explains the words.

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

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

UNDATED, NEWEST = "undated", "newest"

WORDS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "is": (frozenset(), frozenset()),
    "text": (frozenset(), frozenset({"else"})),
    "map": (frozenset({"to"}), frozenset()),
    "look": (frozenset({"in"}), frozenset()),
    "number": (frozenset(), frozenset()),
    "day": (frozenset(), frozenset({"else"})),
    "money": (frozenset(), frozenset({"else", "note", "zero_is_missing"})),
}
"""The words that a field begins with: what must stand beside each, and what may."""


class BadMapping(ValueError):
    """A mapping that cannot be followed; the message names the place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a mapping; `place` names it in messages."""

    place: str
    file: str
    fact: str
    when: Mapping[str, Sequence[str]]
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
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadMapping(f"{path.name} is no YAML: {error}") from error
    try:
        return _mapping(said)
    except BadMapping as error:
        raise BadMapping(f"{path.name}: {error}") from error


def _mapping(said: Any) -> CsvMapping:
    words = _words("the mapping", said, {"source", "date_format", "newest_of", "rules"}, {"corrections", "lookups"})
    lookups = {name: _lookup(f"lookups.{name}", look) for name, look in _table(words, "lookups").items()}
    rules = words["rules"]
    if not isinstance(rules, list) or not rules:
        raise BadMapping("rules: it is a list of rules")
    return CsvMapping(
        source=_text("source", words["source"]),
        date_format=_text("date_format", words["date_format"]),
        newest_of={file: _texts(f"newest_of.{file}", columns) for file, columns in _table(words, "newest_of").items()},
        corrections={
            column: {str(wrong): str(right) for wrong, right in _object(f"corrections.{column}", meant).items()}
            for column, meant in _table(words, "corrections").items()
        },
        lookups=lookups,
        rules=[_rule(f"rules.{number}", rule, lookups) for number, rule in enumerate(rules)],
    )


def _rule(place: str, said: Any, lookups: Mapping[str, Lookup]) -> Rule:
    words = _words(place, said, {"from", "fact", "fields"}, {"when", "once"})
    fields = _object(f"{place}.fields", words["fields"])
    for name, source in fields.items():
        # YAML reads a bare `on` as true.
        if not isinstance(name, str):
            raise BadMapping(f'{place}.fields: {name!r} is no name of a field; write "on" with quotes')
        _check_source(f"{place}.fields.{name}", source, lookups)
    when = _object(f"{place}.when", words.get("when") or {})
    return Rule(
        place=place,
        file=_text(f"{place}.from", words["from"]),
        fact=_text(f"{place}.fact", words["fact"]),
        when={column: _texts(f"{place}.when.{column}", values) for column, values in when.items()},
        once=words.get("once") is True,
        fields=fields,
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
    if word == "map":
        _object(f"{place}.to", said["to"])
    if word == "look" and said["in"] not in lookups:
        raise BadMapping(f"{place}.in: there is no look-up {said['in']!r}; there are {', '.join(lookups) or 'none'}")
    if word == "day" and said.get("else", NEWEST) != NEWEST:
        raise BadMapping(f"{place}.else: a day can only be replaced by {NEWEST}")
    if word == "money" and ("else" in said) != ("note" in said):
        raise BadMapping(f"{place}: `else` and `note` belong together: what stands in for an amount is noted")
    if word in ("text", "money") and "else" in said:
        _check_source(f"{place}.else", said["else"], lookups)


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
