"""The layout of the topics is frozen on first use: a database remembers over how many partitions its events are spread.

With another number, or by another rule, the next event of an aggregate would come into another partition than those
before it, and whoever reads would get them in any order. Neither the topics nor a process notice that by themselves.
"""

from typing import Any, Literal

Layout = int | Literal["older"] | None
"""A number of partitions; `older` when an earlier release placed aggregates by another rule; None before first use."""

FREEZE = "insert into topic_layout (partitions) values ($1) on conflict do nothing"
REPLACE = """
insert into topic_layout (partitions) values ($1) on conflict (one) do update set partitions = excluded.partitions"""
LAID_OUT = "select count(*) as known, max(partitions) as partitions from topic_layout"


class OtherPartitions(Exception):
    """The topics have another number of partitions than this process is set to."""

    def __init__(self, wanted: int, found: int, where: str) -> None:
        super().__init__(
            f"KAFKA_PARTITIONS is {wanted}, but {where} {found}: with another number the next events of an aggregate"
            f" would come into another partition than those before, and lose their order. Set KAFKA_PARTITIONS={found}"
            " for every process."
        )


async def laid_out(pool: Any) -> Layout:
    """By what the topics are laid out that this database publishes to and reads."""
    row = await pool.fetchrow(LAID_OUT)
    if not row["known"]:
        return None
    return "older" if row["partitions"] is None else int(row["partitions"])


async def hold_to(pool: Any, partitions: int) -> None:
    """Raise `OtherPartitions` when the layout is frozen with another number."""
    found = await laid_out(pool)
    if isinstance(found, int) and found != partitions:
        raise OtherPartitions(partitions, found, "the events of this database are spread over")


async def freeze(pool: Any, partitions: int) -> None:
    """Freeze the layout, once the topics are known to have it. Raises `OtherPartitions` when it is frozen with another
    number."""
    await pool.execute(FREEZE, partitions)
    await hold_to(pool, partitions)


async def replace(pool: Any, partitions: int) -> None:
    """Set the layout anew, when nothing is left in the topics and journals that was placed by the one before."""
    await pool.execute(REPLACE, partitions)
