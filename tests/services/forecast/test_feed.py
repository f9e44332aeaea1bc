"""Whose the newest events are: those of a shared ledger belong to who is named in them (API-3, API-4)."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from services.forecast.app import SERVICE
from services.forecast.feed.queries import head, newest, read
from services.forecast.feed.routes import place_of
from shared.directory.actors import names_then
from shared.events.approvals import approval_events
from shared.events.leads.account import AccountChanged, AccountHandedOver, AccountOpened
from shared.events.leads.member import MemberJoined, MemberLeft
from shared.events.receivables.ledger import InvoiceIssued, ReceiptAllocated, ReceiptRecorded
from shared.eventstore.log import Log
from shared.eventstore.pool import create_pool
from shared.projections import builds
from shared.projections.read_snapshot import Projections
from shared.testing.servers import DatabaseServer
from tests.services.forecast.conftest import CODEC, COMPANY, Forecast
from tests.services.forecast.facts import ANNA, BEN, NORTH, SOUTH, day, eur, fact, moved, opened
from tests.services.forecast.test_changes import ALL

LEDGER, CUSTOMER = UUID(int=500), UUID(int=501)


def of_ledger(sequence: int, data: Any) -> Any:
    return replace(fact(sequence, data, day("2026-03-01"), deal=LEDGER), service="receivables", aggregate="ledger")


def invoice(number: str, amount: int, team: UUID, owner: UUID) -> InvoiceIssued:
    return InvoiceIssued(
        ledger_id=LEDGER,
        account_id=CUSTOMER,
        invoice_id=UUID(int=amount),
        number=number,
        legal_entity="main",
        amount=eur(amount),
        on=date(2026, 3, 1),
        due=date(2026, 3, 31),
        team=team,
        owner=owner,
    )


async def test_each_sees_what_is_theirs_of_a_ledger_that_both_sold_to(forecast: Forecast) -> None:
    receipt = ReceiptRecorded(
        ledger_id=LEDGER,
        account_id=CUSTOMER,
        receipt_id=UUID(int=9),
        bank_reference="B-1",
        amount=eur(4321),
        on=date(2026, 3, 1),
    )
    allocated = ReceiptAllocated(
        ledger_id=LEDGER,
        account_id=CUSTOMER,
        receipt_id=UUID(int=9),
        invoice_id=UUID(int=4321),
        invoice_number="M-1",
        amount=eur(4321),
        open_after=eur(0),
        rule="exact-amount",
        on=date(2026, 3, 1),
        team=NORTH,
        owner=ANNA,
    )
    facts = [invoice("M-1", 4321, NORTH, ANNA), invoice("M-2", 1, SOUTH, BEN), receipt, allocated]
    await forecast.journal_facts([of_ledger(number, data) for number, data in enumerate(facts, 1)])

    async def seen(**scope: Any) -> list[tuple[str, str | None]]:
        asked = replace(ALL, as_of=day("2026-04-01"), **scope)
        async with forecast.reading() as reading:
            rows = await newest(reading("feed"), asked, None, 10)
        return [(row["type"].removeprefix("receivables."), row["name"]) for row in rows]

    assert await seen(sees_all=False, member=ANNA) == [("receipt-allocated", "M-1"), ("invoice-issued", "M-1")]
    assert await seen(sees_all=False, member=BEN) == [("invoice-issued", "M-2")]
    assert len(await seen()) == 4


async def test_what_happened_at_one_time_stays_in_its_order_when_the_journal_is_read_again(forecast: Forecast) -> None:
    """API-1: the journal has it in any order between streams; the list has one that no position decides."""
    at, first, second = day("2026-03-01"), UUID(int=811), UUID(int=812)
    opened_first, opened_second = (fact(1, opened(100, deal=deal), at, deal=deal) for deal in (first, second))
    moved_second = fact(2, moved("needs", deal=second), at, deal=second)
    await forecast.journal_facts([opened_second, moved_second, opened_first])
    asked, shown = replace(ALL, as_of=day("2026-04-01")), list[Any]()
    async with forecast.reading() as reading:
        while rows := await newest(reading("feed"), asked, place_of(shown[-1]) if shown else None, 1):
            shown += rows
    assert [(row["aggregate_id"], row["sequence"]) for row in shown] == [(second, 2), (second, 1), (first, 1)]


async def test_data_5_whose_something_is_follows_from_what_happened_last(forecast: Forecast) -> None:
    """Told late, a hand-over between two others changes nothing of whose the account is, and whom the feed tells."""

    def of_account(sequence: int, data: Any, on: str, name: str | None) -> Any:
        made = fact(sequence, data, day(on), deal=CUSTOMER)
        return replace(made, service="leads", aggregate="account", fact=name, causation_id=UUID(int=900 + sequence))

    begun = AccountOpened(account_id=CUSTOMER, name="Acme", owner=ANNA, team=NORTH)
    to_ben = AccountHandedOver(account_id=CUSTOMER, owner=BEN, team=SOUTH)
    back = AccountHandedOver(account_id=CUSTOMER, owner=ANNA, team=NORTH)
    renamed = AccountChanged(account_id=CUSTOMER, name="Acme")
    facts = [
        of_account(1, begun, "2026-03-01", "account/1"),
        of_account(2, to_ben, "2026-03-09", "account/9"),
        of_account(3, back, "2026-03-05", "account/5"),
        of_account(4, renamed, "2026-03-10", None),
    ]
    for each in facts:
        await forecast.journal_facts([each])
    rows = await forecast.pool.fetch("select owner, team, name from feed_1.entry order by position")
    assert [tuple(row) for row in rows] == [
        (ANNA, NORTH, "Acme"),
        (BEN, SOUTH, "Acme"),
        (ANNA, NORTH, "Acme"),
        (BEN, SOUTH, "Acme"),
    ]


async def test_con_2_an_approval_is_named_and_seen_by_those_whose_thing_it_is_about(forecast: Forecast) -> None:
    approval, team, owner = UUID(int=801), UUID(int=802), UUID(int=803)
    granted = approval_events("contracts").granted(
        approval_id=approval,
        subject_kind="contract",
        subject_id=UUID(int=804),
        name="Packaging line",
        amount=eur(10),
        submitter="rosa",
        step="legal",
        by="lara",
        member=None,
        at=day("2026-03-02"),
        owner=owner,
        team=team,
    )
    told = replace(fact(1, granted, day("2026-03-02"), deal=approval), service="contracts", aggregate="approval")
    await forecast.journal_facts([told])
    async with forecast.reading() as reading:
        for asked, seen in ((team, 1), (UUID(int=805), 0)):
            question = replace(ALL, as_of=day("2026-04-01"), sees_all=False, sees_teams=(asked,), member=None)
            rows = [row for row in await newest(reading("feed"), question, None, 50) if row["aggregate_id"] == approval]
            assert [row["name"] for row in rows] == ["Packaging line"] * seen


async def test_api_3_whoever_did_something_is_named_as_of_then(forecast: Forecast) -> None:
    """Two signed in as one subject, one after the other; of the first nothing but what they did is left."""

    def of_member(who: UUID, sequence: int, data: Any, on: str) -> Any:
        return replace(fact(sequence, data, day(on), deal=who), service="leads", aggregate="member")

    tom, tim = UUID(int=701), UUID(int=702)
    here = [
        (who, MemberJoined(member_id=who, subject="desk-1", name=name, role="rep"))
        for who, name in ((tom, "Tom"), (tim, "Tim"))
    ]
    await forecast.journal_facts(
        [
            *(of_member(who, 1, data, "2025-01-01") for who, data in here),
            of_member(tom, 2, MemberLeft(member_id=tom, on=date(2025, 6, 30)), "2025-06-30"),
        ]
    )
    last, first = day("2025-06-30"), day("2025-07-01")
    async with forecast.reading() as reading:
        acts = [("desk-1", last), ("desk-1", first), ("nobody", first)]
        found = await names_then(reading("organisation"), acts, COMPANY)
        assert found == {("desk-1", last): "Tom", ("desk-1", first): "Tim"}
        rows = await newest(reading("feed"), replace(ALL, as_of=day("2026-04-01")), None, 10)
    assert len(rows) == 3
    left = MemberLeft(member_id=tim, on=date(2025, 9, 30))
    await forecast.journal_facts([of_member(tim, 2, left, "2025-09-30")])
    async with forecast.reading() as reading:
        late = ("desk-1", day("2025-12-01"))
        found = await names_then(reading("organisation"), [*acts, late], COMPANY)
    assert found == {("desk-1", last): "Tom", ("desk-1", first): "Tim", late: "Tim"}, "who was the last to leave"


async def test_the_stream_goes_no_further_than_every_projection_and_says_so(postgres: DatabaseServer) -> None:
    """API-3: what follows a position is told once, also while the feed is ahead of another view."""
    url = await postgres.create_database("feed", await postgres.migrated())
    async with await create_pool(url, name="feed") as pool:
        for projection in SERVICE.projections:
            await builds.prepare(pool, projection, COMPANY)
        log = Log(pool, CODEC)
        there = Projections(pool, SERVICE.projections, {"log": log, "journal": log}, COMPANY)
        entry = (
            "insert into feed_1.entry"
            " select $1, 'deals.deal-opened', 'deal', $2, '', 1, 'EUR', null, null, now(), now(), '', false,"
            " null, 1, $2, null, 7"
        )
        await pool.executemany(entry, [(position, UUID(int=position)) for position in range(1, 11)])
        await pool.execute("update mark set position = case name when 'deals_1' then 7 else 10 end")

        assert await head(there) == 7
        told, upto = await read(there, 5, 100)
        assert ([position for position, _ in told], upto) == ([6, 7], 7)
        assert await read(there, 7, 100) == ([], 7)
        told, upto = await read(there, 3, 2)
        assert ([position for position, _ in told], upto) == ([4, 5], 5)
    await postgres.drop_database(url)
