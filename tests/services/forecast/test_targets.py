"""The target of a period: the one that is asked about, and only to those who see it (PROC-4, API-4)."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest

from services.forecast.asking.question import Question
from services.forecast.targets.queries import Goal, goal_of, target_of
from shared.domain.context import Actor
from shared.domain.periods import CALENDAR_YEAR
from shared.domain.roles import Role
from shared.events.deals.target import TargetSet
from shared.events.envelope import Envelope
from tests.services.forecast.conftest import Forecast
from tests.services.forecast.facts import ANNA, BEN, NORTH, SOUTH, day, eur, fact
from tests.services.forecast.test_changes import ALL

QUARTER = CALENDAR_YEAR.period("2026-Q1")


def target(
    number: int, amount: int, level: str, team: UUID | None = None, member: UUID | None = None
) -> Envelope[TargetSet]:
    """A target of the quarter."""
    one = UUID(int=500 + number)
    data = TargetSet(
        target_id=one,
        period=QUARTER.name,
        kind="revenue",
        level=level,
        amount=eur(amount),
        team=team,
        member=member,
    )
    return replace(fact(1, data, day("2026-01-02"), deal=one), aggregate="target")


TARGETS = [
    target(1, 100, "company"),
    target(2, 40, "team", NORTH),
    target(3, 60, "team", SOUTH),
    target(4, 25, "rep", NORTH, ANNA),
    target(5, 35, "rep", SOUTH, BEN),
]


def question(role: Role) -> Question:
    """Anna's, who sits in the north."""
    anna = Actor(subject="anna", roles=frozenset({role}), member=ANNA, team=NORTH, teams=frozenset({NORTH}))
    sees_teams = (NORTH,) if role is Role.MANAGER else ()
    return replace(ALL, asker=anna, member=ANNA, sees_all=role is Role.SALES_DIRECTOR, sees_teams=sees_teams)


@pytest.mark.parametrize(
    ("role", "unasked", "north", "south", "anna", "ben"),
    [
        (Role.REP, 25, 40, None, 25, None),
        (Role.MANAGER, 40, 40, None, 25, None),
        (Role.SALES_DIRECTOR, 100, 40, 60, 25, 35),
    ],
)
async def test_a_quota_is_told_to_those_who_see_it(
    forecast: Forecast,
    role: Role,
    unasked: int,
    north: int | None,
    south: int | None,
    anna: int | None,
    ben: int | None,
) -> None:
    """API-4: narrowing a question to another team or person does not give their target away."""
    await forecast.journal_facts(TARGETS)
    asked = question(role)
    async with forecast.reading() as reading:
        db = reading("targets")
        for narrowed, expected in [
            (asked, unasked),
            (replace(asked, teams=(NORTH,)), north),
            (replace(asked, teams=(SOUTH,)), south),
            (replace(asked, owners=(ANNA,)), anna),
            (replace(asked, owners=(BEN,)), ben),
        ]:
            found = await target_of(db, narrowed, QUARTER)
            assert found == Goal(amount=None if expected is None else Decimal(expected))


def months(*wanted: int) -> dict[str, Decimal]:
    return {f"2026-{month:02}": Decimal(month) for month in wanted}


QUARTERS = {f"2026-Q{quarter}": Decimal(100) for quarter in range(1, 5)}


@pytest.mark.parametrize(
    ("name", "known", "amount", "missing"),
    [
        ("2026", {}, None, []),
        ("2026", {"2026": Decimal(7), "2026-Q1": Decimal(100)}, 7, []),
        ("2026", {"2026-Q1": Decimal(100)}, None, ["2026-Q2", "2026-Q3", "2026-Q4"]),
        ("2026", QUARTERS, 400, []),
        ("2026", months(*range(1, 13)), 78, []),
        # Quarters with a target of their own beside months.
        ("2026", {**QUARTERS, **months(1)}, 400, []),
        ("2026", {"2026-Q1": Decimal(1), "2026-Q2": Decimal(2), "2026-Q3": Decimal(3), **months(10, 11, 12)}, 39, []),
        ("2026", months(1, 2), None, ["2026-03", "2026-Q2", "2026-Q3", "2026-Q4"]),
        ("2026-Q1", months(1, 3), None, ["2026-02"]),
        ("2026-Q1", months(1, 2, 3), 6, []),
        # Neither parts of another period nor what contains it.
        ("2026-Q1", months(4, 5, 6), None, []),
        ("2026-Q1", {"2026": Decimal(7)}, None, []),
        ("2026-01", {"2026-Q1": Decimal(7)}, None, []),
        ("2026", {"2025-Q1": Decimal(1)}, None, []),
    ],
)
def test_proc_4_a_period_has_a_target_once_each_part_of_it_has_one(
    name: str, known: dict[str, Decimal], amount: int | None, missing: list[str]
) -> None:
    expected = Goal(amount=None if amount is None else Decimal(amount), missing=tuple(missing))
    assert goal_of(CALENDAR_YEAR.period(name), known) == expected


async def test_proc_4_the_target_of_a_quarter_is_not_that_of_the_year(forecast: Forecast) -> None:
    await forecast.journal_facts(TARGETS)
    async with forecast.reading() as reading:
        found = await target_of(reading("targets"), question(Role.SALES_DIRECTOR), CALENDAR_YEAR.period("2026"))
    assert found == Goal(amount=None, missing=("2026-Q2", "2026-Q3", "2026-Q4"))
