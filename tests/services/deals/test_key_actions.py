"""PROC-1, DEAL-2: key actions have gates of their own, and the full process can be walked by them."""

from dataclasses import replace
from typing import Any

import pytest

from services.deals.domain.deal.changes import NoteFacts
from services.deals.domain.deal.closing import WinDeal
from services.deals.domain.deal.nodes import CompleteNode
from services.deals.domain.deal.stages import MoveDeal
from services.deals.domain.process.full import FULL, FULL_ID
from services.deals.domain.process.state import Process
from shared.domain.rejection import Reason
from shared.events.criteria import FactValue
from shared.events.deals.deal import DealFactsNoted, DealMoved, DealNodeCompleted
from tests.services.deals.facts import ID, LEAD, LOADED, OPENED, THE_DEAL

LOADED_FULL = {**LOADED, "process": Process(id=FULL_ID, version=1, definition=FULL)}
THE_FULL_DEAL = replace(THE_DEAL, loaded=tuple(LOADED_FULL.items()))
BEGUN = replace(OPENED, process_id=FULL_ID, process_name="Full", stage="needs-diagnosis", nodes=())
WILLING = DealFactsNoted(deal_id=ID, facts={"intent_to_cooperate": True, "nurture_passed": True})
NO_GAPS = DealFactsNoted(deal_id=ID, facts={"background_gaps": 0})
RECORD = DealNodeCompleted(
    deal_id=ID, stage="needs-diagnosis", key="background-record", kind="deliverable", required=True, evidence="DOC-1"
)
SITUATION = CompleteNode(key="situation", evidence="Seven questions with the plant manager.")


def refused(*given: Any, command: Any = SITUATION) -> list[tuple[str, str | None]]:
    """Codes and criteria that stand in the way."""
    outcome = THE_FULL_DEAL.given(BEGUN, *given).when(command)
    reasons: tuple[Reason, ...] = outcome.rejected.reasons if outcome.rejected else ()
    return [(reason.code, reason.details.get("criterion", reason.details.get("deliverable"))) for reason in reasons]


def test_deal_2_a_key_action_names_everything_that_it_lacks_at_once() -> None:
    assert refused() == [
        ("deliverable-missing", "background-record"),
        ("criterion-unmet", "intent-to-cooperate"),
        ("criterion-unmet", "nurture-passed"),
        ("criterion-unmet", "no-key-gap"),
    ]
    assert refused(WILLING) == [("deliverable-missing", "background-record"), ("criterion-unmet", "no-key-gap")]
    assert refused(WILLING, NO_GAPS) == [("deliverable-missing", "background-record")]
    assert refused(WILLING, NO_GAPS, RECORD) == []


def test_deal_2_what_is_unmet_says_which_command_changes_it() -> None:
    """DEAL-3: a refusal says what would satisfy it."""
    outcome = THE_FULL_DEAL.given(BEGUN).when(SITUATION).then_rejected("gate-closed")
    assert outcome.rejected is not None
    missing, willing, passed, _ = outcome.rejected.reasons
    assert missing.details["by"] == {"deliverable.background-record": "complete-node"}
    assert willing.details == {
        "criterion": "intent-to-cooperate",
        "gate": "entry of task situation",
        "expected": "intent_to_cooperate is True",
        "met": {"intent_to_cooperate": None},
        "by": {"intent_to_cooperate": "note-facts"},
    }
    # Whether it came from a lead is so from the start; that it was nurtured can be noted.
    assert passed.details["by"] == {"nurture_passed": "note-facts"}


def test_deal_2_a_deal_that_came_from_a_lead_was_nurtured() -> None:
    came = replace(BEGUN, lead_id=LEAD)
    stated = DealFactsNoted(deal_id=ID, facts={"intent_to_cooperate": True, "background_gaps": 0})
    THE_FULL_DEAL.given(came, stated, RECORD).when(SITUATION).then(
        replace(RECORD, key="situation", kind="task", evidence=SITUATION.evidence)
    )


@pytest.mark.parametrize(
    ("key", "unmet"),
    [
        ("problem", ["background-complete", "two-pains"]),
        ("implication", ["pains-clear", "willing-to-solve", "severity-agreed"]),
        ("need-payoff", ["consequences-known", "goal-stated"]),
    ],
)
def test_proc_1_each_key_action_waits_for_the_one_before(key: str, unmet: list[str]) -> None:
    told = refused(WILLING, command=CompleteNode(key=key, evidence="Minutes"))
    assert [name for code, name in told if code == "criterion-unmet"] == unmet


def test_proc_1_the_full_process_can_be_walked_from_its_first_stage_to_the_win() -> None:
    """Every gate opens by what its refusal asks for, and no stage can be left before."""
    noted: dict[str, FactValue] = {
        "intent_to_cooperate": True,
        "nurture_passed": True,
        "background_gaps": 0,
        "pains": 2,
        "willing_to_solve": True,
        "severity_agreed": True,
        "goal": "+15 % efficiency",
        "budget": "600000",
        "decision_chain_known": True,
        "solution_accepted": True,
    }
    events: list[Any] = [BEGUN]

    def do(command: Any) -> None:
        outcome = THE_FULL_DEAL.given(*events).when(command)
        assert outcome.rejected is None
        events.extend(fact.event for fact in outcome.facts)

    following = [stage.key for stage in FULL.stages[1:]]
    for index, stage in enumerate(FULL.stages):
        if index < len(following):
            THE_FULL_DEAL.given(*events).when(MoveDeal(stage=following[index])).then_rejected("gate-closed")
        if index == 0:
            do(NoteFacts(facts=noted))
        for node in (*stage.deliverables, *stage.tasks):
            do(CompleteNode(key=node.key, evidence="Minutes"))
        if index < len(following):
            do(MoveDeal(stage=following[index]))
    do(WinDeal())
    moves = [event for event in events if isinstance(event, DealMoved)]
    assert [event.stage for event in moves] == following
    assert moves[-1].drafts_contract
