"""When what was imported can be seen: published, journaled by forecast, and in every one of its projections."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from deploy.places import last_places
from shared.eventstore.connecting import connect
from shared.kafka.layout import laid_out
from shared.kafka.record import MAX_INT64

WAIT_SECONDS = 300.0
LOOK_AGAIN_SECONDS = 0.1

MISSING = """
select count(*) from unnest($1::text[], $2::smallint[], $3::bigint[]) as wanted (topic, partition, position)
 where not exists (select from journal_mark m where (m.topic, m.partition) = (wanted.topic, wanted.partition)
                      and m.position >= wanted.position)
"""
# Of a projection that serves in several revisions, the one that was folded last: another one's release may have ended.
BEHIND = """
select count(*) from (
    select distinct on (b.view) m.position
      from view_build b join mark m on m.name = b.view || '_' || b.build left join lease l on l.name = b.revision
     where b.state = 'serving' and b.source = 'journal'
     order by b.view, l.until desc nulls last, b.build desc) as folded
 where position < (select coalesce(max(position), 0) from journal)
    or exists (select from journal_generation where complete_upto is null)
    or exists (select from view_build built join lease l on l.name = built.revision and l.until > clock_timestamp()
                where source = 'journal' and state = 'building'
                  and not exists (select from view_build s where s.view = built.view and s.state = 'serving'))
"""


async def until_visible(databases: Mapping[str, str]) -> bool:
    """Wait until forecast's projections hold everything that the services have recorded; False when they do not in
    time.

    `databases` are the addresses by service, forecast's among them.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    async with opened(databases["forecast"]) as forecast:
        while not isinstance(partitions := await laid_out(forecast), int):
            if partitions == "older" or time.monotonic() > deadline:
                return False
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
        columns = await _recorded(databases, partitions)
        while time.monotonic() < deadline:
            if not await forecast.fetchval(MISSING, *columns) and not await forecast.fetchval(BEHIND):
                return True
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
    return False


async def _recorded(databases: Mapping[str, str], partitions: int) -> list[list[Any]]:
    """What the services have recorded until now: topics, partitions, and the last position in each."""
    wanted: list[tuple[str, int, int]] = []
    for service, url in databases.items():
        async with opened(url) as store:
            places = await last_places(store, service, MAX_INT64, partitions)
        wanted += [(*place, position) for place, position in places.items()]
    return [list(column) for column in zip(*wanted, strict=True)] or [[], [], []]


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Any]:
    """A connection of one's own."""
    connection = await connect(url)
    try:
        yield connection
    finally:
        await connection.close()
