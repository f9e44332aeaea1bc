"""Every projection of every service holds the same rows however its events were cut into pages (DATA-5).

`make campaign` tries many more cases.
"""

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

import asyncpg
import pytest

from deploy.services import SERVICES, definition_of
from services.deals.domain.deal import deal
from services.deals.domain.exchange_rate import exchange_rate
from services.deals.domain.product import product
from services.deals.domain.target import target
from services.leads.domain.account import account
from services.leads.domain.lead import lead
from services.leads.domain.organisation.member import member
from services.leads.domain.organisation.team import team
from shared.events.chronology import Rank
from shared.events.codec import erased
from shared.events.deals.deal import DealCategoryChanged, DealRenamed
from shared.events.envelope import Envelope
from shared.events.leads.account import ContactErased
from shared.eventstore.log import Log
from shared.eventstore.pool import create_pool
from shared.projections.projection import Projection, ProjectionDatabase
from shared.testing.servers import DatabaseServer
from tests.services.forecast.conftest import CODEC, COMPANY
from tests.services.forecast.facts import opened
from tests.services.test_any_order import CASES, THING, Told, drawn_from, journaled, retraction, taken_back

FAMILIES = (deal, lead, account, member, team, product, target, exchange_rate)
PROJECTIONS: Mapping[str, Projection] = {
    f"{service}_{projection.name}": projection
    for service in SERVICES
    for projection in definition_of(service).projections
}
"""By the schema of their build."""
NATIVE_FROM = 4
"""From here on some facts are recorded as they happen."""


@pytest.fixture(scope="module")
async def pool(postgres: DatabaseServer) -> AsyncIterator[asyncpg.Pool]:
    """A database with a build of every view."""
    url = await postgres.create_database("pages", await postgres.migrated())
    async with await create_pool(url, name="pages") as pool:
        for schema, projection in PROJECTIONS.items():
            await pool.execute(f"create schema {schema}")
            await pool.execute(projection.ddl.replace("{view}", schema))
        yield pool
    await postgres.drop_database(url)


def facts_of(told: Sequence[Told], dice: random.Random) -> list[Envelope[Any]]:
    """What is told in another order, and what is recorded as it happens in between; the opening comes first."""
    # Nobody is erased who is not there; the opening is recorded first, for all else is decided on it.
    opening, *rest = [fact for fact in told if not isinstance(fact.event, ContactErased)]
    # A thing opens once: what opens it again corrects that.
    rest = [replace(fact, name=opening.name) if fact.event.rank is Rank.OPENING else fact for fact in rest]
    shuffled = [opening, *dice.sample(rest, len(rest))]
    facts = [_judged(fact, dice).envelope(number) for number, fact in enumerate(shuffled, 1)]
    facts = [
        replace(fact, fact=None, by_day=False, occurred_at=fact.recorded_at, imported=False)
        if fact.sequence >= NATIVE_FROM and fact.data.rank is not Rank.OPENING and dice.random() < 0.3
        else fact
        for fact in facts
    ]
    return taken_back(facts, dice) if dice.random() < 0.5 else facts


def _judged(told: Told, dice: random.Random) -> Told:
    """A judgement is a person's of two kinds; of all else any text will do."""
    if not isinstance(told.event, DealCategoryChanged):
        return told
    return replace(told, event=replace(told.event, judged_by=dice.choice(["rep", "manager"])))


async def rows_of(pool: asyncpg.Pool, schema: str, pages: Sequence[Sequence[Envelope[Any]]]) -> dict[str, Any]:
    """The rows of a projection after facts that came page by page; nothing is left of them."""
    log, projection = Log(pool, CODEC), PROJECTIONS[schema]
    async with pool.acquire() as connection:
        whole = connection.transaction()
        await whole.start()
        try:
            position = 0
            for page in pages:
                facts = list[Envelope[Any]]()
                for fact in page:
                    journal = await journaled(connection, fact)
                    position = position or journal - 1
                    # As it is read back: a journal holds nothing about people.
                    facts.append(replace(fact, position=journal, data=erased(fact.data)))
                upto = facts[-1].position
                db = ProjectionDatabase(connection, {"view": schema}, log=log, company=COMPANY, position=upto)
                read = [fact for fact in facts if projection.types is None or fact.type in projection.types]
                if read:
                    await projection.apply(db, read)
            tables = await connection.fetch("select tablename from pg_tables where schemaname = $1", schema)
            names = sorted(row["tablename"] for row in tables)
            return {name: await _relative(connection, f"{schema}.{name}", position) for name in names}
        finally:
            await whole.rollback()


async def _relative(connection: Any, table: str, position: int) -> list[Any]:
    """All rows, positions counted from the first."""
    rows = [dict(row) for row in await connection.fetch(f"select * from {table}")]
    for row in rows:
        for name in {"position", "since_position"} & row.keys():
            row[name] -= position
    return sorted(rows, key=str)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
async def test_data_5_pages_change_no_row(pool: asyncpg.Pool, family: Any) -> None:
    dice = random.Random(family.name)
    for told in drawn_from(family, max(CASES // 20, 10)):
        facts = facts_of(told, dice)
        cuts = sorted({0, len(facts), *dice.sample(range(len(facts) + 1), min(3, len(facts)))})
        pages = [facts[one:other] for one, other in pairwise(cuts)]
        for schema in PROJECTIONS:
            at_once = await rows_of(pool, schema, [facts])
            assert await rows_of(pool, schema, pages) == at_once, (schema, cuts, facts)


KEPT = {
    "accounts": {"said"},
    "feed": {"entry", "subject"},
    "deals": {"held"},
    "leads": {"held"},
    "nodes": {"held"},
    "conformance": {"held"},
    "targets": {"target"},
    "rates": {"rate"},
    "visits": {"told"},
    "content_use": {"held"},
}
"""What stays in tables of projections of forecast, so that answers of before stay as they were."""


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
async def test_data_5_nothing_is_left_of_what_was_taken_back(pool: asyncpg.Pool, family: Any) -> None:
    dice = random.Random(family.name)
    for drawn in drawn_from(family, 10):
        told = [_judged(fact, dice) for fact in drawn if not isinstance(fact.event, ContactErased)]
        facts = [fact.envelope(number) for number, fact in enumerate(told, 1)]
        back = [retraction(fact, 2 * len(facts) + 1 - fact.sequence) for fact in reversed(facts)]
        for schema, projection in PROJECTIONS.items():
            rows = await rows_of(pool, schema, [facts, back])
            stay = {"place"} if projection.name == "organisation" else KEPT.get(projection.name, set())
            assert not any(
                rows[table] for table in rows.keys() - (stay if schema.startswith("forecast") else {"place"})
            )


async def test_data_5_a_deal_is_called_in_the_feed_what_it_is_called_now_whatever_was_taken_back(
    pool: asyncpg.Pool,
) -> None:
    """What took a name back in a page of its own left it on the entries that stood already."""
    begun = replace(opened(deal=THING), name="Carla")
    renamed = DealRenamed(deal_id=THING, name="Bolt")
    told = [
        Told(event=event, on=date(2026, 3, day), hour=None, name=name).envelope(day)
        for day, (event, name) in enumerate(((begun, "a"), (renamed, "b")), 1)
    ]
    back = [retraction(told[1], 3), retraction(told[0], 4)]
    names = {2: ["Bolt", "Bolt"], 3: ["Carla"] * 3, 4: [None] * 4}
    for count, called in names.items():
        facts = [*told, *back][:count]
        for pages in ([facts], [[fact] for fact in facts]):
            rows = (await rows_of(pool, "forecast_feed", pages))["entry"]
            assert [row["name"] for row in sorted(rows, key=lambda row: int(row["position"]))] == called
