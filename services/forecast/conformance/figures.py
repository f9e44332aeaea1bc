"""The figures that follow from sums of cases, and from the order of the stages in each version of a process. Pure.

The one rule of what counts where: an answer sums it up, and what lies behind one of its figures is chosen by it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args
from uuid import UUID

from services.forecast.conformance.conduct import (
    COMPLETED_FIRST,
    EXIT,
    MOVED_FIRST,
    MOVED_LATER,
    MOVED_THEN,
    NODE_ADDED,
    NODE_REMOVED,
    REFUSED_AGAIN,
    REFUSED_FIRST,
    WAIVER_EXPIRED,
    WAIVER_GIVEN,
    WAIVER_REVOKED,
    WAIVER_USED,
    WON_THERE,
    WON_UNMET,
)
from services.forecast.counting.marks import Kind
from services.forecast.execution.queries import SORTS
from services.forecast.processes.queries import Stage, StageKey

Figure = Literal[
    "stage-first-attempts",
    "stage-first-passes",
    "stage-refusals",
    "work-first-attempts",
    "work-first-passes",
    "work-refusals",
    "waivers-given",
    "waivers-used",
    "waivers-revoked",
    "waivers-expired",
    "skips",
    "returns",
    "stages-passed-by-winning",
    "won-with-exit-unmet",
    "flexible-nodes-added",
    "flexible-nodes-removed",
    "exits-proposed",
    "nodes-due",
    "nodes-completed",
    "proposals-due",
    "proposals-on-time",
]
FIGURES: tuple[str, ...] = get_args(Figure)

ALONE: Mapping[str, tuple[str, ...]] = {
    COMPLETED_FIRST: ("work-first-attempts", "work-first-passes"),
    WAIVER_GIVEN: ("waivers-given",),
    WAIVER_USED: ("waivers-used",),
    WAIVER_REVOKED: ("waivers-revoked",),
    WAIVER_EXPIRED: ("waivers-expired",),
    NODE_ADDED: ("flexible-nodes-added",),
    NODE_REMOVED: ("flexible-nodes-removed",),
    EXIT: ("exits-proposed",),
    **{sort: (sort,) for sort in SORTS},
}
"""What a case counts as that needs nothing else to be known."""

Orders = Mapping[tuple[UUID, int], Sequence[str]]
"""The stages of each version of a process, in their order."""


def orders_of(known: Iterable[Stage]) -> Orders:
    """The stages of each version, in their order."""
    found: dict[tuple[UUID, int], list[str]] = {}
    for stage in known:
        found.setdefault((stage.process_id, stage.version), []).append(stage.stage)
    return found


def counts_as(kind: Kind, orders: Orders) -> Iterator[tuple[StageKey, str]]:
    """The figures, each of a stage, in which a case of a kind counts."""
    if kind.sort in ALONE:
        yield from ((kind.place, figure) for figure in ALONE[kind.sort])
    elif kind.sort in (REFUSED_FIRST, REFUSED_AGAIN):
        yield kind.place, f"{kind.detail}-refusals"
        if kind.sort == REFUSED_FIRST:
            yield kind.place, f"{kind.detail}-first-attempts"
    elif kind.sort in (MOVED_FIRST, MOVED_LATER, MOVED_THEN):
        yield from _move(kind, orders.get((kind.process_id, kind.process_version), ()))
    elif kind.sort in (WON_THERE, WON_UNMET):
        yield from _win(kind, orders.get((kind.process_id, kind.process_version), ()))


def _win(kind: Kind, order: Sequence[str]) -> Iterator[tuple[StageKey, str]]:
    """A win goes past each stage that lay ahead, and past the exit of the one in which the deal stood where that was
    unmet. As long as the order is not known, nobody knows what lay ahead."""
    if kind.sort == WON_UNMET:
        yield kind.place, "won-with-exit-unmet"
    ahead = order[order.index(kind.stage) + 1 :] if kind.stage in order else ()
    yield from (((kind.process_id, kind.process_version, stage), "stages-passed-by-winning") for stage in ahead)


def _move(kind: Kind, order: Sequence[str]) -> Iterator[tuple[StageKey, str]]:
    """A move forward passes a gate, one back does not. A skip counts for each stage that was passed over, a return for
    the stage that was left. As long as the order is not known that says which it is, it is neither."""
    if kind.stage not in order or kind.detail not in order:
        return
    before, after = order.index(kind.stage), order.index(kind.detail)
    if after < before:
        yield kind.place, "returns"
        return
    yield from (((kind.process_id, kind.process_version, stage), "skips") for stage in order[before + 1 : after])
    if kind.sort == MOVED_FIRST:
        yield kind.place, "stage-first-attempts"
        yield kind.place, "stage-first-passes"


@dataclass(frozen=True, slots=True)
class Sums:
    """What all cases of one place, or of all, come to: by figure, and exits by their detail."""

    figures: Counter[str]
    exits: Counter[str]


def summed(counted: Mapping[Kind, int], orders: Orders) -> tuple[Sums, dict[StageKey, Sums]]:
    """All cases, and those of each stage that has any."""
    whole, stages = Sums(Counter(), Counter()), dict[StageKey, Sums]()
    for kind, count in counted.items():
        for place, figure in counts_as(kind, orders):
            for sums in (whole, stages.setdefault(place, Sums(Counter(), Counter()))):
                sums.figures[figure] += count
                if kind.sort == EXIT:
                    sums.exits[kind.detail] += count
    return whole, stages
