"""The verbs of those who operate: whose token, when, and what is parked."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from deploy.cli.clock import target
from deploy.cli.databases import databases
from deploy.cli.token import member
from deploy.local.fault import LocalError
from deploy.local.stack import Stack
from deploy.services import SERVICES
from shared.directory.organisation import organisation
from shared.domain.context import Company
from shared.domain.roles import Role
from shared.projections.builds import prepare
from shared.testing.servers import DatabaseServer

NOW = datetime(2026, 3, 16, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("step", "to", "moment"),
    [
        ("+3d", None, datetime(2026, 3, 19, 10, 0, tzinfo=UTC)),
        ("+90m", None, datetime(2026, 3, 16, 11, 30, tzinfo=UTC)),
        (None, "2026-12-31", datetime(2026, 12, 30, 23, 0, tzinfo=UTC)),
        (None, "2026-12-31T09:00", datetime(2026, 12, 31, 8, 0, tzinfo=UTC)),
        (None, "2026-12-31T09:00+00:00", datetime(2026, 12, 31, 9, 0, tzinfo=UTC)),
    ],
)
def test_the_clock_moves_by_a_step_or_to_a_day_of_the_company(
    step: str | None, to: str | None, moment: datetime
) -> None:
    assert target(NOW, step, to, "Europe/Berlin") == moment


@pytest.mark.parametrize(
    ("step", "to", "sentence"),
    [
        ("-3d", None, "'-3d' is no step forward, and the clock never goes back."),
        ("+3", None, "'\\+3' is no step forward"),
        (None, "31.12.2026", "'31.12.2026' is no date."),
        (None, "2026-03-16T09:59+00:00", "It is 2026-03-16 10:00:00\\+00:00 already, and the clock never goes back."),
    ],
)
def test_the_clock_never_goes_back(step: str | None, to: str | None, sentence: str) -> None:
    with pytest.raises(LocalError, match=sentence):
        target(NOW, step, to, "UTC")


async def test_a_token_is_for_somebody_of_the_team_who_has_not_left(postgres: DatabaseServer, tmp_path: Path) -> None:
    url = await postgres.create_database("operators", await postgres.migrated())
    stack = Stack.at(tmp_path / "stack", environment={f"DATABASE_URL_{name.upper()}": url for name in SERVICES})
    async with databases(stack, ["leads"]) as pools:
        with pytest.raises(LocalError, match="There is no organisation yet"):
            await member(stack, Role.REP, "North")
        await prepare(pools["leads"], organisation("log"), Company())
        with pytest.raises(LocalError, match="There is no team 'North'"):
            await member(stack, Role.REP, "North")
        await pools["leads"].execute(
            "insert into organisation_1.team (team_id, name) values ($1, 'North')", UUID(int=1)
        )
        with pytest.raises(LocalError, match="Nobody in the team 'North' is a sales director"):
            await member(stack, Role.SALES_DIRECTOR, "North")
        await pools["leads"].executemany(
            "insert into organisation_1.member (member_id, subject, name, role, team_id, left_on)"
            " values ($1, $2, $2, $3, $4, $5)",
            [
                (UUID(int=11), "ada", "rep", UUID(int=1), NOW.date()),
                (UUID(int=12), "mateo", "manager", UUID(int=1), None),
                (UUID(int=13), "rosa", "rep", UUID(int=1), None),
                (UUID(int=14), "ben", "rep", UUID(int=2), None),
            ],
        )
        assert await member(stack, Role.REP, "North") == "rosa"
        assert await member(stack, Role.MANAGER, "North") == "mateo"
    await postgres.drop_database(url)
