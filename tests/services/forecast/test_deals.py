"""The read model of deals says the same as counting every deal, now, then, and as known then (FC-1, FC-4)."""

import random
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.forecast.pipeline import model
from services.forecast.pipeline.figures import UNDATED
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
from services.forecast.pipeline.queries.worth import DealWorth, worth_of_deals
from services.forecast.pipeline.timeline import DealState, at
from shared.events.envelope import Envelope
from shared.projections.audit import differences
from tests.services.forecast.conftest import COMPANY, Forecast
from tests.services.forecast.facts import (
    ANNA,
    BEN,
    NORTH,
    SOUTH,
    day,
    fact,
    handed_over,
    lost,
    moved,
    opened,
    planned,
    renamed,
    reopened,
    repriced,
    rescheduled,
    won,
)
from tests.services.forecast.rates import CURRENCIES, by_hand, nearly, tables
from tests.services.forecast.test_changes import ALL

START = day("2026-01-01")
EVER = (date(2025, 1, 1), date(2027, 1, 1))
EVERY = (date.min, date.max)
LONG = (date(2025, 12, 30), date(2026, 2, 9))
"""A month in whole, and parts of those around it."""


WANTED = (
    Wanted(outcome="open", stage="quotation"),
    Wanted(outcome="won", closed=(date(2026, 1, 10), date(2026, 2, 10))),
    Wanted(outcome="open", due=(UNDATED, "2026-05")),
    Wanted(due=("2026-03", "2026-06")),
)

BEHIND = (
    Wanted(outcome="open"),
    Wanted(outcome="open", stage="quotation"),
    Wanted(outcome="won", closed=EVERY),
    Wanted(outcome="lost", closed=LONG),
)
"""What is drilled down into, page by page."""


def story(dice: random.Random, deal: UUID) -> list[Envelope[Any]]:
    """A deal's facts in the order of their recording; some come late."""
    owner, team = dice.choice([(ANNA, NORTH), (BEN, SOUTH)])
    currency = dice.choice(CURRENCIES)
    begun = START + timedelta(hours=dice.randrange(0, 400))
    first = opened(dice.randrange(1, 9) * 100, deal=deal, team=team, owner=owner, currency=currency)
    facts = [fact(1, first, begun, deal=deal)]
    recorded = begun
    for sequence in range(2, 2 + dice.randrange(0, 8)):
        recorded += timedelta(hours=dice.randrange(0, 200))
        late = timedelta(hours=dice.choice([0, 0, 0, 0, 30, 300]))
        data = dice.choice(
            [
                moved("needs", deal=deal),
                moved("quotation", deal=deal),
                repriced(dice.randrange(1, 20) * 100, deal=deal, currency=currency),
                repriced(dice.randrange(1, 20) * 100, deal=deal, currency=dice.choice((currency, *CURRENCIES))),
                rescheduled(date(2026, dice.randrange(1, 12), 3), deal=deal),
                rescheduled(date(2026, dice.randrange(1, 4), 3), deal=deal),
                handed_over(NORTH, ANNA, deal=deal),
                handed_over(SOUTH, BEN, deal=deal),
                won((recorded - late).date(), deal=deal),
                lost((recorded - late).date(), deal=deal),
                reopened(deal=deal),
                planned(date(2026, dice.randrange(1, 4), dice.randrange(1, 28)), deal=deal),
                planned(None, deal=deal),
                renamed(dice.choice(("Both lines", "Third line")), deal=deal),
            ]
        )
        facts.append(fact(sequence, data, max(begun, recorded - late), recorded, deal))
    return facts


async def compare(forecast: Forecast, stories: list[list[Envelope[Any]]], as_of: datetime, **narrowed: Any) -> None:
    asked = replace(ALL, as_of=as_of, **narrowed)
    known = asked.known_at or START + timedelta(days=999)
    truth = [at(facts, as_of, known) for facts in stories]
    expected = [state for state in truth if state is not None and asked.covers(state.team, state.owner)]
    async with forecast.reading() as reading:
        db, today = reading("deals"), COMPANY.day(as_of)
        assert await open_rows(db, asked, COMPANY) == tally_open(expected)
        for days in (EVER, EVERY, (date(2026, 1, 1), date(2026, 1, 31)), (date(2026, 1, 12), date(2026, 1, 29)), LONG):
            assert await closed_rows(db, asked, COMPANY, *days) == tally_closed(expected, COMPANY, *days), days
        assert _by_id(await deals_then(db, asked)) == _by_id(expected)
        for wanted in WANTED:
            chosen = [state for state in expected if wanted.admits(state)]
            assert _by_id(await deals_then(db, asked, wanted)) == _by_id(chosen), wanted
        for wanted in BEHIND:
            chosen = [state for state in expected if wanted.admits(state)]
            rates = by_hand(asked, COMPANY, ((state.currency, state.closed_on or today) for state in chosen))
            ranked = sorted(worth_of_deals(chosen, rates, today), key=place_of)
            pages, after = list[DealWorth](), None
            while (found := await deals_behind(reading, asked, COMPANY, [wanted], after=after, enough=3)).deals:
                pages, after = pages + found.deals, place_of(found.deals[-1])
            assert pages == ranked, wanted
            worth = sum((deal.amount for deal in ranked), Decimal(0))
            assert (found.total.count, nearly(found.total.amount)) == (len(ranked), nearly(worth))
            assert sum(what.count for what in found.unconverted.values()) == len(chosen) - len(ranked)
        for since in (START, as_of - timedelta(days=9)):
            assert await counts(db, asked, COMPANY, since) == tally_counts(expected, as_of, since, COMPANY)


def _by_id(states: list[DealState]) -> dict[UUID, DealState]:
    return {state.deal_id: state for state in states}


async def test_figures_are_those_of_counting(forecast: Forecast) -> None:
    dice = random.Random(20260316)
    stories = [story(dice, UUID(int=1000 + number)) for number in range(40)]
    recorded = sorted(
        (one for facts in (*stories, tables()) for one in facts), key=lambda one: (one.recorded_at, one.sequence)
    )
    third = len(recorded) // 3
    for page in (recorded[:third], recorded[third : 2 * third], recorded[2 * third :]):
        await forecast.journal_facts(page)
    moments = [START + timedelta(hours=dice.randrange(0, 1500)) for _ in range(12)]
    moments += [COMPANY.end_of(date(2026, 1, 20)), COMPANY.start_of(date(2026, 1, 20))]
    moments += [COMPANY.end_of(date(2026, 1, 31)), COMPANY.start_of(date(2026, 2, 1)), START + timedelta(days=200)]
    for moment in moments:
        await compare(forecast, stories, moment)
        await compare(forecast, stories, moment, known_at=moment)
        await compare(forecast, stories, moment, teams=(NORTH,))
        await compare(forecast, stories, moment, sees_all=False, sees_teams=(NORTH,), member=BEN)
        await compare(forecast, stories, moment, sees_all=False, sees_teams=(), member=BEN)
    await compare(forecast, stories, START + timedelta(days=900), current=True)
    await compare(forecast, stories, START + timedelta(days=900), current=True, owners=(ANNA,))


async def test_deals_folded_in_slices_have_the_rows_of_all_at_once(
    forecast: Forecast, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = random.Random(20260317)
    facts = [one for number in range(20) for one in story(dice, UUID(int=1000 + number))]
    with monkeypatch.context() as patched:
        patched.setattr(model, "FOLDED_AT_ONCE", 3)
        await forecast.journal_facts([*facts, *tables()])
    assert await differences(forecast.pool, forecast.journal, model.PROJECTION, COMPANY) == []


async def test_facts_that_come_again_or_late_change_the_past_they_belong_to(forecast: Forecast) -> None:
    facts = [
        fact(1, opened(), day("2026-01-05")),
        fact(2, won(date(2026, 2, 10)), day("2026-02-10")),
        fact(3, repriced(700), day("2026-01-20"), recorded=day("2026-02-12")),
        fact(4, renamed("Both lines"), day("2026-02-13")),
        fact(5, repriced(900), day("2026-01-22"), recorded=day("2026-02-14")),
    ]
    for one in facts:
        await forecast.journal_facts([one])
        known = facts[: facts.index(one) + 1]
        for moment in (day("2026-01-10"), day("2026-01-25"), day("2026-02-11"), day("2026-03-01")):
            await compare(forecast, [known], moment)
