"""Pipeline changes between two instants: legs that add up to the cent (FC-3)."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from services.forecast.asking.answers import CountedMoney, Unconverted, UsedRate, money
from services.forecast.asking.parameters import PastQuery
from services.forecast.asking.periods import period
from services.forecast.asking.question import Question, instant
from services.forecast.asking.wording import leg_title
from services.forecast.counting.sums import Sum
from services.forecast.counting.valuation import Valued, shown_left_out, shown_rates
from services.forecast.pipeline.legs import FX, LEGS, LegName, Move, RowPlace, place_of
from services.forecast.pipeline.queries.changes import Waterfall, moved, waterfall
from services.forecast.pipeline.queries.totals import OpenRow
from shared.domain.money import zero
from shared.domain.periods import Period
from shared.domain.roles import READING
from shared.events.definition import words
from shared.events.money import Money
from shared.http.handwritten import answer, handwritten, operation
from shared.http.json import answer_shape
from shared.http.lists.paging import Paged
from shared.languages.catalogue import Catalogue
from shared.projections.errors import InvalidQuery, invalid

router = handwritten("pipeline-changes")


@answer_shape
class Leg:
    """One step of the waterfall. `amount` is signed; `title` is the leg in words."""

    leg: Annotated[str, words(LEGS)]
    title: str
    count: int
    amount: Money


@answer_shape
class PipelineChanges:
    """How the open pipeline came from `start` to `end`: end = start + the sum of the legs.

    All amounts are in the company's currency: what leaves is worth what it was at the start, what enters or changes
    what it is at the end, each at the exchange rate of that day (`start_rates`, `rates`). What deals of both
    instants gained or lost by the rates alone is the leg `fx`, which also takes up fractions of a minor unit of sums
    that were translated. `unconverted` counts the open deals of the end that were left out for want of a rate.
    """

    since: datetime
    since_day: date
    """The first day that counts: the day after `since`, when that is the end of a day."""
    as_of: datetime
    known_at: datetime | None
    period: str | None
    currency: str
    start_rates: list[UsedRate]
    rates: list[UsedRate]
    unconverted: list[Unconverted]
    start: CountedMoney
    legs: list[Leg]
    end: CountedMoney


@answer_shape
class MovedDeal:
    """A deal behind a leg. `amount`, `before` and `after` are in the company's currency, each at the exchange rate of
    the leg; `own_before` and `own_after` are in the deal's."""

    id: UUID
    name: str
    leg: Annotated[str, words(LEGS)]
    amount: Money
    before: Money | None
    after: Money | None
    own_before: Money | None
    own_after: Money | None


@answer_shape
class MovedDeals:
    """The deals behind the legs, the largest first, a page of them, and what all of them add up to. `unconverted`
    counts the open deals of the end that were left out for want of an exchange rate."""

    since: datetime
    as_of: datetime
    currency: str
    count: int
    amount: Money
    unconverted: list[Unconverted]
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


@router.get(
    "/v1/pipeline-changes",
    **operation(
        roles=READING,
        reads=("deals", "rates"),
        answers=PipelineChanges,
        worded=True,
    ),
)
async def pipeline_changes(
    query: PastQuery, since: Since = None, until: Until = None, within: Within = None
) -> Response:
    """What changed in the open pipeline between two instants.

    Deals that leave are valued as they stood at the start, deals that enter as they stand at the end; increase and
    decrease are those of deals that are there at both. A deal that came and was won, lost or abandoned in between is in
    both legs, with its amount at the end. Pulled and pushed legs need a period.
    """
    start, end, wanted = _range(query, since, until, within)
    async with query.reading() as reading:
        found = await waterfall(reading, query.company, start, end, wanted)
        parked = reading.parked
    before, after = _counted(found.start, query.currency), _counted(found.end, query.currency)
    return answer(
        PipelineChanges(
            since=start.as_of,
            since_day=query.company.day(start.as_of + timedelta(microseconds=1)),
            as_of=end.as_of,
            known_at=end.known_at,
            period=wanted.name if wanted else None,
            currency=query.currency,
            start_rates=shown_rates(found.start.rates),
            rates=shown_rates(found.end.rates),
            unconverted=shown_left_out(query.words, found.end.unconverted),
            start=before,
            legs=_legs(found, after.amount - before.amount, query.currency, query.words),
            end=after,
        ),
        parked=parked,
        words=query.words,
    )


@router.get(
    "/v1/pipeline-changes/deals",
    **operation(
        roles=READING,
        reads=("deals", "rates"),
        answers=MovedDeals,
        worded=True,
    ),
)
async def pipeline_changes_deals(
    query: PastQuery,
    paged: Paged,
    *,
    since: Since = None,
    until: Until = None,
    within: Within = None,
    leg: Annotated[LegName | None, Query(description="Only the deals of this leg.")] = None,
) -> Response:
    """The deals behind the legs."""
    start, end, wanted = _range(query, since, until, within)
    async with query.reading() as reading:
        found = await moved(
            reading, query.company, start, end, wanted, leg=leg, after=paged.behind(RowPlace), enough=paged.enough
        )
        parked = reading.parked
    page = paged.cut(found.moves, place_of)
    currency = query.currency
    return answer(
        MovedDeals(
            since=start.as_of,
            as_of=end.as_of,
            currency=currency,
            count=found.total.count,
            amount=money(found.total.amount, currency),
            unconverted=shown_left_out(query.words, found.unconverted),
            deals=[_moved_deal(move, currency) for move in page.rows],
            next=page.next,
            has_more=page.has_more,
        ),
        parked=parked,
        words=query.words,
        headers=page.headers,
    )


def _range(
    query: PastQuery, since: str | None, until: str | None, within: str | None
) -> tuple[Question, Question, Period | None]:
    end, now = query.question, query.service.clock.now()
    if until is not None:
        asked = instant(until, "to", query.company, now)
        end = replace(end, as_of=min(asked, end.as_of), current=end.current and asked >= end.as_of)
    today = query.company.day(end.as_of)
    # On a Monday the week that is over is of more interest than the one that has just begun.
    sunday = query.company.end_of(today - timedelta(days=(today.weekday() or 7) + 1))
    start_at = instant(since, "from", query.company, now) if since is not None else sunday
    if start_at > end.as_of:
        raise InvalidQuery([invalid("from", "from-after-to", "from lies after to.")])
    wanted = period(within, query.company) if within is not None else None
    return replace(end, as_of=start_at, current=False), end, wanted


def _counted(valued: Valued[OpenRow], currency: str) -> CountedMoney:
    total = sum((Sum(row.count, row.amount) for row in valued.rows), Sum())
    return CountedMoney(count=total.count, amount=money(total.amount, currency))


def _legs(found: Waterfall, change: Money, currency: str, catalogue: Catalogue) -> list[Leg]:
    """All legs, which add up to the change: where amounts were translated, each sum is rounded, and what is lost or
    gained by that belongs to the exchange rates."""
    shown = [_leg(leg, found.legs.get(leg, Sum()), currency, catalogue) for leg in LEGS]
    if not found.is_translated:
        return shown
    rest = sum((each.amount for each in shown if each.leg != FX), zero(currency))
    return [replace(each, amount=change - rest) if each.leg == FX else each for each in shown]


def _leg(leg: str, total: Sum, currency: str, catalogue: Catalogue) -> Leg:
    return Leg(leg=leg, title=leg_title(catalogue, leg), count=total.count, amount=money(total.amount, currency))


def _moved_deal(move: Move, currency: str) -> MovedDeal:
    return MovedDeal(
        id=move.deal_id,
        name=move.name,
        leg=move.leg,
        amount=money(move.amount, currency),
        before=None if move.before is None else money(move.before, currency),
        after=None if move.after is None else money(move.after, currency),
        own_before=None if move.own_before is None else money(move.own_before.amount, move.own_before.currency),
        own_after=None if move.own_after is None else money(move.own_after.amount, move.own_after.currency),
    )
