"""Events of a webhook endpoint: an address outside that is called when notices are raised."""

from datetime import datetime
from uuid import UUID

from shared.events.definition import event


@event("forecast.webhook-endpoint-registered", aggregate="webhook-endpoint")
class WebhookEndpointRegistered:
    """Notices are sent there from now on (REC-5)."""

    endpoint_id: UUID
    url: str
    kind: str | None = None
    """Which kind of notices; none: all of them."""


@event("forecast.webhook-secret-rotated", aggregate="webhook-endpoint")
class WebhookSecretRotated:
    """Another secret signs from now on, and the one before it along with it for a while."""

    endpoint_id: UUID
    rotation: int
    """1, 2, 3 …: which secret it is now; the first one is 0."""
    both_until: datetime
    """Until when the one before it signs as well."""


@event("forecast.webhook-endpoint-paused", aggregate="webhook-endpoint")
class WebhookEndpointPaused:
    """It is not called for now; what is to be sent waits."""

    endpoint_id: UUID


@event("forecast.webhook-endpoint-resumed", aggregate="webhook-endpoint")
class WebhookEndpointResumed:
    """It is called again."""

    endpoint_id: UUID


@event("forecast.webhook-endpoint-removed", aggregate="webhook-endpoint")
class WebhookEndpointRemoved:
    """It is called no more."""

    endpoint_id: UUID
