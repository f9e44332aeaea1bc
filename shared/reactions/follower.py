"""Log follower that reacts: each aggregate's events in order, those of different ones side by side, once in effect.

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
from shared.eventstore.log import Log, Page, Undecodable
from shared.eventstore.wakeup import Wakeup
from shared.following import checkpoints, dead_letters
from shared.following.dead_letters import Poison, first_failure
from shared.following.fenced_checkpoint import FencedCheckpoint, OpenPage
from shared.following.log_follower import PAGE, LogFollower
from shared.following.stored_events import StoredEvent, by_aggregate, envelope_of, readable
from shared.ops.health import Health
from shared.projections.projection import POLL_SECONDS, Source
from shared.reactions.follow_ups import Answers, Outcome, carried_out
from shared.reactions.registry import Do, Reaction, Reactions, checkpoint_of, types_of

logger = structlog.get_logger(__name__)

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
        self._checkpoint = FencedCheckpoint(checkpoint_of(source), fencing_token, pool, log)
        self._pool = pool
        self._reactions = reactions.of(source)
        self._answers = Answers(reactions.service, source, pool=pool, commands=commands, partitions=partitions)
        self.types = types_of(self._reactions)
        self._commands = commands
        self._begun = False
        self._actor = service_actor(reactions.service)
        self._places = asyncio.Semaphore(AGGREGATES_AT_ONCE)

    async def begin(self) -> int:
        """Take over the checkpoint, and tell, once, from where on events are answered."""
        await checkpoints.ensure(self._pool, self._checkpoint.name)
        position = await self._checkpoint.take()
        if not self._begun:
            await self._answers.begin({event for each in self._reactions for event in each.events}, position)
            self._begun = True
        return position

    async def handle(self, after: int, page: Page) -> bool:
        """React to the page that follows `after`, and move the checkpoint to its end: readers wait for that."""
        opened = await self._checkpoint.open_page(after, page, self.types)
        if opened is not None:
            poisons = await self._all(by_aggregate(await self._anew(opened.free)))
            await self._tell_parked(opened, poisons)
            await self._checkpoint.commit(opened, poisons)
        return True

    async def redrive(self, aggregate_id: UUID) -> bool:
        """React to the parked events of an aggregate again, in their order; True when it is released."""
        queued = await self._checkpoint.queued(aggregate_id)
        return await self._checkpoint.settle(queued, await first_failure(queued.entries, self._attempt))

    async def _anew(self, entries: Sequence[StoredEvent]) -> list[StoredEvent]:
        """Without what is answered, or was passed before the journal was emptied: whatever followed, or was refused,
        stays so."""
        ids = [envelope_of(entry).id for entry in entries]
        rows = await self._pool.fetch(PASSED_BEFORE, ids)
        passed = {row["event_id"] for row in rows} | await self._answers.given(ids)
        return [entry for entry in entries if envelope_of(entry).id not in passed]

    async def _tell_parked(self, opened: OpenPage, poisons: Sequence[Poison]) -> None:
        """Tell which events of a page wait, before they are parked: after a crash in between they are parked again,
        or answered after all."""
        found = {envelope_of(entry).position: entry for entry in opened.entries}

        def answered_later(positions: Iterable[int]) -> list[Envelope[Any]]:
            at = [found[position] for position in positions]
            # Of what cannot be read nobody knows whether something follows.
            return [envelope_of(each) for each in at if isinstance(each, Undecodable) or self._answering(each)]

        for poison in poisons:
            await self._answers.park(answered_later(poison.positions), poison.error)
        await self._answers.park(answered_later(place.position for place in opened.behind), WAITS_BEHIND)

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
            return await first_failure(entries, self._attempt)

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
                    imported=reaction.tells_history(fact),
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


def reaction_follower(
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
) -> LogFollower:
    """What reacts to one log, in one process at a time; `advanced` is told of each page."""
    about: Any = {"pool": pool, "log": log, "reactions": reactions, "commands": commands, "partitions": partitions}
    return LogFollower(
        checkpoint_of(source),
        handling=lambda fencing_token: Reacting(source, fencing_token, **about),
        pool=pool,
        log=log,
        health=health,
        wake=wake,
        downstream=advanced,
        poll=POLL_SECONDS[source],
        page=page,
    )


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
