"""The list of remarks: what people say of the steps of processes."""

from datetime import date, datetime
from typing import Annotated, get_args
from uuid import UUID

from services.deals.domain.process_remark import RemarkKind, SaidBy, process_remark
from shared.domain.aggregate import statuses
from shared.domain.roles import READING
from shared.events.deals.process_remark import ProcessRemarkNoted
from shared.events.definition import value, words
from shared.events.envelope import Envelope
from shared.projections.lists import Listing, at_least, at_most, equals, in_team, one_of
from shared.projections.projection import Projection
from shared.projections.tables import Row, Table


@value
class ProcessRemarkRow:
    """A remark in the list."""

    id: UUID
    version: int
    status: Annotated[str, words(statuses(process_remark))]
    process_id: UUID
    process_version: int
    stage: str
    task: str | None
    deal_id: UUID | None
    said_by: SaidBy
    kind: RemarkKind
    severity: int
    """From 1, a nuisance, to 3, it costs deals."""
    noted_on: date
    owner: UUID | None
    """The member who noted it."""
    team: UUID | None
    updated_at: datetime


def _noted(fact: Envelope[ProcessRemarkNoted], row: Row) -> Row:
    names = (
        "process_id",
        "process_version",
        "stage",
        "task",
        "deal_id",
        "said_by",
        "kind",
        "severity",
        "owner",
        "team",
    )
    return {"status": "noted", "noted_on": fact.data.on, **{name: getattr(fact.data, name) for name in names}}


PROCESS_REMARK = Table(
    name="process_remark",
    row=ProcessRemarkRow,
    events=process_remark.events,
    changes={ProcessRemarkNoted: _noted},
    indices=("(noted_on, id)", "(process_id, process_version, stage)", "(owner)", "(team)"),
)

PROCESS_REMARK_PROJECTION = Projection(
    name="process_remarks",
    version=1,
    ddl=PROCESS_REMARK.ddl,
    indices=PROCESS_REMARK.index_ddl,
    apply=PROCESS_REMARK.apply,
    events=tuple(PROCESS_REMARK.events),
)

PROCESS_REMARKS = Listing(
    name="process-remarks",
    projection=PROCESS_REMARK_PROJECTION,
    table="process_remark",
    item=ProcessRemarkRow,
    key="id",
    filters={
        "process": equals("process_id", UUID),
        "process_version": equals("process_version", int),
        "stage": equals("stage"),
        "task": equals("task"),
        "deal": equals("deal_id", UUID),
        "kind": one_of("kind", get_args(RemarkKind)),
        "said_by": one_of("said_by", get_args(SaidBy)),
        "severity": equals("severity", int),
        "noted_from": at_least("noted_on", date),
        "noted_to": at_most("noted_on", date),
        "owner": equals("owner", UUID),
        "team": in_team(),
    },
    sorts=("noted_on", "severity"),
    default_sort="-noted_on",
    readers=READING,
)
