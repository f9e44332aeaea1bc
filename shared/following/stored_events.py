"""Stored events: what stands in a log, and what of it cannot be decoded."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from shared.events.envelope import Envelope
from shared.events.registry import UNREADABLE
from shared.eventstore.log import Undecodable

StoredEvent: TypeAlias = Envelope[Any] | Undecodable


class UndecodableEvent(Exception):
    """An event that somebody needs and that today's code cannot read."""


def envelope_of(entry: StoredEvent) -> Envelope[Any]:
    """Where an entry stands, and whose it is."""
    return entry.envelope if isinstance(entry, Undecodable) else entry


def concerns(entry: StoredEvent, types: frozenset[str] | None) -> bool:
    """Whether an entry is of one of the types (None: of any). A type that this release does not know is nobody's; a
    record that is no event at all may be everybody's."""
    if isinstance(entry, Undecodable):
        return not entry.unknown and (types is None or entry.envelope.type in types | {UNREADABLE})
    return types is None or entry.type in types


def readable(entries: Iterable[StoredEvent]) -> list[Envelope[Any]]:
    """The events; `UndecodableEvent` when one of them cannot be read. Those of unknown types are passed over."""
    events: list[Envelope[Any]] = []
    for entry in entries:
        if not isinstance(entry, Undecodable):
            events.append(entry)
        elif not entry.unknown:
            place = entry.envelope
            raise UndecodableEvent(f"{place.type} at position {place.position}: {entry.reason}")
    return events


def by_aggregate(entries: Iterable[StoredEvent]) -> list[list[StoredEvent]]:
    """The sequence of each aggregate, in the order in which they were given."""
    sequences: dict[UUID, list[StoredEvent]] = {}
    for entry in entries:
        sequences.setdefault(envelope_of(entry).aggregate_id, []).append(entry)
    return list(sequences.values())


def newest(entries: Sequence[StoredEvent]) -> datetime | None:
    """When the newest of the entries was recorded; None when there is none."""
    return max((envelope_of(entry).recorded_at for entry in entries), default=None)
