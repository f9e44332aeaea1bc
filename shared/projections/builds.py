"""Builds of projections: blue/green. Each has a schema of its own; of each revision one serves, at most one is built
beside.

requested → building → serving → retired → dropped. A revision is folded and read by processes of its own release only,
under a lease of its name. When a release ends, its builds stay for an hour, in which it may come back. The first build
of a projection serves at once; a reader sees by its position how far it is. A retired build stays for a minute, so that
whoever was about to read it still can.

Of a journal that was emptied none serves until it has folded all that is read again. The database holds that (a trigger
of migration 0014), so that processes of an older release keep to it as well.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import structlog
from asyncpg import LockNotAvailableError, Pool, Record

from shared.domain.context import Company
from shared.eventstore.log import Progress
from shared.eventstore.pool import AnyConnection
from shared.following import checkpoints
from shared.projections.projection import Projection, Source, placed, revision_of

logger = structlog.get_logger(__name__)

State = Literal["requested", "building", "serving", "retired", "dropped"]

GRACE = "interval '60 seconds'"
"""For readers of a retired build, and for another process of a release to take over from one that ended."""
RETENTION = "interval '1 hour'"
"""How long a release can be gone back to without building anew."""

INDEX_SECONDS = 6 * 3600
"""No index takes longer."""

CURRENT = """
    select b.view as projection, b.build, b.version, b.revision, b.source, b.state,
           m.position, m.scan_upto, m.scan_aggregate_id, m.scan_sequence
      from view_build b join mark m on m.name = b.view || '_' || b.build
     where b.state = $1 and {} = any($2::text[]) order by b.view, b.build
"""
CURRENT_REVISIONS, CURRENT_PROJECTIONS = CURRENT.format("b.revision"), CURRENT.format("b.view")
OWN = "select state, build from view_build where revision = $1 and state in ('requested', 'building', 'serving')"
# Whether the serving build of a revision was left behind: its release has ended, and another one has gone on.
LEFT_BEHIND = f"""
    select exists (
        select from view_build b join mark m on m.name = b.view || '_' || b.build
          join view_build other on (other.view, other.source) = (b.view, b.source) and other.revision <> b.revision
          join mark ahead on ahead.name = other.view || '_' || other.build
         where b.revision = $1 and b.state = 'serving' and other.state = 'serving' and ahead.position > m.position
           and not exists (select from lease where name = b.revision and until > clock_timestamp() - {GRACE}))
"""  # noqa: S608
# Whether there is nothing yet that readers of a first build could miss in it: no projection of this log has read
# anything.
FIRST = """
    select not exists (
        select from view_build b join mark m on m.name = b.view || '_' || b.build
         where b.state = 'serving' and (b.view = $1 or (b.source = $2 and m.position > 0)))
"""
NEW = """
    insert into view_build (view, build, version, revision, source, state, served_at)
    select $1, coalesce(max(build), 0) + 1, $2, $3, $4, $5, case when $5 = 'serving' then clock_timestamp() end
      from view_build where view = $1 returning build, state
"""
REQUEST = """
    insert into view_build (view, build, version, revision, source, state)
    select s.view, (select max(build) from view_build where view = s.view) + row_number() over (order by s.build),
           s.version, s.revision, s.source, 'requested'
      from view_build s where s.view = $1 and s.state = 'serving'
    on conflict do nothing
"""
WANTING = """
    select revision from unnest($1::text[]) as own (revision)
     where exists (select from view_build b where b.revision = own.revision and b.state = 'requested')
        or not exists (select from view_build b where b.revision = own.revision and b.state in ('building', 'serving'))
"""
RETIRE = "update view_build set state = 'retired', retired_at = clock_timestamp() where view = $1 and build = $2"
RETIRE_NEXT = """
    update view_build set state = 'retired', retired_at = clock_timestamp()
     where revision = $1 and state in ('requested', 'building')
"""
RETIRE_ALL = """
    update view_build set state = 'retired', retired_at = clock_timestamp()
     where view = any($1::text[]) and state in ('serving', 'building')
"""
# Of other revisions than these, once nobody has folded them for long enough; where these are of the same projection,
# once they have served for as long. What no projection of this source is called any more was taken out of the release.
RETIRE_UNUSED = f"""
    update view_build b set state = 'retired', retired_at = clock_timestamp()
     where b.revision <> all($1::text[]) and b.state in ('requested', 'building', 'serving')
       and b.created_at < clock_timestamp() - {RETENTION}
       and (exists (select from view_build own where own.view = b.view and own.revision = any($1::text[])
                       and own.state = 'serving' and own.served_at < clock_timestamp() - {RETENTION})
            or (b.source = $2 and b.view <> all($3::text[])))
       and not exists (select from lease where name = b.revision and until > clock_timestamp() - {RETENTION})
    returning b.view, b.build, b.version
"""  # noqa: S608
BUILDING = "select from view_build where view = $1 and build = $2 and state = 'building' for update"
OTHERS = """
    select view, build, version, revision from view_build
     where view = $1 and source = $2 and state = 'serving' order by build for update
"""
# Whether readers of a projection are waiting for it: it has served, and does no more.
AWAITED = "select exists (select from view_build where view = $1 and served_at is not null)"
FORGET = "delete from view_build where view = $1 and build = $2"
STEP_BACK = "update view_build set state = 'building' where revision = $1 and state = 'serving'"
SERVE = """
    update view_build set state = 'serving', served_at = clock_timestamp()
     where view = $1 and build = $2 and state = 'building'
"""
STALLED = """
    select view, build from view_build
     where revision = any($1::text[]) and state = 'serving' and stalled_since is not null
"""
SAY_STALLED = """
    update view_build set stalled_since = case when $2 then coalesce(stalled_since, clock_timestamp()) end
     where view || '_' || build = $1 and (stalled_since is not null) <> $2
"""
OLD = f"""
    select view, build, revision from view_build
     where state = 'retired' and retired_at < clock_timestamp() - {GRACE}
       and (view = any($1::text[]) or (source = $2 and view <> all($3::text[])))
"""  # noqa: S608
LACKING = "select count(*) from parked_event where runner = $1 and position <= $2"
FORGET_LEASE = f"""
    delete from lease where name = $1 and until < clock_timestamp() - {RETENTION}
       and not exists (select from view_build where revision = $1 and state <> 'dropped')
"""  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One build of a projection, and how far it is."""

    projection: str
    build: int
    version: int
    revision: str
    source: Source
    state: State
    progress: Progress

    @property
    def position(self) -> int:
        """Up to where it holds everything."""
        return self.progress.position

    @property
    def schema(self) -> str:
        """The schema of its tables, which is also the name of its checkpoint and of what it parked."""
        return schema_of(self.projection, self.build)


def schema_of(projection: str, build: int) -> str:
    """The schema of a build."""
    return f"{projection}_{build}"


async def builds(pool: Pool, state: State, revisions: Collection[str]) -> list[Build]:
    """The builds of these revisions that are in a state, by the names of their projections."""
    return [_build(row) for row in await pool.fetch(CURRENT_REVISIONS, state, list(revisions))]


async def builds_of_projections(pool: Pool, state: State, projections: Collection[str]) -> list[Build]:
    """The builds of these projections that are in a state, of all revisions, by name and number."""
    return [_build(row) for row in await pool.fetch(CURRENT_PROJECTIONS, state, list(projections))]


async def request_rebuild(pool: Pool, projection: str) -> bool:
    """Ask for a fresh build of a projection beside the one that serves, in each revision that does; from any process.
    False when all are under way."""
    if await pool.fetchval("select 1 from view_build where view = $1 and state = 'serving'", projection) is None:
        raise LookupError(f"no projection {projection!r} serves in this database")
    return bool(await pool.execute(REQUEST, projection) != "INSERT 0 0")


async def prepare(pool: Pool, projection: Projection, company: Company) -> None:
    """Make sure that a build of the projection's present revision serves or is being built."""
    revision = revision_of(projection, company)
    async with pool.acquire() as connection, connection.transaction():
        # Two processes that start at once would both make the first build.
        await connection.execute("lock table view_build in share row exclusive mode")
        if await connection.fetchval(LEFT_BEHIND, revision):
            # What it would answer lies before what was answered already. It serves again once it has caught up.
            await connection.execute(RETIRE_NEXT, revision)
            await connection.execute(STEP_BACK, revision)
        own = {row["state"]: row["build"] for row in await connection.fetch(OWN, revision)}
        if "requested" in own:
            await connection.execute(FORGET, projection.name, own["requested"])
            await _make(
                connection,
                projection,
                revision,
                "building" if "serving" in own else await _first(connection, projection),
            )
        elif not own:
            await _make(connection, projection, revision, await _first(connection, projection))


async def start_over(connection: AnyConnection, projections: Sequence[Projection], company: Company) -> None:
    """Let nothing of these projections serve until they are built anew, in a transaction of the caller's: the log that
    they were folded from is no longer what it was, and an answer from some of it would be a wrong one."""
    await connection.execute("lock table view_build in share row exclusive mode")
    names = [projection.name for projection in projections]
    await connection.execute("delete from view_build where state = 'requested' and view = any($1::text[])", names)
    await connection.execute(RETIRE_ALL, names)
    for projection in projections:
        await _make(connection, projection, revision_of(projection, company), "building")


async def wanting(pool: Pool, revisions: Collection[str]) -> list[str]:
    """The revisions of which somebody has asked for a fresh build, or which have none (any more)."""
    return [row["revision"] for row in await pool.fetch(WANTING, list(revisions))]


async def switch(pool: Pool, new: Build, *, level: bool, nearly: bool = False) -> bool:
    """Let a build serve, instead of the one of its revision if there is one, once it is not behind any that serves and
    lacks no more than the one that it follows. False: not yet. All checkpoints are held meanwhile, so nothing moves
    between the comparison and the change.

    What serves for another release goes on serving there. `level` says that nothing is left to fold, which counts where
    nothing serves yet; `nearly` that nothing was left when its last page was read, which is enough where nothing serves
    any more: with traffic there is always something, and readers wait. The end of a journal that is being read again is
    none: the database leaves the build as it is.
    """
    async with pool.acquire() as connection, connection.transaction():
        if await connection.fetchrow(BUILDING, new.projection, new.build) is None:
            return False  # retired meanwhile
        others = await connection.fetch(OTHERS, new.projection, new.source)
        schemas = {row["revision"]: schema_of(row["view"], row["build"]) for row in others}
        held = await connection.fetch(checkpoints.LOCK, [new.schema, *schemas.values()])
        positions = {row["name"]: row["position"] for row in held}
        behind = any(positions[new.schema] < positions[schema] for schema in schemas.values())
        if behind:
            return False
        if not (others or level) and not (nearly and await connection.fetchval(AWAITED, new.projection)):
            return False
        # Whoever goes back to an older version does so in spite of what it lacks.
        before = {row["revision"]: schemas[row["revision"]] for row in others if row["version"] <= new.version}
        before = {new.revision: schemas[new.revision]} if new.revision in schemas else before
        if any([await _lacks_more(connection, new.schema, old, positions[old]) for old in before.values()]):
            return False
        for row in others:
            if row["revision"] == new.revision:
                await connection.execute(RETIRE, new.projection, row["build"])
        return bool(await connection.execute(SERVE, new.projection, new.build) == "UPDATE 1")


async def stalled(pool: Pool, revisions: Collection[str]) -> list[str]:
    """The builds of these revisions that stood still when they were led last, and had not caught up since, by their
    schemas."""
    return [schema_of(row["view"], row["build"]) for row in await pool.fetch(STALLED, list(revisions))]


async def say_stalled(pool: Pool, schema: str, is_stalled: bool) -> None:
    """Tell every process that a build stands still, or is in step again."""
    await pool.execute(SAY_STALLED, schema, is_stalled)


async def retire_unused(pool: Pool, revisions: Collection[str], source: Source, known: Collection[str]) -> None:
    """Retire what other releases have left of the projections of which these are the revisions here, and of those that
    are not among the `known` names of a source any more."""
    for row in await pool.fetch(RETIRE_UNUSED, list(revisions), source, list(known)):
        logger.info("projection-retired", projection=row["view"], build=row["build"], version=row["version"])


async def drop_old(pool: Pool, projections: Sequence[str], source: Source, known: Collection[str]) -> None:
    """Drop the tables of retired builds of these projections, and of those that are not among the `known` names of a
    source any more. One that is still read, by a back-up say, is left for later."""
    for row in await pool.fetch(OLD, list(projections), source, list(known)):
        try:
            await _drop(pool, row["view"], row["build"], row["revision"])
        except LockNotAvailableError:
            logger.info("projection-drop-postponed", projection=row["view"], build=row["build"])


async def _drop(pool: Pool, projection: str, build: int, revision: str) -> None:
    schema = schema_of(projection, build)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(f"drop schema if exists {schema} cascade")
        await connection.execute("delete from mark where name = $1", schema)
        await connection.execute("delete from parked_sequence where runner = $1", schema)
        await connection.execute(
            "update view_build set state = 'dropped' where view = $1 and build = $2", projection, build
        )
        await connection.execute(FORGET_LEASE, revision)


async def analyze(pool: Pool, schema: str) -> None:
    """Refresh the statistics of a build: on tables that have just grown, the planner's old ones cost a factor of 3."""
    async with pool.acquire() as connection:
        tables = await connection.fetch("select tablename from pg_tables where schemaname = $1", schema)
        for table in tables:
            await connection.execute(f'analyze {schema}."{table["tablename"]}"')


async def index(pool: Pool, projection: Projection, schema: str) -> None:
    """Make the indices that a build has not yet: what only readers need, which is sorted for a fraction of what it
    takes to keep it in order while all is folded. One that is broken off is made by whoever goes on."""
    for statement in projection.indices:
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("set local statement_timeout = 0")
            await connection.execute(placed(statement, {"view": schema}), timeout=INDEX_SECONDS)


async def _first(connection: AnyConnection, projection: Projection) -> State:
    return "serving" if await connection.fetchval(FIRST, projection.name, projection.source) else "building"


async def _make(connection: AnyConnection, projection: Projection, revision: str, state: State) -> None:
    made = await connection.fetchrow(NEW, projection.name, projection.version, revision, projection.source, state)
    assert made is not None
    schema = schema_of(projection.name, made["build"])
    await connection.execute(f"create schema {schema}")
    await connection.execute(placed(projection.ddl, {"view": schema}))
    if state == "serving":
        for statement in projection.indices:
            await connection.execute(placed(statement, {"view": schema}))
    await checkpoints.ensure(connection, schema)
    logger.info(
        "projection-made", projection=projection.name, build=made["build"], revision=revision, state=made["state"]
    )


async def _lacks_more(connection: AnyConnection, new: str, old: str, position: int) -> bool:
    """Whether more is parked of a new build than of an old one, of what the old one holds."""
    return bool(await connection.fetchval(LACKING, new, position) > await connection.fetchval(LACKING, old, position))


def _build(row: Record) -> Build:
    named = {name: row[name] for name in ("projection", "build", "version", "revision", "source", "state")}
    return Build(**named, progress=checkpoints.progress_of(row))
