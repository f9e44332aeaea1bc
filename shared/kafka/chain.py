"""Gap detection and deduplication: each record names the position before it, so a missing one is noticed. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from shared.events.envelope import Envelope
from shared.kafka.record import Received


class Place(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A record says that it follows `previous`, but the last one seen stands at `after`."""

    after: int
    previous: int
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sifted:
    """What a batch of records comes to."""

    new: tuple[tuple[Place, Envelope[bytes]], ...]
    """Each once, in the order in which they came."""
    seen: Mapping[Place, int]
    """The position that each partition of the batch has been seen up to."""
    gaps: Mapping[Place, Gap]
    """Where a partition breaks off; nothing after the gap is new."""


def sift(records: Iterable[tuple[Place, Received]], seen: Mapping[Place, int]) -> Sifted:
    """Drop what was seen before, and stop a partition at its first gap.

    `seen` holds the position up to which each partition is known, 0 for none. A record that does not say where it
    stands in the chain is new and leaves the chain as it is; whoever keeps it must tell a repeated one by its place.
    """
    reached = dict(seen)
    new: list[tuple[Place, Envelope[bytes]]] = []
    gaps: dict[Place, Gap] = {}
    for place, received in records:
        position, last = received.event.source_position, reached[place]
        if place in gaps:
            continue
        if position < 0:
            new.append((place, received.event))
        elif position > last:
            if received.previous is not None and received.previous > last:
                gaps[place] = Gap(after=last, previous=received.previous, position=position)
                continue
            new.append((place, received.event))
            reached[place] = position
    return Sifted(new=tuple(new), seen=reached, gaps=gaps)
