"""The read model of accounts: what was ever said of with which account a thing is, whose it is and what it is called
(ACCT-1). What happened to the things stands in that of the feed.

Append-only but for when something was taken back, and for the name of a deal, which is called at any time what it is
called now: what stands at an instant, as known at another, is folded when it is asked for, from the few rows of each
thing (`belonging`).
"""

from collections.abc import Sequence
from typing import Any

from services.forecast.accounts.belonging import FACTS, says
from shared.events.deals.deal import DealRenamed
from shared.events.envelope import Envelope
from shared.projections.projection import Projection, ProjectionDatabase

LEDGER = "ledger"

DDL = """
create table {view}.said (
    thing uuid, sequence bigint, aggregate text not null, account_id uuid, lead_id uuid, name text, team uuid,
    owner uuid, named text[] not null, rank smallint, on_day date, occurred_at timestamptz not null,
    by_day boolean not null, known timestamptz not null, fact text, causation_id uuid not null, retracted timestamptz,
    primary key (thing, sequence)
);
create index on {view}.said (account_id);
"""

SAID = """
insert into {view}.said
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) on conflict do nothing
"""
RENAMED = "update {view}.said set name = $2 where thing = $1 and name is not null"
RETRACTED = "update {view}.said set retracted = $3 where (thing, causation_id) = ($1, $2)"


async def apply(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    """Note what events say, and what does not stand any more. A ledger is always with one account, and its first event
    says which."""
    told = [_row(event) for event in events if not event.data.retracts and _tells(event)]
    gone = [(event.aggregate_id, event.data.request, event.recorded_at) for event in events if event.data.retracts]
    if told:
        await db.executemany(SAID, told)
    if renamed := [(event.aggregate_id, event.data.name) for event in events if isinstance(event.data, DealRenamed)]:
        await db.executemany(RENAMED, renamed)
    if gone:
        await db.executemany(RETRACTED, gone)


def _tells(event: Envelope[Any]) -> bool:
    return event.aggregate != LEDGER or event.sequence == 1


def _row(event: Envelope[Any]) -> tuple[Any, ...]:
    told = says(event.data)
    about = (event.aggregate_id, event.sequence, event.aggregate)
    content = (told.account, told.lead, told.name, told.team, told.owner, list(told.named), told.rank, told.on)
    when = (event.occurred_at, event.by_day, event.recorded_at)
    # What has no rank is never corrected: a later telling goes on from where the first one ended.
    return (*about, *content, *when, None if told.rank is None else event.fact, event.causation_id)


PROJECTION = Projection(name="accounts", version=3, ddl=DDL, apply=apply, source="journal", events=FACTS)
