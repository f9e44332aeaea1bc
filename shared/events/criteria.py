"""Criteria as data: predicates over typed facts, by which gates, rules and chains decide (PROC-3)."""

from typing import Annotated

from annotated_types import MaxLen, MinLen

from shared.events.definition import value

Key = Annotated[str, MinLen(1), MaxLen(64)]
"""Letters, digits, dashes and underscores; whoever publishes a process is told where a key has others."""

FactValue = str | int | bool | None


@value
class Predicate:
    """Exactly one of: `all_of`, `any_of`, `not_`, or `fact` with an `operator` and mostly a `value`.

    Operators: is, is-not, at-least, at-most, above, below, one-of (value: comma-separated), known, unknown; of a fact
    that is several texts has (value: one of them), known, unknown.
    Numbers and decimal strings are compared as decimals. An unknown fact meets only "unknown" and "is-not".
    """

    all_of: tuple["Predicate", ...] | None = None
    any_of: tuple["Predicate", ...] | None = None
    not_: "Predicate | None" = None
    fact: str | None = None
    operator: str | None = None
    value: FactValue = None


@value
class Criterion:
    """A named condition of a gate."""

    key: Annotated[str, MinLen(1), MaxLen(64)]
    name: str
    when: Predicate
