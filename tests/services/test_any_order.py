"""Histories of every family whose facts may be told late: arrival changes neither states nor rows (DATA-5).

`make campaign` tries many more cases.
"""

import os
import random
import types
import typing
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.services import SERVICES, definition_of
from services.deals.domain.deal import deal
from services.deals.domain.exchange_rate import exchange_rate
from services.deals.domain.product import product
from services.deals.domain.target import target
from services.deals.projections.agenda import AGENDA_ITEM
from services.deals.projections.deals import DEAL
from services.deals.projections.exchange_rates import EXCHANGE_RATE
from services.deals.projections.products import PRODUCT
from services.deals.projections.targets import TARGET
from services.leads.domain.account import account
from services.leads.domain.lead import lead
from services.leads.domain.organisation.member import member
from services.leads.domain.organisation.team import team
from services.leads.projections.accounts import ACCOUNT, CONTACT
from services.leads.projections.leads import LEAD
from services.leads.projections.people import MEMBER, TEAM
from shared.domain.aggregate import Aggregate
from shared.domain.context import Company
from shared.domain.history import folded, goes_on
from shared.events.chronology import TELLING, Rank
from shared.events.codec import Codec
from shared.events.deals.deal import DueNode
from shared.events.deals.deal_migration import CarriedNode, DroppedNode
from shared.events.deals.exchange_rate import ExchangeRate
from shared.events.deals.target import TargetPartSet
from shared.events.envelope import Envelope
from shared.events.leads.account import ContactErased
from shared.events.money import Money
from shared.events.registry import registry_of, retraction_of, topic_of_class
from shared.eventstore.log import Log
from shared.eventstore.pool import create_pool
from shared.ops.ids import new_id
from shared.projections.projection import ProjectionDatabase
from shared.projections.tables import Table
from shared.testing.servers import DatabaseServer

CASES = int(os.environ.get("HISTORY_CASES", "200"))
THING, SOME = UUID(int=1), [UUID(int=number) for number in range(50, 54)]
FIRST = date(2026, 3, 2)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
FAMILIES: Sequence[tuple[Aggregate, tuple[Table, ...]]] = (
    (deal, (DEAL, AGENDA_ITEM)),
    (product, (PRODUCT,)),
    (target, (TARGET,)),
    (exchange_rate, (EXCHANGE_RATE,)),
    (lead, (LEAD,)),
    (account, (ACCOUNT, CONTACT)),
    (member, (MEMBER,)),
    (team, (TEAM,)),
)


def test_every_table_of_what_may_be_told_late_is_among_them() -> None:
    """A fold of one table; what folds several by functions of its own has its comparison where it stands."""
    tables = [
        table
        for service in SERVICES
        for projection in definition_of(service).projections
        if isinstance(table := getattr(projection.apply, "__self__", None), Table) and table.is_dated
    ]
    told = [table.name for _, own in FAMILIES for table in own]
    assert {table.name for table in tables} <= set(told)
    assert tables


CODEC = Codec(registry_of())
ID = {"exchange-rate": "table_id"}
"""The field that says which thing an event is about, where it is not called after the aggregate."""
NOT_TOLD = {"version", "updated_at", "last_place", "told_by"}
"""What rows say of when and by which event things were recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A fact of history: what, when, and by what it is known again."""

    event: Any
    on: date
    hour: int | None
    name: str

    def envelope(self, sequence: int) -> Envelope[Any]:
        """The fact as the `sequence`th that was recorded of its thing."""
        at = datetime.combine(self.on, time.max if self.hour is None else time(self.hour), UTC)
        return Envelope(
            id=new_id(),
            type=self.event.type,
            version=self.event.version,
            service="x",
            aggregate=self.event.aggregate,
            aggregate_id=THING,
            sequence=sequence,
            partition=0,
            position=sequence,
            source_position=sequence,
            occurred_at=at,
            by_day=self.hour is None,
            recorded_at=NOW + timedelta(seconds=sequence),
            actor="service:import",
            correlation_id=THING,
            causation_id=UUID(int=1000 + sequence),
            imported=True,
            fact=self.name,
            traceparent=None,
            data=self.event,
        )


texts = st.sampled_from(["Acme", "Bolt", "Carla", "steel"])
some_day = st.integers(0, 5).map(lambda days: FIRST + timedelta(days=days))
kind_of_work = st.sampled_from(["task", "deliverable"])


def work(kind: Any, **more: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Tasks and deliverables that an event tells of."""
    return st.lists(st.builds(kind, key=texts, kind=kind_of_work, **more), max_size=3, unique_by=lambda it: it.key).map(
        tuple
    )


values: dict[Any, st.SearchStrategy[Any]] = {
    UUID: st.sampled_from(SOME),
    str: texts,
    int: st.integers(0, 9),
    bool: st.booleans(),
    Decimal: st.sampled_from([Decimal("0.1"), Decimal("0.5")]),
    Money: st.integers(1, 9).map(lambda amount: Money(amount=Decimal(amount), currency="EUR")),
    date: some_day,
    datetime: st.just(NOW),
    tuple[DueNode, ...]: work(DueNode, required=st.booleans(), due=some_day),
    tuple[CarriedNode, ...]: work(CarriedNode, stage=texts, required=st.booleans()),
    tuple[DroppedNode, ...]: work(DroppedNode),
    tuple[str, ...]: st.lists(texts, max_size=2, unique=True).map(tuple),
    tuple[ExchangeRate, ...]: st.dictionaries(
        st.sampled_from(["CHF", "JPY", "USD"]), st.sampled_from([Decimal("1.1"), Decimal("180.93")]), min_size=1
    ).map(lambda said: tuple(ExchangeRate(currency=name, rate=said[name]) for name in sorted(said))),
}


def retraction(fact: Envelope[Any], sequence: int) -> Envelope[Any]:
    """What takes a fact back, as the `sequence`th event of its thing."""
    kind: Any = retraction_of(type(fact.data))
    data = kind(**{ID.get(fact.aggregate, f"{fact.aggregate}_id"): THING}, request=fact.causation_id)
    told = Told(event=data, on=fact.occurred_at.date(), hour=None, name="x").envelope(sequence)
    return replace(told, fact=None, occurred_at=told.recorded_at, by_day=False)


def taken_back(facts: Sequence[Envelope[Any]], dice: random.Random) -> list[Envelope[Any]]:
    """The facts, and some of them taken back afterwards; and what is told after that. Where no opening is left, nothing
    is: what rests on it has to go with it."""
    split = dice.randrange(1, len(facts) + 1)
    first, rest = list(facts[:split]), list(facts[split:])
    gone = dice.sample(first, dice.randrange(1, len(first) + 1))
    openings = [fact for fact in first if fact.data.rank is Rank.OPENING]
    vanishes = all(fact in gone for fact in openings) and (openings or len(gone) == len(first))
    if vanishes:
        gone = first
    back = dice.sample(gone, dice.randrange(len(gone) + 1))
    if vanishes and openings and not any(fact in openings for fact in back):
        back, rest = ([openings[0], *back], rest) if dice.random() < 0.5 else ([], [])
    gone = sorted(gone, key=lambda fact: fact.sequence, reverse=True)
    first = first + [retraction(fact, len(first) + number) for number, fact in enumerate(gone, 1)]
    # What is told again comes as another request; its opening before all else.
    again = [replace(fact, causation_id=new_id()) for fact in sorted(back, key=lambda fact: fact not in openings)]
    return first + [replace(fact, sequence=number) for number, fact in enumerate([*again, *rest], len(first) + 1)]


def of_type(hint: Any) -> st.SearchStrategy[Any]:
    """Some value of a field; collections are empty."""
    if hint in values:
        return values[hint]
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return of_type(inside[0])
    if origin in (typing.Union, types.UnionType):
        return st.one_of([of_type(each) for each in inside])
    if isinstance(hint, type) and is_dataclass(hint):
        hints = typing.get_type_hints(hint, include_extras=True)
        return st.builds(hint, **{field.name: of_type(hints[field.name]) for field in fields(hint)})
    return st.just(None if hint is types.NoneType else origin())


def of_class(kind: Any) -> st.SearchStrategy[Any]:
    """An event of a class about the thing; what it says does not matter, as long as it is said again."""
    hints = typing.get_type_hints(kind, include_extras=True)
    chosen = {field.name: of_type(hints[field.name]) for field in fields(kind)}
    if "said" in chosen:
        chosen["said"] = st.none() | st.lists(st.sampled_from(sorted(chosen))).map(tuple)
    return st.builds(kind, **{**chosen, ID.get(kind.aggregate, f"{kind.aggregate}_id"): st.just(THING)})


def on_its_day(event: Any, on: date) -> Any:
    """A move or an end says the day on which it happened."""
    return replace(event, on=on) if event.rank in TELLING and hasattr(event, "on") else event


NOTED = {TargetPartSet}
"""What a decision notes of another thing: no request of an import tells it, so none takes it back."""


def histories(family: Aggregate) -> st.SearchStrategy[list[Told]]:
    """What may be told of one thing of a family, each fact under a name of its own; it has an opening."""
    kinds: list[Any] = sorted(set(family.events) - NOTED, key=str)
    openings = [kind for kind in kinds if kind.rank is Rank.OPENING] or kinds
    facts = st.lists(st.one_of(*map(of_class, kinds)), max_size=6)
    days, hours = st.integers(0, 3), st.none() | st.integers(0, 23)

    def named(drawn: tuple[Any, list[Any], list[tuple[int, int | None]]]) -> list[Told]:
        opening, others, times = drawn
        return [
            Told(
                event=on_its_day(event, FIRST + timedelta(days=day)),
                on=FIRST + timedelta(days=day),
                hour=hour,
                name=name,
            )
            for name, event, (day, hour) in zip("abcdefg", [opening, *others], times, strict=False)
        ]

    times = st.lists(st.tuples(days, hours), min_size=7, max_size=7)
    return st.tuples(st.one_of(*map(of_class, openings)), facts, times).map(named)


def drawn_from(family: Aggregate, examples: int) -> list[list[Told]]:
    """So many generated histories of a family, for tests that the generator cannot run itself."""
    cases = list[list[Told]]()

    @settings(max_examples=examples, database=None)
    @given(histories(family))
    def draw(told: list[Told]) -> None:
        cases.append(told)

    draw()
    return cases


@pytest.mark.parametrize("family", [family for family, _ in FAMILIES], ids=lambda family: family.name)
def test_data_5_arrival_changes_no_state(family: Aggregate) -> None:
    @settings(max_examples=CASES, suppress_health_check=[HealthCheck.too_slow])
    @given(histories(family), st.randoms(use_true_random=False))
    def check(told: list[Told], dice: random.Random) -> None:
        shuffled = dice.sample(told, len(told))
        whole = family.of([fact.envelope(number) for number, fact in enumerate(told, 1)])
        assert family.of([fact.envelope(number) for number, fact in enumerate(shuffled, 1)]) == whole
        # Fold on fold, as long as nothing comes late; then anew.
        assert stepwise(family, [fact.envelope(number) for number, fact in enumerate(shuffled, 1)]) == whole

    check()


def stepwise(family: Aggregate, facts: Sequence[Envelope[Any]]) -> Any:
    """The state, folded fact by fact as they were recorded."""
    state, so_far, known = family.start(), None, list[Envelope[Any]]()
    for fact in facts:
        known.append(fact)
        on_time = goes_on(so_far, known[-1:])
        state = family.evolve(state, fact.data) if on_time else family.of(known)
        so_far = folded(so_far, known[-1:])
    return state


@pytest.mark.parametrize("family", [family for family, _ in FAMILIES], ids=lambda family: family.name)
def test_data_5_what_was_taken_back_is_as_if_it_had_never_been_told(family: Aggregate) -> None:
    @settings(max_examples=CASES, suppress_health_check=[HealthCheck.too_slow])
    @given(histories(family), st.randoms(use_true_random=False))
    def check(told: list[Told], dice: random.Random) -> None:
        facts = taken_back([fact.envelope(number) for number, fact in enumerate(told, 1)], dice)
        gone = {fact.data.request for fact in facts if fact.data.retracts}
        left = [fact for fact in facts if not fact.data.retracts and fact.causation_id not in gone]
        assert family.of(facts) == family.of(left) == stepwise(family, facts)
        if not left:
            assert family.of(facts) == family.start()

    check()


# -- rows, on PostgreSQL ---------------------------------------------------------------------------------------------

INSERT = """
    insert into journal (topic, partition, source_position, aggregate_id, aggregate, sequence, event_id, type, version,
        occurred_at, by_day, recorded_at, actor, correlation_id, causation_id, imported, fact, traceparent, data)
    values ($1, 0, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, null, $17)
    returning position
"""


@pytest.fixture(scope="module")
async def pool(postgres: DatabaseServer) -> AsyncIterator[asyncpg.Pool]:
    """A database with the tables of all lists, as one view."""
    url = await postgres.create_database("histories", await postgres.migrated())
    async with await create_pool(url, name="histories") as pool:
        await pool.execute("create schema rows")
        for _, tables in FAMILIES:
            for table in tables:
                await pool.execute(table.ddl.replace("{view}", "rows"))
        yield pool
    await postgres.drop_database(url)


async def rows_of(pool: asyncpg.Pool, tables: Sequence[Table], pages: Sequence[Sequence[Envelope[Any]]]) -> Any:
    """The rows of tables after facts that came page by page; nothing is left of them."""
    log = Log(pool, CODEC)
    async with pool.acquire() as connection:
        whole = connection.transaction()
        await whole.start()
        try:
            for page in pages:
                for fact in page:
                    position = await journaled(connection, fact)
                db = ProjectionDatabase(connection, {"view": "rows"}, log=log, company=Company(), position=position)
                facts = (await db.history([THING]))[-len(page) :]
                for table in tables:
                    await table.apply(db, facts)
            return [
                [
                    {name: value for name, value in row.items() if name not in NOT_TOLD}
                    for row in await connection.fetch(f"select * from rows.{table.name} order by id")
                ]
                for table in tables
            ]
        finally:
            await whole.rollback()


async def journaled(connection: Any, fact: Envelope[Any]) -> int:
    topic, data = topic_of_class(type(fact.data)), CODEC.encode(replace(fact.data)).data.decode()
    about = (fact.aggregate_id, fact.aggregate, fact.sequence, fact.id, fact.type, fact.version)
    when = (fact.occurred_at, fact.by_day, fact.recorded_at)
    by = (fact.actor, fact.correlation_id, fact.causation_id, fact.imported, fact.fact)
    row = (topic, fact.sequence, *about, *when, *by, data)
    position: int = await connection.fetchval(INSERT, *row)
    return position


@pytest.mark.parametrize(("family", "tables"), FAMILIES, ids=lambda given: getattr(given, "name", ""))
async def test_data_5_arrival_changes_no_row(pool: asyncpg.Pool, family: Aggregate, tables: Sequence[Table]) -> None:
    dice = random.Random(family.name)
    for drawn in drawn_from(family, max(CASES // 10, 10)):
        # The opening is recorded first, for all else is decided on it; and nobody is erased who is not there.
        opening, *rest = [fact for fact in drawn if not isinstance(fact.event, ContactErased)]
        told, shuffled = [opening, *rest], [opening, *dice.sample(rest, len(rest))]
        cut = dice.randrange(1, len(told) + 1)
        at_once = [fact.envelope(number) for number, fact in enumerate(told, 1)]
        in_pages = [fact.envelope(number) for number, fact in enumerate(shuffled, 1)]
        expected = await rows_of(pool, tables, [at_once])
        assert await rows_of(pool, tables, [page for page in (in_pages[:cut], in_pages[cut:]) if page]) == expected


@pytest.mark.parametrize(("family", "tables"), FAMILIES, ids=lambda given: getattr(given, "name", ""))
async def test_data_5_of_what_was_taken_back_no_row_is_left(
    pool: asyncpg.Pool, family: Aggregate, tables: Sequence[Table]
) -> None:
    dice = random.Random(family.name)
    for drawn in drawn_from(family, max(CASES // 10, 10)):
        told = [fact for fact in drawn if not isinstance(fact.event, ContactErased)]
        facts = taken_back([fact.envelope(number) for number, fact in enumerate(told, 1)], dice)
        gone = {fact.data.request for fact in facts if fact.data.retracts}
        left = [fact for fact in facts if not fact.data.retracts and fact.causation_id not in gone]
        cut = dice.randrange(1, len(facts) + 1)
        pages = [page for page in (facts[:cut], facts[cut:]) if page]
        assert await rows_of(pool, tables, pages) == await rows_of(pool, tables, [left] if left else [])
