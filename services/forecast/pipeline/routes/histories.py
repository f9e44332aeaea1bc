"""What happened to a deal, by whom, before and after: its facts as they stand in the journal (FC-17, ACCT-1)."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from fastapi import Response

from services.forecast.asking.parameters import PastQuery
from services.forecast.pipeline.queries.changed_fields import FieldChange, changes_of
from services.forecast.pipeline.queries.histories import Step, steps_of
from shared.commands.request import NotFound
from shared.directory.actors import Act, names_then
from shared.domain.roles import READING
from shared.http.handwritten import answer, handwritten, operation
from shared.http.json import answer_shape
from shared.http.lists.paging import Paged
from shared.languages.catalogue import Catalogue
from shared.languages.wording import event_text

router = handwritten("deal-histories")


@answer_shape
class HistoryEntry:
    """One fact: what, when it happened, when it was recorded, by whom, what it changed, and the fact itself.

    `text` says in words what happened, also of a `type` that is not known to the reader.
    """

    position: int
    sequence: int
    event_id: UUID
    type: str
    text: str
    occurred_at: datetime
    recorded_at: datetime
    actor: str
    actor_name: str | None
    imported: bool
    correlation_id: UUID
    causation_id: UUID
    changes: list[FieldChange]
    data: Any


@answer_shape
class DealHistory:
    """What happened to a deal, in the order in which it happened, a page of it; `count` is of all."""

    as_of: datetime
    known_at: datetime | None
    deal_id: UUID
    name: str
    count: int
    entries: list[HistoryEntry]
    next: str | None
    """The cursor of the following page."""
    has_more: bool


@router.get(
    "/v1/deal-histories/{deal_id}",
    **operation(
        roles=READING,
        reads=("deals", "organisation"),
        answers=DealHistory,
        worded=True,
    ),
)
async def deal_history(query: PastQuery, paged: Paged, deal_id: UUID) -> Response:
    """What happened to a deal, by whom, before and after.

    Without what people wrote: the deal's own service shows that, in `/v1/deals/{id}/history`.
    """
    asked = query.question
    async with query.reading() as reading:
        steps = await steps_of(reading("deals"), asked, [deal_id])
        state = steps[-1].after if steps else None
        if state is None or not asked.covers(state.team, state.owner):
            raise NotFound("deal", deal_id)
        page = paged.pick(steps, _place, tuple[datetime, int])
        names = await names_then(reading("organisation"), {_act(step) for step in page.rows}, query.company)
        parked = reading.parked
    return answer(
        DealHistory(
            as_of=asked.as_of,
            known_at=asked.known_at,
            deal_id=deal_id,
            name=state.name,
            count=len(steps),
            entries=[_entry(step, names.get(_act(step)), query.words) for step in page.rows],
            next=page.next,
            has_more=page.has_more,
        ),
        parked=parked,
        words=query.words,
        headers=page.headers,
    )


def _place(step: Step) -> tuple[datetime, int]:
    return step.moment, step.number


def _act(step: Step) -> Act:
    return step.fact.actor, step.fact.occurred_at


def _entry(step: Step, name: str | None, catalogue: Catalogue) -> HistoryEntry:
    fact = step.fact
    return HistoryEntry(
        position=fact.source_position,
        sequence=fact.sequence,
        event_id=fact.id,
        type=fact.type,
        text=event_text(catalogue, fact.type),
        occurred_at=fact.occurred_at,
        recorded_at=fact.recorded_at,
        actor=fact.actor,
        actor_name=name,
        imported=fact.imported,
        correlation_id=fact.correlation_id,
        causation_id=fact.causation_id,
        changes=changes_of(step, catalogue),
        data=msgspec.to_builtins(fact.data),
    )
