"""DEAL-11: completeness of leads and accounts over HTTP and PostgreSQL: by the policies that count for their team."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from services.leads.domain.account import account as accounts
from services.leads.domain.account.history import ImportAccount, ImportContact
from shared.commands.request import CommandRequest
from shared.domain.context import service_actor
from shared.domain.roles import Role
from shared.ops.ids import new_id
from tests.services.leads.conftest import QUALIFIED, Desk, House, address, unique

BY_EXIT = ["need_stated", "budget", "decision_chain_known"]
ADA = {"source": "fair", "person_name": "Ada Moreno", "company_name": "Northwind"}


async def set_required(desk: Desk, team: str, **document: Any) -> None:
    await desk.makes("/v1/lead-policies/required-facts", {"document": document, "team": team})


async def test_deal_11_completeness_of_a_lead_goes_with_what_is_known_and_what_is_asked(house: House) -> None:
    rosa, sam, email = unique("rosa"), unique("sam"), address()
    team, _ = await house.team(rosa)
    await house.team(sam)
    ops, rep = house.somebody(), house.somebody(Role.REP, rosa)
    lead = await rep.makes("/v1/leads", {**ADA, "email": email})
    path = f"/v1/leads/{lead}/completeness"
    begun = await rep.sees(path)
    assert begun["required"] == ["email_or_phone", "company", "source", "owner", *BY_EXIT]
    assert (begun["missing"], begun["share"]) == (BY_EXIT, "0.5714")
    await rep.makes(f"/v1/leads/{lead}/note-qualification", QUALIFIED)
    whole = await rep.sees(path)
    assert (whole["missing"], whole["share"], whole["version"]) == ([], "1.0000", begun["version"] + 1)
    said = (await rep.client.get(path)).text
    assert not [each for each in ("Ada", email, "Northwind", "650000") if each in said], "names of facts alone (DATA-4)"

    await set_required(ops, team, of_leads=["country", "follow_up"], of_accounts=[])
    asked = await rep.sees(path)
    assert asked["required"] == ["country", "follow_up", *BY_EXIT]
    assert (asked["missing"], asked["share"]) == (["country", "follow_up"], "0.6000")
    assert asked["version"] == whole["version"], "what counts has changed, and the lead has not"
    await ops.makes("/v1/lead-policies/nurturing-exit", {"document": {"criteria": []}, "team": team})
    assert (await rep.sees(path))["required"] == ["country", "follow_up"]

    assert await house.somebody(Role.REP, sam).status(path) == 404
    await rep.makes(f"/v1/leads/{lead}/disqualify", {"reason": "no-need"})
    ended = await rep.sees(path)
    assert (ended["share"], ended["required"], ended["missing"]) == (None, [], [])


async def test_deal_11_completeness_of_an_account_goes_with_what_is_known_and_what_is_asked(house: House) -> None:
    rosa, sam, email = unique("rosa"), unique("sam"), address()
    team, _ = await house.team(rosa)
    await house.team(sam)
    rep = house.somebody(Role.REP, rosa)
    account = await rep.makes("/v1/accounts", {"name": unique("Northwind"), "country": "DE"})
    path = f"/v1/accounts/{account}/completeness"
    begun = await rep.sees(path)
    assert begun["required"] == ["industry", "country", "contact_email"]
    assert (begun["missing"], begun["share"]) == (["industry", "contact_email"], "0.3333")
    await rep.makes(f"/v1/accounts/{account}/add-contact", {"name": "Ada Moreno", "email": email})
    reached = await rep.client.get(path)
    assert (reached.json()["missing"], reached.json()["share"]) == (["industry"], "0.6667")
    assert reached.headers["ETag"] == (await rep.client.get(f"/v1/accounts/{account}")).headers["ETag"]
    assert "Ada" not in reached.text
    assert email not in reached.text
    await set_required(house.somebody(), team, of_leads=[], of_accounts=[])
    nothing = await rep.sees(path)
    assert (nothing["share"], nothing["required"]) == (None, [])
    assert await house.somebody(Role.REP, sam).status(path) == 404


async def test_deal_11_what_may_be_required_is_a_closed_set(house: House) -> None:
    ops, path = house.somebody(), "/v1/lead-policies/required-facts"
    unknown = await ops.does(path, {"document": {"of_leads": ["shoe_size"], "of_accounts": []}})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "invalid-body"), unknown.text
    assert [each["pointer"] for each in unknown.json()["errors"]] == ["/document/of_leads/0"]
    twice = await ops.does(path, {"document": {"of_leads": ["email", "email"], "of_accounts": []}})
    assert [(each["code"], each["pointer"]) for each in twice.json()["errors"]] == [
        ("repeated", "/document/of_leads/1")
    ], twice.text


async def test_deal_11_how_late_work_on_a_lead_was_entered(house: House) -> None:
    rosa = unique("rosa")
    await house.team(rosa)
    rep, running = house.somebody(Role.REP, rosa), house.service.running
    today = running.settings.company.day(running.clock.now())
    lead = await rep.makes("/v1/leads", {**ADA, "email": address()})
    path = f"/v1/leads/{lead}/completeness"
    assert (await rep.sees(path))["entry_delay_days"] is None
    await rep.makes(f"/v1/leads/{lead}/log-activity", {"kind": "call", "on": f"{today - timedelta(days=3)}"})
    await rep.makes(f"/v1/leads/{lead}/note-qualification", QUALIFIED)
    assert (await rep.sees(path))["entry_delay_days"] == 2
    await rep.makes(f"/v1/leads/{lead}/disqualify", {"reason": "no-need"})
    assert (await rep.sees(path))["entry_delay_days"] == 2


async def test_deal_11_how_late_an_account_was_entered(house: House) -> None:
    """People tell what is so now; what systems tell of days on which the account was known may be late."""
    ops, running, account = house.somebody(), house.service.running, new_id()
    today = running.settings.company.day(running.clock.now())

    async def told(command: Any) -> None:
        request = CommandRequest(accounts, account, command, service_actor("import"), imported=True)
        await running.commands.execute(request)

    name, path = unique("Northwind"), f"/v1/accounts/{account}/completeness"
    await told(ImportAccount(on=today - timedelta(days=400), name=name))
    await told(ImportContact(on=today - timedelta(days=300), contact_id=UUID(int=1), name="Ada Moreno"))
    assert (await ops.sees(path))["entry_delay_days"] is None, "history is not entered late"
    await ops.makes(f"/v1/accounts/{account}/add-contact", {"name": "Ben Okri"})
    assert (await ops.sees(path))["entry_delay_days"] == 0
