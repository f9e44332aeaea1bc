"""The history that a service shows of its own things: all that was recorded, with what people wrote."""

from shared.domain.roles import Role
from shared.ops.ids import new_id
from tests.services.deals.conftest import Office, Team
from tests.services.deals.test_service import DEAL


async def test_api_1_a_history_has_every_event_in_the_order_of_recording_page_by_page(office: Office) -> None:
    desk = office.somebody()
    made = await desk.makes("/v1/deals", DEAL)
    for amount in ("1.00", "2.00", "3.00"):
        await desk.makes(f"/v1/deals/{made}/change-amount", {"amount": {"amount": amount, "currency": "EUR"}})
    path = f"/v1/deals/{made}/history"
    answer = await desk.client.get(path, params={"limit": 3}, headers={"Accept-Language": "de"})
    first = answer.json()
    assert (answer.headers["ETag"], answer.headers["Content-Language"]) == ('"4"', "de")
    assert 'rel="next"' in answer.headers["Link"]
    assert [entry["sequence"] for entry in first["items"]] == [1, 2, 3]
    assert (first["id"], first["version"], first["has_more"]) == (made, 4, True)
    opened = first["items"][0]
    assert (opened["type"], opened["text"], opened["actor"]) == ("deals.deal-opened", "Deal eröffnet", "ops")
    assert (opened["data"]["name"], opened["imported"], opened["fact"]) == (DEAL["name"], False, None)
    (last,) = (await desk.client.get(path, params={"limit": 3, "cursor": first["next"]})).json()["items"]
    assert (last["sequence"], last["data"]["amount"]["amount"]) == (4, "3.00")


async def test_api_4_a_history_is_seen_by_those_who_see_the_thing(office: Office, team: Team) -> None:
    rep = office.somebody(Role.REP, team.subjects[0])
    made = await rep.makes("/v1/deals", DEAL)
    path = f"/v1/deals/{made}/history"
    assert (await rep.client.get(path)).status_code == 200
    other = office.somebody(Role.REP, team.subjects[1])
    for stranger, address in (
        (other, path),
        (rep, f"/v1/deals/{new_id()}/history"),
        (rep, f"/v1/products/{made}/history"),
    ):
        refused = await stranger.client.get(address)
        assert (refused.status_code, refused.json()["code"]) == (404, "not-found")
    assert (await office.deals.client(None, "").get(path)).status_code == 401


async def test_api_1_a_wrong_page_of_a_history_is_refused_with_its_field(office: Office) -> None:
    desk = office.somebody()
    made, other = await desk.makes("/v1/deals", DEAL), await desk.makes("/v1/deals", DEAL)
    await desk.makes(f"/v1/deals/{made}/change-amount", {"amount": {"amount": "1.00", "currency": "EUR"}})
    path = f"/v1/deals/{made}/history"
    cursor = (await desk.client.get(path, params={"limit": 1})).json()["next"]
    for address, query in (
        (path, {"limit": 0}),
        (path, {"limit": 201}),
        (path, {"cursor": "x"}),
        (f"/v1/deals/{other}/history", {"cursor": cursor}),
        (path, {"depth": 3}),
    ):
        refused = await desk.client.get(address, params=query)
        assert refused.status_code == 400, refused.text
        assert next(iter(query)) in str(refused.json()["errors"])
