"""The database says of the legs what the rule says of every deal, for any two instants, scope and period (FC-3)."""

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.forecast.asking.periods import Period, period
from services.forecast.asking.question import Question
from services.forecast.pipeline.legs import Move, _counts, moves, place_of
from services.forecast.pipeline.queries.changes import legs, moved
from services.forecast.pipeline.timeline import DealState, at
from tests.services.forecast.conftest import Forecast
from tests.services.forecast.facts import ANNA, BEN, NORTH, SOUTH
from tests.services.forecast.test_changes import ALL
from tests.services.forecast.test_deals import START, story

SCOPES: tuple[dict[str, Any], ...] = (
    {},
    {"teams": (NORTH,)},
    {"owner": ANNA},
    {"sees_all": False, "sees_teams": (SOUTH,), "member": ANNA},
    {"sees_all": False, "sees_teams": (), "member": BEN},
    {"sees_all": False, "sees_teams": (), "member": None},
)
PERIODS = (None, period("2026-Q1"), period("2026-Q2"), period("2026-10"))
PAIRS = ((-1, 80), (20, 20), *((day, day + 12) for day in range(3, 63, 12)))
"""Days after the beginning."""


async def test_the_legs_are_those_of_the_rule(forecast: Forecast) -> None:
    dice = random.Random(7)
    stories = [story(dice, UUID(int=2000 + number)) for number in range(90)]
    recorded = sorted((one for facts in stories for one in facts), key=lambda one: (one.recorded_at, one.sequence))
    await forecast.journal_facts(recorded)
    ever, seen = START + timedelta(days=999), Counter[str]()
    for first, last in PAIRS:
        start, end = (START + timedelta(days=day) for day in (first, last))
        truth = [(at(facts, start, ever), at(facts, end, ever)) for facts in stories]
        for scope in SCOPES:
            for within in PERIODS:
                asked = replace(ALL, as_of=start, **scope), replace(ALL, as_of=end, **scope)
                seen.update(await compare(forecast, truth, *asked, within))
    assert not {"new", "reopened", "won", "lost", "pushed-out", "pulled-in", "scope-in", "scope-out"} - set(seen)


async def compare(
    forecast: Forecast,
    truth: list[tuple[DealState | None, DealState | None]],
    start: Question,
    end: Question,
    within: Period | None,
) -> Counter[str]:
    expected = moves(truth, start, end, within)
    names = Counter(move.leg for move in expected)
    async with forecast.reading() as reading:
        sums = await legs(reading("deals"), start, end, within)
        assert {leg: (total.count, total.amount) for leg, total in sums.items()} == {
            leg: (number, sum((move.amount for move in expected if move.leg == leg), Decimal(0)))
            for leg, number in names.items()
        }
        for leg in (None, *names):
            chosen = sorted((move for move in expected if leg in (None, move.leg)), key=place_of)
            found = await moved(reading("deals"), start, end, within, leg=leg, after=None, enough=1000)
            assert (found.moves, found.total.count) == (chosen, len(chosen))
            await rest(reading("deals"), start, end, within, leg, chosen)
    assert sum(move.amount for move in expected) == Decimal(0) + sum(
        (after.amount for _, after in truth if after and _counts(after, end, within)), Decimal(0)
    ) - sum((before.amount for before, _ in truth if before and _counts(before, start, within)), Decimal(0))
    return names


async def rest(
    db: Any, start: Question, end: Question, within: Period | None, leg: str | None, chosen: list[Move]
) -> None:
    if len(chosen) > 1:
        middle = place_of(chosen[len(chosen) // 2])
        after = await moved(db, start, end, within, leg=leg, after=middle, enough=2)
        assert after.moves == chosen[len(chosen) // 2 + 1 :][:2]
        assert after.total.count == len(chosen)
