"""DATA-4: what people write about a deal is not published, and can be deleted while the figures stay."""

from typing import Any
from uuid import UUID

from services.deals.domain.deal import deal
from shared.domain.roles import Role
from shared.testing.servers import personal_rows
from tests.services.deals.conftest import Office, Team
from tests.services.deals.test_service import DEAL
from tests.services.leads.conftest import Desk

NAME = "Quentin Ashgrove"
TEXTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("complete-node", {"key": "first-conversation", "evidence": f"Minutes of {NAME}"}),
    ("plan-next-step", {"on": "2099-01-05", "what": f"Call {NAME}"}),
    ("log-activity", {"kind": "call", "outcome": f"{NAME} was on holiday"}),
    ("override-category", {"category": "omitted", "reason": f"{NAME} does not decide"}),
    ("move", {"stage": "needs-confirmed", "reason": f"{NAME} agreed"}),
    ("lose", {"reason": "price"}),
    ("reopen", {"reason": f"{NAME} came back"}),
)


async def written_about(desk: Desk) -> str:
    """A deal with a name in every text that it takes."""
    made = await desk.makes("/v1/deals", DEAL)
    for command, body in TEXTS:
        await desk.makes(f"/v1/deals/{made}/{command}", body)
    return made


async def published(office: Office, deal_id: str) -> str:
    """What topics are told of a deal."""
    events = await office.running.pool.fetch("select data::text from event where aggregate_id = $1", UUID(deal_id))
    return "".join(row["data"] for row in events)


async def test_data_4_what_people_write_is_seen_by_those_who_see_the_deal_and_not_published(office: Office) -> None:
    desk = office.somebody()
    made = await written_about(desk)
    assert NAME not in await published(office, made)
    assert await personal_rows(office.running.pool, UUID(made)) == 6
    told = await desk.sees(f"/v1/deals/{made}/history")
    assert str(told).count(NAME) == 6
    found = await desk.sees(f"/v1/deals/{made}")
    assert found["next_step"]["what"] == f"Call {NAME}"


async def test_data_4_erased_texts_are_gone_and_the_figures_stay(office: Office) -> None:
    desk = office.somebody()
    made = await written_about(desk)
    before = await desk.sees(f"/v1/deals/{made}")
    # Another process knows the deal as it was.
    other = Desk(client=office.deals.client(Role.SALES_OPERATIONS, "another"))
    erased = await desk.does(f"/v1/deals/{made}/erase-texts")
    assert erased.status_code == 200, erased.text
    for reader in (desk, other):
        found = await reader.sees(f"/v1/deals/{made}")
        assert NAME not in str(found)
        same = ("name", "amount", "stage", "status", "category", "trail", "open_since")
        assert {field: found[field] for field in same} == {field: before[field] for field in same}
        assert [node["evidence"] for node in found["nodes"] if node["key"] == "first-conversation"] == [""]
        assert found["next_step"] == {"on": "2099-01-05", "what": None}
        assert [each["outcome"] for each in found["activities"]] == [None]
        told = await reader.sees(f"/v1/deals/{made}/history")
        assert NAME not in str(told)
        assert told["items"][-1]["type"] == "deals.deal-texts-erased"
    assert await personal_rows(office.running.pool, UUID(made)) == 0
    gate = await desk.does(f"/v1/deals/{made}/complete-node", {"key": "first-conversation", "evidence": "Minutes"})
    assert gate.json()["code"] == "already-completed"


async def test_data_4_what_is_written_afterwards_is_kept_also_of_an_earlier_day(office: Office) -> None:
    desk = office.somebody()
    made = await desk.makes("/v1/deals", DEAL)
    await desk.makes(f"/v1/deals/{made}/log-activity", {"kind": "call", "outcome": NAME})
    await desk.makes(f"/v1/deals/{made}/erase-texts")
    day = str(office.running.settings.company.day(office.running.clock.now()))
    await desk.makes(f"/v1/deals/{made}/log-activity", {"kind": "call", "outcome": "Reached", "on": day})
    found = await desk.sees(f"/v1/deals/{made}")
    assert {each["outcome"] for each in found["activities"]} == {None, "Reached"}
    fresh, _ = await office.running.commands._streams.history(deal, UUID(made))  # as a process that starts reads it
    assert {each.outcome for each in fresh.state.activities} == {None, "Reached"}


async def test_data_4_only_operations_erase_texts(office: Office, team: Team) -> None:
    rep = office.somebody(Role.REP, team.subjects[0])
    made = await rep.makes("/v1/deals", DEAL)
    refused = await rep.does(f"/v1/deals/{made}/erase-texts")
    assert (refused.status_code, refused.json()["code"]) == (403, "not-allowed")
    missing = await office.somebody().does(f"/v1/deals/{UUID(int=5)}/erase-texts")
    assert missing.status_code == 404
