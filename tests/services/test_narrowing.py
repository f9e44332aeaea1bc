"""API-1, API-4: a list narrowed to whom nobody knows, or of whom the asker sees nothing, is refused."""

from collections.abc import Iterator
from typing import Any

import pytest

from deploy.services import SERVICES, definition_of
from shared.directory.narrowing import NAMES
from shared.domain.roles import Role
from shared.ops.ids import new_id
from tests.services.conftest import Everybody
from tests.services.deals.conftest import Office, office
from tests.services.leads.conftest import patiently
from tests.shared.http.test_command_routes import problem

__all__ = ["office"]


def narrowed() -> Iterator[Any]:
    """Every list of every service that is narrowed to a team or an owner."""
    for service in SERVICES:
        for listing in definition_of(service).listings:
            for parameter in sorted(NAMES.keys() & listing.filters.keys()):
                yield pytest.param(service, listing.name, parameter, id=f"{listing.name}-{parameter}")


@pytest.mark.parametrize(("service", "listing", "parameter"), list(narrowed()))
async def test_a_list_of_whoever_is_not_known_is_refused_with_the_parameter(
    everybody: Everybody, service: str, listing: str, parameter: str
) -> None:
    client = getattr(everybody, service).client(Role.SALES_DIRECTOR, "dora")
    told = problem(await client.get(f"/v1/{listing}?{parameter}={new_id()}"), 400, "invalid-parameter")
    code, message = NAMES[parameter]
    assert told["errors"] == [{"code": code, "message": message, "parameter": parameter}]


async def test_a_list_tells_those_one_sees_nothing_of_like_those_who_are_not_known(office: Office) -> None:
    mine, theirs = await office.team(), await office.team()
    rep = office.somebody(Role.REP, mine.subjects[0])
    kept = await rep.makes("/v1/deals", {"name": "Press line", "amount": {"amount": "1.00", "currency": "EUR"}})
    for query in (f"team={theirs.id}", f"owner={theirs.rep}", f"team={mine.id}&team={theirs.id}"):
        problem(await rep.client.get(f"/v1/deals?{query}"), 400, "invalid-parameter")
    assert (await rep.client.get(f"/v1/deals?team={mine.id}&owner={mine.rep}")).status_code == 200
    director = office.somebody(Role.SALES_DIRECTOR, "dora")
    assert (await director.client.get(f"/v1/deals?team={theirs.id}&owner={theirs.rep}")).status_code == 200
    # A deal of theirs that went to another team is theirs still.
    moved = await director.does(f"/v1/deals/{kept}/hand-over", {"owner": mine.rep, "team": theirs.id})
    token = {"Consistency-Token": moved.headers["Consistency-Token"]}
    found = await rep.client.get(f"/v1/deals?team={theirs.id}", headers=token)
    assert [row["id"] for row in found.json()["items"]] == [kept]


async def test_whoever_has_left_is_known(office: Office) -> None:
    team = await office.team()
    today = office.running.clock.now().date().isoformat()
    left = await office.operations().does(f"/v1/members/{team.rep}/leave", {"on": today})
    token = {"Consistency-Token": left.headers["Consistency-Token"]}
    manager = office.somebody(Role.MANAGER, team.subjects[2])
    found = await patiently(lambda: manager.client.get(f"/v1/deals?owner={team.rep}", headers=token), token)
    assert (found.status_code, found.json()["items"]) == (200, [])


async def test_a_team_stands_for_the_teams_below_it_as_in_figures(office: Office) -> None:
    """API-1: a board's list holds what its header counts; `own_team_only` narrows both."""
    above, ops, subject = (await office.team()).id, office.operations(), f"rep-{new_id()}"
    below = await ops.makes("/v1/teams", {"name": "Below", "parent_id": above})
    joined = await ops.does("/v1/members", {"subject": subject, "name": "Rosa", "role": "rep", "team_id": below})
    known = {"Consistency-Token": joined.headers["Consistency-Token"]}
    rep, director = office.somebody(Role.REP, subject), office.somebody(Role.SALES_DIRECTOR, "dora").client
    press = {"name": "Press line", "amount": {"amount": "1.00", "currency": "EUR"}}
    opened = await rep.does("/v1/deals", press, **known)
    deal, token = opened.json()["id"], {"Consistency-Token": opened.headers["Consistency-Token"]}

    async def found(query: str) -> list[str]:
        answer = await director.get(f"/v1/deals?{query}", headers=token)
        assert answer.status_code == 200, answer.text
        return [row["id"] for row in answer.json()["items"]]

    assert await found(f"team={above}") == [deal]
    assert await found(f"team={above}&own_team_only=false") == [deal]
    assert await found(f"team={above}&own_team_only=true") == []
    assert await found(f"team={below}&own_team_only=true") == [deal]
    wrong = problem(await director.get(f"/v1/deals?team={above}&own_team_only=yes"), 400, "invalid-parameter")
    assert [error["parameter"] for error in wrong["errors"]] == ["own_team_only"]
    problem(await director.get("/v1/products?own_team_only=true"), 400, "invalid-parameter")
