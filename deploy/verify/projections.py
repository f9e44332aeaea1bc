"""Comparing the projections of a service with fresh folds, and finding the event that one of them lost."""

import time
from collections.abc import Sequence

from asyncpg import Pool

from deploy.verify.comparing import Comparison, Difference
from deploy.verify.rows import Row, differing_rows, told
from shared.domain.context import Company
from shared.events.envelope import Envelope
from shared.eventstore.log import Log
from shared.following.dead_letters import described, is_environment
from shared.following.stored_events import concerns, readable
from shared.projections import builds
from shared.projections.audit import differences
from shared.projections.builds import Build
from shared.projections.projection import Projection, revision_of

MAX_TRIES = 40
TRY_SECONDS = 60.0
"""How long the lost event is looked for; each try folds the whole log once more."""
PARKED = "select count(*) from parked_event where runner = $1"
KEYS = """
    select c.relname as table,
           array_agg(a.attname::text order by array_position(i.indkey::smallint[], a.attnum)) as columns
      from pg_index i
      join pg_class c on c.oid = i.indrelid
      join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
     where i.indisprimary and c.relnamespace = $1::regnamespace
     group by c.relname
"""


async def compared(
    service: str, projection: Projection, *, pool: Pool, log: Log, company: Company, head: int
) -> Comparison:
    """Compare a projection; it should have come to `head` of its log."""
    where = f"projection {projection.name} of {service}"
    serving = await builds.builds_of_projections(pool, "serving", [projection.name])
    build = next((build for build in serving if build.revision == revision_of(projection, company)), None)
    if build is None or build.position < head:
        return Comparison(where=where, compared=0, differences=[_behind(where, projection, build, serving, head)])
    try:
        found = await differences(pool, log, projection, company)
    except Exception as error:  # whatever a fold raises on an event that was altered since it was folded
        if is_environment(error):
            raise
        sentence = f"It cannot be folded any more: {described(error)}"
        return Comparison(
            where=where, compared=0, differences=[Difference(where=where, what="altered", sentence=sentence)]
        )
    parked = await pool.fetchval(PARKED, build.schema)
    note = f"{parked} events are parked" if parked else ""
    if not found:
        return Comparison(where=where, compared=build.position, note=note)
    keys = {row["table"]: row["columns"] for row in await pool.fetch(KEYS, build.schema)}
    rows = differing_rows(found, keys)
    candidates = await _candidates(pool, log, projection, rows, build.position)
    lost = await _lost(pool, log, projection, company, candidates)
    return Comparison(
        where=where,
        compared=build.position,
        differences=[_difference(where, row, lost, candidates) for row in rows],
        note=note,
    )


def _behind(where: str, projection: Projection, build: Build | None, serving: Sequence[Build], head: int) -> Difference:
    if build is not None:
        sentence = f"It has come to {build.position}, and its log to {head}."
    elif not serving:
        sentence = "It does not serve: it was never built, or is being built because its journal is read again."
    elif serving[-1].version != projection.version:
        sentence = f"Version {serving[-1].version} serves, and version {projection.version} is not built yet."
    else:
        sentence = (
            f"Version {projection.version} serves with other tables, event types or settings of the company"
            " (COMPANY_CURRENCY, COMPANY_TIMEZONE) than here."
        )
    return Difference(where=where, what="behind", sentence=sentence)


async def _candidates(
    pool: Pool, log: Log, projection: Projection, rows: Sequence[Row], upto: int
) -> list[Envelope[object]]:
    """The events that may have been lost: those that the projection folds of every aggregate that a differing row
    names."""
    ids = list(dict.fromkeys(found for row in rows for found in row.ids))
    async with pool.acquire() as connection:
        history = await log.history(connection, ids, upto)
    return readable(entry for entry in history if concerns(entry, projection.types))


async def _lost(
    pool: Pool, log: Log, projection: Projection, company: Company, candidates: Sequence[Envelope[object]]
) -> Envelope[object] | None:
    """The one event without which a fresh fold is what is served."""
    until = time.monotonic() + TRY_SECONDS
    for event in reversed(candidates[-MAX_TRIES:]):
        if time.monotonic() > until:
            return None
        try:
            without = await differences(pool, log, projection, company, leave_out=[event.position])
        except Exception as error:  # a fold may fail on what follows an event that it was not given
            if is_environment(error):
                raise
            continue
        if not without:
            return event
    return None


def _difference(
    where: str, row: Row, lost: Envelope[object] | None, candidates: Sequence[Envelope[object]]
) -> Difference:
    """A row with the lost event, or else with the newest event of the first aggregate that it names; a sum over many
    names none, and is told with the only aggregate that any row names."""
    event, sentence = lost, f"{told(row)} This event was not folded."
    if event is None:
        own = [[event for event in candidates if event.aggregate_id == found] for found in row.ids]
        only = candidates if len({event.aggregate_id for event in candidates}) == 1 else []
        event = next((events[-1] for events in (*own, only) if events), None)
        sentence = f"{told(row)} This is the newest event behind it." if event else told(row)
    if event is None:
        return Difference(where=where, what=row.what, sentence=sentence)
    return Difference(
        where=where,
        what=row.what,
        sentence=sentence,
        service=event.service,
        aggregate=event.aggregate,
        aggregate_id=event.aggregate_id,
        event_id=event.id,
        position=event.source_position,
    )
