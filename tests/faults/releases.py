"""Two releases of one service as two processes: each is a folder of sources that a Python process is started in.

The newer one is a copy of this checkout with what a release brings: a migration that expands the schema, and a
projection whose tables have other names, so that whoever read or folded the other's would fail.
"""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from deploy.local.ports import free_port
from shared.ops.settings import Settings, environment_name
from tests.conftest import CHECKOUT
from tests.shared.eventstore.releases import NEWEST, release

SAMPLE = Path("tests/shared/http/sample.py")
MIGRATIONS = Path("shared/eventstore/migrations")
HELD_UP = 11
"""The fold of the newer release waits as long as somebody holds this advisory lock."""
WAIT = f"set local lock_timeout = 0; set local statement_timeout = 0; select pg_advisory_xact_lock_shared({HELD_UP})"
CHANGES = {
    "    version=1,\n": "    version=2,\n",
    "{view}.errand": "{view}.entry",
    'table="errand"': 'table="entry"',
    "    for envelope in events:\n": f"    await db.execute({WAIT!r})\n    for envelope in events:\n",
}
PROGRAM = (
    "from shared.ops.settings import Settings; from shared.service.server import run;"
    "from tests.shared.http.sample import SERVICE; run(SERVICE, Settings.from_environment('errands'))"
)
GIVEN = (
    "database_url",
    "claim_secret",
    "oidc_issuer",
    "oidc_jwks_url",
    "kafka_bootstrap",
    "rate_limit",
    "service_port",
)
END_SECONDS = 30.0


def newer_release(folder: Path) -> Path:
    """Write the sources of the newer release; gives their folder."""
    shutil.copytree(CHECKOUT / "shared", folder / "shared")
    text = (CHECKOUT / SAMPLE).read_text()
    for before, after in CHANGES.items():
        assert before in text, f"{SAMPLE} does not say {before!r} any more"
        text = text.replace(before, after)
    (folder / SAMPLE).parent.mkdir(parents=True)
    (folder / SAMPLE).write_text(text)
    shutil.rmtree(folder / MIGRATIONS)
    (folder / MIGRATIONS).mkdir()
    release(folder / MIGRATIONS)
    assert (folder / MIGRATIONS / f"{NEWEST + 1:04}_expanded.sql").exists()
    return folder


@dataclass(frozen=True, slots=True)
class Served:
    """A process of a release."""

    name: str
    address: str
    process: asyncio.subprocess.Process
    log: Path

    def client(self, headers: Any) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.address, headers=headers, timeout=30)

    def faults(self) -> list[str]:
        """What it has logged that is worse than a warning."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [str(line) for line in lines if line["level"] not in ("debug", "info", "warning")]


@asynccontextmanager
async def served(name: str, sources: Path, settings: Settings, log: Path) -> AsyncIterator[Served]:
    """Start a process of the release in this folder, as `throughline serve` does."""
    settings = replace(settings, service_port=free_port(set()))
    given = {environment_name(one, settings.service): str(getattr(settings, one)) for one in GIVEN}
    environment = {**os.environ, **given, "DEVELOPMENT": "1", "LOG_LEVEL": "info"}
    with log.open("wb") as told:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PROGRAM), cwd=sources, env=environment, stdout=told, stderr=told
        )
    try:
        yield Served(name, f"http://127.0.0.1:{settings.service_port}", process, log)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
