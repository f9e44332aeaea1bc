"""The list of webhook endpoints, by which it is known who is called for which kind of notices."""

from datetime import datetime
from typing import Annotated, get_args
from uuid import UUID

from services.forecast.domain.endpoint import webhook_endpoint
from services.forecast.domain.notice import NoticeKind
from shared.domain.aggregate import statuses
from shared.domain.roles import OPERATIONS
from shared.events.definition import value, words
from shared.events.envelope import Envelope
from shared.events.forecast.webhook_endpoint import (
    WebhookEndpointPaused,
    WebhookEndpointRegistered,
    WebhookEndpointRemoved,
    WebhookEndpointResumed,
    WebhookSecretRotated,
)
from shared.projections.lists import Listing, one_of
from shared.projections.projection import Projection
from shared.projections.tables import Row, Table


@value
class WebhookEndpointRow:
    """A webhook endpoint in the list."""

    id: UUID
    version: int
    url: str
    kind: NoticeKind | None
    """Which kind of notices it is called for; null: all of them."""
    status: Annotated[str, words(statuses(webhook_endpoint))]
    rotation: int
    """How often its secret was exchanged."""
    updated_at: datetime


def _registered(fact: Envelope[WebhookEndpointRegistered], row: Row) -> Row:
    return {"url": fact.data.url, "kind": fact.data.kind, "status": "active", "rotation": 0}


ENDPOINT = Table(
    name="endpoint",
    row=WebhookEndpointRow,
    events=webhook_endpoint.events,
    changes={
        WebhookEndpointRegistered: _registered,
        WebhookSecretRotated: lambda fact, _: {"rotation": fact.data.rotation},
        WebhookEndpointPaused: lambda *_: {"status": "paused"},
        WebhookEndpointResumed: lambda *_: {"status": "active"},
        WebhookEndpointRemoved: lambda *_: {"status": "removed"},
    },
)

ENDPOINT_PROJECTION = Projection(
    name="webhook_endpoints",
    version=1,
    ddl=ENDPOINT.ddl,
    indices=ENDPOINT.index_ddl,
    apply=ENDPOINT.apply,
    events=tuple(ENDPOINT.events),
)

WEBHOOK_ENDPOINTS = Listing(
    name="webhook-endpoints",
    projection=ENDPOINT_PROJECTION,
    table="endpoint",
    item=WebhookEndpointRow,
    key="id",
    filters={
        "kind": one_of("kind", get_args(NoticeKind)),
        "status": one_of("status", statuses(webhook_endpoint)),
    },
    sorts=("url",),
    default_sort="url",
    readers=OPERATIONS,
    owner=None,
    team=None,
)
