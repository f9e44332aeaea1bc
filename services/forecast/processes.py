"""The read model of sales processes: the stages in their order, for every published version (PROC-1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query

from shared.events.deals.process import ProcessPublished
from shared.events.envelope import Envelope
from shared.http.query_parameters import Id, Whole
from shared.projections.errors import InvalidQuery, invalid
from shared.projections.projection import Projection, ProjectionDatabase

DDL = """
create table {view}.stage (
    process_id uuid not null, version integer not null, place integer not null, process text not null,
    process_name text not null, stage text not null, name text not null, max_days integer not null,
    published_at timestamptz not null, known timestamptz not null,
    primary key (process_id, version, place)
);
"""

ProcessId = Annotated[Id | None, Query(description="Only deals of this process.")]
LARGEST_VERSION = 2**31 - 1
"""What a column of versions can hold."""
ProcessVersion = Annotated[
    Whole | None, Query(ge=1, le=LARGEST_VERSION, description="Only deals of this version of `process_id`.")
]

StageKey = tuple[UUID, int, str]
"""A stage: process, version, and its key there. Two processes may use the same key for different stages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage of a published version of a process, as people call it, and how long a deal may stay there."""

    process_id: UUID
    version: int
    process: str
    process_name: str
    stage: str
    name: str
    max_days: int
    published_at: datetime
    known: datetime
    """When it was recorded that the version was published."""

    @property
    def key(self) -> StageKey:
        """What tells it from every other stage."""
        return self.process_id, self.version, self.stage


FACTS = (ProcessPublished,)


async def apply(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    """A published version adds its stages; published versions never change."""
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
        if isinstance(data := event.data, ProcessPublished)
        for place, stage in enumerate(data.definition.stages)
    ]
    await db.executemany(
        "insert into {view}.stage values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing", rows
    )


PROJECTION = Projection(name="processes", version=3, ddl=DDL, apply=apply, source="journal", events=FACTS)

STAGES = """
select process_id, version, process, process_name, stage, name, max_days, published_at, known from {view}.stage
 order by process, process_id, version desc, place
"""


async def stages(db: ProjectionDatabase) -> list[Stage]:
    """The stages of every published version, process by process, the newest version first, in the process's order."""
    return [Stage(**row) for row in await db.fetch(STAGES)]


def check_process(process_id: UUID | None, version: int | None) -> None:
    """Refuse a version of no process: versions of two processes have nothing in common but the number."""
    if version is not None and process_id is None:
        sentence = "A version is one of a process: give process_id too."
        raise InvalidQuery([invalid("process_version", "without-process", sentence)])
