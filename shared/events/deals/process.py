"""Events of a sales process: its published versions."""

from uuid import UUID

from shared.events.definition import event
from shared.events.process import ProcessDefinition


@event("deals.process-published", aggregate="process")
class ProcessPublished:
    """A version of a sales process is in force for new deals (PROC-1, PROC-2). Published versions never change."""

    process_id: UUID
    process_version: int
    definition: ProcessDefinition
