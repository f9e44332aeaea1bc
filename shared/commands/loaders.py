"""Loader context: what loaders of handler parameters may read, and what of it the append checks again."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from shared.domain.aggregate import Aggregate
from shared.domain.context import Context
from shared.domain.history import Recorded
from shared.domain.references import Thing
from shared.eventstore.claims import ClaimHasher, Holders
from shared.eventstore.snapshots import LoadedAggregate
from shared.eventstore.streams import BatchCache, StreamLoader


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedThing:
    """Something that a command names, as it is known: whose it is, and with which account."""

    owner: UUID | None = None
    team: UUID | None = None
    account_id: UUID | None = None


LookUp = Callable[..., Awaitable[list[Any]]]
"""`async (projection, sql, *arguments) -> rows`."""

Snapshots = Callable[[Collection[str]], AbstractAsyncContextManager[Any]]
"""`async with (names of projections) as reading`: these on one snapshot."""


class LoaderContext:
    """Reads for one try of one command. What is loaded here is what the decision is checked against: a fact for
    another aggregate (`Occurrence.to`) is appended only if that one has not changed since."""

    def __init__(
        self,
        holders: Holders,
        states: StreamLoader,
        keyed_hash: ClaimHasher,
        look_up: LookUp | None,
        seen: BatchCache | None = None,
        *,
        snapshots: Snapshots | None = None,
    ) -> None:
        self._holders = holders
        self._seen = seen
        self._look_up = look_up
        self._snapshots = snapshots
        self._states = states
        self._keyed_hash = keyed_hash
        self.loaded: dict[UUID, LoadedAggregate] = {}
        """As first read: whatever was read later is checked as well."""
        self.unchanged: dict[UUID, Aggregate] = {}
        self.named: dict[Thing, NamedThing] = {}
        """What the command names and is there for whoever asks, as far as that had to be looked up."""
        self._read: dict[Thing, LoadedAggregate] = {}
        self._families: dict[UUID, str] = {}
        self.may_read: frozenset[str] = frozenset()
        """The projections that who loads now says that it reads."""

    def rest_on(self, aggregate: Aggregate, aggregate_id: UUID) -> None:
        """Have what is decided appended only if another aggregate, loaded here, has not changed since: two that each
        rest on what the other one changes do not both come about (write skew)."""
        self.unchanged[aggregate_id] = aggregate

    async def state(self, aggregate: Aggregate, aggregate_id: UUID) -> tuple[Any, int]:
        """Another aggregate of this service as it is now, or as the batch of this command saw it, and its sequence;
        (its start state, 0) when there is none. Read once, however often it is asked for."""
        held = self._read.get((aggregate.name, aggregate_id))
        if held is None:
            if self._seen is None:
                held = await self._states.load(aggregate, aggregate_id)
            else:
                held = await self._seen.load(self._states, aggregate, aggregate_id)
            self._read[aggregate.name, aggregate_id] = held
            self._note(aggregate, aggregate_id, held)
        return held.state, held.sequence

    async def claim_holder(self, kind: str, key: str) -> UUID | None:
        """The aggregate that holds a claim."""
        return next(iter(await self.claim_holders(kind, key)), None)

    async def claim_holders(self, kind: str, key: str) -> frozenset[UUID]:
        """The aggregates that hold a claim beside each other."""
        return await self._holders(kind, self._keyed_hash(kind, key))

    def keyed_hash(self, kind: str, key: str) -> bytes:
        """What derives from a key under the deployment's secret: the same in every process, and told by nobody else.
        `kind` keeps the uses of a key apart."""
        return self._keyed_hash(kind, key)

    async def history(self, aggregate: Aggregate, aggregate_id: UUID) -> Sequence[Recorded]:
        """All that was recorded of another aggregate whose facts may be told late."""
        held, facts = await self._states.history(aggregate, aggregate_id)
        self._note(aggregate, aggregate_id, held)
        return facts

    def _note(self, aggregate: Aggregate, aggregate_id: UUID, held: LoadedAggregate) -> None:
        """Keep what was read first. A thing may have been looked for in another family before, which has none of that
        id: what it is counts."""
        of, known = self._families.get(aggregate_id), self.loaded.get(aggregate_id)
        if known is None or (of != aggregate.name and not known.sequence):
            self.loaded[aggregate_id], self._families[aggregate_id] = held, aggregate.name

    async def fetch(self, projection: Any, sql: str, *arguments: Any) -> list[Any]:
        """Rows of one of the service's own projections, whose tables are written `{view}.table`. Raises LookupError for
        one that the loader does not say that it reads."""
        name = projection if isinstance(projection, str) else projection.name
        self._check(name)
        if self._look_up is None:
            raise LookupError("this service looks nothing up in projections")
        return await self._look_up(projection, sql, *arguments)

    def reading(self, *names: str) -> AbstractAsyncContextManager[Any]:
        """Several of the service's own projections on one snapshot, which says the position that all of them hold.
        Raises LookupError for one that the loader does not say that it reads."""
        for name in names:
            self._check(name)
        if self._snapshots is None:
            raise LookupError("this service takes no snapshots of projections")
        return self._snapshots(names)

    def _check(self, name: str) -> None:
        if name not in self.may_read:
            raise LookupError(f"a loader reads the projection {name} and does not say so: @reads({name!r})")


Provider = Callable[[LoaderContext, Any, Any, Context], Awaitable[Any]]
"""Loads one parameter of a handler: `async (reader, state, command, context) -> value`."""

P = TypeVar("P", bound=Callable[..., Any])


def reads(*names: str) -> Callable[[P], P]:
    """Say of a loader which projections it reads: a command that it loads for waits for its token in these."""

    def said(provider: P) -> P:
        provider.reads = frozenset(names)  # type: ignore[attr-defined]
        return provider

    return said


def reads_of(provider: Provider) -> frozenset[str]:
    """The names of the projections that a loader reads."""
    names: frozenset[str] = getattr(provider, "reads", frozenset())
    return names
