"""DEAL-1: opening rules over HTTP and PostgreSQL: set, followed by new deals and by those of leads, and tried on the
deals of the past."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.deals.domain.process.full import FULL_ID
from services.deals.domain.process.short import SHORT_ID
from services.deals.projections.deals import DEAL_PROJECTION
from shared.directory.accounts import KNOWN_ACCOUNTS
from shared.domain.roles import Role
from shared.projections.audit import differences
from tests.services.conftest import Everybody
from tests.services.deals.conftest import Office, Team
from tests.services.deals.opening import RULES, ruled
from tests.services.deals.test_processes_at_work import renewal
from tests.services.deals.test_service import codes, seen
from tests.services.deals.test_winning_at_work import done
from tests.services.leads.conftest import Desk, patiently, ready_lead, unique

TRIAL = f"{RULES}/trial"
FULL, SHORT = str(FULL_ID), str(SHORT_ID)
AMOUNT = {"amount": "1000.00", "currency": "EUR"}


def of(fact: str, operator: str, value: Any = None) -> dict[str, Any]:
    return {"fact": fact, "operator": operator, **({} if value is None else {"value": value})}


def rule(name: str, *when: dict[str, Any], process: str = FULL) -> dict[str, Any]:
    return {"name": name, "when": {"all_of": list(when)}, "process_id": process}


async def opened(desk: Desk, after: httpx.Response | None = None, **fields: Any) -> dict[str, Any]:
    """A new deal, as it is shown; of what another answer tells of."""
    token = {"Consistency-Token": after.headers["Consistency-Token"]} if after else {}
    made = await done(desk, "/v1/deals", {"name": "Line", "amount": AMOUNT, **fields}, **token)
    return {**await desk.sees(f"/v1/deals/{made.json()['id']}"), "answer": made}


def choice(deal: dict[str, Any]) -> tuple[Any, ...]:
    return deal["process_rule"], deal["process_id"], deal["segment"], deal["customer"]


async def test_deal_1_a_deal_follows_the_process_of_the_first_rule_that_applies(office: Office) -> None:
    team, source, family = await office.team(), unique("source"), unique("family")
    rep, ops = office.somebody(Role.REP, team.subjects[0]), office.somebody()
    account = await done(
        office.operations(),
        "/v1/accounts",
        {"name": unique("Acme"), "size": 1500, "country": "DE", "industry": "chemicals", "owner": team.rep},
    )
    customer = {"account_id": account.json()["id"], "source": source}
    price = {"amount": "10.00", "currency": "EUR"}
    product = await ops.makes(
        "/v1/products", {"code": unique("P"), "name": "Rack", "family": family, "list_price": price}
    )
    here = of("source", "is", source)
    document = {
        "segments": [
            {"key": "enterprise", "name": "Enterprise", "when": of("size", "at-least", 1000)},
            {"key": "german", "name": "German", "when": of("country", "is", "DE")},
        ],
        "rules": [
            rule("large", here, of("amount", "at-least", "500000")),
            rule("racks", here, of("families", "has", family)),
            rule("known", here, of("customer", "is", "returning")),
            rule("enterprise", here, of("segment", "is", "enterprise")),
            rule("ours", here, of("teams", "has", team.id), of("industry", "is", "steel")),
        ],
        "otherwise": SHORT,
    }
    async with ruled(office, document) as version:
        large = await opened(rep, source=source, amount={"amount": "500000.00", "currency": "EUR"})
        assert choice(large) == ("large", FULL, None, "new")
        assert (large["opening_rules_version"], large["unknown_facts"]) == (version, ["size", "country"])
        racks = await opened(rep, source=source, amount=None, lines=[{"product_id": product, "quantity": "3"}])
        assert choice(racks) == ("racks", FULL, None, "new")
        lines = await opened(rep, source=source, amount=None, lines=[{"product_id": product, "quantity": "50000"}])
        assert choice(lines)[0] == "large", "without an amount, what its lines come to"
        ours = await opened(rep, source=source, industry="steel")
        assert choice(ours) == ("ours", FULL, None, "new")
        other = await opened(rep, source=source)
        assert choice(other) == ("default", SHORT, None, "new")

        first = await opened(rep, account, **customer)
        assert choice(first) == ("enterprise", FULL, "enterprise", "new")
        won = await done(rep, f"/v1/deals/{first['id']}/win")
        again = await opened(rep, won, **customer)
        assert choice(again) == ("known", FULL, "enterprise", "returning")
        named = await opened(rep, won, **customer, process_id=SHORT)
        assert choice(named) == ("named", SHORT, "enterprise", "returning")
        rows = (await seen(rep, named["answer"], "/v1/deals", source=source, customer="returning"))["items"]
        assert {row["id"] for row in rows} == {again["id"], named["id"]}
        rows = (await rep.sees("/v1/deals", source=source, segment="enterprise"))["items"]
        assert {row["id"]: row["customer"] for row in rows} == {
            first["id"]: "new",
            again["id"]: "returning",
            named["id"]: "returning",
        }
    after = await opened(rep, won, **customer)
    assert (choice(after), after["opening_rules_version"]) == (("default", SHORT, None, "returning"), 0)
    running = office.running
    assert await differences(running.pool, running.log, DEAL_PROJECTION, running.settings.company) == []
    assert await differences(running.pool, running.journal, KNOWN_ACCOUNTS, running.settings.company) == []


async def test_deal_1_an_amount_counts_by_the_rate_of_the_day_and_without_one_no_rule_on_it_applies(
    office: Office,
) -> None:
    team, source = await office.team(), unique("source")
    rep = office.somebody(Role.REP, team.subjects[0])
    here = of("source", "is", source)
    small = {"not_": of("amount", "at-least", "500000")}
    document = {"rules": [rule("small", here, small), rule("other", here)], "otherwise": SHORT}
    async with ruled(office, document):
        unrated = await opened(rep, source=source, amount={"amount": "1", "currency": "HUF"})
        assert (choice(unrated)[0], unrated["unknown_facts"]) == ("other", ["amount"])
        today = office.running.settings.company.day(office.running.clock.now())
        rates = {"base": "EUR", "on": f"{today}", "rates": [{"currency": "HUF", "rate": "400"}]}
        published = await done(office.somebody(Role.FINANCE, "fred"), "/v1/exchange-rates", rates)
        rated = await opened(rep, published, source=source, amount={"amount": "1", "currency": "HUF"})
        assert (choice(rated)[0], rated["unknown_facts"]) == ("small", [])
        large = await opened(rep, published, source=source, amount={"amount": "200000000", "currency": "HUF"})
        assert choice(large)[0] == "other"


async def test_deal_1_a_deal_of_a_lead_follows_what_rules_say_of_the_company_that_the_lead_told(
    everybody: Everybody, office: Office
) -> None:
    """Also where its account gets here later than the conversion."""
    campaign = unique("source")
    document = {
        "segments": [{"key": "enterprise", "name": "Enterprise", "when": of("size", "at-least", 1000)}],
        "rules": [
            rule(
                "from a lead",
                of("source", "is", campaign),
                of("from_lead", "is", True),
                of("segment", "is", "enterprise"),
                of("country", "is", "AT"),
            )
        ],
        "otherwise": SHORT,
    }
    leads = office.operations()
    company = {"company_name": unique("Acme"), "company_size": 2400, "country": "AT", "source": campaign}
    async with ruled(office, document):
        lead = await ready_lead(leads, **company)
        converted = await done(leads, f"/v1/leads/{lead}/convert", {"deal": {"name": "Plant", "amount": AMOUNT}})
        deal = (await leads.sees(f"/v1/leads/{lead}"))["deal_id"]
        found = await seen(office.somebody(), converted, f"/v1/deals/{deal}")
    assert choice(found) == ("from a lead", FULL, "enterprise", "new")


@pytest.mark.parametrize(
    ("document", "faults"),
    [
        ({"otherwise": SHORT, "rules": [rule("x", of("colour", "is", "red"))]},
         {"/document/rules/0/when/all_of/0/fact": "unknown-fact"}),
        ({"otherwise": "01989f52-6d2c-7a51-9a44-0a4f5b1f7d11"}, {"/document/otherwise": "unknown-process"}),
        ({"otherwise": SHORT,
          "rules": [rule("x", of("segment", "is", "none"), process="01989f52-6d2c-7a51-9a44-0a4f5b1f7d11")]},
         {"/document/rules/0/when/all_of/0/value": "unknown-value",
          "/document/rules/0/process_id": "unknown-process"}),
    ],
)  # fmt: skip
async def test_deal_1_rules_that_cannot_be_are_refused_with_every_position(
    office: Office, document: dict[str, Any], faults: dict[str, str]
) -> None:
    period = {"opened_from": "2026-01-01", "opened_to": "2026-01-31"}
    for path, body in ((RULES, {"document": document}), (TRIAL, {"document": document, **period})):
        refused = await office.somebody().does(path, body)
        assert refused.status_code == 422, refused.text
        assert {each["pointer"]: each["code"] for each in refused.json()["errors"]} == faults, path


async def test_deal_1_a_process_that_was_retired_is_none_to_lead_to_and_one_that_rules_lead_to_is_not_retired(
    office: Office,
) -> None:
    ops, source = office.somebody(), unique("source")
    made = await ops.makes("/v1/processes", {"definition": renewal()})
    document = {"otherwise": SHORT, "rules": [rule("x", of("source", "is", source), process=made)]}
    async with ruled(office, document):
        assert codes(await ops.does(f"/v1/processes/{made}/retire")) == ["chosen-by-rules"]
    await done(ops, f"/v1/processes/{made}/retire")
    refused = await ops.does(RULES, {"document": document})
    assert [(each["code"], each["pointer"]) for each in refused.json()["errors"]] == [
        ("unknown-process", "/document/rules/0/process_id")
    ]


@pytest.mark.parametrize("role", [Role.REP, Role.MANAGER, Role.FINANCE, Role.MARKETING])
async def test_deal_1_only_who_steers_sales_sets_and_tries_rules(office: Office, team: Team, role: Role) -> None:
    desk = office.somebody(role, team.subjects[0])
    document = {"otherwise": FULL}
    tried = {"document": document, "opened_from": "2026-01-01", "opened_to": "2026-01-31"}
    for path, body in ((RULES, {"document": document}), (TRIAL, tried)):
        assert (await desk.does(path, body)).status_code == 403, path


async def tried(desk: Desk, body: dict[str, Any], after: httpx.Response, **query: str) -> Any:
    """What rules would have chosen; a question, so without a key."""
    token = {"Consistency-Token": after.headers["Consistency-Token"]}
    answer = await patiently(lambda: desk.client.post(TRIAL, json=body, params=query, headers=token), token)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_deal_1_rules_are_tried_on_the_deals_of_a_period_by_what_was_known_then(office: Office) -> None:
    """A change of the deal since, another owner's or its amount, says nothing of its opening."""
    team, source, large_one = await office.team(), unique("source"), unique("large")
    rep, ops = office.somebody(Role.REP, team.subjects[0]), office.somebody()
    small = await opened(rep, source=source)
    await done(rep, f"/v1/deals/{small['id']}/change-amount", {"amount": {"amount": "900000.00", "currency": "EUR"}})
    large = await opened(rep, source=source, amount={"amount": "600000.00", "currency": "EUR"})
    named = await opened(rep, source=source, amount={"amount": "600000.00", "currency": "EUR"}, process_id=SHORT)
    today = office.running.settings.company.day(office.running.clock.now())
    document = {
        "rules": [rule(large_one, of("source", "is", source), of("amount", "at-least", "500000"))],
        "otherwise": SHORT,
    }
    body = {"document": document, "opened_from": f"{today}", "opened_to": f"{today}"}
    before = await ops.sees(RULES)

    async def every(**changes: Any) -> tuple[dict[str, Any], dict[tuple[str, str], tuple[int, int]], int]:
        items, counts, deals, query = [], dict[tuple[str, str], tuple[int, int]](), 0, {"limit": "2"}
        while True:
            page = await tried(ops, {**body, **changes}, named["answer"], **query)
            assert page["deals"] <= 2
            assert page["differ"] == len(page["items"])
            items += page["items"]
            deals += page["deals"]
            for each in page["choices"]:
                key = (each["process_rule"], each["process_id"])
                was, would = counts.get(key, (0, 0))
                counts[key] = (was + each["chosen"], would + each["would_be_chosen"])
            if not page["has_more"]:
                return {each["deal_id"]: each for each in items}, counts, deals
            query["cursor"] = page["next"]

    items, counts, deals = await every()
    assert items.keys() & {small["id"], large["id"], named["id"]} == {large["id"]}
    told = items[large["id"]]
    assert (told["process_id"], told["process_rule"]) == (SHORT, "default")
    assert (told["would_follow"], told["would_be_chosen_by"]) == (FULL, large_one)
    assert (told["opened_on"], told["customer"], told["segment"]) == (f"{today}", "new", None)
    assert counts[large_one, FULL] == (0, 1)
    assert sum(was for was, _ in counts.values()) == sum(would for _, would in counts.values()) == deals

    items, counts, _ = await every(also_named=True)
    assert items.keys() & {small["id"], large["id"], named["id"]} == {large["id"], named["id"]}
    assert counts[large_one, FULL] == (0, 2)
    tomorrow = f"{today + timedelta(days=1)}"
    nothing = await tried(ops, {**body, "opened_from": tomorrow, "opened_to": tomorrow}, named["answer"])
    assert (nothing["deals"], nothing["items"], nothing["choices"]) == (0, [], [])
    assert await ops.sees(RULES) == before, "nothing was set"


async def test_deal_1_rules_are_tried_by_whether_the_account_had_won_a_deal_until_then(office: Office) -> None:
    team, source = await office.team(), unique("source")
    rep, ops = office.somebody(Role.REP, team.subjects[0]), office.somebody()
    account = await done(office.operations(), "/v1/accounts", {"name": unique("Acme"), "owner": team.rep})
    customer = {"account_id": account.json()["id"], "source": source}
    first = await opened(rep, account, **customer)
    won = await done(rep, f"/v1/deals/{first['id']}/win")
    second = await opened(rep, won, **customer)
    today = office.running.settings.company.day(office.running.clock.now())
    document = {
        "rules": [rule("back", of("source", "is", source), of("customer", "is", "returning"))],
        "otherwise": SHORT,
    }
    body = {"document": document, "opened_from": f"{today}", "opened_to": f"{today}"}
    page = await tried(ops, body, second["answer"], limit="200")
    differing = {each["deal_id"]: each["would_be_chosen_by"] for each in page["items"]}
    assert {each: rule for each, rule in differing.items() if each in (first["id"], second["id"])} == {
        second["id"]: "back"
    }


async def test_deal_1_a_period_ends_after_it_begins_and_unknown_fields_are_refused(office: Office) -> None:
    body = {"document": {"otherwise": SHORT}, "opened_from": "2026-02-01", "opened_to": "2026-01-31"}
    refused = await office.somebody().does(TRIAL, body)
    assert [(each["code"], each["pointer"]) for each in refused.json()["errors"]] == [("reversed-period", "/opened_to")]
    more = await office.somebody().does(TRIAL, {**body, "until": "2026-01-01"})
    assert (more.status_code, more.json()["errors"][0]["pointer"]) == (422, "/until")
    nowhere = await office.somebody().does(f"/v1/dry-runs{TRIAL.removeprefix('/v1')}", body)
    assert nowhere.status_code == 404, "a question has no dry run"
