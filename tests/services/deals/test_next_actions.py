"""DEAL-7: what an open deal asks for next, ranked by what is at stake. The vectors are worked out by hand."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.deals.domain.deal import deal
from services.deals.domain.deal.closing import ContractOfDeal
from services.deals.domain.deal.next_actions import (
    Circumstances,
    NextAction,
    actions_of,
    at_stake,
    ranked,
)
from services.deals.domain.deal.standing import LifeSigns
from services.deals.domain.deal.state import OpenDeal
from services.deals.domain.exchange_rate import Conversion
from shared.domain.context import Company
from shared.events.deals.deal import (
    DealAmountChanged,
    DealCloseDateChanged,
    DealFactsNoted,
    DealMoved,
    DealNextStepPlanned,
    DealNodeCompleted,
)
from shared.events.deals.deal_edit import DealQuoteAccepted
from shared.events.deals.deal_gates import DealCriterionWaived
from shared.events.deals.deal_record import DealContactSet
from shared.events.deals.policy import Winning
from shared.testing.scenario import NOW
from tests.services.deals.facts import CHAMPION, ID, OPENED, PROCESS, TALKED, TODAY, eur, usd
from tests.services.deals.test_flexible_nodes import ADDED, APPROVED, EXIT, IN_SOLUTION
from tests.services.deals.test_flexible_nodes import ON as MOVE_ON
from tests.services.deals.test_flexible_nodes import READY as SOLVED
from tests.services.deals.test_key_actions import LOADED_FULL, THE_FULL_DEAL

COMPANY = Company()
EURO = Conversion(currency="EUR", factors={"USD": Decimal("0.5"), "JPY": None})
STEP = DealNextStepPlanned(
    deal_id=ID, on=date(2026, 3, 20), what="Workshop", planned_on=TODAY, silence_until=date(2026, 3, 20)
)
BUYER = DealContactSet(deal_id=ID, contact_id=CHAMPION, role="economic-buyer", stance="supportive", on=TODAY)
APRIL = datetime(2026, 4, 10, 9, 0, tzinfo=UTC)
"""A Friday, 25 days after the deal was opened."""


def given(now: datetime = NOW, *, silence: date | None = date(2099, 1, 1)) -> Circumstances:
    return Circumstances(
        now=now,
        company=COMPANY,
        process=PROCESS,
        conversion=EURO,
        winning=Winning(needs="nothing"),
        contract=ContractOfDeal(),
        signs=LifeSigns(last_worked_at=NOW, silence_until=silence),
    )


def asked(*events: Any, of: Circumstances) -> list[NextAction]:
    state = deal.fold(events)
    assert isinstance(state, OpenDeal)
    return actions_of(state, of)


def told(actions: list[NextAction]) -> list[tuple[str, str | None, str | None, int | None]]:
    """Of each its reason and criterion, the day on which it is due, and for how long it has been."""
    return [(each.reason, each.criterion, f"{each.due}" if each.due else None, each.days) for each in actions]


def test_deal_7_a_new_deal_asks_for_what_its_gate_asks() -> None:
    first, second, third = asked(OPENED, of=given())
    assert told([first, second, third]) == [
        ("criterion-unmet", "conversation-held", "2026-03-23", None),  # when its task is due
        ("criterion-unmet", "next-step-planned", "2026-03-30", None),  # the last of the stage's 14 days
        ("no-decision-maker", None, None, None),
    ]
    assert (first.gate, first.facts) == ("exit of initial-contact", {"task.first-conversation": False})
    assert [each.commands for each in (first, second, third)] == [
        ("complete-node",),
        ("plan-next-step",),
        ("set-contact",),
    ]
    assert {(each.weighted, each.worth) for each in (first, second, third)} == {(eur("12000.00"), eur("12000.00"))}


def test_deal_7_every_reason_says_since_when_and_by_which_facts() -> None:
    late = DealCloseDateChanged(deal_id=ID, before=None, expected_close=date(2026, 4, 1))
    found = asked(OPENED, TALKED, STEP, late, of=given(APRIL, silence=STEP.silence_until))
    assert told(found) == [
        ("overdue-follow-up", None, "2026-03-20", 21),
        ("silent", None, "2026-03-20", 21),
        ("stage-overdue", None, "2026-03-30", 11),
        ("ready-to-move", None, "2026-03-30", 11),
        ("close-date-passed", None, "2026-04-01", 9),
        ("no-decision-maker", None, None, None),
    ]
    facts: Mapping[str, Mapping[str, Any]] = {each.reason: each.facts for each in found}
    assert facts["overdue-follow-up"] == {"next_step": "2026-03-20"}
    assert facts["silent"] == {"last_worked_on": "2026-03-16", "idle_limit": 3}
    assert facts["stage-overdue"] == {"stage": "initial-contact", "stage_since": "2026-03-16", "max_days": 14}
    assert facts["ready-to-move"] == {"stage": "initial-contact", "next_stage": "needs-confirmed"}
    assert facts["close-date-passed"] == {"expected_close": "2026-04-01"}


def test_deal_7_what_is_due_today_is_not_overdue() -> None:
    """The last day of a step, a close date and a stage is theirs."""
    last = given(datetime(2026, 3, 30, 9, tzinfo=UTC), silence=date(2026, 3, 30))
    step = replace(STEP, on=date(2026, 3, 30))
    closing = DealCloseDateChanged(deal_id=ID, before=None, expected_close=date(2026, 3, 30))
    found = asked(OPENED, TALKED, BUYER, step, closing, of=last)
    assert told(found) == [("ready-to-move", None, "2026-03-30", None)]


def test_deal_7_a_known_decision_maker_is_not_asked_for() -> None:
    assert [each.reason for each in asked(OPENED, TALKED, STEP, BUYER, of=given())] == ["ready-to-move"]


def test_deal_4_a_waived_criterion_is_not_asked_for() -> None:
    """DEAL-7: until the waiver has run out."""
    waived = DealCriterionWaived(
        deal_id=ID,
        gate="exit of initial-contact",
        criterion="next-step-planned",
        until=date(2026, 3, 20),
        role="manager",
        on=TODAY,
    )
    history = (OPENED, TALKED, BUYER, waived)
    assert [each.reason for each in asked(*history, of=given())] == ["ready-to-move"]
    later = given(datetime(2026, 3, 21, 9, tzinfo=UTC))
    assert [each.criterion for each in asked(*history, of=later)] == ["next-step-planned"]


IN_THE_LAST_STAGE = DealMoved(
    deal_id=ID,
    before="initial-contact",
    stage="contract-drafting",
    direction="skip",
    skipped=(),
    probability=Decimal("0.80"),
    probability_before=Decimal("0.10"),
    category="commit",
    amount=OPENED.amount,
    on=TODAY,
)
TERMS = replace(TALKED, stage="contract-drafting", key="agree-terms")
DRAFT = DealNodeCompleted(
    deal_id=ID, stage="contract-drafting", key="contract-draft", kind="deliverable", required=True, evidence="D-1"
)
ALL_BUT_WON = (OPENED, BUYER, IN_THE_LAST_STAGE, TERMS, DRAFT)
SIGNING = replace(given(), winning=Winning(needs="signed-contract"))
SIGNED = ContractOfDeal(is_signed=True)


def test_deal_7_a_deal_of_the_last_stage_is_ready_to_be_won() -> None:
    (won,) = asked(*ALL_BUT_WON, of=given())
    assert (won.reason, won.commands, won.weighted) == ("ready-to-win", ("win",), eur("96000.00"))


def test_deal_9_a_deal_that_may_not_be_won_yet_is_told_what_it_lacks() -> None:
    """DEAL-7: what is told to be next is what winning is refused for."""
    (lacking,) = asked(*ALL_BUT_WON, of=SIGNING)
    assert (lacking.reason, lacking.commands) == ("contract-not-signed", ())
    assert lacking.facts == {"stage": "contract-drafting", "needs": "signed-contract"}
    assert lacking.due == date(2026, 4, 15), "the last of the stage's thirty days"
    (won,) = asked(*ALL_BUT_WON, of=replace(SIGNING, contract=SIGNED))
    assert (won.reason, won.commands) == ("ready-to-win", ("win",))
    # What the gate asks for comes first.
    assert {each.reason for each in asked(*ALL_BUT_WON[:-1], of=SIGNING)} == {"criterion-unmet"}


def test_deal_9_a_deal_that_is_won_by_a_quote_alone_is_told_that_none_is_accepted() -> None:
    """DEAL-8"""
    quoting = replace(given(), winning=Winning(needs="accepted-quote"))
    (lacking,) = asked(*ALL_BUT_WON, of=quoting)
    assert (lacking.reason, lacking.commands) == ("quote-not-accepted", ())
    agreed = DealQuoteAccepted(deal_id=ID, quote_id=ID, amount=eur("1.00"), lines=(), on=TODAY)
    (won,) = asked(*ALL_BUT_WON, agreed, of=quoting)
    assert (won.reason, won.commands) == ("ready-to-win", ("win",))


def test_deal_9_a_passed_close_date_is_no_reason_to_win_what_may_not_be_won() -> None:
    closing = DealCloseDateChanged(deal_id=ID, before=None, expected_close=date(2026, 3, 1))
    for of, commands in (
        (SIGNING, ("change-close-date", "lose", "abandon")),
        (replace(SIGNING, contract=SIGNED), ("change-close-date", "win", "lose", "abandon")),
    ):
        (passed,) = [each for each in asked(OPENED, closing, of=of) if each.reason == "close-date-passed"]
        assert passed.commands == commands


def without_gates(of: Circumstances) -> Circumstances:
    """Of a process in which nothing is asked for."""
    stages = tuple(replace(stage, entry=(), exit=()) for stage in PROCESS.definition.stages)
    return replace(of, process=replace(PROCESS, definition=replace(PROCESS.definition, stages=stages)))


def test_deal_7_a_gate_that_asks_for_nothing_makes_nobody_ready() -> None:
    """PROC-1: as `ready_on`; that a deal stands too long is told."""
    assert asked(OPENED, BUYER, of=without_gates(given())) == []
    late = asked(OPENED, BUYER, of=without_gates(given(APRIL)))
    assert [(each.reason, each.commands) for each in late] == [("stage-overdue", ("move", "assess-exit"))]
    last = (OPENED, BUYER, IN_THE_LAST_STAGE)
    assert asked(*last, of=without_gates(given())) == []
    for contract, reason in ((ContractOfDeal(), "contract-not-signed"), (SIGNED, "ready-to-win")):
        of = without_gates(replace(SIGNING, contract=contract))
        assert [each.reason for each in asked(*last, of=of)] == [reason], "the policy asks for something"


def test_deal_7_the_entry_of_the_next_stage_is_asked_for_too() -> None:
    moved = DealMoved(
        deal_id=ID,
        before="initial-contact",
        stage="quotation",
        direction="skip",
        skipped=("needs-confirmed",),
        probability=Decimal("0.50"),
        probability_before=Decimal("0.10"),
        category="best-case",
        amount=OPENED.amount,
        on=TODAY,
    )
    nothing = DealAmountChanged(deal_id=ID, before=OPENED.amount, amount=eur("0.00"))
    found = asked(OPENED, BUYER, moved, nothing, of=given())
    assert ("entry of contract-drafting", "amount-stated") in {(each.gate, each.criterion) for each in found}


def test_deal_4_a_deal_is_not_ready_before_the_flexible_node_that_binds_it_is_done() -> None:
    """DEAL-7: what is told to be next is what a move is refused for."""
    known = replace(given(), process=LOADED_FULL["process"])
    bound = (IN_SOLUTION, *SOLVED, BUYER, ADDED)
    (unmet,) = asked(*bound, of=known)
    assert (unmet.reason, unmet.gate, unmet.criterion) == ("criterion-unmet", EXIT, "custom-solution-approved")
    assert (unmet.commands, unmet.due) == (("complete-node",), date(2026, 3, 25)), "when its task is due"
    THE_FULL_DEAL.given(*bound).when(MOVE_ON).then_rejected("gate-closed", "criterion-unmet")
    for history in ((*bound, *APPROVED), bound[:-1]):
        assert [each.reason for each in asked(*history, of=known)] == ["ready-to-move"]
        assert THE_FULL_DEAL.given(*history).when(MOVE_ON).rejected is None


def test_deal_7_two_commands_change_what_a_criterion_looks_at() -> None:
    """A fact that people note is noted, whatever else is unmet."""
    moved = DealMoved(
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
    noted = DealFactsNoted(deal_id=ID, facts={"need_stated": True, "decision_chain_known": True})
    found = asked(OPENED, BUYER, moved, noted, of=given())
    assert {each.criterion: each.commands for each in found} == {
        "budget-known": ("note-facts",),
        "needs-confirmed": ("complete-node",),
    }


# -- in which order ---------------------------------------------------------------------------------------------------


def action(number: int, worth: str | None, due: date | None, reason: Any = "silent") -> NextAction:
    return NextAction(
        deal_id=UUID(int=number),
        deal_name="Servers",
        reason=reason,
        weighted=eur("1.00"),
        worth=eur(worth) if worth else None,
        due=due,
        days=None,
        facts={},
        commands=(),
    )


def test_deal_7_actions_are_ranked_by_worth_then_by_day_then_by_urgency() -> None:
    march, april = date(2026, 3, 1), date(2026, 4, 1)
    wanted = [
        action(1, "900.00", april),
        action(2, "900.00", None),
        action(3, "100.00", march, "overdue-follow-up"),
        action(4, "100.00", march, "silent"),
        action(5, "100.00", march, "silent"),
        action(6, "100.00", april, "overdue-follow-up"),
        action(7, "-5.00", march),
        action(8, None, march),
        action(9, None, april),
    ]
    for shuffled in (wanted[::-1], wanted[4:] + wanted[:4]):
        assert ranked(shuffled) == wanted


def test_deal_7_a_stake_is_worth_what_the_last_rates_say() -> None:
    """12,345.67 USD × 0.30 = 3,703.701, at 0.5: 1,851.85."""
    assert at_stake(usd("12345.67"), Decimal("0.30"), EURO) == (usd("3703.70"), eur("1851.85"))
    assert at_stake(eur("0.05"), Decimal("0.10"), EURO) == (eur("0.01"), eur("0.01")), "halves are rounded up"
    yen = replace(eur("5000"), currency="JPY")
    assert at_stake(yen, Decimal("0.10"), EURO) == (replace(yen, amount=Decimal(500)), None)
