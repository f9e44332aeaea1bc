"""The questions of agendas: what falls due for a rep, and which of their deals have the most at stake.

What is known of a deal is read where the list of deals has it. Every answer is bounded, and narrowed to what the asker
sees.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal
from uuid import UUID

from asyncpg import Record

from services.deals.domain.deal.standing import LifeSigns
from services.deals.domain.exchange_rate import Conversion
from shared.domain.context import Actor
from shared.domain.exchange import times
from shared.domain.permissions import reach_of
from shared.domain.roles import READING, Reach
from shared.projections.projection import ProjectionDatabase

Part = Literal["overdue", "today", "next"]
DueKind = Literal[
    "next-step",
    "task",
    "deliverable",
    "renewal",
    "exit-proposal",
    "support-awaited",
    "support-returned",
    "support-promised",
    "stage-work",
]
"""What falls due for a rep: of their deals, the help that they wait for or have to ask for again, what they have
promised others, and the work of stages in which their leads and the contracts of their deals stand."""

SCOPE = "($2::boolean or {of}.team = any($3::uuid[]) or {of}.owner = $4)"
"""The rows that the asker sees; its arguments are `seen_by`."""

DUE = f"""
with item as (
    select i.kind, i.due, i.key, i.required, null::text as name, null::uuid as support_request_id,
           null::uuid as stage_visit_id, null::uuid as lead_id, null::text as work,
           d.id as deal_id, d.name as deal_name, d.account_id, d.process_id, d.process_version, i.id as place,
           i.version, i.updated_at, i.told_by
      from {{deals}}.deal d join {{agenda}}.agenda_item i on i.deal_id = d.id
     where d.owner = $1 and d.status = 'open' and i.is_open and i.due <= $6 and {SCOPE.format(of="d")}
    union all
    select case s.status when 'returned' then 'support-returned' else 'support-awaited' end, s.due, s.type, true,
           coalesce(s.name, s.department), s.id, null, null, null,
           s.deal_id, s.deal_name, s.account_id, s.process_id, s.process_version, s.id::text,
           s.version, s.updated_at, null::uuid
      from {{support_requests}}.support_request s
     where s.owner = $1 and s.status in ('asked', 'accepted', 'returned') and s.due <= $6 and {SCOPE.format(of="s")}
    union all
    select 'support-promised', s.due, s.type, true, coalesce(s.name, s.department), s.id, null, null, null,
           s.deal_id, s.deal_name, s.account_id, s.process_id, s.process_version, s.id::text || ' promised',
           s.version, s.updated_at, null::uuid
      from {{support_requests}}.support_request s
     where s.responsible = $1 and s.status = 'accepted' and s.due <= $6 and {SCOPE.format(of="s")}
    union all
    select 'stage-work', w.due, w.key, w.required, null, null, v.id, v.lead_id, w.kind, v.deal_id,
           v.name, v.account_id, v.process_id, v.process_version, w.id,
           v.version, w.updated_at, null::uuid
      from {{stage_visits}}.stage_visit v join {{stage_work}}.stage_work w on w.stage_visit_id = v.id
     where v.owner = $1 and v.status = 'open' and w.is_open and w.due <= $6 and {SCOPE.format(of="v")}
), placed as (
    select *, case when due < $5 then 'overdue' when due = $5 then 'today' else 'next' end as part from item
), counted as (
    select *, count(*) over (partition by part) as counted,
           row_number() over (partition by part order by due, deal_id, place) as number from placed
)
select counted.*, text.data ->> 'what' as what
  from counted left join personal text on counted.kind = 'next-step' and text.event_id = counted.told_by
 where number <= $7 order by due, deal_id, place
"""  # noqa: S608 - made of constants
STAKES = f"""
select id, currency, weighted, last_worked_at, silence_until from (
    select d.*, row_number() over (partition by d.currency order by d.weighted desc, d.id) as number
      from {{deals}}.deal d where d.owner = $1 and d.status = 'open' and {SCOPE.format(of="d")}
) ranked where number <= $5
"""  # noqa: S608
CURRENCIES = "select distinct currency from {deals}.deal where owner = $1 and status = 'open'"
SIGNS = "select last_worked_at, silence_until from {deals}.deal where id = $1"
OWNS = f"select exists (select from {{deals}}.deal d where d.owner = $1 and {SCOPE.format(of='d')})"  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Something that falls due for a rep."""

    part: Part
    place: str
    """What tells it from all others, as long as it is the same."""
    version: int
    """That of its deal, support request or stage visit when it changed last."""
    updated_at: datetime
    kind: DueKind
    due: date
    deal_id: UUID | None
    """None of the work with a lead."""
    deal_name: str
    """Of the work with a lead, what that is called."""
    account_id: UUID | None
    process_id: UUID
    process_version: int
    key: str | None
    """The task or deliverable by its key; the question of a renewal; the type of a support request."""
    required: bool
    name: str | None
    """What a support request is called."""
    what: str | None
    """What a next step says, as it stands beside the log; None once it is erased."""
    support_request_id: UUID | None
    stage_visit_id: UUID | None
    lead_id: UUID | None
    work: str | None
    """Of the work of a stage visit whether it is a task or a deliverable."""

    @property
    def of(self) -> UUID:
        """What it belongs to: a stage visit, else a deal."""
        thing = self.stage_visit_id or self.deal_id
        assert thing is not None
        return thing


@dataclass(frozen=True, slots=True, kw_only=True)
class Stake:
    """An open deal, and what it is expected to bring, in its own currency."""

    deal_id: UUID
    currency: str
    stake: Decimal
    signs: LifeSigns


def seen_by(actor: Actor) -> tuple[bool, list[UUID], UUID | None]:
    """The arguments of `SCOPE` (API-4)."""
    reach = reach_of(actor, READING)
    return reach is Reach.ALL, sorted(actor.teams) if reach is Reach.TEAM else [], actor.member


async def due_items(
    db: ProjectionDatabase, owner: UUID, asker: Actor, *, on: date, days: int, limit: int
) -> tuple[list[Due], Mapping[str, int]]:
    """What is overdue, due on a day, and due in so many days after it: of each part the first `limit`, and of how many
    these are."""
    rows = await db.fetch(DUE, owner, *seen_by(asker), on, on + timedelta(days=days), limit)
    names = Due.__dataclass_fields__
    return [Due(**{name: row[name] for name in names}) for row in rows], {row["part"]: row["counted"] for row in rows}


async def currencies(db: ProjectionDatabase, owner: UUID) -> list[str]:
    """The currencies of a rep's open deals."""
    return [row["currency"] for row in await db.fetch(CURRENCIES, owner)]


async def greatest_stakes(
    db: ProjectionDatabase, owner: UUID, asker: Actor, conversion: Conversion, limit: int
) -> list[Stake]:
    """The open deals of a rep with the most at stake in the company's currency, the greatest first; those of which
    that is unknown come last."""
    rows = await db.fetch(STAKES, owner, *seen_by(asker), limit)
    found = [
        Stake(deal_id=row["id"], currency=row["currency"], stake=row["weighted"], signs=_signs(row)) for row in rows
    ]
    return sorted(found, key=lambda each: _rank(each, conversion))[:limit]


async def signs_of(db: ProjectionDatabase, deal_id: UUID) -> LifeSigns | None:
    """When somebody worked on a deal last; None where the read model does not have it yet."""
    row = await db.fetchrow(SIGNS, deal_id)
    return None if row is None else _signs(row)


async def sees_something(db: ProjectionDatabase, owner: UUID, asker: Actor) -> bool:
    """Whether somebody sees any deal of a member."""
    return bool(await db.fetchval(OWNS, owner, *seen_by(asker)))


def _rank(each: Stake, conversion: Conversion) -> tuple[bool, Decimal, UUID]:
    by = Decimal(1) if each.currency == conversion.currency else conversion.factors[each.currency]
    return by is None, Decimal(0) if by is None else -times(each.stake, by), each.deal_id


def _signs(row: Record) -> LifeSigns:
    return LifeSigns(last_worked_at=row["last_worked_at"], silence_until=row["silence_until"])
