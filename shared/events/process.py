"""A sales process as data (PROC-1), with the criteria of its gates (PROC-3)."""

from typing import Annotated, Literal

from annotated_types import Ge, Le, MaxLen, MinLen

from shared.events.definition import Exact, value, words

Key = Annotated[str, MinLen(1), MaxLen(64)]
"""Letters, digits, dashes and underscores; whoever publishes a process is told where a key has others."""

MAX_DAYS = 3650
"""No span of a process lasts longer, in days."""


FactValue = str | int | bool | None


@value
class Predicate:
    """Exactly one of: `all_of`, `any_of`, `not_`, or `fact` with an `operator` and mostly a `value`.

    Operators: is, is-not, at-least, at-most, above, below, one-of (value: comma-separated), known, unknown.
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


@value
class Node:
    """A task or deliverable of a stage."""

    key: Key
    name: str
    required: bool = True
    standard: str | None = None
    """The action standard, like "5–8 open questions about the current situation"."""
    due_days: Annotated[int, Ge(0), Le(MAX_DAYS)] | None = None
    """Working days after the stage was entered; default: the stage's max days."""
    reference: str | None = None
    """The template of a deliverable."""


@value
class Stage:
    """One stage: what it is for, how likely a deal in it is won, and what its gates ask."""

    key: Key
    name: str
    purpose: str
    probability: Annotated[Exact, Ge(0), Le(1)]
    category: Annotated[str, words(("omitted", "pipeline", "best-case", "commit"))]
    """The forecast category that the stage maps to."""
    guidance: str | None = None
    buyer_stage: str | None = None
    responsible: str = "rep"
    supporting: tuple[str, ...] = ()
    tasks: tuple[Node, ...] = ()
    deliverables: tuple[Node, ...] = ()
    entry: tuple[Criterion, ...] = ()
    exit: tuple[Criterion, ...] = ()
    max_days: Annotated[int, Ge(1), Le(MAX_DAYS)] = 30
    idle_days: Annotated[int, Ge(1), Le(MAX_DAYS)] = 3
    skippable: bool = False
    drafts_contract: bool = False
    """A contract is drafted when a deal enters this stage (CON-1)."""


@value
class FactDefinition:
    """A fact that people note on a deal, and that criteria may ask for."""

    key: Key
    name: str
    kind: Literal["yes-no", "number", "text"]
    """number: an integer, or a decimal as a string."""


@value
class ProcessDefinition:
    """A whole process: its stages in order. Winning is an outcome, not a stage."""

    key: Key
    name: str
    stages: Annotated[tuple[Stage, ...], MinLen(1), MaxLen(30)]
    facts: tuple[FactDefinition, ...] = ()
    """What is noted on deals of this process, beside the facts that follow from the deal itself."""
    can_move_back: bool = True

    def stage(self, key: str) -> Stage:
        """The stage of a key; KeyError when there is none."""
        return self.stages[self.index(key)]

    def index(self, key: str) -> int:
        """The place of a stage in the order; KeyError when there is none."""
        for index, stage in enumerate(self.stages):
            if stage.key == key:
                return index
        raise KeyError(key)
