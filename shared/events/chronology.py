"""Bitemporal history: what happened to one thing in the order in which it happened, however late it was told (DATA-5).

A fact is known by its instant, or only by its day. One known by its day stands at the end of it, but before an instant
of that day which presupposes it: all presuppose the first opening, and a reopening the end before it. What was told
of one time goes by its rank, then by its name; what was recorded as it happened goes by its sequence. When something
was told never decides, but that of several facts under one name the last told counts: it corrects the others.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import IntEnum
from itertools import groupby
from typing import TypeVar

FactT = TypeVar("FactT")

MAX_DAY = timedelta(hours=26)
"""No day of any time zone lasts longer."""


ORDER_OF_DAY = "order-of-day"
"""What is assumed of a thing that came to two stages, or two ends, on a day of which nobody can know the order."""


class Rank(IntEnum):
    """What goes first of what happened to a thing at one time."""

    OPENING = 0
    CHANGE = 1
    MOVE = 2
    ACTIVITY = 3
    NODE = 4
    END = 5
    REOPENING = 6


TELLING = (Rank.MOVE, Rank.END)
"""What may lead to two things on one day."""


@dataclass(frozen=True, slots=True, order=True)
class Dated:
    """When a fact happened, and what decides between those of one time; the order is that of the attributes."""

    at: datetime
    """The instant; of a fact that is known by its day alone one that stands for the day."""
    turn: tuple[bool, int, str, int]
    rank: Rank = field(compare=False)
    on: date = field(compare=False)
    """The company's day of it."""
    by_day: bool = field(compare=False)
    """Whether nothing but the day is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What surrounds a fact of history that a request brings in."""

    name: str
    """By what the fact is known again among all facts of its thing, whatever it says."""
    rank: Rank
    at: datetime
    """When everything was told that comes in together."""


def told(at: datetime, rank: Rank, name: str, *, on: date, by_day: bool, sequence: int = 0) -> Dated:
    """The place of a fact of history. One request may record several things under one name, in their sequence."""
    return Dated(at, (False, rank, name, sequence), rank, on, by_day)


def recorded(at: datetime, rank: Rank, sequence: int, *, on: date, by_day: bool) -> Dated:
    """The place of a fact that was recorded as it happened, or soon after."""
    return Dated(at, (True, sequence, "", 0), rank, on, by_day)


def in_order(facts: Iterable[FactT], dated: Callable[[FactT], Dated]) -> list[FactT]:
    """The facts of one thing in the order in which they happened."""
    rest = sorted(((dated(fact), fact) for fact in facts), key=lambda entry: entry[0])
    opening = next((place for place, (when, _) in enumerate(rest) if when.rank is Rank.OPENING), 0)
    if opening:
        rest.insert(0, rest.pop(opening))
    if all(when.rank is not Rank.REOPENING or when.by_day for when, _ in rest):
        return [fact for _, fact in rest]
    ordered: list[FactT] = []
    is_open = True
    while rest:
        when, _ = rest[0]
        chosen = 0
        if when.rank is Rank.REOPENING and is_open and not when.by_day:
            chosen = next((place for place, (other, _) in enumerate(rest) if _presupposed(other, when)), 0)
        when, fact = rest.pop(chosen)
        ordered.append(fact)
        if when.rank in (Rank.END, Rank.REOPENING):
            is_open = when.rank is Rank.REOPENING
    return ordered


def _presupposed(end: Dated, reopening: Dated) -> bool:
    """Whether an end may be the one that a reopening undid, though only its day is known."""
    return end.rank is Rank.END and end.by_day and end.on == reopening.on


def follows(last: Dated, new: Dated) -> bool:
    """Whether a fact stands after all others of its thing, of which `last` has the last place; False may be too
    careful."""
    if new <= last or new.rank is Rank.OPENING:
        return False
    if new.by_day and new.on == last.on and new.rank in TELLING:
        return False  # whether the order of the day can be known is looked at anew
    # One known by its day may have been undone on that very day.
    return not (new.rank is Rank.END and new.by_day and last.at > new.at - MAX_DAY)


def unordered_days(facts: Iterable[tuple[Dated, object]]) -> Iterator[date]:
    """The days of a thing of which nobody can know the order: on them it came to two stages, or to two ends, and of one
    nothing but the day is known. Each fact comes with where it led."""
    telling = sorted((when.on, when.rank, when.by_day, str(led_to)) for when, led_to in facts if when.rank in TELLING)
    for (day, _), group in groupby(telling, key=lambda fact: fact[:2]):
        of_day = list(group)
        if any(by_day for *_, by_day, _ in of_day) and len({led_to for *_, led_to in of_day}) > 1:
            yield day
