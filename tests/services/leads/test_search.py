"""Search for accounts, contacts and leads over HTTP and PostgreSQL: with slips, within rights, and never for people who
were erased."""

from typing import Any

from services.leads.projections.accounts import ACCOUNT_PROJECTION
from services.leads.projections.leads import LEAD_PROJECTION
from shared.domain.roles import Role
from shared.ops.ids import new_id
from shared.projections.audit import differences
from tests.services.leads.conftest import House, unique

AT = "/v1/account-search"


def word() -> str:
    """A word that no other test has: letters alone, for numbers have no slips."""
    return "".join(chr(ord("a") + int(digit, 16)) for digit in new_id().hex[-12:])


def found(answer: Any) -> list[tuple[str, str, str]]:
    return [(hit["kind"], hit["id"], hit["found_by"]) for hit in answer["items"]]


async def test_acct_1_accounts_contacts_and_leads_are_found_by_words_with_slips(house: House) -> None:
    """ACCT-1: people by name and address, with a letter that is missing."""
    desk, name, person = house.somebody(), word(), word()
    account = await desk.makes("/v1/accounts", {"name": f"{name.title()} Müller GmbH"})
    await desk.makes(f"/v1/accounts/{account}/add-contact", {"name": f"Ada {person}", "email": f"{name}@x.example"})
    (contact,) = (await desk.sees(f"/v1/accounts/{account}"))["contacts"]
    lead = await desk.makes("/v1/leads", {"source": "fair", "person_name": person, "company_name": f"{name} Bros"})
    await house.settled()
    missing = name[:5] + name[6:]
    of_name = [("lead", lead, "company_name"), ("contact", contact["id"], "email"), ("account", account, "name")]
    assert sorted(found(await desk.sees(AT, q=name))) == sorted(of_name)
    assert sorted(found(await desk.sees(AT, q=missing))) == sorted(of_name)
    assert found(await desk.sees(AT, q=f"muller {missing}")) == [("account", account, "name")]
    assert sorted(each[0] for each in found(await desk.sees(AT, q=person))) == ["contact", "lead"]
    assert found(await desk.sees(AT, q="qxzvkwqxzvkw")) == []


async def test_data_4_somebody_who_was_erased_is_not_found_any_more(house: House) -> None:
    """DATA-4: nor is anything kept by which they were found."""
    desk, person = house.somebody(), word()
    account = await desk.makes("/v1/accounts", {"name": unique("Northwind")})
    await desk.makes(f"/v1/accounts/{account}/add-contact", {"name": person, "email": f"{person}@x.example"})
    (contact,) = (await desk.sees(f"/v1/accounts/{account}"))["contacts"]
    lead = await desk.makes("/v1/leads", {"source": "fair", "person_name": person})
    await house.settled()
    assert {each[1] for each in found(await desk.sees(AT, q=person))} == {contact["id"], lead}
    await desk.makes(f"/v1/leads/{lead}/erase-person")
    await desk.makes(f"/v1/accounts/{account}/erase-contact", {"contact_id": contact["id"]})
    await house.settled()
    for q in (person, person[:6], person[:5] + person[6:]):
        assert found(await desk.sees(AT, q=q)) == []
    projections = house.service.running.projections
    for projection, table, thing in ((ACCOUNT_PROJECTION, "contact", contact["id"]), (LEAD_PROJECTION, "lead", lead)):
        (row,) = await projections.lookup(projection, f"select keys from {{view}}.{table}_search where id = $1", thing)
        assert row["keys"] == []


async def test_api_4_only_what_one_may_see_is_found(house: House) -> None:
    rosa, sam, name = unique("rosa"), unique("sam"), word()
    await house.team(rosa)
    await house.team(sam)
    account = await house.somebody(Role.REP, rosa).makes("/v1/accounts", {"name": name})
    await house.somebody(Role.REP, rosa).makes(f"/v1/accounts/{account}/add-contact", {"name": f"Ada {name}"})
    await house.settled()
    kinds = [each[0] for each in found(await house.somebody(Role.REP, rosa).sees(AT, q=name))]
    assert sorted(kinds) == ["account", "contact"]
    assert found(await house.somebody(Role.REP, sam).sees(AT, q=name)) == []


async def test_the_query_stands_in_no_line_of_the_log(house: House, capsys: Any) -> None:
    """DATA-4: what somebody looks for may be the name of a person."""
    desk, person = house.somebody(), word()
    await desk.sees(AT, q=person)
    assert (await desk.client.get(AT, params={"q": person * 30})).status_code == 400
    told = capsys.readouterr()
    assert AT in told.out + told.err
    assert person not in told.out + told.err


async def test_the_search_is_what_a_fresh_fold_gives(house: House) -> None:
    running = house.service.running
    await house.settled()
    for projection in (ACCOUNT_PROJECTION, LEAD_PROJECTION):
        assert await differences(running.pool, running.log, projection, running.settings.company) == []
