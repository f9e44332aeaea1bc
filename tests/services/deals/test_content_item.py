"""PROC-8: solutions, cases, scripts and templates by reference, in versions: the rules."""

from dataclasses import replace
from typing import Any

import pytest

from services.deals.domain.content_item import (
    ActiveContentItem,
    AddContentItem,
    ReinstateContentItem,
    RetireContentItem,
    UpdateContentItem,
    content_item,
)
from shared.domain.aggregate import Claim
from shared.events.deals.content_item import (
    ContentItemAdded,
    ContentItemChanged,
    ContentItemReinstated,
    ContentItemRetired,
)
from shared.testing.scenario import CONTEXT, Outcome, scenario

ID = CONTEXT.aggregate_id
SAID: dict[str, Any] = {
    "kind": "case",
    "title": "A press line that stands still no more",
    "reference": "https://files.example/case.pdf",
    "buyer_stages": ("evaluation", "decision"),
    "touchpoint": "Visit of a reference customer",
    "industries": ("Automotive",),
    "language": "en",
}
ADD = AddContentItem(key="press-line-case", **SAID)
ADDED = ContentItemAdded(content_item_id=ID, key="press-line-case", **SAID)
CHANGED = ContentItemChanged(content_item_id=ID, content_version=2, **{**SAID, "language": None})
RETIRED = ContentItemRetired(content_item_id=ID)
REINSTATED = ContentItemReinstated(content_item_id=ID)


def fields(outcome: Outcome) -> list[tuple[str, str | None]]:
    assert outcome.rejected is not None
    return [(reason.code, reason.field) for reason in outcome.rejected.reasons]


def test_proc_8_content_is_added_in_its_first_version() -> None:
    scenario(content_item).when(ADD).then(ADDED)
    scenario(content_item).given(ADDED).when(ADD).then()
    state = content_item.fold([ADDED])
    assert isinstance(state, ActiveContentItem)
    assert (state.content_version, state.key) == (1, "press-line-case")


def test_proc_8_what_changes_makes_the_next_version() -> None:
    scenario(content_item).given(ADDED).when(UpdateContentItem(language=None)).then(CHANGED)
    third = replace(CHANGED, content_version=3, title="Other")
    scenario(content_item).given(ADDED, CHANGED).when(UpdateContentItem(title="Other")).then(third)


def test_proc_8_what_is_said_again_makes_no_version() -> None:
    scenario(content_item).given(ADDED).when(UpdateContentItem(**SAID)).then()
    scenario(content_item).given(ADDED).when(UpdateContentItem()).then()


def test_proc_8_what_is_retired_is_changed_only_once_it_is_used_again() -> None:
    scenario(content_item).given(ADDED).when(RetireContentItem()).then(RETIRED)
    scenario(content_item).given(ADDED, RETIRED).when(RetireContentItem()).then()
    scenario(content_item).given(ADDED, RETIRED).when(UpdateContentItem(title="Other")).then_rejected(
        "not-in-this-state"
    )
    scenario(content_item).given(ADDED, CHANGED, RETIRED).when(ReinstateContentItem()).then(REINSTATED)
    scenario(content_item).given(ADDED).when(ReinstateContentItem()).then()
    assert content_item.fold([ADDED, CHANGED, RETIRED, REINSTATED]) == content_item.fold([ADDED, CHANGED])


def test_proc_8_its_key_is_its_own_for_ever() -> None:
    for events in ([ADDED], [ADDED, RETIRED]):
        assert content_item.claims_of(content_item.fold(events)) == {Claim(kind="content-key", key="press-line-case")}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"reference": "ftp://files.example/case.pdf"}, [("other-scheme", "reference")]),
        ({"reference": "javascript:alert(1)"}, [("other-scheme", "reference")]),
        ({"language": "e_n"}, [("invalid-language", "language")]),
        ({"buyer_stages": ("use", "use")}, [("repeated-key", "buyer_stages.1")]),
        ({"industries": ("A", "B", "A")}, [("repeated-key", "industries.2")]),
    ],
)
def test_proc_8_what_leads_nowhere_is_refused_with_its_field(
    said: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert fields(scenario(content_item).when(replace(ADD, **said)).then_rejected("invalid-content")) == expected
    changed = scenario(content_item).given(ADDED).when(UpdateContentItem(**said)).then_rejected("invalid-content")
    assert fields(changed) == expected


def test_proc_8_a_key_is_one() -> None:
    outcome = scenario(content_item).when(replace(ADD, key="press line")).then_rejected("invalid-content")
    assert fields(outcome) == [("invalid-key", "key")]


def test_proc_8_the_id_of_a_document_is_a_reference() -> None:
    scenario(content_item).when(replace(ADD, reference="DOC-2201/3")).then(replace(ADDED, reference="DOC-2201/3"))
