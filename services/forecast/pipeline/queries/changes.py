"""The query behind pipeline changes: each leg's sum, and a keyset page of the deals behind it (FC-3).

The rule stands twice, in Python (`pipeline/legs.py`) and here in SQL, as conditions of a question do: only what changed
between the instants is read, and summed by the database; what was known then is folded from the facts.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.forecast.asking.periods import Period
from services.forecast.asking.question import Question, scoped
from services.forecast.counting.sums import Sum
from services.forecast.pipeline.legs import Move, Place, moves, place_of, sums_of
from services.forecast.pipeline.queries.known import known_pairs
from shared.projections.projection import ProjectionDatabase

MOVED = scoped(
    """
with changed as (
    select distinct deal_id from {view}.span where start_at > $6 and start_at <= $7
), pair as (
    select c.deal_id, a.start_at, b.amount as before, a.amount as after, a.outcome,
           b.deal_id is not null as known, coalesce(b.covered, false) as covered_before, a.covered as covered_after,
           coalesce(b.outcome = 'open', false) as open_before, coalesce(b.later, false) as later_before, a.later,
           coalesce(b.covered and b.due_within and b.outcome = 'open', false) as counts_before,
           a.covered and a.due_within and a.outcome = 'open' as counts_after,
           a.covered and a.due_within and a.outcome <> 'open'
           and (b.deal_id is null or b.outcome = 'open' or a.entered > $6) as ended
      from changed c
      cross join lateral (
        select start_at, amount, outcome, {covered}, {later},
               case when outcome <> 'open' then (state ->> 'entered')::timestamptz end as entered from {view}.span s
         where s.deal_id = c.deal_id and s.start_at <= $7 and (s.end_at is null or s.end_at > $7)) a
      left join lateral (
        select deal_id, amount, outcome, {covered}, {later} from {view}.span s
         where s.deal_id = c.deal_id and s.start_at <= $6 and (s.end_at is null or s.end_at > $6)) b on true
), told as (
    select *, ended and not counts_before as passes,
           case when not known then 'new'
                when not covered_before then 'scope-in'
                when not open_before then 'reopened'
                when later_before then 'pulled-in' else 'pushed-in' end as entering,
           case when not covered_after then 'scope-out'
                when outcome <> 'open' then outcome
                when later then 'pushed-out' else 'pulled-out' end as leaving
      from pair
), moved as (
    select deal_id, start_at, null::numeric as before, after, after as change, entering as leg
      from told where (counts_after or passes) and not counts_before
    union all
    select deal_id, start_at, before, null, -before, leaving from told where counts_before and not counts_after
    union all
    select deal_id, start_at, after, null, -after, leaving from told where passes
    union all
    select deal_id, start_at, before, after, after - before,
           case when after > before then 'increase' else 'decrease' end
      from told where counts_before and counts_after and before <> after
)
""".replace(
        "{covered}", "coalesce({scope}, false) as covered, ($8::text is null or due between $8 and $9) as due_within"
    ).replace("{later}", "(due = '' or coalesce(due > $9, false)) as later")
)

LEG_SUMS = "{moved} select leg, count(*) as count, sum(change) as amount from moved group by leg"

LEG_DEALS = """{moved}
select chosen.*, (select s.state->>'name' from {view}.span s
                   where s.deal_id = chosen.deal_id and s.start_at = chosen.start_at) as name
  from (select * from moved where ($10::text is null or leg = $10)
           and (-abs(change), deal_id, leg collate "C") > ($11, $12, $13)
         order by -abs(change), deal_id, leg collate "C" limit $14) chosen
 order by -abs(change), deal_id, leg collate "C"
"""

FIRST: Place = (Decimal(-(10**30)), UUID(int=0), "")
"""Before every deal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """The deals behind the legs: some of them in order, and the sum of all."""

    moves: list[Move]
    total: Sum


async def legs(db: ProjectionDatabase, start: Question, end: Question, wanted: Period | None) -> dict[str, Sum]:
    """What each leg comes to; a leg without deals is left out."""
    if end.known_at is not None:
        return sums_of(moves(await known_pairs(db, start, end, end.known_at), start, end, wanted))
    rows = await db.fetch(LEG_SUMS.replace("{moved}", MOVED), *_asked(start, end, wanted))
    return {row["leg"]: Sum(row["count"], row["amount"]) for row in rows}


async def moved(
    db: ProjectionDatabase,
    start: Question,
    end: Question,
    wanted: Period | None,
    *,
    leg: str | None,
    after: Place | None,
    enough: int,
) -> Moved:
    """The deals behind a leg, or all, that come after a place, as many as are enough."""
    if end.known_at is not None:
        found = moves(await known_pairs(db, start, end, end.known_at), start, end, wanted)
        chosen = sorted((move for move in found if leg in (None, move.leg)), key=place_of)
        shown = [move for move in chosen if place_of(move) > (after or FIRST)][:enough]
        return Moved(moves=shown, total=sum(sums_of(chosen).values(), Sum()))
    sums = await legs(db, start, end, wanted)
    rows = await db.fetch(
        LEG_DEALS.replace("{moved}", MOVED), *_asked(start, end, wanted), leg, *(after or FIRST), enough
    )
    return Moved(
        moves=[
            Move(
                leg=row["leg"],
                deal_id=row["deal_id"],
                name=row["name"],
                amount=row["change"],
                before=row["before"],
                after=row["after"],
            )
            for row in rows
        ],
        total=sum((total for name, total in sums.items() if leg in (None, name)), Sum()),
    )


def _asked(start: Question, end: Question, wanted: Period | None) -> tuple[Any, ...]:
    due = (wanted.months[0], wanted.months[-1]) if wanted else (None, None)
    return (*end.scope, start.as_of, end.as_of, *due)
