"""A stack's home filled with a large history: made once, then used again; one that was cut off goes on."""

import asyncio
import hashlib
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from deploy.demo.company import company_of
from deploy.demo.generator import write
from deploy.local import postgres
from deploy.local.control import take_down
from deploy.local.home import Home, read_json, write_atomically
from deploy.local.stack import CHECKOUT, Stack
from deploy.services import SERVICES
from tests.bench import builds
from tests.bench.builds import Build
from tests.bench.fill.base import base
from tests.bench.fill.copying import fill, heads_of

HOMES = CHECKOUT / ".throughline"
SEED = 1
BASE_DEALS = 500
"""Taken in by the services; the rest are copies."""
LOAD = """
import asyncio, os, sys
from functools import partial
from pathlib import Path
from deploy.cli.import_ import facts_in
from deploy.imports.facts import ids_of
from deploy.imports.loading import load
from deploy.imports.visibility import until_visible
from deploy.local.stack import Stack
from shared.events import registry
from shared.ops.settings import Settings
home, file = map(Path, sys.argv[1:])
stack = Stack.at(home, choose_ports=False)
environment = {**os.environ, **stack.settings(), **stack.database_settings()}
settings = {name: Settings.from_environment(name, environment) for name in registry.SERVICES}
told = asyncio.run(load(partial(facts_in, file), ids_of("bench"), settings, lambda _: None))
if told.rejections:
    sys.exit("; ".join(one.reason for one in told.rejections[:5]))
arrived = asyncio.run(until_visible({name: stack.database_url(name) for name in {*registry.SERVICES, "forecast"}}))
sys.exit(0 if arrived else f"The history does not arrive everywhere; the logs are in {home / 'logs'}.")
"""
"""Run by a build's interpreter: what is stored is what that build writes, and it knows when that has arrived."""


def place(build: Build, deals: int) -> Path:
    """Where the filled home of a build is."""
    return HOMES / f"filled-{deals}-{build.label.replace(' ', '-')}"


async def filled(build: Build, path: Path, deals: int, *, published: bool, say: Callable[[str], None]) -> None:
    """Fill a home, unless it is filled so already; nothing runs in it afterwards."""
    home, wanted = Home(path), {"deals": deals, "published": published, "schema": _schema(build)}
    await take_down(home)
    if read_json(path / "filled.json") == wanted:
        return
    if read_json(path / "filling.json") != wanted:
        home.remove()
        local = await builds.up(build, home)
        try:
            await _take_in(build, local, min(deals, BASE_DEALS))
        finally:
            await take_down(home)
    local = Stack.at(path, choose_ports=False)
    databases = {name: local.database_url(name) for name in SERVICES}
    running = await postgres.launch(local.postgres)
    try:
        if not (heads := read_json(path / "heads.json")):
            heads = await heads_of(databases)
            write_atomically(path / "heads.json", json.dumps(heads))
            write_atomically(path / "filling.json", json.dumps(wanted))
        done = await fill(
            databases,
            heads,
            copies=max(0, round(deals / BASE_DEALS) - 1),
            secret=home.secret("claims"),
            currency=company_of(local).currency,
            published=published,
            say=say,
        )
    finally:
        await running.stop()
    say(f"{sum(done.events.values()):,} events copied, {sum(done.journaled.values()):,} into journals.")
    write_atomically(path / "filled.json", json.dumps(wanted))


def _schema(build: Build) -> str:
    """A digest of a build's migrations: what another schema was filled with, it may not start on."""
    files = sorted((build.folder / "shared").glob("*/migrations/*.sql"))
    if not files:
        raise LookupError(f"{build.label} has no migrations where they are looked for")
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


async def _take_in(build: Build, local: Stack, deals: int) -> None:
    """Have the services take in the small history, and wait until it has arrived everywhere."""
    file, company = local.home.path / "base.jsonl", company_of(local)
    write(file, base(SEED, company.day(datetime.now(UTC)), company, deals))
    process = await asyncio.create_subprocess_exec(
        *(str(build.python), "-P", "-c", LOAD, str(local.home.path), str(file)),
        cwd=build.folder,
        env=local.environment,
        stdout=sys.stderr,
    )
    if await process.wait() != 0:
        raise RuntimeError(f"{build.label} did not take in the history; it says why above.")
