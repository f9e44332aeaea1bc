"""What is kept with a deal: notes, and files by reference (DEAL-2, DEAL-6, DATA-4)."""

from dataclasses import replace
from uuid import UUID

import pytest

from services.deals.domain.deal.erasure import EraseTexts
from services.deals.domain.deal.notes import AddNote, AttachFile, DetachFile
from shared.events.deals.deal import DealTextsErased, DealWon
from shared.events.deals.deal_record import DealFileAttached, DealFileDetached, DealNoteAdded
from shared.testing.scenario import CONTEXT
from tests.services.deals.conftest import Office
from tests.services.deals.facts import ID, OPENED, OWNER, THE_DEAL, TODAY, eur
from tests.services.deals.test_service import DEAL

OPEN = THE_DEAL.given(OPENED)
NOTE = AddNote(note_id=UUID(int=50), text="Nobody signs before the audit")
NOTED = DealNoteAdded(deal_id=ID, note_id=UUID(int=50), by=OWNER, on=TODAY, text="Nobody signs before the audit")
ATTACH = AttachFile(name="Needs analysis", reference="https://files.example/1.pdf", sha256="a" * 64, kind="analysis")
FILE = CONTEXT.derived_id("file")
ATTACHED = DealFileAttached(
    deal_id=ID,
    file_id=FILE,
    kind="analysis",
    sha256="a" * 64,
    by=OWNER,
    on=TODAY,
    name="Needs analysis",
    reference="https://files.example/1.pdf",
)
DETACH = DetachFile(file_id=FILE)
DETACHED = DealFileDetached(deal_id=ID, file_id=FILE)


def test_deal_6_a_note_is_added_once_also_to_a_closed_deal() -> None:
    OPEN.when(NOTE).then(NOTED)
    OPEN.given(NOTED).when(NOTE).then()
    OPEN.given(NOTED).when(replace(NOTE, text="Other")).then_rejected("already-noted")
    won = DealWon(deal_id=ID, on=TODAY, amount=eur("1"), stage="initial-contact", name="x")
    OPEN.given(won).when(NOTE).then(NOTED)
    unnamed = OPEN.when(replace(NOTE, note_id=None)).facts[0].event
    assert unnamed.note_id == CONTEXT.derived_id("note")


def test_deal_2_a_file_is_attached_by_reference_and_detached() -> None:
    OPEN.when(ATTACH).then(ATTACHED)
    OPEN.given(ATTACHED).when(ATTACH).then()
    OPEN.given(ATTACHED).when(replace(ATTACH, name="Other")).then_rejected("invalid-file", "already-attached")
    outcome = OPEN.given(ATTACHED).when(DETACH).then(DETACHED)
    assert outcome.state.files == ()
    OPEN.given(ATTACHED, DETACHED).when(DETACH).then()
    OPEN.given(ATTACHED, DETACHED).when(ATTACH).then(ATTACHED)


@pytest.mark.parametrize("reference", ["javascript:alert(1)", " DATA:text/html,x", "file:///etc/passwd", "ftp://x"])
def test_deal_2_a_reference_is_a_link_of_the_web_or_an_id(reference: str) -> None:
    wrong = replace(ATTACH, reference=reference, sha256="A" * 64)
    OPEN.when(wrong).then_rejected("invalid-file", "other-scheme", "invalid-digest")
    assert OPEN.when(replace(ATTACH, reference="CRM-DOC-118")).rejected is None


def test_data_4_notes_and_files_are_erased_with_what_was_written() -> None:
    erased = DealTextsErased(deal_id=ID)
    OPEN.given(NOTED).when(EraseTexts()).then(erased)
    outcome = OPEN.given(NOTED, ATTACHED, erased).when(NOTE)
    assert outcome.state.files == ()
    assert [note.text for note in outcome.state.notes] == [None]
    OPEN.given(erased, ATTACHED).when(EraseTexts()).then(erased)


async def test_deal_2_notes_and_files_are_shown_and_not_published(office: Office) -> None:
    desk = office.somebody()
    made = await desk.makes("/v1/deals", DEAL)
    await desk.makes(f"/v1/deals/{made}/add-note", {"text": "Quentin Ashgrove decides"})
    body = {"name": "Ashgrove.pdf", "reference": "https://files.example/Ashgrove.pdf", "kind": "minutes"}
    for _ in range(2):
        await desk.makes(f"/v1/deals/{made}/attach-file", body)
    found = await desk.sees(f"/v1/deals/{made}")
    assert [note["text"] for note in found["notes"]] == ["Quentin Ashgrove decides"]
    (file,) = found["files"]
    assert (file["name"], file["kind"], file["sha256"]) == ("Ashgrove.pdf", "minutes", None)
    rows = await office.running.pool.fetch("select data::text from event where aggregate_id = $1", UUID(made))
    assert "Ashgrove" not in "".join(row["data"] for row in rows)
    await desk.makes(f"/v1/deals/{made}/detach-file", {"file_id": file["id"]})
    assert (await desk.sees(f"/v1/deals/{made}"))["files"] == []
