"""When what was imported can be seen: published, journaled by forecast, and in every one of its views."""

import asyncio
import time
from collections.abc import Mapping

from shared.events.registry import topic_of
from shared.eventstore.connecting import connect

WAIT_SECONDS = 300.0
LOOK_AGAIN_SECONDS = 0.1

PUBLISHED = "select aggregate, partition, max(position) as position from event group by 1, 2"
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
    wanted: list[tuple[str, int, int]] = []
    for service, url in databases.items():
        connection = await connect(url)
        try:
            rows = await connection.fetch(PUBLISHED)
        finally:
            await connection.close()
        wanted += [(topic_of(service, row["aggregate"]), row["partition"], row["position"]) for row in rows]
    columns = [list(column) for column in zip(*wanted, strict=True)] or [[], [], []]
    connection = await connect(databases["forecast"])
    deadline = time.monotonic() + WAIT_SECONDS
    try:
        while time.monotonic() < deadline:
            missing = await connection.fetchval(MISSING, *columns)
            if not missing and not await connection.fetchval(BEHIND):
                return True
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
    finally:
        await connection.close()
    return False
