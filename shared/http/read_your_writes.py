"""Read your own writes: a request with a Consistency-Token waits until the answer holds what it names (API-2).

`reader` is how every read begins: lists, single things and hand-written routes alike.
"""

import time
from collections.abc import Collection

from starlette.requests import Request

from shared.directory.organisation import NAME as ORGANISATION
from shared.domain.context import Actor
from shared.domain.permissions import role_missing
from shared.domain.roles import Role
from shared.http.context import context_of
from shared.http.headers import prefers_lenient, refuse_parameters, single_header
from shared.http.problems import Problem
from shared.projections.consistency import ReadModelBehind
from shared.projections.tokens import decode

WAIT_SECONDS = 2.0


async def reader(
    request: Request,
    *,
    reads: Collection[str],
    roles: Collection[Role] | None = None,
    known: frozenset[str] = frozenset(),
    several: frozenset[str] = frozenset(),
) -> Actor:
    """Who reads: signed in, with one of the roles (None: that is decided by what is read), asking with known query
    parameters of which only `several` may be repeated, once what their token names has arrived in the projections that
    are read (by their names). Raises Problem."""
    actor = await context_of(request).authenticator.sign_in(request)
    if roles is not None and actor.roles.isdisjoint(roles):
        raise Problem("not-allowed", role_missing(roles), code="role-missing")
    refuse_parameters(request, known, several)
    return await await_token(request, actor, reads)


async def await_token(request: Request, actor: Actor, reads: Collection[str]) -> Actor:
    """Wait for the request's token in these projections. Raises Problem (503) after two seconds, unless the caller
    takes an older answer.

    Gives who asks, as the organisation knows them once the token's place is reached: what was waited for may be that
    they joined or moved. So the organisation is waited for in any case.
    """
    given = single_header(request, "Consistency-Token")
    if given is None:
        return actor
    service = context_of(request)
    began = time.perf_counter()
    waits = service.health.metrics.waits
    try:
        token = decode(given, service.settings.kafka_partitions)
        await service.consistency.wait_for(token, {*reads, ORGANISATION}, WAIT_SECONDS)
    except ReadModelBehind:
        waits.labels("behind").observe(time.perf_counter() - began)
        if prefers_lenient(request):
            request.scope["state"]["applied"] = "handling=lenient"
            return actor
        raise Problem(
            "read-model-behind", "What the token names has not arrived here yet.", headers={"Retry-After": "1"}
        ) from None
    waits.labels("there").observe(time.perf_counter() - began)
    return await service.authenticator.known_as(actor)
