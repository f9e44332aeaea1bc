"""The target of a period: the one that is asked about, and only to those who see it (PROC-4, API-4)."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest

from services.forecast.periods import period
from services.forecast.question import Question
from services.forecast.targets import revenue_target
from shared.domain.context import Actor
from shared.domain.roles import Role
from shared.events.deals import TargetSet
from shared.events.envelope import Envelope
from tests.services.forecast.conftest import Forecast
from tests.services.forecast.facts import ANNA, BEN, NORTH, SOUTH, day, eur, fact
from tests.services.forecast.test_changes import ALL

QUARTER = period("2026-Q1")


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
            (replace(asked, owner=ANNA), anna),
            (replace(asked, owner=BEN), ben),
        ]:
            found = await revenue_target(db, narrowed, QUARTER)
            assert found == (None if expected is None else Decimal(expected))
