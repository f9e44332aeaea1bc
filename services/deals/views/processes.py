"""The list of processes, each as its version in force has it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.domain.roles import EVERYBODY
from shared.events import deals
from shared.events.definition import value
from shared.events.envelope import Envelope
from shared.views.lists import Listing, equals
from shared.views.view import View, ViewDatabase

DDL = """
create table {view}.process (
    id uuid primary key, version bigint not null, key text not null, name text not null, stages text[] not null,
    published_at timestamptz not null
);
"""

WRITE = """
insert into {view}.process values ($1, $2, $3, $4, $5, $6)
on conflict (id) do update set version = excluded.version, name = excluded.name, stages = excluded.stages,
    published_at = excluded.published_at
"""


@value
class ProcessRow:
    """A process in the list, as its version in force has it."""

    id: UUID
    version: int
    """The version in force for new deals."""
    key: str
    name: str
    stages: list[str]
    """The keys of its stages, in order."""
    published_at: datetime


async def apply(db: ViewDatabase, events: Sequence[Envelope[Any]]) -> None:
    """The last published version counts."""
    rows = {
        fact.aggregate_id: (
            fact.aggregate_id,
            fact.data.process_version,
            fact.data.definition.key,
            fact.data.definition.name,
            [stage.key for stage in fact.data.definition.stages],
            fact.occurred_at,
        )
        for fact in events
    }
    await db.executemany(WRITE, rows.values())


PROCESS_VIEW = View(name="processes", version=1, ddl=DDL, apply=apply, events=(deals.ProcessPublished,))

PROCESSES = Listing(
    name="processes",
    view=PROCESS_VIEW,
    table="process",
    item=ProcessRow,
    key="id",
    filters={"key": equals("key")},
    sorts=("key", "published_at"),
    default_sort="key",
    readers=EVERYBODY,
    owner=None,
    team=None,
)
