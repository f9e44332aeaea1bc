"""The list of processes, each as its version in force has it."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from services.deals.domain.process import process
from shared.domain.aggregate import statuses
from shared.domain.roles import EVERYBODY
from shared.events.deals.process import (
    ProcessDraftDiscarded,
    ProcessDrafted,
    ProcessPilotEnded,
    ProcessPilotStarted,
    ProcessPublished,
    ProcessRetired,
)
from shared.events.definition import value, words
from shared.events.envelope import Envelope
from shared.projections.lists import Listing, equals, one_of
from shared.projections.projection import Projection
from shared.projections.tables import Row, Table


@value
class ProcessRow:
    """A process in the list, as its version in force has it, or as long as there is none, its pilot or draft."""

    id: UUID
    version: int
    status: Annotated[str, words(statuses(process))]
    in_force: int | None
    """The version of the process that was published last; none of a draft, and while its first version is on trial."""
    key: str
    name: str
    stages: list[str]
    """The keys of the stages that deals stand in, in order."""
    draft: bool
    """Whether a further version is being drafted."""
    pilot: int | None
    """The version that is on trial."""
    published_at: datetime | None
    updated_at: datetime


def _described(fact: Envelope[Any]) -> Row:
    told = fact.data.definition
    return {"key": told.key, "name": told.name, "stages": [stage.key for stage in told.stages]}


def _drafted(fact: Envelope[ProcessDrafted], row: Row) -> Row:
    if row["status"] is None or row["status"] == "draft":
        return {"status": "draft", "draft": True, **_described(fact)}
    return {"draft": True}


def _pilot_started(fact: Envelope[ProcessPilotStarted], row: Row) -> Row:
    described = _described(fact) if row["in_force"] is None else {}
    status = "piloted" if row["in_force"] is None else row["status"]
    return {"status": status, "draft": False, "pilot": fact.data.process_version, **described}


def _published(fact: Envelope[ProcessPublished], row: Row) -> Row:
    return {
        "status": "published",
        "in_force": fact.data.process_version,
        "draft": bool(row["draft"]) and not fact.data.from_draft,
        "published_at": fact.occurred_at,
        **_described(fact),
    }


PROCESS = Table(
    name="process",
    row=ProcessRow,
    events=process.events,
    changes={
        ProcessDrafted: _drafted,
        ProcessDraftDiscarded: lambda *_: {"draft": False},
        ProcessPilotStarted: _pilot_started,
        ProcessPilotEnded: lambda *_: {"pilot": None},
        ProcessPublished: _published,
        ProcessRetired: lambda *_: {"status": "retired", "draft": False, "pilot": None},
    },
)

PROCESS_PROJECTION = Projection(
    name="processes",
    version=5,
    ddl=PROCESS.ddl,
    indices=PROCESS.index_ddl,
    apply=PROCESS.apply,
    events=tuple(PROCESS.events),
)

PROCESSES = Listing(
    name="processes",
    projection=PROCESS_PROJECTION,
    table="process",
    item=ProcessRow,
    key="id",
    filters={"key": equals("key"), "status": one_of("status", statuses(process))},
    sorts=("key", "published_at"),
    default_sort="key",
    readers=EVERYBODY,
    owner=None,
    team=None,
)
