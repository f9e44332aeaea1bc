"""The section of questions: one client at forecast's own port, over a large history."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path

import psutil

from deploy.local.control import take_down
from deploy.local.home import Home
from deploy.local.ports import LOOPBACK
from deploy.local.stack import Stack
from tests.bench import builds, peers
from tests.bench.asker import Asked, Asking
from tests.bench.builds import Build
from tests.bench.clients import asked
from tests.bench.figures import Answered, Held, Measured
from tests.bench.fill.homes import filled, place
from tests.bench.folding import folded
from tests.bench.machine import machine
from tests.bench.plan import FRAMEWORK, told
from tests.bench.servers import peer, processes
from tests.bench.wire import Place
from tests.whole_stack import WholeStack

NUMBER, SECONDS, WARM_UP = 500, 25.0, 20
"""Each question is asked so often, or for so long, after so many times that do not count."""
FORECAST = "forecast"


def questions(today: date) -> list[tuple[str, str]]:
    """The standard questions and their drill-downs."""
    month, quarter = today - timedelta(days=30), today - timedelta(days=90)
    return [
        ("health", "/v1/health-metrics"),
        ("endangered deals", "/v1/endangered-deals"),
        ("funnel", "/v1/funnel"),
        ("funnel, as of 90 days ago", f"/v1/funnel?as_of={quarter}"),
        ("forecast", "/v1/forecast"),
        ("forecast, as of 90 days ago", f"/v1/forecast?as_of={quarter}"),
        ("changes in 30 days", f"/v1/pipeline-changes?from={month}"),
        ("deals of a stage", "/v1/funnel/deals?stage=quotation"),
        ("deals of the forecast", "/v1/forecast/deals"),
        ("deals that changed", f"/v1/pipeline-changes/deals?from={month}"),
    ]


async def answer_questions(build: Build, deals: int, into: Measured) -> None:
    """Ask one build, and FastAPI without a database beside it."""
    path, load = place(build, deals), os.getloadavg()[0]
    await filled(build, path, deals, published=True, say=told)
    async with _running(build, path) as local:
        await folded(local, FORECAST, "journal")
        whole = WholeStack(local)
        token = whole.token("sales-director")
        process = processes(local)[FORECAST]
        into.held.append(held(build, deals, process, "after folding"))
        found = await _ask(local.ports[FORECAST], token, questions(whole.now().date()))
        async with peer(local, FRAMEWORK, "without_database") as beside:
            found += await _ask(beside.port, token, [(FRAMEWORK, peers.NOTHING)])
        into.held.append(held(build, deals, process, "after the questions"))
        into.about = into.about or await machine(local.postgres.url, load)
    into.answered += [
        Answered(build=build.label, deals=deals, question=one.name, times=one.times, size=one.size) for one in found
    ]


async def _ask(port: int, token: str, what: list[tuple[str, str]]) -> list[Asked]:
    at = Place(host=LOOPBACK, port=port, token=token)
    return await asked(Asking(place=at, requests=what, number=NUMBER, seconds=SECONDS, warm_up=WARM_UP))


def held(build: Build, deals: int, process: psutil.Process, when: str) -> Held:
    """The memory of a process."""
    memory = process.memory_full_info()
    return Held(build=build.label, deals=deals, when=when, resident=memory.rss, own=getattr(memory, "pss", memory.uss))


@asynccontextmanager
async def _running(build: Build, path: Path) -> AsyncIterator[Stack]:
    try:
        yield await builds.up(build, Home(path))
    finally:
        await take_down(Home(path))
