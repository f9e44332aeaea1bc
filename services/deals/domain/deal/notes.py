"""What is kept with a deal, also once it is closed: notes, and files by reference (DEAL-2, DEAL-6)."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import MaxLen, MinLen

from services.deals.domain.deal.state import AnyDeal, AttachedFile, DealNote, deal
from shared.domain.aggregate import Decision
from shared.domain.context import Context
from shared.domain.fields import NOT_BLANK, LongText, Name
from shared.domain.references import FileId, NoteId
from shared.domain.rejection import Reason, Rejected, refuse_all
from shared.domain.roles import SELLING
from shared.events.deals.deal_record import DealFileAttached, DealFileDetached, DealNoteAdded
from shared.events.definition import value

FileKind = Literal["minutes", "analysis", "proposal", "quotation", "contract", "other"]
"""What a file is."""

SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
DIGEST = re.compile(r"[0-9a-f]{64}")


@value
class AddNote:
    """Something about the deal that is no activity."""

    text: LongText
    note_id: NoteId | None = None
    """The caller's own id, so that the same note is added once; default: made for every request."""

    example: ClassVar[dict[str, Any]] = {"text": "The budget year ends in March; nobody signs before the audit."}


@value
class AttachFile:
    """A file that is kept elsewhere belongs to the deal."""

    name: Name
    reference: Annotated[str, MinLen(1), MaxLen(2000), NOT_BLANK]
    """Where it is: a link (http or https), or the id of a document."""
    sha256: str | None = None
    """The digest of its content, 64 hexadecimal digits in lower case, by which a change is noticed."""
    kind: FileKind | None = None

    example: ClassVar[dict[str, Any]] = {
        "name": "Needs analysis",
        "reference": "https://files.example/needs-analysis.pdf",
        "kind": "analysis",
    }


@value
class DetachFile:
    """A file does not belong to the deal."""

    file_id: FileId

    example: ClassVar[dict[str, Any]] = {"file_id": "0192f0c1-0000-7000-8000-000000000060"}


@deal.decides(allow=SELLING)
def add_note(state: AnyDeal, command: AddNote, context: Context) -> Decision:
    """Note something about the deal."""
    note_id = command.note_id or context.derived_id("note")
    if any(note.id == note_id for note in state.notes):
        raise Rejected("already-noted", "Another note was added under this id.", field="note_id")
    return [
        DealNoteAdded(deal_id=state.id, note_id=note_id, by=context.actor.member, on=context.today, text=command.text)
    ]


@deal.decides(allow=SELLING)
def attach_file(state: AnyDeal, command: AttachFile, context: Context) -> Decision:
    """Attach a file by its reference: it stays where it is. A deal has a reference once."""
    refuse_all("invalid-file", "The file cannot be attached like this.", list(_faults(state, command)))
    return [
        DealFileAttached(
            deal_id=state.id,
            file_id=context.derived_id("file"),
            kind=command.kind,
            sha256=command.sha256,
            by=context.actor.member,
            on=context.today,
            name=command.name,
            reference=command.reference,
        )
    ]


@deal.decides(allow=SELLING)
def detach_file(state: AnyDeal, command: DetachFile) -> Decision:
    """Detach a file from the deal."""
    is_there = any(file.id == command.file_id for file in state.files)
    return [DealFileDetached(deal_id=state.id, file_id=command.file_id)] if is_there else []


@deal.already
def is_noted(state: AnyDeal, command: AddNote) -> bool:
    return any((note.id, note.text) == (command.note_id, command.text) for note in state.notes)


@deal.already
def is_attached(state: AnyDeal, command: AttachFile) -> bool:
    asked = (command.name, command.reference, command.sha256, command.kind)
    return any((file.name, file.reference, file.sha256, file.kind) == asked for file in state.files)


@deal.evolves
def note_added(state: AnyDeal, event: DealNoteAdded) -> AnyDeal:
    note = DealNote(id=event.note_id, by=event.by, on=event.on, text=event.text)
    return replace(state, notes=(*state.notes, note), written=state.written or event.text is not None)


@deal.evolves
def file_attached(state: AnyDeal, event: DealFileAttached) -> AnyDeal:
    if event.name is None or event.reference is None:
        return state  # erased: nobody can find it any more
    file = AttachedFile(
        id=event.file_id,
        name=event.name,
        reference=event.reference,
        sha256=event.sha256,
        kind=event.kind,
        by=event.by,
        on=event.on,
    )
    return replace(state, files=(*state.files, file), written=True)


@deal.evolves
def file_detached(state: AnyDeal, event: DealFileDetached) -> AnyDeal:
    return replace(state, files=tuple(file for file in state.files if file.id != event.file_id))


def scheme_faults(reference: str) -> Iterator[Reason]:
    """Why a reference leads nowhere: it is a link of another kind."""
    scheme = SCHEME.match(reference.strip())
    if scheme and scheme[1].lower() not in ("http", "https"):
        message = "A link begins with http: or https:; the id of a document has no colon behind its first word."
        yield Reason(code="other-scheme", message=message, field="reference")


def _faults(state: AnyDeal, command: AttachFile) -> Iterator[Reason]:
    yield from scheme_faults(command.reference)
    if any(file.reference == command.reference for file in state.files):
        message = "What is there was attached before, under another name, kind or digest: detach it first."
        yield Reason(code="already-attached", message=message, field="reference")
    if command.sha256 is not None and not DIGEST.fullmatch(command.sha256):
        message = "A SHA-256 digest has 64 hexadecimal digits, in lower case."
        yield Reason(code="invalid-digest", message=message, field="sha256")
