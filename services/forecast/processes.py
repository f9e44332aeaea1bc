"""The read model of sales processes: the stages in their order, for every published version (PROC-1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from shared.events.deals import ProcessPublished
from shared.events.envelope import Envelope
from shared.views.view import View, ViewDatabase

DDL = """
create table {view}.stage (
    process_id uuid not null, version integer not null, place integer not null, stage text not null, name text not null,
    probability numeric not null, max_days integer not null, primary key (process_id, version, place)
);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageName:
    """A stage as people call it, and its place in the funnel."""

    stage: str
    name: str
    place: int
    max_days: int


FACTS = (ProcessPublished,)


async def apply(db: ViewDatabase, events: Sequence[Envelope[Any]]) -> None:
    """A published version adds its stages; published versions never change."""
    rows = [
        (data.process_id, data.process_version, place, stage.key, stage.name, stage.probability, stage.max_days)
        for data in (event.data for event in events if isinstance(event.data, ProcessPublished))
        for place, stage in enumerate(data.definition.stages)
    ]
    await db.executemany("insert into {view}.stage values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing", rows)


VIEW = View(name="processes", version=1, ddl=DDL, apply=apply, source="journal", events=FACTS)


async def stage_names(db: ViewDatabase) -> list[StageName]:
    """The stages of all processes in funnel order: by place, then probability; the newest version names them."""
    rows = await db.fetch(
        """select distinct on (stage) stage, name, place, probability, max_days
             from {view}.stage order by stage, version desc, place"""
    )
    ordered = sorted(rows, key=lambda row: (Decimal(row["probability"]), row["place"], row["stage"]))
    return [
        StageName(stage=row["stage"], name=row["name"], place=place, max_days=row["max_days"])
        for place, row in enumerate(ordered)
    ]
