"""The runner of the projections of one log: folds what is new, builds changed projections beside, retries what was
parked.

Of each revision of a projection one process of its release leads; the others wait for its lease. So while two releases
run side by side, each folds what only it has, and what both have is folded by one of them. Serving builds follow the
log in small pages; a build that is made beside them reads large pages and takes over once it has caught up. Both go
through the same fold.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import structlog
from asyncpg import Pool

from shared.domain.context import Company
from shared.eventstore.batching import RELAXED, Pace
from shared.eventstore.leader_election import lead
from shared.eventstore.lease import Held, Leases
from shared.eventstore.log import Log
from shared.eventstore.wakeup import Wakeup
from shared.following import dead_letters
from shared.following.checkpoints import Superseded
from shared.ops.health import Health, Kind
from shared.projections import builds
from shared.projections.builds import Build
from shared.projections.folding import Folding, Target, types_of
from shared.projections.projection import POLL_SECONDS, Projection, Source, revision_of

logger = structlog.get_logger(__name__)

PAGE = 1000
BUILD_PAGE = 2000
"""Larger pages fold a little faster, but have to stay well within the time limit of a statement."""
LOOK_SECONDS = 1.0
"""How often requests of other processes are looked for: a rebuild, a redrive, builds to be dropped."""
FIRST_ANALYZE = 1000
FIRST_RETRY_SECONDS = 1.0
MAX_RETRY_SECONDS = 60.0
"""Back-off of a build that stands still: what was in its way may be mended without a word to this process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """Where a build stands still, and when it is tried again."""

    position: int
    retry_at: float
    delay: float


class ProjectionRunner:
    """Keeps the projections of one log up to date, each in one process at a time. `run` is its worker."""

    def __init__(
        self,
        source: Source,
        *,
        pool: Pool,
        log: Log,
        projections: Sequence[Projection],
        company: Company,
        health: Health,
        wake: Wakeup,
        advanced: Wakeup,
        pace: Pace = RELAXED,
        page: int = PAGE,
        build_page: int = BUILD_PAGE,
    ) -> None:
        self.name = f"projections-{source}"
        self._projections: Mapping[str, Projection] = {
            projection.name: projection for projection in projections if projection.source == source
        }
        self._types = {name: projection.types for name, projection in self._projections.items()}
        self._revisions = {revision_of(projection, company): name for name, projection in self._projections.items()}
        self._held: Held = {}
        """The revisions that this process leads, with their fencing tokens."""
        self._sound = False
        """Whether a look at the log went well since then: before, nothing says that it works."""
        self._poll = POLL_SECONDS[source]
        self._pool = pool
        self._log = log
        self._company = company
        self._health = health
        self._wake = wake
        self._advanced = advanced
        self._pace = pace
        self._page = page
        self._build_page = build_page
        self._halted: dict[str, Halt] = {}
        self._analyzed: dict[str, tuple[int, int]] = {}
        """Of each build that catches up: how many events are folded, and were when its statistics were refreshed."""
        self._level: dict[str, float] = {}
        self._followed: dict[str, Build] | None = None
        """The serving builds, by their schema and with where they stand; None: to be looked up."""

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping` is set. Raises what it cannot go on after; to be started again by who supervises."""
        leases = Leases(self._pool, self._revisions)
        await lead(leases, self._lead, stopping, name=self.name, health=self._health, steps=self._steps)

    def _steps(self, held: Held) -> list[tuple[Kind, str]]:
        return [("projection", projection) for projection in self._projections_of(held)]

    def _projections_of(self, held: Held) -> list[str]:
        return [self._revisions[revision] for revision in held]

    async def _lead(self, held: Held) -> None:
        self._held, self._followed, self._sound = held, None, False
        self._halted.clear()
        began = asyncio.get_running_loop().time()
        self._level = dict.fromkeys(self._projections_of(held), began)
        for revision in sorted(held):
            await self._prepare(revision)
        folding = Folding(self._pool, self._log, self._company)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._serve(folding))
            group.create_task(self._look(folding))

    # -- serving --------------------------------------------------------------------------------------------------

    async def _serve(self, folding: Folding) -> None:
        while True:
            seen = self._wake.count
            try:
                events = await self._follow(folding)
                if not self._sound:
                    self._sound = True
                    self._tell()
            except Superseded as news:
                logger.info("projections-superseded", runner=self.name, detail=str(news))
                self._followed, events = None, None
            if events is None:
                await self._wake.wait(seen, self._poll)
            else:
                await asyncio.sleep(self._pace.rest_after(events, self._page))

    async def _follow(self, folding: Folding) -> int | None:
        """Take every serving build one page on; the events of the longest page, or None when none moved."""
        if self._followed is None:
            self._followed = {build.schema: build for build in await self._builds("serving")}
        followed = self._followed
        groups: dict[int, list[Target]] = {}
        for build in followed.values():
            if not self._stands_still(build):
                groups.setdefault(build.position, []).append(self._target(build))
        longest: int | None = None
        for position, targets in sorted(groups.items()):
            page = await self._log.read(position, self._page, types_of(targets))
            if page.upto == position:
                now = asyncio.get_running_loop().time()
                self._level.update((target.projection.name, now) for target in targets)
                continue
            failed = await folding.fold(targets, position, page)
            self._halt(targets, failed, position)
            for build in (target.build for target in targets if target.build.schema not in failed):
                followed[build.schema] = replace(build, position=page.upto)
            if len(failed) < len(targets):
                longest = max(longest or 0, len(page.events))
            self._advanced.notify()
        return longest

    # -- beside ---------------------------------------------------------------------------------------------------

    async def _look(self, folding: Folding) -> None:
        """What need not happen at once: builds beside the serving ones, retries, what old builds leave behind.

        A build is taken on for a moment at a time, so that the others are measured and redriven meanwhile.
        """
        while True:
            catching_up = False
            try:
                for revision in await builds.wanting(self._pool, self._held):
                    await self._prepare(revision)
                building = await self._builds("building")
                for build in building:
                    if not self._stands_still(build):
                        catching_up |= await self._catch_up(folding, build)
                serving = await self._builds("serving")
                # What others changed (a build that serves instead, say) is followed from here on.
                self._followed = None
                await self._redrive(folding, (*building, *serving))
                served = {build.revision for build in serving}
                await self._measure([*serving, *(build for build in building if build.revision not in served)])
            except Superseded as news:
                logger.info("projections-superseded", runner=self.name, detail=str(news))
            await builds.retire_unused(self._pool, self._held)
            await builds.drop_old(self._pool, self._projections_of(self._held))
            await asyncio.sleep(0 if catching_up else LOOK_SECONDS)

    async def _catch_up(self, folding: Folding, build: Build) -> bool:
        """Fold the log into a build until it serves or has nothing left to fold, or for a moment: then True."""
        target, position = self._target(build), build.position
        folded, analyzed = self._analyzed.get(build.schema, (0, 0))
        loop = asyncio.get_running_loop()
        until = loop.time() + LOOK_SECONDS
        while loop.time() < until:
            page = await self._log.read(position, self._build_page, target.types)
            ended = page.upto == position
            if not ended:
                failed = await folding.fold([target], position, page)
                self._halt([target], failed, position)
                if failed:
                    return False
                position, folded = page.upto, folded + len(page.events)
            if folded >= max(FIRST_ANALYZE, 2 * analyzed):
                await builds.analyze(self._pool, build.schema)
                analyzed = folded
            self._analyzed[build.schema] = (folded, analyzed)
            nearly = len(page.events) < self._build_page
            if await builds.switch(self._pool, build, level=ended, nearly=nearly):
                logger.info(
                    "projection-switched", projection=build.projection, build=build.build, version=build.version
                )
                self._followed = None
                self._analyzed.pop(build.schema, None)
                self._advanced.notify()
                return False
            if ended:
                return False
        return True

    async def _redrive(self, folding: Folding, found: Sequence[Build]) -> None:
        """Handle parked sequences again that are due."""
        targets = {build.schema: self._target(build) for build in found}
        for runner, aggregate_id in await dead_letters.due(self._pool, list(targets)):
            if await folding.redrive(targets[runner], aggregate_id):
                logger.info("sequence-released", runner=runner, aggregate_id=str(aggregate_id))
                self._go_on(runner)
                self._advanced.notify()

    async def _measure(self, foremost: Sequence[Build]) -> None:
        """Say how far builds are behind: positions (some may be dead), and the time since they were not. What serves
        counts, and of a revision of which nothing serves yet the build that will."""
        head, now = await self._log.head(), asyncio.get_running_loop().time()
        for build in foremost:
            behind = max(0, head - build.position)
            seconds = now - self._level[build.projection] if behind else 0.0
            self._health.lag("projection", build.projection, events=behind, seconds=seconds)

    # -- small parts ----------------------------------------------------------------------------------------------

    async def _builds(self, state: Literal["serving", "building"]) -> list[Build]:
        return await builds.builds(self._pool, state, self._held)

    async def _prepare(self, revision: str) -> None:
        await builds.prepare(self._pool, self._projections[self._revisions[revision]], self._company)

    def _stands_still(self, build: Build) -> bool:
        halt = self._halted.get(build.schema)
        waits = halt is not None and asyncio.get_running_loop().time() < halt.retry_at
        return waits and halt is not None and halt.position == build.position

    def _halt(self, targets: Sequence[Target], failed: Mapping[str, Exception], position: int) -> None:
        """A build that parks too much stands still, and is tried again later and later, until it goes on."""
        for schema in (target.build.schema for target in targets):
            if schema not in failed:
                self._go_on(schema)
                continue
            before = self._halted.get(schema)
            again = before is not None and before.position == position
            delay = min(2 * before.delay, MAX_RETRY_SECONDS) if again and before else FIRST_RETRY_SECONDS
            retry_at = asyncio.get_running_loop().time() + delay
            self._halted[schema] = Halt(position=position, retry_at=retry_at, delay=delay)
            logger.error("projection-halted", build=schema, position=position, error=type(failed[schema]).__name__)
            self._tell()

    def _go_on(self, schema: str) -> None:
        if self._halted.pop(schema, None) is not None:
            logger.info("projection-goes-on", build=schema)
            self._tell()

    def _tell(self) -> None:
        if not self._sound and not self._halted:
            return
        still = ", ".join(sorted(self._halted))
        detail = f"stands still, because too much is parked: {still}" if still else "works"
        self._health.report(self.name, not still, detail)

    def _target(self, build: Build) -> Target:
        projection = self._projections[build.projection]
        return Target(
            projection=projection,
            build=build,
            types=self._types[build.projection],
            fencing_token=self._held[build.revision],
        )
