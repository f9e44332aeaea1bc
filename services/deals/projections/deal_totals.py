"""Summary table, maintained incrementally: what open deals come to, by process, stage, currency, owner and team.

The fold of deals posts what each page of events changes. So the totals of a board cost the number of people and stages,
not of deals. What comes to nothing is not kept: the rows are the same however events were cut into pages.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from shared.events.envelope import Envelope
from shared.projections.projection import Apply, ProjectionDatabase
from shared.projections.tables import Table

DEAL_TOTALS = """
create table {view}.deal_total (
    process_id uuid not null, stage text not null, currency text not null, owner uuid, team uuid,
    count bigint not null, amount numeric not null, weighted numeric not null,
    unique nulls not distinct (process_id, stage, currency, owner, team)
);
"""

CONTRIBUTIONS = """
select process_id, stage, currency, owner, team, count(*) as count, sum(amount) as amount, sum(weighted) as weighted
  from {view}.deal where id = any($1) and status = 'open'
 group by process_id, stage, currency, owner, team
"""

POST = """
with posted as (
    insert into {view}.deal_total as known
    select * from json_populate_recordset(null::{view}.deal_total, $1)
        on conflict (process_id, stage, currency, owner, team) do update
       set count = known.count + excluded.count, amount = known.amount + excluded.amount,
           weighted = known.weighted + excluded.weighted
    returning known.ctid, known.count = 0 as gone
)
select array_agg(ctid) from posted where gone
"""

CLEAR = "delete from {view}.deal_total where ctid = any($1::tid[])"
"""Removes rows, told by where they stand: nobody has moved them since they were posted."""

KEY = ("process_id", "stage", "currency", "owner", "team")
NOTHING: Mapping[str, Any] = {"count": 0, "amount": Decimal(0), "weighted": Decimal(0)}

Totals = Mapping[tuple[Any, ...], Mapping[str, Any]]


def with_totals(deals: Table) -> Apply:
    """The fold of the deals that keeps their totals as well."""

    async def apply(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
        changed = list({event.aggregate_id for event in events})
        before = await _contributions(db, changed)
        await deals.apply(db, events)
        await _post(db, differences(before, await _contributions(db, changed)))

    return apply


def differences(before: Totals, after: Totals) -> list[dict[str, Any]]:
    """What is to be posted when some deals came to this before, and come to that now."""
    rows = []
    for key in dict.fromkeys((*before, *after)):
        come, gone = after.get(key, NOTHING), before.get(key, NOTHING)
        changes = {name: come[name] - gone[name] for name in NOTHING}
        if any(changes.values()):
            rows.append({**dict(zip(KEY, key, strict=True)), **changes})
    return rows


async def _contributions(db: ProjectionDatabase, ids: Sequence[Any]) -> Totals:
    rows = await db.fetch(CONTRIBUTIONS, ids)
    return {tuple(row[name] for name in KEY): dict(row) for row in rows}


async def _post(db: ProjectionDatabase, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows and (gone := await db.fetchval(POST, msgspec.json.encode(rows).decode())):
        await db.execute(CLEAR, gone)
