"""The routes of what forecast owns that do not follow from a handler."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter

from services.forecast.domain.address import SendNotices, StopSendingNotices, address_of, notice_address
from services.forecast.domain.notice import RECIPIENTS
from services.forecast.domain.preference import (
    MuteNotices,
    UnmuteNotices,
    member_of,
    notice_preference,
    preference_of,
)
from services.forecast.outside import standing_endpoint
from shared.deliveries.webhooks import shown
from shared.domain.rejection import Rejected
from shared.domain.roles import OPERATIONS
from shared.events.definition import value
from shared.http.command_routes import execute_command
from shared.http.handwritten import CurrentActor, CurrentService, answer, body_of, operation
from shared.http.problems import Problem

router = APIRouter()

MUTE, UNMUTE = TypeAdapter(MuteNotices), TypeAdapter(UnmuteNotices)
SEND, STOP = TypeAdapter(SendNotices), TypeAdapter(StopSendingNotices)


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

    Kinds that are muted are not sent. Another address takes the place of the one before, which is erased.
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
