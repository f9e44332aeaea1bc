"""The read model of targets: what was to be reached, as set at any instant (PROC-4)."""

from collections.abc import Sequence
from typing import Any

from shared.events.deals.target import TargetFactRetracted, TargetNumberSet, TargetSet
from shared.events.envelope import Envelope
from shared.projections.projection import Projection, ProjectionDatabase

DDL = """
create table {view}.target (
    target_id uuid not null, sequence bigint not null, period text not null, kind text not null, level text not null,
    amount numeric not null, team uuid, member uuid, set_at timestamptz not null, known timestamptz not null, fact text,
    request uuid not null, retracted timestamptz, primary key (target_id, sequence)
);
"""

FACTS = (TargetSet, TargetNumberSet)


async def apply(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    """Every setting is kept, also what was taken back, so that a past question meets the target of its time."""
    rows = [
        (
            data.target_id,
            event.sequence,
            data.period,
            data.kind,
            data.level,
            data.amount.amount if isinstance(data, TargetSet) else data.number,
            data.team,
            data.member,
            event.occurred_at,
            event.recorded_at,
            event.fact,
            event.causation_id,
        )
        for event in events
        if isinstance(data := event.data, FACTS)
    ]
    await db.executemany(
        "insert into {view}.target values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict do nothing",
        rows,
    )
    await db.executemany(
        "update {view}.target set retracted = $3 where (target_id, request) = ($1, $2)",
        [
            (event.aggregate_id, event.data.request, event.recorded_at)
            for event in events
            if isinstance(event.data, TargetFactRetracted)
        ],
    )


PROJECTION = Projection(name="targets", version=4, ddl=DDL, apply=apply, source="journal", events=FACTS)
