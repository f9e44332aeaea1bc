"""PROC-1, PROC-2, PROC-3: processes as versioned data, and what a bad one is told."""

from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from services.deals.domain.facts import DERIVED, vocabulary
from services.deals.domain.process import process
from services.deals.domain.process.faults import faults
from services.deals.domain.process.full import FULL
from services.deals.domain.process.publishing import PublishProcess, PublishVersion
from services.deals.domain.process.short import SHORT
from services.deals.domain.process.state import PublishedProcess, version_of
from services.deals.domain.process.writing import criterion, done
from shared.events.criteria import Criterion, Predicate
from shared.events.deals.process import ProcessPublished
from shared.events.process import FactDefinition, Node, OutsideStage, ProcessDefinition, Stage, SupportType
from shared.testing.scenario import CONTEXT, Scenario

ID = CONTEXT.aggregate_id
THE_PROCESS = Scenario(aggregate=process)
PUBLISHED = ProcessPublished(process_id=ID, process_version=1, definition=SHORT)
LONGER = replace(SHORT, name="Short, revised")


def with_exit(when: Predicate) -> ProcessDefinition:
    stage = replace(SHORT.stages[0], exit=(Criterion(key="it", name="It", when=when),))
    return replace(SHORT, stages=(stage, *SHORT.stages[1:]))


def test_proc_1_the_short_process_is_published_as_it_stands() -> None:
    THE_PROCESS.when(PublishProcess(definition=SHORT)).then(PUBLISHED)


def test_proc_1_the_short_process_has_the_stages_and_probabilities_of_the_product() -> None:
    assert [(stage.key, stage.probability) for stage in SHORT.stages] == [
        ("initial-contact", Decimal("0.10")),
        ("needs-confirmed", Decimal("0.30")),
        ("quotation", Decimal("0.50")),
        ("contract-drafting", Decimal("0.80")),
    ]


def test_proc_1_the_full_process_has_eight_stages_and_deals_stand_in_four() -> None:
    assert [stage.key for stage in FULL.lead_stages] == ["lead-in", "nurture"]
    assert [(stage.key, stage.probability) for stage in FULL.stages] == [
        ("needs-diagnosis", Decimal("0.20")),
        ("solution", Decimal("0.40")),
        ("negotiation", Decimal("0.70")),
        ("contract", Decimal("0.90")),
    ]
    assert [stage.key for stage in FULL.contract_stages] == ["delivery", "after-sales"]
    assert FULL.stages[0].idle_days == 3


def test_proc_1_needs_diagnosis_has_four_key_actions_with_entry_exit_and_deliverable() -> None:
    actions = FULL.stages[0].tasks
    assert [action.key for action in actions] == ["situation", "problem", "implication", "need-payoff"]
    assert all(action.entry and action.exit and action.deliverable and action.standard for action in actions)
    assert [action.deliverable for action in actions] == [node.key for node in FULL.stages[0].deliverables]


OF_THE_FULL = (*FULL.lead_stages, *FULL.stages, *FULL.contract_stages)


@pytest.mark.parametrize("stage", [*SHORT.stages, *OF_THE_FULL], ids=lambda stage: stage.key)
def test_proc_1_every_stage_has_two_tasks_a_deliverable_and_guidance_and_those_of_deals_an_exit(stage: Any) -> None:
    assert len(stage.tasks) >= 2
    assert len(stage.deliverables) >= 1
    assert stage.purpose
    assert stage.guidance
    assert stage.buyer_stage
    assert stage.exit if isinstance(stage, Stage) else isinstance(stage, OutsideStage)


@pytest.mark.parametrize("definition", [SHORT, FULL], ids=lambda definition: definition.key)
def test_proc_1_a_built_in_process_can_be_published_as_it_stands(definition: ProcessDefinition) -> None:
    assert list(faults(definition)) == []


@pytest.mark.parametrize("stage", OF_THE_FULL, ids=lambda stage: stage.key)
def test_proc_1_every_stage_of_the_full_process_answers_the_five_questions(stage: Any) -> None:
    assert all(getattr(stage.step, question) for question in ("what", "who", "when", "why", "how"))


def test_proc_1_departments_answer_within_the_days_of_the_product() -> None:
    days = {each.key: each.days for stage in OF_THE_FULL for each in stage.support}
    assert (days["market-report"], days["custom-case"], days["terms-review"]) == (3, 2, 2)


def test_proc_1_publishing_again_with_equal_content_records_nothing() -> None:
    THE_PROCESS.given(PUBLISHED).when(PublishProcess(definition=SHORT)).then()


def test_proc_1_publishing_again_stays_harmless_after_a_further_version() -> None:
    second = ProcessPublished(process_id=ID, process_version=2, definition=LONGER)
    THE_PROCESS.given(PUBLISHED, second).when(PublishProcess(definition=SHORT)).then()


def test_proc_1_publishing_other_content_under_the_same_id_is_refused() -> None:
    THE_PROCESS.given(PUBLISHED).when(PublishProcess(definition=LONGER)).then_rejected("not-in-this-state")


def test_proc_2_a_further_version_leaves_the_first_as_it_was() -> None:
    outcome = THE_PROCESS.given(PUBLISHED).when(PublishVersion(definition=LONGER))
    outcome.then(ProcessPublished(process_id=ID, process_version=2, definition=LONGER))
    state = outcome.state
    assert isinstance(state, PublishedProcess)
    assert version_of(state, 1).definition == SHORT
    assert version_of(state, 2).definition == LONGER


def test_proc_2_the_version_in_force_is_not_published_twice() -> None:
    THE_PROCESS.given(PUBLISHED).when(PublishVersion(definition=SHORT)).then()


def test_proc_2_versions_keep_the_key_of_their_process() -> None:
    renamed = replace(SHORT, key="other")
    outcome = THE_PROCESS.given(PUBLISHED).when(PublishVersion(definition=renamed))
    outcome.then_rejected("invalid-process", "other-key")


def test_proc_2_a_version_of_nothing_is_refused() -> None:
    THE_PROCESS.when(PublishVersion(definition=SHORT)).then_rejected("does-not-exist")


@pytest.mark.parametrize(
    ("when", "code", "place"),
    [
        (Predicate(), "not-one-shape", ""),
        (Predicate(fact="pains", all_of=()), "not-one-shape", ""),
        (Predicate(all_of=()), "empty", ".all_of"),
        (Predicate(fact="pains", operator="matches", value="x"), "unknown-operator", ".operator"),
        (Predicate(fact="pains", operator="at-least", value="many"), "not-a-number", ".value"),
        (Predicate(fact="pains", operator="is"), "value-missing", ".value"),
        (Predicate(fact="mood", operator="known"), "unknown-fact", ".fact"),
        (Predicate(fact="task.no-such-task", operator="is", value=True), "unknown-fact", ".fact"),
        (Predicate(fact="need_stated", operator="above", value=1), "not-comparable", ".operator"),
        (Predicate(fact="need_stated", operator="is", value="yes"), "other-kind", ".value"),
        (Predicate(fact="amount", operator="at-least", value="9" * 5000), "not-a-number", ".value"),
        (Predicate(fact="amount", operator="is", value=10**15), "other-kind", ".value"),
        (
            Predicate(
                any_of=(
                    Predicate(fact="pains", operator="known"),
                    Predicate(not_=Predicate(fact="mood", operator="known")),
                )
            ),
            "unknown-fact",
            ".any_of.1.not_.fact",
        ),
    ],
)
def test_proc_3_a_bad_criterion_is_refused_with_its_position(when: Predicate, code: str, place: str) -> None:
    outcome = THE_PROCESS.when(PublishProcess(definition=with_exit(when))).then_rejected("invalid-process", code)
    assert outcome.rejected is not None
    assert outcome.rejected.reasons[0].field == f"definition.stages.0.exit.0.when{place}"


def changed(index: int, **changes: Any) -> ProcessDefinition:
    """The full process, with another stage of deals at one place."""
    stages = list(FULL.stages)
    stages[index] = replace(stages[index], **changes)
    return replace(FULL, stages=tuple(stages))


def work(**changes: Any) -> Node:
    return replace(Node(key="it", name="It"), **changes)


IT_DONE = done("it-done", "It is done", "task.it")
SIGNING = done("day", "The day of signing", "task.signing-day")
EITHER = criterion("either", "Either", any_of=(("task.signing-day", "is", True), ("amount", "known", None)))


@pytest.mark.parametrize(
    ("definition", "faulty"),
    [
        (changed(0, responsible="boss"), [("unknown-role", "stages.0.responsible")]),
        (changed(0, accountable="service"), [("unknown-role", "stages.0.accountable")]),
        (changed(1, supporting=("presales", "IT")), [("unknown-role", "stages.1.supporting.1")]),
        (changed(1, informed=("",)), [("unknown-role", "stages.1.informed.0")]),
        (
            changed(1, support=(SupportType(key="a b", name=" ", department="nobody"),) * 2),
            [
                ("invalid-key", "stages.1.support.0.key"),
                ("invalid-key", "stages.1.support.1.key"),
                ("repeated-key", "stages.1.support.1.key"),
                ("unknown-role", "stages.1.support.0.department"),
                ("unknown-role", "stages.1.support.1.department"),
                ("blank", "stages.1.support.0.name"),
                ("blank", "stages.1.support.1.name"),
            ],
        ),
        (
            changed(3, tasks=(*FULL.stages[3].tasks, work(deliverable="quotation"))),
            [("unknown-deliverable", "stages.3.tasks.2.deliverable")],
        ),
        (
            changed(3, deliverables=(*FULL.stages[3].deliverables, work(deliverable="contract-draft"))),
            [("not-a-task", "stages.3.deliverables.1.deliverable")],
        ),
        (
            changed(3, tasks=(*FULL.stages[3].tasks, work(exit=(IT_DONE,)))),
            [("asks-for-itself", "stages.3.tasks.2.exit.0.when.fact")],
        ),
        (changed(2, entry=(SIGNING,)), [("comes-later", "stages.2.entry.0.when.fact")]),
        (changed(2, exit=(SIGNING,)), [("comes-later", "stages.2.exit.0.when.fact")]),
        (
            changed(2, tasks=(work(key="settle-terms", entry=(SIGNING,)),), deliverables=()),
            [
                ("comes-later", "stages.2.tasks.0.entry.0.when.fact"),
                ("unknown-fact", "stages.2.exit.1.when.fact"),
            ],
        ),
        (changed(3, entry=(SIGNING,)), [("comes-later", "stages.3.entry.0.when.fact")]),
        (changed(3, exit=(SIGNING,)), []),
        (changed(2, exit=(EITHER,)), []),
        (
            replace(FULL, lead_stages=(replace(FULL.lead_stages[0], tasks=(work(entry=(EITHER,)),), rules=()),)),
            [("no-deal-here", "lead_stages.0.tasks.0.entry")],
        ),
        (
            replace(FULL, contract_stages=(replace(FULL.contract_stages[0], key="solution"),)),
            [("repeated-key", "contract_stages.0.key")],
        ),
    ],
)
def test_proc_1_what_a_process_cannot_be_is_named_with_its_position(
    definition: ProcessDefinition, faulty: list[tuple[str, str]]
) -> None:
    found = [(reason.code, str(reason.field)) for reason in faults(definition)]
    assert sorted(found) == sorted((code, f"definition.{where}") for code, where in faulty)


def test_proc_1_a_name_says_something() -> None:
    """API-1."""
    first = SHORT.stages[0]
    task = replace(first.tasks[0], name="\u2003\u200b")
    bad = replace(
        SHORT, name=" ", stages=(replace(first, name="\n", tasks=(task, *first.tasks[1:])), *SHORT.stages[1:])
    )
    outcome = THE_PROCESS.when(PublishProcess(definition=bad)).then_rejected("invalid-process")
    assert outcome.rejected is not None
    assert [(reason.code, reason.field) for reason in outcome.rejected.reasons] == [
        ("blank", "definition.name"),
        ("blank", "definition.stages.0.name"),
        ("blank", "definition.stages.0.tasks.0.name"),
    ]


def test_proc_3_every_fault_is_named_at_once() -> None:
    first = replace(SHORT.stages[0], category="certain")
    bad = replace(
        SHORT,
        stages=(first, replace(SHORT.stages[1], key=first.key), SHORT.stages[0]),
        facts=(*SHORT.facts, FactDefinition(key="amount", name="Amount", kind="number")),
    )
    outcome = THE_PROCESS.when(PublishProcess(definition=bad)).then_rejected("invalid-process")
    assert outcome.rejected is not None
    assert {(reason.code, reason.field) for reason in outcome.rejected.reasons} >= {
        ("unknown-category", "definition.stages.0.category"),
        ("repeated-key", "definition.stages.1.key"),
        ("repeated-key", "definition.stages.2.tasks.0.key"),
        ("reserved-name", "definition.facts.6.key"),
    }


@pytest.mark.parametrize("key", ["Größe", "a b", "a.b", "a\n", "a/b", "٣"])
def test_proc_3_a_key_has_plain_characters_and_the_fault_its_position(key: str) -> None:
    stage = replace(SHORT.stages[0], tasks=(replace(SHORT.stages[0].tasks[0], key=key), *SHORT.stages[0].tasks[1:]))
    bad = replace(SHORT, key=key, stages=(stage, *SHORT.stages[1:]))
    outcome = THE_PROCESS.when(PublishProcess(definition=bad)).then_rejected("invalid-process")
    assert outcome.rejected is not None
    faults = {reason.field for reason in outcome.rejected.reasons if reason.code == "invalid-key"}
    assert faults == {"definition.key", "definition.stages.0.tasks.0.key"}


@pytest.mark.parametrize("days", [3651, 10**9])
@pytest.mark.parametrize("field", ["max_days", "idle_days", "due_days"])
def test_proc_1_no_span_of_a_process_is_longer_than_ten_years(field: str, days: int) -> None:
    given = deepcopy(PublishProcess.example)
    stage = given["definition"]["stages"][0]
    place = (stage["tasks"][0], ("tasks", 0, field)) if field == "due_days" else (stage, (field,))
    place[0][field] = days
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(PublishProcess).validate_python(given)
    assert refused.value.errors()[0]["loc"] == ("definition", "stages", 0, *place[1])


def test_proc_3_the_vocabulary_is_noted_facts_derived_facts_and_nodes() -> None:
    known = vocabulary(SHORT)
    assert known["pains"] == "number"
    assert known["task.first-conversation"] == known["deliverable.quotation"] == "yes-no"
    assert known.keys() >= DERIVED.keys()


def test_proc_1_the_example_is_a_process_that_can_be_published() -> None:
    command = TypeAdapter(PublishProcess).validate_python(PublishProcess.example)
    assert THE_PROCESS.when(command).rejected is None
