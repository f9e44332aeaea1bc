"""PROC-1: which deals are ready to move on, and since when, in the list and on boards, and what agendas make of it."""

from typing import Any

import httpx

from services.deals.agenda_answers import FEWEST_DEALS
from services.deals.projections.deals import DEAL_PROJECTION
from shared.domain.roles import Role
from shared.projections.audit import differences
from tests.services.deals.conftest import Office
from tests.services.deals.test_board import BOARD
from tests.services.deals.test_processes_at_work import DEAL, renewal
from tests.services.deals.test_service import seen
from tests.services.leads.conftest import Desk


async def two_stages(desk: Desk) -> str:
    """A process whose first stage asks whether the customer is satisfied, and whose last one asks nothing."""
    definition = renewal()
    first = definition["stages"][0]
    last = {**first, "key": "close", "tasks": [], "deliverables": [], "exit": []}
    return await desk.makes("/v1/processes", {"definition": {**definition, "stages": [first, last]}})


async def noted(desk: Desk, deal: str, *, satisfied: bool | None) -> httpx.Response:
    answer = await desk.does(f"/v1/deals/{deal}/note-facts", {"facts": {"satisfied": satisfied}})
    assert answer.status_code == 200, answer.text
    return answer


async def ready(desk: Desk, last: httpx.Response, process: str, **query: str) -> dict[str, str | None]:
    """Deals of the list, and since when they are ready."""
    rows = (await seen(desk, last, "/v1/deals", process=process, **query))["items"]
    return {row["id"]: row["ready_on"] for row in rows}


def cards(board: Any) -> dict[str, str | None]:
    return {card["id"]: card["ready_on"] for column in board["columns"] for card in column["cards"]}


async def test_proc_1_the_list_and_the_board_say_which_deals_are_ready_and_since_when(office: Office) -> None:
    desk = office.somebody()
    process, on = await two_stages(desk), office.running.clock.now().date().isoformat()
    one, other = [await desk.makes("/v1/deals", {**DEAL, "process_id": process}) for _ in range(2)]
    last = await noted(desk, one, satisfied=True)
    assert await ready(desk, last, process) == {one: on, other: None}
    assert await ready(desk, last, process, ready="true") == {one: on}
    assert await ready(desk, last, process, ready="false") == {other: None}
    board = await seen(desk, last, BOARD, process=process)
    assert cards(board) == {one: on, other: None}
    for given, left in (("true", {one: on}), ("false", {other: None})):
        narrowed = await seen(desk, last, BOARD, process=process, ready=given)
        assert (cards(narrowed), [column["count"] for column in narrowed["columns"]]) == (left, [1, 0])
    refused = await desk.client.get(BOARD, params={"process": process, "ready": "soon"})
    assert (refused.status_code, refused.json()["errors"][0]["parameter"]) == (400, "ready")


async def test_proc_1_a_deal_is_ready_no_more_once_it_goes_on_or_ends(office: Office) -> None:
    desk = office.somebody()
    process, on = await two_stages(desk), office.running.clock.now().date().isoformat()
    withdrawn, moved, lost, migrated = [
        await desk.makes("/v1/deals", {**DEAL, "process_id": process}) for _ in range(4)
    ]
    for each in (withdrawn, moved, lost, migrated):
        last = await noted(desk, each, satisfied=True)
    assert set((await ready(desk, last, process)).values()) == {on}
    await noted(desk, withdrawn, satisfied=False)
    await desk.makes(f"/v1/deals/{moved}/move", {"stage": "close"})
    last = await desk.does(f"/v1/deals/{lost}/lose", {"reason": "price"})
    assert await ready(desk, last, process) == {withdrawn: None, moved: None, lost: None, migrated: on}
    assert (await desk.sees(f"/v1/deals/{lost}"))["ready_on"] is None, "a deal that has ended leaves no stage"
    last = await desk.does(f"/v1/deals/{lost}/reopen", {"reason": "They came back"})
    # It is judged anew at once: what it was ready by still stands.
    assert (await ready(desk, last, process))[lost] == on == (await desk.sees(f"/v1/deals/{lost}"))["ready_on"]
    assert set(await ready(desk, last, process, ready="true")) == {lost, migrated}
    running = office.running
    assert await differences(running.pool, running.log, DEAL_PROJECTION, running.settings.company) == []


async def test_deal_7_actions_are_looked_for_behind_deals_that_ask_for_nothing(office: Office) -> None:
    """PROC-1: in a stage whose gate asks for nothing, and with somebody who decides."""
    team, ops, leads = await office.team(), office.somebody(), office.operations()
    rep, process = office.somebody(Role.REP, team.subjects[0]), await two_stages(ops)
    account = await leads.makes("/v1/accounts", {"name": f"Acme {team.id}"})
    added = await leads.does(f"/v1/accounts/{account}/add-contact", {"name": "Ada"})
    known = {"Consistency-Token": added.headers["Consistency-Token"]}
    contact = (await leads.sees(f"/v1/accounts/{account}"))["contacts"][0]["id"]
    decides = {"contact_id": contact, "role": "economic-buyer", "stance": "supportive"}
    asking = await rep.makes("/v1/deals", {**DEAL, "amount": {"amount": "10.00", "currency": "EUR"}})
    for _ in range(FEWEST_DEALS + 1):
        quiet = await rep.makes("/v1/deals", {**DEAL, "process_id": process})
        await noted(rep, quiet, satisfied=True)
        await rep.makes(f"/v1/deals/{quiet}/move", {"stage": "close"})
        last = await ops.does(f"/v1/deals/{quiet}/set-contact", decides, **known)
        assert last.status_code == 200, last.text
    found = (await seen(rep, last, "/v1/agenda", actions="1"))["actions"]
    assert [each["deal_id"] for each in found] == [asking]
    assert (await seen(rep, last, f"/v1/deals/{quiet}/next-actions"))["items"] == []
