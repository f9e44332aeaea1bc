"""Acyclic hierarchies over time: no team (ORG-1) and no company (ACCT-1) ever stands below itself."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from uuid import UUID

from shared.domain.history import Fact, timed

FIRST, FOREVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

Line = Sequence[tuple[datetime, UUID | None]]
"""What a thing stands below: from when on, and the parent."""


def now_below(parent: UUID | None) -> Line:
    """The line of a thing of which only the present counts."""
    return ((FIRST, parent),)


def line_of(facts: Iterable[Fact]) -> Line:
    """The line of a thing from all that was recorded of it, told late or not."""
    line: list[tuple[datetime, UUID | None]] = []
    for at, fact in timed(facts):
        event = fact.data
        said = getattr(event, "said", None)
        if hasattr(event, "parent_id") and (not line or said is None or "parent_id" in said):
            line.append((at, event.parent_id))
    return line


def parents(line: Line) -> set[UUID]:
    """All that a thing ever stood below."""
    return {parent for _, parent in line if parent is not None}


def is_circular(own: UUID, lines: Mapping[UUID, Line]) -> bool:
    """Whether a thing stands below itself at any time, by its line and those of all above it."""
    left = [(own, FIRST, FOREVER)]
    seen = set(left)
    while left:
        thing, start, end = left.pop()
        for (since, parent), (until, _) in pairwise([*lines.get(thing, ()), (FOREVER, None)]):
            if parent is None or max(start, since) >= min(end, until):
                continue
            if parent == own:
                return True
            step = parent, max(start, since), min(end, until)
            if step not in seen:
                seen.add(step)
                left.append(step)
    return False
