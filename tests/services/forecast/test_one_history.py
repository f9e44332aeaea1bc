"""One history, however it is told: the deals service and forecast say the same of a deal (DATA-5)."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.deals.domain.deal import deal
from services.deals.domain.deal.state import NoDeal
from services.forecast.pipeline.timeline import at
from shared.domain.aggregate import status_of
from shared.domain.history import folded, goes_on
from shared.events.deals.deal import DealAbandoned, DealCategoryChanged
from shared.events.envelope import Envelope
from tests.services.forecast.facts import (
    ANNA,
    BEN,
    DEAL,
    NORTH,
    SOUTH,
    eur,
    fact,
    handed_over,
    lost,
    moved,
    opened,
    renamed,
    reopened,
    repriced,
    rescheduled,
    won,
)
from tests.services.forecast.test_deals import START

EVER = START + timedelta(days=9999)
CASES = 2_000

CHANGES = st.sampled_from(
    [
        lambda on: moved("needs"),
        lambda on: moved("quotation"),
        lambda on: renamed("Both lines"),
        lambda on: renamed("Third line"),
        lambda on: repriced(700),
        lambda on: repriced(1300),
        lambda on: rescheduled(date(2026, 9, 1)),
        lambda on: handed_over(NORTH, ANNA),
        lambda on: handed_over(SOUTH, BEN),
        lambda on: DealCategoryChanged(deal_id=DEAL, before="pipeline", category="commit", judged_by="manager", on=on),
        lambda on: DealCategoryChanged(deal_id=DEAL, before="pipeline", category="omitted", judged_by="rep", on=on),
        won,
        lost,
        lambda on: DealAbandoned(deal_id=DEAL, on=on, amount=eur(1), stage="drafting", reason="no-need"),
        lambda on: replace(reopened(), on=on),
    ]
)
"""What happened on a day. What the events say beside what was told is wrong on purpose: no fold reads it."""

TOLD = st.tuples(CHANGES, st.integers(0, 4), st.none() | st.integers(0, 23), st.none() | st.sampled_from("abcdef"))


def recorded(number: int, told: tuple[Any, int, int | None, str | None]) -> Envelope[Any]:
    """A fact that was recorded as the `number`th: by its day or instant, as it happened or told under a name."""
    change, days, hour, name = told
    on = START.date() + timedelta(days=days)
    when = datetime.combine(on, time.max if hour is None else time(hour), START.tzinfo)
    made = fact(number, change(on), when, EVER - timedelta(seconds=100 - number))
    return replace(made, by_day=hour is None, fact=name, causation_id=UUID(int=number))


def history(told: Sequence[tuple[Any, int, int | None, str | None]]) -> list[Envelope[Any]]:
    """A deal that was opened on the first day, and what was told of it since."""
    begun = replace(fact(1, opened(), datetime.combine(START.date(), time.max, START.tzinfo)), by_day=True, fact="deal")
    return [begun, *(recorded(number, each) for number, each in enumerate(told, 2))]


@settings(max_examples=CASES)
@given(st.lists(TOLD, max_size=7))
def test_data_5_the_owner_and_forecast_tell_one_history(told: list[tuple[Any, int, int | None, str | None]]) -> None:
    facts = history(told)
    owned = deal.of(facts)
    seen = at(facts, EVER, EVER)
    assert seen is not None
    assert not isinstance(owned, NoDeal)
    assert (seen.outcome, seen.stage, seen.amount) == (status_of(deal, owned), owned.stage, owned.amount.amount)
    assert (seen.category, seen.probability, seen.expected_close) == (
        owned.category,
        owned.probability,
        owned.expected_close,
    )
    assert seen.name == owned.name
    assert (seen.owner, seen.team, seen.closed_on) == (owned.owner, owned.team, getattr(owned, "on", None))


@settings(max_examples=CASES)
@given(st.lists(TOLD, max_size=7), st.randoms(use_true_random=False))
def test_data_5_arrival_changes_nothing_of_what_was_told(
    told: list[tuple[Any, int, int | None, str | None]], dice: random.Random
) -> None:
    """Everything under a name of its own: then nothing corrects anything, and nothing was recorded as it happened."""
    named = [(change, days, hour, f"n{number}") for number, (change, days, hour, _) in enumerate(told)]
    expected = history(named)
    shuffled = list(named)
    dice.shuffle(shuffled)
    again = history(shuffled)
    assert deal.of(again) == deal.of(expected)
    assert at(again, EVER, EVER) == at(expected, EVER, EVER)


WON_THEN = (won, 0, 15, None)


@example([WON_THEN])
@given(st.lists(TOLD, max_size=3))
def test_data_5_a_state_goes_on_as_if_it_were_folded_whole(
    told: list[tuple[Any, int, int | None, str | None]],
) -> None:
    """What follows all others is folded onto the state; the result is that of the whole history."""
    facts = history(told)
    state, so_far = deal.start(), None
    for number, each in enumerate(facts, 1):
        state = deal.evolve(state, each.data) if goes_on(so_far, [each]) else deal.of(facts[:number])
        so_far = folded(so_far, [each])
    assert state == deal.of(facts)
