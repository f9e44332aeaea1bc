"""Gate criteria as data: a small, safe predicate over typed facts (PROC-3)."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from shared.domain.money import MAX_AMOUNT, half_up
from shared.domain.rejection import Reason
from shared.domain.text import shows
from shared.events.criteria import Criterion, FactValue, Predicate
from shared.events.definition import Exact, value

Facts = Mapping[str, Any]
"""Fact name → value; amounts and shares are Decimal or decimal strings."""

NUMBER = "a number of at most 15 digits before the point and 12 after it"
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,12})?")

OPERATORS = ("is", "is-not", "at-least", "at-most", "above", "below", "known", "unknown", "one-of", "has")
COMPARING = ("at-least", "at-most", "above", "below")
MAX_DEPTH = 8
KEY = re.compile(r"[A-Za-z0-9_-]+")

SEVERAL = "texts"
"""The kind of a fact that is several texts: it may have one, or not be known, and is compared with nothing."""
OF_SEVERAL = ("has", "known", "unknown")

WANTED: Mapping[str, str] = {"yes-no": "true or false", "number": NUMBER, "text": "a text of 1 to 500 characters"}
"""What a fact of a kind may be."""

SHARE = Decimal("0.0001")
"""Shares are stated in steps of a hundredth of a per cent."""


@value
class Completeness:
    """The facts that are asked for, and those of them that are not filled in (DEAL-11)."""

    required: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def share(self) -> Exact | None:
        """Filled ÷ required facts, in steps of 0.0001; None where nothing is asked for."""
        if not self.required:
            return None
        return half_up(Decimal(len(self.required) - len(self.missing)) / len(self.required), SHARE)


def completeness_of(asked: Iterable[str], is_filled: Callable[[str], bool]) -> Completeness:
    """Which facts are asked for, each once in order, and which are not filled in."""
    required = tuple(dict.fromkeys(asked))
    return Completeness(required=required, missing=tuple(fact for fact in required if not is_filled(fact)))


def meets(predicate: Predicate, facts: Facts) -> bool:
    """Whether the facts meet the predicate."""
    if predicate.all_of is not None:
        return all(meets(part, facts) for part in predicate.all_of)
    if predicate.any_of is not None:
        return any(meets(part, facts) for part in predicate.any_of)
    if predicate.not_ is not None:
        return not meets(predicate.not_, facts)
    return _compare(facts.get(str(predicate.fact)), str(predicate.operator), predicate.value)


def unmet(criteria: tuple[Criterion, ...], facts: Facts, gate: str) -> list[Reason]:
    """One reason for every criterion that the facts do not meet, with the values that it met (DEAL-3)."""
    return [
        Reason(
            code="criterion-unmet",
            message=f"{criterion.name} ({gate})",
            details={"criterion": criterion.key, "gate": gate, **explained(criterion, facts)},
        )
        for criterion in criteria
        if not meets(criterion.when, facts)
    ]


def explained(criterion: Criterion, facts: Facts) -> dict[str, Any]:
    """What a criterion expects, in words, and the values that it met."""
    return {
        "expected": described(criterion.when),
        "met": {name: _shown(facts.get(name)) for name in facts_of(criterion.when)},
    }


def described(predicate: Predicate) -> str:
    """The predicate in words, like "pains at-least 2 and budget known"."""
    if predicate.all_of is not None:
        return " and ".join(described(part) for part in predicate.all_of)
    if predicate.any_of is not None:
        return "(" + " or ".join(described(part) for part in predicate.any_of) + ")"
    if predicate.not_ is not None:
        return f"not ({described(predicate.not_)})"
    words = (predicate.fact, predicate.operator, None if predicate.value is None else str(predicate.value))
    return " ".join(word for word in words if word)


def facts_of(predicate: Predicate) -> list[str]:
    """The names of the facts that a predicate looks at, each once, in order."""
    parts = [*(predicate.all_of or ()), *(predicate.any_of or ()), *([predicate.not_] if predicate.not_ else [])]
    names = [predicate.fact] if predicate.fact else []
    return list(dict.fromkeys(names + [name for part in parts for name in facts_of(part)]))


def faults(predicate: Predicate, where: str, depth: int = 1) -> Iterator[Reason]:
    """What is wrong with a predicate as data; `where` is its position, like "stages.0.exit.1.when" (PROC-3)."""
    shapes = [
        name
        for name, present in (
            ("all_of", predicate.all_of is not None),
            ("any_of", predicate.any_of is not None),
            ("not_", predicate.not_ is not None),
            ("fact", predicate.fact is not None),
        )
        if present
    ]
    if depth > MAX_DEPTH:
        yield _fault("too-deep", f"Predicates nest at most {MAX_DEPTH} deep.", where)
    elif len(shapes) != 1:
        yield _fault("not-one-shape", "A predicate has exactly one of all_of, any_of, not_ and fact.", where)
    elif predicate.fact is not None:
        yield from _comparison_faults(predicate, where)
    else:
        for name, parts in (("all_of", predicate.all_of), ("any_of", predicate.any_of)):
            if parts is not None and not parts:
                yield _fault("empty", f"{name} needs at least one predicate.", f"{where}.{name}")
            for index, part in enumerate(parts or ()):
                yield from faults(part, f"{where}.{name}.{index}", depth + 1)
        if predicate.not_ is not None:
            yield from faults(predicate.not_, f"{where}.not_", depth + 1)


def _comparison_faults(predicate: Predicate, where: str) -> Iterator[Reason]:
    if predicate.operator not in OPERATORS:
        yield _fault("unknown-operator", f"The operator is one of {', '.join(OPERATORS)}.", f"{where}.operator")
    elif predicate.operator in COMPARING and not is_number(predicate.value):
        yield _fault("not-a-number", f"{predicate.operator} compares with {NUMBER}.", f"{where}.value")
    elif predicate.operator in ("is", "is-not", "one-of", "has") and predicate.value is None:
        yield _fault("value-missing", f"{predicate.operator} needs a value.", f"{where}.value")


def is_number(given: FactValue) -> bool:
    """Whether a value can be a number fact. Bounded as money is: every event of a deal and every reader carries it."""
    if isinstance(given, bool) or given is None:
        return False
    if isinstance(given, int):
        return abs(given) <= MAX_AMOUNT
    return _NUMBER.fullmatch(given) is not None


def predicate_faults(predicate: Predicate, known: Mapping[str, str], where: str) -> Iterator[Reason]:
    """What is wrong with the facts that a well-formed predicate asks for: not in the vocabulary, or another kind."""
    for place, comparison in comparisons(predicate, where):
        kind = known.get(str(comparison.fact))
        if kind is None:
            message = f"There is no fact {comparison.fact!r}; there are {', '.join(sorted(known))}."
            yield Reason(code="unknown-fact", message=message, field=f"{place}.fact")
        elif kind == SEVERAL and comparison.operator not in OF_SEVERAL:
            message = f"{comparison.fact} is several texts: its operator is one of {', '.join(OF_SEVERAL)}."
            yield Reason(code="other-operator", message=message, field=f"{place}.operator")
        elif kind != SEVERAL and comparison.operator == "has":
            message = f"{comparison.fact} is a {kind} fact: it has no parts."
            yield Reason(code="other-operator", message=message, field=f"{place}.operator")
        elif comparison.operator in COMPARING and kind != "number":
            message = f"{comparison.fact} is no number ({kind})."
            yield Reason(code="not-comparable", message=message, field=f"{place}.operator")
        elif comparison.operator in ("is", "is-not") and not is_of_kind(comparison.value, kind):
            message = f"{comparison.fact} is a {kind} fact: {WANTED[kind]}."
            yield Reason(code="other-kind", message=message, field=f"{place}.value")


def criteria_faults(criteria: tuple[Criterion, ...], known: Mapping[str, str], where: str) -> Iterator[Reason]:
    """What is wrong with criteria as data, each with its position: keys, names, shapes, and the facts that they ask
    for, of which `known` has the kinds."""
    keys = [(f"{where}.{index}.key", each.key) for index, each in enumerate(criteria)]
    yield from misspelt(keys)
    yield from repeated(keys)
    yield from blank((f"{where}.{index}.name", each.name) for index, each in enumerate(criteria))
    for index, criterion in enumerate(criteria):
        place = f"{where}.{index}.when"
        misshapen = list(faults(criterion.when, place))
        yield from misshapen or predicate_faults(criterion.when, known, place)


def misspelt(keys: Iterable[tuple[str, str]]) -> Iterator[Reason]:
    """A reason for every key with other characters; keys come with their positions."""
    for where, key in keys:
        if not KEY.fullmatch(key):
            message = "A key has letters (a to z), digits, dashes and underscores only."
            yield Reason(code="invalid-key", message=message, field=where)


def blank(names: Iterable[tuple[str, str]]) -> Iterator[Reason]:
    """A reason for every name that says nothing; names come with their positions."""
    for where, name in names:
        if not shows(name):
            yield Reason(code="blank", message="A name needs a character that shows.", field=where)


def repeated(keys: Iterable[tuple[str, str]]) -> Iterator[Reason]:
    """A reason for every key that occurred before; keys come with their positions."""
    seen: set[str] = set()
    for where, key in keys:
        if key in seen:
            yield Reason(code="repeated-key", message=f"The key {key!r} is used twice.", field=where)
        seen.add(key)


def is_of_kind(value: FactValue, kind: str) -> bool:
    """Whether a value can be one of a fact of this kind."""
    if kind == "yes-no":
        return isinstance(value, bool)
    if kind == "number":
        return is_number(value)
    return isinstance(value, str) and 0 < len(value) <= 500


def comparisons(predicate: Predicate, where: str) -> Iterator[tuple[str, Predicate]]:
    """The comparisons in a predicate, each with its position."""
    if predicate.fact is not None:
        yield where, predicate
    for name, parts in (("all_of", predicate.all_of), ("any_of", predicate.any_of)):
        for index, part in enumerate(parts or ()):
            yield from comparisons(part, f"{where}.{name}.{index}")
    if predicate.not_ is not None:
        yield from comparisons(predicate.not_, f"{where}.not_")


def required(predicate: Predicate, where: str) -> Iterator[tuple[str, Predicate]]:
    """The comparisons that have to hold for a predicate to be met, whatever else does, each with its position."""
    if predicate.fact is not None:
        yield where, predicate
    for index, part in enumerate(predicate.all_of or ()):
        yield from required(part, f"{where}.all_of.{index}")


def _fault(code: str, message: str, where: str) -> Reason:
    return Reason(code=code, message=message, field=where)


def _compare(met: Any, operator: str, wanted: FactValue) -> bool:
    if operator in ("known", "unknown"):
        return (met is not None) == (operator == "known")
    if met is None:
        return operator == "is-not"
    if operator in ("has", "one-of"):
        several = {part.strip() for part in str(wanted).split(",")}
        return _text(wanted) in met if operator == "has" else _text(met) in several
    left, right = _decimal(met), _decimal(wanted)
    if operator in ("is", "is-not"):
        same = left == right if left is not None and right is not None else _text(met) == _text(wanted)
        return same == (operator == "is")
    if left is None or right is None:
        return False
    return {"at-least": left >= right, "at-most": left <= right, "above": left > right, "below": left < right}[operator]


def _decimal(given: Any) -> Decimal | None:
    if isinstance(given, bool) or given is None:
        return None
    try:
        number = Decimal(str(given))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _text(given: Any) -> str:
    return str(given).lower() if isinstance(given, bool) else str(given)


def _shown(given: Any) -> Any:
    return str(given) if isinstance(given, Decimal) else given
