"""Lists: what may be asked, who sees what, and pages that stay put while rows come and go."""

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import pytest

from shared.domain.context import Actor
from shared.domain.roles import READING, Role
from shared.domain.working_days import calendar_of
from shared.events.definition import value
from shared.events.money import Money
from shared.ops.ids import new_id
from shared.projections import list_pages
from shared.projections.columns import OfToday, working_days_since
from shared.projections.cursors import Cursors
from shared.projections.errors import InvalidQuery
from shared.projections.list_pages import ListPage, one, page
from shared.projections.list_queries import QueryParams, understand
from shared.projections.lists import Listing, at_least, at_most, contains, equals, known, one_of
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
            amount numeric, currency text not null, won boolean not null, owner uuid, team uuid,
            updated_at timestamptz not null
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
    updated_at: datetime


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
        "closing": known("closes"),
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
        "currency": "EUR",
        "updated_at": START + timedelta(days=number),
    } | values
    await depot.pool.execute(
        "insert into offers_1.offer values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        *(offer_id, row["title"], row["opened_at"], row["closes"], row["amount"], row["currency"], number % 2 == 0),
        *(row["owner"], row["team"], row["updated_at"]),
    )
    return offer_id


def several(query: Mapping[str, str | list[str]]) -> QueryParams:
    return {name: [given] if isinstance(given, str) else given for name, given in query.items()}


async def ask(depot: Depot, query: Mapping[str, str | list[str]] | None = None, *, actor: Actor = ADMIN) -> ListPage:
    asked = understand(OFFERS, several(query or {}), actor, CURSORS, TODAY)
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
            updated_at=START + timedelta(days=7),
        )
    ]
    assert (found.next, found.position, found.parked) == (None, 0, 0)


@pytest.mark.parametrize(
    "sort", ["opened_at", "-opened_at", "closes", "-closes", "amount", "-amount", "title", "-title", "updated_at"]
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
    await offer(depot, 6, closes=None)
    assert await titles(depot, closing="false") == ["offer 006"]
    assert await in_order(depot, closing="true") == [f"offer 00{number}" for number in range(6)]


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
        understand(OFFERS, several(query), ADMIN, CURSORS, TODAY)
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
        understand(OFFERS, {"mood": ["good", text]}, ADMIN, CURSORS, TODAY)
    assert [(reason.field, reason.code) for reason in refused.value.reasons] == [("mood", "invalid-value")]
    assert understand(OFFERS, {"mood": ["fair", "good"]}, ADMIN, CURSORS, TODAY).values == {"mood": ["fair", "good"]}


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
        ({"sorts": ("opened_at", "updated_at")}, "sorted by updated_at without saying so"),
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


# -- what every list has ----------------------------------------------------------------------------------------------

ONE = Actor(subject="rep", roles=frozenset({Role.REP}), member=REP, team=TEAM, teams=frozenset({TEAM}))
HEAD = replace(ONE, roles=frozenset({Role.SALES_DIRECTOR}))


async def test_api_1_a_list_is_narrowed_to_what_is_mine_or_nobodys(depot: Depot) -> None:
    await depot.prepare(PROJECTION)
    for number, owner in enumerate((REP, COLLEAGUE, None)):
        await offer(depot, number, owner=owner)
    assert await titles(depot, HEAD, mine="true") == ["offer 000"]
    assert await titles(depot, HEAD, unassigned="true") == ["offer 002"]
    assert await titles(depot, HEAD, mine="false", unassigned="false") == ["offer 002", "offer 001", "offer 000"]
    assert await titles(depot, HEAD, owner=str(COLLEAGUE), mine="false") == ["offer 001"]
    assert await titles(depot, ONE, unassigned="true") == [], "a filter widens nobody's reach"


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"mine": "true", "unassigned": "true"}, ["mine", "unassigned"]),
        ({"mine": "true", "owner": str(REP)}, ["mine"]),
        ({"unassigned": "true", "owner": str(REP)}, ["unassigned"]),
    ],
)
def test_api_1_one_owner_can_be_meant(query: dict[str, str], named: list[str]) -> None:
    with pytest.raises(InvalidQuery, match="says whose they are: give one of them") as refused:
        understand(OFFERS, several(query), HEAD, CURSORS, TODAY)
    assert [(reason.field, reason.code) for reason in refused.value.reasons] == [(n, "contradiction") for n in named]


def test_api_1_whoever_is_no_member_has_nothing_that_is_theirs() -> None:
    assert reasons(mine="true") == [("mine", "not-a-member")]
    assert reasons(mine="yes", totals="1") == [("mine", "invalid-value"), ("totals", "invalid-value")]


async def test_api_1_what_has_changed_since_an_instant_is_asked_for_page_by_page(depot: Depot) -> None:
    """A client that keeps a copy goes on from the last instant that it has seen."""
    await depot.prepare(PROJECTION)
    for number in range(4):
        await offer(depot, number)
    since = (START + timedelta(days=1)).isoformat()
    query: dict[str, str | list[str]] = {"updated_since": since, "sort": "updated_at", "limit": "2"}
    first = await ask(depot, query)
    assert [item.title for item in first.items] == ["offer 001", "offer 002"], "that instant is among them"
    assert first.next is not None
    rest = await ask(depot, {**query, "cursor": first.next})
    assert [item.title for item in rest.items] == ["offer 003"]


def test_a_list_whose_rows_have_no_owner_and_no_time_is_not_narrowed_by_them() -> None:
    @value
    class Plain:
        offer_id: UUID
        title: str

    listing = replace(OFFERS, item=Plain, owner=None, filters={}, sorts=("title",), default_sort="title")
    assert listing.parameters == {"limit", "cursor", "sort", "totals"}
    assert listing.orders == ("title",)


async def test_a_cursor_is_bound_to_every_filter_but_not_to_totals(depot: Depot) -> None:
    await depot.prepare(PROJECTION)
    for number in range(3):
        await offer(depot, number)
    cursor = (await ask(depot, {"mine": "true", "limit": "1", "totals": "true"}, actor=HEAD)).next
    assert cursor is not None
    assert await titles(depot, HEAD, mine="true", cursor=cursor) == ["offer 001", "offer 000"]
    for query in ({"cursor": cursor}, {"cursor": cursor, "mine": "true", "updated_since": START.isoformat()}):
        with pytest.raises(InvalidQuery, match="not one of this query"):
            understand(OFFERS, several(query), HEAD, CURSORS, TODAY)


async def test_api_1_totals_are_of_everything_that_is_left(depot: Depot) -> None:
    """Not of the page alone, and of nothing beyond the asker's reach; what has no amount counts all the same."""
    await depot.prepare(PROJECTION)
    for number in range(1, 5):
        await offer(depot, number)
    await offer(depot, 5, currency="USD", amount=Decimal("7.50"))
    await offer(depot, 6, currency="CHF", amount=None)
    await offer(depot, 7, owner=COLLEAGUE, team=OTHER_TEAM)
    query = {"totals": "true", "limit": "1", "closes_from": "2026-04-03"}
    first = await ask(depot, query, actor=ONE)
    eur, usd = Money(amount=Decimal(9), currency="EUR"), Money(amount=Decimal("7.50"), currency="USD")
    assert first.totals == {"count": 5, "sums": {"amount": [eur, usd]}}
    assert first.next is not None
    assert (await ask(depot, {**query, "cursor": first.next}, actor=ONE)).totals == first.totals
    assert (await ask(depot, {**query, "title": "no such"}, actor=ONE)).totals == {"count": 0, "sums": {"amount": []}}
    assert (await ask(depot, {"limit": "1"}, actor=ONE)).totals is None


async def test_totals_are_of_the_snapshot_that_the_rows_are_of(depot: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that come in between are in neither."""
    await depot.prepare(PROJECTION)
    await offer(depot, 1)
    fetch, coming = list_pages._fetch, list[UUID]()

    async def before_another_comes(*given: Any) -> Any:
        found = await fetch(*given)
        coming.append(await offer(depot, 2))
        return found

    monkeypatch.setattr(list_pages, "_fetch", before_another_comes)
    found = await ask(depot, {"totals": "true"})
    assert len(coming) == 2
    assert (len(found.items), found.totals and found.totals["count"]) == (1, 1)


async def test_a_list_without_amounts_has_a_count_and_no_sums(depot: Depot) -> None:
    @value
    class Plain:
        offer_id: UUID
        title: str

    await depot.prepare(PROJECTION)
    await offer(depot, 1)
    listing = replace(OFFERS, item=Plain, filters={}, sorts=("title",), default_sort="title")
    asked = understand(listing, {"totals": ["true"]}, ADMIN, CURSORS, TODAY)
    assert (await page(depot.projections(PROJECTION), listing, ADMIN, asked, CURSORS)).totals == {"count": 1}


async def test_working_days_up_to_today_are_counted_by_the_company_s_calendar(depot: Depot) -> None:
    @value
    class Late:
        offer_id: UUID
        title: str
        late: Annotated[bool, OfToday("closes < {today}")]
        days: Annotated[int, OfToday(working_days_since("closes"))]

    await depot.prepare(PROJECTION)
    today, calendar = date(2026, 4, 8), calendar_of("DE")  # the Wednesday after Easter
    closing = [date(2026, 4, day) for day in range(1, 10)] + [date(2025, 12, 24), date(2026, 12, 24)]
    ids = [await offer(depot, number, closes=day) for number, day in enumerate(closing)]
    filters = {"late": equals("late", bool)}
    listing = replace(OFFERS, item=Late, filters=filters, sorts=("title",), default_sort="title")
    asked = understand(listing, {"totals": ["true"]}, ADMIN, CURSORS, today, calendar=calendar)
    found = await page(depot.projections(PROJECTION), listing, ADMIN, asked, CURSORS)
    assert [item.days for item in found.items] == [calendar.between(day, today) for day in closing]
    assert max(item.days for item in found.items) > 60
    late = understand(listing, {"late": ["true"], "totals": ["true"]}, ADMIN, CURSORS, today, calendar=calendar)
    found = await page(depot.projections(PROJECTION), listing, ADMIN, late, CURSORS)
    assert found.totals == {"count": 8}
    row = await one(depot.projections(PROJECTION), listing, ADMIN, ids[0], today, calendar=calendar)
    assert (row.late, row.days) == (True, 3)


async def test_one_row_is_shown_to_those_who_see_it(depot: Depot) -> None:
    await depot.prepare(PROJECTION)
    own, other = await offer(depot, 1), await offer(depot, 2, owner=COLLEAGUE, team=OTHER_TEAM)
    projections = depot.projections(PROJECTION)
    assert (await one(projections, OFFERS, ONE, own, TODAY)).title == "offer 001"
    assert await one(projections, OFFERS, ONE, other, TODAY) is None
    assert await one(projections, OFFERS, HEAD, new_id(), TODAY) is None
