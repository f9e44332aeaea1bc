"""PROC-4: visits that were held, whose they are, and what of them was known when."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from services.forecast.visits.queries import held
from shared.domain.roles import Role
from shared.events.deals.deal import DealActivityLogged, DealFactRetracted
from shared.events.deals.deal_record import DealActivityCorrected
from shared.events.envelope import Envelope
from shared.events.leads.lead import LeadActivityLogged, LeadFactRetracted
from tests.services.forecast.conftest import Forecast
from tests.services.forecast.facts import ANNA, BEN, DEAL, NORTH, SOUTH, day, fact
from tests.services.forecast.test_targets import question

FIRST, LAST = date(2026, 1, 1), date(2026, 3, 31)
LEAD = UUID(int=7000)
REQUESTS = [UUID(int=7100 + number) for number in range(9)]


def visit(kind: str = "visit", on: str | None = None, by: UUID | None = None) -> DealActivityLogged:
    """Anna's deal is visited."""
    held_on = date.fromisoformat(on) if on else None
    return DealActivityLogged(deal_id=DEAL, activity_id=DEAL, kind=kind, by=by, on=held_on, owner=ANNA, team=NORTH)


def corrected(kind: str, on: str) -> DealActivityCorrected:
    return DealActivityCorrected(
        deal_id=DEAL, activity_id=DEAL, kind=kind, on=date.fromisoformat(on), owner=ANNA, team=NORTH
    )


def told(sequence: int, data: Any, on: str, recorded: str | None = None, name: str | None = None) -> Envelope[Any]:
    """A fact by a request of its own."""
    made = fact(sequence, data, day(on), day(recorded) if recorded else None)
    return replace(made, causation_id=REQUESTS[sequence], fact=name, imported=name is not None)


def of_lead(sequence: int, data: Any, on: str) -> Envelope[Any]:
    made = fact(sequence, data, day(on), deal=LEAD)
    return replace(made, service="leads", aggregate="lead", causation_id=REQUESTS[sequence])


async def count(forecast: Forecast, facts: Sequence[Envelope[Any]], **asked: Any) -> int:
    await forecast.journal_facts(facts)
    return await again(forecast, **asked)


async def again(forecast: Forecast, **asked: Any) -> int:
    about = {"as_of": day("2026-06-30"), "known_at": None, **asked}
    async with forecast.reading() as reading:
        return await held(reading("visits"), replace(question(Role.SALES_DIRECTOR), **about), FIRST, LAST)


@pytest.mark.parametrize(
    ("data", "on", "counts"),
    [
        (visit(), "2026-01-01", 1),
        (visit(), "2026-03-31", 1),
        (visit(), "2025-12-31", 0),
        (visit(), "2026-04-01", 0),
        (visit(on="2026-03-31"), "2026-04-01", 1),
        (visit(on="2025-12-31"), "2026-01-01", 0),
        (visit("call"), "2026-02-01", 0),
        (visit("meeting"), "2026-02-01", 0),
    ],
)
async def test_proc_4_a_visit_counts_on_the_day_on_which_it_was_held(
    forecast: Forecast, data: DealActivityLogged, on: str, counts: int
) -> None:
    assert await count(forecast, [told(1, data, on)]) == counts


async def test_proc_4_a_visit_is_of_whoever_held_it_else_of_the_owner(forecast: Forecast) -> None:
    lead = LeadActivityLogged(lead_id=LEAD, activity_id=LEAD, kind="visit", owner=BEN, team=SOUTH)
    facts = [
        told(1, visit(), "2026-01-10"),
        told(2, visit(by=BEN), "2026-01-11"),
        of_lead(1, lead, "2026-01-12"),
        of_lead(2, replace(lead, kind="demo"), "2026-01-13"),
    ]
    assert await count(forecast, facts) == 3
    assert await again(forecast, owners=(ANNA,)) == 1
    assert await again(forecast, owners=(BEN,)) == 2
    assert await again(forecast, teams=(NORTH,)) == 2
    assert await again(forecast, teams=(SOUTH,)) == 1


async def test_api_4_a_rep_sees_their_own_visits(forecast: Forecast) -> None:
    await forecast.journal_facts([told(1, visit(), "2026-01-10"), told(2, visit(by=BEN), "2026-01-11")])
    async with forecast.reading() as reading:
        rep = replace(question(Role.REP), as_of=day("2026-06-30"))
        assert await held(reading("visits"), rep, FIRST, LAST) == 1


async def test_proc_4_what_was_no_visit_counts_until_that_was_known(forecast: Forecast) -> None:
    """DATA-5: a correction takes back what was told, and says what it was; both count from when they were recorded."""
    facts = [
        told(1, visit(), "2026-01-10"),
        told(2, visit(), "2026-01-20"),
        told(3, DealFactRetracted(deal_id=DEAL, request=REQUESTS[1]), "2026-01-10", recorded="2026-02-01"),
        told(4, corrected("call", "2026-01-10"), "2026-01-10", recorded="2026-02-01"),
    ]
    assert await count(forecast, facts) == 1
    assert await again(forecast, known_at=day("2026-01-31")) == 2
    assert await again(forecast, as_of=day("2026-01-15")) == 0
    assert await again(forecast, as_of=day("2026-01-15"), known_at=day("2026-01-31")) == 1


async def test_proc_4_what_was_a_visit_after_all_counts_on_its_own_day(forecast: Forecast) -> None:
    facts = [
        told(1, visit("call"), "2026-01-10"),
        told(2, DealFactRetracted(deal_id=DEAL, request=REQUESTS[1]), "2026-01-10", recorded="2026-02-01"),
        told(3, corrected("visit", "2026-01-09"), "2026-01-09", recorded="2026-02-01"),
    ]
    assert await count(forecast, facts) == 1
    assert await again(forecast, known_at=day("2026-01-31")) == 0


async def test_data_5_history_that_is_told_anew_counts_once_and_what_is_taken_back_not_at_all(
    forecast: Forecast,
) -> None:
    facts = [
        told(1, visit(), "2026-01-10", recorded="2026-04-01", name="a"),
        told(2, visit(), "2026-01-12", recorded="2026-05-01", name="a"),
        told(3, visit(), "2026-01-20", recorded="2026-04-01", name="b"),
        told(4, visit("call"), "2026-01-20", recorded="2026-05-01", name="b"),
    ]
    assert await count(forecast, facts) == 1
    assert await again(forecast, known_at=day("2026-04-15")) == 2
    back = [told(5, DealFactRetracted(deal_id=DEAL, request=REQUESTS[4]), "2026-01-20", recorded="2026-06-01")]
    assert await count(forecast, back) == 2
    assert await again(forecast, known_at=day("2026-05-15")) == 1


async def test_data_5_a_visit_to_a_lead_is_taken_back(forecast: Forecast) -> None:
    lead = LeadActivityLogged(lead_id=LEAD, activity_id=LEAD, kind="visit", owner=BEN, team=SOUTH)
    assert await count(forecast, [of_lead(1, lead, "2026-01-12")]) == 1
    gone = of_lead(2, LeadFactRetracted(lead_id=LEAD, request=REQUESTS[1]), "2026-01-12")
    assert await count(forecast, [gone]) == 0
