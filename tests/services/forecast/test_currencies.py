"""A company in euro that sells in several currencies: every answer is in euro, and adds up to the cent (FC-1, FC-3)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest

from shared.domain.roles import Role
from shared.events.envelope import Envelope
from shared.events.money import Money
from shared.ops.ids import new_id
from tests.described import as_described
from tests.services.forecast.conftest import journaled
from tests.services.forecast.facts import ANNA, NORTH, fact, opened, repriced, won
from tests.services.forecast.rates import table
from tests.services.forecast.test_health_rows import issued
from tests.shared.http.conftest import Errands

DEALS = [UUID(int=8000 + number) for number in range(6)]
EURO, DOLLAR, WON, GREW, YEN, DIRHAM = DEALS

Ask = Callable[..., Any]


@pytest.fixture(scope="module")
async def today(served: Errands) -> date:
    """The company's day."""
    return served.settings.company.day(served.running.clock.now())


@pytest.fixture(scope="module")
async def told(served: Errands, today: date) -> None:
    """Twenty days ago deals in four currencies were opened, of which one has no rate; ten days ago one was won and
    invoiced, and one came to be worth more; since then the dollar and the yen are worth something else."""
    begun, changed = (served.running.clock.now() - timedelta(days=days) for days in (20, 10))
    rates = [
        table(today - timedelta(days=22), {"USD": "1.25", "JPY": "160"}, begun),
        table(today - timedelta(days=11), {"USD": "1.6"}, changed),
        table(today - timedelta(days=3), {"USD": "1.2", "JPY": "150"}, served.running.clock.now()),
    ]
    close = today + timedelta(days=1)
    openings = [
        (EURO, 1000, "EUR"), (DOLLAR, 1000, "USD"), (WON, 800, "USD"), (GREW, 100, "USD"), (YEN, 10_000, "JPY"),
        (DIRHAM, 5000, "AED"),
    ]  # fmt: skip
    facts = [
        fact(1, opened(amount, "needs", close, each, currency=own), begun, deal=each) for each, amount, own in openings
    ]
    facts += [
        fact(2, repriced(300, 100, GREW, "USD"), changed, deal=GREW),
        fact(2, replace(won(changed.date(), 800, WON), amount=usd(800)), changed, deal=WON),
        invoice(usd(800), changed),
        invoice(Money(amount=Decimal(70), currency="AED"), changed),
    ]
    await journaled(served.running, [*rates, *facts])


def usd(amount: int) -> Money:
    return Money(amount=Decimal(amount), currency="USD")


def invoice(amount: Money, at: datetime) -> Envelope[Any]:
    ledger = new_id()
    data = issued(ledger, new_id(), amount, at.date(), NORTH, ANNA)
    return replace(fact(1, data, at, deal=ledger), service="receivables", aggregate="ledger")


@pytest.fixture
def ask(served: Errands, told: None) -> Ask:
    """A question of the sales director; the answer is as described."""
    client: httpx.AsyncClient = served.client(Role.SALES_DIRECTOR, "dora")

    async def asked(path: str, **parameters: str) -> Any:
        response = await client.get(path, params=parameters)
        assert response.status_code == 200, response.text
        return as_described(path, response.json())

    return asked


def amounts(rows: list[Any], name: str = "amount") -> list[str]:
    return [row[name] and row[name]["amount"] for row in rows]


async def test_fc_1_the_funnel_is_in_the_company_s_currency_at_the_rates_of_the_day(ask: Ask, today: date) -> None:
    """EUR 1,000; USD 1,000 and 300 at 1.2; JPY 10,000 at 150. The outcome at the 1.6 of its own day."""
    funnel = await ask("/v1/funnel")
    (stage,) = [each for each in funnel["stages"] if each["count"]]
    assert (stage["count"], stage["amount"]) == (4, {"amount": "2150.00", "currency": "EUR"})
    assert funnel["closed"]["won"]["amount"]["amount"] == "500.00"
    assert [(each["currency"], each["published_on"]) for each in funnel["rates"]] == [
        ("JPY", str(today - timedelta(days=3))),
        ("USD", str(today - timedelta(days=3))),
    ]
    assert Decimal(funnel["rates"][1]["rate"]).quantize(Decimal("0.0001")) == Decimal("0.8333")
    (left,) = funnel["unconverted"]
    assert left == {
        "figure": "open-deals",
        "count": 1,
        "amount": {"amount": "5000.00", "currency": "AED"},
        "sentence": "Left out, for want of an exchange rate: 1 open deal of 5,000.00 AED.",
    }


async def test_fc_1_an_open_amount_is_worth_what_it_was_on_the_day_asked_about(ask: Ask, today: date) -> None:
    """Fifteen days ago: EUR 1,000; USD 1,900 at 1.25; JPY 10,000 at 160."""
    funnel = await ask("/v1/funnel", as_of=str(today - timedelta(days=15)))
    (stage,) = [each for each in funnel["stages"] if each["count"]]
    assert stage["amount"]["amount"] == "2582.50"


async def test_fc_1_the_deals_behind_a_figure_show_both_amounts(ask: Ask, today: date) -> None:
    page = await ask("/v1/funnel/deals", limit="3")
    assert amounts(page["deals"]) == ["1000.00", "833.33", "250.00"]
    assert amounts(page["deals"], "own_amount") == ["1000.00", "1000.00", "300.00"]
    published = str(today - timedelta(days=3))
    assert [row["rate_published_on"] for row in page["deals"]] == [None, published, published]
    rest = await ask("/v1/funnel/deals", limit="3", cursor=page["next"])
    assert amounts(rest["deals"]) == ["66.67"]
    assert (page["count"], page["amount"]["amount"], len(page["unconverted"])) == (4, "2150.00", 1)
    ended = await ask("/v1/funnel/deals", outcome="won")
    assert (amounts(ended["deals"]), ended["amount"]["amount"]) == (["500.00"], "500.00")
    assert ended["deals"][0]["rate_published_on"] == str(today - timedelta(days=11))


@pytest.mark.parametrize("as_of", [0, 15])
async def test_fc_1_the_funnel_of_one_currency_is_that_of_its_deals(ask: Ask, today: date, as_of: int) -> None:
    then = str(today - timedelta(days=as_of)) if as_of else None
    for known in ({}, {"known_at": then or str(today)}):
        asked = {"currency": "USD", **({"as_of": then} if then else {}), **known}
        funnel, page = await ask("/v1/funnel", **asked), await ask("/v1/funnel/deals", **asked)
        (stage,) = [each for each in funnel["stages"] if each["count"]]
        assert {row["own_amount"]["currency"] for row in page["deals"]} == {"USD"}
        assert (stage["count"], stage["amount"]) == (page["count"], page["amount"])
        assert page["count"] == (3 if as_of else 2)
        assert [each["currency"] for each in funnel["rates"]] == ["USD"]
    assert funnel["closed"]["won"]["count"] == (0 if as_of else 1)
    assert (await ask("/v1/funnel/deals", currency="USD", outcome="won"))["count"] == 1
    assert (await ask("/v1/funnel", currency="CHF"))["closed"]["won"]["count"] == 0


async def test_a_currency_that_there_is_not_is_refused(served: Errands) -> None:
    for given in ("usd", "XYZ", ""):
        answer = await served.client(Role.SALES_DIRECTOR, "dora").get("/v1/funnel", params={"currency": given})
        assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (400, "currency")


async def test_fc_4_the_forecast_counts_outcomes_and_invoices_at_their_own_day(ask: Ask, today: date) -> None:
    due, ended = ((today + timedelta(days=days)).year for days in (1, -10))
    assert (await ask("/v1/forecast", period=str(due)))["open"]["amount"] == "2150.00"
    forecast = await ask("/v1/forecast", period=str(ended))
    assert (forecast["won"]["amount"], forecast["invoiced"]["amount"]) == ("500.00", "500.00")
    left = {each["figure"]: each["amount"]["amount"] for each in forecast["unconverted"]}
    assert left["invoices"] == "70.00"


async def test_fc_3_the_waterfall_has_a_leg_of_the_rates_and_adds_up_to_the_cent(ask: Ask, today: date) -> None:
    """USD 1,000 from 800.00 to 833.33, the first 100 of what grew from 80.00 to 83.33, JPY 10,000 from 62.50 to 66.67;
    what grew did so by USD 200 at the rate of the end, what was won left at the rate of the start."""
    since = str(today - timedelta(days=15))
    changes = await ask("/v1/pipeline-changes", **{"from": since})
    legs = {each["leg"]: (each["count"], each["amount"]["amount"]) for each in changes["legs"] if each["count"]}
    assert legs == {"increase": (1, "166.67"), "fx": (3, "40.83"), "won": (1, "-640.00")}
    start, end = (Decimal(changes[side]["amount"]["amount"]) for side in ("start", "end"))
    assert (start, end) == (Decimal("2582.50"), Decimal("2150.00"))
    assert start + sum(Decimal(each["amount"]["amount"]) for each in changes["legs"]) == end
    behind = await ask("/v1/pipeline-changes/deals", leg="fx", **{"from": since})
    assert amounts(behind["deals"]) == ["33.33", "4.17", "3.33"]
    assert (amounts(behind["deals"], "before"), amounts(behind["deals"], "after")) == (
        ["800.00", "62.50", "80.00"],
        ["833.33", "66.67", "83.33"],
    )
    assert amounts(behind["deals"], "own_before") == ["1000.00", "10000", "100.00"]
    assert behind["count"] == 3
    nothing = await ask("/v1/pipeline-changes", period=str(today.year + 5))
    assert (nothing["rates"], nothing["start_rates"]) == ([], []), "no rate tells of deals that are not asked about"


async def test_fc_7_health_measures_amounts_in_the_company_s_currency(ask: Ask) -> None:
    health = await ask("/v1/health-metrics")
    attained, owed = (
        next(each for each in health["metrics"] if each["metric"] == metric)
        for metric in ("revenue-attainment", "overdue-share")
    )
    assert attained["numerator"] in ("500.00", "0.00"), "of the running quarter"
    assert owed["denominator"] == "666.67"
    assert "open-items" in {each["figure"] for each in health["unconverted"]}


async def test_fc_4_what_is_in_danger_is_ranked_by_its_worth(ask: Ask, today: date) -> None:
    found = await ask("/v1/endangered-deals", period=str((today + timedelta(days=1)).year))
    assert all(row["amount"]["currency"] == "EUR" for row in found["deals"])
    assert [each["figure"] for each in found["unconverted"]] == ["open-deals"]


async def test_fc_17_the_history_of_a_deal_is_in_its_own_currency(ask: Ask) -> None:
    history = await ask(f"/v1/deal-histories/{GREW}")
    (change,) = [each for each in history["entries"][1]["changes"] if each["field"] == "amount"]
    assert (change["before"], change["after"]) == (
        {"amount": "100.00", "currency": "USD"},
        {"amount": "300.00", "currency": "USD"},
    )


@pytest.mark.parametrize("as_of", [0, 1])
async def test_fc_4_the_forecast_says_what_it_leaves_out_for_want_of_a_close_date(
    ask: Ask, served: Errands, today: date, as_of: int
) -> None:
    """Whatever the period: EUR 1,000 and USD 120 at 1.2, of the deals that are open; what has no rate is told beside.
    It stands last: it tells more deals."""
    mine, begun = new_id(), served.running.clock.now() - timedelta(days=2)
    deals = [new_id() for _ in range(5)]
    told = [(1000, "EUR", None), (120, "USD", None), (5000, "AED", None), (300, "EUR", None), (400, "EUR", today)]
    openings = [
        opened(amount, "needs", close, deal, currency=own, owner=mine)
        for deal, (amount, own, close) in zip(deals, told, strict=True)
    ]
    facts = [fact(1, each, begun, deal=deal) for deal, each in zip(deals, openings, strict=True)]
    await journaled(served.running, [*facts, fact(2, won(begun.date(), 300, deals[3]), begun, deal=deals[3])])
    then = str(today - timedelta(days=1)) if as_of else str(today)
    for known in ({}, {"known_at": str(today)}):
        asked = {"owner": str(mine), **({"as_of": then} if as_of else {}), **known}
        for name in (str(today.year), str(today.year + 3)):
            forecast = await ask("/v1/forecast", period=name, **asked)
            undated, weighted = forecast["undated"], (Decimal(1100) * openings[0].probability).quantize(Decimal("0.01"))
            assert (undated["count"], undated["amount"]) == (2, {"amount": "1100.00", "currency": "EUR"})
            assert Decimal(undated["weighted"]["amount"]) == weighted
            assert forecast["open"]["amount"] == ("400.00" if name == str(today.year) else "0.00")
            assert [each["amount"]["currency"] for each in forecast["unconverted"]] == ["AED"]
            assert [each["currency"] for each in forecast["rates"]] == ["USD"]
        page = await ask("/v1/forecast/deals", period=str(today.year), figure="undated", **asked)
        assert (page["count"], page["amount"]) == (2, undated["amount"])
        assert [each["expected_close"] for each in page["deals"]] == [None, None]
    none = await ask("/v1/forecast/deals", figure="undated", category="closed", owner=str(mine))
    assert (none["count"], none["deals"]) == (0, [])
