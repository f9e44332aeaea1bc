"""Events of a remark: what somebody says of a step of a process, from working with it (PROC-5)."""

from datetime import date
from uuid import UUID

from shared.events.definition import AsKnown, FreeText, event


@event("deals.process-remark-noted", aggregate="process-remark")
class ProcessRemarkNoted:
    """Staff or a customer say what hinders them in a step of a process."""

    process_remark_id: UUID
    process_id: UUID
    process_version: int
    stage: str
    task: str | None
    """A task or deliverable of the stage; none: the stage as a whole."""
    deal_id: UUID | None
    """The deal on which it showed."""
    said_by: str
    """staff or customer."""
    kind: str
    """too-strict, too-slow, unclear, tool or other."""
    severity: int
    """From 1, a nuisance, to 3, it costs deals."""
    text: FreeText[str] = ""
    on: date
    owner: UUID | None
    """The member who noted it."""
    team: UUID | None


@event("deals.process-remark-text-erased", aggregate="process-remark", erases="process_remark_id")
class ProcessRemarkTextErased:
    """What it says is gone; where and of which kind it was stays (DATA-4)."""

    process_remark_id: UUID
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None
