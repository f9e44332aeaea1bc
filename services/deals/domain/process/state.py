"""What is known of a sales process, and the states that it can stand in."""

from uuid import UUID

from shared.domain.aggregate import Aggregate
from shared.domain.roles import EVERYBODY
from shared.events.definition import value
from shared.events.process import ProcessDefinition


@value
class NoProcess:
    """Nothing was published under this id."""


@value
class PublishedProcess:
    """A process with at least one published version; the last one is in force for new deals."""

    id: UUID
    versions: tuple[ProcessDefinition, ...]
    """Version 1 first. Published versions never change."""


process = Aggregate("process", plural="processes", start=NoProcess, readers=EVERYBODY)


@value
class Process:
    """One published version of a process: what a deal follows."""

    id: UUID
    version: int
    definition: ProcessDefinition


def version_of(state: PublishedProcess, version: int | None = None) -> Process:
    """A published version; default: the one that is in force for new deals."""
    number = version or len(state.versions)
    return Process(id=state.id, version=number, definition=state.versions[number - 1])
