"""What the forecast service consists of."""

from pathlib import Path

from services.forecast import (
    cash,
    changes,
    dangers,
    deals,
    effects,
    feed,
    funnel,
    health,
    histories,
    leads,
    nodes,
    outlook,
    people,
    processes,
    targets,
)
from shared.directory.organisation import organisation
from shared.eventstore.batching import PROMPT
from shared.service.definition import FeedSource, Service

SERVICE = Service(
    "forecast",
    description="Funnel, forecast, health of the sales process and what changed, now and at any past instant.",
    projections=(
        organisation("journal"),
        processes.PROJECTION,
        targets.PROJECTION,
        deals.PROJECTION,
        leads.PROJECTION,
        nodes.PROJECTION,
        cash.PROJECTION,
        feed.PROJECTION,
    ),
    routes=(
        funnel.router,
        outlook.router,
        dangers.router,
        changes.router,
        health.router,
        histories.router,
        feed.router,
        effects.router,
        people.router,
    ),
    reads=None,
    feed=FeedSource(read=feed.read, head=feed.head),
    pace=PROMPT,
    pages=Path(__file__).parent / "dashboard",
)
