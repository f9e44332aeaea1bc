"""History as dated facts: what is understood and what is not, and the way into the services' own databases."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from deploy.cli.import_ import WRITERS, facts_in, told, write_rejects
from deploy.imports.facts import FactPlace, NotAFact, ids_of, read_fact
from deploy.imports.kinds import KINDS
from deploy.imports.loading import Summary, load
from deploy.imports.reference import page
from services.deals.app import SERVICE as DEALS
from services.receivables.app import SERVICE as RECEIVABLES
from services.receivables.domain.ledger import ledger
from services.receivables.domain.ledger.state import OpenLedger, ledger_of
from shared.ops.settings import Settings
from shared.service.runtime import commands_alone
from shared.testing.servers import DatabaseServer

SECRET = "only for these tests, nowhere else"
EUR = "EUR"
IDS = ids_of("old-crm")
PATIENCE_SECONDS = 60.0


def euro(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": EUR}


DAY = {"on": "2025-03-03"}
OF_ANNA = {"owner": "anna", "team": "north"}
LINES: tuple[dict[str, Any], ...] = (
    {"fact": "team", "id": "north", **DAY, "name": "North"},
    {"fact": "member", "id": "anna", **DAY, "name": "Anna", "subject": "anna", "role": "rep", "team": "north"},
    {"fact": "member", "id": "max", **DAY, "name": "Max", "subject": "max", "role": "manager", "team": "north"},
    {"fact": "team-manager", "id": "north", **DAY, "member": "max"},
    {"fact": "leave", "id": "anna", **DAY, "start": "2025-04-01", "end": "2025-04-05"},
    {"fact": "team", "id": "south", **DAY, "name": "South"},
    {"fact": "member-moved", "id": "max", "on": "2025-03-05", "team": "south"},
    {"fact": "member", "id": "tom", **DAY, "name": "Tom", "subject": "tom", "role": "rep", "team": "north"},
    {"fact": "member-left", "id": "tom", "on": "2025-03-06"},
    {"fact": "lead", "id": "L-1", **DAY, **OF_ANNA, "source": "fair", "company_name": "Acme"},
    {"fact": "lead", "id": "L-2", **DAY, **OF_ANNA, "source": "fair", "company_name": "Bolt"},
    {"fact": "lead-activity", "id": "L-1", **DAY, "activity": "L-1/1", "kind": "call", "by": "anna"},
    {"fact": "lead-qualification", "id": "L-1", **DAY, "need_stated": True, "budget": euro("900000")},
    {"fact": "lead-follow-up", "id": "L-1", **DAY, "planned_for": "2025-03-04"},
    {"fact": "account", "id": "C-1", **DAY, **OF_ANNA, "name": "Acme", "lead": "L-1"},
    {"fact": "account-follow-up", "id": "C-1", **DAY, "planned_for": "2025-04-01", "kind": "call"},
    {
        "fact": "lead-converted",
        "id": "L-1",
        **DAY,
        "account": "C-1",
        "deal": "D-1",
        "deal_name": "Press line",
        "amount": euro("700"),
    },
    {"fact": "lead-disqualified", "id": "L-2", **DAY, "reason": "no-need"},
    {"fact": "contact", "id": "C-1/1", "account": "C-1", **DAY, "name": "Carla"},
    {"fact": "product", "id": "P-1", **DAY, "code": "P-1", "name": "Press", "list_price": euro("900")},
    {"fact": "target", "id": "T-1", **DAY, "period": "2025-Q1", "level": "company", "amount": euro("5000")},
    {"fact": "exchange-rates", **DAY, "base": "EUR", "rates": [{"currency": "USD", "rate": "1.0465"}]},
    {
        "fact": "deal",
        "id": "D-1",
        **DAY,
        **OF_ANNA,
        "account": "C-1",
        "lead": "L-1",
        "name": "Press line",
        "amount": euro("700"),
        "assumptions": ["list-price"],
    },
    {"fact": "deal-moved", "id": "D-1", "on": "2025-03-10", "stage": "needs-confirmed"},
    {"fact": "deal-changed", "id": "D-1", "on": "2025-03-11", "amount": euro("800")},
    {"fact": "deal-activity", "id": "D-1", "on": "2025-03-12", "activity": "D-1/1", "kind": "call", "by": "anna"},
    {"fact": "deal-node-completed", "id": "D-1", "on": "2025-03-12", "key": "explore-pains", "evidence": "Notes."},
    {"fact": "deal-won", "id": "D-1", "on": "2025-03-20"},
    {"fact": "deal", "id": "D-2", **DAY, **OF_ANNA, "name": "Lathe", "amount": euro("70"), "assumptions": ["undated"]},
    {"fact": "deal-lost", "id": "D-2", "on": "2025-03-21"},
    {"fact": "deal-reopened", "id": "D-2", "on": "2025-03-25", "reason": "They called again."},
    {"fact": "deal-abandoned", "id": "D-2", "on": "2025-03-28", "reason": "no-decision"},
    {
        "fact": "contract",
        "id": "D-1",
        **OF_ANNA,
        "deal": "D-1",
        "account": "C-1",
        "name": "Press line",
        "total": euro("800"),
        "drafted_on": "2025-03-20",
    },
    {
        "fact": "invoice",
        "id": "I-1",
        "account": "C-1",
        **OF_ANNA,
        "deal": "D-1",
        "contract": "D-1",
        "amount": euro("800"),
        "on": "2025-03-25",
        "due": "2025-04-25",
    },
    {
        "fact": "receipt",
        "id": "R-1",
        "account": "C-1",
        "amount": euro("800"),
        "on": "2025-04-20",
        "bank_reference": "R-1",
    },
)
"""A fact of every kind."""


def test_data_5_every_kind_of_fact_is_understood() -> None:
    assert {line["fact"] for line in LINES} == set(KINDS)
    for line in LINES:
        assert read_fact(line, IDS).kind is KINDS[line["fact"]]


def test_data_5_an_outside_id_is_the_same_thing_whoever_names_it() -> None:
    facts = {(line["fact"], line["id"]): read_fact(line, IDS) for line in LINES if "id" in line}
    deal = facts["deal", "D-1"].aggregate_id
    assert facts["deal-won", "D-1"].aggregate_id == deal
    assert facts["lead-converted", "L-1"].command.deal_id == deal
    assert facts["contract", "D-1"].command.deal_id == deal
    assert facts["invoice", "I-1"].command.contract_id == facts["contract", "D-1"].aggregate_id
    assert facts["deal", "D-1"].command.owner == facts["member", "anna"].aggregate_id
    assert facts["contact", "C-1/1"].aggregate_id == facts["account", "C-1"].aggregate_id
    assert facts["invoice", "I-1"].aggregate_id == facts["receipt", "R-1"].aggregate_id
    assert read_fact(LINES[0], ids_of("another-crm")).aggregate_id != facts["team", "north"].aggregate_id


def test_data_5_the_page_of_facts_lists_every_field() -> None:
    sections = dict(re.findall(r"## `([a-z-]+)`\n(.*?)(?=\n## |\Z)", page(), re.DOTALL))
    assert sections.keys() == KINDS.keys()
    for line in LINES:
        listed = set(re.findall(r"^\| `(\w+)` \|", sections[line["fact"]], re.MULTILINE))
        assert line.keys() - {"fact", "id", "fact_id"} <= listed, line


DEAL_OF = {"fact": "deal", "id": "D-1", **DAY, "name": "A deal", "amount": euro("1")}


def test_data_5_a_number_as_outside_id_is_the_text_of_its_digits_everywhere() -> None:
    for number, text in ((17, "17"), ("17", "17"), ("017", "017")):
        told = read_fact({**DEAL_OF, "id": number, "account": number, "owner": number}, IDS)
        assert told.aggregate_id == IDS("deal", text)
        assert (told.command.account_id, told.command.owner) == (IDS("account", text), IDS("member", text))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"id": "x"}, "fact: None is no kind of fact; there are team, team-manager"),
        ({"fact": "deals", "id": "x"}, "fact: 'deals' is no kind of fact"),
        ({"fact": "deal-won", "on": "2025-01-01"}, "id: the outside id is missing"),
        ({"fact": "deal-won", "id": "", "on": "2025-01-01"}, "id: the outside id is missing"),
        ({"fact": "deal-won", "id": 7.0, "on": "2025-01-01"}, "id: an outside id is a text or a whole number, not 7.0"),
        (
            {"fact": "deal-won", "id": True, "on": "2025-01-01"},
            "id: an outside id is a text or a whole number, not True",
        ),
        ({**DEAL_OF, "account": 7.0}, "account: an outside id is a text or a whole number, not 7.0"),
        ({**DEAL_OF, "account": ""}, "account: the outside id is missing"),
        (
            {"fact": "contact", "id": "1", **DAY, "account": "C", "contact_id": "x"},
            "contact_id: there is no such field",
        ),
        ({"fact": "deal-won", "id": "D-1"}, "on: This field is required"),
        (
            {"fact": "deal", "id": "D-1", "on": "2025-01-02", "name": " \t"},
            "name: This needs a character that shows",
        ),
        ({"fact": "deal-won", "id": "D-1", "on": "2025-02-30"}, "on: Input should be a valid date"),
        ({"fact": "deal-won", "id": "D-1", **DAY, "colour": "red"}, "colour: This field is not known here"),
        ({"fact": "contact", "id": "1", **DAY, "name": "Carla"}, "account: the outside id is missing"),
        ({"fact": "product", "id": "P", **DAY, "code": "P", "name": "P", "list_price": euro("much")}, "list_price"),
    ],
)
def test_data_5_what_is_no_fact_is_refused_with_the_reason(line: Mapping[str, Any], reason: str) -> None:
    with pytest.raises(NotAFact) as refused:
        read_fact(line, IDS)
    assert reason in str(refused.value)


def test_data_5_every_reason_is_given_at_once() -> None:
    with pytest.raises(NotAFact, match=r"on: .*; colour: "):
        read_fact({"fact": "deal-won", "id": "D-1", "colour": "red"}, IDS)


# -- on the services' own databases -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Books:
    """The databases of the services that decide."""

    urls: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        databases = {f"DATABASE_URL_{name.upper()}": url for name, url in self.urls.items()}
        return {"CLAIM_SECRET": SECRET, "DEVELOPMENT": "1", **databases}

    @property
    def settings(self) -> dict[str, Settings]:
        return {name: Settings.from_environment(name, self.environment) for name in self.urls}

    async def take_in(self, file: Path, *, dry_run: bool = False) -> Summary:
        def say(summary: Summary) -> None: ...

        return await load(lambda: facts_in(file), ids_of(file.stem), self.settings, say, dry_run=dry_run)

    async def ledger(self, ledger_id: UUID) -> OpenLedger:
        """What stands in a ledger."""
        async with commands_alone(RECEIVABLES, self.settings["receivables"]) as commands:
            held = (await commands.state(ledger, ledger_id)).state
        assert isinstance(held, OpenLedger)
        return held

    async def count(self, service: str) -> int:
        return len(await self.rows(service))

    async def rows(self, service: str) -> list[tuple[Any, ...]]:
        """What happened, whenever it was recorded and in whatever order between aggregates."""
        connection = await asyncpg.connect(self.urls[service])
        try:
            rows = await connection.fetch(
                "select aggregate_id, sequence, type, occurred_at, imported, data::text from event"
                " where aggregate <> 'process' order by aggregate_id, sequence"
            )
        finally:
            await connection.close()
        return [tuple(row) for row in rows]

    async def everything(self) -> list[tuple[Any, ...]]:
        return [row for name in self.urls for row in await self.rows(name)]


@pytest.fixture
async def books(postgres: DatabaseServer) -> AsyncIterator[Books]:
    async for each in _books(postgres):
        yield each


other_books = books
"""Databases of another company."""


async def _books(postgres: DatabaseServer) -> AsyncIterator[Books]:
    template = await postgres.migrated()
    books = Books({name: await postgres.create_database(name, template) for name in WRITERS})
    async with commands_alone(DEALS, books.settings["deals"]) as commands:
        for seed in DEALS.seeds:
            await seed(commands)
    yield books
    for url in books.urls.values():
        await postgres.drop_database(url)


def written(folder: Path, lines: Iterator[Mapping[str, Any]] | tuple[Mapping[str, Any], ...]) -> Path:
    file = folder / "old-crm.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return file


async def test_data_5_facts_of_every_kind_are_recorded_once(books: Books, tmp_path: Path) -> None:
    file = written(tmp_path, LINES)
    summary = await books.take_in(file)
    assert [each.reason for each in summary.rejections] == []
    assert summary.recorded.total() == len(LINES)
    assert summary.assumptions == {"deal: list-price": 1, "deal: undated": 1}
    recorded = await books.everything()
    assert all(imported for _, _, _, _, imported, _ in recorded)

    again = await books.take_in(file)
    assert (again.recorded.total(), again.known.total(), again.rejections) == (0, len(LINES), [])
    assert again.assumptions == summary.assumptions
    assert await books.everything() == recorded


async def test_data_5_what_changed_nothing_then_changes_nothing_later(books: Books, tmp_path: Path) -> None:
    opening = {"fact": "deal", "id": "D-1", "on": "2025-07-01", "name": "A deal", "amount": euro("100.00")}
    stayed = {"fact": "deal-moved", "id": "D-1", "on": "2025-07-02", "stage": "initial-contact"}
    stayed["fact_id"] = "1"
    moved = {"fact": "deal-moved", "id": "D-1", "on": "2025-07-02", "stage": "needs-confirmed", "fact_id": "2"}
    file = written(tmp_path, (opening, stayed, moved, {"fact": "deal-won", "id": "D-1", "on": "2025-07-03"}))
    first = await books.take_in(file)
    recorded = await books.everything()
    assert (first.recorded.total(), first.known.total(), first.rejections) == (4, 0, [])
    again = await books.take_in(file)
    assert (again.recorded.total(), again.known.total(), again.rejections) == (0, 4, [])
    assert await books.everything() == recorded


async def test_data_5_refused_facts_stand_in_the_reject_file_with_line_and_reason(books: Books, tmp_path: Path) -> None:
    strange: list[dict[str, Any]] = [
        {"fact": "deal", "id": "D-8", **DAY, "owner": "nobody", "name": "A deal", "amount": euro("1")},
        {"fact": "deal-won", "id": "D-9", **DAY},
        {"fact": "deal-won", "id": "D-1", "on": "2999-01-01"},
        {"fact": "deal", "id": "D-7", **DAY, "name": "A deal", "amount": {"amount": "1", "currency": "XAU"}},
        {"fact": "deal", "id": "D-6", **DAY, "name": "A deal", "amount": euro("1"), "stage": "heaven"},
        {"fact": "deal-moved", "id": "D-1", **DAY, "stage": "quotation", "colour": "red"},
    ]
    file = written(tmp_path, (*LINES[:2], LINES[2], *strange))
    file.write_text(file.read_text() + "no JSON\n[1]\n")
    summary = await books.take_in(file)
    rejects = tmp_path / "rejects.jsonl"
    write_rejects(rejects, summary)
    lines = sorted((json.loads(line) for line in rejects.read_text().splitlines()), key=lambda each: each["line"])
    assert [each["file"] for each in lines] == ["old-crm.jsonl"] * 8
    assert [each["line"] for each in lines] == list(range(4, 12))
    assert [each["fact"] for each in lines] == [*strange, {"text": "no JSON"}, {"text": "[1]"}]
    wanted = [
        "owner: there is no member 'nobody'",
        "id: there is no deal 'D-9'",
        "id: there is no deal 'D-1'",
        "amount.currency: ",
        "stage: The process has the stages initial-contact",
        "colour: This field is not known here",
        "This is no JSON object.",
        "This is no JSON object.",
    ]
    for line, reason in zip(lines, wanted, strict=True):
        assert reason in line["reason"], line
    assert summary.recorded.total() == 3


async def test_data_5_a_later_import_may_name_what_an_earlier_one_brought(books: Books, tmp_path: Path) -> None:
    await books.take_in(written(tmp_path, LINES[:2]))
    deal = {"fact": "deal", "id": "D-1", **DAY, **OF_ANNA, "name": "Press line", "amount": euro("700")}
    summary = await books.take_in(written(tmp_path, (deal,)))
    assert (summary.recorded.total(), summary.rejections) == (1, [])


async def test_data_5_an_import_that_was_killed_is_resumed(
    books: Books, postgres: DatabaseServer, tmp_path: Path
) -> None:
    many = 2000
    file = written(tmp_path, (line for number in range(many) for line in deal_lines(number)))
    took = dedent(f"""
        import asyncio, os
        from pathlib import Path
        from deploy.cli.import_ import facts_in
        from deploy.imports.facts import ids_of
        from deploy.imports.loading import load
        from shared.ops.settings import Settings
        settings = {{name: Settings.from_environment(name, os.environ) for name in {list(WRITERS)!r}}}
        file = Path({str(file)!r})
        asyncio.run(load(lambda: facts_in(file), ids_of(file.stem), settings, lambda summary: None))
    """)
    importing = await asyncio.create_subprocess_exec(
        sys.executable, "-c", took, env={**os.environ, **books.environment}
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await books.count("deals"):  # noqa: ASYNC110 - another process appends
            await asyncio.sleep(0.02)
    importing.kill()
    await importing.wait()
    before = await books.count("deals")
    assert 0 < before < many * 2

    summary = await books.take_in(file)
    assert summary.rejections == []
    assert summary.known.total() + summary.recorded.total() == many * 2
    assert summary.recorded.total() < many * 2
    async for whole in _books(postgres):
        assert (await whole.take_in(file)).recorded.total() == many * 2
        assert await books.everything() == await whole.everything()


def deal_lines(number: int) -> Iterator[dict[str, Any]]:
    yield {"fact": "deal", "id": f"D-{number}", **DAY, "name": f"Deal {number}", "amount": euro(f"{number + 1}.50")}
    yield {"fact": "deal-won", "id": f"D-{number}", "on": "2025-04-01"}


def test_data_5_the_summary_tells_everything_that_was_assumed() -> None:
    sentences = told(
        {
            "checked": False,
            "run": "0192f0c1-0000-7000-8000-0000000000e1",
            "earlier_runs": ["0192f0c1-0000-7000-8000-0000000000e0", "0192f0c1-0000-7000-8000-0000000000df"],
            "source": "old-crm",
            "currencies": ["EUR", "USD"],
            "read": 3,
            "recorded": {"deal": 2},
            "corrected": {"deal": 1},
            "known": {"team": 1},
            "assumptions": {"deal: list-price": 2, "deal: undated": 1},
            "left_alone": "Nothing follows.",
            "rejected": 2,
            "otherwise": {"lead": 1},
            "came_in_without": {"phone": 3},
            "reasons": {"name: It is known with Ann; this says Bob.": 1, "fact: there is none": 1},
            "reject_file": "x.rejected.jsonl",
            "visible": True,
            "visible_seconds": 1.5,
        }
    )
    for part in (
        *(
            "list-price: 2",
            "undated: 1",
            "amounts in EUR, USD.",
            "Nothing follows.",
            "2 facts were refused; x.rejected.jsonl",
        ),
        *(
            "  deal: 2 recorded, 1 of them in place of what was told before\n",
            "  came in without phone: 3",
            "1: name: It is known with Ann; this says Bob.",
            "1 of lead are known already and say something else",
            "the latest first: 0192f0c1-0000-7000-8000-0000000000e0, 0192f0c1-0000-7000-8000-0000000000df.",
        ),
    ):
        assert part in sentences


async def test_data_5_one_customer_has_a_ledger_for_each_currency(books: Books, tmp_path: Path) -> None:
    """REC-4: money of one currency pays invoices of it alone, and an invoice stands in one ledger only."""
    account = {"fact": "account", "id": "C-1", **DAY, "name": "Acme"}
    invoice = {"fact": "invoice", "account": "C-1", **DAY, "due": "2025-04-01"}
    invoices = [{**invoice, "id": f"I-{code}", "amount": {"amount": "8", "currency": code}} for code in ("EUR", "JPY")]
    eight_yen = {"amount": "8", "currency": "JPY"}
    pays = {**LINES[-1], "on": "2025-03-10", "amount": eight_yen}
    gold = {**invoices[0], "id": "I-XAU", "amount": {"amount": "8", "currency": "XAU"}}
    summary = await books.take_in(written(tmp_path, (account, *invoices, pays, gold)))
    assert (summary.recorded.total(), summary.currencies) == (4, {"EUR", "JPY"})
    (refused,) = summary.rejections
    assert refused.reason.startswith("amount.currency: 'XAU' is no currency")
    customer = IDS("account", "C-1")
    in_euros, in_yen = [await books.ledger(ledger_of(customer, code)) for code in ("EUR", "JPY")]
    assert [str(each.open) for each in in_euros.invoices] == ["8.00 EUR"]
    assert [str(each.open) for each in in_yen.invoices] == ["0 JPY"]

    otherwise = {**invoices[0], "amount": {"amount": "8", "currency": "USD"}}
    again = {**pays, "amount": {"amount": "8.00", "currency": "USD"}}
    summary = await books.take_in(written(tmp_path, (otherwise, again)))
    assert [each.reason for each in summary.rejections] == [
        "amount: It is known with 8.00 EUR; this says 8.00 USD.",
        "This bank reference was recorded with other content.",
    ]
    assert (summary.recorded.total(), summary.otherwise["invoice"]) == (0, 1)


def test_places_count_lines_as_editors_do(tmp_path: Path) -> None:
    file = tmp_path / "old-crm.jsonl"
    file.write_text('{"fact": "team"}\n\n{"fact": "member"}\n')
    assert [place for place, _ in facts_in(file)] == [
        FactPlace(file=file.name, line=1),
        FactPlace(file=file.name, line=3),
    ]


async def test_data_5_a_hostile_line_is_refused_alone(books: Books, tmp_path: Path) -> None:
    invoice = {"fact": "invoice", "account": "C-1", "amount": euro("8"), **DAY}
    hostile: tuple[tuple[bytes, str], ...] = (
        (b'{"fact": "team", "id": "caf\xe9", "on": "2025-03-03", "name": "Caf\xe9"}', "not UTF-8"),
        (b'{"fact": ["deal"], "id": "x"}', "fact: ['deal'] is no kind of fact"),
        (b"[" * 20_000, "no JSON object"),
        (b'{"fact": "team", "id": "deep", "name": ' + b"[" * 200 + b"]" * 200 + b"}", "name: more than 20 levels"),
        (json.dumps({"fact": "team", "id": "T", **DAY, "name": "A\0B"}).encode(), "name: NUL"),
        (json.dumps({"fact": "team", "id": "A\0B", **DAY, "name": "T"}).encode(), "id: NUL"),
        (json.dumps({"fact": "team", "id": "T", **DAY, "name": "\ud800"}).encode(), "name: NUL and halves"),
        (json.dumps({"fact": "team", "id": "\ud800", **DAY, "name": "T"}).encode(), "id: NUL and halves"),
        (json.dumps({"fact": "team", "id": "T", **DAY, "\ud800": "T"}).encode(), "a name: NUL and halves"),
        (json.dumps({**invoice, "id": "I-1", "due": "9999-12-31"}).encode(), "due: Input should be less"),
        (
            json.dumps({"fact": "team", "id": "T", "on": "0001-01-01", "name": "T"}).encode(),
            "on: Input should be greater",
        ),
    )
    good = [json.dumps(line).encode() for line in LINES]
    file = tmp_path / "old-crm.jsonl"
    first, rest = good[:14], good[14:]
    file.write_bytes(b"\xef\xbb\xbf" + b"\n".join([*first, *(line for line, _ in hostile), *rest]) + b"\n")
    summary = await books.take_in(file)
    rejects = tmp_path / "rejects.jsonl"
    write_rejects(rejects, summary)
    refused = {each["line"]: each for each in map(json.loads, rejects.read_text(encoding="utf-8").splitlines())}
    assert sorted(refused) == list(range(15, 15 + len(hostile)))
    for number, (_, reason) in enumerate(hostile, start=15):
        assert reason in refused[number]["reason"]
    assert refused[15]["fact"]["text"].startswith('{"fact": "team", "id": "caf\\xe9"')
    assert summary.recorded.total() == len(LINES)


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"])
def test_data_5_an_instant_without_a_day_is_no_fact(at: str) -> None:
    with pytest.raises(NotAFact, match="at: an instant lies between 1900-01-01 and 8999-12-31"):
        read_fact({"fact": "team", "id": "north", **DAY, "at": at, "name": "North"}, IDS)
