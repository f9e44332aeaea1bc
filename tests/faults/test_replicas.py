"""Two processes of every service: whichever of them is killed, the other goes on, and nothing is lost (OPS-3)."""

import asyncio
import itertools
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from deploy.local.owners import owned_segments
from deploy.local.ports import LOOPBACK, free_port
from deploy.services import SERVICES
from tests.faults.test_kills import seen
from tests.faults.traffic import SELLERS, Traffic, nothing_lost_nothing_doubled, until
from tests.whole_stack import PATIENCE, WholeStack

LED = {
    "leads": {"relay", "projections-log"},
    "deals": {"relay", "projections-log", "projections-journal", "reactions-journal"},
    "contracts": {"relay", "projections-log", "projections-journal", "reactions-journal"},
    "receivables": {"relay", "projections-log", "projections-journal", "reactions-journal"},
    "forecast": {"relay", "projections-log", "projections-journal", "reactions-journal"},
}
"""What only whoever holds the lease tells of."""


class Balanced(httpx.AsyncBaseTransport):
    """A gateway that sends each request to the next process of the service that owns its path."""

    def __init__(self, addresses: Mapping[str, tuple[str, ...]]) -> None:
        self._owners = owned_segments(SERVICES)
        self._next = {service: itertools.cycle(each) for service, each in addresses.items()}
        self._way = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        segment = request.url.path.split("/")[2]
        there = httpx.URL(next(self._next[self._owners[segment]]))
        request.url = request.url.copy_with(scheme=there.scheme, host=there.host, port=there.port)
        return await self._way.handle_async_request(request)

    async def aclose(self) -> None:
        await self._way.aclose()


@asynccontextmanager
async def second_replica(stack: WholeStack, service: str, log: Path) -> AsyncIterator[tuple[int, str]]:
    """Another process of a service, as `throughline serve` starts it; gives its id and its address."""
    port = free_port(set())
    program = stack.local.service(service, after=()).program
    with log.open("wb") as told:
        process = await asyncio.create_subprocess_exec(
            *program.argv, env={**os.environ, **program.env, "SERVICE_PORT": str(port)}, stdout=told, stderr=told
        )
    try:
        yield process.pid, f"http://{LOOPBACK}:{port}"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def leads(service: str, address: str) -> bool:
    """Whether a process does what one process of its service does for all."""
    async with httpx.AsyncClient(timeout=5) as client:
        try:
            told = (await client.get(f"{address}/health/workers")).json()
        except httpx.TransportError:
            return False
    return LED[service] <= {report["name"] for report in told if report["ok"]}


async def all_led_at(addresses: Mapping[str, str]) -> None:
    """Wait until these processes lead everything of their services."""

    async def led() -> bool:
        return all(await asyncio.gather(*(leads(service, address) for service, address in addresses.items())))

    await until(led, "nobody has taken over")


async def ready(address: str) -> bool:
    async with httpx.AsyncClient(timeout=5) as client:
        try:
            return (await client.get(f"{address}/health/ready")).status_code == 200
        except httpx.TransportError:
            return False


@pytest.mark.slow
async def test_of_two_processes_of_every_service_either_can_be_killed(stack: WholeStack, tmp_path: Path) -> None:
    first = {service: stack.local.url(service) for service in SERVICES}
    async with AsyncExitStack() as held:
        started = {
            service: await held.enter_async_context(second_replica(stack, service, tmp_path / f"{service}.log"))
            for service in SERVICES
        }
        second = {service: address for service, (_, address) in started.items()}
        for address in second.values():
            await until(lambda address=address: ready(address), f"{address} is not ready")  # type: ignore[misc]
        both = {service: (first[service], second[service]) for service in SERVICES}

        def person(role: str) -> httpx.AsyncClient:
            headers = {"Authorization": f"Bearer {stack.token(role)}"}
            balanced = Balanced(both)
            return httpx.AsyncClient(transport=balanced, base_url=stack.origin, headers=headers, timeout=PATIENCE)

        async with person("sales-operations") as seller, person("finance") as finance, asyncio.TaskGroup() as tasks:
            traffic = Traffic(seller, finance)
            for _ in range(SELLERS):
                tasks.create_task(traffic.go_on())
            await traffic.reaches(20)
            for service in SERVICES:  # the supervisor brings them back, and they find everything led
                os.kill(seen(stack, service)["pid"], signal.SIGKILL)
            await all_led_at(second)
            await traffic.reaches(len(traffic.done) + 20)
            for pid, _ in started.values():
                os.kill(pid, signal.SIGKILL)
            await all_led_at(first)
            await traffic.reaches(len(traffic.done) + 20)
            traffic.enough.set()
    await nothing_lost_nothing_doubled(stack, traffic.done)
