"""The routes of the page of a deal, and of its timeline: each answers in one request what a front end shows."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Request, Response

from services.deals.deal_page import (
    DealOverview,
    Held,
    completeness_of,
    deal_of,
    figures_of,
    gate_of,
    journey_of,
    moves_of,
    quotes_of,
    stage_of,
    support_of,
)
from services.deals.deal_timeline import DealTimeline, timeline_of, timeline_page
from services.deals.domain.deal import deal
from services.deals.domain.deal.standing import LifeSigns
from services.deals.domain.policies import POLICIES, QUALIFICATION
from services.deals.domain.process import process
from services.deals.domain.process.state import version_of
from services.deals.projections.agenda_queries import signs_of
from services.deals.projections.deals import DEAL_PROJECTION
from services.deals.projections.exchange_rates import EXCHANGE_RATE_PROJECTION
from services.deals.projections.lookups import conversion_of
from services.deals.projections.surroundings import READS, surroundings_of
from services.deals.qualification_api import qualification_of
from shared.directory.organisation import NAME as ORGANISATION
from shared.domain.roles import READING
from shared.eventstore.snapshots import LoadedAggregate
from shared.http.command_routes import command_routes, possible_commands
from shared.http.context import ServiceContext
from shared.http.handwritten import CurrentActor, CurrentService, answer, handwritten, operation, words_of
from shared.http.lists.paging import Paging, pages_of
from shared.service.policy_routes import in_force_today

router = handwritten()

ENTRIES, MOST_ENTRIES = 20, 200
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
    and the command that changes that, what was found out, what was asked of others, what was quoted and what that waits
    for, what whoever asks may do, and what happened last.
    """
    found = await service.commands.seen(deal, deal_id, asking)
    words, company, now = words_of(request), service.settings.company, service.clock.now()
    first = Paging(limit=ENTRIES, after=None, path=f"/v1/deals/{deal_id}/timeline", query={}, cursors=service.cursors)
    happened = await timeline_page(service.log, first, deal_id, found.sequence)
    async with service.projections.reading((*READS, DEAL_PROJECTION.name)) as reading:
        signs = await signs_of(reading(DEAL_PROJECTION), deal_id)
        on, calendar = company.day(now), company.calendar
        around = await surroundings_of(reading, found.state, asking, on, calendar, service.cursors)
        timeline = await timeline_of(reading, happened, words)
    held = await _held(service, found, signs, now)
    in_force = await in_force_today(service, POLICIES, QUALIFICATION)
    rule = in_force.of(team=held.state.team, process=held.state.process_id)
    qualification = qualification_of(held.state, held.version, held.today, rule)
    shown = DealOverview(
        as_of=held.today,
        deal=deal_of(held, around),
        stage=stage_of(held),
        journey=journey_of(held),
        moves=moves_of(held),
        gate=gate_of(held),
        completeness=completeness_of(held),
        figures=figures_of(held, qualification),
        qualification=qualification,
        support=support_of(around.support),
        quotes=quotes_of(around.quotes),
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
    found, words = await service.commands.seen(deal, deal_id, asking), words_of(request)
    happened = await timeline_page(service.log, paged, deal_id, found.sequence)
    async with service.projections.reading((ORGANISATION,)) as reading:
        timeline = await timeline_of(reading, happened, words)
    return answer(timeline, words=words, headers=happened.page.headers)


async def _held(service: ServiceContext, found: LoadedAggregate, signs: LifeSigns | None, now: datetime) -> Held:
    """What a page is made of beside the deal."""
    state, company = found.state, service.settings.company
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
