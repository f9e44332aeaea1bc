"""The routes of a calendar link: an address of one's own, for calendar programs that can send no token (DEAL-6)."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response
from pydantic import TypeAdapter

from services.deals.agenda_answers import AGENDA_READS
from services.deals.agenda_api import EXAMPLE, calendar_for
from services.deals.agenda_calendar import MEDIA_TYPE as CALENDAR
from services.deals.domain.calendar_link import (
    ActiveCalendarLink,
    MakeCalendarLink,
    NoCalendarLink,
    RevokeCalendarLink,
    calendar_link,
    link_of,
    member_of,
    opens,
    secret_of,
)
from shared.directory.organisation import NAME as ORGANISATION
from shared.domain.aggregate import status_of, statuses
from shared.domain.context import Actor
from shared.domain.roles import EVERYBODY, READING
from shared.events.definition import value, words
from shared.eventstore.claims import ClaimHasher
from shared.http.command_routes import execute_command
from shared.http.context import ServiceContext
from shared.http.handwritten import (
    BySecret,
    CurrentActor,
    CurrentService,
    answer,
    body_of,
    by_secret,
    handwritten,
    operation,
)

MAKE, REVOKE = TypeAdapter(MakeCalendarLink), TypeAdapter(RevokeCalendarLink)
NONE = "none"
OWN = "/v1/calendar-link"


async def whose(service: ServiceContext, link_id: UUID, secret: str) -> Actor | None:
    """Whose agenda an address shows, with what they may see now: what the organisation says they are, for no token
    tells. None where the secret is wrong, or whoever had it is no member any more."""
    link = (await service.commands.state(calendar_link, link_id)).state
    if not opens(_keyed_hash(service), link, secret):
        return None
    return await service.organisation.as_member(link.member_id)


owner_of_link = BySecret(whose)
router, by_link = handwritten("calendar-links"), by_secret("calendar-links", asking=owner_of_link)


@value
class OwnCalendarLink:
    """The address of one's own calendar."""

    id: UUID | None
    """null for whoever is no member of the organisation."""
    status: Annotated[str, words((NONE, *statuses(calendar_link)))]
    address: str | None
    """Where a calendar program finds it: whoever has this address sees the agenda. null unless it is active."""


@router.post(f"{OWN}/make", **operation(roles=EVERYBODY, body=MakeCalendarLink, example=MakeCalendarLink.example))
async def make_calendar_link(request: Request, asking: CurrentActor) -> Response:
    """Make an address for one's own calendar: whoever has it sees one's agenda.

    The one before stops working at once; `GET /v1/calendar-link` tells the new one.
    """
    body = await body_of(request, MAKE)
    own = link_of(member_of(asking))
    return await execute_command(
        request, asking, calendar_link, own, body.value, raw=body.raw, operation="makeCalendarLink", address=OWN
    )


@router.post(f"{OWN}/revoke", **operation(roles=EVERYBODY, body=RevokeCalendarLink, example=RevokeCalendarLink.example))
async def revoke_calendar_link(request: Request, asking: CurrentActor) -> Response:
    """Revoke the address of one's own calendar; sales operations, that of anybody (`member_id`)."""
    body = await body_of(request, REVOKE)
    link = link_of(body.value.member_id or member_of(asking))
    return await execute_command(
        request, asking, calendar_link, link, body.value, raw=body.raw, operation="revokeCalendarLink", address=OWN
    )


@router.get(
    OWN,
    **operation(
        roles=EVERYBODY,
        answers=OwnCalendarLink,
        example={
            "id": "5f57f8b3-7186-51bc-8615-2b0d8e69d685",
            "status": "active",
            "address": "https://sales.example.com/v1/calendar-link/5f57f8b3-7186-51bc-8615-2b0d8e69d685"
            "/3q2-7wAB5Hk0ZrGQeK1mUoYx8vNcT4sLfJdP6iRbWzE.ics",
        },
    ),
)
async def own_calendar_link(asking: CurrentActor, service: CurrentService) -> Response:
    """Show the address of one's own calendar, or that there is none (`status`)."""
    own = link_of(asking.member) if asking.member else None
    state = (await service.commands.state(calendar_link, own)).state if own else NoCalendarLink()
    told = OwnCalendarLink(
        id=own,
        status=NONE if isinstance(state, NoCalendarLink) else status_of(calendar_link, state),
        address=_address(service, state) if isinstance(state, ActiveCalendarLink) else None,
    )
    return answer(told)


@by_link.get(
    OWN + "/{id}/{secret}.ics",
    **operation(
        roles=READING,
        reads=(*AGENDA_READS, ORGANISATION),
        media_type=CALENDAR,
        example=EXAMPLE,
        worded=True,
        by_secret=True,
    ),
    name="get_calendar_by_link",
)
async def calendar_by_link(
    request: Request, asking: Annotated[Actor, Depends(owner_of_link)], service: CurrentService
) -> Response:
    """Show a member's agenda as an iCalendar file to whoever has their address, without a token.

    It is what `GET /v1/agenda.ics` shows them, with what they may see now. Anything wrong is 404: the address, a link
    that was revoked or made anew, and a member who left.
    """
    return await calendar_for(request, service, member_of(asking), asking)


def _keyed_hash(service: ServiceContext) -> ClaimHasher:
    return ClaimHasher(service.settings.claim_secret.encode())


def _address(service: ServiceContext, link: ActiveCalendarLink) -> str:
    return f"{service.settings.origin}{OWN}/{link.id}/{secret_of(_keyed_hash(service), link)}.ics"
