"""The query to the journal behind effects: all that bears a command's correlation id, and what is still waited for.

One statement over the journal and the feed, which knows whose each event is; so one snapshot of one database answers,
and no service has to be asked.

Nothing more follows once every event that a service reacts to is answered by it, and the journal holds what each answer
says was recorded: topics, and their partitions, come in no common order, so that an answer may be here before that.
"""

from enum import IntEnum
from typing import Any
from uuid import UUID

import msgspec
from asyncpg import Record

from services.forecast.asking.question import Question
from shared.events.follow_ups import FOLLOW_UP, FOLLOWERS, FOLLOWING, of_reactions
from shared.events.registry import type_of
from shared.projections.projection import ProjectionDatabase


class Rank(IntEnum):
    """The order of outcomes: what somebody has to look at first."""

    refused = 0
    parked = 1
    waiting = 2
    done = 3


SEEN = "($1::boolean or e.team = any($2::uuid[]) or e.owner = $3)"

HISTORY_TOO = ", ".join(
    f"('{each.service}', '{type_of(event)}')"
    for event, followers in FOLLOWERS.items()
    for each in followers
    if each.imported
)
"""Who answers events of which type also where they were imported."""

LED_TO = f"""
with led as materialized (
    select j.position, split_part(j.topic, '.', 1) as service, j.topic, j.partition, j.source_position, j.aggregate,
           j.aggregate_id, j.event_id, j.type, j.imported, j.causation_id,
           case when j.aggregate = '{FOLLOW_UP}' or (j.type = any($5::text[]) and not j.imported) then j.data end
               as data,
           e.position is not null and coalesce({SEEN}, false) as seen,
           e.position is null and j.aggregate <> '{FOLLOW_UP}' and (
               j.position > $13 or exists (
                   select from parked_event p
                    where (p.runner, p.aggregate_id, p.position) = ('{{view}}', j.aggregate_id, j.position)
               )
           ) as unfolded
      from journal j left join {{view}}.entry e using (position)
     where j.correlation_id = $4
), told as (
    select t.service, t.causation_id as event_id, t.type, t.position, t.event_id as told_by, t.data,
           split_part(t.type, '.', 2) as kind, coalesce(c.seen, false) as seen, c.type as cause, c.aggregate,
           c.aggregate_id
      from led t left join led c on c.event_id = t.causation_id where t.aggregate = '{FOLLOW_UP}'
), answered as (
    select service, event_id, data, seen from told where kind = 'event-answered'
), expected as (
    select f.service, l.event_id, l.type, l.aggregate, l.aggregate_id, l.position, l.seen,
           f.service = any($8::text[]) and l.source_position <= coalesce(passed.position, 0) as passed
      from led l
      join unnest($5::text[], $6::text[], $7::text[]) as f(type, service, field) on f.type = l.type
      left join unnest($9::text[], $10::text[], $11::smallint[], $12::bigint[])
        as passed(service, topic, partition, position)
        on (passed.service, passed.topic, passed.partition) = (f.service, l.topic, l.partition)
     where (not l.imported or (f.service, l.type) in ({HISTORY_TOO}))
       and (f.field is null or coalesce(l.data ->> f.field, 'false') <> 'false')
), parked as (
    select p.* from told p
     where p.kind = 'event-parked'
       and not exists (select from answered a where (a.service, a.event_id) = (p.service, p.event_id))
), awaited as (
    select x.service, x.event_id, x.type, x.aggregate, x.aggregate_id, x.position, x.seen from expected x
     where not x.passed
       and not exists (select from answered a where (a.service, a.event_id) = (x.service, x.event_id))
       and not exists (select from parked p where (p.service, p.event_id) = (x.service, x.event_id))
    union all
    select a.service, l.event_id, l.type, l.aggregate, l.aggregate_id, l.position, a.seen
      from answered a join led l using (event_id)
     where exists (
        select from json_to_recordset(a.data -> 'carried_out') as c(aggregate_id uuid, version bigint)
         where c.version > 0 and not exists (
            select from journal j where j.aggregate_id = c.aggregate_id and j.sequence >= c.version
        )
     )
), effects as (
    select {Rank.done:d} as rank, service, type, event_id, aggregate, aggregate_id as id, causation_id as because,
           position, null as reaction, null as command, null as code, null as message
      from led where seen and aggregate <> '{FOLLOW_UP}'
    union all
    select {Rank.refused:d}, service, type, told_by, data -> 'asked' ->> 'aggregate',
           (data -> 'asked' ->> 'aggregate_id')::uuid, event_id, position,
           coalesce(data ->> 'reaction', data ->> 'timer'), data -> 'asked' ->> 'command', data ->> 'code',
           data ->> 'message'
      from told where seen and kind in ('reaction-refused', 'timer-refused')
    union all
    select {Rank.parked:d}, service, cause, event_id, aggregate, aggregate_id, event_id, position,
           null, null, data ->> 'error', null
      from parked where seen
    union all
    select {Rank.waiting:d}, service, type, event_id, aggregate, aggregate_id, event_id, position,
           null, null, null, null
      from awaited where seen
)
"""  # noqa: S608 - the words are ours

SUMMARY = f"""{LED_TO}
select rank, service, case when rank = {Rank.done:d} then type end as type, count(*) as count
  from effects group by 1, 2, 3
union all
select {Rank.waiting:d}, null, null, count(*) from (
    select from awaited union all select from led where unfolded
) as somewhere
order by 2, 1, 3
"""  # noqa: S608 - as above

PAGE = f"""{LED_TO}
select * from effects where (rank, position, service) > ($14, $15, $16) order by rank, position, service limit $17
"""  # noqa: S608 - as above

BEGUN = """
select distinct on (aggregate_id) split_part(topic, '.', 1) as service, data::text as data from journal
 where aggregate_id = any($1::uuid[]) order by aggregate_id, sequence desc
"""

Key = tuple[int, int, str]
"""Where an effect stands in the list."""
FIRST: Key = (-1, 0, "")
STREAMS = [of_reactions(service, log) for service in FOLLOWING for log in ("journal", "log")]


async def led_to(
    feed: ProjectionDatabase, asked: Question, correlation_id: UUID, *, after: Key | None, enough: int
) -> tuple[list[Record], list[Record]]:
    """How many effects of each rank, service and type a command had, as far as the asker sees them, and those that come
    after a place, as many as are enough. Rows without a service count what is waited for, whoever may see it."""
    about = [*asked.scope[:3], correlation_id, *_followed(), *await _begun(feed), feed.position]
    return await feed.fetch(SUMMARY, *about), await feed.fetch(PAGE, *about, *(after or FIRST), enough)


def _followed() -> tuple[list[str], list[str], list[str | None]]:
    """Types, who answers events of them, and the field that has to say something."""
    rows = [(type_of(event), each.service, each.when) for event, known in FOLLOWERS.items() for each in known]
    return [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]


async def _begun(feed: ProjectionDatabase) -> tuple[list[str], list[str], list[str], list[int], list[int]]:
    """The services of which it is known from where on they answer, and these places."""
    rows = [(row["service"], msgspec.json.decode(row["data"])) for row in await feed.fetch(BEGUN, STREAMS)]
    places = [(service, *each.values()) for service, told in rows for each in map(_place, told["passed"])]
    columns = [list(column) for column in zip(*places, strict=True)] or [[], [], [], []]
    return [service for service, _ in rows], columns[0], columns[1], columns[2], columns[3]


def _place(told: dict[str, Any]) -> dict[str, Any]:
    return {name: told[name] for name in ("topic", "partition", "position")}
