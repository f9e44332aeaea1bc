"""The read model of leads: when each was captured, whose it is, and when it became a deal (FC-7, lead conversion)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.forecast.question import Question, scoped
from shared.events import leads
from shared.events.envelope import Envelope
from shared.views.view import View, ViewDatabase

DDL = """
create table {view}.lead (
    lead_id uuid primary key, captured_at timestamptz, captured_known timestamptz, source text, team uuid, owner uuid,
    deal_id uuid, converted_at timestamptz, converted_known timestamptz, duplicate_of uuid
);
create index on {view}.lead (captured_at);
"""

CAPTURED = """
insert into {view}.lead (lead_id, captured_at, captured_known, source) values ($1, $2, $3, $4)
on conflict (lead_id) do update set captured_at = excluded.captured_at, captured_known = excluded.captured_known,
    source = excluded.source
"""
ASSIGNED = """
insert into {view}.lead (lead_id, team, owner) values ($1, $2, $3)
on conflict (lead_id) do update set team = excluded.team, owner = excluded.owner
"""
CONVERTED = """
insert into {view}.lead (lead_id, deal_id, converted_at, converted_known) values ($1, $2, $3, $4)
on conflict (lead_id) do update set deal_id = excluded.deal_id, converted_at = excluded.converted_at,
    converted_known = excluded.converted_known
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
        match event.data:
            case leads.LeadCaptured(lead_id=lead, source=source):
                rows[CAPTURED].append((lead, event.occurred_at, event.recorded_at, source))
            case leads.LeadAssigned(lead_id=lead, team_id=team, member_id=member):
                rows[ASSIGNED].append((lead, team, member))
            case leads.LeadConverted(lead_id=lead, deal_id=deal) if deal is not None:
                rows[CONVERTED].append((lead, deal, event.occurred_at, event.recorded_at))
            case leads.LeadMarkedDuplicate(lead_id=lead, original_id=original):
                rows[DUPLICATE].append((lead, original))
    for statement, values in rows.items():
        if values:
            await db.executemany(statement, values)


VIEW = View(name="leads", version=1, ddl=DDL, apply=apply, source="journal", events=FACTS)

CONVERSION = scoped("""
select count(*) as captured, count(*) filter (where converted_at <= $7 and converted_known <= $8) as converted
  from {view}.lead
 where captured_at > $6 and captured_at <= $7 and captured_known <= $8 and duplicate_of is null and {scope}
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """Leads captured in a window, and how many of them became deals."""

    captured: int
    converted: int


async def conversion(db: ViewDatabase, asked: Question, since: datetime) -> Conversion:
    """Leads captured after `since` up to the instant asked about; duplicates are not counted twice."""
    (row,) = await db.fetch(CONVERSION, *asked.scope, since, asked.as_of, asked.known_until)
    return Conversion(captured=row["captured"], converted=row["converted"])
