"""Entry delay: how late the latest facts of one thing came in, read from its stream (DEAL-11)."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from shared.domain.aggregate import Aggregate
from shared.domain.history import entry_delay
from shared.following.stored_events import readable
from shared.http.context import ServiceContext

LATEST, LATEST_ENTRIES = 50, 10
"""It is that of the latest entries, among so many facts that were recorded last."""


async def entry_delay_of(
    service: ServiceContext, aggregate: Aggregate, aggregate_id: UUID, upto: int, is_entry: Callable[[Any], bool]
) -> int | None:
    """For how many days on average what counts as an entry was entered late, up to a sequence number of the thing."""
    (first,) = readable(await service.log.stream(aggregate.name, aggregate_id, 0, 1))
    recorded = readable(await service.log.stream(aggregate.name, aggregate_id, max(upto - LATEST, 0), LATEST))
    return entry_delay(recorded, is_entry, first.recorded_at, service.settings.company, latest=LATEST_ENTRIES)
