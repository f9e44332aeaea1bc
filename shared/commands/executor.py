"""Command handler: load, decide, append, answer; under optimistic concurrency, so again when somebody was faster.

A request becomes a decision (`decision`), a decision an append (`effects`), an append an answer (`answer`). What is
particular here is the order of tries: the first one takes what is remembered, and may be wrong only in that it is tried
again; each further one reads anew, in the turn of those who lost a race for the same stream.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

import asyncpg

from shared.commands.access import authorise_created, is_seen
from shared.commands.answer import Retry, answer_of, carried_out, first_time
from shared.commands.appending import append_of
from shared.commands.contention import ContentionLock
from shared.commands.decision import Decided, NeedsHistory, decide
from shared.commands.effects import StreamChange, changes_of
from shared.commands.loaders import LoaderContext, LookUp, Provider, Snapshots, reads_of
from shared.commands.references import Listed, OnStream, knows_of, read_for
from shared.commands.request import Busy, CommandRequest, CommandResult, NotFound, Refused
from shared.domain.aggregate import Aggregate, occurrences
from shared.domain.context import Actor, Company, Context
from shared.domain.history import Recorded
from shared.domain.rejection import Rejected
from shared.domain.roles import is_for_people
from shared.events.codec import Codec
from shared.eventstore.append import Append, Appended, Outcome, Replayed
from shared.eventstore.claims import ClaimHasher
from shared.eventstore.idempotency import first_answer
from shared.eventstore.snapshots import LoadedAggregate, check_kept
from shared.eventstore.streams import BatchCache, StreamLoader
from shared.ops.clock import Clock
from shared.ops.ids import new_id

MAX_RETRIES = 8
MAX_CONCURRENT_STREAMS = 240


class Appender(Protocol):
    """What takes an append: the group commit, or what takes its place in a dry run."""

    @property
    def keeps(self) -> bool:
        """Whether what is appended is there afterwards, for everybody."""
        ...

    async def append(self, append: Append) -> Outcome: ...
    async def holders(self, kind: str, key_hash: bytes) -> frozenset[UUID]: ...


class CommandExecutor:
    """Executes the commands of one service."""

    def __init__(
        self,
        *,
        aggregates: Iterable[Aggregate],
        pool: asyncpg.Pool,
        appender: Appender,
        streams: StreamLoader,
        codec: Codec,
        clock: Clock,
        company: Company,
        claim_secret: bytes,
        provides: Mapping[type, Provider] | None = None,
        knows: Iterable[OnStream | Listed] = (),
        look_up: LookUp | None = None,
        snapshots: Snapshots | None = None,
        new_id: Callable[[], UUID] = new_id,
    ) -> None:
        self.aggregates = {aggregate.name: aggregate for aggregate in aggregates}
        check_kept(self.aggregates.values())
        self._pool = pool
        self._appender = appender
        self._streams = streams
        self._codec = codec
        self._clock = clock
        self._company = company
        self._hasher = ClaimHasher(claim_secret)
        self._provides = dict(provides or {})
        self._knows = knows_of(knows)
        self._look_up = look_up
        self._snapshots = snapshots
        self._new_id = new_id
        self._contention = ContentionLock(pool)

    async def close(self) -> None:
        """Wait for what is done after the commands."""
        await self._streams.close()

    def now(self) -> datetime:
        """The company's time, UTC."""
        return self._clock.now()

    def today(self) -> date:
        """The company's calendar day."""
        return self._company.day(self.now())

    def reads(self, aggregate: Aggregate, command: type) -> frozenset[str]:
        """The names of the projections that are read to decide a command; the streams of the service are read as they
        are."""
        handlers = aggregate.handlers[command]
        kinds = [kind for handler in handlers for kind in handler.parameters.values()]
        kinds += [kind for conclusion in aggregate.conclusions for kind in conclusion.parameters.values()]
        loaded = [reads_of(self._provides[kind]) for kind in kinds]
        named = [read_for(command, self._knows)] if any(is_for_people(handler.allow) for handler in handlers) else []
        return frozenset().union(*loaded, *named)

    @property
    def every_read(self) -> frozenset[str]:
        """The names of the projections that are read to decide any command."""
        every = [(each, command) for each in self.aggregates.values() for command in each.handlers]
        return frozenset().union(*(self.reads(aggregate, command) for aggregate, command in every))

    async def state(self, aggregate: Aggregate, aggregate_id: UUID) -> LoadedAggregate:
        """An aggregate as it is now; its start state with sequence 0 when there is none."""
        return await self._streams.load(aggregate, aggregate_id)

    async def seen(self, aggregate: Aggregate, aggregate_id: UUID, actor: Actor) -> LoadedAggregate:
        """An aggregate as it is now, for somebody who sees it. Raises `NotFound` for all others, as where there is
        none."""
        held = await self.state(aggregate, aggregate_id)
        if isinstance(held.state, aggregate.start) or not is_seen(actor, aggregate, held.state):
            raise NotFound(aggregate.name, aggregate_id)
        return held

    async def states(self, aggregate: Aggregate, aggregate_ids: Sequence[UUID]) -> Mapping[UUID, LoadedAggregate]:
        """Many aggregates as they are now, in one statement."""
        return await self._streams.load_many(aggregate, aggregate_ids)

    async def execute(self, request: CommandRequest, batch: BatchCache | None = None) -> CommandResult:
        """Execute a command; `batch` is what the batch of this request has read and written so far. Raises `Rejected`
        with the rule that says no, or `Refused`."""
        request = self._identified(request)
        outcome = await self._attempt(request, fresh=False, batch=batch)
        for retried in range(MAX_RETRIES):
            if isinstance(outcome, CommandResult):
                return outcome
            taken = outcome.taken
            async with self._contention.of(outcome.aggregate_id, among_processes=retried > 0):
                outcome = await self._attempt(request, fresh=True, batch=batch)
            if isinstance(outcome, Retry) and outcome.taken is not None and outcome.taken == taken:
                raise Rejected("already-taken", f"Another {request.aggregate.name} has this {taken.kind}.")
        if isinstance(outcome, CommandResult):
            return outcome
        raise Busy(f"Others kept changing {outcome.aggregate_id}.")

    async def execute_many(self, requests: Sequence[CommandRequest]) -> list[CommandResult | Rejected | Refused]:
        """Execute many commands, those of one aggregate in their order, sharing transactions; the answers in the order
        of the requests. A refused one stops no other.

        All their aggregates are read at once in the beginning, and what else they are decided on once.
        """
        batch = await self._read_ahead(requests)
        answers: list[CommandResult | Rejected | Refused | None] = [None] * len(requests)
        streams: dict[UUID, list[int]] = {}
        for place, request in enumerate(requests):
            streams.setdefault(request.aggregate_id, []).append(place)
        left = iter(streams.values())

        async def work() -> None:
            for places in left:
                for place in places:
                    try:
                        answers[place] = await self.execute(requests[place], batch)
                    except (Rejected, Refused) as refusal:
                        answers[place] = refusal

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(MAX_CONCURRENT_STREAMS, len(streams))):
                    group.create_task(work())
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from failures  # of an outage many fail at once, and each tells it
        return [answer for answer in answers if answer is not None]

    async def _read_ahead(self, requests: Sequence[CommandRequest]) -> BatchCache:
        batch = BatchCache()
        families: dict[str, dict[UUID, Aggregate]] = {}
        for request in requests:
            families.setdefault(request.aggregate.name, {})[request.aggregate_id] = request.aggregate
        for members in families.values():
            aggregate = next(iter(members.values()))
            for aggregate_id, loaded in (await self._streams.load_many(aggregate, list(members))).items():
                batch.keep(aggregate, aggregate_id, loaded)
        return batch

    # -- one attempt ----------------------------------------------------------------------------------------------

    async def _attempt(
        self, request: CommandRequest, *, fresh: bool, batch: BatchCache | None
    ) -> CommandResult | Retry:
        loaded, certain = await self._load(request, fresh=fresh, batch=batch)
        # An import that is run again: to decide on each of its facts would take the whole stream of its thing.
        known = request.told is not None and loaded.folded is not None and request.told.name in loaded.folded.names
        if known and (first := await self._first_answer(request)):
            return first
        context = self._context(request)
        try:
            changes = await self._decide(request, loaded, context, batch=None if fresh else batch)
        except (Rejected, Refused) as refusal:
            if not certain:
                return Retry(aggregate_id=request.aggregate_id)
            # The request may have been carried out before, and be refused now because of that.
            if first := await self._first_answer(request):
                return first
            if isinstance(refusal, Rejected) and refusal.on_record and self._appender.keeps:
                recorded = await self._put_on_record(refusal, request, loaded, context)
                if isinstance(recorded, Retry):
                    return recorded
                refusal.sequence = recorded.sequence
            raise
        if request.idempotency is None and not any(change.occurrences for change in changes):
            none = carried_out(request, changes, {})
            return none if certain else Retry(aggregate_id=request.aggregate_id)
        append = append_of(changes, request, context, codec=self._codec, hasher=self._hasher, new_id=self._new_id)
        outcome = await self._appended(append)
        if isinstance(outcome, Appended):
            self._remember(changes, append, outcome.positions, batch=batch)
        return answer_of(outcome, request, changes)

    async def _appended(self, append: Append) -> Outcome:
        """What an append comes to; a replay with everywhere that the first time wrote, which the append does not
        say."""
        outcome = await self._appender.append(append)
        if isinstance(outcome, Replayed) and append.idempotency:
            return await first_answer(self._pool, append.idempotency, everywhere=not append.imported) or outcome
        return outcome

    async def _load(
        self, request: CommandRequest, *, fresh: bool, batch: BatchCache | None
    ) -> tuple[LoadedAggregate, bool]:
        """The aggregate, and whether all that is decided on is certain to be up to date. The first attempt takes what
        it can get for nothing, also of other aggregates where a batch remembers them: the append finds out when that is
        old, and a refusal is looked at again."""
        if not fresh:
            if batch and (loaded := batch.get(request.aggregate, request.aggregate_id)):
                return loaded, False
            if loaded := self._streams.cached(request.aggregate, request.aggregate_id):
                return loaded, False
            if all(handler.creates for handler in request.aggregate.handlers[type(request.command)]):
                return LoadedAggregate(state=request.aggregate.start(), sequence=0, position=0), False
        loaded = await self._streams.load(request.aggregate, request.aggregate_id)
        if batch:
            batch.keep(request.aggregate, request.aggregate_id, loaded)
        return loaded, fresh or batch is None

    async def _decide(
        self, request: CommandRequest, loaded: LoadedAggregate, context: Context, *, batch: BatchCache | None
    ) -> tuple[StreamChange, ...]:
        """What a command changes in each stream; whole histories are read where the decision turns out to need them."""
        histories: dict[UUID, Sequence[Recorded]] = {}
        while True:
            reader = LoaderContext(
                self._appender.holders, self._streams, self._hasher, self._look_up, batch, snapshots=self._snapshots
            )
            try:
                decided = await decide(
                    request,
                    loaded,
                    context,
                    reader=reader,
                    provides=self._provides,
                    knows=self._knows,
                    histories=histories,
                )
                return self._changes(request, decided, context)
            except NeedsHistory as late:
                whole, histories[late.aggregate_id] = await self._streams.history(late.aggregate, late.aggregate_id)
                if late.aggregate_id == request.aggregate_id:
                    loaded = whole

    async def _put_on_record(
        self, refusal: Rejected, request: CommandRequest, loaded: LoadedAggregate, context: Context
    ) -> CommandResult | Retry:
        """Append what a refusal puts on record. It is no answer to the request: with its idempotency key, that may be
        carried out later."""
        asked = replace(request, idempotency=None)
        decided = Decided(on=loaded, occurrences=occurrences(refusal.on_record), loaded={}, unchanged={})
        try:
            changes = changes_of(decided, asked, context, aggregates=self.aggregates)
        except NeedsHistory:
            whole, known = await self._streams.history(request.aggregate, request.aggregate_id)
            decided = replace(decided, on=whole, histories={request.aggregate_id: known})
            changes = changes_of(decided, asked, context, aggregates=self.aggregates)
        append = append_of(changes, asked, context, codec=self._codec, hasher=self._hasher, new_id=self._new_id)
        outcome = await self._appender.append(append)
        if isinstance(outcome, Appended):
            self._remember(changes, append, outcome.positions, batch=None)
        return answer_of(outcome, asked, changes)

    def _changes(self, request: CommandRequest, decided: Decided, context: Context) -> tuple[StreamChange, ...]:
        changes = changes_of(decided, request, context, aggregates=self.aggregates)
        if decided.creates is not None:
            authorise_created(request, decided.creates, changes[0].after.state)
        return changes

    def _remember(
        self,
        changes: Sequence[StreamChange],
        append: Append,
        positions: Mapping[UUID, int],
        *,
        batch: BatchCache | None,
    ) -> None:
        if append.erase:
            self._streams.forget_all()
        for change, stream in zip(changes, append.streams, strict=True):
            if change.occurrences:
                loaded = replace(change.after, position=positions[change.aggregate_id], event_id=stream.events[-1].id)
                self._streams.keep(change.aggregate, change.aggregate_id, loaded, change.news)
                if batch:
                    batch.keep(change.aggregate, change.aggregate_id, loaded)

    async def _first_answer(self, request: CommandRequest) -> CommandResult | None:
        if request.idempotency is None:
            return None
        first = await first_answer(self._pool, request.idempotency, everywhere=not request.imported)
        return None if first is None else first_time(first, request)

    def _identified(self, request: CommandRequest) -> CommandRequest:
        # Never from the idempotency key: it may come again, for something else, once its answer is forgotten.
        command_id = request.command_id or self._new_id()
        return replace(
            request,
            command_id=command_id,
            correlation_id=request.correlation_id or command_id,
            causation_id=request.causation_id or command_id,
        )

    def _context(self, request: CommandRequest) -> Context:
        assert request.command_id is not None
        return Context(
            command_id=request.command_id,
            aggregate_id=request.aggregate_id,
            now=self._clock.now(),
            actor=request.actor,
            company=self._company,
            told_at=request.told.at if request.told else None,
            told_as=request.told.name if request.told else None,
        )
