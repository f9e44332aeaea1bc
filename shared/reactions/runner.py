"""Runner of reactions: page by page, each aggregate's events in order, exactly once in effect.

The commands commit first, each under a key that follows from its event; then what came of the event is told, as an
event of our own; the checkpoint follows. After a crash in between the page is gone through again: an event that was
answered is left alone, and every command of another that was carried out before gives its first answer.
"""

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

import structlog
from asyncpg import Pool
from pydantic import TypeAdapter

from shared.commands.executor import CommandExecutor
from shared.commands.request import Busy, CommandRequest, ContentDiffers, Forbidden, InFlight, NotFound
from shared.domain.context import service_actor
from shared.domain.rejection import Rejected
from shared.events.envelope import Envelope
from shared.eventstore.append import Idempotency
from shared.eventstore.batching import RELAXED
from shared.eventstore.leader_election import lead
from shared.eventstore.lease import Leases
from shared.eventstore.log import Log, Page, Progress, Undecodable
from shared.eventstore.wakeup import Wakeup
from shared.following import checkpoints, dead_letters
from shared.following.dead_letters import Poison
from shared.following.stored_events import StoredEvent, concerns, envelope_of, newest, readable
from shared.ops.health import Health
from shared.projections.projection import POLL_SECONDS, Source
from shared.reactions.follow_ups import Answers, Outcome, carried_out
from shared.reactions.registry import Do, Reaction, Reactions, checkpoint_of, types_of

logger = structlog.get_logger(__name__)

PAGE = 200
LOOK_SECONDS = 1.0
"""How often parked sequences are looked at whose next attempt is due."""
AGGREGATES_AT_ONCE = 16
TRIES = 3
BUSY_TRIES = 20
BUSY_SECONDS = 0.1
"""Between tries while others keep changing the aggregate, or still carry the command out: no fault of the event."""

WAITS_BEHIND = "WaitsBehind"
"""In place of an error: an earlier event of the same aggregate is parked."""
PASSED_BEFORE = "select event_id from reacted where event_id = any($1::uuid[])"


class Reacting:
    """Reacts to pages of one log, on behalf of the leader of a fencing token."""

    def __init__(
        self,
        source: Source,
        fencing_token: int,
        *,
        pool: Pool,
        log: Log,
        reactions: Reactions,
        commands: CommandExecutor,
        partitions: int,
    ) -> None:
        self.checkpoint = checkpoint_of(source)
        self._pool = pool
        self._log = log
        self._reactions = reactions.of(source)
        self._answers = Answers(reactions.service, source, pool=pool, commands=commands, partitions=partitions)
        self.types = types_of(self._reactions)
        self._commands = commands
        self._fencing_token = fencing_token
        self._fencing_tokens = {self.checkpoint: fencing_token}
        self._begun = False
        self._actor = service_actor(reactions.service)
        self._places = asyncio.Semaphore(AGGREGATES_AT_ONCE)

    async def react(self, after: int, page: Page) -> None:
        """React to the page that follows `after`, and move the checkpoint to its end."""
        entries = [entry for entry in page.events if concerns(entry, self.types)]
        newest_at = newest(page.events)
        if not entries:
            await checkpoints.pass_over(self._pool, self._fencing_tokens, at=after, to=page.upto, as_of=newest_at)
            return
        waiting = await self._waiting(self._pool)
        behind = [e for e in map(envelope_of, entries) if e.aggregate_id in waiting]
        poisons = await self._all(_by_aggregate(await self._anew(entries), waiting))
        await self._tell_parked(entries, behind, poisons)
        async with self._pool.acquire() as connection, connection.transaction():
            await checkpoints.lock(connection, self._fencing_tokens, at=Progress(after))
            if await self._waiting(connection) != waiting:
                raise checkpoints.Superseded(f"{self.checkpoint}: sequences were parked or released meanwhile")
            await dead_letters.queue(
                connection, self.checkpoint, [(event.aggregate_id, event.position) for event in behind]
            )
            await dead_letters.park(connection, self.checkpoint, poisons)
            await checkpoints.advance(connection, self._fencing_tokens, to=page.end, as_of=newest_at)
        dead_letters.report(self.checkpoint, poisons)

    async def begin(self) -> None:
        """Take over the checkpoint, and tell from where on events are answered; once."""
        if self._begun:
            return
        position = await checkpoints.take(self._pool, self.checkpoint, fencing_token=self._fencing_token)
        await self._answers.begin({event for each in self._reactions for event in each.events}, position)
        self._begun = True

    async def redrive(self, aggregate_id: UUID) -> bool:
        """React to the parked events of an aggregate again, in their order; True when it is released."""
        async with self._pool.acquire() as connection:
            positions = await dead_letters.queued(connection, self.checkpoint, aggregate_id)
            history = await self._log.history(connection, [aggregate_id], max(positions, default=0))
        waiting = frozenset(positions)
        poison = await self._sequence([entry for entry in history if envelope_of(entry).position in waiting])
        failed = set(poison.positions) if poison else set()
        done = [position for position in positions if position not in failed]
        async with self._pool.acquire() as connection, connection.transaction():
            await checkpoints.hold(connection, self.checkpoint, fencing_token=self._fencing_token)
            return await dead_letters.settle(connection, self.checkpoint, aggregate_id, done, poison)

    async def _waiting(self, connection: Any) -> frozenset[UUID]:
        return (await dead_letters.parked_aggregates(connection, [self.checkpoint])).get(self.checkpoint, frozenset())

    async def _anew(self, entries: Sequence[StoredEvent]) -> list[StoredEvent]:
        """Without what is answered, or was passed before the journal was emptied: whatever followed, or was refused,
        stays so."""
        ids = [envelope_of(entry).id for entry in entries]
        rows = await self._pool.fetch(PASSED_BEFORE, ids)
        passed = {row["event_id"] for row in rows} | await self._answers.given(ids)
        return [entry for entry in entries if envelope_of(entry).id not in passed]

    async def _tell_parked(
        self, entries: Sequence[StoredEvent], behind: Sequence[Envelope[Any]], poisons: Sequence[Poison]
    ) -> None:
        """Tell which events of a page wait, before they are parked: after a crash in between they are parked again,
        or answered after all."""
        found = {envelope_of(entry).position: entry for entry in entries}

        def answered_later(positions: Iterable[int]) -> list[Envelope[Any]]:
            at = [found[position] for position in positions]
            # Of what cannot be read nobody knows whether something follows.
            return [envelope_of(each) for each in at if isinstance(each, Undecodable) or self._answering(each)]

        for poison in poisons:
            await self._answers.park(answered_later(poison.positions), poison.error)
        await self._answers.park(answered_later(event.position for event in behind), WAITS_BEHIND)

    def _answering(self, fact: Envelope[Any]) -> list[Reaction]:
        return [reaction for reaction in self._reactions if reaction.answers(fact)]

    async def _all(self, sequences: Iterable[Sequence[StoredEvent]]) -> list[Poison]:
        """Sequences of different aggregates side by side; what failed. All have ended when this returns or raises."""
        ended = await asyncio.gather(*(self._in_turn(sequence) for sequence in sequences), return_exceptions=True)
        for outcome in ended:
            if isinstance(outcome, BaseException):
                raise outcome
        return [outcome for outcome in ended if isinstance(outcome, Poison)]

    async def _in_turn(self, entries: Sequence[StoredEvent]) -> Poison | None:
        async with self._places:
            return await self._sequence(entries)

    async def _sequence(self, entries: Sequence[StoredEvent]) -> Poison | None:
        """The events of one aggregate, in order, up to the first that fails."""
        for number, entry in enumerate(entries):
            failure = await self._attempt(entry)
            if failure is not None:
                left = [envelope_of(later).position for later in entries[number:]]
                aggregate_id = envelope_of(entry).aggregate_id
                return Poison(aggregate_id=aggregate_id, positions=left, error=dead_letters.described(failure))
        return None

    async def _attempt(self, entry: StoredEvent) -> Exception | None:
        failure: Exception | None = None
        tried = waited = 0
        while tried < TRIES:
            try:
                for fact in readable([entry]):
                    await self._react_to(fact)
                return None
            except (Busy, InFlight):
                if waited == BUSY_TRIES:
                    raise
                waited += 1
                await asyncio.sleep(BUSY_SECONDS)
            except Exception as error:  # a poison is whatever fails here, and it is kept with what it parks
                if dead_letters.is_environment(error):
                    raise
                failure = error
                tried += 1
        return failure

    async def _react_to(self, fact: Envelope[Any]) -> None:
        answering = self._answering(fact)
        outcomes = [
            await self._execute(fact, reaction, ordinal, do)
            for reaction in answering
            for ordinal, do in enumerate(reaction.to(fact))
        ]
        if answering:
            await self._answers.give(fact, outcomes)

    async def _execute(self, fact: Envelope[Any], reaction: Reaction, ordinal: int, do: Do) -> Outcome:
        adapter = _adapter(type(do.command))  # type: ignore[arg-type]  # a class is hashable
        content = adapter.dump_json(do.command)
        key = f"{fact.id}/{ordinal}"
        try:
            result = await self._commands.execute(
                CommandRequest(
                    do.aggregate,
                    do.aggregate_id,
                    adapter.validate_json(content),
                    self._actor,
                    idempotency=Idempotency(
                        principal="reaction", operation=reaction.name, key=key, request_hash=_hash(content)
                    ),
                    correlation_id=fact.correlation_id,
                    causation_id=fact.id,
                    command_id=uuid5(fact.id, f"{reaction.name}/{ordinal}"),
                    imported=fact.imported,
                    traceparent=fact.traceparent,
                )
            )
            return carried_out(reaction, do, result.sequence)
        except ContentDiffers:
            # It was carried out before a release that would ask for something else; once is enough.
            logger.info("reaction-differs", reaction=reaction.name, event_id=str(fact.id))
            return carried_out(reaction, do, (await self._commands.state(do.aggregate, do.aggregate_id)).sequence)
        except (Rejected, NotFound, Forbidden) as refusal:
            code, message = _said(refusal)
            logger.info("reaction-refused", reaction=reaction.name, event_id=str(fact.id), code=code)
            return self._answers.refusal(fact, reaction, ordinal, do, code, message)


class ReactionRunner:
    """Reacts to one log, in one process at a time. `run` is its worker."""

    def __init__(
        self,
        source: Source,
        *,
        pool: Pool,
        log: Log,
        reactions: Reactions,
        commands: CommandExecutor,
        health: Health,
        wake: Wakeup,
        advanced: Wakeup,
        partitions: int,
        page: int = PAGE,
    ) -> None:
        self.name = checkpoint_of(source)
        self._source: Source = source
        self._pool = pool
        self._log = log
        self._reactions = reactions
        self._commands = commands
        self._health = health
        self._wake = wake
        self._advanced = advanced
        self._partitions = partitions
        self._page = page

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping` is set. Raises what it cannot go on after; to be started again by who supervises."""
        leases = Leases(self._pool, [self.name])
        await lead(
            leases,
            lambda held: self._lead(held[self.name]),
            stopping,
            name=self.name,
            health=self._health,
            steps=lambda held: [("consumer", self.name)],
        )

    async def _lead(self, fencing_token: int) -> None:
        reacting = Reacting(
            self._source,
            fencing_token,
            pool=self._pool,
            log=self._log,
            reactions=self._reactions,
            commands=self._commands,
            partitions=self._partitions,
        )
        async with self._pool.acquire() as connection:
            await checkpoints.ensure(connection, self.name)
        loop, look_at, level = asyncio.get_running_loop(), 0.0, asyncio.get_running_loop().time()
        position: int | None = None
        while True:
            seen, events = self._wake.count, None
            try:
                if position is None:
                    await reacting.begin()
                    position = await self._position()
                position, events = await self._follow(reacting, position)
                level = loop.time() if events is None else level
                if loop.time() >= look_at:
                    look_at = loop.time() + LOOK_SECONDS
                    await self._redrive(reacting)
                    await self._measure(level)
            except checkpoints.Superseded as news:
                logger.info("reactions-superseded", runner=self.name, detail=str(news))
                position = None
            if events is None:
                await self._wake.wait(seen, min(POLL_SECONDS[self._source], LOOK_SECONDS))
            else:
                await asyncio.sleep(RELAXED.rest_after(events, self._page))

    async def _follow(self, reacting: Reacting, position: int) -> tuple[int, int | None]:
        """React to the page that follows a position; where it ended, and how many events it had, None when none."""
        page = await self._log.read(position, self._page, reacting.types)
        if page.upto == position:
            return position, None
        await reacting.react(position, page)
        self._advanced.notify()
        return page.upto, len(page.events)

    async def _redrive(self, reacting: Reacting) -> None:
        for _, aggregate_id in await dead_letters.due(self._pool, [self.name]):
            if await reacting.redrive(aggregate_id):
                logger.info("sequence-released", runner=self.name, aggregate_id=str(aggregate_id))
                self._advanced.notify()

    async def _measure(self, level: float) -> None:
        behind = max(0, await self._log.head() - await self._position())
        seconds = asyncio.get_running_loop().time() - level if behind else 0.0
        self._health.lag("consumer", self.name, events=behind, seconds=seconds)
        self._health.report(self.name, True, "works")

    async def _position(self) -> int:
        return int(await self._pool.fetchval("select position from mark where name = $1", self.name))


def _by_aggregate(entries: Sequence[StoredEvent], waiting: frozenset[UUID]) -> Iterable[list[StoredEvent]]:
    sequences: dict[UUID, list[StoredEvent]] = {}
    for entry in entries:
        aggregate_id = envelope_of(entry).aggregate_id
        if aggregate_id not in waiting:
            sequences.setdefault(aggregate_id, []).append(entry)
    return sequences.values()


def _said(refusal: Rejected | NotFound | Forbidden) -> tuple[str, str]:
    """The code and the words of a refusal."""
    if isinstance(refusal, Rejected):
        return refusal.code, refusal.message
    return "not-found" if isinstance(refusal, NotFound) else "forbidden", str(refusal)


@lru_cache(maxsize=512)
def _adapter(command: Any) -> TypeAdapter[Any]:
    """What a reaction builds is checked like what comes over HTTP."""
    return TypeAdapter(command)


def _hash(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
