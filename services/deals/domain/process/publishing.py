"""How a process is drafted and published, version by version, and retired (PROC-2)."""

from dataclasses import replace
from typing import Annotated, Any, ClassVar
from uuid import UUID

from annotated_types import MaxLen

from services.deals.domain.process.faults import faults
from services.deals.domain.process.short import SHORT_ID
from services.deals.domain.process.state import (
    AnyFollowedProcess,
    AnyProcess,
    DraftProcess,
    FollowedProcess,
    NoProcess,
    OpenProcess,
    PublishedProcess,
    RetiredProcess,
    Version,
    process,
)
from shared.domain.aggregate import Claim, Decision
from shared.domain.context import Actor, Context
from shared.domain.fields import Day, Text
from shared.domain.policy import InForce
from shared.domain.references import AnyTeamId
from shared.domain.rejection import Reason, Rejected, all_at_once, refuse_all
from shared.domain.roles import OPERATIONS
from shared.events.deals.policy import OpeningRules
from shared.events.deals.process import (
    ProcessDraftDiscarded,
    ProcessDrafted,
    ProcessPublished,
    ProcessRetired,
    Wave,
)
from shared.events.definition import value
from shared.events.process import ProcessDefinition

EXAMPLE: dict[str, Any] = {
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
class PlannedWave:
    """From a day on, new deals of some teams follow the version."""

    on: Day
    """Today or later."""
    teams: Annotated[tuple[AnyTeamId, ...], MaxLen(200)] = ()
    """With those below them; none: of every team."""


Waves = Annotated[tuple[PlannedWave, ...], MaxLen(50)]


@value
class PublishProcess:
    """A new process: its first version, or its draft."""

    definition: ProcessDefinition
    draft: bool = False
    """Keep it as a draft: deals follow it once it is published, or tried out."""

    example: ClassVar[dict[str, Any]] = EXAMPLE


@value
class PublishVersion:
    """A further version of a process."""

    definition: ProcessDefinition
    waves: Waves = ()
    """Whose new deals follow it from when on; default: all at once."""

    example: ClassVar[dict[str, Any]] = EXAMPLE


@value
class SaveDraft:
    """What the next version is to be, for as long as it is worked on."""

    definition: ProcessDefinition

    example: ClassVar[dict[str, Any]] = EXAMPLE


@value
class DiscardDraft:
    """The draft is given up."""

    example: ClassVar[dict[str, Any]] = {}


@value
class PublishDraft:
    """The draft becomes the next version."""

    waves: Waves = ()
    """Whose new deals follow it from when on; default: all at once."""

    example: ClassVar[dict[str, Any]] = {
        "waves": [
            {"on": "2027-01-04", "teams": ["01936d2f-8a5c-7e54-b8a1-3d2c9b5e7f10"]},
            {"on": "2027-04-01"},
        ]
    }


@value
class RetireProcess:
    """New deals follow the process no more."""

    reason: Text | None = None

    example: ClassVar[dict[str, Any]] = {"reason": "Renewals follow the short process now."}


def has_draft(state: OpenProcess, actor: Actor) -> ProcessDefinition:
    """The draft. Raises Rejected where there is none."""
    if state.draft is None:
        raise Rejected("no-draft", "There is no draft: save one first.")
    return state.draft


def _is_no_default(state: FollowedProcess, actor: Actor) -> None:
    """Refuse to retire what deals follow when no rule says otherwise."""
    if state.id == SHORT_ID:
        raise Rejected("is-default", "The short process is what deals follow when no rule says otherwise.")


@process.decides(allow=OPERATIONS)
def publish(state: NoProcess, command: PublishProcess, context: Context) -> Decision:
    """Publish a new process, or keep its draft."""
    refuse_faulty(command.definition)
    if command.draft:
        return [ProcessDrafted(process_id=context.aggregate_id, definition=command.definition)]
    return [
        ProcessPublished(
            process_id=context.aggregate_id,
            process_version=1,
            definition=command.definition,
        )
    ]


@process.decides(allow=OPERATIONS)
def publish_version(state: OpenProcess, command: PublishVersion, context: Context) -> Decision:
    """Publish the next version of a process. Open deals keep the version that they started on."""
    newest = state.versions[-1] if isinstance(state, FollowedProcess) else None
    if newest is not None and newest.definition == command.definition:
        if newest.published:
            return []
        if newest.pilot is not None and newest.pilot.outcome is None:
            raise Rejected("pilot-running", f"Version {newest.number} is on trial: end its pilot, and adopt it.")
    return [_next(state, command.definition, command.waves, context)]


@process.decides(allow=OPERATIONS)
def save_draft(state: OpenProcess, command: SaveDraft) -> Decision:
    """Save what the next version is to be. No deal follows it."""
    if command.definition == state.draft:
        return []
    refuse_faulty(command.definition, state)
    return [ProcessDrafted(process_id=state.id, definition=command.definition)]


@process.decides(allow=OPERATIONS, guard=has_draft)
def discard_draft(state: AnyFollowedProcess, command: DiscardDraft) -> Decision:
    """Give the draft up."""
    return [ProcessDraftDiscarded(process_id=state.id)]


@process.decides(allow=OPERATIONS, guard=has_draft)
def publish_draft(state: OpenProcess, command: PublishDraft, context: Context) -> Decision:
    """Publish the draft as the next version. Open deals keep the version that they started on."""
    return [_next(state, has_draft(state, context.actor), command.waves, context)]


@process.decides(allow=OPERATIONS, guard=_is_no_default)
def retire(state: AnyFollowedProcess, command: RetireProcess, opening: InForce[OpeningRules]) -> Decision:
    """Retire a process. Deals that follow it go on by their version.

    Refused as long as opening rules that count, today or from a later day on, have new deals follow it.
    """
    if state.id in _chosen_by_rules(opening):
        raise Rejected("chosen-by-rules", "Opening rules have new deals follow it: set others first.")
    return [ProcessRetired(process_id=state.id, reason=command.reason)]


@process.already
def is_published(state: AnyFollowedProcess, command: PublishProcess) -> bool:
    first = state.versions[0]
    return first.published and first.definition == command.definition and not command.draft


@process.already
def is_drafted(state: DraftProcess, command: PublishProcess) -> bool:
    return state.draft == command.definition and command.draft


@process.already
def is_discarded(state: AnyFollowedProcess, command: DiscardDraft) -> bool:
    return state.draft is None


@process.already
def is_retired(state: RetiredProcess, command: RetireProcess) -> bool:
    return True


@process.evolves
def began_as_draft(state: NoProcess, event: ProcessDrafted) -> DraftProcess:
    return DraftProcess(id=event.process_id, draft=event.definition)


@process.evolves
def draft_saved(state: OpenProcess, event: ProcessDrafted) -> OpenProcess:
    return replace(state, draft=event.definition)


@process.evolves
def draft_discarded(state: AnyFollowedProcess, event: ProcessDraftDiscarded) -> AnyFollowedProcess:
    return replace(state, draft=None)


@process.evolves
def published(state: NoProcess | OpenProcess, event: ProcessPublished) -> PublishedProcess:
    number, definition = event.process_version, event.definition
    pilot = next((known.pilot for known in versions(state) if known.number == number), None)
    version = Version(number=number, definition=definition, published=True, waves=event.waves, pilot=pilot)
    draft = None if isinstance(state, NoProcess) or event.from_draft else state.draft
    return PublishedProcess(id=event.process_id, versions=with_version(state, version), draft=draft)


@process.evolves
def retired(state: AnyFollowedProcess, event: ProcessRetired) -> RetiredProcess:
    return RetiredProcess(id=state.id, versions=state.versions)


@process.claims
def key_taken(state: AnyProcess) -> list[Claim]:
    return [Claim(kind="process-key", key=_key(state))]


def _chosen_by_rules(opening: InForce[OpeningRules]) -> set[UUID]:
    """The processes that opening rules lead to, today or later."""
    days = {opening.on, *(each.valid_from for each in opening.versions if each.valid_from > opening.on)}
    documents = [replace(opening, on=day).of().document for day in days]
    ruled = {rule.process_id for document in documents for rule in document.rules}
    return ruled | {document.otherwise for document in documents}


def refuse_faulty(definition: ProcessDefinition, state: OpenProcess | None = None) -> None:
    """Refuse a definition that cannot be one, or not one of this process."""
    reasons = list(faults(definition))
    if state is not None and definition.key != _key(state):
        message = f"The versions of this process have the key {_key(state)!r}."
        reasons.append(Reason(code="other-key", message=message, field="definition.key"))
    refuse_all("invalid-process", "The process cannot be like this.", reasons)


def planned(waves: tuple[PlannedWave, ...], context: Context) -> tuple[Wave, ...]:
    """The waves of a version. Raises Rejected."""
    late = [
        Reason(code="in-the-past", message="A wave begins today or later.", field=f"waves.{index}.on")
        for index, wave in enumerate(waves)
        if wave.on < context.today
    ]
    refuse_all("invalid-waves", "The version cannot be published in these waves.", late)
    return tuple(Wave(on=wave.on, teams=wave.teams) for wave in waves)


def versions(state: NoProcess | AnyProcess) -> tuple[Version, ...]:
    """The versions of a process, in whatever state it is; of one that was never followed, none."""
    return state.versions if isinstance(state, FollowedProcess | RetiredProcess) else ()


def with_version(state: NoProcess | OpenProcess, new: Version) -> tuple[Version, ...]:
    """The versions of a process, and one more, or another word about one."""
    numbered = {version.number: version for version in (*versions(state), new)}
    return tuple(numbered[key] for key in sorted(numbered))


def _next(state: OpenProcess, definition: ProcessDefinition, waves: Waves, context: Context) -> ProcessPublished:
    """The fact that a definition is the next version."""
    all_at_once(lambda: refuse_faulty(definition, state), lambda: planned(waves, context))
    number = len(versions(state)) + 1
    return ProcessPublished(
        process_id=state.id,
        process_version=number,
        definition=definition,
        waves=planned(waves, context),
        from_draft=definition == state.draft,
    )


def _key(state: AnyProcess) -> str:
    """The key that all versions of a process have."""
    return state.draft.key if isinstance(state, DraftProcess) else state.versions[0].definition.key
