"""The read model of tasks and deliverables: what was due when, and when it was done (FC-7, node completion)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.forecast.question import Question, scoped
from shared.domain.context import Company
from shared.events import deals
from shared.events.envelope import Envelope
from shared.views.view import View, ViewDatabase

DDL = """
create table {view}.node (
    deal_id uuid not null, stage text not null, sequence bigint not null, key text not null, kind text not null,
    required boolean not null, due_at timestamptz not null, known timestamptz not null,
    primary key (deal_id, stage, sequence, kind, key)
);
create index on {view}.node (due_at);
create table {view}.completion (
    deal_id uuid not null, stage text not null, kind text not null, key text not null, done_at timestamptz not null,
    known timestamptz not null, primary key (deal_id, stage, kind, key)
);
create table {view}.belonging (deal_id uuid primary key, sequence bigint not null, team uuid, owner uuid);
"""

BELONGS = """
insert into {view}.belonging as known
select distinct on (deal_id) * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::uuid[])
    as told(deal_id, sequence, team, owner) order by deal_id, sequence desc
on conflict (deal_id) do update set sequence = excluded.sequence, team = excluded.team, owner = excluded.owner
 where excluded.sequence > known.sequence
"""
NODE = """
insert into {view}.node
select * from unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::boolean[], $7::timestamptz[],
                     $8::timestamptz[])
on conflict do nothing
"""
LEFT = """
update {view}.node set due_at = least(due_at, $4) where deal_id = $1 and stage = $2 and sequence < $3
"""
DONE = """
insert into {view}.completion values ($1, $2, $3, $4, $5, $6)
on conflict (deal_id, stage, kind, key) do update set done_at = least(completion.done_at, excluded.done_at)
"""


FACTS = (
    deals.DealOpened,
    deals.DealHandedOver,
    deals.DealMoved,
    deals.DealWon,
    deals.DealLost,
    deals.DealAbandoned,
    deals.DealNodeCompleted,
)


async def apply(db: ViewDatabase, events: Sequence[Envelope[Any]]) -> None:
    """Due days end with the company's day; leaving a stage makes what is left of it due."""
    rows: dict[str, list[tuple[Any, ...]]] = {BELONGS: [], NODE: [], LEFT: [], DONE: []}
    for event in events:
        match event.data:
            case deals.DealOpened(deal_id=deal, team=team, owner=owner) as opened:
                rows[BELONGS].append((deal, event.sequence, team, owner))
                rows[NODE].extend(_nodes(event, opened.stage, opened.nodes, db.company))
            case deals.DealHandedOver(deal_id=deal, team=team, owner=owner):
                rows[BELONGS].append((deal, event.sequence, team, owner))
            case deals.DealMoved(deal_id=deal) as moved:
                rows[NODE].extend(_nodes(event, moved.stage, moved.nodes, db.company))
                rows[LEFT].append((deal, moved.before, event.sequence, event.occurred_at))
            case deals.DealWon() | deals.DealLost() | deals.DealAbandoned() as closed:
                rows[LEFT].append((closed.deal_id, closed.stage, event.sequence, event.occurred_at))
            case deals.DealNodeCompleted(deal_id=deal, stage=stage, kind=kind, key=key):
                rows[DONE].append((deal, stage, kind, key, event.occurred_at, event.recorded_at))
    for statement in (BELONGS, NODE):
        if rows[statement]:
            await db.execute(statement, *map(list, zip(*rows[statement], strict=True)))
    for statement in (LEFT, DONE):
        if rows[statement]:
            await db.executemany(statement, rows[statement])


VIEW = View(name="nodes", version=1, ddl=DDL, apply=apply, source="journal", events=FACTS)


def _nodes(
    event: Envelope[Any], stage: str, nodes: tuple[deals.DueNode, ...], company: Company
) -> list[tuple[Any, ...]]:
    return [
        (
            event.aggregate_id,
            stage,
            event.sequence,
            node.key,
            node.kind,
            node.required,
            company.end_of(node.due),
            event.recorded_at,
        )
        for node in nodes
    ]


COMPLETION = scoped("""
select count(*) as due,
       count(*) filter (where exists (
           select from {view}.completion done
            where (done.deal_id, done.stage, done.kind, done.key) = (node.deal_id, node.stage, node.kind, node.key)
              and done.done_at <= $7 and done.known <= $8)) as done
  from {view}.node node join {view}.belonging using (deal_id)
 where node.required and node.due_at > $6 and node.due_at <= $7 and node.known <= $8 and {scope}
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """Required tasks and deliverables that fell due in a window, and how many of them were done."""

    due: int
    done: int


async def completion(db: ViewDatabase, asked: Question, since: datetime) -> Completion:
    """What fell due after `since` up to the instant asked about: after its working days, or when its stage was left."""
    (row,) = await db.fetch(COMPLETION, *asked.scope, since, asked.as_of, asked.known_until)
    return Completion(due=row["due"], done=row["done"])
