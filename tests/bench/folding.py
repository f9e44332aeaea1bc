"""Waiting until the projections of a service have folded all that they read; for every build's schema."""

import asyncio
import time

import asyncpg

from deploy.local.stack import Stack
from tests.bench.plan import told

PATIENCE_SECONDS, TELL_SECONDS, LOOK_SECONDS = 120.0, 10.0, 0.5
READS = {"log": "event", "journal": "journal"}
"""The table of each source that a view may have."""
BEHIND = """
select count(*) from (
    select bool_or(b.state = 'serving' and m.position >= (select coalesce(max(position), 0) from {table})) as folded
      from view_build b left join mark m on m.name = b.view || '_' || b.build
     where b.source = '{source}' group by b.view) as view
 where folded is not true
"""
REACHED = "select coalesce(sum(position), 0)::bigint from mark"


async def folded(local: Stack, service: str, source: str) -> None:
    """Wait until the projections of a service that fold its log or its journal have come to the end, however long that
    takes. Raises TimeoutError when they come no further."""
    behind = BEHIND.format(source=source, table=READS[source])
    connection = await asyncpg.connect(local.database_url(service))
    began = said = moved = time.monotonic()
    reached = -1
    try:
        while left := await connection.fetchval(behind):
            now = time.monotonic()
            if (far := await connection.fetchval(REACHED)) != reached:
                reached, moved = far, now
            if now - moved > PATIENCE_SECONDS:
                raise TimeoutError(f"{service} folds no further; the logs are in {local.home.logs}.")
            if now - said > TELL_SECONDS:
                said = now
                told(f"Folding: {left} projections of {service} have not come to the end ({now - began:.0f} s).")
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        await connection.close()
