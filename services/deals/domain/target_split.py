"""The split of a target: a whole, its parts, what they come to, whether a change takes them above it (PROC-4). Pure.

A company consists of the teams that none stands above, a team of the teams below it and of the reps who sit in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

Whose = tuple[str, UUID | None]
"""The level of a target, and the team or member that it is for; the company has none."""
COMPANY: Whose = ("company", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSplit:
    """What is given to the parts of a whole. Without a `whole` there is nothing that parts could exceed."""

    whole: Decimal | None
    parts: Sequence[Decimal]

    @property
    def sum(self) -> Decimal:
        """What the parts come to."""
        return sum(self.parts, Decimal(0))

    @property
    def difference(self) -> Decimal | None:
        """What is not given to any part; below zero where the parts come to more than the whole."""
        return None if self.whole is None else self.whole - self.sum

    @property
    def excess(self) -> Decimal:
        """By how much the parts exceed the whole."""
        return max(-(self.difference or Decimal(0)), Decimal(0))


def widens(before: TargetSplit, after: TargetSplit) -> bool:
    """Whether a change takes the parts above the whole, or further above it. One that brings them nearer is welcome,
    also where they exceed it still."""
    return after.excess > before.excess


def whole_of(level: str, team: UUID | None, above: Mapping[UUID, UUID]) -> Whose | None:
    """Whose target the whole is of which a target is a part; `above` is team → the team above it."""
    if level == "rep":
        return "team", team
    if level == "team" and team is not None:
        return ("team", above[team]) if team in above else COMPANY
    return None
