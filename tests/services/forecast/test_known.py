"""What was known then is the same as by folding every fact, whoever asks, and costs what they may see (FC-1, API-4)."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from services.forecast.asking.question import NOBODY, Question
from services.forecast.conformance.queries import cases_behind, counted_cases
from services.forecast.pipeline.legs import moves
from services.forecast.pipeline.legs import place_of as place_of_move
from services.forecast.pipeline.queries.changes import moved, waterfall
from services.forecast.pipeline.queries.drilling import deals_behind, place_of
from services.forecast.pipeline.queries.totals import (
    Wanted,
    closed_rows,
    counts,
    deals_then,
    open_rows,
    tally_closed,
    tally_counts,
    tally_open,
)
from services.forecast.pipeline.queries.worth import worth_of_deals
from services.forecast.pipeline.timeline import DealState, at
from shared.domain.periods import CALENDAR_YEAR
from shared.events.envelope import Envelope
from shared.eventstore.log import Log
from tests.services.forecast.conftest import COMPANY, Forecast
from tests.services.forecast.facts import ANNA, BEN, NORTH, SOUTH, day, fact, handed_over, opened, repriced
from tests.services.forecast.rates import by_hand, tables
from tests.services.forecast.test_changes import ALL
from tests.services.forecast.test_conformance import refused
from tests.services.forecast.test_deals import START, story
from tests.services.forecast.test_legs import between

YEAR = (date(2026, 1, 1), date(2026, 12, 31))
FEW = 100
"""So many facts may be folded without looking up."""
CARL, WEST = UUID(int=301), UUID(int=300)

ASKERS: list[dict[str, Any]] = [
    {},
    {"sees_all": False, "member": BEN},
    {"sees_all": False, "member": CARL},
    {"sees_all": False, "member": BEN, "sees_teams": (NORTH,)},
    {"sees_all": False, "member": CARL, "sees_teams": (SOUTH, WEST)},
    {"sees_all": False, "member": BEN, "sees_teams": (NORTH,), "teams": (SOUTH,), "owners": (BEN,)},
    {"teams": (NORTH, WEST)},
    {"owners": (ANNA,)},
    {"owners": (ANNA, NOBODY)},
    {"sees_all": False, "member": BEN, "sees_teams": (NORTH,), "owners": (ANNA, BEN, NOBODY)},
]
"""A director, reps, managers, and their filters."""

Facts = list[Envelope[Any]]


def handed_around(dice: random.Random, deal: UUID) -> Facts:
    """A story in which the deal also goes to a third team, at the very instant of another fact, told late."""
    facts = story(dice, deal)
    for _ in range(dice.randrange(0, 3)):
        last, other = facts[-1], dice.choice(facts)
        data = dice.choice([handed_over(WEST, CARL, deal=deal), handed_over(SOUTH, BEN, deal=deal)])
        recorded = last.recorded_at + timedelta(hours=dice.randrange(0, 100))
        facts.append(fact(last.sequence + 1, data, other.occurred_at, recorded, deal))
    return facts


async def as_by_folding_everything(forecast: Forecast, stories: list[Facts], asked: Question) -> None:
    """Compare every question with the fold of all facts."""
    known_at = asked.known_at
    assert known_at is not None
    start = replace(asked, as_of=asked.as_of - timedelta(days=11))
    pairs = [(at(facts, start.as_of, known_at), at(facts, asked.as_of, known_at)) for facts in stories]
    seen = [after for _, after in pairs if after is not None and asked.covers(after.team, after.owner)]
    async with forecast.reading() as reading:
        db = reading("deals")
        assert ids(await deals_then(db, asked)) == ids(seen)
        assert await open_rows(db, asked, COMPANY) == tally_open(seen)
        assert await closed_rows(db, asked, COMPANY, *YEAR) == tally_closed(seen, COMPANY, *YEAR)
        assert await counts(db, asked, COMPANY, START) == tally_counts(seen, asked.as_of, START, COMPANY)
        for within in (None, CALENDAR_YEAR.period("2026-Q2")):
            expected = sorted(moves(pairs, between(pairs, start, asked, within)), key=place_of_move)
            found = await moved(reading, COMPANY, start, asked, within, leg=None, after=None, enough=999)
            assert (found.moves, found.total.count) == (expected, len(expected))
            legs = (await waterfall(reading, COMPANY, start, asked, within)).legs
            assert set(legs) == {move.leg for move in expected}
        wanted, today = Wanted(outcome="open"), COMPANY.day(asked.as_of)
        states = [state for state in seen if wanted.admits(state)]
        rates = by_hand(asked, COMPANY, ((state.currency, today) for state in states))
        chosen = sorted(worth_of_deals(states, rates, today), key=place_of)
        behind = await deals_behind(reading, asked, COMPANY, [wanted], after=None, enough=3)
        assert (behind.deals, behind.total.count) == (chosen[:3], len(chosen))


def ids(states: list[DealState]) -> dict[UUID, DealState]:
    """The states by their deals."""
    return {state.deal_id: state for state in states}


@pytest.mark.parametrize("seed", [1, 2])
async def test_each_asker_gets_what_folding_every_fact_gives(forecast: Forecast, seed: int) -> None:
    dice = random.Random(seed)
    stories = [handed_around(dice, UUID(int=1000 + number)) for number in range(40)]
    recorded = sorted(
        (one for facts in (*stories, tables()) for one in facts), key=lambda one: (one.recorded_at, one.sequence)
    )
    await forecast.journal_facts(recorded)
    for _ in range(8):
        as_of = START + timedelta(hours=dice.randrange(0, 1500))
        known_at = as_of + timedelta(hours=dice.choice([-200, 0, 0, 40, 400]))
        for asker in ASKERS:
            await as_by_folding_everything(forecast, stories, replace(ALL, as_of=as_of, known_at=known_at, **asker))


async def test_a_deal_is_found_by_whom_it_belonged_to_for_no_time(forecast: Forecast) -> None:
    """What was told later makes the first owner's time none; then it was all that was known."""
    noon, later = day("2026-01-05"), day("2026-01-20")
    await forecast.journal_facts(
        [fact(1, opened(team=SOUTH, owner=BEN), noon), fact(2, handed_over(NORTH, ANNA), noon, later)]
    )
    bens = replace(ALL, as_of=day("2026-01-10"), sees_all=False, member=BEN)
    for known_at, number in ((day("2026-01-10"), 1), (later, 0)):
        async with forecast.reading() as reading:
            assert len(await deals_then(reading("deals"), replace(bens, known_at=known_at))) == number


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Facts:
    """Every row of a log that is read from now on."""
    read: Facts = []
    decode: Callable[[Log, Any], Any] = Log._decoded

    def counting(log: Log, row: Any) -> Any:
        read.append(entry := decode(log, row))
        return entry

    monkeypatch.setattr(Log, "_decoded", counting)
    return read


DEALS = [UUID(int=1000 + each) for each in range(30)]


def lives(number: int) -> Facts:
    """Deals of Anna, and one that was Ben's until it was handed over."""
    facts: Facts = []
    for deal in (UUID(int=1000 + each) for each in range(number)):
        owner = BEN if deal.int == 1000 else ANNA
        facts += [
            fact(1, opened(deal=deal, owner=owner, team=NORTH), START, deal=deal),
            fact(2, repriced(700, deal=deal), START + timedelta(days=1), deal=deal),
            fact(3, handed_over(NORTH, ANNA, deal=deal), START + timedelta(days=2), deal=deal),
            fact(4, repriced(800, deal=deal), START + timedelta(days=3), deal=deal),
        ]
    return facts


async def test_only_the_deals_that_the_asker_ever_had_are_read(forecast: Forecast, decoded: Facts) -> None:
    await forecast.journal_facts(lives(30))
    as_of = START + timedelta(days=2.5)
    bens = replace(ALL, as_of=as_of, known_at=as_of, sees_all=False, member=BEN)
    decoded.clear()
    async with forecast.reading() as reading:
        assert await deals_then(reading("deals"), bens) == []
    assert [(one.aggregate_id.int, one.sequence) for one in decoded] == [(1000, 1), (1000, 2), (1000, 3)]


async def test_facts_are_read_once_for_all_parts_of_an_answer(forecast: Forecast, decoded: Facts) -> None:
    await forecast.journal_facts(lives(30))
    asked = replace(ALL, as_of=START + timedelta(days=9), known_at=START + timedelta(days=9))
    decoded.clear()
    async with forecast.reading() as reading:
        db = reading("deals")
        await open_rows(db, asked, COMPANY)
        await closed_rows(db, asked, COMPANY, *YEAR)
        await counts(db, asked, COMPANY, START)
    assert len(decoded) == 4 * 30


async def test_fc_17_facts_are_read_once_for_how_many_cases_there_are_and_for_those_behind_them(
    forecast: Forecast, decoded: Facts
) -> None:
    refusals = [fact(5, refused("needs", deal=deal), START + timedelta(days=4), deal=deal) for deal in DEALS]
    await forecast.journal_facts([*lives(30), *refusals])
    asked = replace(ALL, as_of=START + timedelta(days=9), known_at=START + timedelta(days=9))
    period = CALENDAR_YEAR.period("2026")
    async with forecast.reading() as reading:
        decoded.clear()
        counted = await counted_cases(reading, asked, COMPANY, period)
        read = len(decoded)
        found = await cases_behind(reading, asked, COMPANY, period, list(counted), after=None, enough=99)
        assert (sum(counted.values()), len(found)) == (30, 30)
        assert len(decoded) == read
        other = await counted_cases(reading, asked, COMPANY, CALENDAR_YEAR.period("2025"))
    assert (sum(other.values()), len(decoded)) == (0, 2 * read), "of another period they are others"


async def test_the_loop_goes_round_between_small_parts(forecast: Forecast, decoded: Facts) -> None:
    """Leases and heartbeats are kept by the loop that folds."""
    await forecast.journal_facts(lives(100))
    asked = replace(ALL, as_of=START + timedelta(days=9), known_at=START + timedelta(days=9))
    seen: list[int] = []

    async def look() -> None:
        while True:
            seen.append(len(decoded))
            await asyncio.sleep(0)

    decoded.clear()
    looking = asyncio.create_task(look())
    async with forecast.reading() as reading:
        assert len(await deals_then(reading("deals"), asked)) == 100
    looking.cancel()
    seen.append(len(decoded))
    assert seen[-1] == 400
    assert max(after - before for before, after in pairwise(seen)) <= FEW
