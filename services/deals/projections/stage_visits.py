"""The list of stage visits, and the work that is open in them, of which agendas are made, too (PROC-1)."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from services.deals.domain.stage_visit import stage_visit
from shared.domain.aggregate import statuses
from shared.domain.roles import READING
from shared.events.deals.stage_visit import (
    StageVisitBegun,
    StageVisitDealChanged,
    StageVisitEnded,
    StageVisitHandedOver,
    StageVisitRuleFired,
    StageWorkCompleted,
)
from shared.events.definition import value, words
from shared.events.envelope import Envelope
from shared.events.process import CONTRACT_MILESTONES, LEAD_MILESTONES
from shared.projections.columns import BY_LANGUAGE, SEARCHED
from shared.projections.lists import Listing, equals, in_team, one_of, search
from shared.projections.projection import Projection
from shared.projections.tables import Row, Table

SUBJECTS = ("lead", "contract")


@value
class StageVisitRow:
    """A stage visit in the list."""

    id: UUID
    version: int
    status: Annotated[str, words(statuses(stage_visit))]
    subject: Annotated[str, words(SUBJECTS)]
    lead_id: UUID | None
    contract_id: UUID | None
    deal_id: UUID | None
    """Of a contract, its deal."""
    name: Annotated[str, BY_LANGUAGE, SEARCHED]
    """Of a lead what its company is called, else its domain, else where the interest came from; empty where that was
    not told. Of a contract what its deal is called."""
    account_id: UUID | None
    process_id: UUID
    process_version: int
    stage: str
    begins: Annotated[str, words((*LEAD_MILESTONES, *CONTRACT_MILESTONES))]
    """The fact by which the stage was entered."""
    begun_on: date
    ended_on: date | None
    owner: UUID | None
    team: UUID | None
    updated_at: datetime


@value
class StageWorkRow:
    """A task or deliverable that fell due in a visit, or was done there."""

    id: str
    version: int
    stage_visit_id: UUID
    kind: str
    key: str
    required: bool
    due: date | None
    is_open: bool
    updated_at: datetime


BEGUN = (
    "subject",
    "lead_id",
    "contract_id",
    "deal_id",
    "name",
    "account_id",
    "process_id",
    "process_version",
    "stage",
    "begins",
    "owner",
    "team",
)


def _begun(fact: Envelope[StageVisitBegun], row: Row) -> Row:
    told = {name: getattr(fact.data, name) for name in BEGUN}
    return {"status": "open", "begun_on": fact.data.on, **told}


def _keys(fact: Envelope[Any]) -> Iterator[str]:
    event = fact.data
    names = [event.key] if isinstance(event, StageWorkCompleted) else [node.key for node in event.nodes]
    return (f"{fact.aggregate_id}/{name}" for name in names)


def _fell_due(fact: Envelope[StageVisitBegun | StageVisitRuleFired], row: Row) -> Row:
    """What was done before stays as it is."""
    if row["kind"] is not None:
        return {}
    node = next(node for node in fact.data.nodes if row["id"] == f"{fact.aggregate_id}/{node.key}")
    told = {name: getattr(node, name) for name in ("kind", "key", "required", "due")}
    return {"stage_visit_id": fact.aggregate_id, "is_open": True, **told}


def _completed(fact: Envelope[StageWorkCompleted], row: Row) -> Row:
    told = {name: getattr(fact.data, name) for name in ("kind", "key", "required", "due")}
    return {"stage_visit_id": fact.aggregate_id, "is_open": False, **told}


STAGE_VISIT = Table(
    name="stage_visit",
    row=StageVisitRow,
    events=stage_visit.events,
    changes={
        StageVisitBegun: _begun,
        StageVisitEnded: lambda fact, _: {"status": "ended", "ended_on": fact.data.on},
        StageVisitDealChanged: lambda fact, _: {"name": fact.data.name, "account_id": fact.data.account_id},
        StageVisitHandedOver: lambda fact, _: {"owner": fact.data.owner, "team": fact.data.team},
    },
    indices=("(begun_on, id)", "(owner, status)", "(team, status)", "(lead_id)", "(deal_id)", "(contract_id)"),
)

STAGE_WORK = Table(
    name="stage_work",
    row=StageWorkRow,
    events=(StageVisitBegun, StageVisitRuleFired, StageWorkCompleted),
    keys=_keys,
    changes={StageVisitBegun: _fell_due, StageVisitRuleFired: _fell_due, StageWorkCompleted: _completed},
    indices=("(stage_visit_id) where is_open",),
)

STAGE_VISIT_PROJECTION = Projection(
    name="stage_visits",
    version=2,
    ddl=STAGE_VISIT.ddl,
    indices=STAGE_VISIT.index_ddl,
    apply=STAGE_VISIT.apply,
    events=tuple(STAGE_VISIT.events),
)

STAGE_WORK_PROJECTION = Projection(
    name="stage_work",
    version=1,
    ddl=STAGE_WORK.ddl,
    indices=STAGE_WORK.index_ddl,
    apply=STAGE_WORK.apply,
    events=tuple(STAGE_WORK.events),
)

STAGE_VISITS = Listing(
    name="stage-visits",
    projection=STAGE_VISIT_PROJECTION,
    table="stage_visit",
    item=StageVisitRow,
    key="id",
    filters={
        "status": one_of("status", statuses(stage_visit)),
        "subject": one_of("subject", SUBJECTS),
        "lead": equals("lead_id", UUID),
        "contract": equals("contract_id", UUID),
        "deal": equals("deal_id", UUID),
        "account": equals("account_id", UUID),
        "process": equals("process_id", UUID),
        "stage": equals("stage"),
        "owner": equals("owner", UUID),
        "team": in_team(),
        "q": search(),
    },
    sorts=("begun_on", "name"),
    default_sort="-begun_on",
    readers=READING,
)
