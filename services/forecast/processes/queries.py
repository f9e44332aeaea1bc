"""The query to the read model of processes: the stages of every published version, each as people call it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.projections.projection import ProjectionDatabase

StageKey = tuple[UUID, int, str]
"""A stage: process, version, and its key there. Two processes may use the same key for different stages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage of a published version of a process, as people call it, and how long a deal may stay there."""

    process_id: UUID
    version: int
    process: str
    process_name: str
    stage: str
    name: str
    max_days: int
    published_at: datetime
    known: datetime
    """When it was recorded that the version was published."""

    @property
    def key(self) -> StageKey:
        """What tells it from every other stage."""
        return self.process_id, self.version, self.stage


STAGES = """
select process_id, version, process, process_name, stage, name, max_days, published_at, known from {view}.stage
 order by process, process_id, version desc, place
"""


async def stages(db: ProjectionDatabase) -> list[Stage]:
    """The stages of every published version, process by process, the newest version first, in the process's order."""
    return [Stage(**row) for row in await db.fetch(STAGES)]
