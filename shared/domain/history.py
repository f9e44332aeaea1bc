"""Bitemporal fold: the state of a thing from its facts in whatever order they were recorded (DATA-5)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol, TypeVar
from uuid import UUID

from rpds import HashTrieMap

from shared.domain.context import Company
from shared.domain.money import half_up
from shared.events.chronology import MAX_DAY, Dated, Rank, follows, in_order, recorded, told, unordered_days


class Fact(Protocol):
    """What is known of a fact that was recorded: an event with its surroundings."""

    @property
    def data(self) -> Any: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def by_day(self) -> bool: ...
    @property
    def sequence(self) -> int: ...
    @property
    def fact(self) -> str | None: ...
    @property
    def causation_id(self) -> UUID: ...


class EnteredFact(Fact, Protocol):
    """A fact that says how it came in."""

    @property
    def recorded_at(self) -> datetime: ...
    @property
    def imported(self) -> bool: ...


class FactOfThing(Fact, Protocol):
    """A fact that says of which thing it is."""

    @property
    def aggregate_id(self) -> UUID: ...


FactT = TypeVar("FactT", bound=Fact)
EnvelopeT = TypeVar("EnvelopeT", bound=FactOfThing)
KeyT = TypeVar("KeyT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A fact of one thing, as far as the state of the thing follows from it."""

    data: Any
    occurred_at: datetime
    by_day: bool
    sequence: int
    fact: str | None
    causation_id: UUID


def place_of(fact: Fact) -> Dated:
    """Where a fact stands among those of its thing."""
    event = fact.data
    rank = Rank.CHANGE if event.rank is None else event.rank  # an opening has the rank 0
    on: date = getattr(event, "on", None) or fact.occurred_at.date()
    if fact.fact is not None:
        return told(fact.occurred_at, rank, fact.fact, on=on, by_day=fact.by_day, sequence=fact.sequence)
    return recorded(fact.occurred_at, rank, fact.sequence, on=on, by_day=fact.by_day)


def led_to(event: Any) -> str:
    """Where a move or an end leads, to be told apart from another one of its day."""
    return f"{event.type} {getattr(event, event.leads_to) if event.leads_to else ''}"


def is_order_known(facts: Iterable[Fact]) -> bool:
    """Whether the facts of a thing say in which order it came where it did; else the rules for one day decided."""
    telling = ((place_of(fact), led_to(fact.data)) for fact in standing(facts))
    return not any(True for _ in unordered_days(telling))


def standing(facts: Iterable[FactT]) -> list[FactT]:
    """The facts without those that were taken back or corrected: of several under one name, those of the last request
    count."""
    told = list(facts)
    gone = {fact.data.request for fact in told if fact.data.retracts}
    known = [fact for fact in told if not fact.data.retracts and fact.causation_id not in gone]
    last = {fact.fact: fact.causation_id for fact in sorted(known, key=lambda fact: fact.sequence) if fact.fact}
    return [fact for fact in known if fact.fact is None or last[fact.fact] == fact.causation_id]


def entry_delay(
    facts: Iterable[EnteredFact],
    is_entry: Callable[[Any], bool],
    known_since: datetime,
    company: Company,
    *,
    latest: int,
) -> int | None:
    """For how many days on average the latest entries among facts came in late (recorded − occurred), rounded half up;
    None without any. What is imported of days before the thing was known here is history, which nobody enters late."""
    days = [
        (company.day(fact.occurred_at), company.day(fact.recorded_at))
        for fact in standing(facts)
        if is_entry(fact.data) and (not fact.imported or company.day(fact.occurred_at) >= company.day(known_since))
    ]
    delays = [max((recorded - occurred).days, 0) for occurred, recorded in days[-latest:]]
    return int(half_up(Decimal(sum(delays)) / len(delays), Decimal(1))) if delays else None


def stated(event: Any, names: Iterable[str], *, first: bool = False) -> dict[str, Any]:
    """The fields of an event, of those named, that it tells: all of them in the beginning (`first`), and what a later
    line of history does not say stays as it was."""
    return {name: getattr(event, name) for name in names if first or event.said is None or name in event.said}


def said_of(told: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Which fields a line of history tells; None, as of what is recorded as it happens, where that is all of them."""
    said = tuple(name for name, value in told.items() if value is not None)
    return None if len(said) == len(told) else said


def by_thing(facts: Iterable[EnvelopeT]) -> dict[UUID, list[EnvelopeT]]:
    """The facts of several things, each thing's together."""
    found: dict[UUID, list[EnvelopeT]] = {}
    for fact in facts:
        found.setdefault(fact.aggregate_id, []).append(fact)
    return found


def history(facts: Iterable[FactT]) -> list[FactT]:
    """What is known to have happened, in the order in which it did."""
    return in_order(standing(facts), place_of)


def timed(facts: Iterable[FactT]) -> list[tuple[datetime, FactT]]:
    """What is known to have happened, in order, each with the instant at which it counts: its own, or, of a day with
    instants that presuppose it, the first of those."""
    ordered = history(facts)
    found: list[tuple[datetime, FactT]] = []
    for fact in reversed(ordered):
        at = min(fact.occurred_at, found[-1][0]) if found else fact.occurred_at
        # Of a day as early as it can have begun; what is told of a time before the opening counts from there.
        began = fact.occurred_at - MAX_DAY if fact.by_day else fact.occurred_at
        found.append((max(at, began), fact))
    latest, counting = found[-1][0] if found else None, list[tuple[datetime, FactT]]()
    for at, fact in reversed(found):
        latest = max(at, latest) if latest else at
        counting.append((latest, fact))
    return counting


def late_among(last: Mapping[KeyT, Dated], facts: Iterable[tuple[KeyT, Fact]]) -> tuple[set[KeyT], dict[KeyT, Dated]]:
    """Of what some facts cannot simply continue the fold, for one stands before the last place of it, or opens again
    what is gone; and the last places with these facts. What corrects another fact is to be asked of the log."""
    late, places = set[KeyT](), dict(last)
    for key, fact in facts:
        place = place_of(fact)
        if key not in places:
            places[key] = place
            if place.rank is Rank.OPENING and fact.sequence > 1:
                late.add(key)
            continue
        if not follows(places[key], place):
            late.add(key)
        places[key] = max(places[key], place)
    return late, places


def last_place(facts: Iterable[Fact]) -> Dated:
    """The last place of any of the facts that stand."""
    return max(map(place_of, standing(facts)))


@dataclass(frozen=True, slots=True)
class Folded:
    """How far a thing is folded whose facts may be told late: the last place of any of them, and by what they are
    known."""

    last: Dated
    names: "HashTrieMap[str, None]" = field(default_factory=HashTrieMap)
    """Persistent: one name more costs the same however many there are."""
    erased: frozenset[UUID] = frozenset()
    """People who were forgotten, and the thing itself once its texts were erased: what is told of them later comes in
    without what is personal, and what history tells of it without texts (DATA-4)."""


def goes_on(so_far: Folded | None, facts: Iterable[Fact]) -> bool:
    """Whether all of these facts happened after what is folded so far, and correct or erase nothing of it; else the
    thing is folded again from its whole history."""
    return so_far is None or all(
        not fact.data.retracts
        and not fact.data.erases
        and (fact.fact is None or fact.fact not in so_far.names)
        and follows(so_far.last, place_of(fact))
        for fact in facts
    )


def folded(so_far: Folded | None, facts: Iterable[Fact]) -> Folded | None:
    """How far a thing is folded with these facts."""
    for fact in facts:
        if fact.data.retracts:
            continue
        place = place_of(fact)
        names: HashTrieMap[str, None] = so_far.names if so_far else HashTrieMap()
        erased = so_far.erased if so_far else frozenset[UUID]()
        event = fact.data
        so_far = Folded(
            last=place if so_far is None else max(so_far.last, place),
            names=names.insert(fact.fact, None) if fact.fact else names,
            erased=erased | {getattr(event, event.erases)} if event.erases else erased,
        )
    return so_far


def before(facts: Sequence[Fact], place: Dated, name: str) -> list[Fact]:
    """What is known to have happened before something that is to be told under a name: without what it corrects, and
    without another end of a day of which nobody can know the order, for the two may as well stand the other way
    round."""
    marker = _Marker()
    rest: list[Any] = [fact for fact in standing(facts) if fact.fact != name]
    ordered = in_order([*rest, marker], lambda fact: place if fact is marker else place_of(fact))
    return [fact for fact in ordered[: ordered.index(marker)] if not _is_other_end(place_of(fact), place)]


def _is_other_end(one: Dated, other: Dated) -> bool:
    """Whether two ends are of one day, and of one of them nothing but the day is known."""
    return one.rank is other.rank is Rank.END and one.on == other.on and (one.by_day or other.by_day)


class _Marker:
    """Stands for what is not there yet."""
