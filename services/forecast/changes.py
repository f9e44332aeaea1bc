"""Pipeline changes between two instants: legs that add up to the cent (FC-3)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal, get_args
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.forecast.answers import CountedMoney, money
from services.forecast.deal_figures import OpenRow, deals_changed, open_rows
from services.forecast.figures import UNDATED, Sum, due_of
from services.forecast.paging import Paged
from services.forecast.parameters import Put
from services.forecast.periods import Period, period
from services.forecast.question import Question, instant
from services.forecast.timeline import ABANDONED, LOST, OPEN, WON, DealState
from shared.domain.money import Money
from shared.domain.roles import READING
from shared.views.errors import InvalidQuery, invalid
from shared.web.routes import answer, operation

router = APIRouter(tags=["Pipeline changes"])

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One step of the waterfall. `amount` is signed."""

    leg: str
    count: int
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineChanges:
    """How the open pipeline came from `start` to `end`: end = start + the sum of the legs."""

    since: datetime
    since_day: date
    """The first day that counts: the day after `since`, when that is the end of a day."""
    as_of: datetime
    known_at: datetime | None
    period: str | None
    currency: str
    start: CountedMoney
    legs: list[Leg]
    end: CountedMoney


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedDeal:
    """A deal behind a leg."""

    id: UUID
    name: str
    leg: str
    amount: Money
    before: Money | None
    after: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedDeals:
    """The deals behind the legs, the largest first, a page of them, and what all of them add up to."""

    since: datetime
    as_of: datetime
    currency: str
    count: int
    amount: Money
    deals: list[MovedDeal]
    next: str | None
    """The cursor of the following page."""
    has_more: bool


Since = Annotated[
    str | None,
    Query(
        alias="from",
        description=(
            "A date (its end) or an instant, not in the future. Default: the end of last Sunday (on a Monday: of the "
            "one before)."
        ),
    ),
]
Until = Annotated[
    str | None, Query(alias="to", description="A date (its end) or an instant, not in the future. Default: as_of.")
]
Within = Annotated[str | None, Query(alias="period", description="Only deals due in this period, like 2026-Q4.")]


@router.get("/v1/pipeline-changes", **operation(roles=READING, answers=PipelineChanges))
async def pipeline_changes(put: Put, since: Since = None, until: Until = None, within: Within = None) -> Response:
    """What changed in the open pipeline between two instants.

    Deals that leave are valued as they stood at the start, deals that enter as they stand at the end; increase and
    decrease are those of deals that are there at both. Pulled and pushed legs need a period.
    """
    start, end, wanted = _range(put, since, until, within)
    async with put.reading() as reading:
        deals = reading("deals")
        before = _total(await open_rows(deals, start, put.company), wanted)
        after = _total(await open_rows(deals, end, put.company), wanted)
        moved = moves(await deals_changed(deals, start, end), start, end, wanted)
        parked = reading.parked
    return answer(
        PipelineChanges(
            since=start.as_of,
            since_day=put.company.day(start.as_of + timedelta(microseconds=1)),
            as_of=end.as_of,
            known_at=end.known_at,
            period=wanted.name if wanted else None,
            currency=put.currency,
            start=_counted(before, put.currency),
            legs=[_leg(leg, moved, put.currency) for leg in LEGS],
            end=_counted(after, put.currency),
        ),
        parked=parked,
    )


@router.get("/v1/pipeline-changes/deals", **operation(roles=READING, answers=MovedDeals))
async def pipeline_changes_deals(
    put: Put,
    paged: Paged,
    *,
    since: Since = None,
    until: Until = None,
    within: Within = None,
    leg: Annotated[LegName | None, Query(description="Only the deals of this leg.")] = None,
) -> Response:
    """The deals behind the legs."""
    start, end, wanted = _range(put, since, until, within)
    async with put.reading() as reading:
        moved = moves(await deals_changed(reading("deals"), start, end), start, end, wanted)
        parked = reading.parked
    chosen = sorted((move for move in moved if leg in (None, move.leg)), key=_place)
    page = paged.pick(chosen, _place, tuple[Decimal, UUID])
    currency = put.currency
    return answer(
        MovedDeals(
            since=start.as_of,
            as_of=end.as_of,
            currency=currency,
            count=len(chosen),
            amount=money(sum((move.amount for move in chosen), Decimal(0)), currency),
            deals=[_moved_deal(move, currency) for move in page.rows],
            next=page.next,
            has_more=page.has_more,
        ),
        parked=parked,
        headers=page.headers,
    )


def _place(move: Move) -> tuple[Decimal, UUID]:
    """Where a deal stands among those behind the legs: the largest change first."""
    return -abs(move.amount), move.deal_id


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


def _range(
    put: Put, since: str | None, until: str | None, within: str | None
) -> tuple[Question, Question, Period | None]:
    end, now = put.question, put.here.clock.now()
    if until is not None:
        asked = instant(until, "to", put.company, now)
        end = replace(end, as_of=min(asked, end.as_of), current=end.current and asked >= end.as_of)
    today = put.company.day(end.as_of)
    # On a Monday the week that is over is of more interest than the one that has just begun.
    sunday = put.company.end_of(today - timedelta(days=(today.weekday() or 7) + 1))
    start_at = instant(since, "from", put.company, now) if since is not None else sunday
    if start_at > end.as_of:
        raise InvalidQuery([invalid("from", "from-after-to", "from lies after to.")])
    return replace(end, as_of=start_at, current=False), end, period(within) if within else None


def _total(rows: Iterable[OpenRow], wanted: Period | None) -> Sum:
    chosen = (row for row in rows if wanted is None or row.due in wanted.months)
    return sum((Sum(row.count, row.amount, row.weighted) for row in chosen), Sum())


def _counted(total: Sum, currency: str) -> CountedMoney:
    return CountedMoney(count=total.count, amount=money(total.amount, currency))


def _leg(leg: str, moved: Iterable[Move], currency: str) -> Leg:
    chosen = [move for move in moved if move.leg == leg]
    return Leg(leg=leg, count=len(chosen), amount=money(sum((move.amount for move in chosen), Decimal(0)), currency))


def _moved_deal(move: Move, currency: str) -> MovedDeal:
    return MovedDeal(
        id=move.deal_id,
        name=move.name,
        leg=move.leg,
        amount=money(move.amount, currency),
        before=None if move.before is None else money(move.before, currency),
        after=None if move.after is None else money(move.after, currency),
    )
