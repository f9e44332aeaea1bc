"""The read model of tasks and deliverables: what was due when, and when it was done (FC-7, node completion)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.forecast.figures import NOBODY
from services.forecast.grains import over_window
from services.forecast.question import Question, scoped
from services.forecast.tallies import Tally, kept
from shared.domain.context import Company
from shared.events import deals
from shared.events.envelope import Envelope
from shared.views.view import View, ViewDatabase

DDL = """
create table {view}.node (
    deal_id uuid not null, stage text not null, sequence bigint not null, key text not null, kind text not null,
    required boolean not null, due_at timestamptz not null, known timestamptz not null,
    due_on date not null, primary key (deal_id, stage, sequence, kind, key)
);
create index on {view}.node (due_at);
create table {view}.completion (
    deal_id uuid not null, stage text not null, kind text not null, key text not null, done_at timestamptz not null,
    known timestamptz not null, done_on date not null, primary key (deal_id, stage, kind, key)
);
create index on {view}.completion (done_at);
create table {view}.belonging (deal_id uuid primary key, sequence bigint not null, team uuid, owner uuid);
"""

DUE_DAY = Tally(table="due", key="due_on date, done_on date", values="count bigint")
"""Required nodes by the days on which they fell due and were done; `NEVER` stands for none."""

NEVER = "9999-12-31"

COUNTED = f"""
select coalesce(owner, '{NOBODY}') as owner, coalesce(team, '{NOBODY}') as team, due_on,
       coalesce(done_on, '{NEVER}') as done_on, count(*) as count
  from {{view}}.node join {{view}}.belonging using (deal_id)
  left join {{view}}.completion using (deal_id, stage, kind, key)
 where deal_id = any($1) and required group by 1, 2, 3, 4
"""  # noqa: S608 - our own words

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
                     $8::timestamptz[], $9::date[])
on conflict do nothing
"""
LEFT = """
update {view}.node set due_at = least(due_at, $4), due_on = least(due_on, $5)
 where deal_id = $1 and stage = $2 and sequence < $3
"""
DONE = """
insert into {view}.completion values ($1, $2, $3, $4, $5, $6, $7)
on conflict (deal_id, stage, kind, key) do update set done_at = least(completion.done_at, excluded.done_at),
    done_on = least(completion.done_on, excluded.done_on)
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
        day = db.company.day(event.occurred_at)
        match event.data:
            case deals.DealOpened(deal_id=deal, team=team, owner=owner) as opened:
                rows[BELONGS].append((deal, event.sequence, team, owner))
                rows[NODE].extend(_nodes(event, opened.stage, opened.nodes, db.company))
            case deals.DealHandedOver(deal_id=deal, team=team, owner=owner):
                rows[BELONGS].append((deal, event.sequence, team, owner))
            case deals.DealMoved(deal_id=deal) as moved:
                rows[NODE].extend(_nodes(event, moved.stage, moved.nodes, db.company))
                rows[LEFT].append((deal, moved.before, event.sequence, event.occurred_at, day))
            case deals.DealWon() | deals.DealLost() | deals.DealAbandoned() as closed:
                rows[LEFT].append((closed.deal_id, closed.stage, event.sequence, event.occurred_at, day))
            case deals.DealNodeCompleted(deal_id=deal, stage=stage, kind=kind, key=key):
                rows[DONE].append((deal, stage, kind, key, event.occurred_at, event.recorded_at, day))
    touched = list({values[0] for some in rows.values() for values in some})
    async with kept(db, DUE_DAY, COUNTED, touched):
        for statement in (BELONGS, NODE):
            if rows[statement]:
                await db.execute(statement, *map(list, zip(*rows[statement], strict=True)))
        for statement in (LEFT, DONE):
            if rows[statement]:
                await db.executemany(statement, rows[statement])


VIEW = View(name="nodes", version=2, ddl=DDL + DUE_DAY.ddl, apply=apply, source="journal", events=FACTS)


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
            node.due,
        )
        for node in nodes
    ]


DONE_BY = """exists (
    select from {view}.completion done
     where (done.deal_id, done.stage, done.kind, done.key) = (node.deal_id, node.stage, node.kind, node.key)
       and done.done_at <= $12)"""

COMPLETION = """
select coalesce(sum(due), 0)::bigint as due, coalesce(sum(done), 0)::bigint as done from (
    select count as due, case when done_on < $10 then count else 0 end as done from {view}.due
     where due_on >= $9 and due_on < $10 and {counted}
    union all
    select 0, 1 from {view}.completion join {view}.node using (deal_id, stage, kind, key)
      join {view}.belonging using (deal_id)
     where done_at >= $11 and done_at <= $12 and due_at > $14 and due_at < $11 and required and {scope}
    union all
    select 1, case when {done} then 1 else 0 end from {view}.node node join {view}.belonging using (deal_id)
     where due_at >= $11 and due_at <= $12 and due_at > $14 and required and {scope}
    union all
    select 1, case when {done} then 1 else 0 end from {view}.node node join {view}.belonging using (deal_id)
     where due_at > $13 and due_at <= least($14, $12) and required and {scope}
) as node
""".replace("{done}", DONE_BY)

COMPLETION_KNOWN = scoped("""
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


async def completion(db: ViewDatabase, asked: Question, company: Company, since: datetime) -> Completion:
    """What fell due after `since` up to the instant asked about: after its working days, or when its stage was left."""
    if asked.known_at is None:
        row = await over_window(db, COMPLETION, asked, company, since)
    else:
        (row,) = await db.fetch(COMPLETION_KNOWN, *asked.scope, since, asked.as_of, asked.known_at)
    return Completion(due=row["due"], done=row["done"])
