"""Lists: what may be asked, who sees what, and pages that stay put while rows come and go."""

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from shared.domain.context import Actor
from shared.domain.roles import READING, Role
from shared.events.definition import value
from shared.events.money import Money
from shared.ops.ids import new_id
from shared.projections.cursors import Cursors
from shared.projections.errors import InvalidQuery
from shared.projections.lists import (
    Listing,
    ListPage,
    QueryParams,
    at_least,
    at_most,
    contains,
    equals,
    one_of,
    page,
    understand,
)
from shared.projections.projection import Projection
from tests.shared.projections.conftest import Depot
from tests.shared.projections.depot import count_events

CURSORS = Cursors("a secret of these tests")
TEAM, OTHER_TEAM, REP, COLLEAGUE = (UUID(int=number) for number in range(1, 5))
ADMIN = Actor(subject="admin", roles=frozenset({Role.ADMIN}))
START = datetime(2026, 3, 16, 10, 0, tzinfo=UTC)
TODAY = START.date()

PROJECTION = Projection(
    name="offers",
    version=1,
    ddl="""
        create table {view}.offer (
            offer_id uuid primary key, title text not null, opened_at timestamptz not null, closes date,
            amount numeric, currency text not null, won boolean not null, owner uuid, team uuid
        );
        create index on {view}.offer (opened_at, offer_id);
    """,
    apply=count_events,
)


@value
class Offer:
    """An offer in a list."""

    offer_id: UUID
    title: str
    opened_at: datetime
    closes: date | None = None
    amount: Money | None = None
    won: bool = False


OFFERS = Listing(
    name="offers",
    projection=PROJECTION,
    table="offer",
    item=Offer,
    key="offer_id",
    filters={
        "title": equals("title"),
        "owner": equals("owner", UUID),
        "closes_from": at_least("closes", date),
        "closes_to": at_most("closes", date),
        "amount_from": at_least("amount", Decimal),
        "opened_from": at_least("opened_at", datetime),
        "won": equals("won", bool),
        "mood": one_of("title", ("good", "fair")),
        "q": contains("title"),
    },
    sorts=("opened_at", "closes", "amount", "title"),
    default_sort="-opened_at",
    readers=READING,
)


async def offer(depot: Depot, number: int, **values: Any) -> UUID:
    """An offer in the table of the view."""
    offer_id = new_id()
    row = {
        "title": f"offer {number:03}",
        "opened_at": START + timedelta(hours=number),
        "closes": date(2026, 4, 1) + timedelta(days=number),
        "amount": Decimal(number),
        "owner": REP,
        "team": TEAM,
    } | values
    await depot.pool.execute(
        "insert into offers_1.offer values ($1, $2, $3, $4, $5, 'EUR', $6, $7, $8)",
        *(offer_id, row["title"], row["opened_at"], row["closes"], row["amount"], number % 2 == 0),
        *(row["owner"], row["team"]),
    )
    return offer_id


def several(query: Mapping[str, str | list[str]]) -> QueryParams:
    return {name: [given] if isinstance(given, str) else given for name, given in query.items()}


async def ask(depot: Depot, query: Mapping[str, str | list[str]] | None = None, *, actor: Actor = ADMIN) -> ListPage:
    asked = understand(OFFERS, several(query or {}), CURSORS, TODAY)
    return await page(depot.projections(PROJECTION), OFFERS, actor, asked, CURSORS)


async def titles(depot: Depot, actor: Actor = ADMIN, /, **query: str | list[str]) -> list[str]:
    return [item.title for item in (await ask(depot, query, actor=actor)).items]


async def test_an_item_is_a_row_with_money(depot: Depot) -> None:
    await depot.prepare(PROJECTION)
    offer_id = await offer(depot, 7)
    found = await ask(depot)
    assert found.items == [
        Offer(
            offer_id=offer_id,
            title="offer 007",
            opened_at=START + timedelta(hours=7),
            closes=date(2026, 4, 8),
            amount=Money(amount=Decimal(7), currency="EUR"),
        )
    ]
    assert (found.next, found.position, found.parked) == (None, 0, 0)


@pytest.mark.parametrize(
    "sort", ["opened_at", "-opened_at", "closes", "-closes", "amount", "-amount", "title", "-title"]
)
async def test_pages_neither_repeat_nor_hide_a_row_while_rows_come_and_go(depot: Depot, sort: str) -> None:
    """Every row that was there all the time is shown once, in order; equal and empty sort values too."""
    await depot.prepare(PROJECTION)
    chance = random.Random(sort)
    for number in range(30):
        some = chance.choice([None, date(2026, 5, number % 4 + 1)])
        await offer(depot, number, closes=some, amount=chance.choice([None, Decimal(number % 3)]))
    everything = (await ask(depot, {"sort": sort, "limit": "100"})).items
    seen: list[UUID] = []
    query: Mapping[str, str] = {"sort": sort, "limit": "4"}
    while True:
        found = await ask(depot, query)
        seen += [item.offer_id for item in found.items]
        if found.next is None:
            break
        query = {**query, "cursor": found.next}
        number = chance.randrange(30)
        await offer(depot, number, closes=chance.choice([None, date(2026, 5, number % 4 + 1)]))
    there_all_the_time = [item.offer_id for item in everything]
    assert [offer_id for offer_id in seen if offer_id in set(there_all_the_time)] == there_all_the_time
    assert len(set(seen)) == len(seen)


async def in_order(depot: Depot, **query: str | list[str]) -> list[str]:
    return await titles(depot, sort="title", **query)


async def test_filters(depot: Depot) -> None:
    await depot.prepare(PROJECTION)
    for number in range(6):
        await offer(depot, number, owner=REP if number < 3 else COLLEAGUE)
    assert await in_order(depot, title=["offer 001", "offer 004"]) == ["offer 001", "offer 004"]
    assert await in_order(depot, owner=str(COLLEAGUE)) == ["offer 003", "offer 004", "offer 005"]
    assert await in_order(depot, closes_from="2026-04-03", closes_to="2026-04-04") == ["offer 002", "offer 003"]
    assert await in_order(depot, amount_from="4.5") == ["offer 005"]
    assert await in_order(depot, opened_from="2026-03-16T16:00:00+02:00") == ["offer 004", "offer 005"]
    assert await in_order(depot, won="true", q="OFFER 00", owner=str(REP)) == ["offer 000", "offer 002"]
    assert await titles(depot, q="%") == []


async def test_everybody_sees_their_scope(depot: Depot) -> None:
    await depot.prepare(PROJECTION)
    await offer(depot, 1)
    await offer(depot, 2, owner=COLLEAGUE)
    await offer(depot, 3, owner=COLLEAGUE, team=OTHER_TEAM)
    await offer(depot, 4, owner=None, team=None)
    rep = Actor(subject="rep", roles=frozenset({Role.REP}), member=REP, team=TEAM, teams=frozenset({TEAM}))
    manager = replace(rep, roles=frozenset({Role.MANAGER}), member=UUID(int=9))
    stranger = Actor(subject="stranger", roles=frozenset({Role.REP}))
    assert await titles(depot, rep) == ["offer 001"]
    assert await titles(depot, manager) == ["offer 002", "offer 001"]
    assert await titles(depot, replace(manager, teams=frozenset())) == []
    assert len(await titles(depot, Actor(subject="finance", roles=frozenset({Role.FINANCE})))) == 4
    assert await titles(depot, stranger) == []
    assert await titles(depot, Actor(subject="nobody", roles=frozenset())) == []


def reasons(**query: str) -> list[tuple[str | None, str]]:
    """What is wrong with a query: parameter and code."""
    with pytest.raises(InvalidQuery) as caught:
        understand(OFFERS, several(query), CURSORS, TODAY)
    return [(reason.field, reason.code) for reason in caught.value.reasons]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    assert reasons(
        sort="price", limit="0", owner="me", closes_from="soon", amount_from="NaN", opened_from="2026-03-16T10:00:00",
        won="maybe", colour="blue", title="",
    ) == [
        ("amount_from", "invalid-value"),
        ("closes_from", "invalid-value"),
        ("colour", "unknown-parameter"),
        ("limit", "invalid-value"),
        ("opened_from", "invalid-value"),
        ("owner", "invalid-value"),
        ("sort", "unknown-sort"),
        ("title", "invalid-value"),
        ("won", "invalid-value"),
    ]  # fmt: skip


@pytest.mark.parametrize("limit", ["101", "-1", "1.5", "", "٣", "x", "007", "+1", "1_0"])
def test_a_limit_is_a_number_up_to_a_hundred(limit: str) -> None:
    assert reasons(limit=limit) == [("limit", "invalid-value")]


@pytest.mark.parametrize("text", ["bad", "good,fair", "GOOD", " good"])
def test_a_word_out_of_a_closed_set_is_refused_with_those_that_are_allowed(text: str) -> None:
    """API-1."""
    with pytest.raises(InvalidQuery, match="One of these is needed: good, fair") as refused:
        understand(OFFERS, {"mood": ["good", text]}, CURSORS, TODAY)
    assert [(reason.field, reason.code) for reason in refused.value.reasons] == [("mood", "invalid-value")]
    assert understand(OFFERS, {"mood": ["fair", "good"]}, CURSORS, TODAY).values == {"mood": ["fair", "good"]}


async def test_a_cursor_is_good_for_its_own_query_only(depot: Depot) -> None:
    await depot.prepare(PROJECTION)
    for number in range(3):
        await offer(depot, number)
    cursor = (await ask(depot, {"limit": "1"})).next
    assert cursor is not None
    assert await titles(depot, limit="2", cursor=cursor) == ["offer 001", "offer 000"]
    malformed = [("cursor", "malformed-cursor")]
    assert reasons(cursor=cursor, sort="title") == malformed
    assert reasons(cursor=cursor, q="offer") == malformed
    assert reasons(cursor=cursor[:-2] + "xx") == malformed
    assert reasons(cursor="nonsense") == malformed


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"default_sort": "colour"}, "not sorted by colour"),
        ({"filters": {"limit": equals("title")}}, "filters named"),
        ({"sorts": ("currency", "opened_at")}, "do not show"),
    ],
)
def test_a_listing_that_cannot_work_is_refused_when_it_is_declared(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(OFFERS, **changed)


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"])
def test_an_instant_outside_the_calendar_is_a_clear_error(text: str) -> None:
    assert reasons(opened_from=text) == [("opened_from", "invalid-value")]


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
async def test_the_first_and_the_last_instant_can_be_asked_for(depot: Depot, text: str) -> None:
    await depot.prepare(PROJECTION)
    await ask(depot, {"opened_from": text})
