"""DEAL-3: the gates between stages; PROC-3: what a refusal explains."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from services.deals.domain.deal.facts import facts_of
from services.deals.domain.deal.stages import MoveDeal
from services.deals.domain.exchange_rate import Conversion
from services.deals.domain.facts import DERIVED, vocabulary
from services.deals.domain.process.short import SHORT
from services.deals.domain.process.state import Process
from shared.events.deals.deal import (
    DealCategoryChanged,
    DealFactsNoted,
    DealLine,
    DealMoved,
    DealNextStepPlanned,
    DealNodeCompleted,
    DealQuote,
    DealWon,
)
from shared.events.deals.deal_edit import DealQuoteAccepted
from tests.services.deals.facts import ID, OPENED, PROCESS, TALKED, THE_DEAL, TODAY, eur

ON = MoveDeal(stage="needs-confirmed")
PLANNED = DealNextStepPlanned(
    deal_id=ID,
    on=date(2026, 3, 20),
    what="Workshop",
    planned_on=TODAY,
    silence_until=date(2026, 3, 20),
    silence_version=0,
)
READY = THE_DEAL.given(OPENED, TALKED, PLANNED)
MOVED: DealMoved = READY.when(ON).facts[0].event
IN_NEEDS = READY.given(MOVED)
CONFIRMED = (
    DealFactsNoted(deal_id=ID, facts={"need_stated": True, "budget": "150000", "decision_chain_known": True}),
    DealNodeCompleted(
        deal_id=ID,
        stage="needs-confirmed",
        key="needs-confirmation",
        kind="deliverable",
        required=True,
        evidence="DOC-2",
    ),
)


def test_deal_3_forward_through_an_open_gate() -> None:
    outcome = READY.when(ON)
    moved = outcome.facts[0].event
    assert (moved.before, moved.stage, moved.direction, moved.skipped) == (
        "initial-contact",
        "needs-confirmed",
        "forward",
        (),
    )
    assert (moved.probability_before, moved.probability) == (Decimal("0.10"), Decimal("0.30"))
    assert [node.key for node in moved.nodes] == ["explore-pains", "clarify-decision", "needs-confirmation"]
    assert (moved.amount, moved.owner, moved.team, moved.name, moved.on) == (
        OPENED.amount,
        OPENED.owner,
        OPENED.team,
        OPENED.name,
        TODAY,
    )
    assert (outcome.state.stage, outcome.state.stage_since, len(outcome.state.trail)) == ("needs-confirmed", TODAY, 2)


def test_deal_3_a_closed_gate_names_every_unmet_criterion_with_what_it_met() -> None:
    outcome = THE_DEAL.given(OPENED).when(ON).then_rejected("gate-closed", "criterion-unmet", "criterion-unmet")
    assert outcome.rejected is not None
    talked, planned = (reason.details for reason in outcome.rejected.reasons)
    assert talked["criterion"] == "conversation-held"
    assert talked["gate"] == "exit of initial-contact"
    assert talked["expected"] == "task.first-conversation is True"
    assert talked["met"] == {"task.first-conversation": False}
    assert planned["met"] == {"next_step_planned": False}


def test_deal_3_exit_and_entry_criteria_are_named_in_one_answer() -> None:
    worthless = IN_NEEDS.given(*CONFIRMED).given(
        DealMoved(
            deal_id=ID,
            before="needs-confirmed",
            stage="quotation",
            direction="forward",
            skipped=(),
            probability=Decimal("0.5"),
            probability_before=Decimal("0.3"),
            category="best-case",
            amount=eur("0"),
        )
    )
    history = (replace(OPENED, amount=eur("0"), expected_close=None), *worthless.history[1:])
    outcome = THE_DEAL.given(*history).when(MoveDeal(stage="contract-drafting")).then_rejected("gate-closed")
    assert outcome.rejected is not None
    assert {(reason.details["gate"], reason.details["criterion"]) for reason in outcome.rejected.reasons} == {
        ("exit of quotation", "quotation-sent"),
        ("exit of quotation", "quotation-presented"),
        ("exit of quotation", "amount-known"),
        ("exit of quotation", "close-date-known"),
        ("entry of contract-drafting", "amount-stated"),
    }


def test_deal_3_a_skip_is_recorded_as_such_where_the_process_allows_it() -> None:
    skip = IN_NEEDS.given(*CONFIRMED).when(MoveDeal(stage="contract-drafting", reason="Frame contract"))
    moved = skip.facts[0].event
    assert (moved.direction, moved.skipped, moved.reason) == ("skip", ("quotation",), "Frame contract")
    assert moved.drafts_contract


def test_con_1_entering_the_contract_stage_tells_lines_and_accepted_quote_of_the_deal() -> None:
    """DEAL-8: the contract begins with them; other moves are spared them."""
    line = DealLine(product_id=ID, quantity=Decimal(2), price=eur("5.00"))
    agreed = DealQuoteAccepted(deal_id=ID, quote_id=ID, amount=OPENED.amount, lines=(line,), quote_version=3, on=TODAY)
    met = THE_DEAL.given(replace(OPENED, lines=(line,)), *IN_NEEDS.history[1:], agreed, *CONFIRMED)
    moved = met.when(MoveDeal(stage="contract-drafting")).facts[0].event
    assert (moved.lines, moved.quote) == ((line,), DealQuote(quote_id=ID, quote_version=3))
    before = THE_DEAL.given(replace(OPENED, lines=(line,)), TALKED, PLANNED, agreed).when(ON).facts[0].event
    assert (before.lines, before.quote) == ((), None)


def test_deal_3_a_stage_that_must_not_be_skipped_is_named_beside_the_unmet_criteria() -> None:
    THE_DEAL.given(OPENED).when(MoveDeal(stage="quotation")).then_rejected(
        "gate-closed", "not-skippable", "criterion-unmet", "criterion-unmet"
    )


def test_deal_3_back_needs_no_criteria_and_is_recorded_as_such() -> None:
    back = IN_NEEDS.when(MoveDeal(stage="initial-contact", reason="New people"))
    moved = back.facts[0].event
    assert (moved.direction, moved.skipped, moved.reason) == ("back", (), "New people")


def test_deal_3_back_is_refused_where_the_process_forbids_it() -> None:
    one_way = Process(id=PROCESS.id, version=1, definition=replace(SHORT, can_move_back=False))
    IN_NEEDS.knowing(process=one_way).when(MoveDeal(stage="initial-contact")).then_rejected(
        "gate-closed", "not-reversible"
    )


def test_deal_3_moving_where_it_is_records_nothing() -> None:
    IN_NEEDS.when(ON).then()


def test_deal_3_an_unknown_stage_is_refused_with_those_there_are() -> None:
    outcome = READY.when(MoveDeal(stage="won")).then_rejected("unknown-stage")
    assert outcome.rejected is not None
    assert "contract-drafting" in outcome.rejected.message


def test_deal_3_a_closed_deal_does_not_move() -> None:
    won = DealWon(deal_id=ID, on=TODAY, amount=eur("1"), stage="initial-contact", name="x")
    READY.given(won).when(ON).then_rejected("not-in-this-state")
    THE_DEAL.when(ON).then_rejected("does-not-exist")


def test_deal_10_a_judged_category_stands_over_the_stages() -> None:
    assert MOVED.category == "pipeline"
    judged = DealCategoryChanged(deal_id=ID, before="pipeline", category="commit", judged_by="rep", on=TODAY)
    assert READY.given(judged).when(ON).facts[0].event.category == "commit"


def test_proc_3_the_facts_of_a_deal_are_the_vocabulary_of_its_process() -> None:
    state = THE_DEAL.aggregate.fold(IN_NEEDS.given(*CONFIRMED).history)
    known = facts_of(state, PROCESS, Conversion(currency="EUR", factors={}))
    declared = {fact.key for fact in SHORT.facts}
    assert known.keys() - declared == vocabulary(SHORT).keys() - declared
    assert known.keys() >= DERIVED.keys()
    assert known["budget"] == "150000"
    assert known["deliverable.needs-confirmation"] is True
    assert known["task.explore-pains"] is False


def test_deal_3_the_whole_way_of_the_short_process_can_be_walked() -> None:
    quoted = IN_NEEDS.given(*CONFIRMED)
    quoted = quoted.given(*(fact.event for fact in quoted.when(MoveDeal(stage="quotation")).facts))
    done = [
        DealNodeCompleted(deal_id=ID, stage="quotation", key=key, kind=kind, required=True, evidence="Q-1")
        for key, kind in (("quotation", "deliverable"), ("present-quotation", "task"))
    ]
    moved = quoted.given(*done).when(MoveDeal(stage="contract-drafting")).facts[0].event
    assert (moved.direction, moved.drafts_contract, moved.category) == ("forward", True, "commit")
