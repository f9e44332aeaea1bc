"""The legs of pipeline changes: why a deal counts at one of two instants and not at the other, or with another amount.

The rule stands twice, in Python and in SQL, as conditions of a question do: only what changed between the instants is
read, and summed by the database; what was known then is folded from the facts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, get_args
from uuid import UUID

from services.forecast.figures import UNDATED, Sum, due_of
from services.forecast.known import known_pairs
from services.forecast.periods import Period
from services.forecast.question import Question, scoped
from services.forecast.timeline import ABANDONED, LOST, OPEN, WON, DealState
from shared.views.view import ViewDatabase

LegName = Literal[
    "new", "pulled-in", "pushed-in", "reopened", "scope-in",
    "increase", "decrease",
    "won", "lost", "abandoned", "pulled-out", "pushed-out", "scope-out",
]  # fmt: skip
LEGS: tuple[str, ...] = get_args(LegName)
"""All legs in the order of the waterfall. Amounts are signed: end = start + the sum of all legs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One deal's part in a leg; `amount` is what it adds to the pipeline (below zero: takes away)."""

    leg: str
    deal_id: UUID
    name: str
    amount: Decimal
    before: Decimal | None
    after: Decimal | None


MOVED = scoped(
    """
with changed as (
    select distinct deal_id from {view}.span where start_at > $6 and start_at <= $7
), pair as (
    select c.deal_id, a.start_at, b.amount as before, a.amount as after, a.outcome,
           b.deal_id is not null as known, coalesce(b.covered, false) as covered_before, a.covered as covered_after,
           coalesce(b.outcome = 'open', false) as open_before, coalesce(b.later, false) as later_before, a.later,
           coalesce(b.covered and b.due_within and b.outcome = 'open', false) as counts_before,
           a.covered and a.due_within and a.outcome = 'open' as counts_after
      from changed c
      cross join lateral (
        select start_at, amount, outcome, {covered}, {later} from {view}.span s
         where s.deal_id = c.deal_id and s.start_at <= $7 and (s.end_at is null or s.end_at > $7)) a
      left join lateral (
        select deal_id, amount, outcome, {covered}, {later} from {view}.span s
         where s.deal_id = c.deal_id and s.start_at <= $6 and (s.end_at is null or s.end_at > $6)) b on true
), moved as (
    select deal_id, start_at, case when counts_before then before end as before,
           case when counts_after then after end as after,
           case when counts_after then after else 0 end - case when counts_before then before else 0 end as change,
           case when counts_before and counts_after then case when after > before then 'increase' else 'decrease' end
                when counts_after then
                     case when not known then 'new'
                          when not covered_before then 'scope-in'
                          when not open_before then 'reopened'
                          when later_before then 'pulled-in' else 'pushed-in' end
                else case when not covered_after then 'scope-out'
                          when outcome <> 'open' then outcome
                          when later then 'pushed-out' else 'pulled-out' end
            end as leg
      from pair
     where (counts_before or counts_after) and not (counts_before and counts_after and before = after)
)
""".replace(
        "{covered}", "coalesce({scope}, false) as covered, ($8::text is null or due between $8 and $9) as due_within"
    ).replace("{later}", "(due = '' or coalesce(due > $9, false)) as later")
)

LEG_SUMS = "{moved} select leg, count(*) as count, sum(change) as amount from moved group by leg"

LEG_DEALS = """{moved}
select chosen.*, (select s.state->>'name' from {view}.span s
                   where s.deal_id = chosen.deal_id and s.start_at = chosen.start_at) as name
  from (select * from moved where ($10::text is null or leg = $10) and (-abs(change), deal_id) > ($11, $12)
         order by -abs(change), deal_id limit $13) chosen
 order by -abs(change), deal_id
"""

Place = tuple[Decimal, UUID]
"""Where a deal stands among those behind the legs: the largest change first."""

FIRST: Place = (Decimal(-(10**30)), UUID(int=0))
"""Before every deal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """The deals behind the legs: some of them in order, and the sum of all."""

    moves: list[Move]
    total: Sum


async def legs(db: ViewDatabase, start: Question, end: Question, wanted: Period | None) -> dict[str, Sum]:
    """What each leg comes to; a leg without deals is left out."""
    if end.known_at is not None:
        return _sums(moves(await known_pairs(db, start, end, end.known_at), start, end, wanted))
    rows = await db.fetch(LEG_SUMS.replace("{moved}", MOVED), *_asked(start, end, wanted))
    return {row["leg"]: Sum(row["count"], row["amount"]) for row in rows}


async def moved(
    db: ViewDatabase,
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
        return Moved(moves=shown, total=sum(_sums(chosen).values(), Sum()))
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


def place_of(move: Move) -> Place:
    """Where a deal stands among those behind the legs."""
    return -abs(move.amount), move.deal_id


def _asked(start: Question, end: Question, wanted: Period | None) -> tuple[Any, ...]:
    due = (wanted.months[0], wanted.months[-1]) if wanted else (None, None)
    return (*end.scope, start.as_of, end.as_of, *due)


def _sums(found: Iterable[Move]) -> dict[str, Sum]:
    sums: dict[str, Sum] = {}
    for move in found:
        sums[move.leg] = sums.get(move.leg, Sum()) + Sum(1, move.amount)
    return sums


Pair = tuple[DealState | None, DealState | None]
"""A deal at the start and at the end; None before it was opened."""


def moves(pairs: Iterable[Pair], start: Question, end: Question, wanted: Period | None) -> list[Move]:
    """Each deal's part in the legs; deals that count alike at both instants have none."""
    found = (_move(before, after, start, end, wanted) for before, after in pairs)
    return [move for move in found if move is not None]


def _move(
    before: DealState | None, after: DealState | None, start: Question, end: Question, wanted: Period | None
) -> Move | None:
    counted_before = before is not None and _counts(before, start, wanted)
    counted_after = after is not None and _counts(after, end, wanted)
    if (not counted_before and not counted_after) or after is None:
        return None
    amount_before = before.amount if before is not None and counted_before else Decimal(0)
    amount_after = after.amount if counted_after else Decimal(0)
    change = amount_after - amount_before
    if counted_before and counted_after:
        leg = "increase" if change > 0 else "decrease"
        if change == 0:
            return None
    else:
        leg = _entering(before, start, wanted) if counted_after else _leaving(after, end, wanted)
    return Move(
        leg=leg,
        deal_id=after.deal_id,
        name=after.name,
        amount=change,
        before=amount_before if counted_before else None,
        after=amount_after if counted_after else None,
    )


def _counts(state: DealState, asked: Question, wanted: Period | None) -> bool:
    due_within = wanted is None or due_of(state) in wanted.months
    return state.outcome == OPEN and due_within and asked.covers(state.team, state.owner)


def _entering(before: DealState | None, start: Question, wanted: Period | None) -> str:
    """Why a deal counts at the end and did not at the start."""
    if before is None:
        return "new"
    if not start.covers(before.team, before.owner):
        return "scope-in"
    if before.outcome != OPEN:
        return "reopened"
    return "pulled-in" if _later(before, wanted) else "pushed-in"


def _leaving(after: DealState, end: Question, wanted: Period | None) -> str:
    """Why a deal counted at the start and does not at the end."""
    if not end.covers(after.team, after.owner):
        return "scope-out"
    if after.outcome in (WON, LOST, ABANDONED):
        return after.outcome
    return "pushed-out" if _later(after, wanted) else "pulled-out"


def _later(state: DealState, wanted: Period | None) -> bool:
    """Whether a deal is due after the period; a deal without a date counts as later."""
    due = due_of(state)
    return due == UNDATED or (wanted is not None and due > wanted.months[-1])
