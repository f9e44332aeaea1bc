"""DEAL-4: a flexible node is added to one deal, and its tasks and criteria bind that deal from then on."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.deals.domain.deal.flexible import AddFlexibleNode, RemoveFlexibleNode
from services.deals.domain.deal.gates import gates_of
from services.deals.domain.deal.history import ImportDealNode
from services.deals.domain.deal.nodes import CompleteNode
from services.deals.domain.deal.stages import MoveDeal
from services.deals.domain.process.faults import faults
from services.deals.domain.process.full import CUSTOM_SOLUTION, FULL
from services.deals.domain.process.writing import criterion, done
from shared.domain.context import service_actor
from shared.domain.roles import Role
from shared.events.deals.deal import DealFactsNoted, DealMoved, DealNodeCompleted, DealWon, DueNode, WaivedCriterion
from shared.events.deals.deal_gates import DealCriterionWaived, DealFlexibleNodeAdded, DealFlexibleNodeRemoved
from shared.events.process import FlexibleNode, Node
from tests.services.deals.facts import ID, REP, TODAY, eur
from tests.services.deals.test_key_actions import BEGUN, THE_FULL_DEAL
from tests.services.deals.test_waivers import MANAGER

KEY, EXIT = "custom-solution-approval", "exit of flexible node custom-solution-approval"
ADD = AddFlexibleNode(key=KEY, reason="Their own control system.")
REMOVE = RemoveFlexibleNode(key=KEY, reason="They take our standard controller.")
IN_SOLUTION = replace(BEGUN, stage="solution")
ADDED = DealFlexibleNodeAdded(
    deal_id=ID,
    key=KEY,
    name="Approval of a custom solution",
    stage="solution",
    role="manager",
    nodes=(
        DueNode(key="assess-custom-solution", kind="task", required=True, due=date(2026, 3, 23)),
        DueNode(key="approve-custom-solution", kind="task", required=True, due=date(2026, 3, 25)),
        DueNode(key="custom-solution-assessment", kind="deliverable", required=True, due=date(2026, 3, 23)),
    ),
    on=TODAY,
    reason=ADD.reason,
)
REMOVED = DealFlexibleNodeRemoved(
    deal_id=ID,
    key=KEY,
    nodes=("assess-custom-solution", "approve-custom-solution", "custom-solution-assessment"),
    on=TODAY,
    reason=REMOVE.reason,
)


def completed(key: str, kind: str = "task", stage: str = "solution") -> DealNodeCompleted:
    return DealNodeCompleted(deal_id=ID, stage=stage, key=key, kind=kind, required=True, evidence="DOC-1")


APPROVED = (
    completed("custom-solution-assessment", "deliverable"),
    completed("assess-custom-solution"),
    completed("approve-custom-solution"),
)
READY = (
    DealFactsNoted(deal_id=ID, facts={"solution_accepted": True}),
    completed("demonstrate"),
    completed("solution-document", "deliverable"),
    completed("quotation", "deliverable"),
)
"""All that the solution stage itself asks for."""
ON = MoveDeal(stage="negotiation")


def unmet(outcome: Any) -> list[tuple[str | None, str | None]]:
    """Gate and criterion of each reason."""
    reasons = outcome.rejected.reasons if outcome.rejected else ()
    return [(reason.details.get("gate"), reason.details.get("criterion")) for reason in reasons]


def test_deal_4_a_manager_adds_a_flexible_node_and_its_work_is_due_from_that_day() -> None:
    outcome = THE_FULL_DEAL.by(MANAGER).given(IN_SOLUTION).when(ADD).then(ADDED)
    assert [(node.key, node.flexible_node, node.stage) for node in outcome.state.nodes] == [
        ("assess-custom-solution", KEY, "solution"),
        ("approve-custom-solution", KEY, "solution"),
        ("custom-solution-assessment", KEY, "solution"),
    ]
    assert [(node.key, node.stage, node.role) for node in outcome.state.flexible_nodes] == [
        (KEY, "solution", "manager")
    ]


def test_deal_4_a_node_is_added_once_and_again_only_after_it_was_taken_back() -> None:
    THE_FULL_DEAL.by(MANAGER).given(IN_SOLUTION, ADDED).when(replace(ADD, reason="Again.")).then()
    THE_FULL_DEAL.by(MANAGER).given(IN_SOLUTION, ADDED, REMOVED).when(ADD).then(ADDED)
    THE_FULL_DEAL.by(MANAGER).given(IN_SOLUTION, ADDED, REMOVED, ADDED).when(REMOVE).then(REMOVED)


@pytest.mark.parametrize(
    ("actor", "role"),
    [
        (MANAGER, "manager"),
        (replace(MANAGER, roles=frozenset({Role.SALES_DIRECTOR, Role.MANAGER})), "manager"),
        (replace(MANAGER, roles=frozenset({Role.SALES_DIRECTOR})), "sales-director"),
        (service_actor("deals"), "service"),
    ],
)
def test_deal_4_it_is_said_by_which_role_a_node_was_added(actor: Any, role: str) -> None:
    THE_FULL_DEAL.by(actor).given(IN_SOLUTION).when(ADD).then(replace(ADDED, role=role))


def test_deal_4_another_role_than_the_process_names_adds_nothing_and_every_reason_is_told() -> None:
    outcome = (
        THE_FULL_DEAL.by(REP).given(BEGUN).when(ADD).then_rejected("invalid-flexible-node", "other-role", "other-stage")
    )
    assert outcome.rejected is not None
    assert "Solution, Negotiation" in outcome.rejected.reasons[1].message
    THE_FULL_DEAL.by(REP).given(IN_SOLUTION, ADDED).when(REMOVE).then_rejected("invalid-flexible-node", "other-role")
    told = replace(ADD, key="dance")
    outcome = THE_FULL_DEAL.by(MANAGER).given(IN_SOLUTION).when(told).then_rejected("unknown-flexible-node")
    assert outcome.rejected is not None
    assert KEY in outcome.rejected.message


def test_deal_4_a_process_may_name_the_rep() -> None:
    named = replace(FULL, flexible_nodes=(replace(CUSTOM_SOLUTION, added_by="rep"),))
    process = replace(dict(THE_FULL_DEAL.loaded)["process"], definition=named)
    THE_FULL_DEAL.knowing(process=process).by(REP).given(IN_SOLUTION).when(ADD).then(replace(ADDED, role="rep"))


def test_deal_4_the_stage_is_not_left_before_the_node_is_done_and_what_is_unmet_is_named() -> None:
    outcome = THE_FULL_DEAL.given(IN_SOLUTION, *READY, ADDED).when(ON).then_rejected("gate-closed")
    assert unmet(outcome) == [(EXIT, "custom-solution-approved")]
    assert outcome.rejected is not None
    assert outcome.rejected.reasons[0].details["by"] == {"task.approve-custom-solution": "complete-node"}
    assert THE_FULL_DEAL.given(IN_SOLUTION, *READY, ADDED, *APPROVED).when(ON).rejected is None
    assert THE_FULL_DEAL.given(IN_SOLUTION, *READY).when(ON).rejected is None


def test_deal_4_a_node_that_was_taken_back_binds_no_more() -> None:
    outcome = THE_FULL_DEAL.given(IN_SOLUTION, *READY, ADDED, REMOVED).when(ON)
    assert outcome.rejected is None
    assert all(node.flexible_node is None for node in outcome.state.nodes)


def test_deal_4_who_skips_the_stage_of_a_node_passes_its_gate_all_the_same() -> None:
    first, second, third, last = FULL.stages
    skippable = replace(FULL, stages=(first, replace(second, skippable=True, exit=()), third, last))
    process = replace(dict(THE_FULL_DEAL.loaded)["process"], definition=skippable)
    back = DealMoved(
        deal_id=ID,
        before="solution",
        stage="needs-diagnosis",
        direction="back",
        skipped=(),
        probability=first.probability,
        probability_before=second.probability,
        category="pipeline",
        amount=eur("1"),
        on=TODAY,
    )
    known = THE_FULL_DEAL.knowing(process=process).given(IN_SOLUTION, ADDED, back)
    assert (EXIT, "custom-solution-approved") in unmet(known.when(ON))
    assert EXIT not in [gate for gate, _ in unmet(known.when(MoveDeal(stage="solution")))]


def test_deal_4_what_is_unmet_of_a_node_may_be_waived_and_the_move_says_so() -> None:
    waived = DealCriterionWaived(
        deal_id=ID, gate=EXIT, criterion="custom-solution-approved", until=TODAY, role="manager", on=TODAY
    )
    outcome = THE_FULL_DEAL.given(IN_SOLUTION, *READY, ADDED, waived).when(ON)
    assert outcome.rejected is None
    assert outcome.facts[0].event.waived == (WaivedCriterion(gate=EXIT, criterion="custom-solution-approved"),)
    assert EXIT in dict(gates_of(FULL))


def test_deal_4_the_work_of_a_node_is_completed_by_its_own_gates() -> None:
    assess = CompleteNode(key="assess-custom-solution", evidence="DOC-1")
    THE_FULL_DEAL.given(IN_SOLUTION).when(assess).then_rejected("not-added")
    THE_FULL_DEAL.given(IN_SOLUTION, ADDED).when(assess).then_rejected("gate-closed", "deliverable-missing")
    outcome = THE_FULL_DEAL.given(IN_SOLUTION, ADDED, APPROVED[0]).when(assess)
    outcome.then(replace(APPROVED[1], due=date(2026, 3, 23)))
    (node,) = [each for each in outcome.state.nodes if each.key == assess.key]
    assert (node.flexible_node, node.evidence) == (KEY, "DOC-1")
    approve = CompleteNode(key="approve-custom-solution", evidence="DOC-2")
    THE_FULL_DEAL.given(IN_SOLUTION, ADDED).when(approve).then_rejected("gate-closed", "criterion-unmet")
    history = ImportDealNode(on=TODAY, key=assess.key, evidence="DOC-1")
    THE_FULL_DEAL.given(IN_SOLUTION).when(history).then_rejected("not-added")


def test_deal_4_nothing_of_a_node_is_begun_before_its_entry_criteria_are_met() -> None:
    entry = (criterion("pains-named", "Pains are named", "pains", "at-least", 1),)
    gated = replace(FULL, flexible_nodes=(replace(CUSTOM_SOLUTION, entry=entry),))
    process = replace(dict(THE_FULL_DEAL.loaded)["process"], definition=gated)
    known = THE_FULL_DEAL.knowing(process=process).given(IN_SOLUTION, ADDED)
    write = CompleteNode(key="custom-solution-assessment", evidence="DOC-1")
    assert unmet(known.when(write)) == [("entry of flexible node custom-solution-approval", "pains-named")]
    assert known.given(DealFactsNoted(deal_id=ID, facts={"pains": 1})).when(write).rejected is None


def test_deal_4_a_node_is_taken_back_until_something_of_it_is_done() -> None:
    THE_FULL_DEAL.by(MANAGER).given(IN_SOLUTION, ADDED).when(REMOVE).then(REMOVED)
    THE_FULL_DEAL.by(MANAGER).given(IN_SOLUTION, ADDED, REMOVED).when(REMOVE).then()
    begun = THE_FULL_DEAL.by(MANAGER).given(IN_SOLUTION, ADDED, APPROVED[0])
    begun.when(REMOVE).then_rejected("no-flexible-node")
    THE_FULL_DEAL.by(MANAGER).given(IN_SOLUTION).when(REMOVE).then_rejected("no-flexible-node")
    other = replace(CUSTOM_SOLUTION, key="pilot", tasks=(Node(key="pilot-run", name="Run"),), deliverables=(), exit=())
    process = replace(
        dict(THE_FULL_DEAL.loaded)["process"], definition=replace(FULL, flexible_nodes=(CUSTOM_SOLUTION, other))
    )
    pilot = replace(ADDED, key="pilot", nodes=(DueNode(key="pilot-run", kind="task", required=True, due=TODAY),))
    both = begun.knowing(process=process).given(pilot)
    both.when(REMOVE).then_rejected("invalid-flexible-node", "already-begun")
    both.when(replace(REMOVE, key="dance")).then_rejected("not-added")


def test_deal_4_nothing_is_added_to_a_closed_deal() -> None:
    won = DealWon(deal_id=ID, on=TODAY, amount=eur("1"), stage="solution", name="x")
    THE_FULL_DEAL.by(MANAGER).given(IN_SOLUTION, won).when(ADD).then_rejected("not-in-this-state")


WITHOUT_RULES = replace(FULL, stages=tuple(replace(stage, rules=()) for stage in FULL.stages))
BLANK = FlexibleNode(key="a", name="A", stages=("solution",))


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (replace(CUSTOM_SOLUTION, stages=("lead-in",)), [("unknown-stage", ".stages.0")]),
        (replace(CUSTOM_SOLUTION, stages=()), [("empty", ".stages")]),
        (replace(CUSTOM_SOLUTION, stages=("solution", "solution")), [("repeated-key", ".stages.1")]),
        (replace(CUSTOM_SOLUTION, added_by="legal"), [("unknown-role", ".added_by")]),
        (replace(CUSTOM_SOLUTION, name=" "), [("blank", ".name")]),
        (replace(CUSTOM_SOLUTION, key="A b"), [("invalid-key", ".key")]),
        (BLANK, [("binds-nothing", "")]),
        (
            replace(BLANK, tasks=(Node(key="demonstrate", name="X"),)),
            [("repeated-key", ".tasks.0.key")],
        ),
        (
            replace(BLANK, tasks=(Node(key="t", name="X", deliverable="d"),)),
            [("unknown-deliverable", ".tasks.0.deliverable")],
        ),
        (
            replace(BLANK, tasks=(Node(key="t", name="X", exit=(done("x", "X", "task.t"),)),)),
            [("asks-for-itself", ".tasks.0.exit.0.when.fact")],
        ),
        (
            replace(BLANK, tasks=(Node(key="t", name="X"),), entry=(done("x", "X", "task.t"),)),
            [("asks-for-itself", ".entry.0.when.fact")],
        ),
        (replace(BLANK, exit=(done("x", "X", "mood"),)), [("unknown-fact", ".exit.0.when.fact")]),
        (replace(BLANK, exit=(done("x", "X", "task.settle-terms"),)), [("comes-later", ".exit.0.when.fact")]),
    ],
)
def test_deal_4_what_is_wrong_with_a_flexible_node_is_told_with_its_position(
    node: FlexibleNode, expected: list[tuple[str, str]]
) -> None:
    found = [(reason.code, reason.field) for reason in faults(replace(WITHOUT_RULES, flexible_nodes=(node,)))]
    assert found == [(code, f"definition.flexible_nodes.0{where}") for code, where in expected]


def test_deal_4_a_stage_asks_for_no_work_that_only_some_deals_have() -> None:
    stage = replace(FULL.stages[1], exit=(done("x", "X", "task.approve-custom-solution"),))
    bad = replace(FULL, stages=(FULL.stages[0], stage, *FULL.stages[2:]))
    assert [reason.code for reason in faults(bad)] == ["unknown-fact"]


def test_deal_4_the_full_process_has_the_approval_of_a_custom_solution() -> None:
    assert [node.key for node in FULL.flexible_nodes] == [KEY]
    assert list(faults(FULL)) == []
