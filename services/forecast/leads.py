"""The read model of leads: when each was captured, whose it is, and when it became a deal (FC-7, lead conversion)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.forecast.figures import NOBODY
from services.forecast.grains import over_window
from services.forecast.question import Question, scoped
from services.forecast.tallies import Tally, kept
from shared.domain.context import Company
from shared.events import leads
from shared.events.envelope import Envelope
from shared.views.view import View, ViewDatabase

DDL = """
create table {view}.lead (
    lead_id uuid primary key, captured_at timestamptz, captured_known timestamptz, source text, team uuid, owner uuid,
    deal_id uuid, converted_at timestamptz, converted_known timestamptz, duplicate_of uuid, captured_on date,
    converted_on date
);
create index on {view}.lead (captured_at);
create index on {view}.lead (converted_at);
"""

CAPTURED_DAY = Tally(table="captured", key="captured_on date, converted_on date", values="count bigint")
"""Leads by the days of their capture and of their conversion; `NEVER` stands for none."""

NEVER = "9999-12-31"

COUNTED = f"""
select coalesce(owner, '{NOBODY}') as owner, coalesce(team, '{NOBODY}') as team, captured_on,
       coalesce(converted_on, '{NEVER}') as converted_on, count(*) as count
  from {{view}}.lead where lead_id = any($1) and captured_on is not null and duplicate_of is null group by 1, 2, 3, 4
"""  # noqa: S608 - our own words

CAPTURED = """
insert into {view}.lead (lead_id, captured_at, captured_known, source, captured_on) values ($1, $2, $3, $4, $5)
on conflict (lead_id) do update set captured_at = excluded.captured_at, captured_known = excluded.captured_known,
    source = excluded.source, captured_on = excluded.captured_on
"""
ASSIGNED = """
insert into {view}.lead (lead_id, team, owner) values ($1, $2, $3)
on conflict (lead_id) do update set team = excluded.team, owner = excluded.owner
"""
CONVERTED = """
insert into {view}.lead (lead_id, deal_id, converted_at, converted_known, converted_on) values ($1, $2, $3, $4, $5)
on conflict (lead_id) do update set deal_id = excluded.deal_id, converted_at = excluded.converted_at,
    converted_known = excluded.converted_known, converted_on = excluded.converted_on
"""
DUPLICATE = """
insert into {view}.lead (lead_id, duplicate_of) values ($1, $2)
on conflict (lead_id) do update set duplicate_of = excluded.duplicate_of
"""


FACTS = (leads.LeadCaptured, leads.LeadAssigned, leads.LeadConverted, leads.LeadMarkedDuplicate)


async def apply(db: ViewDatabase, events: Sequence[Envelope[Any]]) -> None:
    """Each fact fills its own columns, so that the order between facts of different kinds does not matter."""
    rows: dict[str, list[tuple[Any, ...]]] = {CAPTURED: [], ASSIGNED: [], CONVERTED: [], DUPLICATE: []}
    for event in events:
        day = db.company.day(event.occurred_at)
        match event.data:
            case leads.LeadCaptured(lead_id=lead, source=source):
                rows[CAPTURED].append((lead, event.occurred_at, event.recorded_at, source, day))
            case leads.LeadAssigned(lead_id=lead, team_id=team, member_id=member):
                rows[ASSIGNED].append((lead, team, member))
            case leads.LeadConverted(lead_id=lead, deal_id=deal) if deal is not None:
                rows[CONVERTED].append((lead, deal, event.occurred_at, event.recorded_at, day))
            case leads.LeadMarkedDuplicate(lead_id=lead, original_id=original):
                rows[DUPLICATE].append((lead, original))
    touched = list({values[0] for some in rows.values() for values in some})
    async with kept(db, CAPTURED_DAY, COUNTED, touched):
        for statement, values in rows.items():
            if values:
                await db.executemany(statement, values)


VIEW = View(name="leads", version=2, ddl=DDL + CAPTURED_DAY.ddl, apply=apply, source="journal", events=FACTS)

CONVERSION = """
select coalesce(sum(captured), 0)::bigint as captured, coalesce(sum(converted), 0)::bigint as converted from (
    select count as captured, case when converted_on < $10 then count else 0 end as converted from {view}.captured
     where captured_on >= $9 and captured_on < $10 and {counted}
    union all
    select 0, 1 from {view}.lead where converted_at >= $11 and converted_at <= $12
       and captured_at > $14 and captured_at < $11 and duplicate_of is null and {scope}
    union all
    select 1, case when converted_at <= $12 then 1 else 0 end from {view}.lead
     where captured_at >= $11 and captured_at <= $12 and captured_at > $14 and duplicate_of is null and {scope}
    union all
    select 1, case when converted_at <= $12 then 1 else 0 end from {view}.lead
     where captured_at > $13 and captured_at <= least($14, $12) and duplicate_of is null and {scope}
) as lead
"""

CONVERSION_KNOWN = scoped("""
select count(*) as captured, count(*) filter (where converted_at <= $7 and converted_known <= $8) as converted
  from {view}.lead
 where captured_at > $6 and captured_at <= $7 and captured_known <= $8 and duplicate_of is null and {scope}
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """Leads captured in a window, and how many of them became deals."""

    captured: int
    converted: int


async def conversion(db: ViewDatabase, asked: Question, company: Company, since: datetime) -> Conversion:
    """Leads captured after `since` up to the instant asked about; duplicates are not counted twice."""
    if asked.known_at is None:
        row = await over_window(db, CONVERSION, asked, company, since)
    else:
        (row,) = await db.fetch(CONVERSION_KNOWN, *asked.scope, since, asked.as_of, asked.known_at)
    return Conversion(captured=row["captured"], converted=row["converted"])
