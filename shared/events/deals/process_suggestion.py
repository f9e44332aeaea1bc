"""Events of a suggestion: how a process could be better, until a version adopts it (PROC-5)."""

from datetime import date
from uuid import UUID

from shared.events.definition import AsKnown, FreeText, event


@event("deals.process-change-suggested", aggregate="process-suggestion")
class ProcessChangeSuggested:
    """Somebody says how a process could be better."""

    process_suggestion_id: UUID
    process_id: UUID
    process_version: int
    """The version that it is about."""
    stage: str | None
    """None: the process as a whole."""
    task: str | None
    name: str
    """How it is called."""
    text: FreeText[str] = ""
    remark_id: UUID | None
    """The remark that it came from."""
    remark_by: UUID | None
    """The member who had noted that."""
    on: date
    owner: UUID | None
    """Its author."""
    team: UUID | None


@event("deals.process-suggestion-accepted", aggregate="process-suggestion")
class ProcessSuggestionAccepted:
    """A further version of the process is to have it."""

    process_suggestion_id: UUID
    reason: FreeText[str] = ""
    on: date
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.process-suggestion-declined", aggregate="process-suggestion")
class ProcessSuggestionDeclined:
    """The process stays as it is."""

    process_suggestion_id: UUID
    reason: FreeText[str] = ""
    on: date
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.process-suggestion-adopted", aggregate="process-suggestion")
class ProcessSuggestionAdopted:
    """A version of the process has it, to the credit of its author."""

    process_suggestion_id: UUID
    process_id: UUID
    adopted_by: int
    """The version that has it."""
    author: UUID | None
    remark_by: UUID | None
    """Who had noted the remark that it came from."""
    on: date
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.process-suggestion-texts-erased", aggregate="process-suggestion", erases="process_suggestion_id")
class ProcessSuggestionTextsErased:
    """What people wrote in it is gone (DATA-4)."""

    process_suggestion_id: UUID
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None
