"""On what a run was measured."""

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import asyncpg

LIBRARIES = ("fastapi", "starlette", "uvicorn", "pydantic", "asyncpg", "aiokafka", "eventsourcing", "psycopg")


async def machine(database: str, load_before: float) -> Mapping[str, str]:
    """What carries over to no other machine."""
    connection = await asyncpg.connect(database)
    try:
        postgres = await connection.fetchval("show server_version")
    finally:
        await connection.close()
    return {
        "Measured": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "Machine": f"{os.cpu_count()} cores, {processor()}, {platform.system()} {platform.machine()}",
        "Load of the machine": f"{load_before:.1f} before, {os.getloadavg()[0]:.1f} after (bench included)",
        "Python": platform.python_version(),
        "PostgreSQL": f"{postgres}, fsync on",
        "Kafka": "4.1, one node (KRaft), on the same machine",
        "Libraries": ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
    }


def processor() -> str:
    """The processor's name, as far as the system tells it."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or "unknown processor")
