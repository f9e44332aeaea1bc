"""What one command led to, in every service: done, refused, parked, still waited for (API-2, API-4).

All of it is in the journal: the events that bear the command's correlation id, and among them what each service told of
its reactions to the others (`shared/events/follow_ups.py`). So one snapshot of one database answers, and no service has
to be asked.

Nothing more follows once every event that a service reacts to is answered by it, and the journal holds what each answer
says was recorded: topics, and their partitions, come in no common order, so that an answer may be here before that.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Path, Response

from services.forecast.paging import Paged
from services.forecast.parameters import OfNow
from services.forecast.question import Question
from shared.commands.request import NotFound
from shared.domain.roles import READING
from shared.events.follow_ups import FOLLOW_UP, FOLLOWERS, FOLLOWING, of_reactions
from shared.events.registry import type_of
from shared.http.handwritten import answer, operation
from shared.projections.errors import InvalidQuery, invalid
from shared.projections.projection import ProjectionDatabase
from shared.projections.query_values import identifier

router = APIRouter(tags=["Effects"])

Outcome = Literal["waiting", "parked", "refused", "done"]


class Rank(IntEnum):
    """The order of outcomes: what somebody has to look at first."""

    refused = 0
    parked = 1
    waiting = 2
    done = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedType:
    """How many events of a type."""

    type: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceEffects:
    """What the command led to in one service."""

    service: str
    state: Outcome
    done: list[CountedType]
    """What was recorded."""
    refused: int
    parked: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One thing that followed, or was to follow. `because` is the command or event that it follows from.

    Of what is done, `type` and `event_id` say which event was recorded, and `aggregate` and `id` about what. Of what
    was refused, `reaction` (or timer) and `command` say what was to happen to that thing, `code` and `message` why it
    did not. Of what is parked or waited for, `type` and `event_id` are those of the event that is to be reacted to, and
    `code` is the kind of the failure.
    """

    outcome: Outcome
    service: str
    type: str
    event_id: UUID
    aggregate: str
    id: UUID
    because: UUID
    position: int
    reaction: str | None = None
    command: str | None = None
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What one command led to, as far as the asker may see it.

    `state` is `waiting` for as long as something may still follow, whoever may see that; then `parked` when something
    failed and is tried again, else `refused` when a rule refused something, else `done`. The single effects are a page:
    refusals first, then what is parked, waited for, and done, each in its order.
    """

    correlation_id: UUID
    as_of: datetime
    state: Outcome
    services: list[ServiceEffects]
    effects: list[Effect]
    next: str | None
    """The cursor of the following page."""
    has_more: bool


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


@router.get("/v1/effects/{correlation_id}", **operation(roles=READING, answers=Effects))
async def effects(
    put: OfNow,
    paged: Paged,
    correlation_id: Annotated[
        str, Path(description="`X-Correlation-Id` of the command's answer.", json_schema_extra={"format": "uuid"})
    ],
) -> Response:
    """What a command led to.

    Ask with the `Consistency-Token` of the command's answer, and again until `state` is not `waiting` any more; without
    the token an answer tells what has arrived. A command that changed nothing led to nothing: it is not found, nor is
    one that nobody gave. The answer to a retry has a correlation id of its own, unless the caller sends the same one
    (`X-Correlation-Id`) each time. A deadline that is refused later is told with the command that set it.
    """
    asked = _id(correlation_id)
    async with put.reading() as reading:
        feed = reading("feed")
        about = [*_scope(put.question), asked, *_followed(), *await _begun(feed), feed.position]
        counted = await feed.fetch(SUMMARY, *about)
        rows = await feed.fetch(PAGE, *about, *(paged.behind(Key) or FIRST), paged.enough)
        parked = feed.parked
    services = _services([row for row in counted if row["service"] is not None])
    if not services:
        raise NotFound("command", asked)
    waits = any(row["count"] for row in counted if row["service"] is None)
    page = paged.cut(rows, lambda row: (row["rank"], row["position"], row["service"]))
    found = Effects(
        correlation_id=asked,
        as_of=put.question.as_of,
        state="waiting" if waits else _worst(each.state for each in services),
        services=services,
        effects=[_effect(row) for row in page.rows],
        next=page.next,
        has_more=page.has_more,
    )
    return answer(found, parked=parked, headers=page.headers)


def _id(given: str) -> UUID:
    """The correlation id. It is sent on from a header, and a garbled one is told as what it is, not as unknown."""
    try:
        return identifier(given)
    except ValueError as error:
        raise InvalidQuery([invalid("correlation_id", "invalid-value", "A correlation id is a UUID.")]) from error


def _scope(asked: Question) -> tuple[Any, ...]:
    return asked.scope[:3]


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


def _services(counted: Sequence[Any]) -> list[ServiceEffects]:
    found = []
    for service in dict.fromkeys(row["service"] for row in counted):
        own = [row for row in counted if row["service"] == service]
        number = {rank: sum(row["count"] for row in own if row["rank"] == rank) for rank in Rank}
        found.append(
            ServiceEffects(
                service=service,
                state=_worst(_word(rank) for rank in Rank if number[rank]),
                done=[CountedType(type=row["type"], count=row["count"]) for row in own if row["rank"] == Rank.done],
                refused=number[Rank.refused],
                parked=number[Rank.parked],
                waiting=number[Rank.waiting],
            )
        )
    return found


def _worst(outcomes: Iterable[Outcome]) -> Outcome:
    """What stands for several outcomes: for as long as something is waited for, none is the last word."""
    order: tuple[Outcome, ...] = ("waiting", "parked", "refused", "done")
    return min(outcomes, key=order.index)


def _word(rank: int) -> Outcome:
    words: dict[int, Outcome] = {
        Rank.refused: "refused",
        Rank.parked: "parked",
        Rank.waiting: "waiting",
        Rank.done: "done",
    }
    return words[rank]


def _effect(row: Any) -> Effect:
    return Effect(
        outcome=_word(row["rank"]),
        service=row["service"],
        type=row["type"],
        event_id=row["event_id"],
        aggregate=row["aggregate"],
        id=row["id"],
        because=row["because"],
        position=row["position"],
        reaction=row["reaction"],
        command=row["command"],
        code=row["code"],
        message=row["message"],
    )
