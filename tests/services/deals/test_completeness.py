"""DEAL-11: how much of what the gate ahead asks for is known, and how late it is entered."""

from dataclasses import replace
from decimal import Decimal

from services.deals.domain.deal import deal
from services.deals.domain.deal.completeness import completeness, is_entry
from services.deals.domain.deal.state import OpenDeal
from services.deals.domain.exchange_rate import Conversion
from services.deals.domain.process.state import Process
from shared.domain.criteria import Completeness
from shared.events.deals.deal import DealFactsNoted, DealMoved, DealNextStepPlanned
from tests.services.deals.facts import ID, OPENED, PROCESS, TALKED, TODAY
from tests.services.deals.test_flexible_nodes import ADDED, APPROVED, IN_SOLUTION
from tests.services.deals.test_flexible_nodes import READY as SOLVED
from tests.services.deals.test_key_actions import LOADED_FULL

EURO = Conversion(currency="EUR", factors={})
IN_NEEDS = DealMoved(
    deal_id=ID,
    before="initial-contact",
    stage="needs-confirmed",
    direction="forward",
    skipped=(),
    probability=Decimal("0.30"),
    probability_before=Decimal("0.10"),
    category="pipeline",
    amount=OPENED.amount,
    on=TODAY,
)

MOVED_BY_ITSELF = replace(IN_NEEDS, automatic=True)
PLANNED = DealNextStepPlanned(deal_id=ID, on=TODAY, what="Call")


def of(*events: object, process: Process = PROCESS) -> Completeness:
    state = deal.fold(events)
    assert isinstance(state, OpenDeal)
    return completeness(state, process, EURO)


def test_deal_11_is_filled_facts_by_required_facts_of_the_gate_ahead() -> None:
    begun = of(OPENED)
    assert begun.required == ("task.first-conversation", "next_step_planned")
    assert (begun.missing, begun.share) == (begun.required, Decimal("0.0000"))
    assert of(OPENED, TALKED).share == Decimal("0.5000")


def test_deal_11_what_was_noted_is_filled_whatever_it_says() -> None:
    """A need that is not there is known; so is a budget of nothing."""
    noted = DealFactsNoted(deal_id=ID, facts={"need_stated": False, "budget": "0", "pains": 2})
    found = of(OPENED, IN_NEEDS, noted)
    assert found.required == ("need_stated", "budget", "decision_chain_known", "deliverable.needs-confirmation")
    assert found.missing == ("decision_chain_known", "deliverable.needs-confirmation")
    assert found.share == Decimal("0.5000")
    again = DealFactsNoted(deal_id=ID, facts={"budget": None})
    assert of(OPENED, IN_NEEDS, noted, again).share == Decimal("0.2500"), "unknown again"


def test_deal_11_the_entry_of_the_next_stage_counts_and_each_fact_once() -> None:
    quotation = replace(IN_NEEDS, stage="quotation")
    found = of(OPENED, quotation)
    assert found.required == ("deliverable.quotation", "task.present-quotation", "amount", "expected_close")
    assert found.missing == ("deliverable.quotation", "task.present-quotation")


def test_deal_11_a_flexible_node_that_binds_the_deal_asks_too() -> None:
    """DEAL-4: before what the next stage asks, and only of this deal."""
    process = LOADED_FULL["process"]
    assert "task.approve-custom-solution" not in of(IN_SOLUTION, *SOLVED, process=process).required
    bound = of(IN_SOLUTION, *SOLVED, ADDED, process=process)
    assert bound.required[-2:] == ("task.approve-custom-solution", "amount")
    assert bound.missing == ("task.approve-custom-solution",)
    assert of(IN_SOLUTION, *SOLVED, ADDED, *APPROVED, process=process).missing == ()


def test_deal_11_where_nothing_is_asked_for_nothing_is_missing() -> None:
    assert Completeness(required=(), missing=()).share is None


def test_deal_11_work_after_the_opening_is_what_may_be_entered_late() -> None:
    assert all(map(is_entry, (IN_NEEDS, TALKED)))
    assert not any(map(is_entry, (OPENED, MOVED_BY_ITSELF, PLANNED)))
