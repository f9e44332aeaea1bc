"""The legs of pipeline changes: why a deal counts at one of two instants and not at the other, or with another amount.
One that came and ended in between counts at neither, and stands in two legs that come to nothing.

The rule stands twice, in Python and in SQL, as conditions of a question do: only what changed between the instants is
read, and summed by the database; what was known then is folded from the facts.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, get_args
from uuid import UUID

from services.forecast.figures import UNDATED, Sum, due_of
from services.forecast.known import known_pairs
from services.forecast.periods import Period
from services.forecast.question import Question, scoped
from services.forecast.timeline import ABANDONED, LOST, OPEN, WON, DealState
from shared.projections.projection import ProjectionDatabase

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

Place = tuple[Decimal, UUID, str]
"""Where a deal stands among those behind the legs: the largest change first."""

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
        return _sums(moves(await known_pairs(db, start, end, end.known_at), start, end, wanted))
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
    return -abs(move.amount), move.deal_id, move.leg


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
    return [move for before, after in pairs for move in _moves(before, after, start, end, wanted)]


def _moves(
    before: DealState | None, after: DealState | None, start: Question, end: Question, wanted: Period | None
) -> Iterator[Move]:
    if after is None:
        return

    def part(leg: str, one: Decimal | None, other: Decimal | None) -> Move:
        change = (other or Decimal(0)) - (one or Decimal(0))
        return Move(leg=leg, deal_id=after.deal_id, name=after.name, amount=change, before=one, after=other)

    known = before.amount if before is not None and _counts(before, start, wanted) else None
    if _counts(after, end, wanted):
        if known is None:
            yield part(_entering(before, start, wanted), None, after.amount)
        elif known != after.amount:
            yield part("increase" if after.amount > known else "decrease", known, after.amount)
    elif known is not None:
        yield part(_leaving(after, end, wanted), known, None)
    elif _ended(before, after, start, end, wanted):
        yield part(_entering(before, start, wanted), None, after.amount)
        yield part(after.outcome, after.amount, None)


def _ended(before: DealState | None, after: DealState, start: Question, end: Question, wanted: Period | None) -> bool:
    """Whether a deal came into the pipeline and ended between the two instants: it counts at neither."""
    if after.outcome == OPEN or not _within(after, end, wanted):
        return False
    return before is None or before.outcome == OPEN or after.entered > start.as_of


def _counts(state: DealState, asked: Question, wanted: Period | None) -> bool:
    return state.outcome == OPEN and _within(state, asked, wanted)


def _within(state: DealState, asked: Question, wanted: Period | None) -> bool:
    """Whether a deal is in the scope of a question, and due in the period."""
    return (wanted is None or due_of(state) in wanted.months) and asked.covers(state.team, state.owner)


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
