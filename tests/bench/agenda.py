"""The section of agendas: the morning of a rep in a large company, whose deals have work that falls due.

It is this build alone, in this process: the facts of the open deals of those who ask stand in the store and go through
the real fold, their rows are stamped out for all others and for what was closed, and each question goes from its
parameters to the bytes of its answer, without HTTP.
"""

import asyncio
import os
import random
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid5

import asyncpg

from deploy.local import postgres
from deploy.local.home import Home
from deploy.local.ports import free_port
from services.deals.agenda_answers import Agenda, Sources, agenda_of
from services.deals.app import SERVICE
from services.deals.domain.exchange_rate import exchange_rate, table_of
from services.deals.domain.policies import WINNING
from services.deals.domain.process import process
from services.deals.domain.process.short import SHORT, SHORT_ID
from services.deals.projections.agenda import AGENDA_PROJECTION
from services.deals.projections.contracts import KNOWN_CONTRACTS
from services.deals.projections.deals import DEAL_PROJECTION
from services.deals.projections.exchange_rates import EXCHANGE_RATE_PROJECTION
from services.deals.projections.stage_visits import STAGE_VISIT_PROJECTION, STAGE_WORK_PROJECTION
from services.deals.projections.support_requests import SUPPORT_REQUEST_PROJECTION
from shared.domain.aggregate import Aggregate
from shared.domain.context import Actor, Company
from shared.domain.policy import InForce
from shared.domain.roles import Role
from shared.events.codec import Codec
from shared.events.deals.deal import DealActivityLogged, DealNextStepPlanned, DealNodeCompleted, DealOpened, DueNode
from shared.events.deals.exchange_rate import ExchangeRate, ExchangeRatesPublished
from shared.events.deals.process import ProcessPublished
from shared.events.envelope import Envelope
from shared.eventstore.log import Log
from shared.eventstore.migrate import migrate
from shared.eventstore.pool import create_pool
from shared.eventstore.streams import StreamCache
from shared.http.json import encode
from shared.kafka.partitioning import PARTITIONS, partition_of
from shared.projections import builds
from shared.projections.projection import Projection, ProjectionDatabase, placed
from shared.projections.read_snapshot import Projections
from shared.service.definition import registry_for
from tests.bench import deals as company
from tests.bench.builds import THIS
from tests.bench.figures import Answered, Measured
from tests.bench.fill.streams import COLUMNS
from tests.bench.machine import machine
from tests.bench.plan import told

PAGE, NUMBER, WARM_UP = 5_000, 500, 20
REPS = 40
"""So many reps ask."""
COPIES, OPEN_COPIES = 50, 10
"""Each row stands for so many of the company, one in five of them open, of ten reps in turn: those who ask, and nine
others for each."""
STAMPED = """
insert into deals_1.deal
select stamped.* from deals_1.deal known, generate_series(1, $1 - 1) copy,
       jsonb_populate_record(known, jsonb_build_object(
           'id', md5(known.id::text || copy)::uuid,
           'status', case when copy < $2 then 'open' else 'lost' end,
           'weighted', case when copy < $2 then known.weighted else 0 end,
           'owner', case copy % $2 when 0 then known.owner else md5(known.owner::text || copy % $2)::uuid end
       )) stamped
"""
STAMPED_ITEMS = """
insert into agenda_1.agenda_item
select md5(deal_id::text || copy)::uuid || substr(id, 37), version, md5(deal_id::text || copy)::uuid, kind, key,
       required, due, is_open, is_dropped, told_by, updated_at, last_place
  from agenda_1.agenda_item, generate_series(1, $1 - 1) copy
"""
NOW = datetime(2026, 3, 16, 8, 0, tzinfo=UTC)
FEW_DAYS, MANY_DAYS = 7, 60
OF_DEALS = (DEAL_PROJECTION, AGENDA_PROJECTION)
READ = (
    *OF_DEALS,
    SUPPORT_REQUEST_PROJECTION,
    STAGE_VISIT_PROJECTION,
    STAGE_WORK_PROJECTION,
    EXCHANGE_RATE_PROJECTION,
    KNOWN_CONTRACTS,
)
TEXTS = ("event_id", "person_id", "data")


async def ask_agendas(deals: int, into: Measured) -> None:
    """Fill the read models that agendas are made of, on a server of their own, and ask them."""
    load = os.getloadavg()[0]
    with ExitStack() as ending:
        home = Home(Path(ending.enter_context(TemporaryDirectory(prefix="throughline-bench-"))))
        for folder in (home.logs, home.records):
            folder.mkdir()
        place = postgres.PostgresPlace(home, free_port(set()))
        server = await postgres.launch(place)
        ending.callback(server.process.wait)
        ending.callback(server.process.send_signal, signal.SIGINT)
        await migrate(place.url)
        pool = await create_pool(place.url, name="bench", statement_seconds=900)
        try:
            agendas = Agendas(pool, deals)
            await agendas.fill()
            into.agendas += [await agendas.ask(name, days) for name, days in questions()]
        finally:
            await pool.close()
        into.about = into.about or await machine(place.url, load)


def questions() -> list[tuple[str, int]]:
    """What is asked, and for how many days ahead."""
    return [(f"a rep's agenda, next {days} days, ten actions", days) for days in (FEW_DAYS, MANY_DAYS)]


class Agendas:
    """The read models that agendas are made of, over many deals."""

    def __init__(self, pool: asyncpg.Pool, deals: int, *, times: int = NUMBER, reps: int = REPS) -> None:
        self._pool, self._deals, self._times, self._reps = pool, deals, times, reps
        self._company = Company()
        self._codec = Codec(registry_for(SERVICE))
        self._log = Log(pool, self._codec, service="deals")
        self._projections = Projections(pool, READ, {"log": self._log, "journal": self._log}, self._company)

    async def fill(self) -> None:
        """Fold the facts of all deals, store those of some, and settle."""
        for projection in READ:
            await builds.prepare(self._pool, projection, self._company)
        began = time.perf_counter()
        for facts in in_pages(self._deals // COPIES, self._reps):
            for projection in OF_DEALS:
                await self._fold(projection, facts)
            await self._store(facts)
        await self._pool.execute(STAMPED, COPIES, OPEN_COPIES, timeout=900)
        await self._pool.execute(STAMPED_ITEMS, COPIES, timeout=900)
        for projection in OF_DEALS:
            for statement in projection.indices:
                await self._pool.execute(placed(statement, {"view": f"{projection.name}_1"}), timeout=900)
        told(f"{self._deals:,} deals were folded and stamped out in {time.perf_counter() - began:.0f} s.")
        await self._store([published()])
        await self._fold(EXCHANGE_RATE_PROJECTION, [rates()])
        for projection in READ:
            await self._pool.execute(f"vacuum (analyze) {projection.name}_1.{TABLES[projection.name]}", timeout=900)
        await self._pool.execute("vacuum (analyze) event", timeout=900)
        await self._pool.execute("checkpoint", timeout=900)

    async def ask(self, name: str, days: int) -> Answered:
        """How long a question takes, each time of another rep."""
        dice, times, size = random.Random(name), list[float](), 0
        for number in range(WARM_UP + self._times):
            rep, began = company.owner_of(dice.randrange(self._reps)), time.perf_counter()
            size = len(encode(await self.answer(rep, days)))
            if number >= WARM_UP:
                times.append(time.perf_counter() - began)
            await asyncio.sleep(0)
        return Answered(build=THIS.label, deals=self._deals, question=name, times=times, size=size)

    async def answer(self, rep: UUID, days: int) -> Agenda:
        """The agenda that a rep is shown."""
        states = StreamCache(self._pool, self._codec).load_many
        winning = InForce(default=WINNING.default_of(self._company), on=self._company.day(NOW))
        of = Sources(projections=self._projections, states=states, winning=winning, company=self._company, now=NOW)
        asker = Actor(subject="rep", roles=frozenset({Role.REP}), member=rep)
        return await agenda_of(of, rep, asker, days=days)

    async def _fold(self, projection: Projection, facts: Sequence[Envelope[Any]]) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            db = ProjectionDatabase(
                connection,
                {"view": f"{projection.name}_1"},
                log=self._log,
                company=self._company,
                position=facts[-1].position,
            )
            await projection.apply(db, facts)

    async def _store(self, facts: Sequence[Envelope[Any]]) -> None:
        rows, texts = list[Any](), list[Any]()
        for fact in facts:
            written = self._codec.encode(fact.data)
            rows.append(
                (
                    *(fact.aggregate_id, fact.aggregate, fact.sequence, fact.id, fact.type, fact.version),
                    *(partition_of(fact.aggregate_id, PARTITIONS), fact.occurred_at, fact.recorded_at, fact.actor),
                    *(fact.correlation_id, fact.causation_id, fact.imported, None, written.data.decode()),
                )
            )
            if written.personal is not None:
                texts.append((fact.id, fact.aggregate_id, written.personal.decode()))
        async with self._pool.acquire() as connection:
            await connection.copy_records_to_table("event", records=rows, columns=COLUMNS)
            await connection.copy_records_to_table("personal", records=texts, columns=TEXTS)


TABLES = {
    "deals": "deal",
    "agenda": "agenda_item",
    "support_requests": "support_request",
    "stage_visits": "stage_visit",
    "stage_work": "stage_work",
    "exchange_rates": "exchange_rate",
    "known_contracts": "contract",
}


def in_pages(deals: int, reps: int) -> Iterator[list[Envelope[Any]]]:
    """The facts about so many open deals of some reps, in pages."""
    facts, dice, page = company.Deals(), random.Random(17), list[Envelope[Any]]()
    for number in range(deals):
        page += life_of(facts, facts.opened(deals)[0], number % reps, dice)
        if len(page) >= PAGE:
            yield page
            page = []
    if page:
        yield page


def life_of(facts: company.Deals, opening: Envelope[Any], rep: int, dice: random.Random) -> list[Envelope[Any]]:
    """An open deal with its work: three pieces that fall due, one of them done, talks, and a next step."""
    deal_id, on = opening.aggregate_id, NOW.date() - timedelta(days=dice.randrange(60))
    at = datetime.combine(on, datetime.min.time(), UTC)
    due = [on + timedelta(days=dice.randrange(3, 40)) for _ in range(3)]
    nodes = (
        DueNode(key="first-conversation", kind="task", required=True, due=due[0]),
        DueNode(key="background-research", kind="task", required=False, due=due[1]),
        DueNode(key="contact-record", kind="deliverable", required=False, due=due[2]),
    )
    first: DealOpened = replace(
        opening.data,
        owner=company.owner_of(rep),
        team=company.team_of(rep % company.TEAMS),
        expected_close=on + timedelta(days=dice.randrange(20, 300)),
        process_id=SHORT_ID,
        stage="initial-contact",
        probability=Decimal("0.10"),
        nodes=nodes,
        on=on,
    )
    step = NOW.date() + timedelta(days=dice.randrange(-20, 40))
    talks = (
        DealActivityLogged(deal_id=deal_id, activity_id=uuid5(deal_id, f"{number}"), kind="call", outcome="Talked")
        for number in range(3)
    )
    done = DealNodeCompleted(
        deal_id=deal_id, stage=first.stage, key="first-conversation", kind="task", required=True, evidence="Minutes"
    )
    planned = DealNextStepPlanned(deal_id=deal_id, on=step, what="Walk through the quotation", silence_until=step)
    told_in_order = (first, *talks, done, planned)
    return [
        facts.fact(deal_id, sequence, event, at + timedelta(minutes=sequence))
        for sequence, event in enumerate(told_in_order, start=1)
    ]


def published() -> Envelope[Any]:
    """The process that all of them follow."""
    event = ProcessPublished(process_id=SHORT_ID, process_version=1, definition=SHORT)
    return alone(SHORT_ID, event, process)


def rates() -> Envelope[Any]:
    """What their currencies are worth."""
    on, told = NOW.date(), (("CHF", "0.9400"), ("USD", "1.1607"))
    worth = tuple(ExchangeRate(currency=currency, rate=Decimal(rate)) for currency, rate in told)
    event = ExchangeRatesPublished(table_id=table_of("EUR", on), base="EUR", on=on, rates=worth)
    return alone(event.table_id, event, exchange_rate)


def alone(aggregate_id: UUID, event: Any, of: Aggregate) -> Envelope[Any]:
    """The one fact of something that is no deal."""
    return replace(
        company.Deals().fact(aggregate_id, 1, event, company.BEGAN), id=uuid5(aggregate_id, "fact"), aggregate=of.name
    )
