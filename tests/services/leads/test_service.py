"""The leads service over HTTP and PostgreSQL: what only shows when commands meet."""

import asyncio
from typing import Any
from uuid import UUID, uuid5

import httpx
import pytest

from services.leads.app import SERVICE
from shared.domain.roles import Role
from shared.ops.ids import new_id
from shared.projections.audit import differences
from shared.testing.servers import personal_rows
from tests.services.leads.conftest import Desk, House, address, ready_lead, unique

# -- LEAD-8: conversion ----------------------------------------------------------------------------------------------


async def test_lead_8_a_lead_becomes_account_contact_and_deal(house: House) -> None:
    desk, email, domain = house.somebody(), address(), f"{unique('company')}.example"
    lead = await ready_lead(desk, email=email, company_name="Northwind", company_domain=f"https://www.{domain}/")
    deal = {"name": "Second line", "amount": {"amount": "620000.00", "currency": "EUR"}}
    answer = await desk.does(f"/v1/leads/{lead}/convert", {"buying_role": "champion", "deal": deal})
    assert answer.status_code == 200, answer.text
    converted = await desk.sees(f"/v1/leads/{lead}")
    assert (converted["status"], converted["amount"]) == ("converted", deal["amount"])
    account = await desk.sees(f"/v1/accounts/{converted['account_id']}")
    assert (account["profile"]["domain"], account["lead_id"]) == (domain, lead)
    (contact,) = account["contacts"]
    assert (contact["id"], contact["email"]) == (converted["contact_id"], email)
    # The address went from the lead to the account.
    again = await desk.sees("/v1/leads/" + await desk.makes("/v1/leads", {"source": "fair", "email": email}))
    assert (again["status"], again["original_id"]) == ("duplicate", account["id"])


async def test_lead_8_the_deal_has_an_id_that_no_other_deal_can_have(house: House) -> None:
    """LEAD-8: it derives from the lead. One that a client names might be another deal's, of a service that this one
    does not ask."""
    desk = house.somebody()
    lead = await ready_lead(desk, email=address(), company_name="Northwind")
    deal = {"name": "Second line", "amount": {"amount": "620000.00", "currency": "EUR"}}
    refused = await desk.does(f"/v1/leads/{lead}/convert", {"deal": {**deal, "deal_id": str(new_id())}})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid-body"), refused.text
    assert [fault["pointer"] for fault in refused.json()["errors"]] == ["/deal/deal_id"]
    await desk.makes(f"/v1/leads/{lead}/convert", {"deal": deal})
    assert (await desk.sees(f"/v1/leads/{lead}"))["deal_id"] == str(uuid5(UUID(lead), "deal"))


async def test_lead_8_leads_of_one_company_that_are_converted_at_once_share_its_account(house: House) -> None:
    desk, domain = house.somebody(), f"{unique('company')}.example"
    leads = [await ready_lead(desk, email=address(), company_name="Northwind", company_domain=domain) for _ in range(5)]
    await asyncio.gather(*(desk.makes(f"/v1/leads/{lead}/convert") for lead in leads))
    accounts = {(await desk.sees(f"/v1/leads/{lead}"))["account_id"] for lead in leads}
    assert len(accounts) == 1
    assert len((await desk.sees(f"/v1/accounts/{accounts.pop()}"))["contacts"]) == 5


async def test_lead_7_a_conversion_names_every_unmet_criterion(house: House) -> None:
    desk = house.somebody()
    lead = await desk.makes("/v1/leads", {"source": "fair", "company_name": "Northwind"})
    refused = await desk.does(f"/v1/leads/{lead}/convert")
    assert (refused.status_code, refused.json()["code"]) == (409, "not-qualified")
    assert [error["details"]["criterion"] for error in refused.json()["errors"]] == [
        "need-stated",
        "budget",
        "decision-chain",
    ]


async def test_lead_8_a_lead_becomes_a_contact_beside_another_one_of_its_address(house: House) -> None:
    """LEAD-2: the account holds the address too, and is looked up as a lead before it is taken for an account."""
    desk, email = house.somebody(), address()
    account = await desk.makes("/v1/accounts", {"name": unique("Shared office")})
    await desk.makes(f"/v1/accounts/{account}/add-contact", {"name": "Ada Moreno", "email": email})
    lead = await ready_lead(desk, person_name="Ben Ortega", email=email)
    converted = await desk.does(f"/v1/leads/{lead}/convert", {"account_id": account})
    assert converted.status_code == 200, converted.text
    contacts = (await desk.sees(f"/v1/accounts/{account}"))["contacts"]
    assert {(each["name"], each["email"]) for each in contacts} == {("Ada Moreno", email), ("Ben Ortega", email)}


async def test_lead_8_a_rep_converts_only_to_an_account_that_they_see(house: House) -> None:
    rosa, sam = unique("rosa"), unique("sam")
    await house.team(rosa)
    await house.team(sam)
    foreign = await house.somebody(Role.REP, sam).makes("/v1/accounts", {"name": "Somebody else's"})
    own = await house.somebody(Role.REP, rosa).makes("/v1/accounts", {"name": "Mine"})
    desk = house.somebody(Role.REP, rosa)
    lead = await ready_lead(desk)
    for wrong in (foreign, str(new_id()), lead):
        refused = await desk.does(f"/v1/leads/{lead}/convert", {"account_id": wrong})
        assert (refused.status_code, refused.json()["code"]) == (422, "unknown-account")
    await desk.makes(f"/v1/leads/{lead}/convert", {"account_id": own})


async def test_lead_8_a_company_that_others_keep_is_neither_named_nor_written_to(house: House) -> None:
    """API-4: an account that the rep does not see is not found by its domain either."""
    rosa, sam, domain = unique("rosa"), unique("sam"), f"{unique('northwind')}.example"
    await house.team(rosa)
    await house.team(sam)
    keeper = house.somebody(Role.REP, sam)
    foreign = await keeper.makes("/v1/accounts", {"name": "Somebody else's", "domain": domain})
    desk = house.somebody(Role.REP, rosa)
    lead = await ready_lead(desk, company_name="Northwind", company_domain=domain)
    refused = await desk.does(f"/v1/leads/{lead}/convert")
    assert (refused.status_code, refused.json()["code"]) == (409, "account-of-others")
    assert foreign not in refused.text
    assert "Somebody else's" not in refused.text
    assert (await keeper.sees(f"/v1/accounts/{foreign}"))["contacts"] == []
    await house.somebody().makes(f"/v1/leads/{lead}/convert")
    assert len((await keeper.sees(f"/v1/accounts/{foreign}"))["contacts"]) == 1, "for whoever sees it, it is matched"


# -- API-4: who may --------------------------------------------------------------------------------------------------


async def test_api_4_reps_see_theirs_managers_their_teams(house: House) -> None:
    rosa, boss = unique("rosa"), unique("boss")
    team, _ = await house.team(rosa, manager=boss)
    other_boss = unique("boss")
    await house.team(unique("sam"), manager=other_boss)
    lead = await house.somebody(Role.REP, rosa).makes("/v1/leads", {"source": "call"})
    await house.settled()
    assert await house.somebody(Role.REP, rosa).status(f"/v1/leads/{lead}") == 200
    assert await house.somebody(Role.MANAGER, boss).status(f"/v1/leads/{lead}") == 200
    assert await house.somebody(Role.MANAGER, other_boss).status(f"/v1/leads/{lead}") == 404
    assert await house.somebody(Role.LEGAL, unique("legal")).status(f"/v1/leads/{lead}") == 200
    for subject, expected in ((boss, [lead]), (other_boss, [])):
        page = await house.somebody(Role.MANAGER, subject).sees("/v1/leads")
        assert [item["id"] for item in page["items"]] == expected
    refused = await house.somebody(Role.REP, rosa).does(f"/v1/leads/{lead}/assign", {"team_id": team})
    assert refused.status_code == 403
    assert (await house.somebody(Role.LEGAL, "legal").does("/v1/leads", {"source": "x"})).status_code == 403


async def test_api_4_a_rep_registers_accounts_for_nobody_else(house: House) -> None:
    rosa = unique("rosa")
    _, (_, sam) = await house.team(rosa, unique("sam"))
    refused = await house.somebody(Role.REP, rosa).does("/v1/accounts", {"name": "Northwind", "owner": sam})
    assert refused.status_code == 403


def today_of(house: House) -> str:
    """The company's day."""
    return house.service.running.clock.now().date().isoformat()


async def test_org_1_a_subject_belongs_to_one_member_until_they_leave(house: House) -> None:
    ops, subject = house.somebody(), unique("rosa")
    somebody = {"subject": subject, "name": "Rosa", "role": "rep"}
    first = await ops.makes("/v1/members", somebody)
    taken = await ops.does("/v1/members", somebody)
    assert (taken.status_code, taken.json()["code"]) == (422, "subject-taken")
    await ops.makes(f"/v1/members/{first}/leave", {"on": today_of(house)})
    await ops.makes("/v1/members", somebody)


async def test_an_id_of_another_family_is_not_there(house: House) -> None:
    ops = house.somebody()
    lead = await ops.makes("/v1/leads", {"source": "fair"})
    assert await ops.status(f"/v1/accounts/{lead}") == 404
    assert await ops.status(f"/v1/teams/{lead}") == 404
    refused = await ops.does("/v1/members", {"subject": unique("x"), "name": "X", "role": "rep", "team_id": lead})
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown-team")


async def test_org_1_whoever_has_left_gets_nothing_and_leads_nobody(house: House) -> None:
    """ORG-1, API-1: a member who left is as one who never was; the field is named."""
    ops = house.somebody()
    team, (rosa, sam) = await house.team(unique("rosa"), unique("sam"))
    await ops.makes(f"/v1/members/{sam}/leave", {"on": today_of(house)})
    lead = await ops.makes("/v1/leads", {"source": "fair"})
    for nobody in (sam, str(new_id())):
        for path, body, pointer in (
            (f"/v1/leads/{lead}/assign", {"member_id": nobody}, "/member_id"),
            (f"/v1/teams/{team}/appoint-manager", {"member_id": nobody}, "/member_id"),
            ("/v1/accounts", {"name": "Nobody's", "owner": nobody}, "/owner"),
        ):
            refused = await ops.does(path, body)
            assert (refused.status_code, refused.json()["code"]) == (422, "unknown-member"), path
            assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    await ops.makes(f"/v1/leads/{lead}/assign", {"member_id": rosa})


async def test_api_1_what_stands_below_names_what_is_there(house: House) -> None:
    """API-1, ORG-1, ACCT-1: a parent that nobody knows is refused, and the field is named."""
    ops, nowhere = house.somebody(), str(new_id())
    account = await ops.makes("/v1/accounts", {"name": unique("company")})
    refusals = [
        await ops.does("/v1/teams", {"name": "Below", "parent_id": nowhere}),
        await ops.does("/v1/accounts", {"name": "Below", "parent_id": nowhere}),
        await ops.client.patch(f"/v1/accounts/{account}", json={"parent_id": nowhere}, headers={"If-Match": '"1"'}),
    ]
    assert {refused.status_code for refused in refusals} == {422}
    assert [refused.json()["errors"][0]["code"] for refused in refusals] == [
        "unknown-team",
        "unknown-account",
        "unknown-account",
    ]
    assert {refused.json()["errors"][0]["pointer"] for refused in refusals} == {"/parent_id"}


# -- ACCT-1 ----------------------------------------------------------------------------------------------------------


async def test_acct_1_a_profile_changes_on_the_version_that_was_read(house: House) -> None:
    ops, domain = house.somebody(), f"{unique('company')}.example"
    account = await ops.makes("/v1/accounts", {"name": "Northwind", "domain": domain, "size": 3})
    path = f"/v1/accounts/{account}"
    tag = (await ops.client.get(path)).headers["etag"]
    changed = await ops.client.patch(path, json={"size": 4, "domain": None}, headers={"If-Match": tag})
    assert changed.status_code == 200, changed.text
    profile = (await ops.sees(path))["profile"]
    assert (profile["size"], profile["domain"], profile["name"]) == (4, None, "Northwind")
    assert (await ops.client.patch(path, json={"size": 5}, headers={"If-Match": tag})).status_code == 412
    # The domain is free again.
    await ops.makes("/v1/accounts", {"name": "Northwind too", "domain": domain})


async def test_acct_1_accounts_do_not_stand_in_a_circle(house: House) -> None:
    ops = house.somebody()
    top = await ops.makes("/v1/accounts", {"name": "Top"})
    below = await ops.makes("/v1/accounts", {"name": "Below", "parent_id": top})
    tag = (await ops.client.get(f"/v1/accounts/{top}")).headers["etag"]
    refused = await ops.client.patch(f"/v1/accounts/{top}", json={"parent_id": below}, headers={"If-Match": tag})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "circular-hierarchy")


async def test_acct_1_no_chain_of_parents_is_too_long_to_be_a_circle(house: House) -> None:
    ops = house.somebody()
    top = await ops.makes("/v1/accounts", {"name": "Top"})
    lowest = top
    for _ in range(25):
        lowest = await ops.makes("/v1/accounts", {"name": "Below", "parent_id": lowest})
    refused = await belongs(ops, top, lowest)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "circular-hierarchy")


async def test_acct_1_of_two_that_are_to_belong_to_each_other_at_once_one_does(house: House, replica: House) -> None:
    places = house.somebody(), replica.somebody()
    for _ in range(20):
        one, other, third = [await places[0].makes("/v1/accounts", {"name": "Northwind"}) for _ in range(3)]
        answers = await asyncio.gather(
            belongs(places[0], one, other), belongs(places[1], other, third), belongs(places[0], third, one)
        )
        assert sorted(answer.status_code for answer in answers) == [200, 200, 422], [each.text for each in answers]


async def belongs(desk: Desk, account: str, parent: str) -> httpx.Response:
    return await desk.client.patch(f"/v1/accounts/{account}", json={"parent_id": parent}, headers={"If-Match": '"1"'})


# -- lists and DATA-4 ------------------------------------------------------------------------------------------------


async def test_data_4_after_an_erasure_lists_and_store_hold_nothing_about_the_person(house: House) -> None:
    desk, email, company = house.somebody(), address(), unique("Northwind")
    lead = await ready_lead(desk, email=email, company_name=company, phone="+4930901820", title="Head")
    await desk.makes(f"/v1/leads/{lead}/log-activity", {"kind": "call", "note": "Ada is away in May."})
    await desk.makes(f"/v1/leads/{lead}/convert")
    converted = await desk.sees(f"/v1/leads/{lead}")
    account, contact = converted["account_id"], converted["contact_id"]
    await house.settled()
    (row,) = (await desk.sees("/v1/leads", q=company))["items"]
    assert (row["person_name"], row["email"]) == ("Ada Moreno", email)
    for listing in ("/v1/leads", "/v1/contacts"):
        assert [len((await desk.sees(listing, q=word))["items"]) for word in (email, f"{email} moreno")] == [1, 1]

    await desk.makes(f"/v1/leads/{lead}/erase-person")
    await desk.makes(f"/v1/accounts/{account}/erase-contact", {"contact_id": contact})
    await house.settled()
    pool = house.service.running.pool
    assert [await personal_rows(pool, UUID(person)) for person in (lead, contact)] == [0, 0]
    (row,) = (await desk.sees("/v1/leads", q=company))["items"]
    assert (row["status"], row["erased"], row["company_name"]) == ("converted", True, company)
    (person,) = (await desk.sees("/v1/contacts", account=account))["items"]
    everything = [row, person, await desk.sees(f"/v1/leads/{lead}"), await desk.sees(f"/v1/accounts/{account}")]
    for secret in ("Moreno", email, "+4930901820", "May"):
        assert secret not in str(everything)
    for listing in ("/v1/leads", "/v1/contacts"):
        assert (await desk.sees(listing, q=email))["items"] == []
    # Nobody holds the address any more.
    again = await desk.makes("/v1/leads", {"source": "fair", "email": email})
    assert (await desk.sees(f"/v1/leads/{again}"))["status"] == "open"


async def test_data_4_people_of_one_name_or_one_address_alone_are_left_alone(house: House) -> None:
    """DATA-4: also those who share an address, and those who are called alike."""
    desk, email, name = house.somebody(), address(), unique("Ada")
    account = await desk.makes("/v1/accounts", {"name": unique("Northwind")})
    ada, ben = [
        await desk.makes("/v1/leads", {"source": "fair", "email": email, "person_name": each}) for each in (name, "Ben")
    ]
    namesake = await desk.makes("/v1/leads", {"source": "fair", "email": address(), "person_name": name})
    await desk.makes(f"/v1/accounts/{account}/add-contact", {"name": "Carl", "email": email})
    await house.settled()
    await desk.makes(f"/v1/leads/{ada}/erase-person")
    found = [(await desk.sees(f"/v1/leads/{each}"))["status"] for each in (ada, ben, namesake)]
    assert found == ["erased", "open", "open"]
    (carl,) = (await desk.sees(f"/v1/accounts/{account}"))["contacts"]
    assert (carl["name"], carl["erased"]) == ("Carl", False)


async def test_api_4_none_but_operations_erase_anybody(house: House) -> None:
    subject = unique("rosa")
    await house.team(subject)
    rosa = house.somebody(Role.REP, subject)
    account = await rosa.makes("/v1/accounts", {"name": "Northwind"})
    await rosa.makes(f"/v1/accounts/{account}/add-contact", {"name": "Ada"})
    lead, (ada,) = (
        await rosa.makes("/v1/leads", {"source": "fair"}),
        (await rosa.sees(f"/v1/accounts/{account}"))["contacts"],
    )
    for role in (Role.REP, Role.SALES_DIRECTOR):
        desk = house.somebody(role, subject)
        refused = [
            await desk.does(f"/v1/leads/{lead}/erase-person"),
            await desk.does(f"/v1/accounts/{account}/erase-contact", {"contact_id": ada["id"]}),
        ]
        assert [each.status_code for each in refused] == [403, 403], [each.text for each in refused]


@pytest.mark.parametrize("listing", ["teams", "members", "leads", "accounts", "contacts"])
async def test_api_1_lists_are_sorted_and_go_on_after_a_cursor(house: House, listing: str) -> None:
    desk = house.somebody()
    for _ in range(2):
        await house.team(unique("a"), unique("b"))
        await desk.makes("/v1/leads", {"source": "fair"})
        account = await desk.makes("/v1/accounts", {"name": unique("Northwind")})
        await desk.makes(f"/v1/accounts/{account}/add-contact", {"name": "Ada"})
    await house.settled()
    first = await desk.sees(f"/v1/{listing}", limit="1")
    second = await desk.sees(f"/v1/{listing}", limit="1", cursor=first["next"])
    assert first["items"][0]["id"] != second["items"][0]["id"]


@pytest.mark.parametrize(
    ("listing", "parameter", "allowed"),
    [
        ("leads", "status", "converted, disqualified, duplicate, erased, open"),
        ("members", "status", "active, former"),
        ("members", "role", "rep, manager"),
        ("contacts", "buying_role", "economic-buyer, champion"),
    ],
)
async def test_api_1_a_filter_by_a_word_that_is_not_there_is_refused(
    house: House, listing: str, parameter: str, allowed: str
) -> None:
    """API-1: with the words that there are."""
    desk = house.somebody()
    refused = await desk.client.get(f"/v1/{listing}", params={parameter: "opne"})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid-parameter")
    (fault,) = refused.json()["errors"]
    assert (fault["parameter"], allowed in fault["message"]) == (parameter, True)
    assert await desk.status(f"/v1/{listing}?{parameter}={allowed.partition(',')[0]}") == 200


@pytest.mark.parametrize("blank", [" ", "\t\n", "\u00a0\u2003", "\u200b", "\ufeff", "\u202e \u2060"])
async def test_api_1_a_name_of_which_nothing_shows_is_refused(house: House, blank: str) -> None:
    desk = house.somebody()
    for path, body, field in [
        ("/v1/teams", {"name": blank}, "/name"),
        ("/v1/accounts", {"name": blank}, "/name"),
        ("/v1/leads", {"source": blank, "person_name": "Ada"}, "/source"),
        ("/v1/leads", {"source": "fair", "person_name": blank}, "/person_name"),
    ]:
        refused = await desk.does(path, body)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid-body")
        (fault,) = refused.json()["errors"]
        assert (fault["pointer"], fault["code"]) == (field, "blank")


async def test_api_1_a_day_outside_of_the_calendar_of_business_is_refused_with_its_field(house: House) -> None:
    desk = house.somebody()
    lead = await desk.makes("/v1/leads", {"source": "fair"})
    deal = {"name": "Plant", "amount": {"amount": "1.00", "currency": "EUR"}, "expected_close": "9999-12-31"}
    asked: list[tuple[str, dict[str, Any], str]] = [
        ("log-activity", {"kind": "call", "outcome": "reached", "on": "0001-01-01"}, "/on"),
        ("convert", {"deal": deal}, "/deal/expected_close"),
    ]
    for action, body, field in asked:
        refused = await desk.does(f"/v1/leads/{lead}/{action}", body)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid-body")
        assert [fault["pointer"] for fault in refused.json()["errors"]] == [field]


async def test_org_1_the_lists_of_people_say_who_is_where(house: House) -> None:
    subject, boss = unique("rosa"), unique("boss")
    team, (rosa,) = await house.team(subject, manager=boss)
    desk = house.somebody()
    (row,) = (await desk.sees("/v1/members", team=team, role="rep"))["items"]
    assert (row["id"], row["subject"], row["status"]) == (rosa, subject, "active")
    await desk.makes(f"/v1/members/{rosa}/leave", {"on": today_of(house)})
    await house.settled()
    (row,) = (await desk.sees("/v1/members", team=team, role="rep"))["items"]
    assert (row["status"], row["left_on"]) == ("former", today_of(house))
    (shown,) = [item for item in (await desk.sees("/v1/teams", limit="100"))["items"] if item["id"] == team]
    assert shown["manager"] is not None


async def test_a_fresh_fold_of_the_log_gives_what_the_lists_show(house: House) -> None:
    await house.settled()
    running = house.service.running
    for projection in SERVICE.projections:
        assert await differences(running.pool, running.log, projection, running.settings.company) == []


async def test_api_1_people_are_found_by_any_word_of_name_address_or_phone(house: House) -> None:
    """API-1, API-4: every word has to stand somewhere, in any order; and nobody finds what they may not see."""
    rosa, boss, stranger = unique("rosa"), unique("boss"), unique("sam")
    await house.team(rosa, manager=boss)
    await house.team(stranger)
    rep, mark, email = house.somebody(Role.REP, rosa), unique("x"), address()
    lead = await rep.makes(
        "/v1/leads",
        {"source": "fair", "person_name": f"Zoë {mark}", "email": email, "phone": "+49 30 901820",
         "company_name": f"Bexholm {mark}"},
    )  # fmt: skip
    await house.settled()
    for words in (f"zoe {mark}", email.upper(), f"{mark} +4930901820", f"bexholm {mark} zoë", f"901820 {mark}"):
        assert [row["id"] for row in (await rep.sees("/v1/leads", q=words))["items"]] == [lead], words
    assert (await rep.sees("/v1/leads", q=f"zoe {mark} elsewhere"))["items"] == []
    assert (await house.somebody(Role.REP, stranger).sees("/v1/leads", q=mark))["items"] == []
    refused = await rep.client.get("/v1/leads", params={"q": " ".join("abcdefghijk")})
    assert (refused.status_code, refused.json()["errors"][0]["parameter"]) == (400, "q")


async def test_api_1_names_are_sorted_and_found_as_people_read_them(house: House) -> None:
    """API-1: by the rules of language, page by page; composed and decomposed letters meet; a comma is a comma."""
    desk, mark = house.somebody(), unique("x")
    names = ["Zebra", "apple", "Öko", "Özil", "Émile", "Cafe"]
    for name in names:
        await desk.makes("/v1/accounts", {"name": f"{name} {mark}", "industry": f"Oil, Gas {mark}"})
    await desk.makes("/v1/accounts", {"name": f"Oil {mark}", "industry": f"Oil {mark}"})
    await house.settled()
    wanted = {"industry": f"Oil, Gas {mark}", "sort": "name", "limit": "2"}
    found, more = list[str](), wanted
    while more:
        page = await desk.sees("/v1/accounts", **more)
        found += [item["name"].removesuffix(f" {mark}") for item in page["items"]]
        more = {**wanted, "cursor": page["next"]} if page["next"] else {}
    assert found == ["apple", "Cafe", "Émile", "Öko", "Özil", "Zebra"]
    for asked in ("\u00c9mile", "E\u0301mile", "emile"):
        page = await desk.sees("/v1/accounts", q=f"{asked} {mark}")
        assert [item["name"] for item in page["items"]] == [f"Émile {mark}"]
