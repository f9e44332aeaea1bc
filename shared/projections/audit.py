"""Audit of a projection against a fresh fold of its log: proof that nothing was skipped, doubled or altered (OPS-3).

Everything happens in one transaction that is rolled back: its snapshot holds the serving rows with their checkpoint
still, the fresh tables exist for it alone, and nothing is left behind.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from asyncpg import Pool

from shared.domain.context import Company
from shared.eventstore.log import Log
from shared.eventstore.pool import AnyConnection
from shared.following.stored_events import concerns, envelope_of, readable
from shared.projections.builds import schema_of
from shared.projections.projection import Projection, ProjectionDatabase, revision_of
from shared.projections.read_snapshot import SERVING, NotBuilt

PAGE = 5000
MAX_ROWS = 100
SECONDS = 3600

UNHURRIED = "set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0"
PARKED = "select position from parked_event where runner = $1"
TABLES = "select tablename from pg_tables where schemaname = $1 order by tablename"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A row that only one of the two has, as JSON text."""

    table: str
    row: str
    served: bool
    """True: it is served, and a fresh fold does not have it. False: it is missing."""


async def differences(
    pool: Pool, log: Log, projection: Projection, company: Company, *, leave_out: Collection[int] = ()
) -> list[Difference]:
    """Fold the log up to the checkpoint of the serving build and compare every table; at most 100 rows of each.

    Parked events are left out on both sides. `leave_out` names positions that the fresh fold skips: when two folds
    differ, the event whose omission makes them equal is the one that was lost.
    """
    async with pool.acquire() as connection:
        transaction = connection.transaction(isolation="repeatable_read")
        await transaction.start()
        try:
            await connection.execute(UNHURRIED)
            served = await connection.fetchrow(SERVING, [revision_of(projection, company)])
            if served is None:
                raise NotBuilt(f"not built in this release: {projection.name}")
            schema = schema_of(projection.name, served["build"])
            fresh = f"{projection.name}_compared"
            await connection.execute(f"create schema {fresh}")
            await connection.execute(projection.ddl.replace("{view}", fresh))
            without = {*leave_out, *(row["position"] for row in await connection.fetch(PARKED, schema))}
            db = ProjectionDatabase(connection, {"view": fresh}, log=log, company=company, position=0)
            await _fold(db, log, projection, until=served["position"], without=without)
            return await _compared(connection, schema, fresh)
        finally:
            await transaction.rollback()


async def _fold(
    db: ProjectionDatabase, log: Log, projection: Projection, *, until: int, without: Collection[int]
) -> None:
    position = 0
    while position < until:
        page = await log.read(position, PAGE)
        wanted = [entry for entry in page.events if concerns(entry, projection.types)]
        places = [(envelope_of(entry).position, entry) for entry in wanted]
        events = readable([entry for place, entry in places if place <= until and place not in without])
        if events:
            db.position = events[-1].position
            await projection.apply(db, events)
        if page.upto == position:  # the log ends before the checkpoint: what the projection has beyond that will differ
            return
        position = page.upto


async def _compared(connection: AnyConnection, served: str, fresh: str) -> list[Difference]:
    found: list[Difference] = []
    for table in [row["tablename"] for row in await connection.fetch(TABLES, served)]:
        for one, other, is_served in ((served, fresh, True), (fresh, served, False)):
            rows = await connection.fetch(_only_in(one, other, table), timeout=SECONDS)
            found += [Difference(table=table, row=row["row"], served=is_served) for row in rows]
    return found


def _only_in(one: str, other: str, table: str) -> str:
    """Rows as JSON, so that columns of any type can be compared and 1.0 is 1.00; equal rows count as often as they are
    there."""
    rows: Sequence[str] = [f'select to_jsonb(t) as row from {schema}."{table}" t' for schema in (one, other)]  # noqa: S608
    return f"select row::text from ({rows[0]} except all {rows[1]}) as one_sided order by 1 limit {MAX_ROWS}"  # noqa: S608
