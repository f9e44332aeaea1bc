"""Keyset pages of the timeline of a deal: of a long stream only the events of a page are read, and those that say what
became of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.deals.domain.deal import deal
from services.deals.domain.deal.timeline import RELATED, Became, became, names_of, retractions_of
from shared.directory.actors import Act, names_then
from shared.directory.organisation import NAME as ORGANISATION
from shared.eventstore.log import Log
from shared.following.stored_events import StoredEvent, envelope_of, readable
from shared.http.json import answer_shape
from shared.http.lists.paging import Page, Paging
from shared.languages.catalogue import Catalogue
from shared.projections.read_snapshot import ReadSnapshot
from shared.service.history_routes import RecordedEvent, recorded_event

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RELATED_TYPES = sorted(kind.type for kind in RELATED)  # type: ignore[attr-defined]


@answer_shape
class DealTimelineEntry(RecordedEvent):
    """One event of a deal, as it was recorded, and what became of it."""

    actor_name: str | None
    """What whoever did it was called then; null for services, and for whom nobody knows."""
    became: Became
    """Whether it stands, or was corrected or withdrawn later."""


@answer_shape
class DealTimeline:
    """What happened with a deal, the newest first, a page of it."""

    items: list[DealTimelineEntry]
    next: str | None
    """The cursor of the following page, at `/v1/deals/{id}/timeline`."""
    has_more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelinePage:
    """The events of a page, and by their sequence what became of them."""

    page: Page[StoredEvent]
    became: Mapping[int, Became]


async def timeline_page(log: Log, paged: Paging, deal_id: UUID, version: int) -> TimelinePage:
    """A page of what was recorded of a deal up to a version of it."""
    rows = await log.latest(deal.name, deal_id, version, _before(paged), paged.enough)
    page = paged.cut(rows, _place)
    return TimelinePage(page=page, became=await _became(log, deal_id, version, page.rows))


async def timeline_of(reading: ReadSnapshot, found: TimelinePage, words: Catalogue) -> DealTimeline:
    """The page as it is shown, with what those were called who did something."""
    organisation, page = reading(ORGANISATION), found.page
    names = await names_then(organisation, {_act(fact) for fact in page.rows}, organisation.company)
    items = [_entry(recorded_event(fact, words), names.get(_act(fact)), found.became) for fact in page.rows]
    return DealTimeline(items=items, next=page.next, has_more=page.has_more)


async def _became(log: Log, deal_id: UUID, version: int, rows: Sequence[StoredEvent]) -> Mapping[int, Became]:
    """What became of some events, by these and by what is related to them."""
    shown = readable(rows)
    related = readable(await log.related(deal.name, deal_id, version, RELATED_TYPES, names_of(shown), ()))
    names, causes = names_of(related) - names_of(shown), retractions_of(shown, related)
    further = readable(await log.related(deal.name, deal_id, version, (), names, causes)) if names or causes else []
    return became(list({fact.sequence: fact for fact in (*shown, *related, *further)}.values()))


def _entry(told: RecordedEvent, name: str | None, marks: Mapping[int, Became]) -> DealTimelineEntry:
    """An event in a timeline; one that this release does not know stands."""
    own = {each.name: getattr(told, each.name) for each in fields(RecordedEvent)}
    return DealTimelineEntry(**own, actor_name=name, became=marks.get(told.sequence, "stands"))


def _before(paged: Paging) -> tuple[datetime, int] | None:
    """Where a page begins; the first one begins with what happened last."""
    behind = paged.behind(tuple[int, int])
    if behind is None:
        return None
    microseconds, sequence = behind
    return EPOCH - timedelta(microseconds=microseconds), -sequence


def _place(fact: StoredEvent) -> tuple[int, int]:
    """Where an event stands in the timeline: the last to happen first, of one instant the last recorded."""
    told = envelope_of(fact)
    return -((told.occurred_at - EPOCH) // timedelta(microseconds=1)), -told.sequence


def _act(fact: StoredEvent) -> Act:
    told = envelope_of(fact)
    return told.actor, told.occurred_at
