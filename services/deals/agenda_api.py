"""The routes of what is to be done: the agenda of a rep, and the next actions and the completeness of a deal (DEAL-6,
DEAL-7, DEAL-11)."""

from typing import Annotated
from uuid import UUID

from annotated_types import Ge, Le
from fastapi import Path, Query, Request, Response

from services.deals.agenda_answers import (
    ACTION_READS,
    AGENDA_READS,
    Agenda,
    NextActions,
    Sources,
    agenda_of,
    conversion_for,
    followed,
    next_actions_of,
    shown,
)
from services.deals.agenda_calendar import MEDIA_TYPE as CALENDAR
from services.deals.agenda_calendar import calendar_of
from services.deals.domain.deal import deal
from services.deals.domain.deal.completeness import completeness, is_entry
from services.deals.domain.deal.state import OpenDeal
from services.deals.domain.policies import POLICIES, WINNING
from services.deals.projections.agenda_queries import sees_something
from services.deals.projections.deals import DEAL_PROJECTION
from services.deals.projections.exchange_rates import EXCHANGE_RATE_PROJECTION
from shared.directory.narrowing import refuse_strangers
from shared.directory.organisation import NAME as ORGANISATION
from shared.domain.context import Actor
from shared.domain.criteria import Completeness
from shared.domain.roles import READING
from shared.events.definition import Exact
from shared.http.context import ServiceContext
from shared.http.handwritten import CurrentActor, CurrentService, answer, handwritten, of_language, operation, words_of
from shared.http.headers import etag
from shared.http.json import answer_shape
from shared.http.query_parameters import SPELLED_WHOLE, Day, Id
from shared.projections.errors import InvalidQuery, invalid
from shared.service.entry_delay import entry_delay_of
from shared.service.policy_routes import in_force_today

router = handwritten()

DAYS_OF_CALENDAR = 30
EXAMPLE = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Throughline//Agenda//EN\r\nEND:VCALENDAR\r\n"

OfOwner = Annotated[Id | None, Query(description="Whose agenda it is. Default: that of whoever asks.")]
On = Annotated[Day | None, Query(description="The day that it is for. Default: today.")]
Days = Annotated[
    Annotated[int, Ge(1), Le(60), SPELLED_WHOLE], Query(description="How many days after it are shown as next.")
]
Actions = Annotated[
    Annotated[int, Ge(1), Le(50), SPELLED_WHOLE], Query(description="How many of the next best actions are shown.")
]


@answer_shape
class DealCompleteness:
    """How much of what the gate ahead of a deal asks for is known. `version` is that of the deal."""

    id: UUID
    version: int
    share: Exact | None
    """Filled ÷ required facts, from 0 to 1; null where the gate asks for nothing, and once the deal is closed."""
    required: list[str]
    """The facts that the exit of its stage and the entry of the next one ask for."""
    missing: list[str]
    entry_delay_days: int | None
    """For how many days on average what was done was entered late: recorded − occurred of its latest facts."""


@router.get(
    "/v1/deals/{id}/next-actions",
    **operation(roles=READING, reads=(*ACTION_READS, ORGANISATION), answers=NextActions, problems=("not-found",)),
    name="get_next_actions",
)
async def next_actions(
    asking: CurrentActor, service: CurrentService, deal_id: Annotated[UUID, Path(alias="id")]
) -> Response:
    """Show what a deal asks for next, and by which commands it is done.

    By due day. A deal that stands in a stage whose gate asks for nothing, and in time, may ask for nothing.
    """
    held, of = await service.commands.seen(deal, deal_id, asking), await _sources(service)
    found = await next_actions_of(of, held.state) if isinstance(held.state, OpenDeal) else []
    content = NextActions(id=deal_id, version=held.sequence, on=of.today, items=shown(found))
    return answer(content, headers={"ETag": etag(held.sequence)})


@router.get(
    "/v1/deals/{id}/completeness",
    **operation(
        roles=READING,
        reads=(EXCHANGE_RATE_PROJECTION.name, ORGANISATION),
        answers=DealCompleteness,
        problems=("not-found",),
    ),
    name="get_deal_completeness",
)
async def deal_completeness(
    asking: CurrentActor, service: CurrentService, deal_id: Annotated[UUID, Path(alias="id")]
) -> Response:
    """Show how much of what the gate ahead of a deal asks for is known, and how late it is entered."""
    held, of = await service.commands.seen(deal, deal_id, asking), await _sources(service)
    found = Completeness(required=(), missing=())
    if isinstance(held.state, OpenDeal):
        async with of.projections.reading((EXCHANGE_RATE_PROJECTION.name,)) as reading:
            conversion = await conversion_for(of, reading, [held.state.amount.currency])
        found = completeness(held.state, await followed(of, held.state), conversion)
    content = DealCompleteness(
        id=deal_id,
        version=held.sequence,
        share=found.share,
        required=list(found.required),
        missing=list(found.missing),
        entry_delay_days=await entry_delay_of(service, deal, deal_id, held.sequence, is_entry),
    )
    return answer(content, headers={"ETag": etag(held.sequence)})


@router.get(
    "/v1/agenda", **operation(roles=READING, reads=(*AGENDA_READS, ORGANISATION), answers=Agenda), name="get_agenda"
)
async def agenda(  # noqa: PLR0917
    asking: CurrentActor,
    service: CurrentService,
    owner: OfOwner = None,
    on: On = None,
    days: Days = 7,
    actions: Actions = 10,
) -> Response:
    """Show what waits for a rep: overdue, due on the day and in the days after it, and what to do first.

    Next steps, tasks and deliverables, answers to be found out anew, proposed exits, help of other departments, and the
    work of stages in which leads and contracts stand. A manager may ask for the people of their teams, and is shown
    what lies in their reach. What waits for a decision of whoever asks is at `/v1/decisions`.
    """
    whose = await _whose(service, asking, owner)
    return answer(await agenda_of(await _sources(service), whose, asking, on=on, days=days, actions=actions))


@router.get(
    "/v1/agenda.ics",
    tags=["agenda"],
    **operation(roles=READING, reads=(*AGENDA_READS, ORGANISATION), media_type=CALENDAR, example=EXAMPLE, worded=True),
    name="get_agenda_calendar",
)
async def agenda_calendar(
    request: Request,
    asking: CurrentActor,
    service: CurrentService,
    owner: OfOwner = None,
    days: Days = DAYS_OF_CALENDAR,
) -> Response:
    """Show what waits for a rep as an iCalendar file, for a calendar that asks for it again and again.

    What is overdue stands on the day on which it was due. Each thing keeps its UID, also when it is put off. Days are
    those of the company.
    """
    return await calendar_for(request, service, await _whose(service, asking, owner), asking, days=days)


async def calendar_for(
    request: Request, service: ServiceContext, whose: UUID, asking: Actor, *, days: int = DAYS_OF_CALENDAR
) -> Response:
    """The answer with somebody's calendar, as far as the asker sees it, in the language that the request prefers."""
    words = words_of(request)
    found = await agenda_of(await _sources(service), whose, asking, days=days, actions=1)
    items = [*found.overdue.items, *found.today.items, *found.next.items]
    content = calendar_of(items, service.settings.company.timezone, words)
    return Response(content, media_type=CALENDAR, headers=of_language(words))


async def _sources(service: ServiceContext) -> Sources:
    return Sources(
        projections=service.projections,
        states=service.commands.states,
        winning=await in_force_today(service, POLICIES, WINNING),
        company=service.settings.company,
        now=service.clock.now(),
    )


async def _whose(service: ServiceContext, asking: Actor, owner: UUID | None) -> UUID:
    """Whose agenda is asked for. Raises InvalidQuery for somebody of whom the asker sees nothing."""
    whose = owner or asking.member
    if whose is None:
        message = "You are no member of the organisation, so you have no agenda: say whose is meant."
        raise InvalidQuery([invalid("owner", "not-a-member", message)])

    async def holds(_: str, given: UUID) -> bool:
        async with service.projections.reading((DEAL_PROJECTION.name,)) as reading:
            return await sees_something(reading(DEAL_PROJECTION), given, asking)

    await refuse_strangers(service.organisation, asking, READING, owners=[whose], holds=holds)
    return whose
