"""Events of a sales process: its draft, its pilot, its published versions, and its end."""

from datetime import date
from typing import Annotated
from uuid import UUID

from annotated_types import Ge, Le

from shared.events.definition import Exact, FreeText, event, value, words
from shared.events.process import ProcessDefinition

LEVELS = ("new", "experienced", "senior")
"""Of experience."""
GOALS = ("sales-cycle", "lead-conversion", "win-rate", "won-amount")
OUTCOMES = ("adopted", "revised", "stopped")


@value
class Wave:
    """From a day on, new deals of some teams follow a version."""

    on: date
    teams: tuple[UUID, ...] = ()
    """With those below them; none: of every team."""


@value
class PilotGoal:
    """What a pilot is to reach, stated before it begins."""

    figure: Annotated[str, words(GOALS)]
    change: Annotated[Exact, Ge(-10), Le(10)]
    """As a share of what it is without: -0.20 is a fifth less."""


@value
class PilotPeople:
    """How many people of one level of experience are in a pilot."""

    experience: Annotated[str, words(LEVELS)]
    """new, experienced or senior."""
    reps: Annotated[int, Ge(1)]


@event("deals.process-drafted", aggregate="process")
class ProcessDrafted:
    """The draft of a process was saved, in place of the one before (PROC-2). No deal follows a draft."""

    process_id: UUID
    definition: ProcessDefinition
    revises: int | None = None
    """The version whose pilot led to it."""


@event("deals.process-draft-discarded", aggregate="process")
class ProcessDraftDiscarded:
    """There is no draft any more."""

    process_id: UUID


@event("deals.process-pilot-started", aggregate="process")
class ProcessPilotStarted:
    """A version of a process is followed by some new deals, to be compared with the others (PROC-2)."""

    process_id: UUID
    process_version: int
    definition: ProcessDefinition
    goal: PilotGoal
    on: date
    """The company's day from which it runs."""
    until: date
    """The last day on which new deals follow it."""
    teams: tuple[UUID, ...] = ()
    """Deals of these teams, with those below them; none: of every team."""
    industries: tuple[str, ...] = ()
    """Deals of these industries; none: of every industry."""
    share: Annotated[Exact, Ge(0), Le(1)]
    """The share of these deals that follow it, chosen by a hash of their ids."""
    people: tuple[PilotPeople, ...] | None = None
    """The reps whose deals may follow it, by their experience, as they were known on that day. None: not looked up."""


@event("deals.process-pilot-ended", aggregate="process")
class ProcessPilotEnded:
    """No new deal follows the pilot any more; those that did keep its version."""

    process_id: UUID
    process_version: int
    outcome: Annotated[str, words(OUTCOMES)]
    """adopted: the version is published; revised: it is a draft again; stopped."""
    reason: FreeText[str | None] = None


@event("deals.process-published", aggregate="process")
class ProcessPublished:
    """A version of a sales process is in force for new deals (PROC-1, PROC-2). Published versions never change."""

    process_id: UUID
    process_version: int
    definition: ProcessDefinition
    waves: tuple[Wave, ...] = ()
    """Whose deals follow it from when on; none: all at once."""
    from_draft: bool = False
    """Whether it was the draft, so that there is none any more."""


@event("deals.process-retired", aggregate="process")
class ProcessRetired:
    """No new deal follows the process any more; those that did keep their version."""

    process_id: UUID
    reason: FreeText[str | None] = None
