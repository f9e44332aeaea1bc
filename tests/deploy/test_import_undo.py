"""What an import told is taken back, as far as nothing rests on it (DATA-5)."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from deploy.imports import undoing
from deploy.imports.loading import IMPORTER
from deploy.imports.undoing import Mention, Thing, Undone, named_by, next_ones, rest_on, undo
from services.deals.app import SERVICE as DEALS
from services.deals.domain.deal import deal
from services.deals.domain.deal.changes import ChangeAmount
from services.leads.domain.account import account
from services.leads.domain.account.state import ActiveAccount
from services.leads.domain.lead import lead
from services.leads.domain.lead.state import DuplicateLead, NoLead, OpenLead
from services.leads.domain.organisation.member import ActiveMember, member
from services.leads.domain.organisation.team import team
from shared.commands.request import CommandRequest
from shared.domain.aggregate import Aggregate
from shared.domain.context import Actor
from shared.domain.retraction import RetractFacts
from shared.domain.roles import Role
from shared.events.money import Money
from shared.service.runtime import commands_alone
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
    assert undone.kept == []
    assert (undone.facts, undone.retracted["deal"], undone.retracted["member"]) == (len(FREE), 2, 3)
    assert {type(each) for each in (await states(books)).values()} == {family.start for _, family, _ in FAMILIES}
    assert await sole(books, "leads", "select count(*) from personal") == 0
    assert await sole(books, "leads", "select count(*) from claim") == 0

    summary = await books.take_in(written(tmp_path, FREE))
    assert (summary.recorded.total(), summary.known.total(), summary.rejections) == (len(FREE), 0, [])
    assert await states(books) == before
    assert (await undo(run, books.settings)).retracted == {}
    assert (await undo(summary.run, books.settings)).facts == len(FREE)


async def test_data_5_what_the_books_rest_on_stays(books: Books, tmp_path: Path) -> None:
    run = await take_in(books, tmp_path, *LINES)
    undone = await undo(run, books.settings)
    reasons = {(each.aggregate, each.reason) for each in undone.kept}
    assert {("contract", "cannot be retracted"), ("ledger", "cannot be retracted")} <= reasons
    assert ("deal", "a staying contract rests on it") in reasons
    after = await states(books)
    gone = {name for name, each in after.items() if isinstance(each, (NoLead, deal.start))}
    assert gone == {"lead L-2", "deal D-2"}
    assert undone.retracted == {"lead": 1, "deal": 1, "member": 1, "product": 1, "target": 1, "exchange-rate": 1}


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
    assert {(each.aggregate, each.reason) for each in undone.kept} >= {
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
        await commands.execute(CommandRequest(deal, IDS("deal", "d"), changed, DIRECTOR))
    undone = await undo(run, books.settings)
    assert {each.aggregate: each.reason for each in undone.kept} == {
        "deal": "deals.deal-amount-changed was recorded about it since",
        "account": "a staying deal rests on it",
        "member": "a staying account rests on it",
        "team": "a staying account rests on it",
    } | {each.aggregate: each.reason for each in undone.kept if each.aggregate in ("account", "member", "team")}
    assert undone.retracted == {"product": 1, "target": 1, "team": 1}
    assert (await state(books, "deals", deal, "d")).amount.amount == Decimal(999)


async def test_data_5_what_a_taken_back_import_corrected_counts_again(books: Books, tmp_path: Path) -> None:
    await take_in(books, tmp_path, *OLD)
    before = await told(books)
    run = await take_in(books, tmp_path, *NEW)
    assert await told(books) == NOW
    undone = await undo(run, books.settings)
    assert undone.kept == []
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
    assert {each.reason for each in undone.kept if each.aggregate == "deal"} == {
        "deals.deal-opened was recorded about it since"
    }
    assert await told(books) == NOW
    assert (await undo(newer, books.settings)).kept == []
    assert (await undo(older, books.settings)).kept == []
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
    assert (dry.retracted, dry.facts, len(dry.kept)) == (wet.retracted, wet.facts, len(wet.kept))


async def test_data_5_undo_goes_on_where_it_broke_off(books: Books, tmp_path: Path) -> None:
    run = await take_in(books, tmp_path, *FREE)
    connection = await asyncpg.connect(books.urls["deals"])
    sql = "select causation_id from event where aggregate_id = $1 order by sequence desc"
    requests = tuple(row["causation_id"] for row in await connection.fetch(sql, IDS("deal", "D-2")))
    await connection.close()
    async with commands_alone(DEALS, books.settings["deals"]) as commands:
        await commands.execute(
            CommandRequest(deal, IDS("deal", "D-2"), RetractFacts(requests=requests), IMPORTER, imported=True)
        )
    undone = await undo(run, books.settings)
    assert (undone.kept, undone.retracted["deal"], undone.facts) == ([], 1, len(FREE) - len(requests))
    assert {type(each) for each in (await states(books)).values()} == {family.start for _, family, _ in FAMILIES}


async def test_lead_2_a_lead_is_no_duplicate_any_more_once_its_original_is_taken_back(
    books: Books, tmp_path: Path
) -> None:
    of_ada = {"fact": "lead", "source": "fair", "person_name": "Ada", "email": "ada@acme.example"}
    await take_in(books, tmp_path, {**of_ada, "id": "L-2", "on": "2025-04-01"})
    run = await take_in(books, tmp_path, {**of_ada, "id": "L-1", "on": "2025-03-01"})
    assert isinstance(await state(books, "leads", lead, "L-2"), DuplicateLead)
    assert (await undo(run, books.settings)).retracted == {"lead": 2}
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
    assert (await undo(run, books.settings)).kept == []
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
    assert (await undo(run, books.settings)).kept == []
    domains = [(await state(books, "leads", account, each)).profile.domain for each in ("A", "B")]
    assert domains == ["one.example", "other.example"]


async def test_data_5_an_unknown_run_takes_nothing_back(books: Books, tmp_path: Path) -> None:
    await take_in(books, tmp_path, *FREE)
    assert await undo(UUID(int=5), books.settings) == Undone()


# -- what rests on what ----------------------------------------------------------------------------------------------


def thing(number: int, *requests: int) -> Thing:
    at, told = datetime(2026, 1, 1, tzinfo=UTC), {UUID(int=each): None for each in requests}
    return Thing(service="deals", aggregate="deal", id=UUID(int=number), first=2, since=at, requests=told)


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
    stays = dict[UUID, str]()
    rest_on(stays, THINGS, since, named_by(since, THINGS))
    assert {each.int for each in stays} == stay


def ids(*numbers: int) -> list[UUID]:
    return [UUID(int=number) for number in numbers]


@pytest.mark.parametrize(
    ("names", "first"),
    [
        ({}, [1, 2, 3, 4]),
        ({1: [2], 2: [3]}, [1, 4]),
        ({1: [2], 2: [1, 3]}, [4]),
        ({1: [2], 2: [1, 3], 4: [1], 3: [4]}, [1, 2, 3, 4]),
        ({1: [2], 2: [1, 3], 3: [4]}, [1, 2]),
    ],
)
def test_data_5_what_names_others_is_retracted_before_them(names: dict[int, list[int]], first: list[int]) -> None:
    left = ids(1, 2, 3, 4) if len(first) != 2 or 4 in first else ids(1, 2, 3)
    named = {UUID(int=each): set(ids(*others)) for each, others in names.items()}
    assert next_ones(left, named) == ids(*first)


# -- what happens meanwhile ------------------------------------------------------------------------------------------


async def test_data_5_what_meets_a_held_key_stays_with_all_that_it_names(books: Books, tmp_path: Path) -> None:
    """Another account took the domain that this one let go of, and would get back."""
    await take_in(books, tmp_path, FREE[0], {"fact": "account", "id": "X", **DAY, "name": "X", "domain": "a.example"})
    zed = {"fact": "member", "id": "zed", **DAY, "name": "Zed", "subject": "zed", "role": "rep", "team": "north"}
    moved = {"fact": "account", "id": "X", "on": "2025-04-01", "name": "X", "domain": "b.example", "owner": "zed"}
    run = await take_in(books, tmp_path, zed, moved)
    await take_in(
        books, tmp_path, {"fact": "account", "id": "Y", "on": "2025-05-01", "name": "Y", "domain": "a.example"}
    )
    undone = await undo(run, books.settings)
    assert {each.aggregate for each in undone.kept} == {"account", "member"}
    assert isinstance(await state(books, "leads", member, "zed"), ActiveMember)


async def test_data_5_what_is_changed_or_named_meanwhile_stays_with_all_that_it_names(
    books: Books, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await take_in(books, tmp_path, *OLD)
    found, changed = undoing.named_by, list[int]()

    def meanwhile(since: list[Mention], things: Mapping[UUID, Thing]) -> undoing.Names:
        """Somebody changes a deal after all was looked at, and before anything is retracted."""
        subprocess.run([sys.executable, "-c", CHANGES], env={**os.environ, **books.environment}, check=True)
        changed.append(len(since))
        return found(since, things)

    monkeypatch.setattr(undoing, "named_by", meanwhile)
    undone = await undo(run, books.settings)
    assert len(changed) == 1
    assert {each.aggregate for each in undone.kept} == {"deal", "account", "member", "team"}
    assert (await state(books, "deals", deal, "d")).amount.amount == Decimal(999)
    assert isinstance(await state(books, "leads", account, "a"), ActiveAccount)


CHANGES = f"""
import asyncio, os
from decimal import Decimal
from uuid import UUID
from services.deals.app import SERVICE
from services.deals.domain.deal import deal
from services.deals.domain.deal.changes import ChangeAmount
from shared.commands.request import CommandRequest
from shared.domain.context import Actor
from shared.events.money import Money
from shared.domain.roles import Role
from shared.ops.settings import Settings
from shared.service.runtime import commands_alone

async def change():
    actor = Actor(subject="dora", roles=frozenset({{Role.SALES_DIRECTOR}}), member=UUID(int=1))
    changed = ChangeAmount(amount=Money(amount=Decimal(999), currency="EUR"))
    async with commands_alone(SERVICE, Settings.from_environment("deals", os.environ)) as commands:
        await commands.execute(CommandRequest(deal, UUID("{IDS("deal", "d")}"), changed, actor))

asyncio.run(change())
"""


async def test_data_5_who_acted_since_stays(books: Books, tmp_path: Path) -> None:
    await take_in(books, tmp_path, *(line for line in OLD if line["fact"] != "contact"))
    boss = {"fact": "member", "id": "b", **DAY, "name": "Bo", "subject": "bo", "role": "sales-director", "team": "n"}
    run = await take_in(books, tmp_path, boss)
    changed = ChangeAmount(amount=Money(amount=Decimal(999), currency="EUR"))
    async with commands_alone(DEALS, books.settings["deals"]) as commands:
        await commands.execute(CommandRequest(deal, IDS("deal", "d"), changed, replace(DIRECTOR, subject="bo")))
    undone = await undo(run, books.settings)
    assert [(each.aggregate, each.reason) for each in undone.kept] == [("member", "deals.deal-amount-changed names it")]


async def test_data_5_a_correlation_id_of_somebody_is_no_run(books: Books, tmp_path: Path) -> None:
    await take_in(books, tmp_path, *OLD)
    own = UUID(int=77)
    changed = ChangeAmount(amount=Money(amount=Decimal(999), currency="EUR"))
    async with commands_alone(DEALS, books.settings["deals"]) as commands:
        await commands.execute(CommandRequest(deal, IDS("deal", "d"), changed, DIRECTOR, correlation_id=own))
    assert await undo(own, books.settings) == Undone()
    assert (await state(books, "deals", deal, "d")).amount.amount == Decimal(999)


async def test_data_5_two_at_once_take_it_back_together(books: Books, tmp_path: Path) -> None:
    run = await take_in(books, tmp_path, *FREE)
    one, other = await asyncio.gather(undo(run, books.settings), undo(run, books.settings))
    assert (one.kept, other.kept) == ([], [])
    assert one.facts + other.facts == len(FREE)
    assert max(one.before, other.before) == len(FREE)
