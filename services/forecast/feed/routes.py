"""The newest events over HTTP: as a list, and live as server-sent events (API-3, FC-15)."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import Depends, Request, Response

from services.forecast.asking.answers import money
from services.forecast.asking.parameters import LiveQuery, PastQuery, with_those_below
from services.forecast.asking.question import scope_of
from services.forecast.feed.queries import RowPlace, newest
from shared.directory.actors import Act, names_then
from shared.domain.roles import READING
from shared.events.money import Money
from shared.http.handwritten import EVENT_STREAM, answer, handwritten, of_language, operation
from shared.http.json import answer_shape
from shared.http.lists.paging import Paging, pages_of
from shared.http.sse import Select, ServerEvent
from shared.languages.catalogue import Catalogue
from shared.languages.wording import event_text

router = handwritten("live")


@answer_shape
class FeedEntry:
    """One event: `position` is its place in the journal, and its id on the stream; `text` says what happened."""

    position: int
    type: str
    text: str
    aggregate: str
    id: UUID
    name: str | None
    amount: Money | None
    """What it is about, in its own currency."""
    occurred_at: datetime
    actor: str
    actor_name: str | None
    imported: bool


@answer_shape
class NewestEvents:
    """The events that happened last and that the asker may see, the newest first, a page of them."""

    as_of: datetime
    events: list[FeedEntry]
    next: str | None
    """The cursor of the following page."""
    has_more: bool


Newest = Annotated[Paging, Depends(pages_of(20, 100))]


@router.get(
    "/v1/newest-events",
    **operation(roles=READING, reads=("feed", "organisation"), answers=NewestEvents, worded=True),
)
async def newest_events(query: PastQuery, paged: Newest) -> Response:
    """The newest events."""
    after = paged.behind(RowPlace)
    async with query.reading() as reading:
        rows = await newest(reading("feed"), query.question, after, paged.enough)
        page = paged.cut(rows, place_of)
        names = await names_then(reading("organisation"), {_act(row) for row in page.rows}, query.company)
        parked = reading.parked
    found = NewestEvents(
        as_of=query.question.as_of,
        events=[_shown(row, names.get(_act(row)), query.words) for row in page.rows],
        next=page.next,
        has_more=page.has_more,
    )
    return answer(found, parked=parked, words=query.words, headers=page.headers)


def place_of(row: Any) -> RowPlace:
    """Where an entry stands in the list."""
    return row["occurred_at"], row["known"], row["aggregate_id"], row["sequence"]


def _act(row: Any) -> Act:
    return row["actor"], row["occurred_at"]


def _shown(row: Any, name: str | None, catalogue: Catalogue) -> FeedEntry:
    return FeedEntry(
        position=row["position"],
        type=row["type"],
        text=event_text(catalogue, row["type"]),
        aggregate=row["aggregate"],
        id=row["aggregate_id"],
        name=row["name"],
        amount=None if row["amount"] is None else money(row["amount"], row["currency"]),
        occurred_at=row["occurred_at"],
        actor=row["actor"],
        actor_name=name,
        imported=row["imported"],
    )


@answer_shape
class StreamedEvent:
    """The data of one server-sent event named `message`; its id is `position`; `text` says what happened."""

    type: str
    text: str
    position: int
    aggregate: str
    id: UUID
    name: str | None
    occurred_at: datetime


@router.get(
    "/v1/stream",
    **operation(roles=READING, reads=("feed",), answers=StreamedEvent, worded=True, media_type=EVENT_STREAM),
)
async def stream(request: Request, query: LiveQuery) -> Response:
    """Events as they become visible in the projections (server-sent events).

    The id of each is its journal position; a listener that was away sends it back as Last-Event-ID and misses nothing.
    Only events in the caller's scope are sent, and nothing of notices: what these are about is told. The scope follows
    the organisation within a second, and the stream ends when the caller has left the company. An event named `reset`
    says that the id is of a time before a restore: what the listener knows is to be read anew. `text` is in the
    language of this request for as long as it lasts. A comment with the newest id, every 15 s, says that the stream is
    alive. An event that could not be handled at first is shown in the list of the newest events once it is, and not
    told here.
    """
    asker, narrowed = query.question.asker, query.teams

    async def selection() -> Select | None:
        actor = await query.service.organisation.actor(asker.subject, asker.roles)
        if asker.member is not None and actor.member is None:
            return None
        asked = replace(query.question, **scope_of(actor))
        if narrowed:
            asked = replace(asked, teams=await with_those_below(query.service, narrowed, fresh=False))
        return lambda row: _event(row, query.words) if asked.covers(row["team"], row["owner"]) else None

    return await query.service.feed.respond(
        request, selection, query.service.stopping, caller=asker.subject, headers=of_language(query.words)
    )


def _event(row: Any, catalogue: Catalogue) -> ServerEvent:
    data = StreamedEvent(
        type=row["type"],
        text=event_text(catalogue, row["type"]),
        position=row["position"],
        aggregate=row["aggregate"],
        id=row["aggregate_id"],
        name=row["name"],
        occurred_at=row["occurred_at"],
    )
    return ServerEvent(event="message", data=msgspec.json.encode(data))
