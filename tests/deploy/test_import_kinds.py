"""What kinds of facts declare about themselves, against what comes of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy.imports.facts import FactPlace, NotAFact, read_fact
from deploy.imports.kinds import KINDS, UNTOLD
from deploy.imports.loading import keys_of
from deploy.imports.ordering import Spool
from deploy.imports.reference import page
from services.contracts.domain.contract.state import contract_of
from services.receivables.domain.invoicing import SERIES_LIFTED
from services.receivables.domain.ledger.arrangement import ArrangeHistory
from shared.domain.context import Company
from shared.domain.imports import ranked
from shared.events.chronology import Rank
from shared.events.deals.deal import DealWon
from shared.events.receivables.ledger import InvoiceIssued
from shared.events.registry import type_of
from tests.deploy.test_import import DAY, IDS, LINES, Books, books, euro, other_books, written
from tests.histories import company

__all__ = ["books", "other_books"]

MORE: tuple[Mapping[str, Any], ...] = (
    {"fact": "member", "id": "m", **DAY, "name": "M", "subject": "m.x", "role": "rep", "team": "north"},
    {"fact": "member", "id": "m", "on": "2025-09-01", "name": "M", "subject": "m.x", "role": "rep", "team": "south"},
    {"fact": "deal", "id": "d", **DAY, "name": "Lathe", "amount": euro("70")},
    {"fact": "deal-changed", "id": "d", "on": "2025-03-04", "next_step": {"on": "2025-04-01", "what": "Call"}},
    {"fact": "deal-won", "id": "d", "on": "2025-03-05", "amount": euro("80")},
)
"""What neither a line of every kind nor the generated company tells."""


async def test_data_5_a_kind_tells_the_events_that_it_declares(books: Books, tmp_path: Path) -> None:
    """Of its own aggregate: what it does to others of its service is recorded there under no name."""
    for source, lines in (("old", LINES), ("new", (*company(1, "one"), *MORE))):
        (tmp_path / source).mkdir()
        file = written(tmp_path / source, lines)
        assert (await books.take_in(file.rename(file.with_stem(source)))).rejections == []
    recorded: set[tuple[str, str]] = set()
    for url in books.urls.values():
        connection = await asyncpg.connect(url)
        rows = await connection.fetch(
            "select distinct split_part(fact, '/', 1), type from event where fact is not null"
        )
        await connection.close()
        recorded |= {(kind, event) for kind, event in rows}
    declared: set[tuple[str, Any]] = {(name, event) for name, kind in KINDS.items() for event in kind.tells}
    assert recorded <= {(name, type_of(event)) for name, event in declared}
    own = {(name, event) for name, event in declared if event.aggregate == KINDS[name].aggregate}
    assert {(name, type_of(event)) for name, event in own} <= recorded


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"fact": "member-moved", "id": "m", **DAY}, "team: the outside id is missing"),
        (
            {"fact": "receipt", "id": "r", "bank_reference": "r", **DAY},
            "account: the outside id is missing; amount: This",
        ),
        ({**MORE[2], "account_id": "0192f0c1-0000-7000-8000-000000000007"}, "account_id: there is no such field"),
        (
            {"fact": "contact", "id": "c", **DAY, "account": "a", "contact_id": "c"},
            "contact_id: there is no such field",
        ),
    ],
)
def test_data_5_what_a_command_needs_is_called_as_in_lines(line: Mapping[str, Any], reason: str) -> None:
    with pytest.raises(NotAFact) as refused:
        read_fact(line, IDS)
    assert reason in str(refused.value)


def test_data_5_of_one_time_a_contact_comes_in_after_all_else() -> None:
    """The lead that they were may end on that very day, and give their address free."""
    contact = {"fact": "contact", "id": "c", **DAY, "account": "a", "name": "Carla"}
    ended = {"fact": "lead-disqualified", "id": "l", **DAY, "reason": "no-need"}
    with Spool(Company()) as spool:
        for number, line in enumerate((contact, ended), start=1):
            spool.add(FactPlace(file="x", line=number), line, read_fact(line, IDS))
        assert [*spool.contradictions(), *spool.arrange()] == []
        assert [line for _, line in spool.ordered()] == [ended, contact]


def test_data_5_kinds_say_by_which_keys_somebody_is_known_again() -> None:
    more: Mapping[str, Mapping[str, str]] = {
        "account": {"domain": "WWW.Acme.example"},
        "contact": {"email": "Carla@Acme.example"},
        "lead": {"email": "Ada@Acme.example", "company_domain": "acme.example"},
    }
    found = {line["fact"]: keys_of(read_fact({**line, **more.get(line["fact"], {})}, IDS)) for line in LINES}
    assert {kind: set(keys) for kind, keys in found.items() if keys} == {
        "member": {("subject", "tom")},
        "account": {("domain", "acme.example")},
        "contact": {("email", "carla@acme.example")},
        "lead": {("email", "ada@acme.example")},
    }


def test_con_1_the_contract_of_a_deal_is_the_one_that_its_winning_would_draft() -> None:
    contract = read_fact(next(line for line in LINES if line["fact"] == "contract"), IDS)
    assert contract.aggregate_id == contract_of(IDS("deal", "D-1"))


def test_rec_4_whatever_is_told_of_a_ledger_has_it_arranged() -> None:
    of_ledgers = [kind for kind in KINDS.values() if kind.aggregate == "ledger"]
    assert [kind.afterwards for kind in of_ledgers] == [ArrangeHistory()] * len(of_ledgers)


async def test_rec_2_an_invoice_that_lifts_a_series_is_counted(books: Books, tmp_path: Path) -> None:
    account = {"fact": "account", "id": "a", **DAY, "name": "Acme"}
    invoice = {"fact": "invoice", "account": "a", **DAY, "due": "2025-04-01", "amount": euro("8")}
    lines = ({**invoice, "id": number, "number": number} for number in ("MAIN-000123", "4711"))
    summary = await books.take_in(written(tmp_path, (account, *lines)))
    assert (summary.rejections, summary.assumptions) == ([], {f"invoice: {SERIES_LIFTED}": 1})


def test_a_rank_is_said_once() -> None:
    assert ranked("deal-won", [DealWon], None) is Rank.END
    assert ranked("invoice", [InvoiceIssued], Rank.OPENING) is Rank.OPENING
    for event, said in ((DealWon, Rank.END), (InvoiceIssued, None)):
        with pytest.raises(TypeError, match="x: a rank is said once"):
            ranked("x", [event], said)


def test_data_5_the_page_of_facts_says_what_no_line_tells() -> None:
    _, _, untold = page().partition("## What no line tells")
    for event, why in UNTOLD.items():
        assert f"| `{event}` | {why} |" in untold
