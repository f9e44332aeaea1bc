"""The runner of the projections of one log: folds what is new, builds changed projections beside, retries what was
parked.

Of each revision of a projection one process of its release leads; the others wait for its lease. So while two releases
run side by side, each folds what only it has, and what both have is folded by one of them.

Serving builds follow the log in step: in small pages that are read once and folded in one transaction. When a fold
fails, each of them goes on apart until it has caught up: in a task of its own, which isolates what is poisoned, and
stands still where too much is. So does a build that is made beside the serving ones: it reads large pages and takes
over once it has caught up. What is apart holds up nobody.
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
from shared.eventstore.log import Log, Page, Progress
from shared.eventstore.pool import BLOCKED
from shared.eventstore.wakeup import Wakeup
from shared.following import dead_letters
from shared.following.checkpoints import Superseded
from shared.following.dead_letters import TooManyParked
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
ALONE_AT_ONCE = 3
"""So many pages are read or folded at once of builds that are apart: each takes a connection."""
FIRST_ANALYZE, GROWN = 1000, 4
"""When the statistics of what catches up are refreshed: at first, and whenever it has grown so many times. Each time
reads up to 30,000 rows of a table."""
FIRST_RETRY_SECONDS = 1.0
TOO_MUCH = "too much is parked"
MAX_BLOCKED_RETRY_SECONDS = 5.0
"""What is held up by a lock goes on by itself soon after that is gone."""
MAX_RETRY_SECONDS = 60.0
"""Back-off of a build that stands still: what was in its way may be mended without a word to this process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """Where a build stands still, and when it is tried again."""

    progress: Progress
    retry_at: float
    delay: float
    reason: str


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
        self._source = source
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
        self._apart: set[str] = set()
        """The builds that are not followed in step, by their schemas."""
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup
        self._places = asyncio.Semaphore(ALONE_AT_ONCE)
        self._indexing = asyncio.Semaphore(1)
        """The place of a build whose indices are made: that holds a connection for long."""
        self._doubtful = asyncio.Semaphore(1)
        """The place of builds that stood still when they were tried last: they hold up each other at most."""
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
        self._tasks.clear()
        began = asyncio.get_running_loop().time()
        self._level = dict.fromkeys(self._projections_of(held), began)
        for revision in sorted(held):
            await self._prepare(revision)
        self._apart = set(await builds.stalled(self._pool, self._held))
        folding = Folding(self._pool, self._log, self._company)
        async with asyncio.TaskGroup() as self._group:
            self._group.create_task(self._serve(folding))
            self._group.create_task(self._look(folding))
            self._group.create_task(self._redrive(folding))

    # -- in step --------------------------------------------------------------------------------------------------

    async def _serve(self, folding: Folding) -> None:
        while True:
            seen = self._wake.count
            try:
                events = await self._follow(folding)
                if not self._sound:
                    self._sound = True
                    self._tell()
            except Superseded as news:
                self._superseded(news)
                events = None
            if events is None:
                await self._wake.wait(seen, self._poll)
            else:
                await asyncio.sleep(self._pace.rest_after(events, self._page))

    async def _follow(self, folding: Folding) -> int | None:
        """Take every serving build that is in step one page on; the events of the longest page, or None when none
        moved."""
        if self._followed is None:
            serving = await self._builds("serving")
            self._followed = {build.schema: build for build in serving if build.schema not in self._apart}
        followed = self._followed
        groups: dict[int, list[Target]] = {}
        for build in followed.values():
            groups.setdefault(build.position, []).append(self._target(build))
        longest: int | None = None
        for position, targets in sorted(groups.items()):
            page = await self._log.read(position, self._page, types_of(targets))
            if page.upto == position:
                self._is_level(*targets)
                continue
            folded = await folding.fold(targets, Progress(position), page)
            for build in (target.build for target in targets):
                if folded:
                    followed[build.schema] = replace(build, progress=page.end)
                else:
                    del followed[build.schema]
                    self._follow_alone(folding, build)
            if folded:
                longest = max(longest or 0, len(page.events))
                self._advanced.notify()
        return longest

    # -- apart ----------------------------------------------------------------------------------------------------

    def _follow_alone(self, folding: Folding, build: Build) -> None:
        """Have a build followed by itself, unless it is already or stands still for now."""
        self._apart.add(build.schema)
        task = self._tasks.get(build.schema)
        if (task is None or task.done()) and not self._stands_still(build):
            self._tasks[build.schema] = self._group.create_task(self._alone(folding, build))

    async def _alone(self, folding: Folding, build: Build) -> None:
        """Take one build on until it is in step with the log, or has to stand still. The next streams of a history are
        read while PostgreSQL writes the rows of these."""
        target, progress, indexed = self._target(build), build.progress, False
        reading = asyncio.create_task(self._next(target, progress))
        try:
            while True:
                page, of_streams = await reading, build.state == "building" and progress.position == 0
                reading = asyncio.create_task(self._next(target, page.end)) if page.scan else reading
                ended = page.end == progress
                if not ended:
                    async with self._places_for(build):
                        await folding.fold_alone(target, progress, page)
                        await self._analyze(build, len(page.events))
                    progress = page.end
                    self._go_on(build.schema)
                if build.state == "serving" and ended:
                    self._is_level(target)
                    await self._rejoin(build)
                    return
                if build.state == "building" and progress.scan is None:
                    if not indexed:
                        async with self._indexing:
                            await builds.index(self._pool, target.projection, build.schema)
                        indexed = True
                    if await self._switched(build, page, ended=ended, of_streams=of_streams) or ended:
                        return
                if not page.scan:
                    reading = asyncio.create_task(self._next(target, progress))
                self._advanced.notify()
        except (TooManyParked, *BLOCKED) as error:
            await self._halt(build.schema, progress, error)
        except Superseded as news:
            self._superseded(news)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _next(self, target: Target, progress: Progress) -> Page:
        """The page that follows in a build that is apart. What is built beside reads the history that it finds stream
        by stream, so that each is folded once, and from then on follows the log."""
        async with self._places_for(target.build):
            if target.build.state == "building" and progress.position == 0:
                scan = progress.scan or await self._log.begin_streams()
                limit = self._build_page * target.projection.pages_at_once
                return await self._log.read_streams(scan, limit, target.types)
            return await self._log.read(progress.position, self._build_page, target.types)

    def _places_for(self, build: Build) -> asyncio.Semaphore:
        return self._doubtful if build.schema in self._halted else self._places

    async def _analyze(self, build: Build, events: int) -> None:
        """Refresh the statistics of what catches up, whenever it has grown."""
        folded, analyzed = self._analyzed.get(build.schema, (0, 0))
        folded += events
        if folded >= max(FIRST_ANALYZE, GROWN * analyzed):
            await builds.analyze(self._pool, build.schema)
            analyzed = folded
        self._analyzed[build.schema] = (folded, analyzed)

    async def _switched(self, build: Build, page: Page, *, ended: bool, of_streams: bool) -> bool:
        """Whether a build that was made beside serves now."""
        # The last streams of a history say nothing of how much was recorded while all of it was read.
        nearly = not of_streams and len(page.events) < self._build_page
        if not await builds.switch(self._pool, build, level=ended, nearly=nearly):
            return False
        logger.info("projection-switched", projection=build.projection, build=build.build, version=build.version)
        await self._rejoin(build)
        return True

    async def _rejoin(self, build: Build) -> None:
        """Follow a build together with the others again."""
        await builds.say_stalled(self._pool, build.schema, False)
        self._analyzed.pop(build.schema, None)
        self._apart.discard(build.schema)
        self._followed = None
        self._advanced.notify()

    # -- beside ---------------------------------------------------------------------------------------------------

    async def _look(self, folding: Folding) -> None:
        """What need not happen at once: builds beside the serving ones, and what old builds leave behind."""
        while True:
            try:
                for revision in await builds.wanting(self._pool, self._held):
                    await self._prepare(revision)
                building, serving = await self._all_builds()
                self._forget_all_but({build.schema for build in (*building, *serving)})
                for build in (*building, *(build for build in serving if build.schema in self._apart)):
                    self._follow_alone(folding, build)
                # What others changed (a build that serves instead, say) is followed from here on.
                self._followed = None
                served = {build.revision for build in serving}
                await self._measure([*serving, *(build for build in building if build.revision not in served)])
            except Superseded as news:
                self._superseded(news)
            await builds.retire_unused(self._pool, self._held, self._source, self._projections)
            await builds.drop_old(self._pool, self._projections_of(self._held), self._source, self._projections)
            await asyncio.sleep(LOOK_SECONDS)

    async def _redrive(self, folding: Folding) -> None:
        """Handle parked sequences again that are due."""
        while True:
            building, serving = await self._all_builds()
            targets = {build.schema: self._target(build) for build in (*building, *serving)}
            for runner, aggregate_id in await dead_letters.due(self._pool, list(targets)):
                try:
                    released = await folding.redrive(targets[runner], aggregate_id)
                except BLOCKED as error:
                    logger.info("redrive-held-up", runner=runner, error=type(error).__name__)
                    continue
                except Superseded as news:
                    self._superseded(news)
                    break
                if released:
                    logger.info("sequence-released", runner=runner, aggregate_id=str(aggregate_id))
                    self._go_on(runner)
                    self._advanced.notify()
            await asyncio.sleep(LOOK_SECONDS)

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

    async def _all_builds(self) -> tuple[list[Build], list[Build]]:
        """Those that are built, and those that serve; one that begins to serve meanwhile counts as such."""
        building, serving = await self._builds("building"), await self._builds("serving")
        now_serve = {build.schema for build in serving}
        return [build for build in building if build.schema not in now_serve], serving

    def _forget_all_but(self, schemas: set[str]) -> None:
        """Builds that were retired stand still no more."""
        gone = self._halted.keys() - schemas
        for schema in gone:
            del self._halted[schema]
        self._apart &= schemas
        self._analyzed = {schema: known for schema, known in self._analyzed.items() if schema in schemas}
        if gone:
            self._tell()

    async def _prepare(self, revision: str) -> None:
        await builds.prepare(self._pool, self._projections[self._revisions[revision]], self._company)

    def _stands_still(self, build: Build) -> bool:
        halt = self._halted.get(build.schema)
        waits = halt is not None and asyncio.get_running_loop().time() < halt.retry_at
        return waits and halt is not None and halt.progress == build.progress

    async def _halt(self, schema: str, progress: Progress, error: Exception) -> None:
        """A build that parks too much, or that locks of others hold up, stands still, and is tried again later and
        later, until it goes on."""
        before = self._halted.get(schema)
        again = before is not None and before.progress == progress
        longest = MAX_RETRY_SECONDS if isinstance(error, TooManyParked) else MAX_BLOCKED_RETRY_SECONDS
        delay = min(2 * before.delay, longest) if again and before else FIRST_RETRY_SECONDS
        retry_at = asyncio.get_running_loop().time() + delay
        reason = TOO_MUCH if isinstance(error, TooManyParked) else f"it is held up ({type(error).__name__})"
        self._halted[schema] = Halt(progress=progress, retry_at=retry_at, delay=delay, reason=reason)
        logger.error("projection-halted", build=schema, position=progress.position, error=type(error).__name__)
        self._tell()
        await builds.say_stalled(self._pool, schema, True)
        self._advanced.notify()

    def _go_on(self, schema: str) -> None:
        if self._halted.pop(schema, None) is not None:
            logger.info("projection-goes-on", build=schema)
            self._tell()

    def _is_level(self, *targets: Target) -> None:
        now = asyncio.get_running_loop().time()
        self._level.update((target.projection.name, now) for target in targets)

    def _superseded(self, news: Superseded) -> None:
        logger.info("projections-superseded", runner=self.name, detail=str(news))
        self._followed = None

    def _tell(self) -> None:
        if not self._sound and not self._halted:
            return
        still = "; ".join(f"{schema} stands still: {halt.reason}" for schema, halt in sorted(self._halted.items()))
        detail = still or "works"
        self._health.report(self.name, not still, detail)

    def _target(self, build: Build) -> Target:
        projection = self._projections[build.projection]
        return Target(
            projection=projection,
            build=build,
            types=self._types[build.projection],
            fencing_token=self._held[build.revision],
        )
