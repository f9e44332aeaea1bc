"""The read model of visits: which were held when, by whom and for which team (PROC-4, DEAL-6, LEAD-7).

Append-only but for when something was taken back: what stands at an instant, as known at another, is chosen when it is
asked for.
"""

from collections.abc import Sequence
from typing import Any

from shared.domain.context import Company
from shared.events.deals.deal import DealActivityLogged, DealFactRetracted
from shared.events.deals.deal_record import DealActivityCorrected
from shared.events.envelope import Envelope
from shared.events.leads.lead import LeadActivityLogged, LeadFactRetracted
from shared.projections.projection import Projection, ProjectionDatabase

VISIT = "visit"

DDL = """
create table {view}.told (
    thing_id uuid not null, sequence bigint not null, is_visit boolean not null, held_on date not null, team uuid,
    owner uuid, occurred_at timestamptz not null, known timestamptz not null, fact text, request uuid not null,
    retracted timestamptz, primary key (thing_id, sequence)
);
create index on {view}.told (held_on) where is_visit;
create index on {view}.told (thing_id, fact) where fact is not null;
"""

# Other work is noted only where history tells by it that what it had told as a visit was none.
TOLD = """
insert into {view}.told
select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10
 where $3 or exists (select from {view}.told where (thing_id, fact) = ($1, $9))
on conflict do nothing
"""
RETRACTED = "update {view}.told set retracted = $3 where (thing_id, request) = ($1, $2)"

LOGGED = (DealActivityLogged, DealActivityCorrected, LeadActivityLogged)
FACTS = (*LOGGED, DealFactRetracted, LeadFactRetracted)


async def apply(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    """Note what is told of visits, and what does not stand any more."""
    if told := [_row(event, db.company) for event in events if isinstance(event.data, LOGGED)]:
        await db.executemany(TOLD, told)
    if gone := [(event.aggregate_id, event.data.request, event.recorded_at) for event in events if event.data.retracts]:
        await db.executemany(RETRACTED, gone)


def _row(event: Envelope[Any], company: Company) -> tuple[Any, ...]:
    """A visit is of whoever held it, for the team that the deal or lead had; else of the owner."""
    data = event.data
    held_on = data.on or company.day(event.occurred_at)
    whose = (data.team, data.by or data.owner)
    when = (event.occurred_at, event.recorded_at)
    return (
        event.aggregate_id,
        event.sequence,
        data.kind == VISIT,
        held_on,
        *whose,
        *when,
        event.fact,
        event.causation_id,
    )


PROJECTION = Projection(name="visits", version=1, ddl=DDL, apply=apply, source="journal", events=FACTS)
