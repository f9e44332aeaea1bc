"""The database says of the legs what the rule says of every deal, for any two instants, scope and period (FC-3)."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.forecast.asking.question import Question
from services.forecast.pipeline.legs import Comparison, Move, Pair, _counts, moves, place_of, worth_of
from services.forecast.pipeline.queries.changes import moved, waterfall
from services.forecast.pipeline.routes.changes import _counted, _legs
from services.forecast.pipeline.timeline import DealState, at
from shared.domain.context import Company
from shared.domain.money import zero
from shared.domain.periods import CALENDAR_YEAR, Period
from shared.languages.shipped import SHIPPED
from tests.services.forecast.conftest import COMPANY, Forecast
from tests.services.forecast.facts import ANNA, BEN, NORTH, SOUTH
from tests.services.forecast.rates import by_hand, nearly, tables
from tests.services.forecast.test_changes import ALL
from tests.services.forecast.test_deals import START, story

SCOPES: tuple[dict[str, Any], ...] = (
    {},
    {"teams": (NORTH,)},
    {"owners": (ANNA,)},
    {"sees_all": False, "sees_teams": (NORTH,), "member": BEN, "owners": (ANNA, BEN)},
    {"sees_all": False, "sees_teams": (SOUTH,), "member": ANNA},
    {"sees_all": False, "sees_teams": (), "member": BEN},
    {"sees_all": False, "sees_teams": (), "member": None},
)
PERIODS = (None, CALENDAR_YEAR.period("2026-Q1"), CALENDAR_YEAR.period("2026-Q2"), CALENDAR_YEAR.period("2026-10"))
PAIRS = ((-1, 80), (20, 20), *((day, day + 12) for day in range(3, 63, 12)))
"""Days after the beginning."""


async def test_the_legs_are_those_of_the_rule(forecast: Forecast) -> None:
    dice = random.Random(7)
    stories = [story(dice, UUID(int=2000 + number)) for number in range(150)]
    recorded = sorted(
        (one for facts in (*stories, tables()) for one in facts), key=lambda one: (one.recorded_at, one.sequence)
    )
    await forecast.journal_facts(recorded)
    ever, seen = START + timedelta(days=999), Counter[str]()
    for first, last in PAIRS:
        start, end = (START + timedelta(days=day) for day in (first, last))
        truth = [(at(facts, start, ever), at(facts, end, ever)) for facts in stories]
        for scope in SCOPES:
            for within in PERIODS:
                asked = replace(ALL, as_of=start, **scope), replace(ALL, as_of=end, **scope)
                seen.update(await compare(forecast, truth, *asked, within))
    assert not {"new", "fx", "reopened", "won", "lost", "pushed-out", "pulled-in", "scope-in", "scope-out"} - set(seen)


async def compare(
    forecast: Forecast,
    truth: list[tuple[DealState | None, DealState | None]],
    start: Question,
    end: Question,
    within: Period | None,
) -> Counter[str]:
    span = between(truth, start, end, within)
    expected = moves(truth, span)
    names = Counter(move.leg for move in expected)
    async with forecast.reading() as reading:
        found = await waterfall(reading, COMPANY, start, end, within)
        assert {leg: (total.count, nearly(total.amount)) for leg, total in found.legs.items()} == {
            leg: (number, nearly(sum((move.amount for move in expected if move.leg == leg), Decimal(0))))
            for leg, number in names.items()
        }
        first, last = _counted(found.start, "EUR").amount, _counted(found.end, "EUR").amount
        shown = _legs(found, last - first, "EUR", SHIPPED["en"])
        assert first + sum((leg.amount for leg in shown), zero("EUR")) == last, "to the cent"
        for leg in (None, *names):
            chosen = sorted((move for move in expected if leg in (None, move.leg)), key=place_of)
            behind = await moved(reading, COMPANY, start, end, within, leg=leg, after=None, enough=1000)
            assert (behind.moves, behind.total.count) == (chosen, len(chosen))
            await rest(reading, start, end, within, leg, chosen)
    before = [span.at_start(worth_of(state)) for state, _ in truth if state and _counts(state, start, within)]
    after = [span.at_end(worth_of(state)) for _, state in truth if state and _counts(state, end, within)]
    assert nearly(sum((row.amount for row in found.start.rows), Decimal(0))) == nearly(total(before))
    assert nearly(sum((row.amount for row in found.end.rows), Decimal(0))) == nearly(total(after))
    assert nearly(total(move.amount for move in expected)) == nearly(total(after) - total(before))
    return names


def total(amounts: Iterable[Decimal | None]) -> Decimal:
    """The sum of those that there is a rate for."""
    return sum((amount for amount in amounts if amount is not None), Decimal(0))


def between(
    pairs: Sequence[Pair], start: Question, end: Question, within: Period | None, company: Company = COMPANY
) -> Comparison:
    """What lies between two instants, by the rates of both days."""
    days = company.day(start.as_of), company.day(end.as_of)
    currencies = {state.currency for pair in pairs for state in pair if state is not None}
    rates = by_hand(end, company, ((currency, day) for currency in currencies for day in days))
    return Comparison(start=start, end=end, rates=rates, first_day=days[0], last_day=days[1], wanted=within)


async def rest(
    reading: Any, start: Question, end: Question, within: Period | None, leg: str | None, chosen: list[Move]
) -> None:
    if len(chosen) > 1:
        middle = place_of(chosen[len(chosen) // 2])
        after = await moved(reading, COMPANY, start, end, within, leg=leg, after=middle, enough=2)
        assert after.moves == chosen[len(chosen) // 2 + 1 :][:2]
        assert after.total.count == len(chosen)
