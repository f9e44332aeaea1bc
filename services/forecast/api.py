"""The routes of what forecast owns that do not follow from a handler."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Request, Response
from pydantic import TypeAdapter

from services.forecast.domain.address import (
    ConfirmNoticeAddress,
    NoNoticeAddress,
    SendNotices,
    StandingNoticeAddress,
    StopSendingNotices,
    UnconfirmedNoticeAddress,
    address_of,
    asked_again_from,
    notice_address,
)
from services.forecast.domain.measure import DoneMeasure, measure
from services.forecast.domain.notice import RECIPIENTS
from services.forecast.domain.preference import (
    MuteNotices,
    UnmuteNotices,
    member_of,
    notice_preference,
    preference_of,
)
from services.forecast.domain.review import MONTHLY, REVIEWERS, SealedReview, review
from services.forecast.outside import standing_endpoint
from services.forecast.projections.reviews import REVIEW_PROJECTION
from shared.deliveries.webhooks import shown
from shared.domain.aggregate import status_of, statuses
from shared.domain.rejection import Rejected
from shared.domain.roles import OPERATIONS
from shared.events.definition import value, words
from shared.events.forecast.policy import MetricName
from shared.events.forecast.review import ReportedFigure
from shared.http.command_routes import execute_command
from shared.http.handwritten import CurrentActor, CurrentService, answer, body_of, handwritten, operation
from shared.http.problems import Problem

router = handwritten()

MUTE, UNMUTE = TypeAdapter(MuteNotices), TypeAdapter(UnmuteNotices)
SEND, STOP = TypeAdapter(SendNotices), TypeAdapter(StopSendingNotices)
CONFIRM = TypeAdapter(ConfirmNoticeAddress)
UNSTATED = "unstated"


@router.post("/v1/notices/mute", **operation(roles=RECIPIENTS, body=MuteNotices, example=MuteNotices.example))
async def mute_notices(request: Request, asking: CurrentActor) -> Response:
    """Have a kind of notice no longer sent to oneself.

    It still stands in the inbox, marked `muted`; what was raised before stays as it is. `GET /v1/muted-kinds` tells
    what is muted.
    """
    body = await body_of(request, MUTE)
    own = preference_of(member_of(asking))
    return await execute_command(
        request, asking, notice_preference, own, body.value, raw=body.raw, operation="muteNotices"
    )


@router.post("/v1/notices/unmute", **operation(roles=RECIPIENTS, body=UnmuteNotices, example=UnmuteNotices.example))
async def unmute_notices(request: Request, asking: CurrentActor) -> Response:
    """Have a kind of notice sent to oneself again."""
    body = await body_of(request, UNMUTE)
    own = preference_of(member_of(asking))
    return await execute_command(
        request, asking, notice_preference, own, body.value, raw=body.raw, operation="unmuteNotices"
    )


@router.post("/v1/notices/send", **operation(roles=RECIPIENTS, body=SendNotices, example=SendNotices.example))
async def send_notices(request: Request, asking: CurrentActor, service: CurrentService) -> Response:
    """Have notices sent to oneself as e-mail, beside the inbox.

    A letter with a code goes to the address, and nothing else until `POST /v1/notices/confirm` was told that code; what
    is raised meanwhile stands in the inbox only. Stating the same address sends another letter, an hour after the last
    one. Kinds that are muted are not sent. Another address takes the place of the one before, which is erased.
    """
    body = await body_of(request, SEND)
    language = body.value.language
    if language is not None and service.languages.named(language) is None:
        known = ", ".join(sorted(service.languages.catalogues))
        raise Rejected("unknown-language", f"Letters are written in: {known}.", field="language")
    own = address_of(member_of(asking))
    return await execute_command(
        request, asking, notice_address, own, body.value, raw=body.raw, operation="sendNotices"
    )


@router.post(
    "/v1/notices/confirm",
    **operation(roles=RECIPIENTS, body=ConfirmNoticeAddress, example=ConfirmNoticeAddress.example),
)
async def confirm_notice_address(request: Request, asking: CurrentActor) -> Response:
    """Confirm the address to which notices are to be sent, by the code that was sent there."""
    body = await body_of(request, CONFIRM)
    own = address_of(member_of(asking))
    return await execute_command(
        request, asking, notice_address, own, body.value, raw=body.raw, operation="confirmNoticeAddress"
    )


@router.post(
    "/v1/notices/stop-sending",
    **operation(roles=RECIPIENTS, body=StopSendingNotices, example=StopSendingNotices.example),
)
async def stop_sending_notices(request: Request, asking: CurrentActor) -> Response:
    """Have nothing sent to oneself any more; the address is erased."""
    body = await body_of(request, STOP)
    own = address_of(member_of(asking))
    return await execute_command(
        request, asking, notice_address, own, body.value, raw=body.raw, operation="stopSendingNotices"
    )


@value
class OwnNoticeAddress:
    """Where notices are sent to whoever asks."""

    id: UUID | None
    """Under which it is shown (`GET /v1/notice-addresses/{id}`) once one was stated; null for whoever is no member of
    the organisation, to whom nothing is sent."""
    status: Annotated[str, words((UNSTATED, *statuses(notice_address)))]
    """Notices are sent where it is `confirmed`; `unconfirmed` waits for the code that was sent there."""
    email: str | None
    language: str | None
    """In which language they are written (BCP 47); null: the company's."""
    asked_again_from: datetime | None
    """While it waits: from when on stating the same address sends another letter with the code."""


@router.get(
    "/v1/notices/address",
    **operation(
        roles=RECIPIENTS,
        answers=OwnNoticeAddress,
        example={
            "id": "5f57f8b3-7186-51bc-8615-2b0d8e69d685",
            "status": "unconfirmed",
            "email": "anna@example.com",
            "language": "de",
            "asked_again_from": "2026-03-16T11:00:00Z",
        },
    ),
)
async def own_notice_address(asking: CurrentActor, service: CurrentService) -> Response:
    """Where notices are sent to oneself, and whether that waits to be confirmed."""
    own = address_of(asking.member) if asking.member else None
    state = (await service.commands.state(notice_address, own)).state if own else NoNoticeAddress()
    standing = state if isinstance(state, StandingNoticeAddress) else None
    told = OwnNoticeAddress(
        id=own,
        status=UNSTATED if isinstance(state, NoNoticeAddress) else status_of(notice_address, state),
        email=standing.email if standing else None,
        language=standing.language if standing else None,
        asked_again_from=asked_again_from(state) if isinstance(state, UnconfirmedNoticeAddress) else None,
    )
    return answer(told)


@value
class WebhookSecret:
    """By what calls of an endpoint are signed."""

    secret: str
    """As verifiers of Standard Webhooks take it."""
    before: str | None
    """The secret before, as long as it signs along."""


@router.get(
    "/v1/webhook-endpoints/{endpoint_id}/secret",
    **operation(
        roles=OPERATIONS,
        answers=WebhookSecret,
        example={
            "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "before": "whsec_C2FVsBQIhrscChlQIMVb5sSYob7oD9Pk",
        },
        problems=("not-found",),
    ),
)
async def webhook_secret(endpoint_id: UUID, asking: CurrentActor, service: CurrentService) -> Response:
    """By what calls of an endpoint are signed."""
    found = await standing_endpoint(service, endpoint_id)
    if found is None:
        raise Problem("not-found", "There is no such endpoint.")
    secrets = [shown(each) for each in found[1]]
    told = WebhookSecret(secret=secrets[0], before=secrets[1] if len(secrets) > 1 else None)
    return answer(told, headers={"Cache-Control": "no-store"})


SEALED_BEFORE = """
select id from {view}.review where kind = $1 and status = 'sealed' and period < $2 order by period desc limit 1
"""
SEALED_AFTER = """
select id from {view}.review where kind = $1 and status = 'sealed' and period > $2 order by period desc limit 1
"""


@value
class FigureOfMonth:
    """A figure as it was sealed of a month."""

    period: str
    review_id: UUID
    figure: ReportedFigure


@value
class MeasureEffect:
    """What a figure came to before a measure was done, and afterwards. That it is better does not say why."""

    measure_id: UUID
    figure: MetricName
    done_on: date | None
    """Null as long as it is not done: then nothing is after it."""
    before: FigureOfMonth | None
    """Of the last sealed month before the one in which it was done, or in which one stands now."""
    after: FigureOfMonth | None
    """Of the newest sealed month after the one in which it was done."""


@router.get(
    "/v1/measures/{measure_id}/effect",
    **operation(roles=REVIEWERS, answers=MeasureEffect, reads=(REVIEW_PROJECTION.name,), problems=("not-found",)),
)
async def measure_effect(measure_id: UUID, asking: CurrentActor, service: CurrentService) -> Response:
    """What the figure of a measure came to in the months before and after it was done."""
    state = (await service.commands.seen(measure, measure_id, asking)).state
    done_on = state.done_on if isinstance(state, DoneMeasure) else None
    at = done_on or service.settings.company.day(service.clock.now())
    month = f"{at.year:04}-{at.month:02}"

    async def sealed(sql: str) -> FigureOfMonth | None:
        for row in await service.projections.lookup(REVIEW_PROJECTION, sql, MONTHLY, month):
            held = (await service.commands.state(review, row["id"])).state
            if isinstance(held, SealedReview):
                (found,) = (each for each in held.report.figures if each.metric == state.figure)
                return FigureOfMonth(period=held.period, review_id=held.id, figure=found)
        return None

    return answer(
        MeasureEffect(
            measure_id=measure_id,
            figure=state.figure,
            done_on=done_on,
            before=await sealed(SEALED_BEFORE),
            after=await sealed(SEALED_AFTER) if done_on else None,
        )
    )
