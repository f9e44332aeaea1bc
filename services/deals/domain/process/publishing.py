"""Sales processes: versioned documents that deals follow (PROC-1, PROC-2, PROC-3)."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from uuid import UUID

from services.deals.domain.facts import DERIVED, vocabulary
from shared.domain.aggregate import Aggregate, Claim, Decision
from shared.domain.context import Context
from shared.domain.criteria import blank, criteria_faults, misspelt, repeated
from shared.domain.rejection import Reason, refuse_all
from shared.domain.roles import EVERYBODY, OPERATIONS
from shared.events.deals.process import ProcessPublished
from shared.events.definition import value
from shared.events.process import ProcessDefinition, Stage

CATEGORIES = ("omitted", "pipeline", "best-case", "commit")
"""The forecast categories that a stage or a judgement can have (DEAL-10)."""


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
    refuse_all("invalid-process", "The process cannot be published as it is.", list(_faults(command.definition)))
    return [_published(context.aggregate_id, 1, command.definition)]


@process.decides(allow=OPERATIONS)
def publish_version(state: PublishedProcess, command: PublishVersion) -> Decision:
    """Publish the next version of a process. Open deals keep the version that they started on."""
    if command.definition == state.versions[-1]:
        return []
    reasons = list(_faults(command.definition))
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


def _faults(definition: ProcessDefinition) -> Iterator[Reason]:
    """What is wrong with a process as data, each with its position in the command."""
    root = "definition"
    nodes = [
        (f"{root}.stages.{index}.{kind}.{place}.key", node.key)
        for index, stage in enumerate(definition.stages)
        for kind, group in (("tasks", stage.tasks), ("deliverables", stage.deliverables))
        for place, node in enumerate(group)
    ]
    stages = [(f"{root}.stages.{index}.key", stage.key) for index, stage in enumerate(definition.stages)]
    facts = [(f"{root}.facts.{index}.key", fact.key) for index, fact in enumerate(definition.facts)]
    yield from misspelt([(f"{root}.key", definition.key), *stages, *nodes, *facts])
    yield from blank(_names(definition, root))
    for keys in (stages, nodes, facts):
        yield from repeated(keys)
    for index, fact in enumerate(definition.facts):
        if fact.key in DERIVED or "." in fact.key:
            message = f"{fact.key} is the name of a derived fact."
            yield Reason(code="reserved-name", message=message, field=f"{root}.facts.{index}.key")
    known = vocabulary(definition)
    for index, stage in enumerate(definition.stages):
        yield from _stage_faults(stage, known, f"{root}.stages.{index}")


def _stage_faults(stage: Stage, known: Mapping[str, str], where: str) -> Iterator[Reason]:
    if stage.category not in CATEGORIES:
        message = f"The forecast category is one of {', '.join(CATEGORIES)}."
        yield Reason(code="unknown-category", message=message, field=f"{where}.category")
    for gate, criteria in (("entry", stage.entry), ("exit", stage.exit)):
        yield from criteria_faults(criteria, known, f"{where}.{gate}")


def _names(definition: ProcessDefinition, root: str) -> Iterator[tuple[str, str]]:
    """Every name in a process, with its position."""
    yield f"{root}.name", definition.name
    yield from ((f"{root}.facts.{index}.name", fact.name) for index, fact in enumerate(definition.facts))
    for index, stage in enumerate(definition.stages):
        where = f"{root}.stages.{index}"
        yield f"{where}.name", stage.name
        for kind in ("tasks", "deliverables"):
            yield from ((f"{where}.{kind}.{place}.name", each.name) for place, each in enumerate(getattr(stage, kind)))
