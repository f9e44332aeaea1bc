"""The routes of what forecast owns that do not follow from a handler."""

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter

from services.forecast.domain.notice import RECIPIENTS
from services.forecast.domain.preference import (
    MuteNotices,
    UnmuteNotices,
    member_of,
    notice_preference,
    preference_of,
)
from shared.http.command_routes import execute_command
from shared.http.handwritten import CurrentActor, body_of, operation

router = APIRouter()

MUTE, UNMUTE = TypeAdapter(MuteNotices), TypeAdapter(UnmuteNotices)


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
