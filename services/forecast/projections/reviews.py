"""The list of reviews: reports on the health of periods, and talks about them."""

from datetime import date, datetime
from typing import Annotated, get_args
from uuid import UUID

from services.forecast.domain.review import REPORTS, REVIEWERS, review
from shared.domain.aggregate import statuses
from shared.events.definition import value, words
from shared.events.envelope import Envelope
from shared.events.forecast.review import HealthReportSealed, ReviewHeld, ReviewKind, ReviewMissed, ReviewOpened
from shared.projections.lists import Listing, at_least, at_most, one_of
from shared.projections.projection import Projection
from shared.projections.tables import Row, Table


@value
class ReviewRow:
    """A review in the list."""

    id: UUID
    version: int
    kind: ReviewKind
    period: str
    """A month, quarter or half of a fiscal year: 2026-03, 2026-Q1, 2026-H1."""
    status: Annotated[str, words(statuses(review))]
    due: date
    """The day up to which it is to be: of a report the day after the period."""
    held_on: date | None
    abnormal_stages: int | None
    """How many stages a sealed report calls abnormal."""
    updated_at: datetime


def _opened(fact: Envelope[ReviewOpened], row: Row) -> Row:
    event = fact.data
    status = "awaited" if event.kind in REPORTS else "due"
    return {"kind": event.kind, "period": event.period, "status": status, "due": event.due}


def _sealed(fact: Envelope[HealthReportSealed], row: Row) -> Row:
    return {"status": "sealed", "abnormal_stages": sum(each.abnormal for each in fact.data.report.stages)}


REVIEW = Table(
    name="review",
    row=ReviewRow,
    events=review.events,
    changes={
        ReviewOpened: _opened,
        HealthReportSealed: _sealed,
        ReviewMissed: lambda *_: {"status": "missed"},
        ReviewHeld: lambda fact, _: {"status": "held", "held_on": fact.data.on},
    },
)

REVIEW_PROJECTION = Projection(
    name="reviews",
    version=1,
    ddl=REVIEW.ddl,
    indices=REVIEW.index_ddl,
    apply=REVIEW.apply,
    events=tuple(REVIEW.events),
)

REVIEWS = Listing(
    name="reviews",
    projection=REVIEW_PROJECTION,
    table="review",
    item=ReviewRow,
    key="id",
    filters={
        "kind": one_of("kind", get_args(ReviewKind)),
        "status": one_of("status", statuses(review)),
        "due_from": at_least("due", date),
        "due_to": at_most("due", date),
    },
    sorts=("due", "period"),
    default_sort="-due",
    readers=REVIEWERS,
    owner=None,
    team=None,
)
