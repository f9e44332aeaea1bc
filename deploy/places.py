"""Where in the topics the events of a store end, as it follows from the store alone."""

from typing import Any

from shared.events.registry import topic_of
from shared.kafka.chain import Place
from shared.kafka.partitioning import partition_of

LAST = "select aggregate, aggregate_id, max(position) as position from event where position <= $1 group by 1, 2"


async def last_places(store: Any, service: str, upto: int, partitions: int) -> dict[Place, int]:
    """The last position up to `upto` in each partition of a service's topics. `store` is its database: a pool or a
    connection."""
    found: dict[Place, int] = {}
    for row in await store.fetch(LAST, upto):
        place = Place(topic_of(service, row["aggregate"]), partition_of(row["aggregate_id"], partitions))
        found[place] = max(found.get(place, 0), row["position"])
    return found
