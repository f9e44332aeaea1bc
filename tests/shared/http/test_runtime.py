"""What a process of a new release leaves to those of the one before, until its projections serve (OPS-2)."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import asyncpg
import pytest

from shared.commands.loaders import LoaderContext, reads
from shared.commands.request import CommandRequest
from shared.domain.context import Context
from shared.events.envelope import Envelope
from shared.http.context import ServiceContext
from shared.ops.health import Health
from shared.ops.ids import new_id
from shared.ops.metrics import Metrics
from shared.ops.settings import Settings
from shared.projections.projection import Projection, ProjectionDatabase, revision_of
from shared.projections.read_snapshot import NotBuilt
from shared.reactions.registry import Do, Reactions
from shared.service.definition import Service
from shared.service.runtime import commands_alone, running_process
from shared.testing.servers import DatabaseServer
from tests.shared.eventstore.tickets import (
    PROVIDES,
    SERVICE_ACTOR,
    OpenTicket,
    SamePerson,
    TicketOpened,
    counter,
    same_person,
    ticket,
)
from tests.shared.http.waiting import until

LONG_AGO = date(2026, 1, 5)
WAITING = {"reactions-log", "timers"}
TAKEN = "insert into lease values ($1, gen_random_uuid(), 1, clock_timestamp() + interval '1 minute')"
ENDED = "update lease set until = clock_timestamp() where name = $1"


async def fold(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    for envelope in events:
        await db.execute("insert into {view}.ticket values ($1)", envelope.aggregate_id)


def listed(version: int) -> Projection:
    return Projection(
        name="tickets",
        version=version,
        ddl="create table {view}.ticket (id uuid primary key)",
        apply=fold,
        events=(TicketOpened,),
    )


@reads("tickets")
async def asked(reader: LoaderContext, state: object, command: OpenTicket, context: Context) -> SamePerson:
    """What a loader may ask the list."""
    return await same_person(reader, state, command, context)


@dataclass(slots=True)
class Done:
    """What reactions have done."""

    reacted: list[TicketOpened] = field(default_factory=list)

    def service(self, version: int) -> Service:
        """A release with reactions and timers, which ask the views."""
        reactions = Reactions("tickets")

        @reactions.on
        def note(event: TicketOpened, fact: Envelope[TicketOpened]) -> Sequence[Do]:
            self.reacted.append(event)
            return ()

        return Service(
            "tickets",
            aggregates=(ticket, counter),
            provides={**PROVIDES, SamePerson: asked},
            projections=(listed(version),),
            reactions=reactions,
            description="Tickets.",
        )


@pytest.fixture
async def settings(postgres: DatabaseServer) -> AsyncIterator[Settings]:
    url = await postgres.create_database("tickets", await postgres.migrated())
    settings = Settings(service="tickets", database_url=url, claim_secret="c" * 32)
    yield replace(settings, kafka_bootstrap="127.0.0.1:9")
    await postgres.drop_database(url)


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator["asyncpg.Connection[Any]"]:
    connection = await asyncpg.connect(settings.database_url)
    yield connection
    await connection.close()


def process(service: Service, settings: Settings) -> AbstractAsyncContextManager[ServiceContext]:
    return running_process(service, settings, Health(Metrics.of("tickets")))


async def serves(running: ServiceContext) -> bool:
    try:
        async with running.projections.reading(["tickets"]) as reading:
            return reading("tickets").position > 0
    except NotBuilt:
        return False


@asynccontextmanager
async def waiting(
    done: Done, settings: Settings, database: Any, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[None]:
    """A process of release 2 whose list is led by somebody who does not get on with it. Its workers have looked whether
    they may begin, each of them more than once."""
    async with process(Done().service(1), settings) as running:
        await running.commands.execute(
            CommandRequest(ticket, new_id(), OpenTicket(email="ann@example.com"), SERVICE_ACTOR)
        )
        await until(lambda: serves(running))
    async with commands_alone(Done().service(1), settings) as commands:
        await commands.execute(
            CommandRequest(ticket, new_id(), OpenTicket(email="bob@example.com", due=LONG_AGO), SERVICE_ACTOR)
        )
    await database.execute(TAKEN, revision_of(listed(2), settings.company))
    looks = 0
    async with process(done.service(2), settings) as running:
        require = running.projections.require

        async def looked(names: Collection[str]) -> None:
            nonlocal looks
            looks += 1
            await require(names)

        monkeypatch.setattr(running.projections, "require", looked)
        await until(lambda: looks > 2 * len(WAITING))
        assert {report.name for report in running.health.workers} >= WAITING
        yield


async def timers(database: Any) -> int:
    return int(await database.fetchval("select count(*) from timer"))


async def test_workers_that_ask_the_projections_begin_once_those_serve(
    settings: Settings, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = Done()
    async with waiting(done, settings, database, monkeypatch):
        assert (done.reacted, await timers(database)) == ([], 1)
        await database.execute(ENDED, revision_of(listed(2), settings.company))

        async def all_of_them() -> bool:
            return bool(done.reacted and not await timers(database))

        await until(all_of_them)


async def test_workers_that_wait_for_the_projections_can_be_stopped(
    settings: Settings, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = Done()
    async with asyncio.timeout(None) as stop:
        async with waiting(done, settings, database, monkeypatch):
            # Less than the time after which whoever does not stop is cancelled.
            stop.reschedule(asyncio.get_running_loop().time() + 10)
    assert (done.reacted, await timers(database)) == ([], 1)
