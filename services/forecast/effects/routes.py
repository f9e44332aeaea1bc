"""What one command led to, in every service, over HTTP: done, refused, parked, still waited for (API-2, API-4).

All of it is in the journal: the events that bear the command's correlation id, and among them what each service told of
its reactions to the others (`shared/events/follow_ups.py`).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Response

from services.forecast.asking.parameters import PresentQuery
from services.forecast.effects.queries import Key, Rank, led_to
from shared.commands.request import NotFound
from shared.domain.roles import READING
from shared.http.handwritten import answer, handwritten, operation
from shared.http.json import answer_shape
from shared.http.lists.paging import Paged
from shared.projections.errors import InvalidQuery, invalid
from shared.projections.query_values import identifier

router = handwritten("effects")

Outcome = Literal["waiting", "parked", "refused", "done"]


@answer_shape
class CountedType:
    """How many events of a type."""

    type: str
    count: int


@answer_shape
class ServiceEffects:
    """What the command led to in one service."""

    service: str
    state: Outcome
    done: list[CountedType]
    """What was recorded."""
    refused: int
    parked: int
    waiting: int


@answer_shape
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


@answer_shape
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


@router.get("/v1/effects/{correlation_id}", **operation(roles=READING, reads=("feed",), answers=Effects))
async def effects(
    query: PresentQuery,
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
    async with query.reading() as reading:
        feed = reading("feed")
        counted, rows = await led_to(feed, query.question, asked, after=paged.behind(Key), enough=paged.enough)
        parked = feed.parked
    services = _services([row for row in counted if row["service"] is not None])
    if not services:
        raise NotFound("command", asked)
    waits = any(row["count"] for row in counted if row["service"] is None)
    page = paged.cut(rows, lambda row: (row["rank"], row["position"], row["service"]))
    found = Effects(
        correlation_id=asked,
        as_of=query.question.as_of,
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
