"""DEAL-6: an address for a calendar that can send no token, over HTTP and PostgreSQL."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import vobject
from structlog.testing import capture_logs

from services.deals.app import SERVICE
from services.deals.domain.calendar_link import link_of
from shared.domain.roles import Role
from shared.ops.ids import new_id
from shared.service.build import build
from tests.services.deals.conftest import Office
from tests.services.deals.test_agenda_at_work import rep_of
from tests.services.deals.test_qualification_at_work import today
from tests.services.deals.test_service import DEAL
from tests.services.leads.conftest import Desk, patiently
from tests.shared.http.waiting import until

OWN = "/v1/calendar-link"


def nobody(office: Office) -> httpx.AsyncClient:
    """A calendar program: it sends no token."""
    return office.deals.client(None, "")


async def made(desk: Desk) -> str:
    """The path of a new address of somebody's calendar."""
    await desk.makes(f"{OWN}/make")
    told = await desk.sees(OWN)
    assert told["status"] == "active"
    return str(urlsplit(told["address"]).path)


async def gone(office: Office, path: str) -> bool:
    """Whether an address shows nothing, and says so as of any other that is not there."""
    answer = await nobody(office).get(path)
    told = answer.json() if answer.status_code == 404 else {}
    return (answer.status_code, told.get("code"), told.get("detail")) == (404, "not-found", "There is no such address.")


async def test_deal_6_an_address_shows_what_the_own_calendar_shows(office: Office) -> None:
    team = await office.team()
    rep, on = rep_of(office, team), today(office)
    deal = await rep.makes("/v1/deals", DEAL)
    planned = await rep.does(
        f"/v1/deals/{deal}/plan-next-step", {"on": f"{on + timedelta(days=2)}", "what": "Walk through it"}
    )
    known = {"Consistency-Token": planned.headers["Consistency-Token"]}
    own = await patiently(lambda: rep.client.get("/v1/agenda.ics", headers=known), known)
    path = await made(rep)
    shown = await nobody(office).get(path, headers={"Accept-Language": "de"})
    assert shown.status_code == 200
    assert shown.headers["Content-Type"].startswith("text/calendar")
    assert (shown.headers["Content-Language"], shown.headers["Cache-Control"]) == ("de", "no-store")
    found = [{each.uid.value for each in vobject.readOne(one.text).vevent_list} for one in (own, shown)]
    assert found[0] == found[1] != set()


async def test_deal_6_there_is_one_address_and_it_can_be_told_again(office: Office) -> None:
    rep = rep_of(office, await office.team())
    assert await rep.sees(OWN) == {**await rep.sees(OWN), "status": "none", "address": None}
    assert (await rep.does(f"{OWN}/revoke")).status_code == 404
    first = await made(rep)
    assert urlsplit((await rep.sees(OWN))["address"]).path == first
    second = await made(rep)
    assert first != second
    assert await gone(office, first)
    assert (await nobody(office).get(second)).status_code == 200
    await rep.makes(f"{OWN}/revoke")
    assert await gone(office, second)
    assert (await rep.sees(OWN))["status"] == "revoked"


async def test_deal_6_whatever_is_wrong_is_answered_alike(office: Office) -> None:
    rep = rep_of(office, await office.team())
    path = await made(rep)
    link, secret = path.removesuffix(".ics").split("/")[-2:]
    for wrong in (
        f"{OWN}/{link}/{secret[:-1]}.ics",
        f"{OWN}/{link}/{'A' * 43}.ics",
        f"{OWN}/{link}/%C3%A9%00.ics",
        f"{OWN}/{link_of(new_id())}/{secret}.ics",
        f"{OWN}/17/{secret}.ics",
    ):
        assert await gone(office, wrong), wrong
    assert await gone(office, f"{OWN}/nothing"), "as what is no address at all"
    assert (await nobody(office).get(f"{path}?days=60")).status_code == 400
    assert (await nobody(office).post(path)).status_code == 405


async def test_deal_6_operations_revoke_the_address_of_anybody_and_others_only_their_own(office: Office) -> None:
    team = await office.team()
    rep = rep_of(office, team)
    path = await made(rep)
    for subject, role in ((team.subjects[1], Role.REP), (team.subjects[2], Role.MANAGER)):
        refused = await office.somebody(role, subject).does(f"{OWN}/revoke", {"member_id": team.rep})
        assert refused.status_code == 404
    assert (await nobody(office).get(path)).status_code == 200
    await office.somebody().makes(f"{OWN}/revoke", {"member_id": team.rep})
    assert await gone(office, path)


async def test_deal_6_whoever_has_left_has_no_calendar(office: Office) -> None:
    team = await office.team()
    path = await made(rep_of(office, team))
    assert (await nobody(office).get(path)).status_code == 200
    await office.operations().makes(f"/v1/members/{team.rep}/leave", {"on": f"{today(office)}"})

    async def is_gone() -> bool:
        return await gone(office, path)

    await until(is_gone, 60)
    await office.somebody().makes(f"{OWN}/revoke", {"member_id": team.rep})


async def test_deal_6_the_secret_stands_in_no_event_and_no_line_of_the_log(office: Office) -> None:
    team = await office.team()
    rep = rep_of(office, team)
    with capture_logs() as lines:
        path = await made(rep)
        assert (await nobody(office).get(path)).status_code == 200
        assert await gone(office, path.replace(".ics", "A.ics"))
    secret = path.removesuffix(".ics").rpartition("/")[2]
    assert f"{OWN}/{{id}}/{{secret}}.ics" in {line.get("route") for line in lines}
    assert secret not in str(lines)
    recorded = await office.running.pool.fetch("select * from event where aggregate_id = $1", link_of(UUID(team.rep)))
    assert recorded
    assert secret not in str([dict(row) for row in recorded])


async def test_deal_6_strangers_share_the_allowance_of_their_address(office: Office) -> None:
    rep = rep_of(office, await office.team())
    path = await made(rep)
    own = replace(office.deals.settings, rate_limit="2/minute")
    app = build(SERVICE, own)
    async with app.router.lifespan_context(app):
        client = replace(office.deals, app=app).client(None, "")
        found = [(await client.get(each)).status_code for each in (path, path.replace(".ics", "A.ics"), path)]
    assert found == [200, 404, 429]
