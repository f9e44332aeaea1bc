"""Event envelope: where it stands in its stream and log, when it happened, and why."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

DataT = TypeVar("DataT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope(Generic[DataT]):
    """One recorded event.

    `position` is the place in the log that it was read from (the owner's log, or a reader's journal);
    `source_position` is always its place in the owner's log. `sequence` counts 1..n inside the aggregate.
    `occurred_at` is when it happened on the company clock, `recorded_at` when it was appended; both are UTC. `by_day`
    says that of the former nothing but the day is known; the instant then stands for it. `fact` is by what a fact of
    history is known again: of several recorded under one name, the last one counts. `partition` is that of the topic
    which the event came from; None in the owner's log, which knows of no topics.
    """

    id: UUID
    type: str
    version: int
    service: str
    aggregate: str
    aggregate_id: UUID
    sequence: int
    partition: int | None = None
    position: int
    source_position: int
    occurred_at: datetime
    by_day: bool = False
    recorded_at: datetime
    actor: str
    correlation_id: UUID
    causation_id: UUID
    imported: bool
    fact: str | None = None
    traceparent: str | None
    data: DataT
