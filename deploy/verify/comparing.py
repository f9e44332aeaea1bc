"""Comparing what was read: control totals first, events where totals differ, and the chain of positions. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from deploy.verify.entries import Day, Entry, Total
from shared.kafka.chain import Place

What = Literal["missing", "unexpected", "altered", "broken-chain", "behind"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference, and the event that it is about."""

    where: str
    """Like "topic deals.deal.v1" or "projection deals of forecast"."""
    what: What
    sentence: str
    service: str | None = None
    """Whose event it is; with what follows it is empty when no single event can be named."""
    aggregate: str | None = None
    aggregate_id: UUID | None = None
    event_id: UUID | None = None
    position: int | None = None
    """In the owner's log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What was compared with the store, or with a fresh fold."""

    where: str
    compared: int
    """Events; of a projection the position up to which it was folded."""
    differences: Sequence[Difference] = ()
    note: str = ""


def differing(stored: Mapping[Day, Total], other: Mapping[Day, Total]) -> set[Day]:
    """The days whose control totals do not agree."""
    return {day for day in stored.keys() | other.keys() if stored.get(day) != other.get(day)}


def named(where: str, stored: Iterable[Entry], other: Iterable[Entry]) -> list[Difference]:
    """The events that make two sides differ."""
    left = {(entry.topic, entry.position): entry for entry in stored}
    right = {(entry.topic, entry.position): entry for entry in other}
    found = []
    for key in sorted(left.keys() | right.keys()):
        mine, theirs = left.get(key), right.get(key)
        if theirs is None and mine is not None:
            found.append(about(mine, where, "missing", "It is in the store and not here."))
        elif mine is None and theirs is not None:
            found.append(about(theirs, where, "unexpected", "It is here and not in the store."))
        elif mine is not None and theirs is not None and mine.checksum != theirs.checksum:
            found.append(about(mine, where, "altered", "Its data or headers are not those of the store."))
    return found


def about(entry: Entry, where: str, what: What, sentence: str) -> Difference:
    """A difference that concerns one event."""
    service, aggregate, _ = entry.topic.split(".")
    return Difference(
        where=where,
        what=what,
        sentence=sentence,
        service=service,
        aggregate=aggregate,
        aggregate_id=entry.aggregate_id,
        event_id=entry.event_id,
        position=entry.position,
    )


class Chain:
    """Follows partitions as a reader does: what was seen before is dropped, and every event has to name the one before
    it. Journals do not say what came before, so that only their order is followed."""

    def __init__(self, where: str, *, links: bool) -> None:
        self.where = where
        self.broken: list[Difference] = []
        self._links = links
        self._last: dict[Place, int] = {}

    def follow(self, entries: Iterable[Entry]) -> list[Entry]:
        """The entries that are new."""
        new = []
        for entry in entries:
            place = Place(entry.topic, entry.partition)
            last = self._last.get(place, 0)
            if entry.position < 0:  # a record that is no event of ours has no place in the chain
                new.append(entry)
            elif entry.position > last:
                if self._links and entry.previous != last:
                    sentence = f"It says that it follows {entry.previous}; before it stands {last or 'nothing'}."
                    self.broken.append(about(entry, self.where, "broken-chain", sentence))
                self._last[place] = entry.position
                new.append(entry)
            elif not self._links:
                self.broken.append(about(entry, self.where, "broken-chain", f"It stands behind {last}."))
                new.append(entry)
        return new


def beyond(where: str, entries: Collection[Entry], ends: Mapping[str, int]) -> list[Difference]:
    """Entries behind the end of their owner's store, which hence cannot have come from there."""
    return [
        about(entry, where, "unexpected", "The store has never come so far.")
        for entry in entries
        if entry.position > ends[entry.topic.split(".", 1)[0]]
    ]
