"""A stack on servers that are there already: a PostgreSQL as old as is supported, and a Kafka (OPS-1)."""

import asyncio
import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy.local import kafka, postgres
from deploy.local.control import take_down
from deploy.local.home import Home
from deploy.local.ports import free_port
from deploy.local.program import Running, recorded
from deploy.local.stack import Stack, throughline, url_setting
from deploy.services import SERVICES
from tests.conftest import names_a_server
from tests.journey.company import AMOUNT, Company, done, found, made, seen
from tests.whole_stack import Answer, WholeStack

pytestmark = pytest.mark.slow

OLDEST = Path("/usr/lib/postgresql/15")
"""The oldest PostgreSQL that is supported, where Debian puts it."""
UP_SECONDS = 240


@dataclass(frozen=True, slots=True)
class Servers:
    """Somebody else's servers."""

    place: Stack
    running: tuple[Running, Running]

    @property
    def settings(self) -> dict[str, str]:
        """What leads a stack to them."""
        urls = {url_setting(service): postgres.service_url(self.place.postgres, service) for service in SERVICES}
        return {**urls, "KAFKA_BOOTSTRAP": self.place.kafka.bootstrap}

    async def answer(self) -> bool:
        return await postgres.answers(self.place.postgres.url) and await kafka.answers(self.place.kafka.bootstrap)


@pytest.fixture
def given(tmp_path: Path, processes: None, report: Callable[[str], None]) -> Iterator[Servers]:
    place = Stack.at(tmp_path / "given", durable=False, environment={})
    if OLDEST.is_dir():
        place = replace(place, postgres=replace(place.postgres, installation=OLDEST))
    else:
        report(f"NOT TRIED: no PostgreSQL 15 in {OLDEST}; the given server is the newest that is supported.")
    try:
        yield asyncio.run(started(place))
    finally:
        asyncio.run(take_down(place.home))
        place.home.remove()


async def started(place: Stack) -> Servers:
    """PostgreSQL with a database for each service, and Kafka."""
    database = await postgres.launch(place.postgres)
    await postgres.provision(place.postgres, SERVICES)
    return Servers(place, (database, await kafka.launch(place.kafka)))


@pytest.fixture
def settings(given: Servers, tmp_path: Path) -> Iterator[Mapping[str, str]]:
    """The environment of a stack in a home of its own, on the given servers; nothing of it runs afterwards."""
    home = Home(tmp_path / "own")
    outside = {name: value for name, value in os.environ.items() if not names_a_server(name)}
    port = str(free_port(set()))
    yield {**outside, **given.settings, "THROUGHLINE_HOME": str(home.path), "PORT": port, "SIMULATE": "0"}
    asyncio.run(take_down(home))
    home.remove()


def told(settings: Mapping[str, str], *words: str) -> Any:
    """What a command of the command line answers."""
    ran = subprocess.run(
        throughline(*words, "--json"), env=settings, capture_output=True, text=True, timeout=UP_SECONDS, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return json.loads(ran.stdout)


async def test_ops_1_a_stack_works_on_given_servers_and_leaves_them_running(
    given: Servers, settings: Mapping[str, str]
) -> None:
    """OPS-1: no server of its own is started, a lead becomes a deal that the funnel shows, and nothing given stops."""
    up = await asyncio.to_thread(told, settings, "up", "--empty")
    assert up == {"origin": f"http://127.0.0.1:{settings['PORT']}", "kafka": settings["KAFKA_BOOTSTRAP"]}

    status = await asyncio.to_thread(told, settings, "status")
    assert status["phase"] == "running"
    assert sorted(status["services"]) == sorted(SERVICES)
    assert not {"postgresql", "kafka", "simulator"} & status["servers"].keys()
    own = Home(Path(settings["THROUGHLINE_HOME"]))
    assert not {"postgresql", "kafka"} & {file.stem for file in own.records.iterdir() if recorded(file)}
    for service in SERVICES:
        assert (
            status["services"][service]["database"]
            .partition("?")[0]
            .endswith(f":{given.place.postgres.port}/{service}")
        )
        assert given.place.home.secret(f"database-{service}") not in json.dumps(status)

    whole = WholeStack(Stack.at(own.path, environment=settings, choose_ports=False))
    company = await found(whole)
    deal = await a_lead_becomes_a_deal(company)
    funnel = await seen(company.manager, "/v1/funnel", team=company.team, after=deal)
    stages = {stage["stage"]: (stage["count"], stage["amount"]) for stage in funnel["stages"]}
    assert stages["initial-contact"] == (1, AMOUNT)

    down = await asyncio.to_thread(told, settings, "down")
    assert {"leads", "forecast", "gateway"} <= set(down["stopped"])
    assert not {"postgresql", "kafka"} & set(down["stopped"])
    assert await given.answer()
    assert all(server.alive for server in given.running)
    assert await kept(given) > 0


async def a_lead_becomes_a_deal(company: Company) -> Answer:
    lead = await made(
        company.rep,
        "/v1/leads",
        {"source": "fair", "person_name": "Ada Moreno", "company_name": f"Northwind {company.mark}"},
    )
    path, budget = f"/v1/leads/{lead.id}", {"amount": "650000.00", "currency": "EUR"}
    await done(company.rep, f"{path}/log-activity", {"kind": "call", "minutes": 12, "outcome": "reached"}, after=lead)
    facts = {"need_stated": True, "budget": budget, "decision_chain_known": True}
    await done(company.rep, f"{path}/note-qualification", facts)
    close = str(company.today + timedelta(days=20))
    wanted = {"name": f"Line for {company.mark}", "amount": AMOUNT, "expected_close": close}
    converted = await done(company.rep, f"{path}/convert", {"deal": wanted})
    deal = f"/v1/deals/{(await seen(company.rep, path, after=converted))['deal_id']}"
    await seen(company.rep, deal, after=converted)
    return await done(company.rep, f"{deal}/log-activity", {"kind": "visit", "minutes": 90})


async def kept(given: Servers) -> int:
    """How many events the given database of the deals holds."""
    connection = await asyncpg.connect(given.settings["DATABASE_URL_DEALS"])
    try:
        count: int = await connection.fetchval("select count(*) from event")
    finally:
        await connection.close()
    return count
