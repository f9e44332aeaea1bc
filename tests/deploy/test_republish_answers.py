"""What is answered over HTTP while everything is published again: as before, or 503 for now, and nothing else."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest

from deploy.local import kafka as local_kafka
from deploy.local.identity import Issuer, Person
from deploy.local.stack import Stack
from deploy.republish import republish
from deploy.services import definition_of
from deploy.verify.verification import Part, verify
from services.deals.app import SERVICE as DEALS
from services.forecast.app import SERVICE as FORECAST
from services.leads.app import SERVICE as LEADS
from shared.domain.roles import Role
from shared.http.context import ServiceContext
from shared.kafka.partitioning import PARTITIONS
from shared.ops.ids import new_id
from shared.ops.settings import Settings
from shared.projections.tokens import decode
from shared.service.build import build
from shared.service.definition import Service
from shared.testing.servers import DatabaseServer
from tests.deploy.test_verify import until
from tests.shared.http.conftest import issuer, served

__all__ = ["issuer"]

EUR = {"currency": "EUR"}
DEALS_OF_ANN = 12
NOW_AND_THEN = {"as_of", "known_at", "currency", "position", "correlation_id"}
"""What an answer says of itself, or of a journal whose positions are not used twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A service on a socket."""

    running: ServiceContext
    address: str
    issuer: Issuer

    def client(self, role: Role, subject: str) -> httpx.AsyncClient:
        token = self.issuer.token(Person(subject=subject, name=subject, role=role), 600)
        return httpx.AsyncClient(base_url=self.address, headers={"Authorization": f"Bearer {token}"}, timeout=30)

    @property
    def part(self) -> Part:
        return Part.of(definition_of(self.running.name), self.running.pool, self.running.settings.company, PARTITIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """Ann sells, Bob does, and both have customers."""

    leads: Place
    deals: Place
    forecast: Place
    bootstrap: str

    @property
    def parts(self) -> list[Part]:
        return [self.leads.part, self.deals.part, self.forecast.part]


@asynccontextmanager
async def at_work(service: Service, postgres: DatabaseServer, issuer: Issuer, bootstrap: str) -> AsyncIterator[Place]:
    url = await postgres.create_database(service.name, await postgres.migrated())
    settings = replace(
        Settings(service=service.name, database_url=url, claim_secret="c" * 32),
        oidc_issuer=issuer.address,
        oidc_jwks_url=f"{issuer.address}/jwks",
        kafka_bootstrap=bootstrap,
        rate_limit="",
    )
    app = build(service, settings)
    async with app.router.lifespan_context(app), served(app) as address:
        yield Place(running=app.state.service, address=address, issuer=issuer)
    await postgres.drop_database(url)


@pytest.fixture
async def company(stack: Stack, postgres: DatabaseServer, issuer: Issuer, home: object) -> AsyncIterator[Company]:
    await local_kafka.launch(stack.kafka)
    async with AsyncExitStack() as opened:
        leads, deals, forecast = [
            await opened.enter_async_context(at_work(service, postgres, issuer, stack.bootstrap))
            for service in (LEADS, DEALS, FORECAST)
        ]
        yield Company(leads=leads, deals=deals, forecast=forecast, bootstrap=stack.bootstrap)


async def does(client: httpx.AsyncClient, path: str, body: Mapping[str, Any]) -> httpx.Response:
    return await client.post(path, json=body, headers={"Idempotency-Key": str(new_id())})


async def made(client: httpx.AsyncClient, path: str, body: Mapping[str, Any], *known_to: Place) -> str:
    """What a command made, known to others when this returns."""
    answer = await does(client, path, body)
    assert answer.status_code == 201, answer.text
    for place in known_to:
        token = decode(answer.headers["Consistency-Token"], PARTITIONS)
        await place.running.consistency.wait_for(token, place.running.projections.every, 120)
    return str(answer.json()["id"])


@dataclass(slots=True)
class Asker:
    """Somebody who asks one thing all the time."""

    name: str
    ask: Callable[[], Awaitable[httpx.Response]]
    right: int = 200
    compares: bool = True
    before: Any = None
    answers: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    async def learn(self) -> None:
        """What is right."""
        answer = await self.ask()
        assert answer.status_code == self.right, f"{self.name}: {answer.text}"
        self.before = bare(answer.json()) if self.compares else None

    async def once(self) -> None:
        answer = await self.ask()
        self.answers[answer.status_code] += 1
        if answer.status_code == 503:
            fair = "retry-after" in answer.headers
        else:
            same = not self.compares or (answer.status_code == self.right and bare(answer.json()) == self.before)
            fair = answer.status_code == self.right and same
        if not fair:
            self.wrong.append(f"{self.name}: {answer.status_code} {answer.text[:300]}")

    async def until(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self.once()
            await asyncio.sleep(0.02)


def bare(told: Any) -> Any:
    """An answer without what differs from one moment to the next."""
    if isinstance(told, dict):
        return {key: bare(value) for key, value in told.items() if key not in NOW_AND_THEN}
    return [bare(one) for one in told] if isinstance(told, list) else told


@asynccontextmanager
async def asking(askers: list[Asker]) -> AsyncIterator[None]:
    stop = asyncio.Event()
    tasks = [asyncio.create_task(asker.until(stop)) for asker in askers]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def peopled(company: Company) -> tuple[list[Asker], httpx.AsyncClient]:
    """Ann with her deals and an account, and everybody who asks about them; and Ann at forecast."""
    operations = company.leads.client(Role.SALES_OPERATIONS, "ops")
    team = await made(operations, "/v1/teams", {"name": "North"})
    both = (company.deals, company.forecast)
    member = {"role": "rep", "team_id": team}
    await made(operations, "/v1/members", {"subject": "ann", "name": "Ann", **member}, *both)
    bob = await made(operations, "/v1/members", {"subject": "bob", "name": "Bob", **member}, *both)
    account = await made(operations, "/v1/accounts", {"name": "Plant"}, *both)
    ann, seen = company.deals.client(Role.REP, "ann"), company.forecast.client(Role.REP, "ann")
    for number in range(1, DEALS_OF_ANN + 1):
        body = {"name": f"Deal {number}", "amount": {"amount": f"{number}000.00", **EUR}}
        own = await made(ann, "/v1/deals", body, company.deals, company.forecast)
    selling = company.deals.client(Role.SALES_OPERATIONS, "ops")
    for_bob = {"name": "For Bob", "owner": bob, "team": team, "account_id": account}
    askers = [
        Asker("state", lambda: ann.get(f"/v1/deals/{own}")),
        Asker("list", lambda: ann.get("/v1/deals", params={"limit": 50, "sort": "name"})),
        Asker("funnel", lambda: seen.get("/v1/funnel")),
        Asker("deals of the funnel", lambda: seen.get("/v1/funnel/deals")),
        Asker("newest events", lambda: seen.get("/v1/newest-events")),
        Asker("history", lambda: seen.get(f"/v1/deal-histories/{own}")),
        Asker("me", lambda: seen.get("/v1/me")),
        Asker("command", lambda: does(selling, "/v1/deals", for_bob), right=201, compares=False),
        Asker("own command", lambda: does(ann, f"/v1/deals/{own}/move", {"stage": "nowhere"}), right=422),
    ]
    return askers, seen


def told_wrong(askers: list[Asker]) -> list[str]:
    return [wrong for asker in askers for wrong in asker.wrong[:3]]


async def test_no_answer_is_wrong_while_everything_is_published_again(company: Company) -> None:
    """API-2, OPS-3: and a listener of the stream stays, and hears what comes after it."""
    askers, seen = await peopled(company)
    for asker in askers:
        await asker.learn()
    async with listening(seen) as heard:
        async with asking(askers):
            done = await republish(company.parts, company.bootstrap, recreate=True)
        assert sorted(done.journals) == ["deals", "forecast", "leads"]
        assert told_wrong(askers) == []
        assert [asker.name for asker in askers if not asker.answers[503]] == [], "they were not asked in between"
        for asker in askers:
            asker.answers.clear()
            await asker.once()
        assert {asker.name: list(asker.answers) for asker in askers} == {asker.name: [asker.right] for asker in askers}
        later = await made(company.deals.client(Role.REP, "ann"), "/v1/deals", {"name": "Later"})
        await until(lambda: is_there(heard, later))
    assert [one.sentence for one in (await verify(company.parts, company.bootstrap)).differences] == []


@pytest.mark.parametrize(("step", "recreate"), [("begin_anew", True), ("complete", False)])
async def test_a_run_that_is_killed_leaves_503_and_words_and_another_one_ends_it(
    company: Company, monkeypatch: pytest.MonkeyPatch, step: str, recreate: bool
) -> None:
    """OPS-3: whatever was journaled by then. Where only the last step is missing, nothing is published once more."""
    askers, _ = await peopled(company)
    for asker in askers:
        await asker.learn()
    with monkeypatch.context() as patched:
        patched.setattr(f"deploy.republish.{step}", killed)
        with pytest.raises(Killed):
            await republish(company.parts, company.bootstrap, recreate=True)
    await until(lambda: waits(company, step))
    for asker in askers:
        await asker.once()
    assert told_wrong(askers) == []
    assert {asker.name: list(asker.answers) for asker in askers} == {asker.name: [503] for asker in askers}
    done = await republish(company.parts, company.bootstrap, recreate=recreate)
    assert (list(done.services) == []) is not recreate
    for asker in askers:
        asker.answers.clear()
        await asker.once()
    assert told_wrong(askers) == []
    assert {asker.name: list(asker.answers) for asker in askers} == {asker.name: [asker.right] for asker in askers}


async def waits(company: Company, step: str) -> bool:
    """Whether both services say what is to be done, and the relays as well where they are sealed."""
    found = [await one.running.health.readiness() for one in (company.deals, company.forecast)]
    projections = [report for reports in found for report in reports if report.name == "projections"]
    relays = [report for report in company.deals.running.health.workers if report.name == "relay"]
    sealed = [report for report in relays if "republish --recreate` is at work" in report.detail and not report.ok]
    named = all("run `throughline republish`" in report.detail and not report.ok for report in projections)
    return named and bool(sealed) is (step == "begin_anew")


class Killed(BaseException):
    """What ends a run where it is."""


async def killed(*_: object) -> None:
    raise Killed


async def is_there(heard: list[dict[str, Any]], deal: str) -> bool:
    return any(event["id"] == deal for event in heard)


@asynccontextmanager
async def listening(client: httpx.AsyncClient) -> AsyncIterator[list[dict[str, Any]]]:
    """What somebody hears who holds one stream all the time; that it ends is an error."""
    heard: list[dict[str, Any]] = []

    async def hear(lines: AsyncIterator[str]) -> None:
        async for line in lines:
            if line.startswith("data:"):
                heard.append(json.loads(line.removeprefix("data:")))
        raise AssertionError("the stream ended")

    async with client.stream("GET", "/v1/stream", timeout=60) as response:
        assert response.status_code == 200
        hearing = asyncio.create_task(hear(response.aiter_lines()))
        try:
            yield heard
            assert not hearing.done(), hearing.exception()
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)
