"""Search for deals and quotes over HTTP and PostgreSQL: by words with slips, within rights, and as names change."""

from typing import Any
from uuid import UUID

import pytest

from services.deals.projections.deals import DEAL_PROJECTION
from services.deals.projections.quotes import QUOTE_PROJECTION
from services.deals.quote_print.sheet import number_of
from shared.domain.roles import Role
from shared.ops.ids import new_id
from shared.projections.audit import differences
from tests.services.deals.conftest import Office, Team
from tests.services.deals.test_quotes_at_work import INSTALLATION
from tests.services.deals.test_service import seen
from tests.services.leads.conftest import Desk

AT = "/v1/deal-search"
AMOUNT = {"amount": {"amount": "100.00", "currency": "EUR"}}


def word() -> str:
    """A word that no other test has: letters alone, for numbers have no slips."""
    return "".join(chr(ord("a") + int(digit, 16)) for digit in new_id().hex[-12:])


def slipped(text: str) -> str:
    """The same with two letters that changed places."""
    place = next(place for place in range(1, len(text) - 1) if text[place] != text[place + 1])
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]


def ids(found: Any) -> list[str]:
    return [hit["id"] for hit in found["items"]]


async def test_deal_3_a_deal_is_found_by_words_of_its_name_and_account_with_slips(office: Office) -> None:
    """DEAL-3: the nearest first, and the newest of those that are as near."""
    desk, name, account = office.somebody(), word(), word()
    whole = await desk.makes("/v1/deals", {**AMOUNT, "name": f"Renewal {name}", "account_name": f"Müller {account}"})
    longer = await desk.makes("/v1/deals", {**AMOUNT, "name": f"{name}werk"})
    last = await desk.does("/v1/deals", {**AMOUNT, "name": f"{name.upper()}: renewal"})
    newest = last.json()["id"]
    assert ids(await seen(desk, last, AT, q=name)) == [newest, whole, longer]
    assert ids(await desk.sees(AT, q=f"{name} renewal")) == ids(await desk.sees(AT, q=f"renewal  {name}!"))
    assert ids(await desk.sees(AT, q=f"renewal {name}")) == [newest, whole]
    found = await desk.sees(AT, q=f"{slipped(account)} mueller")
    assert ids(found) == [whole]
    (hit,) = found["items"]
    shown = {name: hit[name] for name in ("kind", "name", "detail", "found_by")}
    assert shown == {
        "kind": "deal",
        "name": f"Renewal {name}",
        "detail": f"Müller {account}",
        "found_by": "account_name",
    }
    assert 0 < float(hit["score"]) < 1
    assert ids(await desk.sees(AT, q="qxzvkwqxzvkw")) == []


async def test_deal_3_a_deal_that_is_renamed_is_found_by_its_new_name_alone(office: Office) -> None:
    desk, before, after = office.somebody(), word(), word()
    deal = await desk.makes("/v1/deals", {**AMOUNT, "name": before})
    last = await desk.client.patch(f"/v1/deals/{deal}", json={"name": after}, headers={"If-Match": '"1"'})
    assert last.status_code == 200, last.text
    assert ids(await seen(desk, last, AT, q=after)) == [deal]
    assert ids(await desk.sees(AT, q=before)) == []
    running = office.running
    for projection in (DEAL_PROJECTION, QUOTE_PROJECTION):
        assert await differences(running.pool, running.log, projection, running.settings.company) == []


async def test_api_4_only_what_one_may_see_is_found(office: Office, team: Team) -> None:
    rep, other, manager = (
        office.somebody(role, subject)
        for role, subject in zip((Role.REP, Role.REP, Role.MANAGER), team.subjects, strict=True)
    )
    name = word()
    last = await rep.does("/v1/deals", {**AMOUNT, "name": name})
    deal = last.json()["id"]
    for q in (name, slipped(name), name[:5]):
        assert deal in ids(await seen(rep, last, AT, q=q))
        assert deal in ids(await manager.sees(AT, q=q))
        assert deal not in ids(await other.sees(AT, q=q))
    handed = await manager.does(f"/v1/deals/{deal}/hand-over", {"owner": team.other})
    assert ids(await seen(other, handed, AT, q=name)) == [deal]
    assert ids(await rep.sees(AT, q=name)) == []


async def test_deal_8_a_quote_is_found_by_its_number_and_by_the_name_of_its_deal(office: Office) -> None:
    desk, name = office.somebody(), word()
    deal = await desk.makes("/v1/deals", {**AMOUNT, "name": name})
    last = await desk.does("/v1/quotes", {"deal_id": deal, "lines": [INSTALLATION]})
    assert last.status_code == 201, last.text
    quote = last.json()["id"]
    number = number_of(UUID(quote))
    (found,) = (await seen(desk, last, AT, q=number))["items"]
    assert found == {
        "kind": "quote",
        "id": quote,
        "name": name,
        "detail": number,
        "found_by": "number",
        "score": "1.00",
    }
    assert {hit["kind"]: hit["id"] for hit in (await desk.sees(AT, q=name))["items"]} == {"deal": deal, "quote": quote}


@pytest.mark.parametrize("q", ["", "  ", "a" * 201, "--", " ".join(map(str, range(11)))])
async def test_api_1_what_cannot_be_searched_for_is_refused_with_its_field(office: Office, q: str) -> None:
    refused = await office.somebody().client.get(AT, params={"q": q})
    assert refused.status_code == 400, refused.text
    assert [(each["parameter"], each["code"]) for each in refused.json()["errors"]] == [("q", "invalid-value")]


async def test_api_1_a_search_without_words_is_refused(office: Office) -> None:
    desk: Desk = office.somebody()
    assert (await desk.client.get(AT)).status_code == 400
    assert (await desk.client.get(AT, params={"q": "a", "limit": "3"})).status_code == 400
