"""What an import told is taken back, as far as nothing rests on it (DATA-5)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from deploy.imports.loading import IMPORTER
from deploy.imports.undoing import Mention, Thing, Undone, staying, undo
from services.deals.app import SERVICE as DEALS
from services.deals.domain.deal import deal
from services.deals.domain.deal.changes import ChangeAmount
from services.leads.domain.account import account
from services.leads.domain.lead import lead
from services.leads.domain.lead.state import DuplicateLead, NoLead, OpenLead
from services.leads.domain.organisation.member import member
from services.leads.domain.organisation.team import team
from shared.domain.aggregate import Aggregate
from shared.domain.context import Actor
from shared.domain.money import Money
from shared.domain.retraction import RetractFacts, ToldBefore
from shared.domain.roles import Role
from shared.web.composition import commands_alone
from tests.deploy.test_import import DAY, LINES, Books, books, euro, written
from tests.deploy.test_import_again import IDS, NEW, NOW, OLD, state, told

__all__ = ["books"]

Fact = Mapping[str, Any]
BOOKED = ("contract", "invoice", "receipt")
FREE: tuple[Fact, ...] = tuple(line for line in LINES if line["fact"] not in BOOKED)
FAMILIES: tuple[tuple[str, Aggregate, str], ...] = (
    ("leads", team, "north"),
    ("leads", member, "anna"),
    ("leads", lead, "L-1"),
    ("leads", lead, "L-2"),
    ("leads", account, "C-1"),
    ("deals", deal, "D-1"),
    ("deals", deal, "D-2"),
)
DIRECTOR = Actor(subject="dora", roles=frozenset({Role.SALES_DIRECTOR}), member=UUID(int=1))


async def states(books: Books) -> dict[str, Any]:
    """What the services say of the things of LINES."""
    return {
        f"{family.name} {outside}": await state(books, service, family, outside)
        for service, family, outside in FAMILIES
    }


async def sole(books: Books, service: str, sql: str) -> Any:
    connection = await asyncpg.connect(books.urls[service])
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def take_in(books: Books, folder: Path, *lines: Fact) -> UUID:
    """Import lines, all of which come in; the run."""
    summary = await books.take_in(written(folder, lines))
    assert [each.reason for each in summary.rejections] == []
    return summary.run


async def test_data_5_an_import_is_taken_back_and_comes_in_again(books: Books, tmp_path: Path) -> None:
    run = await take_in(books, tmp_path, *FREE)
    before = await states(books)
    undone = await undo(run, books.settings)
    assert undone.stay == []
    assert (undone.facts, undone.taken_back["deal"], undone.taken_back["member"]) == (len(FREE), 2, 3)
    assert {type(each) for each in (await states(books)).values()} == {family.start for _, family, _ in FAMILIES}
    assert await sole(books, "leads", "select count(*) from personal") == 0
    assert await sole(books, "leads", "select count(*) from claim") == 0

    summary = await books.take_in(written(tmp_path, FREE))
    assert (summary.recorded.total(), summary.known.total(), summary.rejections) == (len(FREE), 0, [])
    assert await states(books) == before
    assert (await undo(run, books.settings)).taken_back == {}
    assert (await undo(summary.run, books.settings)).facts == len(FREE)


async def test_data_5_what_the_books_rest_on_stays(books: Books, tmp_path: Path) -> None:
    run = await take_in(books, tmp_path, *LINES)
    undone = await undo(run, books.settings)
    reasons = {(each.aggregate, each.reason) for each in undone.stay}
    assert {("contract", "cannot be taken back"), ("ledger", "cannot be taken back")} <= reasons
    assert ("deal", "a contract that stays rests on it") in reasons
    after = await states(books)
    gone = {name for name, each in after.items() if isinstance(each, (NoLead, deal.start))}
    assert gone == {"lead L-2", "deal D-2"}
    assert undone.taken_back == {"lead": 1, "deal": 1, "member": 1, "product": 1, "target": 1}


async def test_data_5_what_somebody_worked_on_since_stays_with_all_that_it_names(books: Books, tmp_path: Path) -> None:
    run = await take_in(books, tmp_path, *FREE)
    before = await states(books)
    worked_on = {
        "fact": "deal",
        "id": "D-3",
        **DAY,
        "name": "Mill",
        "amount": euro("9"),
        "owner": "anna",
        "team": "north",
    }
    await take_in(books, tmp_path, worked_on)
    undone = await undo(run, books.settings)
    assert {(each.aggregate, each.reason) for each in undone.stay} >= {
        ("member", "deals.deal-opened names it"),
        ("team", "deals.deal-opened names it"),
    }
    after = await states(books)
    assert {name for name, each in after.items() if each == before[name]} == {"team north", "member anna"}
    assert isinstance(after["account C-1"], account.start)


async def test_data_5_a_thing_that_was_changed_since_stays(books: Books, tmp_path: Path) -> None:
    run = await take_in(books, tmp_path, *OLD)
    changed = ChangeAmount(amount=Money(amount=Decimal(999), currency="EUR"))
    async with commands_alone(DEALS, books.settings["deals"]) as commands:
        await commands.execute(deal, IDS("deal", "d"), changed, DIRECTOR)
    undone = await undo(run, books.settings)
    assert {each.aggregate: each.reason for each in undone.stay} == {
        "deal": "deals.deal-amount-changed was recorded about it since",
        "account": "a deal that stays rests on it",
        "member": "a account that stays rests on it",
        "team": "a account that stays rests on it",
    } | {each.aggregate: each.reason for each in undone.stay if each.aggregate in ("account", "member", "team")}
    assert undone.taken_back == {"product": 1, "target": 1, "team": 1}
    assert (await state(books, "deals", deal, "d")).amount.amount == Decimal(999)


async def test_data_5_what_a_taken_back_import_corrected_counts_again(books: Books, tmp_path: Path) -> None:
    await take_in(books, tmp_path, *OLD)
    before = await told(books)
    run = await take_in(books, tmp_path, *NEW)
    assert await told(books) == NOW
    undone = await undo(run, books.settings)
    assert undone.stay == []
    assert await told(books) == before
    await take_in(books, tmp_path, *NEW)
    assert await told(books) == NOW


async def test_data_5_of_two_imports_the_older_may_be_taken_back_first_where_nothing_rests_on_it(
    books: Books, tmp_path: Path
) -> None:
    """What the newer one told of the same things rests on it."""
    older = await take_in(books, tmp_path, *OLD)
    newer = await take_in(books, tmp_path, *NEW)
    undone = await undo(older, books.settings)
    assert {each.reason for each in undone.stay if each.aggregate == "deal"} == {
        "deals.deal-opened was recorded about it since"
    }
    assert await told(books) == NOW
    assert (await undo(newer, books.settings)).stay == []
    assert (await undo(older, books.settings)).stay == []
    assert isinstance(await state(books, "deals", deal, "d"), deal.start)


async def test_data_5_a_dry_run_of_undo_writes_nothing(books: Books, tmp_path: Path) -> None:
    run = await take_in(books, tmp_path, *LINES)
    before, personal = await books.everything(), await sole(books, "leads", "select count(*) from personal")
    dry = await undo(run, books.settings, dry_run=True)
    assert await books.everything() == before
    assert await sole(books, "leads", "select count(*) from personal") == personal
    again = await books.take_in(written(tmp_path, LINES))
    assert (again.recorded.total(), again.known.total()) == (0, len(LINES))
    wet = await undo(run, books.settings)
    assert (dry.taken_back, dry.facts, len(dry.stay)) == (wet.taken_back, wet.facts, len(wet.stay))


async def test_data_5_undo_goes_on_where_it_broke_off(books: Books, tmp_path: Path) -> None:
    run = await take_in(books, tmp_path, *FREE)
    connection = await asyncpg.connect(books.urls["deals"])
    rows = await connection.fetch(
        "select causation_id, occurred_at, by_day from event where aggregate_id = $1 order by sequence desc",
        IDS("deal", "D-2"),
    )
    await connection.close()
    facts = tuple(ToldBefore(request=row["causation_id"], at=row["occurred_at"], by_day=row["by_day"]) for row in rows)
    async with commands_alone(DEALS, books.settings["deals"]) as commands:
        await commands.execute(deal, IDS("deal", "D-2"), RetractFacts(facts=facts), IMPORTER, imported=True)
    undone = await undo(run, books.settings)
    assert (undone.stay, undone.taken_back["deal"], undone.facts) == ([], 1, len(FREE) - len(facts))
    assert {type(each) for each in (await states(books)).values()} == {family.start for _, family, _ in FAMILIES}


async def test_lead_2_a_lead_is_no_duplicate_any_more_once_its_original_is_taken_back(
    books: Books, tmp_path: Path
) -> None:
    of_ada = {"fact": "lead", "source": "fair", "person_name": "Ada", "email": "ada@acme.example"}
    await take_in(books, tmp_path, {**of_ada, "id": "L-2", "on": "2025-04-01"})
    run = await take_in(books, tmp_path, {**of_ada, "id": "L-1", "on": "2025-03-01"})
    assert isinstance(await state(books, "leads", lead, "L-2"), DuplicateLead)
    assert (await undo(run, books.settings)).taken_back == {"lead": 2}
    assert isinstance(await state(books, "leads", lead, "L-1"), NoLead)
    second = await state(books, "leads", lead, "L-2")
    assert isinstance(second, OpenLead)
    assert second.captured.email == "ada@acme.example"
    # It holds the address again.
    await take_in(books, tmp_path, {**of_ada, "id": "L-3", "on": "2025-05-01"})
    assert isinstance(await state(books, "leads", lead, "L-3"), DuplicateLead)


async def test_acct_1_a_contact_that_was_taken_back_may_be_one_of_another_account(books: Books, tmp_path: Path) -> None:
    accounts = [{"fact": "account", "id": each, **DAY, "name": each} for each in ("A", "B")]
    carla = {"fact": "contact", "id": "c", **DAY, "name": "Carla"}
    await take_in(books, tmp_path, *accounts)
    run = await take_in(books, tmp_path, {**carla, "account": "A"})
    refused = await books.take_in(written(tmp_path, ({**carla, "account": "B"},)))
    assert len(refused.rejections) == 1
    assert (await undo(run, books.settings)).stay == []
    await take_in(books, tmp_path, {**carla, "account": "B"})
    assert [each.name for each in (await state(books, "leads", account, "B")).contacts] == ["Carla"]


async def test_data_5_who_changes_places_gets_back_what_another_one_held(books: Books, tmp_path: Path) -> None:
    """Of two accounts that changed their domains, none gets its own back before the other one has let go of it."""
    one, other = ({"fact": "account", "id": each, "name": each} for each in ("A", "B"))
    await take_in(books, tmp_path, {**one, **DAY, "domain": "one.example"}, {**other, **DAY, "domain": "other.example"})
    run = await take_in(
        books,
        tmp_path,
        {**one, "on": "2025-04-01", "domain": "third.example"},
        {**other, "on": "2025-04-02", "domain": "one.example"},
    )
    assert (await undo(run, books.settings)).stay == []
    domains = [(await state(books, "leads", account, each)).profile.domain for each in ("A", "B")]
    assert domains == ["one.example", "other.example"]


async def test_data_5_an_unknown_run_takes_nothing_back(books: Books, tmp_path: Path) -> None:
    await take_in(books, tmp_path, *FREE)
    assert await undo(UUID(int=5), books.settings) == Undone()


# -- what rests on what ----------------------------------------------------------------------------------------------


def thing(number: int, *requests: int) -> Thing:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    told = {UUID(int=each): ToldBefore(request=UUID(int=each), at=at, by_day=True) for each in requests}
    return Thing(service="deals", aggregate="deal", id=UUID(int=number), first=2, since=at, told=told)


def mention(about: int, *names: int, run: bool = False, sequence: int = 3) -> Mention:
    return Mention(UUID(int=about), sequence, run, "x.happened", frozenset(UUID(int=each) for each in names))


THINGS = {each.id: each for each in (thing(1, 11), thing(2, 12), thing(3, 13, 99), thing(4, 99))}


@pytest.mark.parametrize(
    ("since", "stay"),
    [
        ([], set()),
        ([mention(1, 2, run=True), mention(2, 1, run=True)], set()),
        ([mention(1)], {1}),
        ([mention(1, sequence=1)], set()),
        ([mention(50, 2)], {2}),
        ([mention(1), mention(1, 2, run=True), mention(2, 3, run=True)], {1, 2, 3, 4}),
        ([mention(4)], {3, 4}),
    ],
)
def test_data_5_what_rests_on_what(since: list[Mention], stay: set[int]) -> None:
    assert {each.int for each in staying(THINGS, [], since)} == stay
