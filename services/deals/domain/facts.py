"""The typed facts that criteria are judged by (PROC-3).

Two kinds. *Noted* facts are declared by the process of a deal (`ProcessDefinition.facts`) and noted by people.
*Derived* facts follow from the deal itself; they are these, and nothing else:

| fact                  | kind   | what it is                                                                  |
|-----------------------|--------|-----------------------------------------------------------------------------|
| `amount`              | number | what the deal is worth, in the company's currency: by the last rates        |
|                       |        | published until today; unknown without any                                  |
| `expected_close`      | text   | the day on which it is expected to close, YYYY-MM-DD; unknown when not set  |
| `account`             | text   | the id of the account; unknown when the deal has none                       |
| `lines`               | number | how many product lines the deal has                                         |
| `activities`          | number | how many activities were logged                                             |
| `next_step_planned`   | yes-no | whether a next step with a day is planned                                   |
| `task.<key>`          | yes-no | whether that task of the process is done                                    |
| `deliverable.<key>`   | yes-no | whether that deliverable of the process is there                            |
"""

from collections.abc import Iterator, Mapping

from shared.domain.criteria import NUMBER, is_number
from shared.domain.rejection import Reason
from shared.events.process import FactValue, Predicate, ProcessDefinition

DERIVED: Mapping[str, str] = {
    "amount": "number",
    "expected_close": "text",
    "account": "text",
    "lines": "number",
    "activities": "number",
    "next_step_planned": "yes-no",
}
"""Derived facts that every process has, and their kinds."""

WANTED: Mapping[str, str] = {"yes-no": "true or false", "number": NUMBER, "text": "a text of 1 to 500 characters"}
"""What a fact of a kind may be."""

COMPARING = ("at-least", "at-most", "above", "below")


def vocabulary(definition: ProcessDefinition) -> dict[str, str]:
    """Every fact that the criteria of a process may name, and its kind."""
    tasks = {f"task.{node.key}": "yes-no" for stage in definition.stages for node in stage.tasks}
    deliverables = {f"deliverable.{node.key}": "yes-no" for stage in definition.stages for node in stage.deliverables}
    return {**{fact.key: fact.kind for fact in definition.facts}, **DERIVED, **tasks, **deliverables}


def predicate_faults(predicate: Predicate, known: Mapping[str, str], where: str) -> Iterator[Reason]:
    """What is wrong with the facts that a well-formed predicate asks for: not in the vocabulary, or another kind."""
    for place, comparison in _comparisons(predicate, where):
        kind = known.get(str(comparison.fact))
        if kind is None:
            message = f"There is no fact {comparison.fact!r}; there are {', '.join(sorted(known))}."
            yield Reason(code="unknown-fact", message=message, field=f"{place}.fact")
        elif comparison.operator in COMPARING and kind != "number":
            message = f"{comparison.fact} is no number ({kind})."
            yield Reason(code="not-comparable", message=message, field=f"{place}.operator")
        elif comparison.operator in ("is", "is-not") and not is_of_kind(comparison.value, kind):
            message = f"{comparison.fact} is a {kind} fact: {WANTED[kind]}."
            yield Reason(code="other-kind", message=message, field=f"{place}.value")


def noted_faults(definition: ProcessDefinition, noted: Mapping[str, FactValue]) -> Iterator[Reason]:
    """What is wrong with facts that somebody notes: not declared by the process, or of another kind."""
    declared = {fact.key: fact.kind for fact in definition.facts}
    for key, value in noted.items():
        if key not in declared:
            message = f"The process knows no fact {key!r} to note; it knows {', '.join(sorted(declared)) or 'none'}."
            yield Reason(code="unknown-fact", message=message, field=f"facts.{key}")
        elif value is not None and not is_of_kind(value, declared[key]):
            kind = declared[key]
            yield Reason(code="other-kind", message=f"{key} is a {kind} fact: {WANTED[kind]}.", field=f"facts.{key}")


def is_of_kind(value: FactValue, kind: str) -> bool:
    """Whether a value can be one of a fact of this kind."""
    if kind == "yes-no":
        return isinstance(value, bool)
    if kind == "number":
        return is_number(value)
    return isinstance(value, str) and 0 < len(value) <= 500


def _comparisons(predicate: Predicate, where: str) -> Iterator[tuple[str, Predicate]]:
    """The comparisons in a predicate, each with its position."""
    if predicate.fact is not None:
        yield where, predicate
    for name, parts in (("all_of", predicate.all_of), ("any_of", predicate.any_of)):
        for index, part in enumerate(parts or ()):
            yield from _comparisons(part, f"{where}.{name}.{index}")
    if predicate.not_ is not None:
        yield from _comparisons(predicate.not_, f"{where}.not_")
