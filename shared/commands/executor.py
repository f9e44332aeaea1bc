"""The one write path: load, check who may, decide, append; again when somebody was faster."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import asyncpg

from shared.commands.access import authorise, authorise_created, handler_of
from shared.commands.contention import ContentionLock
from shared.commands.effects import EventMetadata, NeedsHistory, StreamChange, append_of, changes_of
from shared.commands.loaders import LoaderContext, LookUp, Provider
from shared.commands.refusals import Busy, ContentDiffers, InFlight, Refused, StaleVersion
from shared.commands.request import CommandRequest, CommandResult
from shared.domain.aggregate import Aggregate, Occurrence, occurrences
from shared.domain.context import Actor, Company, Context
from shared.domain.history import Recorded, before
from shared.domain.rejection import Rejected
from shared.events.chronology import follows, told
from shared.events.codec import Codec
from shared.events.registry import partition_of, topic_of
from shared.eventstore.append import (
    Append,
    Appended,
    ClaimTaken,
    Conflict,
    Idempotency,
    OtherContent,
    Outcome,
    Replayed,
    RequestInFlight,
)
from shared.eventstore.claims import ClaimHasher
from shared.eventstore.idempotency import first_answer
from shared.eventstore.snapshots import LoadedAggregate, check_kept
from shared.eventstore.streams import BatchCache, StreamLoader
from shared.ops.clock import Clock
from shared.ops.ids import new_id

TRIES = 8
MANY_AT_ONCE = 240


class Appender(Protocol):
    """What takes a command's effect: the appender, or what takes its place in a dry run."""

    async def append(self, append: Append) -> Outcome: ...
    async def holders(self, kind: str, key_hash: bytes) -> frozenset[UUID]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Nothing was written: somebody was faster on `aggregate_id`, or what was remembered of it may be old."""

    aggregate_id: UUID
    taken: ClaimTaken | None = None


class CommandExecutor:
    """Carries out the commands of one service."""

    def __init__(
        self,
        service: str,
        *,
        aggregates: Iterable[Aggregate],
        pool: asyncpg.Pool,
        appender: Appender,
        states: StreamLoader,
        codec: Codec,
        clock: Clock,
        company: Company,
        claim_secret: bytes,
        provides: Mapping[type, Provider] | None = None,
        look_up: LookUp | None = None,
        new_id: Callable[[], UUID] = new_id,
    ) -> None:
        self.aggregates = {aggregate.name: aggregate for aggregate in aggregates}
        check_kept(self.aggregates.values())
        self._service = service
        self._pool = pool
        self._appender = appender
        self._codec = codec
        self._clock = clock
        self._company = company
        self._keyed_hash = ClaimHasher(claim_secret)
        self._provides = dict(provides or {})
        self._look_up = look_up
        self._new_id = new_id
        self._states = states
        self._turns = ContentionLock(pool)

    async def close(self) -> None:
        """Wait for what is done after the commands."""
        await self._states.close()

    def now(self) -> datetime:
        """The company's time, UTC."""
        return self._clock.now()

    async def state(self, aggregate: Aggregate, aggregate_id: UUID) -> LoadedAggregate:
        """An aggregate as it is now; its start state with sequence 0 when there is none."""
        return await self._states.load(aggregate, aggregate_id)

    async def states(self, aggregate: Aggregate, aggregate_ids: Sequence[UUID]) -> Mapping[UUID, LoadedAggregate]:
        """Many aggregates as they are now, in one statement."""
        return await self._states.load_many(aggregate, aggregate_ids)

    async def execute(
        self,
        aggregate: Aggregate,
        aggregate_id: UUID,
        command: Any,
        actor: Actor,
        *,
        expected: int | None = None,
        idempotency: Idempotency | None = None,
        correlation_id: UUID | None = None,
        causation_id: UUID | None = None,
        command_id: UUID | None = None,
        imported: bool = False,
        traceparent: str | None = None,
    ) -> CommandResult:
        """Carry out a command; see `CommandRequest` for the arguments. Raises `Rejected` and what is in `errors`."""
        return await self.carry_out(
            CommandRequest(
                aggregate=aggregate,
                aggregate_id=aggregate_id,
                command=command,
                actor=actor,
                expected=expected,
                idempotency=idempotency,
                correlation_id=correlation_id,
                causation_id=causation_id,
                command_id=command_id,
                imported=imported,
                traceparent=traceparent,
            )
        )

    async def execute_many(self, requests: Sequence[CommandRequest]) -> list[CommandResult | Rejected | Refused]:
        """Carry out many commands, those of one aggregate in their order, sharing transactions; the answers in the
        order of the requests. A refused one stops no other.

        All their aggregates are read at once in the beginning, and what else they are decided on once.
        """
        seen = await self._seen(requests)
        answers: list[CommandResult | Rejected | Refused | None] = [None] * len(requests)
        streams: dict[UUID, list[int]] = {}
        for place, request in enumerate(requests):
            streams.setdefault(request.aggregate_id, []).append(place)
        left = iter(streams.values())

        async def work() -> None:
            for places in left:
                for place in places:
                    try:
                        answers[place] = await self.carry_out(requests[place], seen)
                    except (Rejected, Refused) as refusal:
                        answers[place] = refusal

        async with asyncio.TaskGroup() as group:
            for _ in range(min(MANY_AT_ONCE, len(streams))):
                group.create_task(work())
        return [answer for answer in answers if answer is not None]

    async def _seen(self, requests: Sequence[CommandRequest]) -> BatchCache:
        seen = BatchCache()
        families: dict[str, dict[UUID, Aggregate]] = {}
        for request in requests:
            families.setdefault(request.aggregate.name, {})[request.aggregate_id] = request.aggregate
        for members in families.values():
            aggregate = next(iter(members.values()))
            for aggregate_id, held in (await self._states.load_many(aggregate, list(members))).items():
                seen.keep(aggregate, aggregate_id, held)
        return seen

    async def carry_out(self, request: CommandRequest, seen: BatchCache | None = None) -> CommandResult:
        """As `execute`; `seen` is what the batch of this request has read and written so far."""
        request = self._identified(request)
        outcome = await self._try(request, fresh=False, seen=seen)
        for tried in range(TRIES):
            if isinstance(outcome, CommandResult):
                return outcome
            taken = outcome.taken
            async with self._turns.of(outcome.aggregate_id, among_processes=tried > 0):
                outcome = await self._try(request, fresh=True, seen=seen)
            if isinstance(outcome, Retry) and outcome.taken is not None and outcome.taken == taken:
                raise Rejected("already-taken", f"Another {request.aggregate.name} has this {taken.kind}.")
        if isinstance(outcome, CommandResult):
            return outcome
        raise Busy(f"Others kept changing {outcome.aggregate_id}.")

    # -- one try --------------------------------------------------------------------------------------------------

    async def _try(self, request: CommandRequest, *, fresh: bool, seen: BatchCache | None) -> CommandResult | Retry:
        held, certain = await self._held(request, fresh=fresh, seen=seen)
        circumstances = _circumstances(request, self._context(request))
        # An import that is run again: to decide on each of its facts would take the whole stream of its thing.
        known = request.told is not None and held.folded is not None and request.told.name in held.folded.names
        if known and (first := await self._first_answer(request)):
            return first
        try:
            changes = await self._decide(request, held, circumstances, seen=None if fresh else seen)
        except (Rejected, Refused):
            if not certain:
                return Retry(aggregate_id=request.aggregate_id)
            # The request may have been carried out before, and be refused now because of that.
            if first := await self._first_answer(request):
                return first
            raise
        nothing_happens = not any(change.facts for change in changes)
        if nothing_happens and request.idempotency is None:
            return self._result(request, changes, {}) if certain else Retry(aggregate_id=request.aggregate_id)
        append = append_of(changes, circumstances, self._codec, self._keyed_hash, self._new_id)
        outcome = await self._appender.append(append)
        return self._answered(request, changes, append, outcome, seen=seen)

    async def _held(
        self, request: CommandRequest, *, fresh: bool, seen: BatchCache | None
    ) -> tuple[LoadedAggregate, bool]:
        """The aggregate, and whether it is certain to be up to date. The first try takes what it can get for nothing:
        the append finds out when that is old."""
        if not fresh:
            if seen and (held := seen.get(request.aggregate, request.aggregate_id)):
                return held, True
            if held := self._states.cached(request.aggregate, request.aggregate_id):
                return held, False
            if all(handler.creates for handler in request.aggregate.handlers[type(request.command)]):
                return LoadedAggregate(state=request.aggregate.start(), sequence=0, position=0), False
        held = await self._states.load(request.aggregate, request.aggregate_id)
        if seen:
            seen.keep(request.aggregate, request.aggregate_id, held)
        return held, True

    async def _decide(
        self, request: CommandRequest, held: LoadedAggregate, circumstances: EventMetadata, *, seen: BatchCache | None
    ) -> tuple[StreamChange, ...]:
        histories: dict[UUID, Sequence[Recorded]] = {}
        while True:
            try:
                return await self._changes(request, held, circumstances, histories, seen=seen)
            except NeedsHistory as late:
                whole, histories[late.aggregate_id] = await self._states.history(late.aggregate, late.aggregate_id)
                if late.aggregate_id == request.aggregate_id:
                    held = whole

    async def _changes(
        self,
        request: CommandRequest,
        held: LoadedAggregate,
        circumstances: EventMetadata,
        histories: Mapping[UUID, Sequence[Recorded]],
        *,
        seen: BatchCache | None,
    ) -> tuple[StreamChange, ...]:
        aggregate, command, context = request.aggregate, request.command, circumstances.context
        state = self._known_then(request, held, context, histories)
        handler = handler_of(request, state)
        authorise(request, handler, state)
        if request.expected is not None and request.expected != held.sequence:
            raise StaleVersion(request.expected, held.sequence)
        reader = LoaderContext(self._appender.holders, self._states, self._keyed_hash, self._look_up, seen)
        facts: tuple[Occurrence, ...] = ()
        if request.still is None or request.still(state):
            loaded: dict[str, Any] = {}
            if handler is not None and not aggregate.is_already(state, command):
                for name, kind in handler.parameters.items():
                    loaded[name] = await self._provides[kind](reader, state, command, context)
            facts = occurrences(aggregate.decide(state, command, context, loaded))
        changes = changes_of(
            aggregate,
            request.aggregate_id,
            held,
            facts,
            circumstances,
            codec=self._codec,
            loaded=reader.loaded,
            unchanged=reader.unchanged,
            histories=histories,
            aggregates=self.aggregates,
        )
        if isinstance(state, aggregate.start) and handler is not None:
            authorise_created(request, handler, changes[0].after.state)
        return changes

    def _known_then(
        self,
        request: CommandRequest,
        held: LoadedAggregate,
        context: Context,
        histories: Mapping[UUID, Sequence[Recorded]],
    ) -> Any:
        """The state that a command is decided on: as it is now, or of something told late as it was then."""
        fact = request.told
        if fact is None or not request.aggregate.is_dated or not held.sequence:
            return held.state
        moment = context.past_moment(request.command.on, request.command.at)
        place = told(moment.at, fact.rank, fact.name, on=request.command.on, by_day=moment.by_day)
        if held.folded and fact.name not in held.folded.names and follows(held.folded.last, place):
            return held.state
        if (facts := histories.get(request.aggregate_id)) is None:
            raise NeedsHistory(request.aggregate, request.aggregate_id)
        return request.aggregate.fold(each.data for each in before(facts, place, fact.name))

    def _answered(
        self,
        request: CommandRequest,
        changes: tuple[StreamChange, ...],
        append: Append,
        outcome: Outcome,
        *,
        seen: BatchCache | None,
    ) -> CommandResult | Retry:
        match outcome:
            case Appended(positions=positions):
                self._remember(changes, append, positions, seen=seen)
                return self._result(request, changes, positions)
            case Replayed():
                return self._replayed(request, outcome)
            case Conflict(aggregate_id=aggregate_id):
                return Retry(aggregate_id=aggregate_id)
            case ClaimTaken():
                return Retry(aggregate_id=_most_wanted(request, changes), taken=outcome)
            case RequestInFlight():
                raise InFlight("The same request is being carried out right now.")
            case OtherContent():
                raise ContentDiffers("The idempotency key was used for a request with other content.")

    def _remember(
        self,
        changes: tuple[StreamChange, ...],
        append: Append,
        positions: Mapping[UUID, int],
        *,
        seen: BatchCache | None,
    ) -> None:
        if append.erase:
            self._states.forget_all()
        for change, stream in zip(changes, append.streams, strict=True):
            if change.facts:
                held = replace(change.after, position=positions[change.aggregate_id], event_id=stream.events[-1].id)
                self._states.keep(change.aggregate, change.aggregate_id, held, change.news)
                if seen:
                    seen.keep(change.aggregate, change.aggregate_id, held)

    async def _first_answer(self, request: CommandRequest) -> CommandResult | None:
        asked = request.idempotency
        if asked is None:
            return None
        match await first_answer(self._pool, asked):
            case Replayed() as first:
                return self._replayed(request, first)
            case OtherContent():
                raise ContentDiffers("The idempotency key was used for a request with other content.")
        return None

    # -- small parts ----------------------------------------------------------------------------------------------

    def _identified(self, request: CommandRequest) -> CommandRequest:
        # Never from the idempotency key: it may come again, for something else, once its answer is forgotten.
        return request if request.command_id is not None else replace(request, command_id=self._new_id())

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

    def _result(
        self, request: CommandRequest, changes: tuple[StreamChange, ...], positions: Mapping[UUID, int]
    ) -> CommandResult:
        main = changes[0]
        return CommandResult(
            aggregate_id=main.aggregate_id,
            sequence=main.sequence,
            position=positions.get(main.aggregate_id, main.before.position),
            topic=topic_of(self._service, request.aggregate.name),
            partition=partition_of(main.aggregate_id),
            events=tuple(fact.event for change in changes for fact in change.facts),
        )

    def _replayed(self, request: CommandRequest, first: Replayed) -> CommandResult:
        return CommandResult(
            aggregate_id=first.aggregate_id,
            sequence=first.sequence,
            position=first.position,
            topic=topic_of(self._service, request.aggregate.name),
            partition=partition_of(first.aggregate_id),
            replayed=True,
        )


def _most_wanted(request: CommandRequest, changes: Sequence[StreamChange]) -> UUID:
    """Where to line up for a key that another one took: a key that another stream gives out, like the next number of a
    series, is to be had in the turn on that stream; any other in that on the aggregate itself."""
    others = (change.aggregate_id for change in changes if change.facts and change.aggregate_id != request.aggregate_id)
    return next(others, request.aggregate_id)


def _circumstances(request: CommandRequest, context: Context) -> EventMetadata:
    return EventMetadata(
        context=context,
        correlation_id=request.correlation_id or context.command_id,
        causation_id=request.causation_id or context.command_id,
        imported=request.imported,
        fact=request.told.name if request.told else None,
        traceparent=request.traceparent,
        idempotency=request.idempotency,
    )
