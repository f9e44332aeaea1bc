"""Suggestions how a process could be better: accepted or declined, and adopted by a version, to the credit of whoever
made them (PROC-5)."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from services.deals.domain.remarked_process import AnyProcessId, RemarkedProcess, VersionNumber, step_faults
from shared.domain.aggregate import Aggregate, Decision, carried
from shared.domain.context import Context
from shared.domain.fields import LongText, Name, Text
from shared.domain.references import ProcessRemarkId
from shared.domain.rejection import Reason, Rejected, refuse_all
from shared.domain.roles import EVERYBODY, OPERATIONS
from shared.events.criteria import Key
from shared.events.deals.process_suggestion import (
    ProcessChangeSuggested,
    ProcessSuggestionAccepted,
    ProcessSuggestionAdopted,
    ProcessSuggestionDeclined,
    ProcessSuggestionTextsErased,
)
from shared.events.definition import value


@value
class NoProcessSuggestion:
    """Nothing was suggested under this id."""


@value
class ProcessSuggestion:
    """What every suggestion carries, whatever its state."""

    id: UUID
    process_id: UUID
    process_version: int
    stage: str | None
    task: str | None
    name: str
    text: str
    remark_id: UUID | None
    remark_by: UUID | None
    suggested_on: date
    owner: UUID | None
    """Its author."""
    team: UUID | None
    reason: str | None = None
    """Why it was accepted or declined."""


@value
class ProposedProcessSuggestion(ProcessSuggestion):
    """Sales operations has not decided about it."""


@value
class AcceptedProcessSuggestion(ProcessSuggestion):
    """A further version is to have it."""

    accepted_on: date


@value
class DeclinedProcessSuggestion(ProcessSuggestion):
    """The process stays as it is."""

    declined_on: date


@value
class AdoptedProcessSuggestion(ProcessSuggestion):
    """A version has it."""

    adopted_by: int
    adopted_on: date


AnyProcessSuggestion = (
    ProposedProcessSuggestion | AcceptedProcessSuggestion | DeclinedProcessSuggestion | AdoptedProcessSuggestion
)

process_suggestion = Aggregate(
    "process-suggestion", plural="process-suggestions", start=NoProcessSuggestion, readers=EVERYBODY
)


@value
class SuggestProcessChange:
    """How a process could be better."""

    process_id: AnyProcessId
    process_version: VersionNumber
    stage: Key | None = None
    """Default: the process as a whole."""
    task: Key | None = None
    """A task or deliverable of the stage."""
    name: Name
    """What it is called; it is published, and names nobody."""
    text: LongText
    remark_id: ProcessRemarkId | None = None
    """The remark that it came from, of the same process."""

    example: ClassVar[dict[str, Any]] = {
        "process_id": "0199d3a4-5b7c-7d2e-9f10-3a4b5c6d7e8f",
        "process_version": 1,
        "stage": "needs-diagnosis",
        "name": "Background record in two parts",
        "text": "Ask for the machines at the first talk, and for the figures at the second.",
    }


@value
class AcceptSuggestion:
    """A further version of the process is to have it."""

    reason: Text

    example: ClassVar[dict[str, Any]] = {"reason": "Four teams say the same."}


@value
class DeclineSuggestion:
    """The process stays as it is."""

    reason: Text

    example: ClassVar[dict[str, Any]] = {"reason": "Finance needs the figures before the solution is designed."}


@value
class AdoptSuggestion:
    """A version of the process has it."""

    adopted_by: VersionNumber
    """A version that came after the one that it is about."""

    example: ClassVar[dict[str, Any]] = {"adopted_by": 2}


@value
class EraseTextsOfSuggestion:
    """Delete what people wrote in it."""

    example: ClassVar[dict[str, Any]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedRemark:
    """The remark that a suggestion came from, as a handler is given it; of none neither process nor author."""

    process_id: UUID | None = None
    by: UUID | None = None


@process_suggestion.decides(allow=EVERYBODY)
def suggest(
    state: NoProcessSuggestion,
    command: SuggestProcessChange,
    context: Context,
    process: RemarkedProcess,
    remark: NamedRemark,
) -> Decision:
    """Suggest how a process could be better."""
    reasons = list(step_faults(process, command.process_version, command.stage, command.task))
    if remark.process_id not in (None, command.process_id):
        message = "The remark is about another process."
        reasons.append(Reason(code="other-process", message=message, field="remark_id"))
    refuse_all("unknown-step", "There is no such step.", reasons)
    return [
        ProcessChangeSuggested(
            process_suggestion_id=context.aggregate_id,
            process_id=command.process_id,
            process_version=command.process_version,
            stage=command.stage,
            task=command.task,
            name=command.name,
            text=command.text,
            remark_id=command.remark_id,
            remark_by=remark.by,
            on=context.today,
            owner=context.actor.member,
            team=context.actor.team,
        )
    ]


@process_suggestion.decides(allow=OPERATIONS)
def accept(state: ProposedProcessSuggestion, command: AcceptSuggestion, context: Context) -> Decision:
    """Accept a suggestion, with the reason: a further version of the process is to have it."""
    return [ProcessSuggestionAccepted(process_suggestion_id=state.id, reason=command.reason, on=context.today)]


@process_suggestion.decides(allow=OPERATIONS)
def decline(
    state: ProposedProcessSuggestion | AcceptedProcessSuggestion, command: DeclineSuggestion, context: Context
) -> Decision:
    """Decline a suggestion, with the reason."""
    return [ProcessSuggestionDeclined(process_suggestion_id=state.id, reason=command.reason, on=context.today)]


@process_suggestion.decides(allow=OPERATIONS)
def adopt(
    state: AcceptedProcessSuggestion, command: AdoptSuggestion, context: Context, process: RemarkedProcess
) -> Decision:
    """Say which version of the process has it, to the credit of its author."""
    if not state.process_version < command.adopted_by <= len(process.versions):
        message = (
            f"A version after {state.process_version} adopts it; there are versions up to {len(process.versions)}."
        )
        raise Rejected("unknown-version", message, field="adopted_by")
    return [
        ProcessSuggestionAdopted(
            process_suggestion_id=state.id,
            process_id=state.process_id,
            adopted_by=command.adopted_by,
            author=state.owner,
            remark_by=state.remark_by,
            on=context.today,
        )
    ]


@process_suggestion.decides(allow=OPERATIONS)
def erase_texts(state: AnyProcessSuggestion, command: EraseTextsOfSuggestion) -> Decision:
    """Delete what people wrote in it: the text and the reason. Its name stays."""
    return [ProcessSuggestionTextsErased(process_suggestion_id=state.id)] if state.text or state.reason else []


@process_suggestion.already
def is_suggested(state: AnyProcessSuggestion, command: SuggestProcessChange) -> bool:
    names = ("process_id", "process_version", "stage", "task", "name", "text", "remark_id")
    return all(getattr(state, name) == getattr(command, name) for name in names)


@process_suggestion.already
def is_accepted(state: AcceptedProcessSuggestion, command: AcceptSuggestion) -> bool:
    return state.reason == command.reason


@process_suggestion.already
def is_declined(state: DeclinedProcessSuggestion, command: DeclineSuggestion) -> bool:
    return state.reason == command.reason


@process_suggestion.already
def is_adopted(state: AdoptedProcessSuggestion, command: AdoptSuggestion) -> bool:
    return state.adopted_by == command.adopted_by


@process_suggestion.evolves
def suggested(state: NoProcessSuggestion, event: ProcessChangeSuggested) -> ProposedProcessSuggestion:
    return ProposedProcessSuggestion(
        id=event.process_suggestion_id,
        process_id=event.process_id,
        process_version=event.process_version,
        stage=event.stage,
        task=event.task,
        name=event.name,
        text=event.text,
        remark_id=event.remark_id,
        remark_by=event.remark_by,
        suggested_on=event.on,
        owner=event.owner,
        team=event.team,
    )


@process_suggestion.evolves
def accepted(state: ProposedProcessSuggestion, event: ProcessSuggestionAccepted) -> AcceptedProcessSuggestion:
    return _become(AcceptedProcessSuggestion, state, reason=event.reason, accepted_on=event.on)


@process_suggestion.evolves
def declined(
    state: ProposedProcessSuggestion | AcceptedProcessSuggestion, event: ProcessSuggestionDeclined
) -> DeclinedProcessSuggestion:
    return _become(DeclinedProcessSuggestion, state, reason=event.reason, declined_on=event.on)


@process_suggestion.evolves
def adopted(state: AcceptedProcessSuggestion, event: ProcessSuggestionAdopted) -> AdoptedProcessSuggestion:
    return _become(AdoptedProcessSuggestion, state, adopted_by=event.adopted_by, adopted_on=event.on)


@process_suggestion.evolves
def texts_were_erased(state: AnyProcessSuggestion, event: ProcessSuggestionTextsErased) -> AnyProcessSuggestion:
    return replace(state, text="", reason=None if state.reason is None else "")


Kind = TypeVar("Kind", bound=ProcessSuggestion)


def _become(kind: type[Kind], state: ProcessSuggestion, **changes: Any) -> Kind:
    """The suggestion in another state, with what changes on the way."""
    return kind(**(carried(state, ProcessSuggestion) | changes))
