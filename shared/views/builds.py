"""Builds of views: each in a schema of its own, one serving, at most one being built beside it.

requested → building → serving → retired → dropped. The first build of a view serves at once; a reader sees by its
position how far it is. A retired build stays for a minute, so that whoever was about to read it still can.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import structlog
from asyncpg import LockNotAvailableError, Pool, Record

from shared.views import marks
from shared.views.view import AnyConnection, Source, View

logger = structlog.get_logger(__name__)

State = Literal["requested", "building", "serving", "retired", "dropped"]

GRACE = "interval '60 seconds'"

CURRENT = """
    select b.view, b.build, b.version, b.source, b.state, m.position
      from view_build b join mark m on m.name = b.view || '_' || b.build
     where b.state = $1 and b.view = any($2::text[]) order by b.view
"""
NEXT = "select build, version, state from view_build where view = $1 and state in ('requested', 'building')"
NEW = """
    insert into view_build (view, build, version, source, state)
    select $1, coalesce(max(build), 0) + 1, $2, $3, $4 from view_build where view = $1 returning build
"""
REQUEST = """
    insert into view_build (view, build, version, source, state)
    select s.view, (select max(build) + 1 from view_build where view = s.view), s.version, s.source, 'requested'
      from view_build s where s.view = $1 and s.state = 'serving'
    on conflict do nothing
"""
RETIRE = "update view_build set state = 'retired', retired_at = clock_timestamp() where view = $1 and build = $2"
RETIRE_ALL = """
    update view_build set state = 'retired', retired_at = clock_timestamp()
     where view = any($1::text[]) and state in ('serving', 'building')
"""
BUILDING = "select from view_build where view = $1 and build = $2 and state = 'building' for update"
FORGET = "delete from view_build where view = $1 and build = $2"
SERVE = """
    update view_build set state = 'serving', served_at = clock_timestamp()
     where view = $1 and build = $2 and state = 'building'
"""
OLD = f"""
    select view, build from view_build
     where state = 'retired' and view = any($1::text[]) and retired_at < clock_timestamp() - {GRACE}
"""  # noqa: S608
LACKING = "select runner, count(*) as events from parked_event where runner = any($1::text[]) group by runner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One build of a view, and how far it is."""

    view: str
    build: int
    version: int
    source: Source
    state: State
    position: int

    @property
    def schema(self) -> str:
        """The schema of its tables, which is also the name of its mark and of what it parked."""
        return schema_of(self.view, self.build)


def schema_of(view: str, build: int) -> str:
    """The schema of a build."""
    return f"{view}_{build}"


async def builds(pool: Pool, state: State, views: Sequence[str]) -> list[Build]:
    """The builds of these views that are in a state, by name."""
    return [_build(row) for row in await pool.fetch(CURRENT, state, list(views))]


async def request_rebuild(pool: Pool, view: str) -> bool:
    """Ask for a fresh build of a view beside the one that serves; from any process. False when one is under way."""
    if await pool.fetchval("select 1 from view_build where view = $1 and state = 'serving'", view) is None:
        raise LookupError(f"no view {view!r} serves in this database")
    return bool(await pool.execute(REQUEST, view) == "INSERT 0 1")


async def prepare(pool: Pool, view: View) -> None:
    """Make sure that a build of the view serves, and that one of its present version serves or is being built."""
    async with pool.acquire() as connection, connection.transaction():
        # Two processes that start at once would both make the first build.
        await connection.execute("lock table view_build in share row exclusive mode")
        serving = await connection.fetchval(
            "select version from view_build where view = $1 and state = 'serving'", view.name
        )
        if serving is None:
            await _make(connection, view, "serving")
            return
        following = await connection.fetchrow(NEXT, view.name)
        if following is not None and (following["state"], following["version"]) == ("building", view.version):
            return
        asked = following is not None and following["state"] == "requested"
        if following is not None:
            await connection.execute(FORGET if asked else RETIRE, view.name, following["build"])
        if asked or serving != view.version:
            await _make(connection, view, "building")


async def start_over(connection: AnyConnection, views: Sequence[View]) -> None:
    """Let an empty build of each view serve at once, in a transaction of the caller's: the log that they were folded
    from is no longer what it was. As with the first build, a reader sees by its position how far it is."""
    await connection.execute("lock table view_build in share row exclusive mode")
    names = [view.name for view in views]
    await connection.execute("delete from view_build where state = 'requested' and view = any($1::text[])", names)
    await connection.execute(RETIRE_ALL, names)
    for view in views:
        await _make(connection, view, "serving")


async def requested(pool: Pool, views: Sequence[str]) -> list[str]:
    """The views of which somebody has asked for a fresh build."""
    rows = await pool.fetch("select view from view_build where state = 'requested' and view = any($1::text[])", views)
    return [row["view"] for row in rows]


async def switch(pool: Pool, new: Build) -> bool:
    """Let a build serve instead of the one that does, once it is not behind it and lacks no more than it. False: not
    yet. Both marks are held meanwhile, so nothing moves between the comparison and the change."""
    async with pool.acquire() as connection, connection.transaction():
        if await connection.fetchrow(BUILDING, new.view, new.build) is None:
            return False  # retired meanwhile
        old = await connection.fetchval(
            "select build from view_build where view = $1 and state = 'serving' for update", new.view
        )
        serving = schema_of(new.view, old)
        positions = {row["name"]: row["position"] for row in await connection.fetch(marks.LOCK, [new.schema, serving])}
        if positions[new.schema] < positions[serving] or await _lacks_more(connection, new.schema, serving):
            return False
        await connection.execute(RETIRE, new.view, old)
        return bool(await connection.execute(SERVE, new.view, new.build) == "UPDATE 1")


async def drop_old(pool: Pool, views: Sequence[str]) -> None:
    """Drop the tables of retired builds. One that is still read, by a back-up say, is left for later."""
    for row in await pool.fetch(OLD, list(views)):
        try:
            await _drop(pool, row["view"], row["build"])
        except LockNotAvailableError:
            logger.info("view-drop-postponed", view=row["view"], build=row["build"])


async def _drop(pool: Pool, view: str, build: int) -> None:
    schema = schema_of(view, build)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(f"drop schema if exists {schema} cascade")
        await connection.execute("delete from mark where name = $1", schema)
        await connection.execute("delete from parked_sequence where runner = $1", schema)
        await connection.execute("update view_build set state = 'dropped' where view = $1 and build = $2", view, build)


async def analyze(pool: Pool, schema: str) -> None:
    """Refresh the statistics of a build: on tables that have just grown, the planner's old ones cost a factor of 3."""
    async with pool.acquire() as connection:
        tables = await connection.fetch("select tablename from pg_tables where schemaname = $1", schema)
        for table in tables:
            await connection.execute(f'analyze {schema}."{table["tablename"]}"')


async def _make(connection: AnyConnection, view: View, state: State) -> None:
    build = await connection.fetchval(NEW, view.name, view.version, view.source, state)
    schema = schema_of(view.name, build)
    await connection.execute(f"create schema {schema}")
    await connection.execute(view.ddl.replace("{view}", schema))
    await marks.ensure(connection, schema)


async def _lacks_more(connection: AnyConnection, new: str, old: str) -> bool:
    rows = await connection.fetch(LACKING, [new, old])
    lacking = {row["runner"]: int(row["events"]) for row in rows}
    return lacking.get(new, 0) > lacking.get(old, 0)


def _build(row: Record) -> Build:
    return Build(**dict(row))
