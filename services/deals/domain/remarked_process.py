"""The step of a process that somebody speaks of: whether there is such a version, stage and task (PROC-5)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from annotated_types import Ge, Le

from shared.domain.rejection import Reason
from shared.events.process import ProcessDefinition, StageOutline
from shared.events.references import Free

AnyProcessId = Annotated[UUID, Free("one that was retired, too: the handler looks for it", thing="process")]
VersionNumber = Annotated[int, Ge(1), Le(10_000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemarkedProcess:
    """A process that is spoken of, retired or not, as a handler is given it; of none no versions."""

    versions: tuple[ProcessDefinition, ...] = ()


def step_faults(process: RemarkedProcess, version: int, stage: str | None, task: str | None) -> Iterator[Reason]:
    """Why there is no such step; the first of version, stage and task that there is not."""
    if not process.versions:
        yield Reason(code="unknown-process", message="No such process was ever published.", field="process_id")
        return
    if version > len(process.versions):
        message = f"The process has versions up to {len(process.versions)}."
        yield Reason(code="unknown-version", message=message, field="process_version")
        return
    stages = _stages(process.versions[version - 1])
    if stage is None:
        if task is not None:
            yield Reason(code="stage-missing", message="A task is one of a stage.", field="stage")
    elif stage not in stages:
        message = f"The version has no stage {stage!r}; it has {', '.join(stages)}."
        yield Reason(code="unknown-stage", message=message, field="stage")
    elif task is not None:
        keys = [node.key for node in (*stages[stage].tasks, *stages[stage].deliverables)]
        if task not in keys:
            message = f"The stage has no task or deliverable {task!r}; it has {', '.join(keys) or 'none'}."
            yield Reason(code="unknown-node", message=message, field="task")


def _stages(definition: ProcessDefinition) -> dict[str, StageOutline]:
    return {stage.key: stage for stage in definition.every_stage}
