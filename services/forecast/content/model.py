"""The fold of the content that was used on a deal, as marks: each use, and how the deal stands since. Pure.

What is used counts from the first time on, for its item and for its version. How the deal stands is a mark that ends
with the next: so every past instant has its own outcomes. What is told of the time after the end of a deal is none of
it, until it is reopened: it led to nothing that came before.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.forecast.counting.lives import Lives, of_events
from services.forecast.counting.marks import Mark, Marked, Place, projection_of
from shared.domain.context import Company
from shared.events.chronology import Rank
from shared.events.deals.deal import (
    ContentUsed,
    DealAbandoned,
    DealActivityLogged,
    DealHandedOver,
    DealLost,
    DealMoved,
    DealOpened,
    DealReopened,
    DealWon,
)
from shared.events.deals.deal_migration import DealMigrated
from shared.events.deals.deal_record import DealActivityCorrected

USED = "used"
"""A use. The detail is the content, its version, the word of the use, and the day."""
ITEM, VERSION = "item", "version"
"""A deal on which the content was used, in whatever version, or in one. The detail is the content, the version or 0,
and how the deal stands."""

OUTCOMES = OPEN, WON, LOST, ABANDONED = "open", "won", "lost", "abandoned"
BECOMES: Mapping[type, str] = {DealWon: WON, DealLost: LOST, DealAbandoned: ABANDONED, DealReopened: OPEN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Content that was used on the deal, where the deal stood."""

    content_id: UUID
    content_version: int
    use: str
    on: date
    at: datetime
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the deal stands since an instant."""

    outcome: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What was used on a deal, and how that stood from when on."""

    place: Place
    standings: tuple[Standing, ...]
    uses: tuple[Use, ...] = ()


def follow(state: Material | None, event: Any, moment: datetime, company: Company) -> Material | None:
    """The content of a deal after one more fact."""
    if isinstance(event, DealOpened):
        place = Place(process_id=event.process_id, version=event.process_version, stage=event.stage)
        return Material(place=place, standings=(Standing(outcome=OPEN, since=moment),))
    if state is None or (state.standings[-1].outcome != OPEN and event.rank < Rank.END):
        return state
    outcome = BECOMES.get(type(event), state.standings[-1].outcome)
    if outcome != state.standings[-1].outcome:
        return replace(state, standings=(*state.standings, Standing(outcome=outcome, since=moment)))
    after = state
    match event:
        case DealMoved(stage=stage):
            after = replace(state, place=replace(state.place, stage=stage))
        case DealMigrated(process_id=process_id, process_version=version, stage=stage):
            after = replace(state, place=Place(process_id=process_id, version=version, stage=stage))
        case DealActivityLogged(content=ContentUsed() as used) | DealActivityCorrected(content=ContentUsed() as used):
            after = replace(state, uses=(*state.uses, _use(used, state.place, moment, company)))
    return after


def marks(state: Material) -> Iterator[Mark]:
    """Every use, and every content and version with how the deal stood since it was used first."""
    first: dict[tuple[str, UUID, int], Use] = {}
    for use in state.uses:
        detail = f"{use.content_id} {use.content_version} {use.use} {use.on}"
        yield Mark(sort=USED, place=use.place, detail=detail, of=use.at, start=use.at)
        first.setdefault((ITEM, use.content_id, 0), use)
        first.setdefault((VERSION, use.content_id, use.content_version), use)
    ends = [*(each.since for each in state.standings[1:]), None]
    for (sort, content_id, version), use in first.items():
        for standing, end in zip(state.standings, ends, strict=True):
            start = max(standing.since, use.at)
            if end is None or start < end:
                detail = f"{content_id} {version} {standing.outcome}"
                yield Mark(sort=sort, place=use.place, detail=detail, of=use.at, start=start, end=end)


def _use(used: ContentUsed, place: Place, moment: datetime, company: Company) -> Use:
    return Use(
        content_id=used.content_id,
        content_version=used.content_version,
        use=used.use,
        on=company.day(moment),
        at=moment,
        place=place,
    )


def _whose(event: Any) -> tuple[UUID | None, UUID | None] | None:
    match event:
        case DealOpened(team=team, owner=owner) | DealHandedOver(team=team, owner=owner):
            return team, owner
    return None


FACTS = (DealOpened, DealHandedOver, DealMoved, DealMigrated, DealActivityLogged, DealActivityCorrected, *BECOMES)
"""The facts that the content of a deal, and whose that was, follow from."""

CONTENT_USE = Marked(
    projection="content_use",
    version=1,
    lives=Lives(aggregate="deal", events=FACTS, state=Material, follow=of_events(follow), whose=_whose),
    marks=marks,
)
"""What content was used on deals, and how these stand."""

PROJECTION = projection_of(CONTENT_USE)
