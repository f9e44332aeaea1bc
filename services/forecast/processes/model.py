"""The read model of sales processes: the stages in their order, for every published version (PROC-1)."""

from collections.abc import Sequence
from typing import Any

from shared.events.deals.process import ProcessPilotStarted, ProcessPublished
from shared.events.envelope import Envelope
from shared.projections.projection import Projection, ProjectionDatabase

DDL = """
create table {view}.stage (
    process_id uuid not null, version integer not null, place integer not null, process text not null,
    process_name text not null, stage text not null, name text not null, max_days integer not null,
    published_at timestamptz not null, known timestamptz not null,
    primary key (process_id, version, place)
);
"""

FACTS = (ProcessPilotStarted, ProcessPublished)


async def apply(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    """A version that deals follow adds its stages, from its pilot on or once it is published; it never changes."""
    rows = [
        (
            data.process_id,
            data.process_version,
            place,
            data.definition.key,
            data.definition.name,
            stage.key,
            stage.name,
            stage.max_days,
            event.occurred_at,
            event.recorded_at,
        )
        for event in events
        if isinstance(data := event.data, FACTS)
        for place, stage in enumerate(data.definition.stages)
    ]
    await db.executemany(
        "insert into {view}.stage values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing", rows
    )


PROJECTION = Projection(name="processes", version=4, ddl=DDL, apply=apply, source="journal", events=FACTS)
