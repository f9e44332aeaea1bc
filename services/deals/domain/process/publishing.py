"""How a process is published, version by version (PROC-2)."""

from typing import Any, ClassVar
from uuid import UUID

from services.deals.domain.process.faults import faults
from services.deals.domain.process.state import NoProcess, PublishedProcess, process
from shared.domain.aggregate import Claim, Decision
from shared.domain.context import Context
from shared.domain.rejection import Reason, refuse_all
from shared.domain.roles import OPERATIONS
from shared.events.deals.process import ProcessPublished
from shared.events.definition import value
from shared.events.process import ProcessDefinition

_EXAMPLE: dict[str, Any] = {
    "definition": {
        "key": "renewal",
        "name": "Renewal",
        "facts": [{"key": "satisfied", "name": "The customer is satisfied", "kind": "yes-no"}],
        "stages": [
            {
                "key": "review",
                "name": "Review",
                "purpose": "Know whether the customer wants to go on.",
                "probability": "0.60",
                "category": "best-case",
                "tasks": [{"key": "call", "name": "Call the customer", "standard": "2 open questions about the year"}],
                "deliverables": [{"key": "summary", "name": "Summary of the year"}],
                "exit": [
                    {
                        "key": "satisfied",
                        "name": "The customer is satisfied",
                        "when": {"fact": "satisfied", "operator": "is", "value": True},
                    }
                ],
            }
        ],
    }
}


@value
class PublishProcess:
    """The first version of a new process."""

    definition: ProcessDefinition

    example: ClassVar[dict[str, Any]] = _EXAMPLE


@value
class PublishVersion:
    """A further version of a process."""

    definition: ProcessDefinition

    example: ClassVar[dict[str, Any]] = _EXAMPLE


@process.decides(allow=OPERATIONS)
def publish(state: NoProcess, command: PublishProcess, context: Context) -> Decision:
    """Publish a new process."""
    refuse_all("invalid-process", "The process cannot be published as it is.", list(faults(command.definition)))
    return [_published(context.aggregate_id, 1, command.definition)]


@process.decides(allow=OPERATIONS)
def publish_version(state: PublishedProcess, command: PublishVersion) -> Decision:
    """Publish the next version of a process. Open deals keep the version that they started on."""
    if command.definition == state.versions[-1]:
        return []
    reasons = list(faults(command.definition))
    if command.definition.key != state.versions[0].key:
        message = f"The versions of this process have the key {state.versions[0].key!r}."
        reasons.append(Reason(code="other-key", message=message, field="definition.key"))
    refuse_all("invalid-process", "The version cannot be published as it is.", reasons)
    return [_published(state.id, len(state.versions) + 1, command.definition)]


@process.already
def is_published(state: PublishedProcess, command: PublishProcess) -> bool:
    return state.versions[0] == command.definition


@process.evolves
def published(state: NoProcess, event: ProcessPublished) -> PublishedProcess:
    return PublishedProcess(id=event.process_id, versions=(event.definition,))


@process.evolves
def version_published(state: PublishedProcess, event: ProcessPublished) -> PublishedProcess:
    return PublishedProcess(id=state.id, versions=(*state.versions, event.definition))


@process.claims
def key_taken(state: PublishedProcess) -> list[Claim]:
    return [Claim(kind="process-key", key=state.versions[0].key)]


def _published(process_id: UUID, version: int, definition: ProcessDefinition) -> ProcessPublished:
    return ProcessPublished(process_id=process_id, process_version=version, definition=definition)
