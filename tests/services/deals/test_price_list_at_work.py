"""PROD-1 over HTTP: prices by currency, day and quantity, price lists as files, and who sees what products cost."""

from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from shared.domain.roles import Role
from shared.ops.ids import new_id
from tests.described import as_described
from tests.services.deals.conftest import Office
from tests.services.deals.test_service import codes, seen
from tests.services.leads.conftest import Desk, patiently

CSV = {"Content-Type": "text/csv"}
LIST = "/v1/price-list"


def money(amount: str, currency: str = "EUR") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


def today(office: Office) -> date:
    return office.running.settings.company.day(office.running.clock.now())


@pytest.fixture
def keeper(office: Office) -> Desk:
    return office.somebody(Role.PRODUCT, "pia")


async def sent(desk: Desk, file: str, path: str = LIST, **headers: str) -> httpx.Response:
    told = {"Idempotency-Key": str(new_id()), **CSV, **headers}
    return await patiently(lambda: desk.client.post(path, content=file.encode(), headers=told), told)


def outcomes(answer: httpx.Response, path: str = LIST) -> list[tuple[str, str]]:
    assert answer.status_code == 200, answer.text
    told = as_described(path, answer.json(), "post")
    found = [(each["code"], each["outcome"]) for each in told["products"]]
    counts = {name: sum(each == name for _, each in found) for name in ("created", "changed", "unchanged", "refused")}
    assert counts == {name: told[name] for name in counts}
    return found


def token(answer: httpx.Response) -> dict[str, str]:
    return {"Consistency-Token": answer.headers["Consistency-Token"]}


async def listed(desk: Desk, answer: httpx.Response, code: str, **query: str) -> dict[str, Any]:
    """What a price list says of a product, once it knows what was answered."""
    items: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = await seen(desk, answer, LIST, **query, **cursor)
        items += as_described(LIST, page)["items"]
        if page["next"] is None:
            (found,) = [each for each in items if each["code"] == code]
            return found
        cursor = {"cursor": page["next"]}


def file_of(code: str, begin: date) -> str:
    return (
        "code,name,family,currency,price,valid_from,from_quantity,unit_cost,active\n"
        f"{code},Server,Servers,EUR,4800,,,3100,true\n"
        f"{code},Server,Servers,USD,5100,{begin},,,true\n"
        f"{code},Server,Servers,USD,4850,{begin},10,,true\n"
    )


async def test_prod_1_a_deal_gets_the_price_by_list_of_its_currency_day_and_quantity(
    office: Office, keeper: Desk
) -> None:
    seller, code, begin = office.somebody(), f"P-{new_id()}", today(office)
    prices = [
        {
            "price": money("5100.00", "USD"),
            "valid_from": begin.isoformat(),
            "tiers": [{"from_quantity": "10", "price": money("4850.00", "USD")}],
        }
    ]
    body = {"code": code, "name": "Server", "list_price": money("4800.00"), "prices": prices}
    made = await keeper.makes("/v1/products", body)
    shown = await keeper.sees(f"/v1/products/{made}")
    assert (shown["version"], shown["prices"]) == (2, prices)

    async def opened(currency: str, quantity: str) -> httpx.Response:
        lines = [{"product_id": made, "quantity": quantity}]
        return await seller.does("/v1/deals", {"name": "x", "amount": money("1", currency), "lines": lines})

    for currency, quantity, price in ("EUR", "10", "4800.00"), ("USD", "9.5", "5100.00"), ("USD", "10", "4850.00"):
        deal = (await opened(currency, quantity)).json()["id"]
        (line,) = (await seller.sees(f"/v1/deals/{deal}"))["lines"]
        assert line["price"] == money(price, currency)
    assert codes(await opened("CHF", "1")) == ["other-currency"]
    # A deal keeps the price that it was given.
    again = {"price": money("6000.00", "USD"), "valid_from": begin.isoformat()}
    assert (await keeper.does(f"/v1/products/{made}/set-price", again)).status_code == 200
    (line,) = (await seller.sees(f"/v1/deals/{deal}"))["lines"]
    assert line["price"] == money("4850.00", "USD")


async def test_prod_1_a_price_list_says_what_counts_on_a_day(office: Office, keeper: Desk) -> None:
    code, rep = f"P-{new_id()}", office.somebody(Role.REP, "rita")
    later = today(office) + timedelta(days=30)
    made = await keeper.makes("/v1/products", {"code": code, "name": "Server", "list_price": money("4800.00")})
    tiers = [{"from_quantity": "10", "price": money("4500.00")}]
    price = {"price": money("4900.00"), "valid_from": later.isoformat(), "tiers": tiers}
    answer = await keeper.does(f"/v1/products/{made}/set-price", price)
    assert answer.status_code == 200, answer.text
    now = await listed(rep, answer, code)
    assert (now["price"], now["valid_from"], now["tiers"]) == (money("4800.00"), None, [])
    then = await listed(rep, answer, code, currency="EUR", on=later.isoformat())
    assert (then["product_id"], then["price"], then["valid_from"]) == (made, money("4900.00"), later.isoformat())
    assert then["tiers"] == tiers
    assert (await listed(rep, answer, code, currency="USD"))["price"] is None
    withdrawn = await keeper.does(
        f"/v1/products/{made}/withdraw-price", {"currency": "EUR", "valid_from": later.isoformat()}
    )
    assert withdrawn.status_code == 200, withdrawn.text
    assert (await listed(rep, withdrawn, code, on=later.isoformat()))["price"] == money("4800.00")
    wrong = await rep.client.get(LIST, params={"currency": "XAU"})
    assert (wrong.status_code, wrong.json()["errors"][0]["parameter"]) == (400, "currency")


async def test_prod_1_a_list_is_read_page_by_page(office: Office, keeper: Desk) -> None:
    begun = f"Q-{new_id()}"
    for number in range(3):
        body = {"code": f"{begun}-{number}", "name": "Server", "list_price": money("1.00")}
        answer = await keeper.does("/v1/products", body)
    assert (await listed(keeper, answer, f"{begun}-1", limit="2"))["price"] == money("1.00")


async def test_prod_1_a_file_is_tried_taken_over_and_the_same_again_changes_nothing(
    office: Office, keeper: Desk
) -> None:
    code, begin = f"P-{new_id()}", today(office)
    file = file_of(code, begin)
    tried = await sent(keeper, file, "/v1/dry-runs/price-list")
    assert outcomes(tried, "/v1/dry-runs/price-list") == [(code, "created")]
    assert await keeper.status(f"/v1/products/{tried.json()['products'][0]['id']}") == 404
    taken = await sent(keeper, file)
    assert outcomes(taken) == [(code, "created")]
    (told,) = taken.json()["products"]
    assert (told["rows"], told["version"], told["replayed"]) == ([0, 1, 2], 2, False)
    assert (await keeper.sees(f"/v1/products/{told['id']}"))["list_price"] == money("4800.00")
    # Under a key of its own, with or without what the list of products shows by now.
    assert outcomes(await sent(keeper, file)) == [(code, "unchanged")]
    assert outcomes(await sent(keeper, file, **token(taken))) == [(code, "unchanged")]
    changed = await sent(keeper, file.replace("4850", "4800"), **token(taken))
    assert outcomes(changed) == [(code, "changed")]
    in_dollars = await listed(keeper, changed, code, currency="USD")
    assert in_dollars["tiers"] == [{"from_quantity": "10", "price": money("4800.00", "USD")}]


async def test_prod_1_a_product_that_is_refused_stops_no_other_and_says_where(office: Office, keeper: Desk) -> None:
    good, bad, begin = f"P-{new_id()}", f"P-{new_id()}", today(office)
    early = file_of(bad, begin - timedelta(days=1)).partition("\n")[2]
    answer = await sent(keeper, file_of(good, begin) + early)
    assert outcomes(answer) == [(good, "created"), (bad, "refused")]
    problem = answer.json()["products"][1]["problem"]
    assert [(each["code"], each["pointer"]) for each in problem["errors"]] == [("in-the-past", "/rows/4/valid_from")]


async def test_prod_1_the_same_request_again_goes_on_where_it_ended(office: Office, keeper: Desk) -> None:
    first, second, key = f"P-{new_id()}", f"P-{new_id()}", str(new_id())
    begin = today(office)
    await sent(keeper, file_of(first, begin), **{"Idempotency-Key": key})
    whole = await sent(
        keeper, file_of(first, begin) + file_of(second, begin).partition("\n")[2], **{"Idempotency-Key": key}
    )
    assert outcomes(whole) == [(first, "unchanged"), (second, "created")]
    assert [each["replayed"] for each in whole.json()["products"]] == [True, False]
    other = await sent(keeper, file_of(first, begin).replace("4800", "4801"), **{"Idempotency-Key": key})
    assert other.json()["products"][0]["problem"]["code"] == "idempotency-key-reused"


async def test_prod_1_a_product_that_was_added_by_hand_is_found_by_its_code(office: Office, keeper: Desk) -> None:
    code, begin = f"P-{new_id()}", today(office)
    answer = await keeper.does("/v1/products", {"code": code, "name": "Server", "list_price": money("4800.00")})
    taken = await sent(keeper, file_of(code.lower(), begin), **token(answer))
    assert outcomes(taken) == [(code.lower(), "changed")]
    assert taken.json()["products"][0]["id"] == answer.json()["id"]


async def test_prod_1_what_is_read_back_is_taken_back_as_it_is(office: Office, keeper: Desk) -> None:
    code = f"P-{new_id()}"
    taken = await sent(keeper, file_of(code, today(office)))

    async def asked(path: str) -> httpx.Response:
        return await patiently(lambda: keeper.client.get(path, headers=token(taken)), token(taken))

    path: str | None = f"{LIST}/file"
    files: list[str] = []
    while path:
        page = await asked(path)
        assert (page.status_code, page.headers["Content-Type"].partition(";")[0]) == (200, "text/csv")
        files.append(page.text)
        link = page.headers.get("Link")
        path = link.partition(">")[0].removeprefix("<") if link else None
    (own,) = [each for each in files if code in each]
    lines = [line for line in own.splitlines() if line.startswith(code)]
    begin = today(office)
    assert lines == [
        f"{code},Server,Servers,EUR,4800.00,,,3100.00,true",
        f"{code},Server,Servers,USD,5100.00,{begin},,,true",
        f"{code},Server,Servers,USD,4850.00,{begin},10,,true",
    ]
    again = await sent(keeper, own, **token(taken))
    assert {outcome for _, outcome in outcomes(again)} == {"unchanged"}


@pytest.mark.parametrize(
    ("file", "status", "code"),
    [
        ("code;name\n", 400, "malformed-csv"),
        ("code,name,currency,price\nA,B,EUR,five\n", 422, "invalid-body"),
        ("code,name,currency,price\nA,,EUR,5\n", 422, "invalid-body"),
        ("code,name,currency,price\n", 422, "invalid-body"),
    ],
)
async def test_prod_1_a_file_that_is_none_is_refused_whole(keeper: Desk, file: str, status: int, code: str) -> None:
    answer = await sent(keeper, file)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


async def test_prod_1_every_cell_that_says_nothing_known_is_told_as_a_reader_of_the_file_knows_it(keeper: Desk) -> None:
    head = "code,name,currency,price,valid_from,from_quantity,active"
    answer = await sent(keeper, f'{head}\nA,B,EUR,"5,00",2027-13-01,,oui\nA,B,EUR,5,,,true\n')
    assert [(each["pointer"], each["message"]) for each in answer.json()["errors"]] == [
        ("/rows/0/price", 'A decimal is written with digits and a point, in JSON as a string: "120000.00".'),
        (
            "/rows/0/valid_from",
            "Input should be a valid date in the format YYYY-MM-DD, month value is outside expected range of 1-12.",
        ),
        ("/rows/0/active", "This is true or false."),
    ]
    alone = await sent(keeper, "code,name,currency,price\nA,B,EUR,five\n")
    assert [each["pointer"] for each in alone.json()["errors"]] == ["/rows/0/price"]
    empty = await sent(keeper, "code,name,currency,price\n")
    assert [(each["pointer"], each["code"]) for each in empty.json()["errors"]] == [("/rows", "too-short")]


async def test_prod_1_a_list_has_so_many_products_at_most(keeper: Desk) -> None:
    rows = [{"code": f"P-{number}", "name": "x", "currency": "EUR", "price": "1"} for number in range(101)]
    answer = await keeper.does(LIST, {"rows": rows})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "too-long")


async def test_prod_1_rows_are_json_as_well_and_no_other_media_type(keeper: Desk) -> None:
    rows = [{"code": f"P-{new_id()}", "name": "x", "currency": "EUR", "price": "1"}]
    assert [outcome for _, outcome in outcomes(await keeper.does(LIST, {"rows": rows}))] == ["created"]
    wrong = await sent(keeper, "code", **{"Content-Type": "application/yaml"})
    assert (wrong.status_code, wrong.headers["Accept"]) == (415, "application/json, text/csv")


@pytest.mark.parametrize("role", [Role.REP, Role.MANAGER, Role.FINANCE, Role.EXECUTIVE])
async def test_prod_1_only_who_keeps_products_sends_a_list_or_reads_the_file(
    office: Office, keeper: Desk, role: Role
) -> None:
    other, code = office.somebody(role, "mia"), f"P-{new_id()}"
    assert (await sent(other, file_of(code, today(office)))).status_code == 403
    assert (await other.client.get(f"{LIST}/file")).status_code == 403
    made = await keeper.makes("/v1/products", {"code": code, "name": "x", "list_price": money("1.00")})
    price = {"price": money("1.00", "USD"), "valid_from": today(office).isoformat()}
    assert (await other.does(f"/v1/products/{made}/set-price", price)).status_code == 403


async def test_prod_1_what_a_product_costs_is_seen_by_those_who_may(office: Office, keeper: Desk) -> None:
    made = await keeper.makes("/v1/products", {"code": f"P-{new_id()}", "name": "x", "list_price": money("5.00")})
    finance, rep = office.somebody(Role.FINANCE, "fay"), office.somebody(Role.REP, "rita")
    cost = {"product_id": made, "cost": money("3.00")}
    assert (await rep.does("/v1/product-costs", cost)).status_code == 403
    answer = await finance.does("/v1/product-costs", cost)
    assert answer.status_code == 201, answer.text
    own = f"/v1/product-costs/{answer.json()['id']}"
    assert answer.headers["Location"] == own
    for role in Role.SALES_DIRECTOR, Role.EXECUTIVE, Role.SALES_OPERATIONS, Role.PRODUCT:
        assert (await office.somebody(role, "sam").sees(own))["cost"] == money("3.00")
    (row,) = (await seen(finance, answer, "/v1/product-costs", product_id=made))["items"]
    assert (row["cost"], row["id"]) == (money("3.00"), answer.json()["id"])
    for path in own, f"{own}/history", "/v1/product-costs":
        assert await rep.status(path) in (403, 404)
    assert "cost" not in (await rep.client.get(f"/v1/products/{made}/history")).text
    nowhere = await finance.does("/v1/product-costs", {**cost, "product_id": str(new_id())})
    assert codes(nowhere) == ["unknown-product"]
