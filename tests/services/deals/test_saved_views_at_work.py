"""Saved views over HTTP and PostgreSQL: who is shown which, and that none widens what somebody sees."""

from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from services.deals.projections.saved_views import SAVED_VIEW_PROJECTION
from shared.domain.roles import Role
from shared.projections.audit import differences
from shared.testing.servers import personal_rows
from tests.services.deals.conftest import Office, Team
from tests.services.deals.test_service import DEAL, codes, seen
from tests.services.leads.conftest import unique

AT = "/v1/saved-views"


def named(found: Any) -> set[str]:
    return {row["name"] for row in found["items"]}


async def test_deal_3_one_sees_ones_own_views_and_what_is_shared_with_one(office: Office, team: Team) -> None:
    """API-4: and opens them within one's own rights."""
    stranger_team = await office.team()
    rep, other, stranger = (
        office.somebody(Role.REP, subject) for subject in (*team.subjects[:2], stranger_team.subjects[0])
    )
    names = {shared: unique(shared) for shared in ("me", "team", "everybody")}
    views = {
        shared: await rep.makes(AT, {"name": name, "shows": "deals", "query": "sort=-amount", "shared_with": shared})
        for shared, name in names.items()
    }
    last = await rep.does(f"{AT}/{views['everybody']}/share", {"shared_with": "everybody"})
    kept = {"status": "kept", "saved_by": team.rep}
    assert named(await seen(rep, last, AT, **kept)) >= set(names.values())
    assert named(await other.sees(AT, **kept)) & set(names.values()) == {names["team"], names["everybody"]}
    assert named(await stranger.sees(AT, **kept)) & set(names.values()) == {names["everybody"]}
    assert [await stranger.status(f"{AT}/{views[shared]}") for shared in names] == [404, 404, 200]
    shown = await other.sees(f"{AT}/{views['team']}")
    assert (shown["shows"], shown["query"], shown["status"]) == ("deals", "sort=-amount", "kept")
    refused = await other.does(f"{AT}/{views['team']}/withdraw")
    assert (refused.status_code, refused.json()["code"]) == (409, "not-yours"), refused.text

    opened = await rep.does("/v1/deals", {**DEAL, "name": names["me"]})
    deal = opened.json()["id"]
    address, query = f"/v1/{shown['shows']}", dict(parse_qsl(shown["query"]))
    assert deal in {row["id"] for row in (await seen(rep, opened, address, **query))["items"]}
    assert deal not in {row["id"] for row in (await other.sees(address, **query))["items"]}


async def test_api_4_operations_see_and_withdraw_what_is_shared_and_nothing_that_is_kept_for_oneself(
    office: Office, team: Team
) -> None:
    rep, operations = office.somebody(Role.REP, team.subjects[0]), office.somebody(Role.SALES_OPERATIONS)
    names = {shared: unique(shared) for shared in ("me", "team", "everybody")}
    views = dict[str, str]()
    for shared, name in names.items():
        last = await rep.does(AT, {"name": name, "shows": "deals", "query": "", "shared_with": shared})
        views[shared] = last.json()["id"]
    found = named(await seen(operations, last, AT, status="kept", saved_by=team.rep)) & set(names.values())
    assert found == {names["team"], names["everybody"]}
    assert [await operations.status(f"{AT}/{views[shared]}") for shared in names] == [404, 200, 200]
    assert [await operations.status(f"{AT}/{views[shared]}/history") for shared in names] == [404, 200, 200]
    refused = await operations.does(f"{AT}/{views['me']}/withdraw")
    assert refused.status_code == 404, refused.text
    withdrawn = await operations.does(f"{AT}/{views['team']}/withdraw")
    assert withdrawn.status_code == 200, withdrawn.text
    assert (await rep.sees(f"{AT}/{views['me']}"))["status"] == "kept"


async def test_data_4_what_a_view_said_is_gone_once_it_is_withdrawn(office: Office, team: Team) -> None:
    rep = office.somebody(Role.REP, team.subjects[0])
    name = unique("Ada Moreno")
    view = await rep.makes(AT, {"name": name, "shows": "deals", "query": "q=moreno"})
    pool = office.running.pool
    assert await personal_rows(pool, UUID(view)) == 1
    last = await rep.does(f"{AT}/{view}/withdraw")
    assert last.status_code == 200, last.text
    assert await personal_rows(pool, UUID(view)) == 0
    row = next(row for row in (await seen(rep, last, AT, status="withdrawn"))["items"] if row["id"] == view)
    assert (row["name"], row["query"]) == ("", "")
    assert "Moreno" not in str(await rep.sees(f"{AT}/{view}"))
    running = office.running
    assert await differences(running.pool, running.log, SAVED_VIEW_PROJECTION, running.settings.company) == []


async def test_deal_3_a_view_that_cannot_be_asked_is_refused_with_every_fault(office: Office, team: Team) -> None:
    rep = office.somebody(Role.REP, team.subjects[0])
    body = {"name": "Wrong", "shows": "deals", "query": "stag=a&status=gone"}
    refused = await rep.does(AT, body)
    assert refused.status_code == 422, refused.text
    assert sorted(codes(refused)) == ["invalid-value", "unknown-parameter"]
    assert {error["pointer"] for error in refused.json()["errors"]} == {"/query"}
    assert (await rep.does(AT, {**body, "query": "status=open"})).status_code == 201
