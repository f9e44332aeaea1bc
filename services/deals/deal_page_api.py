"""The routes of the page of a deal, and of its timeline: each answers in one request what a front end shows."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response

from services.deals.deal_page import (
    DealOverview,
    DealTimeline,
    Held,
    deal_of,
    entry_of,
    figures_of,
    gate_of,
    moves_of,
    stage_of,
    support_of,
)
from services.deals.domain.deal import deal
from services.deals.domain.deal.standing import LifeSigns
from services.deals.domain.deal.timeline import became
from services.deals.domain.policies import POLICIES, QUALIFICATION
from services.deals.domain.process import process
from services.deals.domain.process.state import version_of
from services.deals.projections.agenda_queries import signs_of
from services.deals.projections.deals import DEAL_PROJECTION
from services.deals.projections.exchange_rates import EXCHANGE_RATE_PROJECTION
from services.deals.projections.lookups import conversion_of
from services.deals.projections.surroundings import READS, surroundings_of
from services.deals.qualification_api import qualification_of
from shared.directory.actors import names_then
from shared.directory.organisation import NAME as ORGANISATION
from shared.domain.context import Actor
from shared.domain.roles import READING
from shared.eventstore.snapshots import LoadedAggregate
from shared.following.stored_events import StoredEvent, envelope_of, readable
from shared.http.command_routes import command_routes, possible_commands
from shared.http.context import ServiceContext
from shared.http.handwritten import CurrentActor, CurrentService, answer, operation, words_of
from shared.http.lists.paging import Page, Paging, pages_of
from shared.languages.catalogue import Catalogue
from shared.projections.read_snapshot import ReadSnapshot
from shared.service.history_routes import recorded_event
from shared.service.policy_routes import in_force_today

router = APIRouter()

ENTRIES, MOST_ENTRIES = 20, 200
ALL = 2**31 - 1
COMMANDS = [route for route in command_routes((deal,)) if not route.creates]
DealId = Annotated[UUID, Path(alias="id")]
Timeline = Annotated[Paging, Depends(pages_of(ENTRIES, MOST_ENTRIES))]


@router.get(
    "/v1/deals/{id}/page",
    **operation(
        roles=READING,
        reads=(*READS, DEAL_PROJECTION.name, EXCHANGE_RATE_PROJECTION.name),
        answers=DealOverview,
        problems=("not-found",),
        worded=True,
    ),
)
async def deal_page(request: Request, asking: CurrentActor, service: CurrentService, deal_id: DealId) -> Response:
    """Show all that a page about one deal needs.

    The deal, its stage with what is to be done there, every criterion of the gate before it with the value that it met
    and the command that changes that, what was found out, what was asked of others, what whoever asks may do, and what
    happened last.
    """
    found, told = await _seen(service, asking, deal_id)
    async with service.projections.reading((DEAL_PROJECTION.name,)) as reading:
        signs = await signs_of(reading(DEAL_PROJECTION), deal_id)
    held = await _held(service, found, signs)
    words, company = words_of(request), service.settings.company
    in_force = await in_force_today(service, POLICIES, QUALIFICATION)
    rule = in_force.of(team=held.state.team, process=held.state.process_id)
    qualification = qualification_of(held.state, held.version, held.today, rule)
    paged = Paging(limit=ENTRIES, after=None, path=f"/v1/deals/{deal_id}/timeline", query={}, cursors=service.cursors)
    async with service.projections.reading(READS) as reading:
        around = await surroundings_of(reading, held.state, asking, held.today, company.calendar, service.cursors)
        timeline, _ = await _timeline(reading, paged, told, words)
    shown = DealOverview(
        as_of=held.today,
        deal=deal_of(held, around),
        stage=stage_of(held),
        moves=moves_of(held),
        gate=gate_of(held),
        figures=figures_of(held, qualification),
        qualification=qualification,
        support=support_of(around.support),
        commands=possible_commands(COMMANDS, asking, held.state),
        events=timeline,
    )
    return answer(shown, words=words)


@router.get(
    "/v1/deals/{id}/timeline",
    **operation(roles=READING, reads=(ORGANISATION,), answers=DealTimeline, problems=("not-found",), worded=True),
)
async def deal_timeline(
    request: Request, asking: CurrentActor, service: CurrentService, paged: Timeline, deal_id: DealId
) -> Response:
    """Show what happened with a deal, the newest first.

    By when it happened, whenever it was recorded. What was corrected or withdrawn later is marked, and stays.
    """
    _, told = await _seen(service, asking, deal_id)
    words = words_of(request)
    async with service.projections.reading((ORGANISATION,)) as reading:
        timeline, page = await _timeline(reading, paged, told, words)
    return answer(timeline, words=words, headers=page.headers)


async def _seen(service: ServiceContext, actor: Actor, deal_id: UUID) -> tuple[LoadedAggregate, Sequence[StoredEvent]]:
    """A deal that somebody sees, and all that was recorded of it. Raises NotFound."""
    found = await service.commands.seen(deal, deal_id, actor)
    told = await service.log.stream(deal.name, deal_id, 0, ALL)
    # What was recorded since the state was loaded is of the next page.
    return found, [fact for fact in told if envelope_of(fact).sequence <= found.sequence]


async def _held(service: ServiceContext, found: LoadedAggregate, signs: LifeSigns | None) -> Held:
    """What a page is made of beside the deal."""
    state, company, now = found.state, service.settings.company, service.clock.now()
    followed = await service.commands.state(process, state.process_id)
    rates = await conversion_of(service.projections.lookup, [state.amount.currency], company.currency, company.day(now))
    return Held(
        state=state,
        version=found.sequence,
        process=version_of(followed.state, state.process_version),
        conversion=rates,
        signs=signs,
        now=now,
        company=company,
    )


async def _timeline(
    reading: ReadSnapshot, paged: Paging, told: Sequence[StoredEvent], words: Catalogue
) -> tuple[DealTimeline, Page[StoredEvent]]:
    page = paged.pick(sorted(told, key=_place), _place, tuple[int, int])
    organisation = reading(ORGANISATION)
    acts = {_act(fact) for fact in page.rows}
    names = await names_then(organisation, acts, organisation.company)
    marks = became(readable(told))
    items = [entry_of(recorded_event(fact, words), names.get(_act(fact)), marks) for fact in page.rows]
    return DealTimeline(items=items, next=page.next, has_more=page.has_more), page


def _place(fact: StoredEvent) -> tuple[int, int]:
    """Where an event stands in the timeline: the last to happen first, of one instant the last recorded."""
    told = envelope_of(fact)
    return -_microseconds(told.occurred_at), -told.sequence


def _act(fact: StoredEvent) -> tuple[str, datetime]:
    told = envelope_of(fact)
    return told.actor, told.occurred_at


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _microseconds(moment: datetime) -> int:
    passed = moment - EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds
