"""The list of measures: who does what up to when, and for which figure."""

from datetime import date, datetime
from typing import Annotated, get_args
from uuid import UUID

from services.forecast.domain.measure import measure
from shared.domain.aggregate import statuses
from shared.domain.roles import EVERYBODY
from shared.events.definition import value, words
from shared.events.envelope import Envelope
from shared.events.forecast.measure import (
    MeasureChanged,
    MeasureDone,
    MeasureDropped,
    MeasureOverdue,
    MeasureTaken,
)
from shared.events.forecast.policy import MetricName
from shared.projections.lists import Listing, at_least, at_most, equals, one_of
from shared.projections.projection import Projection
from shared.projections.tables import Row, Table


@value
class MeasureRow:
    """A measure in the list."""

    id: UUID
    version: int
    responsible: UUID
    due: date
    figure: MetricName
    """Which figure of the reports it is to move."""
    status: Annotated[str, words(statuses(measure))]
    is_overdue: bool
    review_id: UUID | None
    """The review that it follows from."""
    done_on: date | None
    updated_at: datetime


def _taken(fact: Envelope[MeasureTaken], row: Row) -> Row:
    event = fact.data
    return {
        "responsible": event.responsible,
        "due": event.due,
        "figure": event.figure,
        "status": "open",
        "is_overdue": False,
        "review_id": event.review_id,
    }


def _changed(fact: Envelope[MeasureChanged], row: Row) -> Row:
    event = fact.data
    moved = {"is_overdue": False} if event.was_overdue else {}
    return {"responsible": event.responsible, "due": event.due, **moved}


MEASURE = Table(
    name="measure",
    row=MeasureRow,
    events=measure.events,
    changes={
        MeasureTaken: _taken,
        MeasureChanged: _changed,
        MeasureOverdue: lambda *_: {"is_overdue": True},
        MeasureDone: lambda fact, _: {"status": "done", "done_on": fact.data.on},
        MeasureDropped: lambda *_: {"status": "dropped"},
    },
)

MEASURE_PROJECTION = Projection(
    name="measures",
    version=1,
    ddl=MEASURE.ddl,
    indices=MEASURE.index_ddl,
    apply=MEASURE.apply,
    events=tuple(MEASURE.events),
)

MEASURES = Listing(
    name="measures",
    projection=MEASURE_PROJECTION,
    table="measure",
    item=MeasureRow,
    key="id",
    filters={
        "status": one_of("status", statuses(measure)),
        "figure": one_of("figure", get_args(MetricName)),
        "responsible": equals("responsible", UUID),
        "review": equals("review_id", UUID),
        "overdue": equals("is_overdue", bool),
        "due_from": at_least("due", date),
        "due_to": at_most("due", date),
    },
    sorts=("due",),
    default_sort="due",
    readers=EVERYBODY,
    owner=None,
    team=None,
)
