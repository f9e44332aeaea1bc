"""Snapshots of long streams: what was folded of them, so that a process which starts need not fold it all again.

They are never the truth. One is used only when it has the shape that this release writes, can be read, and ends with
the very event that the stream has at its sequence; anything else counts as none, and the stream is folded whole.
"""

import asyncio
import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, get_args, get_origin, get_type_hints
from uuid import UUID

import asyncpg
import msgspec
import structlog

from shared.domain.aggregate import Aggregate, states_of
from shared.domain.history import Folded
from shared.events.codec import fields_apart
from shared.ops.collector import no_collection

log = structlog.get_logger(__name__)

LONG_TAIL = 1_000
"""So many events are folded without a snapshot, and more when it is large: see `BYTES_AN_EVENT`."""
BYTES_AN_EVENT = 1_000
"""So much a stream may write of snapshots for each of its events; they are about as large themselves."""
AT_ONCE = 500
"""So many items of a snapshot are encoded or decoded in one call, which lets no other thread run meanwhile."""
LARGE = 50_000
"""From so many characters on a snapshot is read in a thread; others are read sooner than a thread could begin."""

FIND = (
    "select s.aggregate_id, s.aggregate, s.sequence, s.event_id, s.shape, s.state, e.position"
    " from snapshot s join event e using (aggregate_id, aggregate, sequence, event_id) where s.aggregate_id = any($1)"
)
WRITE = (
    "insert into snapshot (aggregate_id, aggregate, sequence, event_id, shape, state)"
    " select aggregate_id, aggregate, sequence, event_id, $4, $5 from event"
    " where aggregate_id = $1 and sequence = $2 and event_id = $3"
    " on conflict (aggregate_id) do update set sequence = excluded.sequence, event_id = excluded.event_id,"
    " shape = excluded.shape, state = excluded.state, taken_at = excluded.taken_at"
    " where snapshot.shape <> excluded.shape or snapshot.sequence <= excluded.sequence or not exists ("
    "select from event known where known.aggregate_id = snapshot.aggregate_id"
    " and known.sequence = snapshot.sequence and known.event_id = snapshot.event_id)"
)


@dataclass(frozen=True, slots=True)
class Taken:
    """The snapshot that a stream is known to have: up to which sequence, and its length."""

    sequence: int = 0
    length: int = 0

    def is_old(self, sequence: int) -> bool:
        """Whether so much came after it, up to a sequence, that another is worth its while."""
        return sequence - self.sequence >= max(LONG_TAIL, self.length // BYTES_AN_EVENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedAggregate:
    """An aggregate as far as its stream was folded: sequence 0 has the start state; `position` is where the last event
    of the stream stands in the log, `event_id` its id."""

    state: Any
    sequence: int
    position: int
    event_id: UUID | None = None
    folded: Folded | None = None
    """Of a family whose facts may be told late: how far it is folded."""


class Snapshots:
    """Reads and writes the snapshots of one service. Its families are those whose states say how they are kept."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._decoders: dict[str, dict[str, Pieces]] = {}
        """By family and shape."""

    async def find(
        self, connection: Any, streams: Iterable[tuple[Aggregate, UUID]]
    ) -> dict[tuple[Aggregate, UUID], tuple[LoadedAggregate, Taken]]:
        """The aggregates of these streams as their snapshots have them; those without a usable one are left out."""
        wanted = {(aggregate.name, aggregate_id): aggregate for aggregate, aggregate_id in streams}
        wanted = {place: aggregate for place, aggregate in wanted.items() if aggregate.snapshot_version is not None}
        if not wanted:
            return {}
        found = {}
        for row in await connection.fetch(FIND, [aggregate_id for _, aggregate_id in wanted]):
            aggregate = wanted.get((row["aggregate"], row["aggregate_id"]))
            if aggregate is not None and (held := await self._read(aggregate, row)) is not None:
                found[aggregate, row["aggregate_id"]] = held, Taken(held.sequence, len(row["state"]))
        return found

    async def _read(self, aggregate: Aggregate, row: Any) -> LoadedAggregate | None:
        pieces = self._shapes(aggregate).get(row["shape"])
        if pieces is None:
            return None

        def restored(text: str) -> Any:
            with no_collection():
                return aggregate.restored(pieces.decoded(text))

        try:
            text = row["state"]
            state = restored(text) if len(text) < LARGE else await asyncio.to_thread(restored, text)
        except msgspec.DecodeError as problem:
            about = {"aggregate": aggregate.name, "aggregate_id": str(row["aggregate_id"])}
            log.warning("snapshot-unreadable", **about, sequence=row["sequence"], error=str(problem))
            return None
        return LoadedAggregate(
            state=state, sequence=row["sequence"], position=row["position"], event_id=row["event_id"]
        )

    async def write(self, aggregate: Aggregate, aggregate_id: UUID, held: LoadedAggregate) -> Taken:
        """Keep an aggregate as it was folded; without effect when a newer snapshot is there, or its events are not."""
        # In a thread, since states are immutable: leases are renewed in the event loop, and a large one takes a while.
        text = await asyncio.to_thread(lambda: encoded(aggregate.shown(held.state)))
        shape = shape_of(aggregate, type(held.state))
        await self._pool.execute(WRITE, aggregate_id, held.sequence, held.event_id, shape, text)
        return Taken(held.sequence, len(text))

    def _shapes(self, aggregate: Aggregate) -> dict[str, "Pieces"]:
        if (known := self._decoders.get(aggregate.name)) is None:
            known = self._decoders[aggregate.name] = {
                shape_of(aggregate, state): Pieces(aggregate.shown_type(state)) for state in aggregate.states
            }
        return known


def encoded(shown: Any) -> str:
    """What is shown of a state, as JSON: the same as in one call, in many short ones."""
    encode = msgspec.json.Encoder(decimal_format="string").encode
    return b"".join(_pieces(shown, encode)).decode()


def _pieces(shown: Any, encode: Callable[[Any], bytes]) -> Iterator[bytes]:
    yield b"{"
    for number, field in enumerate(fields(shown)):
        value = getattr(shown, field.name)
        yield (b"," if number else b"") + encode(field.name) + b":"
        if isinstance(value, tuple):
            starts = range(0, len(value), AT_ONCE)
            yield b"[" + b",".join(encode(value[start : start + AT_ONCE])[1:-1] for start in starts) + b"]"
        else:
            yield encode(value)
    yield b"}"


class Pieces:
    """Reads what `encoded` wrote of a class: its long fields piece by piece, the same as in one call."""

    def __init__(self, shown: type) -> None:
        hints = get_type_hints(shown, include_extras=True)
        self._whole: msgspec.json.Decoder[Any] = msgspec.json.Decoder(shown)
        self._long = {
            field.name: msgspec.json.Decoder(hints[field.name])
            for field in fields(shown)
            if get_origin(hints[field.name]) is tuple and get_args(hints[field.name])[1:] == (...,)
        }

    def decoded(self, text: str) -> Any:
        """What was shown. Raises `msgspec.DecodeError`."""
        if len(text) < LARGE or not self._long:
            return self._whole.decode(text)
        parts = _PARTS.decode(text)
        long = {name: tuple(self._items(name, parts[name])) for name in self._long if name in parts}
        for name in long:
            parts[name] = msgspec.Raw(b"[]")
        return replace(self._whole.decode(msgspec.json.encode(parts)), **long)

    def _items(self, name: str, part: msgspec.Raw) -> Iterator[Any]:
        items, decode = _ITEMS.decode(part), self._long[name].decode
        for start in range(0, len(items), AT_ONCE):
            yield from decode(b"[" + b",".join(items[start : start + AT_ONCE]) + b"]")


_PARTS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])


def shape_of(aggregate: Aggregate, state: type) -> str:
    """What tells a snapshot that this release reads from any other: the family, the version of its fold, and every
    field of the state and of what stands in it."""
    schema = msgspec.json.schema(aggregate.shown_type(state))
    content = {
        "aggregate": aggregate.name,
        "version": aggregate.snapshot_version,
        "state": state.__name__,
        "schema": schema,
    }
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()


def check_kept(aggregates: Collection[Aggregate]) -> None:
    """Raise `ValueError` for a family whose snapshots would keep what is about people or what people wrote, which must
    stay erasable."""
    for aggregate in (each for each in aggregates if each.snapshot_version is not None):
        people = sorted(event.__name__ for event in aggregate.events if getattr(event, "person", None) is not None)
        if people:
            raise ValueError(f"{aggregate.name} has personal data ({people[0]}): of it there are no snapshots")
        texts = {name for event in aggregate.events for name in fields_apart(event)}
        kept = msgspec.json.encode([msgspec.json.schema(aggregate.shown_type(state)) for state in states_of(aggregate)])
        if held := sorted(name for name in texts if f'"{name}":'.encode() in kept):
            raise ValueError(f"{aggregate.name} keeps what people write ({held[0]}): of it there are no snapshots")
