"""PROC-5: what people say of a step of a process, and what becomes of their suggestions: the rules."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from services.deals.domain.process.full import FULL, FULL_ID
from services.deals.domain.process.short import SHORT
from services.deals.domain.process_remark import (
    EraseTextOfRemark,
    NotedProcessRemark,
    NoteProcessRemark,
    RemarkedDeal,
    process_remark,
)
from services.deals.domain.process_suggestion import (
    AcceptSuggestion,
    AdoptSuggestion,
    DeclineSuggestion,
    EraseTextsOfSuggestion,
    NamedRemark,
    SuggestProcessChange,
    process_suggestion,
)
from services.deals.domain.remarked_process import RemarkedProcess
from shared.events.deals.process_remark import ProcessRemarkNoted, ProcessRemarkTextErased
from shared.events.deals.process_suggestion import (
    ProcessChangeSuggested,
    ProcessSuggestionAccepted,
    ProcessSuggestionAdopted,
    ProcessSuggestionDeclined,
    ProcessSuggestionTextsErased,
)
from shared.testing.scenario import CONTEXT, SOMEBODY, Outcome, scenario
from tests.services.deals.facts import TODAY

ID, DEAL, REMARK, BEN = CONTEXT.aggregate_id, UUID(int=90), UUID(int=95), UUID(int=62)
TWO = RemarkedProcess(versions=(FULL, replace(FULL, name="Full, revised")))
NO_DEAL = RemarkedDeal()
REMARKS = scenario(process_remark).knowing(process=TWO, deal=NO_DEAL)
NOTE = NoteProcessRemark(
    process_id=FULL_ID,
    process_version=1,
    stage="needs-diagnosis",
    task="situation",
    kind="too-slow",
    severity=2,
    text="It asks for what nobody knows yet.",
)
NOTED = ProcessRemarkNoted(
    process_remark_id=ID,
    process_id=FULL_ID,
    process_version=1,
    stage="needs-diagnosis",
    task="situation",
    deal_id=None,
    said_by="staff",
    kind="too-slow",
    severity=2,
    text="It asks for what nobody knows yet.",
    on=TODAY,
    owner=SOMEBODY.member,
    team=SOMEBODY.team,
)
SUGGESTIONS = scenario(process_suggestion).knowing(process=TWO, remark=NamedRemark(process_id=FULL_ID, by=BEN))
SUGGEST = SuggestProcessChange(
    process_id=FULL_ID,
    process_version=1,
    stage="needs-diagnosis",
    name="Record in two parts",
    text="Machines first.",
    remark_id=REMARK,
)
SUGGESTED = ProcessChangeSuggested(
    process_suggestion_id=ID,
    process_id=FULL_ID,
    process_version=1,
    stage="needs-diagnosis",
    task=None,
    name="Record in two parts",
    text="Machines first.",
    remark_id=REMARK,
    remark_by=BEN,
    on=TODAY,
    owner=SOMEBODY.member,
    team=SOMEBODY.team,
)
ACCEPTED = ProcessSuggestionAccepted(process_suggestion_id=ID, reason="Four teams say so.", on=TODAY)
DECLINED = ProcessSuggestionDeclined(process_suggestion_id=ID, reason="Finance needs it.", on=TODAY)
ADOPTED = ProcessSuggestionAdopted(
    process_suggestion_id=ID,
    process_id=FULL_ID,
    adopted_by=2,
    author=SOMEBODY.member,
    remark_by=BEN,
    on=TODAY,
)
ERASED = ProcessSuggestionTextsErased(process_suggestion_id=ID)


def fields(outcome: Outcome) -> list[tuple[str, str | None]]:
    assert outcome.rejected is not None
    return [(reason.code, reason.field) for reason in outcome.rejected.reasons]


# -- remarks ----------------------------------------------------------------------------------------------------------


def test_proc_5_a_remark_says_who_hinders_what_where() -> None:
    REMARKS.when(NOTE).then(NOTED)
    REMARKS.given(NOTED).when(NOTE).then()
    REMARKS.given(NOTED).when(replace(NOTE, severity=3)).then_rejected("not-in-this-state")


STEPS: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"process_version": 3}, ("unknown-version", "process_version")),
    ({"stage": "nowhere"}, ("unknown-stage", "stage")),
    ({"task": "nothing"}, ("unknown-node", "task")),
    ({"stage": "solution"}, ("unknown-node", "task")),  # the task is one of another stage
]


@pytest.mark.parametrize(("wrong", "expected"), STEPS)
def test_proc_5_what_a_process_does_not_have_is_refused_with_its_field(
    wrong: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert fields(REMARKS.when(replace(NOTE, **wrong))) == [expected]
    asked = replace(SUGGEST, **{"task": "situation", **wrong})
    assert fields(SUGGESTIONS.when(asked)) == [expected]


def test_proc_5_nothing_is_said_of_a_process_that_was_never_published() -> None:
    none = RemarkedProcess()
    assert fields(REMARKS.knowing(process=none).when(NOTE)) == [("unknown-process", "process_id")]
    assert fields(SUGGESTIONS.knowing(process=none).when(SUGGEST)) == [("unknown-process", "process_id")]


@pytest.mark.parametrize("stage", ["lead-in", "solution", "after-sales"])
def test_proc_5_stages_of_lead_and_contract_are_steps_too(stage: str) -> None:
    assert REMARKS.when(replace(NOTE, stage=stage, task=None)).rejected is None


def test_proc_5_a_deal_shows_something_of_the_version_that_it_follows() -> None:
    on_deal = replace(NOTE, deal_id=DEAL)
    (told,) = REMARKS.knowing(deal=RemarkedDeal(follows=(FULL_ID, 1))).when(on_deal).facts
    assert told.event == replace(NOTED, deal_id=DEAL)
    for other in ((FULL_ID, 2), (UUID(int=1), 1)):
        assert fields(REMARKS.knowing(deal=RemarkedDeal(follows=other)).when(on_deal)) == [("other-process", "deal_id")]


def test_data_4_the_text_of_a_remark_can_be_erased() -> None:
    gone = ProcessRemarkTextErased(process_remark_id=ID)
    REMARKS.given(NOTED).when(EraseTextOfRemark()).then(gone)
    REMARKS.given(NOTED, gone).when(EraseTextOfRemark()).then()
    state = process_remark.evolve(process_remark.fold([NOTED]), gone)
    assert isinstance(state, NotedProcessRemark)
    assert (state.text, state.severity) == ("", 2)


# -- suggestions ------------------------------------------------------------------------------------------------------

PROPOSED = SUGGESTIONS.given(SUGGESTED)
CHOSEN = PROPOSED.given(ACCEPTED)


def test_proc_5_a_suggestion_names_its_author_and_whoever_had_remarked_it() -> None:
    SUGGESTIONS.when(SUGGEST).then(SUGGESTED)
    PROPOSED.when(SUGGEST).then()
    CHOSEN.when(SUGGEST).then()
    alone = SUGGESTIONS.knowing(remark=NamedRemark()).when(replace(SUGGEST, remark_id=None, stage=None))
    alone.then(replace(SUGGESTED, remark_id=None, remark_by=None, stage=None))


def test_proc_5_a_suggestion_comes_from_a_remark_about_the_same_process() -> None:
    other = SUGGESTIONS.knowing(remark=NamedRemark(process_id=UUID(int=1), by=BEN))
    assert fields(other.when(SUGGEST)) == [("other-process", "remark_id")]


def test_proc_5_a_task_is_one_of_a_stage() -> None:
    assert fields(SUGGESTIONS.when(replace(SUGGEST, stage=None, task="situation"))) == [("stage-missing", "stage")]


def test_proc_5_a_suggestion_is_accepted_or_declined_with_a_reason_and_adopted_by_a_later_version() -> None:
    accept, decline = AcceptSuggestion(reason=ACCEPTED.reason), DeclineSuggestion(reason=DECLINED.reason)
    PROPOSED.when(accept).then(ACCEPTED)
    CHOSEN.when(accept).then()
    PROPOSED.when(decline).then(DECLINED)
    CHOSEN.when(decline).then(DECLINED)
    PROPOSED.given(DECLINED).when(decline).then()
    PROPOSED.given(DECLINED).when(accept).then_rejected("not-in-this-state")
    CHOSEN.when(AdoptSuggestion(adopted_by=2)).then(ADOPTED)
    CHOSEN.given(ADOPTED).when(AdoptSuggestion(adopted_by=2)).then()
    PROPOSED.when(AdoptSuggestion(adopted_by=2)).then_rejected("not-in-this-state")
    CHOSEN.given(ADOPTED).when(decline).then_rejected("not-in-this-state")


@pytest.mark.parametrize("version", [1, 3])
def test_proc_5_no_version_adopts_what_it_was_before_or_is_not_there(version: int) -> None:
    assert fields(CHOSEN.when(AdoptSuggestion(adopted_by=version))) == [("unknown-version", "adopted_by")]
    only = CHOSEN.knowing(process=RemarkedProcess(versions=(SHORT,)))
    assert fields(only.when(AdoptSuggestion(adopted_by=2))) == [("unknown-version", "adopted_by")]


@pytest.mark.parametrize("later", [(), (ACCEPTED,), (DECLINED,), (ACCEPTED, ADOPTED)])
def test_data_4_the_texts_of_a_suggestion_can_be_erased_and_its_credit_stays(later: tuple[Any, ...]) -> None:
    there = PROPOSED.given(*later)
    there.when(EraseTextsOfSuggestion()).then(ERASED)
    there.given(ERASED).when(EraseTextsOfSuggestion()).then()
    state = process_suggestion.evolve(process_suggestion.fold([SUGGESTED, *later]), ERASED)
    assert (state.text, state.reason or "", state.owner, state.name) == ("", "", SOMEBODY.member, SUGGESTED.name)
