"""Webhook endpoints: addresses outside that are called when notices are raised (REC-5).

Their secrets are in no event and no table: each derives from the deployment's secret, the endpoint and the number of
its rotation.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit
from uuid import UUID

from annotated_types import MaxLen, MinLen

from services.forecast.domain.notice import NoticeKind
from shared.domain.aggregate import Aggregate, Decision, carried
from shared.domain.context import Context
from shared.domain.rejection import Rejected
from shared.domain.roles import OPERATIONS
from shared.events.definition import value
from shared.events.forecast.webhook_endpoint import (
    WebhookEndpointPaused,
    WebhookEndpointRegistered,
    WebhookEndpointRemoved,
    WebhookEndpointResumed,
    WebhookSecretRotated,
)

BOTH_FOR = timedelta(hours=24)
"""So long the secret before signs along, and receivers may take over the new one."""


@value
class NoWebhookEndpoint:
    """Nothing was registered under this id."""


@value
class WebhookEndpoint:
    """What every endpoint carries, whatever its state."""

    id: UUID
    url: str
    kind: str | None
    rotation: int = 0
    both_until: datetime | None = None


@value
class ActiveWebhookEndpoint(WebhookEndpoint):
    """It is called."""


@value
class PausedWebhookEndpoint(WebhookEndpoint):
    """It is not called for now; what is to be sent waits."""


@value
class RemovedWebhookEndpoint(WebhookEndpoint):
    """It is called no more."""


Standing = ActiveWebhookEndpoint | PausedWebhookEndpoint

webhook_endpoint = Aggregate(
    "webhook-endpoint", plural="webhook-endpoints", start=NoWebhookEndpoint, readers=OPERATIONS
)


@value
class RegisterWebhookEndpoint:
    """Have an address called whenever a notice is raised."""

    url: Annotated[str, MinLen(1), MaxLen(2000)]
    """An address of https. It is published with the events: put no secret into it."""
    kind: NoticeKind | None = None
    """Which kind of notices; without one all of them."""

    example: ClassVar[dict[str, Any]] = {"url": "https://crm.example.com/hooks/throughline", "kind": "invoice-overdue"}


@value
class RotateWebhookSecret:
    """Have another secret sign from now on; the one before it signs along for a day."""

    example: ClassVar[dict[str, Any]] = {}


@value
class PauseWebhookEndpoint:
    """Have it not called for now; what is to be sent waits."""

    example: ClassVar[dict[str, Any]] = {}


@value
class ResumeWebhookEndpoint:
    """Have it called again."""

    example: ClassVar[dict[str, Any]] = {}


@value
class RemoveWebhookEndpoint:
    """Have it called no more."""

    example: ClassVar[dict[str, Any]] = {}


@webhook_endpoint.decides(allow=OPERATIONS)
def register(state: NoWebhookEndpoint, command: RegisterWebhookEndpoint, context: Context) -> Decision:
    """Have an address called whenever a notice is raised. `GET …/secret` tells by what calls are signed."""
    _check(command.url)
    return [WebhookEndpointRegistered(endpoint_id=context.aggregate_id, url=command.url, kind=command.kind)]


@webhook_endpoint.decides(allow=OPERATIONS)
def rotate_secret(state: Standing, command: RotateWebhookSecret, context: Context) -> Decision:
    """Have another secret sign from now on. The one before it signs along for 24 hours."""
    rotation, both_until = state.rotation + 1, context.now + BOTH_FOR
    return [WebhookSecretRotated(endpoint_id=state.id, rotation=rotation, both_until=both_until)]


@webhook_endpoint.decides(allow=OPERATIONS)
def pause(state: Standing, command: PauseWebhookEndpoint) -> Decision:
    """Have it not called for now; what is to be sent waits, as long as deliveries do."""
    return [WebhookEndpointPaused(endpoint_id=state.id)]


@webhook_endpoint.decides(allow=OPERATIONS)
def resume(state: Standing, command: ResumeWebhookEndpoint) -> Decision:
    """Have it called again, with what has waited."""
    return [WebhookEndpointResumed(endpoint_id=state.id)]


@webhook_endpoint.decides(allow=OPERATIONS)
def remove(state: Standing, command: RemoveWebhookEndpoint) -> Decision:
    """Have it called no more; what is to be sent there is dead."""
    return [WebhookEndpointRemoved(endpoint_id=state.id)]


@webhook_endpoint.already
def is_registered(state: Standing, command: RegisterWebhookEndpoint) -> bool:
    return (state.url, state.kind) == (command.url, command.kind)


@webhook_endpoint.already
def is_paused(state: PausedWebhookEndpoint, command: PauseWebhookEndpoint) -> bool:
    return True


@webhook_endpoint.already
def is_active(state: ActiveWebhookEndpoint, command: ResumeWebhookEndpoint) -> bool:
    return True


@webhook_endpoint.already
def is_removed(state: RemovedWebhookEndpoint, command: RemoveWebhookEndpoint) -> bool:
    return True


@webhook_endpoint.evolves
def registered(state: NoWebhookEndpoint, event: WebhookEndpointRegistered) -> ActiveWebhookEndpoint:
    return ActiveWebhookEndpoint(id=event.endpoint_id, url=event.url, kind=event.kind)


@webhook_endpoint.evolves
def rotated(state: Standing, event: WebhookSecretRotated) -> Standing:
    return replace(state, rotation=event.rotation, both_until=event.both_until)


@webhook_endpoint.evolves
def paused(state: Standing, event: WebhookEndpointPaused) -> PausedWebhookEndpoint:
    return PausedWebhookEndpoint(**carried(state, WebhookEndpoint))


@webhook_endpoint.evolves
def resumed(state: Standing, event: WebhookEndpointResumed) -> ActiveWebhookEndpoint:
    return ActiveWebhookEndpoint(**carried(state, WebhookEndpoint))


@webhook_endpoint.evolves
def has_been_removed(state: Standing, event: WebhookEndpointRemoved) -> RemovedWebhookEndpoint:
    return RemovedWebhookEndpoint(**carried(state, WebhookEndpoint))


def rotations_of(endpoint: WebhookEndpoint, now: datetime) -> tuple[int, ...]:
    """Which of its secrets sign now, the newest first."""
    both = endpoint.both_until is not None and now < endpoint.both_until
    return (endpoint.rotation, endpoint.rotation - 1) if both else (endpoint.rotation,)


def _check(url: str) -> None:
    """Raises Rejected unless calls may go to an address, as far as it says."""
    try:
        parts = urlsplit(url)
        whole = parts.scheme in ("https", "http") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        whole = False
    if not whole or not url.isascii() or not url.isprintable() or " " in url:
        raise Rejected("no-address", "That is no address of https.", field="url")
    if parts.username is not None or parts.fragment:
        raise Rejected("no-address", "An address has no user, password or fragment.", field="url")
