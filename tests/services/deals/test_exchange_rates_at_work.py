"""Exchange rates over HTTP and PostgreSQL: tables and their list."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import httpx

from services.deals.domain.exchange_rate import table_of
from services.deals.projections.exchange_rates import EXCHANGE_RATE_PROJECTION
from shared.domain.roles import Role
from shared.projections.audit import differences
from tests.services.deals.conftest import Office
from tests.services.deals.test_service import codes, seen
from tests.services.leads.conftest import Desk

PATH = "/v1/exchange-rates"


def table(on: str, base: str = "EUR", **rates: str) -> dict[str, Any]:
    return {"base": base, "on": on, "rates": [{"currency": name, "rate": rate} for name, rate in rates.items()]}


async def published(desk: Desk, body: Mapping[str, Any]) -> httpx.Response:
    answer = await desk.does(PATH, dict(body))
    assert answer.status_code == 201, answer.text
    return answer


# -- over HTTP --------------------------------------------------------------------------------------------------------


async def test_rates_of_a_day_are_published_corrected_and_shown(office: Office) -> None:
    desk = office.somebody(Role.FINANCE, "fred")
    first = await published(desk, table("2020-01-02", USD="1.1193", JPY="121.75"))
    assert first.json() == {"id": str(table_of("EUR", date(2020, 1, 2))), "version": 1}
    assert first.headers["Location"] == f"{PATH}/{first.json()['id']}"
    again = await published(desk, table("2020-01-02", JPY="121.750", USD="1.1193"))
    assert again.json() == first.json()
    corrected = await published(desk, table("2020-01-02", USD="1.1194"))
    assert corrected.json()["version"] == 2
    shown = await desk.sees(f"{PATH}/{first.json()['id']}")
    assert (shown["base"], shown["on"], shown["status"]) == ("EUR", "2020-01-02", "published")
    assert shown["rates"] == [{"currency": "JPY", "rate": "121.75"}, {"currency": "USD", "rate": "1.1194"}]
    rows = await seen(desk, corrected, PATH, base="EUR", published_to="2020-01-02", published_from="2020-01-02")
    assert [(row["id"], row["currency"], row["rate"], row["version"]) for row in rows["items"]] == [
        ("2020-01-02/EUR/USD", "USD", "1.1194", 2),
        ("2020-01-02/EUR/JPY", "JPY", "121.75", 1),
    ]
    assert {row["table_id"] for row in rows["items"]} == {first.json()["id"]}


async def test_the_list_is_filtered_and_paged_from_the_newest_day(office: Office) -> None:
    desk = office.somebody()
    for day in ("2020-02-03", "2020-02-04", "2020-02-05"):
        last = await published(desk, table(day, base="CHF", USD="1.03", SEK="9.9"))
    page = await seen(desk, last, PATH, base="CHF", currency="SEK", limit="2")
    assert [row["published_on"] for row in page["items"]] == ["2020-02-05", "2020-02-04"]
    rest = await desk.sees(PATH, base="CHF", currency="SEK", limit="2", cursor=page["next"])
    assert ([row["published_on"] for row in rest["items"]], rest["next"]) == (["2020-02-03"], None)


async def test_whoever_is_signed_in_reads_rates_and_few_publish_them(office: Office) -> None:
    answer = await published(office.somebody(), table("2020-03-02", USD="1.1"))
    rep = office.somebody(Role.REP, "anybody")
    assert await rep.status(f"{PATH}/{answer.json()['id']}") == 200
    assert await rep.status(PATH) == 200
    assert (await rep.does(PATH, table("2020-03-02", USD="1.2"))).status_code == 403
    assert await rep.status(f"{PATH}/{table_of('EUR', date(2020, 3, 3))}") == 404


async def test_api_1_what_is_wrong_with_rates_is_named_by_its_place(office: Office) -> None:
    desk = office.somebody()
    refused = await desk.does(PATH, table("2999-01-04", base="XAU", USD="0", EUR="1", SEK="1.1234567890123456789"))
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid-exchange-rates")
    assert {error["pointer"]: error["code"] for error in refused.json()["errors"]} == {
        "/on": "in-the-future",
        "/base": "unknown-currency",
        "/rates/0/rate": "not-positive",
        "/rates/2/rate": "too-many-digits",
    }
    malformed = await desk.does(
        PATH, {"base": "EURO", "on": "27 November 2026", "rates": [{"currency": "USD", "rate": 1.16}], "more": 1}
    )
    assert (malformed.status_code, malformed.json()["code"]) == (422, "invalid-body")
    assert {error["pointer"] for error in malformed.json()["errors"]} == {"/base", "/on", "/rates/0/rate", "/more"}
    empty = await desk.does(PATH, {"base": "EUR", "on": "2020-01-02", "rates": []})
    assert (codes(empty), empty.json()["errors"][0]["pointer"]) == (["no-rates"], "/rates")
    many = {**table("2020-01-02"), "rates": [{"currency": "USD", "rate": "1"}] * 301}
    assert (await desk.does(PATH, many)).json()["errors"][0]["pointer"] == "/rates"


async def test_the_list_is_what_a_fresh_fold_gives(office: Office) -> None:
    running, desk = office.running, office.somebody()
    await published(desk, table("2020-04-01", USD="1.09", JPY="118"))
    answer = await published(desk, table("2020-04-01", USD="1.1"))
    await seen(desk, answer, PATH)
    assert await differences(running.pool, running.log, EXCHANGE_RATE_PROJECTION, running.settings.company) == []
