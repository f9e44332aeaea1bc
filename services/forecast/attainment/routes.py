"""Targets over HTTP: what is reached of them, what one would take, and what could be wanted next (PROC-4)."""

from collections import defaultdict
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal, get_args
from uuid import UUID

from annotated_types import Ge, Gt, Le
from fastapi import Query, Response

from services.forecast.asking.answers import Unconverted, money, ratio
from services.forecast.asking.parameters import AskedPeriod, PastQuery, QueryContext
from services.forecast.asking.periods import period
from services.forecast.attainment.queries import BOOKINGS, INVOICED, MEASURED, MEASURES, Measure, Measurement
from services.forecast.attainment.rules import UNITS, Reached, Unit, due, proposed, quota
from services.forecast.counting.sums import Sum
from services.forecast.counting.valuation import shown_left_out
from services.forecast.pipeline.queries.totals import WON_DEALS, deals_then
from services.forecast.pipeline.queries.worth import worth_of_deals
from services.forecast.rates.queries import rates_of
from services.forecast.targets.queries import target_of
from shared.domain.money import MAX_AMOUNT, half_up
from shared.domain.periods import Period
from shared.domain.roles import MANAGING, READING
from shared.events.deals.target import TargetKind
from shared.events.definition import Exact, words
from shared.events.money import Money
from shared.http.handwritten import answer, handwritten, operation
from shared.http.json import answer_shape
from shared.projections.errors import InvalidQuery, invalid

router = handwritten("target-attainment")

KINDS: tuple[TargetKind, ...] = get_args(TargetKind)
SHARE = Decimal("0.0001")


@answer_shape
class Figure:
    """A figure of a kind: an amount of what is money, else a number; a share has four decimals."""

    amount: Money | None
    number: Decimal | None


@answer_shape
class ShareOfCases:
    """A share with what it was worked out from."""

    value: Decimal | None
    numerator: Decimal
    denominator: Decimal


@answer_shape
class AttainedTarget:
    """What is reached of a kind. `attained` is actual ÷ target, `attained_so_far` actual ÷ due; both are null without a
    target. `n` cases are behind the actual, which is null where there is nothing to divide by, or nothing is
    measured."""

    kind: TargetKind
    name: str
    formula: str
    """By which it is measured, in words."""
    unit: Annotated[str, words(get_args(Unit))]
    is_measured: bool
    """Whether the product measures it; else people do."""
    target: Figure | None
    target_missing: list[str]
    """Quarters and months without a target, where others of the period have one: then the period has none."""
    due: Figure | None
    """What is to be reached by now: of what adds up the elapsed part of the target, else all of it."""
    actual: Figure | None
    n: int
    attained: Decimal | None
    attained_so_far: Decimal | None
    gap: Figure | None
    """Target − actual: below zero once it is exceeded."""
    fraction: ShareOfCases | None
    """Of what is divided, by what."""
    of_closed: ShareOfCases | None
    """Beside the win rate: won ÷ closed, of what was closed in the period."""
    basis: Annotated[str, words((INVOICED, BOOKINGS))] | None
    """What revenue counts: bookings until the first invoice exists."""
    bookings: Money | None
    """Beside revenue: what was won in the period."""
    receipts: Money | None
    """Beside revenue: what was received in the period for invoices."""
    unconverted: list[Unconverted]


@answer_shape
class TargetAttainments:
    """What is reached of the targets of a period, for the company, a team or a member."""

    as_of: datetime
    known_at: datetime | None
    period: str
    first: date
    last: date
    elapsed: Decimal
    """The share of the period's days that have begun."""
    currency: str
    attainments: list[AttainedTarget]


AskedKind = Annotated[
    TargetKind | None, Query(description="What was wanted. Default: all that is measured, and what has a target.")
]


@router.get(
    "/v1/target-attainment",
    **operation(roles=READING, reads=MEASURED, answers=TargetAttainments, worded=True),
)
async def target_attainment(query: PastQuery, name: AskedPeriod = None, kind: AskedKind = None) -> Response:
    """What is reached of the targets of a period.

    Of what is divided, what entered in the period counts, with what became of it by as_of: the win rate of a quarter is
    that of the deals that were opened in it. Targets are told to those who see them.
    """
    asked = query.question
    wanted = _period(query, name)
    async with query.reading() as reading:
        measure = Measure(reading=reading, asked=asked, company=query.company, period=wanted)
        found = [await _attainment(query, measure, each) for each in KINDS if kind in (None, each)]
        parked = reading.parked
    return answer(
        TargetAttainments(
            as_of=asked.as_of,
            known_at=asked.known_at,
            period=wanted.name,
            first=wanted.first,
            last=wanted.last,
            elapsed=ratio(*wanted.elapsed(query.company.day(asked.as_of))) or Decimal(0),
            currency=query.currency,
            attainments=[each for each in found if kind or each.is_measured or each.target],
        ),
        parked=parked,
        words=query.words,
    )


def _period(query: QueryContext, name: str | None) -> Period:
    """The period that is named, or the quarter that was running at the instant asked about."""
    today = query.company.day(query.question.as_of)
    return period(name, query.company) if name is not None else query.company.fiscal_year.quarter_of(today)


async def _attainment(query: QueryContext, measure: Measure, kind: TargetKind) -> AttainedTarget:
    goal = await target_of(measure.reading("targets"), measure.asked, measure.period, kind)
    measured = await MEASURES[kind](measure) if kind in MEASURES else None
    actual = None if measured is None else measured.reached.value
    begun, whole = measure.period.elapsed(query.company.day(measure.asked.as_of))
    by_now = None if goal.amount is None else due(kind, goal.amount, begun, whole)
    beside = (await measure.bookings(), await measure.receipts()) if kind == "revenue" else None
    return AttainedTarget(
        kind=kind,
        name=query.words.say(f"target.{kind}.name"),
        formula=query.words.say(f"target.{kind}.formula"),
        unit=UNITS[kind],
        is_measured=measured is not None,
        target=_figure(query, kind, goal.amount),
        target_missing=list(goal.missing),
        due=_figure(query, kind, by_now),
        actual=_figure(query, kind, actual),
        n=0 if measured is None else measured.reached.n,
        attained=None if actual is None else ratio(actual, goal.amount),
        attained_so_far=None if actual is None else ratio(actual, by_now),
        gap=None if actual is None or goal.amount is None else _figure(query, kind, goal.amount - actual),
        fraction=_fraction(None if measured is None else measured.reached),
        of_closed=_fraction(None if measured is None else measured.beside),
        basis=None if measured is None or kind != "revenue" else measured.basis,
        bookings=None if beside is None else money(beside[0].reached.numerator, query.currency),
        receipts=None if beside is None else money(beside[1].reached.numerator, query.currency),
        unconverted=_left_out(query, measured),
    )


def _figure(query: QueryContext, kind: str, value: Decimal | None) -> Figure | None:
    if value is None:
        return None
    match UNITS[kind]:
        case "money":
            return Figure(amount=money(value, query.currency), number=None)
        case "count":
            is_whole = value == value.to_integral_value()
            return Figure(amount=None, number=half_up(value, Decimal(1) if is_whole else Decimal("0.01")))
        case _:
            return Figure(amount=None, number=half_up(value, SHARE))


def _fraction(reached: Reached | None) -> ShareOfCases | None:
    if reached is None or reached.denominator is None:
        return None
    value = None if reached.value is None else half_up(reached.value, SHARE)
    return ShareOfCases(value=value, numerator=reached.numerator, denominator=half_up(reached.denominator, SHARE))


def _left_out(query: QueryContext, measured: Measurement | None) -> list[Unconverted]:
    return shown_left_out(query.words, (measured.unconverted if measured else None) or {})


# -- quotas -----------------------------------------------------------------------------------------------------------


@answer_shape
class QuotaInput:
    """What a quota is worked out from: given in the question, or found in the last twelve months, as numerator ÷
    denominator over `n` cases."""

    value: Decimal | None
    origin: Literal["given", "history"]
    numerator: Decimal | None
    denominator: Decimal | None
    n: int | None


@answer_shape
class TargetQuota:
    """How many wins, deals and leads a target takes, each rounded up; null from where an input is not known."""

    as_of: datetime
    known_at: datetime | None
    period: str
    currency: str
    target: Money | None
    target_origin: Literal["given", "set"]
    """Whether the target was given in the question, or is the revenue target that is set for the period."""
    since: date
    """The first day of the twelve months of history."""
    average_won_amount: QuotaInput
    win_rate: QuotaInput
    """Won ÷ all deals opened in these months: some of them are still open."""
    lead_conversion: QuotaInput
    """Leads that became deals ÷ all leads captured in these months."""
    wins: int | None
    deals: int | None
    leads: int | None
    missing: list[Annotated[str, words(("amount", "average", "win_rate", "conversion"))]]
    """The parameters to give, as what they stand for is not known or is zero: what rests on them is null."""


Amount = Annotated[Exact, Gt(Decimal(0)), Le(MAX_AMOUNT)]
Rate = Annotated[Exact, Gt(Decimal(0)), Le(Decimal(1))]


@router.get("/v1/target-quota", **operation(roles=READING, reads=MEASURED, answers=TargetQuota))
async def target_quota(
    query: PastQuery,
    *,
    name: AskedPeriod = None,
    amount: Annotated[
        Amount | None,
        Query(description="The target, in the company's currency. Default: the revenue target of the period."),
    ] = None,
    average: Annotated[
        Amount | None, Query(description="What a won deal brings. Default: that of the last twelve months.")
    ] = None,
    win_rate: Annotated[
        Rate | None, Query(description="Won ÷ opened deals, like 0.40. Default: that of the last twelve months.")
    ] = None,
    conversion: Annotated[
        Rate | None, Query(description="Deals ÷ leads, like 0.20. Default: that of the last twelve months.")
    ] = None,
) -> Response:
    """How many wins, deals and leads a revenue target takes.

    Target ÷ average won amount ÷ win rate ÷ lead conversion, each step rounded up. What is not given is taken from the
    history of the company, team or member that is asked about, with its sample size.
    """
    asked, wanted = query.question, _period(query, name)
    today = query.company.day(asked.as_of)
    year = Period(name="", first=_year_before(today), last=today, fiscal_year=query.company.fiscal_year)
    async with query.reading() as reading:
        history = Measure(reading=reading, asked=asked, company=query.company, period=year)
        goal = await target_of(reading("targets"), asked, wanted) if amount is None else None
        inputs = [
            _given(average) if average else _found((await history.average_won_amount()).reached, Decimal("0.01")),
            _given(win_rate) if win_rate else _found((await history.win_rate()).reached, SHARE),
            _given(conversion) if conversion else _found((await history.lead_conversion()).reached, SHARE),
        ]
        parked = reading.parked
    target = amount if goal is None else goal.amount
    rates = dict(zip(("average", "win_rate", "conversion"), map(_exact, inputs), strict=True))
    needed = quota(target or None, *rates.values())
    return answer(
        TargetQuota(
            as_of=asked.as_of,
            known_at=asked.known_at,
            period=wanted.name,
            currency=query.currency,
            target=None if target is None else money(target, query.currency),
            target_origin="set" if amount is None else "given",
            since=year.first,
            average_won_amount=inputs[0],
            win_rate=inputs[1],
            lead_conversion=inputs[2],
            wins=needed.wins,
            deals=needed.deals,
            leads=needed.leads,
            missing=[name for name, known in {"amount": target, **rates}.items() if not known],
        ),
        parked=parked,
    )


def _year_before(day: date) -> date:
    """The first of the twelve months that end with a day."""
    following = day + timedelta(days=1)
    leap = (following.month, following.day) == (2, 29)
    return date(following.year - 1, 3, 1) if leap else following.replace(year=following.year - 1)


def _given(value: Decimal) -> QuotaInput:
    return QuotaInput(value=value, origin="given", numerator=None, denominator=None, n=None)


def _found(reached: Reached, unit: Decimal) -> QuotaInput:
    return QuotaInput(
        value=None if reached.value is None else half_up(reached.value, unit),
        origin="history",
        numerator=reached.numerator,
        denominator=reached.denominator,
        n=reached.n,
    )


def _exact(known: QuotaInput) -> Fraction | None:
    """A rate as exactly as it is known: what is shown is rounded, and so is a third by decimals."""
    if known.numerator is not None and known.denominator:
        return Fraction(known.numerator) / Fraction(known.denominator)
    return None if known.value is None else Fraction(known.value)


# -- proposals --------------------------------------------------------------------------------------------------------


@answer_shape
class ProposedTarget:
    """What a team or rep could be to reach: what was won a year before × (1 + growth)."""

    level: Literal["company", "team", "rep"]
    team: UUID | None
    member: UUID | None
    won: int
    """How many deals were won."""
    before: Figure
    proposed: Figure


@answer_shape
class ProposedTargets:
    """Targets that follow from what was won a year before. Nothing is recorded: they are sent as targets, or others."""

    as_of: datetime
    known_at: datetime | None
    period: str
    before: str
    """The period a year earlier, whose wins count for whoever has the deals at as_of."""
    kind: Literal["revenue", "won-deals"]
    growth: Decimal
    currency: str
    proposals: list[ProposedTarget]
    """The company where whoever asks sees all of it, then teams, then reps, those who won most first."""
    without_rate: int
    """How many won deals are in a currency for which there is no rate, and are in no amount."""


@router.get(
    "/v1/target-proposals",
    **operation(roles=MANAGING, reads=("deals", "rates"), answers=ProposedTargets),
)
async def target_proposals(
    query: PastQuery,
    *,
    name: AskedPeriod = None,
    kind: Annotated[Literal["revenue", "won-deals"], Query(description="What could be wanted.")] = "revenue",
    growth: Annotated[
        Annotated[Exact, Ge(Decimal(-1)), Le(Decimal(10))],
        Query(description="By how much more: 0.10 is a tenth more, 1 twice as much."),
    ] = Decimal(0),
) -> Response:
    """Propose targets from what each team and rep won a year before.

    Bookings count, which every deal has: what was invoiced is of accounting. Amounts are rounded to whole units of the
    currency, counts up.
    """
    asked, wanted = query.question, _period(query, name)
    before = _earlier(query, wanted)
    async with query.reading() as reading:
        states = await deals_then(reading("deals"), asked, replace(WON_DEALS, closed=(before.first, before.last)))
        days = [(state.currency, state.closed_on) for state in states if state.closed_on is not None]
        rates = await rates_of(reading, asked, query.currency, days)
        parked = reading.parked
    worth = {each.state.deal_id: each.amount for each in worth_of_deals(states, rates, before.last)}
    sums: dict[Whose, Sum] = defaultdict(Sum)
    for state in states:
        for whose in _whose(state.team, state.owner, is_all=asked.sees_all):
            sums[whose] += Sum(1, worth.get(state.deal_id, Decimal(0)))
    order = ("company", "team", "rep")
    return answer(
        ProposedTargets(
            as_of=asked.as_of,
            known_at=asked.known_at,
            period=wanted.name,
            before=before.name,
            kind=kind,
            growth=growth,
            currency=query.currency,
            proposals=[
                _proposed(query, kind, growth, whose, sums[whose])
                for whose in sorted(
                    sums, key=lambda each: (order.index(each[0]), -sums[each].amount, str(each[1]), str(each[2]))
                )
            ],
            without_rate=len(states) - len(worth),
        ),
        parked=parked,
    )


Whose = tuple[Literal["company", "team", "rep"], UUID | None, UUID | None]


def _whose(team: UUID | None, owner: UUID | None, *, is_all: bool) -> list[Whose]:
    """Whose targets a deal counts for."""
    found: list[Whose] = [("company", None, None)] if is_all else []
    if team is not None:
        found.append(("team", team, None))
        if owner is not None:
            found.append(("rep", team, owner))
    return found


def _earlier(query: QueryContext, wanted: Period) -> Period:
    """The same period a year before. Raises InvalidQuery where the calendar has none."""
    name = f"{int(wanted.name[:4]) - 1:04}{wanted.name[4:]}"
    try:
        return query.company.fiscal_year.period(name)
    except ValueError:
        raise InvalidQuery([invalid("period", "not-a-period", "There is no such period a year before.")]) from None


def _proposed(
    query: QueryContext, kind: Literal["revenue", "won-deals"], growth: Decimal, whose: Whose, won: Sum
) -> ProposedTarget:
    level, team, member = whose
    value = won.amount if kind == "revenue" else Decimal(won.count)
    return ProposedTarget(
        level=level,
        team=team,
        member=member,
        won=won.count,
        before=_shown(query, kind, value),
        proposed=_shown(query, kind, proposed(kind, value, growth)),
    )


def _shown(query: QueryContext, kind: str, value: Decimal) -> Figure:
    if kind == "revenue":
        return Figure(amount=money(value, query.currency), number=None)
    return Figure(amount=None, number=value)
