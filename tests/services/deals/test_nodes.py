"""DEAL-2: tasks and deliverables."""

from dataclasses import replace
from datetime import date

import pytest

from services.deals.domain.deal.nodes import CompleteNode, due_nodes
from services.deals.domain.deal.stages import MoveDeal
from services.deals.domain.process.full import FULL
from services.deals.domain.process.short import SHORT
from shared.domain.context import Company
from shared.domain.working_days import BusinessCalendar
from shared.events.deals.deal import DealMoved, DealNextStepPlanned, DealNodeCompleted, DealWon
from shared.events.process import ProcessDefinition, Stage
from tests.services.deals.facts import ID, OPENED, TALKED, THE_DEAL, TODAY, eur

TALK = CompleteNode(key="first-conversation", evidence="Minutes 118")
PLANNED = DealNextStepPlanned(
    deal_id=ID, on=date(2026, 3, 20), planned_on=TODAY, silence_until=date(2026, 3, 20), silence_version=0
)


def test_deal_2_a_task_is_completed_with_its_evidence() -> None:
    THE_DEAL.given(OPENED).when(TALK).then(TALKED)


def test_deal_2_a_deliverable_is_completed_the_same_way() -> None:
    THE_DEAL.given(OPENED).when(CompleteNode(key="contact-record", evidence="DOC-1")).then(
        DealNodeCompleted(
            deal_id=ID,
            stage="initial-contact",
            key="contact-record",
            kind="deliverable",
            required=False,
            evidence="DOC-1",
            due=date(2026, 4, 3),
        )
    )


def test_deal_2_completing_again_records_nothing_and_other_evidence_is_refused() -> None:
    THE_DEAL.given(OPENED, TALKED).when(TALK).then()
    THE_DEAL.given(OPENED, TALKED).when(replace(TALK, evidence="Other")).then_rejected("already-completed")


def test_deal_2_a_key_that_the_process_does_not_know_is_refused_with_those_it_knows() -> None:
    outcome = THE_DEAL.given(OPENED).when(replace(TALK, key="dance")).then_rejected("unknown-node")
    assert outcome.rejected is not None
    assert "first-conversation" in outcome.rejected.message
    assert outcome.rejected.reasons[0].field == "key"


def test_deal_2_work_of_a_later_stage_is_not_due_yet() -> None:
    THE_DEAL.given(OPENED).when(CompleteNode(key="quotation", evidence="Q-1")).then_rejected("not-yet-due")


def test_deal_2_work_of_an_earlier_stage_can_still_be_completed() -> None:
    moved = THE_DEAL.given(OPENED, TALKED, PLANNED).when(MoveDeal(stage="needs-confirmed")).facts[0].event
    outcome = THE_DEAL.given(OPENED, TALKED, PLANNED, moved).when(CompleteNode(key="contact-record", evidence="D"))
    assert outcome.rejected is None
    assert outcome.facts[0].event.stage == "initial-contact"


def test_deal_2_work_that_was_never_due_can_be_completed() -> None:
    """An imported deal knows no tasks; its gates have to open all the same."""
    outcome = THE_DEAL.given(replace(OPENED, nodes=())).when(TALK)
    outcome.then(replace(TALKED, due=None))
    assert outcome.state.nodes[0].evidence == "Minutes 118"


def test_deal_2_nothing_is_completed_on_a_closed_deal() -> None:
    won = DealWon(deal_id=ID, on=TODAY, amount=eur("1"), stage="initial-contact", name="x")
    THE_DEAL.given(OPENED, won).when(TALK).then_rejected("not-in-this-state")
    THE_DEAL.when(TALK).then_rejected("does-not-exist")


def test_deal_2_tasks_fall_due_once_even_when_a_stage_is_entered_again() -> None:
    history = [OPENED, TALKED, PLANNED]
    moves: list[DealMoved] = []
    for stage in ("needs-confirmed", "initial-contact", "needs-confirmed"):
        moves.append(THE_DEAL.given(*history, *moves).when(MoveDeal(stage=stage)).facts[0].event)
    assert [len(move.nodes) for move in moves] == [3, 0, 0]


def test_deal_2_due_days_are_working_days_of_the_company() -> None:
    japan = Company(calendar=BusinessCalendar("JP"))  # 20 March is the equinox
    due = {node.key: node.due for node in due_nodes(SHORT.stages[0], TODAY, japan)}
    assert due["first-conversation"] == date(2026, 3, 24)


@pytest.mark.parametrize("stage", SHORT.stages, ids=lambda stage: stage.key)
def test_deal_2_every_node_of_a_stage_falls_due_when_it_is_entered(stage: Stage) -> None:
    due = due_nodes(stage, TODAY, Company())
    assert [node.key for node in due] == [node.key for node in (*stage.tasks, *stage.deliverables)]
    assert all(node.due > TODAY for node in due)


@pytest.mark.parametrize("definition", [SHORT, FULL], ids=lambda definition: definition.key)
def test_deal_2_what_falls_due_says_whether_the_process_calls_it_a_proposal(definition: ProcessDefinition) -> None:
    proposals = [
        node.key for stage in definition.stages for node in due_nodes(stage, TODAY, Company()) if node.proposal
    ]
    assert proposals == ["quotation"]
