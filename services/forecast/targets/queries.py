"""The query to the read model of targets: what was to be reached in a period, as set and known at any instant (PROC-4).

A year without a target of its own has the sum of its quarters, a quarter that of its months, of what adds up: a share
has what is set for the period itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import get_args
from uuid import UUID

from services.forecast.asking.question import Question
from shared.domain.periods import Period
from shared.domain.permissions import sees
from shared.domain.roles import READING_TARGETS
from shared.events.deals.target import SummedKind
from shared.projections.projection import ProjectionDatabase

SUMMED: tuple[str, ...] = get_args(SummedKind)
"""Kinds of which a longer period has the sum of the shorter ones."""

TARGETS = """
select distinct on (target_id) period, level, amount, team, member from {view}.target t
 where kind = $3 and set_at <= $1 and known <= $2
   and (retracted is null or retracted > $2)
   and not exists (select from {view}.target corrected
                    where (corrected.target_id, corrected.fact) = (t.target_id, t.fact)
                      and corrected.sequence > t.sequence and corrected.known <= $2
                      and (corrected.retracted is null or corrected.retracted > $2))
 order by target_id, set_at desc, fact is null desc, fact desc, sequence desc
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What is to be reached in a period. Without an amount, `missing` are its quarters and months that have none,
    where others have one."""

    amount: Decimal | None
    missing: tuple[str, ...] = ()


async def target_of(db: ProjectionDatabase, asked: Question, wanted: Period, kind: str = "revenue") -> Goal:
    """The target of a kind and a period for the company, the team or the owner asked about; none where the asker does
    not see it (API-4), and none of several."""
    rows = await db.fetch(TARGETS, asked.as_of, asked.known_until, kind)
    if not asked.is_of_one:
        return Goal(amount=None)
    level, of = _level(asked)
    known = {
        row["period"]: Decimal(row["amount"])
        for row in rows
        if row["level"] == level
        and (level == "company" or (of is not None and of in (row["team"], row["member"])))
        and sees(asked.asker, READING_TARGETS, row["member"], row["team"])
    }
    return goal_of(wanted, known) if kind in SUMMED else Goal(amount=known.get(wanted.name))


def goal_of(wanted: Period, known: Mapping[str, Decimal]) -> Goal:
    """The target of a period, by what is set for each by name: its own, else the sum of its quarters, or months, once
    every one of them has one."""
    if wanted.name in known:
        return Goal(amount=known[wanted.name])
    parts = {part.name: goal_of(part, known) for part in wanted.parts}
    amounts = [part.amount for part in parts.values() if part.amount is not None]
    if parts and len(amounts) == len(parts):
        return Goal(amount=sum(amounts, Decimal(0)))
    if not amounts and not any(part.missing for part in parts.values()):
        return Goal(amount=None)
    lacking = [part.missing or (name,) for name, part in parts.items() if part.amount is None]
    return Goal(amount=None, missing=tuple(name for names in lacking for name in names))


def _level(asked: Question) -> tuple[str, UUID | None]:
    """Whose target the question is about: a rep's, a team's, or the company's."""
    if asked.owners:
        return "rep", asked.owners[0]
    if asked.teams:
        return "team", asked.teams[0]
    if asked.sees_all:
        return "company", None
    return ("team", asked.asker.team) if asked.sees_teams else ("rep", asked.member)
