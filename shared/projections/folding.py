"""Folding a page of events into builds of projections, all or nothing with their checkpoints; a poison is set apart.

The straight way is one transaction for all builds that stand at the same checkpoint. When that fails, each goes on by
itself, so that whichever it was holds up no other. There the page is halved by aggregates until the poison stands
alone, and what fails of its sequence is parked. So a failing fold is tried again several times before that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from asyncpg import Pool, QueryCanceledError

from shared.domain.context import Company
from shared.eventstore.log import Log, Page, Progress
from shared.eventstore.pool import BLOCKED, AnyConnection
from shared.following import checkpoints, dead_letters
from shared.following.dead_letters import Poison, first_failure
from shared.following.stored_events import StoredEvent, concerns, envelope_of, newest, readable
from shared.projections.builds import Build
from shared.projections.projection import Projection, ProjectionDatabase


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A build, and the projection that it is a build of."""

    projection: Projection
    build: Build
    types: frozenset[str] | None
    """What the projection folds; None means everything."""
    fencing_token: int
    """Under which this process leads the projection's revision."""


def types_of(targets: Sequence[Target]) -> frozenset[str] | None:
    """What some projections fold between them; None means everything."""
    types: frozenset[str] = frozenset()
    for target in targets:
        if target.types is None:
            return None
        types |= target.types
    return types


class Folding:
    """Folds pages of one log, on behalf of the leader of each build."""

    def __init__(self, pool: Pool, log: Log, company: Company) -> None:
        self._pool = pool
        self._log = log
        self._company = company

    async def fold(self, targets: Sequence[Target], after: Progress, page: Page) -> bool:
        """Fold the page that follows `after` into builds that all stand there. False when one of them raised something:
        then all are as they were, and each has to go on by itself."""
        if not any(concerns(entry, target.types) for target in targets for entry in page.events):
            await self._pass_over(targets, after, page)
            return True
        try:
            await self._together(targets, after, page, careful=False)
        except BLOCKED:
            return False  # whichever of them waits for a lock does so by itself
        except Exception as error:  # whatever a fold raises is looked at, one build at a time
            if _is_environment(error) or isinstance(error, checkpoints.Superseded):
                raise
            return False
        return True

    async def fold_alone(self, target: Target, after: Progress, page: Page) -> None:
        """Fold the page that follows `after` into one build, and park what cannot be folded. Raises `TooManyParked`, or
        what of `BLOCKED` a statement failed with; then the build is as it was."""
        of_streams = after.scan or page.scan
        if of_streams or any(concerns(entry, target.types) for entry in page.events):
            await self._together([target], after, page, careful=True)
        else:
            await self._pass_over([target], after, page)

    async def _pass_over(self, targets: Sequence[Target], after: Progress, page: Page) -> None:
        await checkpoints.pass_over(
            self._pool, _fencing_tokens(targets), at=after.position, to=page.upto, as_of=newest(page.events)
        )

    async def _together(self, targets: Sequence[Target], after: Progress, page: Page, *, careful: bool) -> None:
        fencing_tokens = _fencing_tokens(targets)
        async with self._pool.acquire() as connection, connection.transaction():
            if all(target.build.state == "building" for target in targets):
                # A crash only means that a page is folded once more; what lets the build serve waits for the disk.
                await connection.execute("set local synchronous_commit = off")
            await checkpoints.lock(connection, fencing_tokens, at=after)
            waiting = await dead_letters.parked_aggregates(connection, fencing_tokens)
            for target in targets:
                await self._one(connection, target, page, waiting.get(target.build.schema, frozenset()), careful)
            as_of = page.as_of or newest(page.events)
            await checkpoints.advance(connection, fencing_tokens, to=page.end, as_of=as_of)

    async def _one(
        self, connection: AnyConnection, target: Target, page: Page, waiting: frozenset[UUID], careful: bool
    ) -> None:
        runner = target.build.schema
        entries = [entry for entry in page.events if concerns(entry, target.types)]
        behind = [e for e in map(envelope_of, entries) if e.aggregate_id in waiting]
        await dead_letters.queue(connection, runner, [(event.aggregate_id, event.position) for event in behind])
        free = [entry for entry in entries if envelope_of(entry).aggregate_id not in waiting]
        if careful:
            poisons = await self._isolate(connection, target, free)
            await dead_letters.park(connection, runner, poisons)
            dead_letters.report(runner, poisons)
        elif free:
            await self._apply(connection, target, free)

    async def redrive(self, target: Target, aggregate_id: UUID) -> bool:
        """Fold the parked events of an aggregate again, in their order; True when none is left and it is released."""
        runner = target.build.schema
        async with self._pool.acquire() as connection, connection.transaction():
            await checkpoints.hold(connection, runner, fencing_token=target.fencing_token)
            queued = await dead_letters.queued(connection, self._log, runner, aggregate_id)
            poisons = await self._isolate(connection, target, queued.entries)
            poison = poisons[0] if poisons else None
            released = await dead_letters.settle(connection, runner, queued, poison)
        dead_letters.report(runner, poisons)
        return released

    async def _isolate(self, connection: AnyConnection, target: Target, entries: Sequence[StoredEvent]) -> list[Poison]:
        """Fold everything that can be folded; gives what cannot, per aggregate from its first failure on."""
        failure = await self._attempt(connection, target, entries)
        if failure is None:
            return []
        aggregates = list(dict.fromkeys(envelope_of(entry).aggregate_id for entry in entries))
        if len(aggregates) > 1:
            some = frozenset(aggregates[: len(aggregates) // 2])
            first = [entry for entry in entries if envelope_of(entry).aggregate_id in some]
            others = [entry for entry in entries if envelope_of(entry).aggregate_id not in some]
            return [
                *await self._isolate(connection, target, first),
                *await self._isolate(connection, target, others),
            ]
        poison = await first_failure(entries, lambda entry: self._attempt(connection, target, [entry]))
        return [poison] if poison else []

    async def _attempt(
        self, connection: AnyConnection, target: Target, entries: Sequence[StoredEvent]
    ) -> Exception | None:
        """Fold inside a savepoint; gives the failure, after which nothing of it is left."""
        if not entries:
            return None
        try:
            async with connection.transaction():
                await self._apply(connection, target, entries)
        except Exception as error:  # a poison is whatever a fold raises, and it is kept with what it parks
            if _is_environment(error) or connection.is_closed():
                raise
            return error
        return None

    async def _apply(self, connection: AnyConnection, target: Target, entries: Sequence[StoredEvent]) -> None:
        events = readable(entries)
        schemas = {"view": target.build.schema}
        position = max(envelope_of(entry).position for entry in entries)
        db = ProjectionDatabase(connection, schemas, log=self._log, company=self._company, position=position)
        await target.projection.apply(db, events)


def _is_environment(error: Exception) -> bool:
    """A statement that takes too long is the page's fault here: a part of it may take less, or one event all of it."""
    return dead_letters.is_environment(error) and not isinstance(error, QueryCanceledError)


def _fencing_tokens(targets: Sequence[Target]) -> checkpoints.FencingTokens:
    return {target.build.schema: target.fencing_token for target in targets}
