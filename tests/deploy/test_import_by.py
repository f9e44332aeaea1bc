"""Who did what history tells: a line names them, and the event has them as its actor (DATA-5)."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from deploy.imports.facts import NotAFact, read_fact
from deploy.imports.kinds import KINDS, layout_of
from deploy.imports.loading import IMPORTER
from deploy.imports.undoing import undo
from services.receivables.app import SERVICE as RECEIVABLES
from services.receivables.domain.plan import DrawUpPlan, payment_plan
from shared.commands.request import CommandRequest
from shared.domain.context import service_actor
from shared.events.contracts.contract import PaymentTerm
from shared.events.money import Money
from shared.service.runtime import commands_alone
from tests.deploy.test_import import DAY, IDS, LINES, Books, books, euro, other_books, written
from tests.deploy.test_import_undo import BOOKED, FREE, take_in

__all__ = ["books", "other_books"]

Fact = Mapping[str, Any]
PEOPLE = LINES[:3]
"""A team with a rep and a manager."""
DEAL: Fact = {"fact": "deal", "id": "D-1", **DAY, "name": "Press line", "amount": euro("700")}
BY_ANNA = {**DEAL, "by": "anna"}


async def actors(books: Books, service: str) -> list[tuple[str, str]]:
    """Who did what, as events have it."""
    connection = await asyncpg.connect(books.urls[service])
    try:
        rows = await connection.fetch(
            "select type, actor from event where aggregate <> 'process' and imported order by position"
        )
    finally:
        await connection.close()
    return [(row["type"].partition(".")[2], row["actor"]) for row in rows]


@pytest.mark.parametrize("line", LINES, ids=lambda line: line["fact"])
def test_data_5_a_line_of_every_kind_may_say_who_did_it(line: Fact) -> None:
    """It changes nothing of the fact itself, nor by what it is known; work alone says it in its own content too."""
    without, told = read_fact({**line, "by": None}, IDS), read_fact({**line, "by": "max"}, IDS)
    assert (without.by, told.by) == (None, IDS("member", "max"))
    assert (told.name, told.thing, told.aggregate_id) == (without.name, without.thing, without.aggregate_id)
    assert [each for each in told.names if each.field != "by"] == list(without.names)
    assert ("by" in layout_of(told.kind).references) == (told.command != without.command)
    assert getattr(told.command, "by", told.by) == told.by


def test_data_5_who_did_it_is_a_member_in_every_kind() -> None:
    own = {name: layout_of(kind).references["by"] for name, kind in KINDS.items() if hasattr(kind.command, "by")}
    assert own == dict.fromkeys(("lead-activity", "deal-activity"), ("by", "member"))


@pytest.mark.parametrize("by", ["", 7.0, True, ["anna"]])
def test_data_5_who_did_it_is_said_by_an_outside_id(by: object) -> None:
    with pytest.raises(NotAFact, match=r"by: (the outside id is missing|an outside id is a text or a whole number)"):
        read_fact({**DEAL, "by": by}, IDS)


async def test_data_5_an_event_has_whoever_did_it_as_its_actor(books: Books, tmp_path: Path) -> None:
    """By whom they sign in as, also those who left; what nobody is named for was told by the import."""
    tom = {"fact": "member", "id": 7, **DAY, "name": "Tom", "subject": "tom@acme.example", "role": "rep"}
    left = {"fact": "member-left", "id": 7, "on": "2025-03-04"}
    lines = (
        {"fact": "deal-lost", "id": "D-1", "on": "2025-03-20", "by": 7},
        {"fact": "deal-activity", "id": "D-1", "on": "2025-03-12", "activity": "1", "kind": "call", "by": "max"},
        {"fact": "deal-moved", "id": "D-1", "on": "2025-03-10", "stage": "needs-confirmed"},
        BY_ANNA,
        left,
        tom,
        *reversed(PEOPLE),
    )
    await take_in(books, tmp_path, *lines)
    assert await actors(books, "deals") == [
        ("deal-opened", "anna"),
        ("deal-moved", IMPORTER.subject),
        ("deal-activity-logged", "max"),
        ("deal-lost", "tom@acme.example"),
    ]
    assert {actor for _, actor in await actors(books, "leads")} == {IMPORTER.subject}


async def test_data_5_who_did_it_may_have_come_in_before(books: Books, tmp_path: Path) -> None:
    await take_in(books, tmp_path, *PEOPLE)
    await take_in(books, tmp_path, BY_ANNA)
    assert await actors(books, "deals") == [("deal-opened", "anna")]


async def test_data_5_who_did_it_has_to_be_known(books: Books, tmp_path: Path) -> None:
    """A member that was refused is nobody, and nobody is told by themselves."""
    future = {**PEOPLE[1], "on": "2999-01-01"}
    own = {**PEOPLE[2], "by": "max", "team": None}
    strange = ({**DEAL, "by": "nobody"}, {**DEAL, "id": "D-2", "by": "anna"}, {**DEAL, "id": "D-3", "by": "max"})
    summary = await books.take_in(written(tmp_path, (PEOPLE[0], future, own, *strange)))
    assert [(each.place.line, each.reason) for each in summary.rejections if each.place.line > 2] == [
        (3, "in the end, this stands below itself"),
        (4, "by: there is no member 'nobody'"),
        (5, "by: there is no member 'anna'"),
        (6, "by: there is no member 'max'"),
    ]
    assert await books.count("deals") == 0


async def test_data_5_told_again_by_another_one_it_is_corrected(books: Books, tmp_path: Path) -> None:
    """It is the same fact, of which the last telling counts, as with all that a newer export says otherwise."""
    await take_in(books, tmp_path, *PEOPLE, DEAL)
    first = await books.take_in(written(tmp_path, (BY_ANNA,)))
    assert (first.recorded["deal"], first.corrected["deal"], first.rejections) == (1, 1, [])
    again = await books.take_in(written(tmp_path, (BY_ANNA,)))
    assert (again.recorded.total(), again.known["deal"]) == (0, 1)
    await books.take_in(written(tmp_path, ({**DEAL, "by": "max"},)))
    assert await actors(books, "deals") == [("deal-opened", each) for each in (IMPORTER.subject, "anna", "max")]


async def test_rec_4_of_what_is_never_corrected_whoever_was_told_first_did_it(books: Books, tmp_path: Path) -> None:
    """CON-1: of a contract too. What follows once all is told is nobody's."""
    booked = {line["fact"]: line for line in LINES if line["fact"] in BOOKED}
    await take_in(books, tmp_path, *FREE, *({**line, "by": "anna"} for line in booked.values()))
    again = await books.take_in(written(tmp_path, tuple({**line, "by": "max"} for line in booked.values())))
    assert (again.known.total(), again.rejections) == (len(BOOKED), [])
    assert dict(await actors(books, "contracts")) == {"contract-drafted": "anna"}
    told = dict(await actors(books, "receivables"))
    assert (told["invoice-issued"], told["receipt-recorded"]) == ("anna", "anna")
    assert told["receipt-allocated"] == IMPORTER.subject


async def test_data_5_lines_of_one_import_that_disagree_on_who_did_it_are_refused(books: Books, tmp_path: Path) -> None:
    summary = await books.take_in(written(tmp_path, (*PEOPLE, BY_ANNA, {**DEAL, "by": "max"})))
    assert [each.reason.partition(" ")[2] for each in summary.rejections] == ["says otherwise of the same fact"] * 2


async def test_data_5_a_dry_run_says_the_same_of_who_did_it(books: Books, tmp_path: Path) -> None:
    file = written(tmp_path, (*PEOPLE, BY_ANNA, {**DEAL, "id": "D-2", "by": "nobody"}))
    dry = await books.take_in(file, dry_run=True)
    assert await books.everything() == []
    wet = await books.take_in(file)
    assert (dry.recorded, [each.reason for each in dry.rejections]) == (
        wet.recorded,
        [each.reason for each in wet.rejections],
    )


async def test_data_5_what_members_did_is_of_the_run_that_told_it(books: Books, tmp_path: Path) -> None:
    """It is taken back whole, those who did it last."""
    lines = [{**line, "by": "max"} if line["fact"] not in ("team", "member") else line for line in FREE]
    run = await take_in(books, tmp_path, *lines)
    recorded = await books.everything()
    undone = await undo(run, books.settings)
    assert (undone.kept, undone.facts) == ([], len(lines))
    again = await books.take_in(written(tmp_path, tuple(lines)))
    assert (again.recorded.total(), again.rejections) == (len(lines), [])
    assert len(await books.everything()) > len(recorded)


async def test_data_5_a_member_stays_who_did_what_another_import_told(books: Books, tmp_path: Path) -> None:
    run = await take_in(books, tmp_path, *PEOPLE)
    await take_in(books, tmp_path, BY_ANNA)
    undone = await undo(run, books.settings)
    assert ("member", "deals.deal-opened names it") in {(each.aggregate, each.reason) for each in undone.kept}
    assert undone.retracted == {"member": 1}


async def test_data_5_what_followed_from_an_import_is_none_of_its_run(books: Books, tmp_path: Path) -> None:
    """REC-1: a reaction records with the correlation id of what it answers, and as imported as that is."""
    account = {"fact": "account", "id": "C-1", **DAY, "name": "Acme"}
    run = await take_in(books, tmp_path, account)
    draw_up = DrawUpPlan(
        contract_id=UUID(int=5),
        account_id=IDS("account", "C-1"),
        total=Money(amount=Decimal(8), currency="EUR"),
        payment_terms=(PaymentTerm(ratio=Decimal(1)),),
        on=date(2025, 3, 3),
    )
    follows = CommandRequest(
        payment_plan, UUID(int=6), draw_up, service_actor("receivables"), imported=True, correlation_id=run
    )
    async with commands_alone(RECEIVABLES, books.settings["receivables"]) as commands:
        await commands.execute(follows)
    undone = await undo(run, books.settings)
    assert [(each.aggregate, each.reason) for each in undone.kept] == [
        ("account", "receivables.plan-drawn-up names it")
    ]
