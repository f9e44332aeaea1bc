"""The database weighs the dangers of deals as the rule does, so that only those told are read (FC-4)."""

import random
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.forecast.pipeline.dangers import dangers
from services.forecast.pipeline.queries.endangered import FIRST, due_by, endangered, place_of
from services.forecast.pipeline.queries.worth import worth_of_deals
from services.forecast.pipeline.timeline import at
from services.forecast.processes.queries import stages
from shared.domain.periods import CALENDAR_YEAR
from shared.events.forecast.policy import DangerRules
from tests.services.forecast.conftest import COMPANY, Forecast
from tests.services.forecast.facts import ANNA, NORTH, SHORT, fact
from tests.services.forecast.rates import by_hand, tables
from tests.services.forecast.test_changes import ALL
from tests.services.forecast.test_deals import START, story
from tests.services.forecast.test_processes import STANDARD_STAGES, published

SCOPES: tuple[dict[str, Any], ...] = ({}, {"teams": (NORTH,)}, {"owners": (ANNA,)}, {"current": True})


async def test_the_endangered_are_those_of_the_rule(forecast: Forecast) -> None:
    dice = random.Random(11)
    stories = [story(dice, UUID(int=3000 + number)) for number in range(80)]
    recorded = sorted(
        (one for facts in (*stories, tables()) for one in facts), key=lambda one: (one.recorded_at, one.sequence)
    )
    process = fact(1, published(SHORT, "standard", "Standard", 1, STANDARD_STAGES), START, deal=SHORT)
    await forecast.journal_facts([process, *recorded])
    codes: set[str] = set()
    for moment in (3, 9, 20, 45, 80, 900):
        for scope in SCOPES:
            if moment == 900 or "current" not in scope:
                for name in ("2026-Q1", "2026-03", "2026"):
                    asked = replace(ALL, as_of=START + timedelta(days=moment), **scope)
                    codes |= await compare(forecast, stories, asked, name)
    assert codes == {"close-date-passed", "silent", "pushed", "stage-overdue", "too-early"}


RULES = DangerRules(ending_days=45, far_from_won=Decimal("0.4"))
"""Others than the default: what SQL weighs and what the rule tells are held against each other."""


async def compare(forecast: Forecast, stories: list[Any], asked: Any, name: str) -> set[str]:
    wanted, ever = CALENDAR_YEAR.period(name), START + timedelta(days=9999)
    async with forecast.reading() as reading:
        norms = {stage.key: stage for stage in await stages(reading("processes"))}
        states = [state for facts in stories if (state := at(facts, asked.as_of, ever)) is not None]
        open_then = [each for each in states if due_by(wanted).admits(each) and asked.covers(each.team, each.owner)]
        today = COMPANY.day(asked.as_of)
        rates = by_hand(asked, COMPANY, ((state.currency, today) for state in open_then))
        deals = worth_of_deals(open_then, rates, today)
        judged = [(deal, dangers(deal.state, asked.as_of, COMPANY, norms, wanted, RULES)) for deal in deals]
        expected = sorted((each for each in judged if each[1]), key=place_of)

        async def read(after: Any, enough: int) -> Any:
            return await endangered(reading, asked, COMPANY, norms, wanted, rules=RULES, after=after, enough=enough)

        found = await read(None, 1000)
        assert (found.deals, found.count) == (expected, len(expected))
        first, beyond = await read(FIRST, 3), await read((10**30, UUID(int=0)), 3)
        assert (first.deals, first.count, beyond.deals, beyond.count) == (
            expected[:3],
            len(expected),
            [],
            len(expected),
        )
        if len(expected) > 4:
            after = await read(place_of(expected[2]), 2)
            assert after.deals == expected[3:5]
    return {reason.code for _, reasons in expected for reason in reasons}
