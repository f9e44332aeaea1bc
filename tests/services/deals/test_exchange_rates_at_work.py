"""Exchange rates over HTTP and PostgreSQL: tables, their list, and what gates look up."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from services.deals.domain.exchange_rate import Conversion, table_of
from services.deals.projections.exchange_rates import EXCHANGE_RATE_PROJECTION
from services.deals.projections.lookups import conversion
from shared.commands.loaders import LoaderContext, reads_of
from shared.domain.context import Company
from shared.domain.roles import Role
from shared.events.money import Money
from shared.projections.audit import differences
from shared.testing.scenario import CONTEXT
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


# -- what gates look up -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """Something that is worth an amount."""

    amount: Money | None


def worth(currency: str | None) -> Worth:
    return Worth(amount=currency and Money(amount=Decimal(100), currency=currency))  # type: ignore[arg-type]


async def found(office: Office, currency: str, on: date, *, own: str = "NOK", also: str | None = None) -> Conversion:
    """What the loader gives a handler on a day; rates are looked up in the service's database."""
    asked: list[tuple[Any, ...]] = []

    async def look_up(projection: Any, sql: str, *arguments: Any) -> list[Any]:
        asked.append(arguments)
        return await office.running.projections.lookup(projection, sql, *arguments)

    context = _context(own, on)
    reader = LoaderContext(None, None, None, look_up)  # type: ignore[arg-type]
    reader.may_read = reads_of(conversion)
    given = await conversion(reader, worth(currency), worth(also), context)
    assert len(asked) == len({currency, also} - {own, None}), "of the company's own currency nothing is asked"
    return given


def _context(own: str, on: date) -> Any:
    company = Company(currency=own)
    return replace(CONTEXT, company=company, now=company.start_of(on) + timedelta(hours=12))


@pytest.fixture(scope="module")
async def history(office: Office) -> None:
    """Rates that nothing else in these tests uses: kroner in euros, and in pounds."""
    desk = office.somebody()
    for body in (
        table("2019-05-06", ISK="136.5", NOK="9.75"),
        table("2019-05-08", ISK="137", DKK="7.4648"),
        table("2019-05-09", base="GBP", NOK="11.4", ISK="160"),
        table("2019-05-09", base="NOK", ISK="14"),
        table("2019-05-10", NOK="9.8"),
        table("2019-05-13", base="PLN", NOK="2.25"),
    ):
        last = await published(desk, body)
    await seen(desk, last, PATH)


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize(
    ("currency", "on", "expected"),
    [
        ("ISK", date(2019, 5, 5), None),  # before any
        ("ISK", date(2019, 5, 6), Decimal("9.75") / Decimal("136.5")),  # across the base, of one day
        ("ISK", date(2019, 5, 8), Decimal("9.75") / Decimal("136.5")),  # the last day has one of the two only
        ("ISK", date(2019, 5, 31), 1 / Decimal(14)),  # of several tables of a day the company's own
        ("EUR", date(2019, 5, 7), Decimal("9.75")),  # the base itself
        ("EUR", date(2019, 5, 12), Decimal("9.8")),
        ("PLN", date(2019, 5, 13), Decimal("2.25")),
        ("DKK", date(2019, 5, 31), None),  # never on one day
    ],
)
async def test_deal_3_the_last_day_on_which_one_table_has_both_currencies_counts(
    office: Office, currency: str, on: date, expected: Decimal | None
) -> None:
    assert (await found(office, currency, on)).factors == {currency: expected}


@pytest.mark.usefixtures("history")
async def test_deal_3_deals_in_the_companys_currency_look_nothing_up(office: Office) -> None:
    assert (await found(office, "NOK", date(2019, 5, 31))).factors == {}
    assert (await found(office, "NOK", date(2019, 5, 31), also="NOK")).factors == {}
    assert (await found(office, "NOK", date(2019, 5, 31), also="PLN")).factors == {"PLN": Decimal("2.25")}


async def test_deal_3_a_deal_in_another_currency_passes_its_gate_once_there_is_a_rate(office: Office) -> None:
    desk = office.somebody()
    deal = await desk.makes("/v1/deals", {"name": "Mill", "amount": {"amount": "500000.00", "currency": "UYU"}})
    path, step = f"/v1/deals/{deal}", {"on": "2099-01-05", "what": "Workshop"}
    await desk.makes(f"{path}/complete-node", {"key": "first-conversation", "evidence": "Minutes 118"})
    await desk.makes(f"{path}/plan-next-step", step)
    await desk.makes(f"{path}/move", {"stage": "needs-confirmed"})
    noted = {"need_stated": True, "budget": "150000", "decision_chain_known": True}
    await desk.makes(f"{path}/note-facts", {"facts": noted})
    await desk.makes(f"{path}/complete-node", {"key": "needs-confirmation", "evidence": "DOC-2"})
    refused = await desk.does(f"{path}/move", {"stage": "contract-drafting"})
    assert (refused.status_code, codes(refused)) == (409, ["criterion-unmet", "no-exchange-rate"])
    assert refused.json()["errors"][0]["details"]["met"] == {"amount": None}
    assert refused.json()["errors"][1]["details"] == {"currency": "UYU", "in": "EUR"}
    await seen(desk, await published(desk, table("2026-01-02", UYU="45.9")), PATH)
    await desk.makes(f"{path}/move", {"stage": "contract-drafting"})


async def test_the_list_is_what_a_fresh_fold_gives(office: Office) -> None:
    running, desk = office.running, office.somebody()
    await published(desk, table("2020-04-01", USD="1.09", JPY="118"))
    answer = await published(desk, table("2020-04-01", USD="1.1"))
    await seen(desk, answer, PATH)
    assert await differences(running.pool, running.log, EXCHANGE_RATE_PROJECTION, running.settings.company) == []
