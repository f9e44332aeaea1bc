"""The lines of an import in any order: what was taken in is the same (DATA-5)."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from deploy.imports.facts import FactPlace, ids_of, read_fact
from deploy.imports.loading import waves
from deploy.imports.ordering import Spool, circular
from services.deals.app import SERVICE as DEALS
from services.deals.domain.deal.state import deal
from shared.domain.context import Company
from shared.service.runtime import commands_alone
from tests.deploy.test_import import DAY, LINES, OF_ANNA, Books, books, euro, other_books, written

__all__ = ["books", "other_books"]

Fact = Mapping[str, Any]
SHUFFLES = 4


def ordered(*facts: Fact) -> tuple[list[Fact], list[str]]:
    """The facts in the order in which they are taken in, and why others are not."""
    with Spool(Company()) as spool:
        for number, fact in enumerate(facts, start=1):
            spool.add(FactPlace(file="x", line=number), fact, read_fact(fact, ids_of("x")))
        refused = [*spool.contradictions(), *spool.arrange()]
        return [fact for _, fact in spool.ordered()], [each.reason for each in refused]


def team(name: str, parent: str | None = None) -> Fact:
    return {"fact": "team", "id": name, **DAY, "name": name} | ({"parent": parent} if parent else {})


def moved(on: str, stage: str, **more: Any) -> Fact:
    return {"fact": "deal-moved", "id": "D-1", "on": on, "stage": stage, **more}


OPENED: Fact = {"fact": "deal", "id": "D-1", "on": "2025-03-03", "name": "A deal", "amount": euro("700")}
WON: Fact = {"fact": "deal-won", "id": "D-1", "on": "2025-03-20"}


def test_data_5_what_others_rest_on_comes_before_them() -> None:
    facts = (team("c", "b"), team("b", "a"), team("a"))
    assert ordered(*facts) == ([team("a"), team("b", "a"), team("c", "b")], [])


def test_data_5_a_thing_is_pulled_before_what_happened_to_it() -> None:
    later = {**OPENED, "on": "2025-03-25"}
    assert ordered(WON, later) == ([later, WON], [])


def test_data_5_an_invoice_comes_after_its_contract_however_early_its_day() -> None:
    about: Fact = {"account": "A", "amount": euro("10"), "on": "2025-01-15", "due": "2025-02-15"}
    invoice: Fact = {"fact": "invoice", "id": "I", "contract": "D-1", **about}
    contract: Fact = {"fact": "contract", "id": "D-1", "name": "C", "total": euro("10"), "drafted_on": "2025-02-01"}
    contract = {**contract, "account": "A"}
    account: Fact = {"fact": "account", "id": "A", "on": "2025-03-01", "name": "A"}
    assert ordered(invoice, contract, account) == ([account, contract, invoice], [])


def test_data_5_what_stands_below_itself_is_refused_and_nothing_else() -> None:
    facts = (team("a", "b"), team("b", "a"), team("c", "c"), team("d", "a"), team("e"))
    found, reasons = ordered(*facts)
    assert sorted(fact["id"] for fact in found) == ["d", "e"]
    assert reasons == ["in the end, this stands below itself"] * 3


def test_data_5_a_long_chain_is_no_circle() -> None:
    chain = [team(str(number), str(number + 1)) for number in range(60)] + [team("60")]
    found, reasons = ordered(*chain)
    assert (found, reasons) == (chain[::-1], [])


@pytest.mark.parametrize(
    "facts",
    [
        (OPENED, {**OPENED, "name": "Another"}),
        (WON, {**WON, "amount": euro("8")}),
        (moved("2025-03-04", "quotation"), moved("2025-03-04", "needs-confirmed")),
        (moved("2025-03-04", "quotation", fact_id="m"), moved("2025-03-05", "needs-confirmed", fact_id="m")),
    ],
)
def test_data_5_what_contradicts_itself_is_refused_on_both_sides(facts: Sequence[Fact]) -> None:
    found, reasons = ordered(*facts)
    assert (found, reasons) == ([], ["x:2 says otherwise of the same fact", "x:1 says otherwise of the same fact"])


@pytest.mark.parametrize(
    "facts",
    [
        (OPENED, OPENED),
        (moved("2025-03-04", "quotation", fact_id="1"), moved("2025-03-04", "needs-confirmed", fact_id="2")),
        (moved("2025-03-04", "quotation"), moved("2025-03-05", "needs-confirmed")),
        (
            moved("2025-03-04", "quotation", at="2025-03-04T08:00:00Z"),
            moved("2025-03-04", "needs-confirmed", at="2025-03-04T09:00:00Z"),
        ),
        (
            {"fact": "deal-changed", "id": "D-1", "on": "2025-03-04", "amount": euro("8")},
            {"fact": "deal-changed", "id": "D-1", "on": "2025-03-04", "expected_close": "2025-05-01"},
        ),
    ],
)
def test_data_5_what_does_not_contradict_itself_is_taken_in(facts: Sequence[Fact]) -> None:
    assert ordered(*facts) == (list(facts), [])


def test_data_5_things_whose_days_have_no_known_order_are_counted() -> None:
    facts = (OPENED, moved("2025-03-04", "quotation", fact_id="1"), moved("2025-03-04", "needs-confirmed", fact_id="2"))
    with Spool(Company()) as spool:
        for number, fact in enumerate(facts, start=1):
            spool.add(FactPlace(file="x", line=number), fact, read_fact(fact, ids_of("x")))
        assert spool.unordered() == {"deal": 1}


def test_a_circle_is_what_is_left_when_all_that_leads_nowhere_is_trimmed() -> None:
    assert circular([(1, 2), (2, 3), (3, 1), (4, 1), (3, 5)]) == {1, 2, 3}
    assert circular([(1, 1), (2, 1)]) == {1}
    assert circular([(1, 2), (2, 3)]) == set()


def test_data_5_what_bears_one_key_is_taken_in_one_after_the_other() -> None:
    def lead(number: int, email: str) -> Fact:
        return {"fact": "lead", "id": f"L-{number}", **DAY, "source": "fair", "email": email}

    facts = [lead(1, "a@x.example"), lead(2, "b@x.example"), lead(3, "A@X.example")]
    understood = [(FactPlace(file="x", line=1), fact, read_fact(fact, ids_of("x"))) for fact in facts]
    assert [[fact["id"] for _, fact, _ in wave] for wave in waves(understood, {})] == [["L-1", "L-2"], ["L-3"]]


def test_data_5_what_lets_go_of_a_key_comes_before_who_takes_it() -> None:
    """Also where it was held before this import, and the line names another one; of one thing nothing is put off."""
    ids = ids_of("x")

    def renamed(name: str, domain: str) -> Fact:
        return {"fact": "account", "id": name, **DAY, "name": name, "domain": domain}

    facts = [renamed("A", "third.example"), renamed("B", "one.example"), renamed("A", "fourth.example")]
    understood = [(FactPlace(file="x", line=1), fact, read_fact(fact, ids)) for fact in facts]
    there = {ids("account", "A"): frozenset({("domain", "one.example")})}
    told = [[fact["domain"] for _, fact, _ in wave] for wave in waves(understood, there)]
    assert told == [["third.example", "fourth.example"], ["one.example"]]
    assert len(waves(understood, {})) == 1


# -- on the services' own databases -----------------------------------------------------------------------------------


async def test_data_5_every_kind_of_fact_comes_in_shuffled(books: Books, tmp_path: Path) -> None:
    for seed in range(SHUFFLES):
        lines = [json.dumps(line) for line in LINES]
        random.Random(seed).shuffle(lines)
        text = "\n".join(lines).replace("2025-Q1", f"2025-Q{seed + 1}")
        for unique in ("anna", "max", "tom", "P-1", "R-1"):
            text = text.replace(f'"{unique}"', f'"{unique}-{seed}"')
        text = text.replace('"1.0465"', f'"1.046{seed}"')  # of a day there is one table, whoever tells it
        file = tmp_path / f"old-{seed}.jsonl"
        file.write_text(text)
        summary = await books.take_in(file)
        assert [each.reason for each in summary.rejections] == [], seed
        assert summary.recorded.total() == len(LINES)


SAME_ADDRESS: Sequence[Fact] = (
    {"fact": "account", "id": "a", **DAY, "name": "A"},
    {"fact": "contact", "id": "c", "account": "a", "on": "2025-04-10", "name": "P", "email": "x@02.example"},
    {"fact": "lead", "id": "l", "on": "2025-03-10", "source": "fair", "email": "x@02.example"},
    {"fact": "lead-converted", "id": "l", "on": "2025-04-10", "account": "a", "contact": "c"},
)
ONE_AFTER_THE_OTHER: Sequence[Fact] = [
    fact
    for number in range(20)
    for fact in (
        {"fact": "lead", "id": f"{number}-1", "on": "2025-03-10", "source": "fair", "email": f"{number}@x.example"},
        {"fact": "lead-disqualified", "id": f"{number}-1", "on": "2025-03-12", "reason": "no-need"},
        {"fact": "lead", "id": f"{number}-2", "on": "2025-03-14", "source": "fair", "email": f"{number}@x.example"},
        {"fact": "lead-converted", "id": f"{number}-2", "on": "2025-03-20", "account": "a"},
    )
] + [SAME_ADDRESS[0]]


@pytest.mark.parametrize("facts", [SAME_ADDRESS, ONE_AFTER_THE_OTHER], ids=["a contact and a lead", "two leads"])
async def test_data_5_who_bears_one_address_comes_in_every_time(
    books: Books, tmp_path: Path, facts: Sequence[Fact]
) -> None:
    seen = set()
    for seed in range(SHUFFLES):
        lines = [json.loads(json.dumps(fact).replace(".example", f"{seed}.example")) for fact in facts]
        random.Random(seed).shuffle(lines)
        file = tmp_path / f"{seed}.jsonl"
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        summary = await books.take_in(file)
        assert [each.reason for each in summary.rejections] == []
        kinds = [kind for _, _, kind, *_ in await books.rows("leads")]
        seen.add((kinds.count("leads.lead-marked-duplicate"), len(kinds) / (seed + 1)))
    assert seen == {(0, len(kinds) / SHUFFLES)}


async def test_data_5_a_refused_line_brings_nothing_into_being(books: Books, tmp_path: Path) -> None:
    facts = (
        {"fact": "team", "id": "t", "on": "2999-01-01", "name": "x"},
        {"fact": "member", "id": "m", **DAY, "name": "M", "subject": "s", "role": "rep", "team": "t"},
        {**OPENED, "owner": "m"},
        WON,
    )
    summary = await books.take_in(written(tmp_path, facts))
    assert summary.recorded.total() == 0
    assert [each.reason.partition(":")[2] or each.reason for each in summary.rejections] == [
        " History lies in the past.",
        " there is no team 't'",
        " there is no member 'm'",
        " there is no deal 'D-1'",
    ]


async def test_deal_1_a_deal_of_a_lead_begins_with_its_capture(books: Books, tmp_path: Path) -> None:
    lead = {"fact": "lead", "id": "l", "on": "2025-01-10", "source": "fair", **OF_ANNA}
    summary = await books.take_in(written(tmp_path, (*LINES[:2], {**OPENED, "lead": "l"}, lead)))
    assert summary.rejections == []
    rows = await books.rows("deals")
    (opened,) = [json.loads(data) for _, _, kind, _, _, data in rows if kind == "deals.deal-opened"]
    assert opened["captured_at"] == "2025-01-10T23:59:59.999999Z"


LIFE: Sequence[Fact] = (
    OPENED,
    {"fact": "deal-changed", "id": "D-1", "on": "2025-03-05", "amount": euro("800")},
    moved("2025-03-06", "needs-confirmed"),
    {"fact": "deal-activity", "id": "D-1", "on": "2025-03-07", "activity": "1", "kind": "call"},
    {"fact": "deal-node-completed", "id": "D-1", "on": "2025-03-08", "key": "explore-pains", "evidence": "Notes."},
    moved("2025-03-10", "quotation", at="2025-03-10T09:00:00Z"),
    {"fact": "deal-lost", "id": "D-1", "on": "2025-03-12", "reason": "price"},
    {"fact": "deal-reopened", "id": "D-1", "on": "2025-03-12", "at": "2025-03-12T15:00:00Z", "reason": "They called."},
    WON,
)
"""A deal that was lost and reopened on one day."""


async def standing(books: Books, outside: str = "D-1") -> Any:
    """The deal as the deals service has it."""
    async with commands_alone(DEALS, books.settings["deals"]) as commands:
        return (await commands.state(deal, ids_of("old-crm")("deal", outside))).state


async def test_data_5_a_life_told_line_by_line_in_any_order_is_the_same(
    books: Books, other_books: Books, tmp_path: Path
) -> None:
    """Each line is an import of its own; one that finds nothing to rest on yet comes in when it is told again."""
    await books.take_in(written(tmp_path, tuple(LIFE)))
    expected = await standing(books)
    assert (type(expected).__name__, expected.stage, expected.amount.amount) == ("WonDeal", "quotation", 800)

    left = [dict(fact) for fact in LIFE]
    random.Random(3).shuffle(left)
    while left:
        refused = []
        for fact in left:
            summary = await other_books.take_in(written(tmp_path, (fact,)))
            refused += [fact] * len(summary.rejections)
        assert len(refused) < len(left), [each.reason for each in summary.rejections]
        left = refused
    found = await standing(other_books)
    assert set(found.changes) == set(expected.changes)
    assert replace(found, changes=()) == replace(expected, changes=())


async def test_data_5_a_later_import_corrects_an_earlier_one(books: Books, tmp_path: Path) -> None:
    await books.take_in(written(tmp_path, (OPENED, moved("2025-03-06", "quotation"), {**WON, "amount": euro("550")})))
    corrected = (
        {**OPENED, "name": "Another name", "on": "2025-03-01"},
        moved("2025-03-06", "needs-confirmed"),
        {**WON, "amount": euro("430")},
    )
    summary = await books.take_in(written(tmp_path, corrected))
    assert (summary.recorded.total(), summary.rejections) == (3, [])
    found = await standing(books)
    assert (found.name, found.stage, found.amount.amount) == ("Another name", "needs-confirmed", 430)
    assert found.opening.on == date(2025, 3, 1)
    again = await books.take_in(written(tmp_path, corrected))
    assert (again.recorded.total(), again.known.total()) == (0, 3)


async def test_data_5_a_thing_carries_that_the_order_of_its_day_is_assumed(books: Books, tmp_path: Path) -> None:
    """Told together or one by one; once the instant of one is told, the order is known."""
    first, second = moved("2025-03-06", "needs-confirmed", fact_id="1"), moved("2025-03-06", "quotation", fact_id="2")
    summary = await books.take_in(written(tmp_path, (OPENED, first)))
    assert not (await standing(books)).assumptions
    summary = await books.take_in(written(tmp_path, (second,)))
    assert summary.rejections == []
    assert (await standing(books)).assumptions == ("order-of-day",)
    for number, stage in enumerate(("needs-confirmed", "quotation"), 1):
        instant = f"2025-03-06T1{number}:00:00Z"
        await books.take_in(written(tmp_path, (moved("2025-03-06", stage, fact_id=str(number), at=instant),)))
    found = await standing(books)
    assert (found.stage, found.assumptions) == ("quotation", ())


async def test_data_5_an_assumption_goes_along_with_the_thing(books: Books, tmp_path: Path) -> None:
    facts = (OPENED, moved("2025-03-06", "needs-confirmed", fact_id="1"), moved("2025-03-06", "quotation", fact_id="2"))
    summary = await books.take_in(written(tmp_path, (*facts, WON)))
    assert summary.assumptions == {"deal: order-of-day": 1}
    found = await standing(books)
    assert (type(found).__name__, found.stage, found.assumptions) == ("WonDeal", "quotation", ("order-of-day",))


LOST: Fact = {"fact": "deal-lost", "id": "D-1", "on": WON["on"], "reason": "price"}


@pytest.mark.parametrize("runs", [((OPENED, LOST, WON),), ((OPENED, WON), (LOST,)), ((OPENED, LOST), (WON,))])
async def test_data_5_two_ends_of_one_day_both_come_in(
    books: Books, tmp_path: Path, runs: Sequence[Sequence[Fact]]
) -> None:
    """Nobody knows which was first, so the rule decides, told in whatever order."""
    for facts in runs:
        summary = await books.take_in(written(tmp_path, tuple(facts)))
        assert [each.reason for each in summary.rejections] == []
    found = await standing(books)
    assert (type(found).__name__, found.assumptions) == ("WonDeal", ("order-of-day",))
