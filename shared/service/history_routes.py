"""Audit trail of a single thing: all that was recorded of it, with what people wrote (`GET /v1/<plural>/{id}/history`).

Topics carry no free text and no personal fields, so that only the service which owns a thing can show it:
to those who see the thing, until it is erased (DATA-4).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Path, Request, Response

from shared.domain.aggregate import Aggregate
from shared.eventstore.log import Undecodable
from shared.following.stored_events import StoredEvent, envelope_of
from shared.http.handwritten import CurrentActor, CurrentService, answer, handwritten, operation, words_of
from shared.http.headers import etag
from shared.http.json import answer_shape
from shared.http.lists.paging import Paged
from shared.http.resources import Resource
from shared.languages.catalogue import Catalogue
from shared.languages.wording import event_text


@answer_shape
class RecordedEvent:
    """One event, as it was recorded: `text` says in words what happened, `data` is the event itself."""

    sequence: int
    event_id: UUID
    type: str
    text: str
    occurred_at: datetime
    by_day: bool
    """Whether only the day is known; `occurred_at` then is the end of it."""
    recorded_at: datetime
    actor: str
    imported: bool
    fact: str | None
    """The name of a fact of history; of several under one, those of the last cause count."""
    correlation_id: UUID
    causation_id: UUID
    data: Any


@answer_shape
class RecordedHistory:
    """All that was recorded of something, in the order of recording, a page of it. `version` is that of the thing."""

    id: UUID
    version: int
    items: list[RecordedEvent]
    next: str | None
    """The cursor of the following page."""
    has_more: bool


ABOUT = """In the order of recording, whatever was corrected or taken back later; texts that were erased are gone. What
followed from each event of a deal, as of any instant, is told by `/v1/deal-histories/{deal_id}`."""


def history_routes(resources: Iterable[Resource]) -> APIRouter:
    """A route for each family of things that clients see."""
    router = handwritten()
    for resource in resources:
        _add(router, resource.aggregate)
    return router


def _add(router: APIRouter, aggregate: Aggregate) -> None:
    thing = aggregate.name.replace("-", " ")

    @router.get(
        f"/v1/{aggregate.plural}/{{id}}/history",
        **operation(roles=aggregate.readers, answers=RecordedHistory, problems=("not-found",), worded=True),
        name=f"get_{aggregate.singular.replace('-', '_')}_history",
        description=f"Show all that was recorded of one {thing}, with what people wrote.\n\n{ABOUT}",
    )
    async def history(
        request: Request,
        asking: CurrentActor,
        service: CurrentService,
        paged: Paged,
        aggregate_id: Annotated[UUID, Path(alias="id")],
    ) -> Response:
        held = await service.commands.seen(aggregate, aggregate_id, asking)
        (after,) = paged.behind(tuple[int]) or (0,)
        facts = await service.log.stream(aggregate.name, aggregate_id, after, paged.enough)
        page = paged.cut(facts, _place)
        words = words_of(request)
        found = RecordedHistory(
            id=aggregate_id,
            version=held.sequence,
            items=[recorded_event(fact, words) for fact in page.rows],
            next=page.next,
            has_more=page.has_more,
        )
        return answer(found, words=words, headers={**page.headers, "ETag": etag(held.sequence)})


def _place(fact: StoredEvent) -> tuple[int]:
    return (envelope_of(fact).sequence,)


def recorded_event(fact: StoredEvent, words: Catalogue) -> RecordedEvent:
    """An event as it is shown."""
    told = envelope_of(fact)
    # What a newer release recorded is shown as it stands there.
    data = msgspec.json.decode(told.data) if isinstance(fact, Undecodable) else msgspec.to_builtins(told.data)
    return RecordedEvent(
        sequence=told.sequence,
        event_id=told.id,
        type=told.type,
        text=event_text(words, told.type),
        occurred_at=told.occurred_at,
        by_day=told.by_day,
        recorded_at=told.recorded_at,
        actor=told.actor,
        imported=told.imported,
        fact=told.fact,
        correlation_id=told.correlation_id,
        causation_id=told.causation_id,
        data=data,
    )
