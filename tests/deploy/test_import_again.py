"""A second, newer export: what it says otherwise is taken in as of its day, or told per row (DATA-5)."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy.imports.facts import ids_of
from services.contracts.app import SERVICE as CONTRACTS
from services.contracts.domain.contract.state import contract, contract_of
from services.deals.app import SERVICE as DEALS
from services.deals.domain.deal.state import deal
from services.deals.domain.product import product
from services.deals.domain.target import target
from services.leads.app import SERVICE as LEADS
from services.leads.domain.account.contacts import EraseContact
from services.leads.domain.account.state import account
from services.leads.domain.lead.state import lead
from services.leads.domain.organisation.member import member
from services.leads.domain.organisation.team import team
from shared.commands.request import CommandRequest
from shared.domain.aggregate import Aggregate
from shared.domain.context import Actor
from shared.domain.roles import Role
from shared.service.runtime import commands_alone
from tests.deploy.test_import import LINES, Books, books, euro, other_books, written

__all__ = ["books", "other_books"]

Fact = Mapping[str, Any]
FIRST, SECOND, BETWEEN = {"on": "2025-03-03"}, {"on": "2025-06-01"}, {"on": "2025-05-01"}
SERVICES = {"leads": LEADS, "deals": DEALS, "contracts": CONTRACTS}
IDS = ids_of("old-crm")

OLD: Sequence[Fact] = (
    {"fact": "team", "id": "n", **FIRST, "name": "North"},
    {"fact": "team", "id": "s", **FIRST, "name": "South"},
    {"fact": "member", "id": "m", **FIRST, "name": "Mia", "subject": "mia", "role": "rep", "team": "n"},
    {"fact": "account", "id": "a", **FIRST, "name": "Acme", "industry": "metal", "size": 10, "owner": "m", "team": "n"},
    {"fact": "contact", "id": "c", "account": "a", **FIRST, "name": "Carla", "email": "carla@acme.example"},
    {"fact": "product", "id": "p", **FIRST, "code": "P", "name": "Press", "list_price": euro("550.00")},
    {"fact": "target", "id": "t", **FIRST, "period": "2025", "level": "company", "amount": euro("1000.00")},
    {
        "fact": "deal",
        "id": "d",
        **FIRST,
        "name": "Line",
        "account": "a",
        "owner": "m",
        "team": "n",
        "amount": euro("550"),
    },
)
NEW: Sequence[Fact] = (
    {"fact": "team", "id": "s", **SECOND, "name": "Deep South", "parent": "n"},
    {"fact": "member", "id": "m", **SECOND, "name": "Mia May", "subject": "mia", "role": "manager", "team": "s"},
    {
        "fact": "account",
        "id": "a",
        **SECOND,
        "name": "Acme",
        "industry": "steel",
        "size": 12,
        "owner": "m",
        "team": "s",
    },
    {"fact": "contact", "id": "c", "account": "a", **FIRST, "name": "Carla Cruz", "email": "carla@acme.example"},
    {"fact": "product", "id": "p", **SECOND, "code": "P", "name": "Press", "list_price": euro("600.00")},
    {"fact": "target", "id": "t", **SECOND, "period": "2025", "level": "company", "amount": euro("1200.00")},
    {
        "fact": "deal",
        "id": "d",
        **FIRST,
        "name": "Line",
        "account": "a",
        "owner": "m",
        "team": "n",
        "amount": euro("430"),
    },
    {"fact": "deal-won", "id": "d", **SECOND},
)


async def state(books: Books, service: str, family: Aggregate, outside: str, kind: str | None = None) -> Any:
    """A thing as its service has it."""
    thing = IDS(kind or family.name, outside)
    async with commands_alone(SERVICES[service], books.settings[service]) as commands:
        return (await commands.state(family, contract_of(thing) if family is contract else thing)).state


async def told(books: Books) -> dict[str, Any]:
    """What the services say of what both exports are about."""
    people = await state(books, "leads", member, "m")
    south = await state(books, "leads", team, "s")
    acme = await state(books, "leads", account, "a")
    won = await state(books, "deals", deal, "d")
    return {
        "team": (south.name, south.parent_id),
        "member": (people.name, people.role, people.team),
        "account": (acme.profile.industry, acme.profile.size, acme.team, [contact.name for contact in acme.contacts]),
        "product": (await state(books, "deals", product, "p")).list_price.amount,
        "target": (await state(books, "deals", target, "t")).amount.amount,
        "deal": (type(won).__name__, won.amount.amount),
    }


NOW = {
    "team": ("Deep South", IDS("team", "n")),
    "member": ("Mia May", "manager", IDS("team", "s")),
    "account": ("steel", 12, IDS("team", "s"), ["Carla Cruz"]),
    "product": 600,
    "target": 1200,
    "deal": ("WonDeal", 430),
}


async def test_data_5_a_newer_export_updates(books: Books, tmp_path: Path) -> None:
    await books.take_in(written(tmp_path, tuple(OLD)))
    summary = await books.take_in(written(tmp_path, tuple(NEW)))
    assert [each.reason for each in summary.rejections] == []
    assert summary.recorded.total() == len(NEW)
    assert await told(books) == NOW
    again = await books.take_in(written(tmp_path, tuple(NEW)))
    assert (again.recorded.total(), again.known.total()) == (0, len(NEW))


async def test_data_5_both_exports_at_once_say_the_same(books: Books, tmp_path: Path) -> None:
    facts = [fact for fact in OLD if fact["fact"] not in ("contact", "deal")]
    summary = await books.take_in(written(tmp_path, (*reversed(NEW), *facts)))
    assert [each.reason for each in summary.rejections] == []
    assert await told(books) == NOW


async def test_data_5_what_lay_between_two_exports_is_told_after_them(books: Books, tmp_path: Path) -> None:
    for facts in (OLD, NEW):
        await books.take_in(written(tmp_path, tuple(facts)))
    between = (
        {"fact": "account", "id": "a", **BETWEEN, "name": "Acme", "industry": "tin", "owner": "m", "team": "n"},
        {"fact": "product", "id": "p", **BETWEEN, "code": "P", "name": "Press", "list_price": euro("1.00")},
        {"fact": "member-moved", "id": "m", **BETWEEN, "team": "n", "fact_id": "1"},
    )
    summary = await books.take_in(written(tmp_path, between))
    assert [each.reason for each in summary.rejections] == []
    assert await told(books) == NOW


async def test_data_5_an_older_export_told_after_the_newer_one_changes_nothing_of_now(
    books: Books, tmp_path: Path
) -> None:
    for facts in (NEW, OLD):
        summary = await books.take_in(written(tmp_path, (*OLD[:1], *facts)))
        assert [each.reason for each in summary.rejections] == []
    found = await told(books)
    assert {name: found[name] for name in ("team", "member", "product", "target")} == {
        name: NOW[name] for name in ("team", "member", "product", "target")
    }
    *profile_and_team, _ = found["account"]
    assert tuple(profile_and_team) == ("steel", 12, IDS("team", "s"))


OTHERWISE: Sequence[tuple[Fact, str]] = (
    (
        {
            "fact": "invoice",
            "id": "I-1",
            "account": "C-1",
            "amount": euro("900"),
            "on": "2025-03-25",
            "due": "2025-04-25",
        },
        "amount: It is known with 800.00 EUR; this says 900 EUR",
    ),
    (
        {
            "fact": "receipt",
            "id": "R-1",
            "account": "C-1",
            "amount": euro("7"),
            "on": "2025-04-20",
            "bank_reference": "R-1",
        },
        "amount: It is known with 800.00 EUR; this says 7 EUR",
    ),
    (
        {
            "fact": "contract",
            "id": "D-1",
            "deal": "D-1",
            "account": "C-1",
            "name": "Press line",
            "total": euro("801"),
            "drafted_on": "2025-03-20",
        },
        "total: It is known with 800.00 EUR; this says 801",
    ),
    (
        {"fact": "product", "id": "P-1", "on": "2025-03-04", "code": "P-2", "name": "Press", "list_price": euro("900")},
        "code: It is known with P-1; this says P-2",
    ),
)


async def test_data_5_what_cannot_be_corrected_is_told_with_both_values(books: Books, tmp_path: Path) -> None:
    await books.take_in(written(tmp_path, LINES))
    recorded = await books.everything()
    summary = await books.take_in(written(tmp_path, tuple(fact for fact, _ in OTHERWISE)))
    reasons = [each.reason for each in summary.rejections]
    assert len(reasons) == len(OTHERWISE)
    for reason, (_, wanted) in zip(reasons, OTHERWISE, strict=True):
        assert wanted in reason
    assert summary.otherwise.total() == len(OTHERWISE)
    assert await books.everything() == recorded


async def test_data_5_a_lead_is_corrected_whatever_came_of_it(books: Books, tmp_path: Path) -> None:
    await books.take_in(written(tmp_path, LINES))
    news = (
        {
            "fact": "lead",
            "id": "L-1",
            "on": "2025-02-01",
            "source": "referral",
            "company_name": "Acne",
            "email": "x@y.zz",
        },
        {"fact": "lead-activity", "id": "L-1", "on": "2025-02-02", "activity": "L-1/1", "kind": "visit"},
        {"fact": "lead-disqualified", "id": "L-2", "on": "2025-03-03", "reason": "spam"},
    )
    summary = await books.take_in(written(tmp_path, news))
    assert [each.reason for each in summary.rejections] == []
    first, second = await state(books, "leads", lead, "L-1"), await state(books, "leads", lead, "L-2")
    assert (type(first).__name__, first.captured.source, first.captured.email) == (
        "ConvertedLead",
        "referral",
        "x@y.zz",
    )
    assert [(activity.kind, activity.on) for activity in first.activities] == [("visit", date(2025, 2, 2))]
    assert (type(second).__name__, second.reason) == ("DisqualifiedLead", "spam")


async def test_lead_2_the_lead_captured_earlier_is_the_original_however_late_it_is_told(
    books: Books, tmp_path: Path
) -> None:
    def captured(outside: str, on: str, **more: Any) -> Fact:
        return {"fact": "lead", "id": outside, "on": on, "source": "fair", "email": "ada@acme.example", **more}

    converted = {"fact": "lead-converted", "id": "c", "on": "2025-06-01", "account": "a", "contact": "k"}
    account_line = {"fact": "account", "id": "a", "on": "2025-01-01", "name": "Acme"}
    contact = {
        "fact": "contact",
        "id": "k",
        "account": "a",
        "on": "2025-06-01",
        "name": "Ada",
        "email": "ada@acme.example",
    }
    shared = captured("x", "2025-05-01", person_name="Xaver")
    for facts in (
        (captured("b", "2025-04-01", person_name="Ada"), shared),
        (captured("a", "2025-03-01", person_name="ada"),),
        (account_line, captured("c", "2025-02-01", person_name="Ada"), converted, contact),
    ):
        summary = await books.take_in(written(tmp_path, facts))
        assert [each.reason for each in summary.rejections] == []
    found = {name: await state(books, "leads", lead, name) for name in "abcx"}
    assert {name: type(each).__name__ for name, each in found.items()} == {
        "a": "DuplicateLead",
        "b": "DuplicateLead",
        "c": "ConvertedLead",
        "x": "OpenLead",
    }
    assert found["b"].original_id == IDS("lead", "a")
    assert found["a"].original_id == IDS("lead", "c")


async def test_con_1_a_newer_export_knows_more_steps_of_a_contract(books: Books, tmp_path: Path) -> None:
    await books.take_in(written(tmp_path, LINES))
    (drafted,) = [line for line in LINES if line["fact"] == "contract"]
    signed = {**drafted, "submitted_on": "2025-03-21", "approved_on": "2025-03-22", "signed_on": "2025-03-23"}
    for facts in ((signed,), ({**signed, "activated_on": "2025-03-24"},)):
        summary = await books.take_in(written(tmp_path, facts))
        assert [each.reason for each in summary.rejections] == []
    found = await state(books, "contracts", contract, "D-1", "deal")
    assert (type(found).__name__, found.activated_on) == ("ActiveContract", date(2025, 3, 24))
    otherwise = await books.take_in(written(tmp_path, ({**signed, "activated_on": "2025-03-25"},)))
    (refused,) = otherwise.rejections
    assert refused.reason == "activated_on: It is known with 2025-03-24; this says 2025-03-25."


async def test_data_4_who_was_erased_stays_erased(books: Books, tmp_path: Path) -> None:
    await books.take_in(written(tmp_path, tuple(OLD)))
    operations = Actor(subject="ops", roles=frozenset({Role.SALES_OPERATIONS}))
    async with commands_alone(LEADS, books.settings["leads"]) as commands:
        await commands.execute(
            CommandRequest(account, IDS("account", "a"), EraseContact(contact_id=IDS("contact", "c")), operations)
        )
    for on in ("2025-03-03", "2025-06-01"):
        news = {**OLD[4], "on": on, "name": f"Carla {on}"}
        summary = await books.take_in(written(tmp_path, (news,)))
        assert [each.reason for each in summary.rejections] == []
        (contact,) = (await state(books, "leads", account, "a")).contacts
        assert (contact.erased, contact.name, contact.email) == (True, None, None)
    connection = await asyncpg.connect(books.urls["leads"])
    try:
        assert await connection.fetchval("select count(*) from personal where data::text like '%Carla%'") == 0
    finally:
        await connection.close()


@pytest.mark.parametrize("facts", [LINES, (*OLD, *NEW[:3]), tuple(fact for fact, _ in OTHERWISE)])
async def test_data_5_a_dry_run_says_what_would_come_in_and_writes_nothing(
    books: Books, tmp_path: Path, facts: Sequence[Fact]
) -> None:
    if facts is not LINES:
        await books.take_in(written(tmp_path, (*OLD, *LINES)))
    recorded = await books.everything()
    checked = await books.take_in(written(tmp_path, tuple(facts)), dry_run=True)
    assert await books.everything() == recorded
    summary = await books.take_in(written(tmp_path, tuple(facts)))
    assert (checked.recorded, checked.known, checked.assumptions) == (
        summary.recorded,
        summary.known,
        summary.assumptions,
    )
    assert [each.reason for each in checked.rejections] == [each.reason for each in summary.rejections]


# -- one by one -------------------------------------------------------------------------------------------------------


async def told_in_turn(books: Books, folder: Path, *runs: Sequence[Fact]) -> list[str]:
    """Imports one after the other; why facts of the last one were refused."""
    summary = None
    for facts in runs:
        summary = await books.take_in(written(folder, tuple(facts)))
    assert summary is not None
    return [each.reason for each in summary.rejections]


def acme(on: str, size: int, **more: Any) -> Fact:
    return {"fact": "account", "id": "a", "on": on, "name": "Acme", "size": size, **more}


def begun(amount: str, **more: Any) -> Fact:
    return {"fact": "deal", "id": "d", "on": "2025-01-01", "name": "Line", "amount": euro(amount), **more}


async def test_data_5_a_correction_back_to_what_was_before_counts(books: Books, tmp_path: Path) -> None:
    first = (acme("2025-01-01", 10), acme("2025-02-01", 20))
    assert await told_in_turn(books, tmp_path, first, (acme("2025-02-01", 10),)) == []
    assert (await state(books, "leads", account, "a")).profile.size == 10


async def test_data_5_what_was_so_anyway_still_is_when_something_is_told_before_it(
    books: Books, tmp_path: Path
) -> None:
    won = {"fact": "deal-won", "id": "d", "on": "2025-03-01", "amount": euro("430")}
    between = (
        {"fact": "deal-changed", "id": "d", "on": "2025-02-01", "amount": euro("500")},
        acme("2025-02-01", 20),
    )
    first = (begun("430"), won, acme("2025-01-01", 10), acme("2025-03-01", 10))
    assert await told_in_turn(books, tmp_path, first, between) == []
    assert (await state(books, "deals", deal, "d")).amount.amount == 430
    assert (await state(books, "leads", account, "a")).profile.size == 10


async def test_data_5_of_there_and_back_the_last_import_counts(books: Books, tmp_path: Path) -> None:
    assert await told_in_turn(books, tmp_path, (begun("100"),), (begun("200"),), (begun("100"),)) == []
    assert (await state(books, "deals", deal, "d")).amount.amount == 100
    again = await books.take_in(written(tmp_path, (begun("100"),)))
    assert (again.recorded.total(), again.known.total()) == (0, 1)


async def test_proc_4_a_target_stays_the_one_that_it_was(books: Books, tmp_path: Path) -> None:
    goal = {
        "fact": "target",
        "id": "t",
        "on": "2025-01-01",
        "period": "2025-Q1",
        "level": "company",
        "amount": euro("1"),
    }
    (reason,) = await told_in_turn(books, tmp_path, (goal,), ({**goal, "on": "2025-02-01", "period": "2025-Q2"},))
    assert reason == "period: It is known with 2025-Q1; this says 2025-Q2."


async def test_lead_2_a_corrected_duplicate_stays_one_whatever_became_of_its_original(
    books: Books, tmp_path: Path
) -> None:
    def captured(outside: str, on: str, **more: Any) -> Fact:
        return {"fact": "lead", "id": outside, "on": on, "source": "fair", "email": "x@acme.example", **more}

    ended = {"fact": "lead-converted", "id": "o", "on": "2025-01-20", "account": "a", "contact": "c"}
    contact = {"fact": "contact", "id": "c", "account": "a", "on": "2025-01-20", "email": "x@acme.example"}
    first = (captured("o", "2025-01-01"), captured("l", "2025-01-05"), acme("2025-01-01", 1), ended, contact)
    corrected = (captured("l", "2025-01-05", campaign="spring"), captured("o", "2025-01-01", campaign="spring"))
    assert await told_in_turn(books, tmp_path, first, corrected) == []
    repeats, original = await state(books, "leads", lead, "l"), await state(books, "leads", lead, "o")
    assert (type(repeats).__name__, repeats.original_id) == ("DuplicateLead", IDS("lead", "o"))
    assert (type(original).__name__, original.captured.campaign) == ("ConvertedLead", "spring")


async def test_org_1_teams_of_history_never_stand_below_themselves(books: Books, tmp_path: Path) -> None:
    def formed(outside: str, on: str, parent: str | None = None) -> Fact:
        return {"fact": "team", "id": outside, "on": on, "name": outside} | ({"parent": parent} if parent else {})

    facts = (formed("t", "2025-01-01"), formed("u", "2025-01-02", "t"), formed("t", "2025-06-01", "u"))
    (reason,) = await told_in_turn(books, tmp_path, facts)
    assert "below itself" in reason


async def test_acct_1_a_contact_is_one_of_one_account_erased_or_not(books: Books, tmp_path: Path) -> None:
    other = {"fact": "account", "id": "b", **FIRST, "name": "Bolt"}
    elsewhere = {**OLD[4], "account": "b", "name": "Carla Cruz"}
    (reason,) = await told_in_turn(books, tmp_path, (*OLD, other), (elsewhere,))
    assert reason == "Another account has this contact."
    assert (await state(books, "leads", account, "b")).contacts == ()


async def test_data_4_what_history_is_known_by_names_nobody(books: Books, tmp_path: Path) -> None:
    step = {"fact": "deal-moved", "id": "d", "on": "2025-02-01", "stage": "quotation", "fact_id": "call ada@x.example"}
    assert await told_in_turn(books, tmp_path, (begun("1"), step)) == []
    connection = await asyncpg.connect(books.urls["deals"])
    try:
        names = [row["fact"] for row in await connection.fetch("select fact from event where fact is not null")]
    finally:
        await connection.close()
    assert len(names) == 2
    assert not any("ada" in name for name in names)


ENDED = {"fact_id": "end", "id": "d"}


@pytest.mark.parametrize(
    ("first", "later", "found"),
    [
        (
            {"fact": "deal-won", "on": "2025-05-09"},
            {"fact": "deal-won", "on": "2025-05-08"},
            ("WonDeal", date(2025, 5, 8)),
        ),
        (
            {"fact": "deal-won", "on": "2025-05-09"},
            {"fact": "deal-lost", "on": "2025-05-09"},
            ("LostDeal", date(2025, 5, 9)),
        ),
        (
            {"fact": "deal-lost", "on": "2025-05-09"},
            {"fact": "deal-won", "on": "2025-05-10"},
            ("WonDeal", date(2025, 5, 10)),
        ),
    ],
)
async def test_deal_9_a_newer_export_corrects_how_and_when_a_deal_ended(
    books: Books, tmp_path: Path, first: Fact, later: Fact, found: tuple[str, date]
) -> None:
    for facts in ((*OLD, {**first, **ENDED}), ({**later, **ENDED},)):
        summary = await books.take_in(written(tmp_path, facts))
        assert [each.reason for each in summary.rejections] == []
    ended = await state(books, "deals", deal, "d")
    assert (type(ended).__name__, ended.on, ended.assumptions) == (*found, ())


async def test_deal_9_of_ends_that_were_all_told_the_last_counts(books: Books, tmp_path: Path) -> None:
    won, lost = (
        {"fact": f"deal-{how}", "id": "d", "on": f"2025-05-{day}"} for how, day in (("won", "09"), ("lost", "10"))
    )
    for facts in ((*OLD, won), (lost,)):
        summary = await books.take_in(written(tmp_path, facts))
        assert [each.reason for each in summary.rejections] == []
    assert type(await state(books, "deals", deal, "d")).__name__ == "LostDeal"


async def test_deal_9_two_lines_that_tell_one_end_otherwise_are_refused(books: Books, tmp_path: Path) -> None:
    two = ({"fact": f"deal-{how}", "on": "2025-05-09", **ENDED} for how in ("won", "lost"))
    summary = await books.take_in(written(tmp_path, (*OLD, *two)))
    assert len(summary.rejections) == 2
    assert type(await state(books, "deals", deal, "d")).__name__ == "OpenDeal"


async def test_deal_1_an_amount_below_zero_is_refused_with_its_field(books: Books, tmp_path: Path) -> None:
    below = {**OLD[-1], "amount": euro("-7500.00")}
    summary = await books.take_in(written(tmp_path, (*OLD[:-1], below)))
    assert [each.reason for each in summary.rejections] == ["amount.amount: The amount must not be negative."]


async def test_data_5_what_an_end_does_not_allow_is_refused_with_the_kind(books: Books, tmp_path: Path) -> None:
    moved = {"fact": "deal-moved", "id": "d", "on": "2025-06-10", "stage": "quotation"}
    summary = await books.take_in(written(tmp_path, (*OLD, NEW[-1], moved)))
    assert [each.reason for each in summary.rejections] == ["'deal-moved' is not possible while the deal is won."]
