"""The list of suggestions how processes could be better, and of whose were adopted by which version."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from services.deals.domain.process_suggestion import process_suggestion
from shared.domain.aggregate import statuses
from shared.domain.roles import EVERYBODY
from shared.events.deals.process_suggestion import (
    ProcessChangeSuggested,
    ProcessSuggestionAccepted,
    ProcessSuggestionAdopted,
    ProcessSuggestionDeclined,
)
from shared.events.definition import value, words
from shared.events.envelope import Envelope
from shared.projections.columns import BY_LANGUAGE, SEARCHED
from shared.projections.lists import Listing, equals, in_team, one_of, search
from shared.projections.projection import Projection
from shared.projections.tables import Row, Table


@value
class ProcessSuggestionRow:
    """A suggestion in the list."""

    id: UUID
    version: int
    status: Annotated[str, words(statuses(process_suggestion))]
    name: Annotated[str, BY_LANGUAGE, SEARCHED]
    process_id: UUID
    process_version: int
    """The version that it is about."""
    stage: str | None
    task: str | None
    remark_id: UUID | None
    """The remark that it came from."""
    remark_by: UUID | None
    """The member who had noted that."""
    suggested_on: date
    decided_on: date | None
    """The day on which it was accepted or declined last."""
    adopted_by: int | None
    """The version of the process that has it."""
    owner: UUID | None
    """Its author."""
    team: UUID | None
    updated_at: datetime


def _suggested(fact: Envelope[ProcessChangeSuggested], row: Row) -> Row:
    names = ("name", "process_id", "process_version", "stage", "task", "remark_id", "remark_by", "owner", "team")
    return {"status": "proposed", "suggested_on": fact.data.on, **{name: getattr(fact.data, name) for name in names}}


PROCESS_SUGGESTION = Table(
    name="process_suggestion",
    row=ProcessSuggestionRow,
    events=process_suggestion.events,
    changes={
        ProcessChangeSuggested: _suggested,
        ProcessSuggestionAccepted: lambda fact, _: {"status": "accepted", "decided_on": fact.data.on},
        ProcessSuggestionDeclined: lambda fact, _: {"status": "declined", "decided_on": fact.data.on},
        ProcessSuggestionAdopted: lambda fact, _: {"status": "adopted", "adopted_by": fact.data.adopted_by},
    },
    indices=("(suggested_on, id)", "(process_id, status)", "(owner)"),
)

PROCESS_SUGGESTION_PROJECTION = Projection(
    name="process_suggestions",
    version=1,
    ddl=PROCESS_SUGGESTION.ddl,
    indices=PROCESS_SUGGESTION.index_ddl,
    apply=PROCESS_SUGGESTION.apply,
    events=tuple(PROCESS_SUGGESTION.events),
)

PROCESS_SUGGESTIONS = Listing(
    name="process-suggestions",
    projection=PROCESS_SUGGESTION_PROJECTION,
    table="process_suggestion",
    item=ProcessSuggestionRow,
    key="id",
    filters={
        "status": one_of("status", statuses(process_suggestion)),
        "process": equals("process_id", UUID),
        "process_version": equals("process_version", int),
        "stage": equals("stage"),
        "task": equals("task"),
        "remark": equals("remark_id", UUID),
        "adopted_by": equals("adopted_by", int),
        "owner": equals("owner", UUID),
        "team": in_team(),
        "q": search(),
    },
    sorts=("suggested_on", "name"),
    default_sort="-suggested_on",
    readers=EVERYBODY,
)
