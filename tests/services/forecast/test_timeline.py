"""Both clocks: when it happened and when it was known (FC-1, FC-17)."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.forecast.execution.model import follow
from services.forecast.pipeline.timeline import OPEN, WON, at, spans
from shared.domain.context import Company
from shared.events.deals.deal import DealActivityLogged, DealFactRetracted, DealNodeCompleted, DueNode
from shared.events.deals.deal_edit import DealAccountChanged, DealClassified
from shared.events.deals.deal_gates import DealFlexibleNodeAdded, DealFlexibleNodeRemoved
from shared.events.deals.deal_record import DealActivityCorrected, DealActivityWithdrawn
from tests.services.forecast.facts import DEAL, TENDER, day, fact, lost, moved, opened, renamed, reopened, repriced, won

# Six events: the move and the new amount were recorded late, the win was reversed.
STORY = [
    fact(1, opened(), day("2026-01-05")),
    fact(2, moved("needs"), day("2026-01-20")),
    fact(3, won(date(2026, 2, 10), 1500), day("2026-02-10")),
    fact(4, repriced(1500), day("2026-01-25"), recorded=day("2026-02-12")),
    fact(5, moved("quotation", before="needs"), day("2026-02-01"), recorded=day("2026-02-15")),
    fact(6, reopened("quotation", 1500), day("2026-02-20")),
]

GOLDEN = [
    ("2026-01-04", "2026-03-01", None),
    ("2026-01-10", "2026-01-10", ("contact", OPEN, 1000)),
    ("2026-01-21", "2026-01-21", ("needs", OPEN, 1000)),
    ("2026-01-26", "2026-01-26", ("needs", OPEN, 1000)),
    ("2026-01-26", "2026-02-13", ("needs", OPEN, 1500)),
    ("2026-02-05", "2026-02-05", ("needs", OPEN, 1000)),
    ("2026-02-05", "2026-02-14", ("needs", OPEN, 1500)),
    ("2026-02-05", "2026-03-01", ("quotation", OPEN, 1500)),
    ("2026-02-11", "2026-02-11", ("needs", WON, 1000)),
    ("2026-02-11", "2026-03-01", ("quotation", WON, 1500)),
    ("2026-03-01", "2026-02-16", ("quotation", WON, 1500)),
    ("2026-03-01", "2026-03-01", ("quotation", OPEN, 1500)),
]


@pytest.mark.parametrize(("as_of", "known_at", "expected"), GOLDEN)
def test_what_was_true_then_as_known_then(as_of: str, known_at: str, expected: tuple[str, str, int] | None) -> None:
    state = at(STORY, day(as_of), day(known_at))
    told = None if state is None else (state.stage, state.outcome, state.amount)
    assert told == (expected if expected is None else (*expected[:2], Decimal(expected[2])))


def test_spans_follow_what_happened_whatever_the_order_of_recording() -> None:
    life = spans(STORY)
    assert life == spans(reversed(STORY))
    assert [(span.start, span.state.stage, span.state.outcome) for span in life] == [
        (day("2026-01-05"), "contact", OPEN),
        (day("2026-01-20"), "needs", OPEN),
        (day("2026-01-25"), "needs", OPEN),
        (day("2026-02-01"), "quotation", OPEN),
        (day("2026-02-10"), "quotation", WON),
        (day("2026-02-20"), "quotation", OPEN),
    ]
    assert [span.end for span in life] == [*(span.start for span in life[1:]), None]


def test_a_deal_has_another_customer_and_source_from_when_that_was_said() -> None:
    """Spans before, and what was known before, stay as they were."""
    there, later = day("2026-02-01"), day("2026-03-01")
    customer = DealAccountChanged(deal_id=DEAL, account_before=None, account_id=UUID(int=11), account_name=None)
    told = [
        *STORY[:2],
        fact(3, customer, there),
        fact(4, DealClassified(deal_id=DEAL, source="fair", industry=None), there),
    ]
    before, after = at(told, day("2026-01-31"), later), at(told, later, later)
    assert before == at(STORY[:2], day("2026-01-31"), later)
    assert after is not None
    assert before is not None
    assert (after.account_id, after.source) == (UUID(int=11), "fair")
    assert (after.touched, after.entered) == (before.touched, before.entered)  # no work was done


def test_a_life_can_be_continued_from_its_last_span() -> None:
    whole = spans(STORY[:3])
    begun = spans(STORY[:2])
    assert [*begun[:-1], *spans(STORY[2:3], begun[-1])] == whole


def test_facts_of_the_same_instant_make_one_state() -> None:
    life = spans([fact(1, opened(), day("2026-01-05")), fact(2, moved("needs"), day("2026-01-05"))])
    assert [span.state.stage for span in life] == ["needs"]


def test_data_5_a_move_to_where_a_deal_stood_changes_nothing() -> None:
    """History tells of it all the same: no work was done, no stage entered, and what was due stays due on its day."""
    due = DueNode(key="visit", kind="task", required=True, due=date(2026, 3, 1))
    begun = fact(1, replace(opened(), nodes=(due,)), day("2026-01-05"))
    stayed = fact(2, moved("contact"), day("2026-01-20"))
    later = day("2026-02-01")
    assert at([begun, stayed], later, later) == at([begun], later, later)
    company = Company()
    work = follow(None, begun.data, begun.occurred_at, company)
    assert follow(work, stayed.data, stayed.occurred_at, company) == work


def test_deal_4_work_of_a_flexible_node_is_due_once_it_is_added_until_it_is_taken_back() -> None:
    """FC-7: node completion counts it; what was done of it stays."""
    due = tuple(DueNode(key=key, kind="task", required=True, due=date(2026, 3, 1)) for key in ("assess", "approve"))
    added = DealFlexibleNodeAdded(deal_id=DEAL, key="custom", name="C", stage="contact", role="manager", nodes=due)
    removed = DealFlexibleNodeRemoved(deal_id=DEAL, key="custom", nodes=("assess", "approve"))
    done = DealNodeCompleted(deal_id=DEAL, stage="contact", key="assess", kind="task", required=True)
    company = Company()

    def keys(*events: Any) -> list[tuple[str, bool]]:
        work = None
        for number, event in enumerate((opened(), *events), 1):
            work = follow(work, event, day(f"2026-01-{number:02}"), company)
        return [(node.key, node.done is not None) for node in work.nodes] if work else []

    assert keys(added) == [("assess", False), ("approve", False)]
    assert keys(added, removed) == []
    assert keys(added, done) == [("assess", True), ("approve", False)]
    assert keys(added, done, removed) == [("assess", True)]
    assert keys(removed) == keys(lost(date(2026, 1, 2)), added) == []


def test_data_4_a_deal_is_called_at_any_time_what_it_is_called_now() -> None:
    """DATA-4: also one that was closed when it was renamed; as known before, it was called otherwise."""
    again = [*STORY[:3], fact(4, renamed("…"), day("2026-02-12")), fact(5, renamed("Deal"), day("2026-02-13"))]
    assert {span.state.name for span in spans(again)} == {"Deal"}
    assert [at(again, day("2026-01-10"), day(known)).name for known in ("2026-02-11", "2026-02-12", "2026-03-01")] == [  # type: ignore[union-attr]
        "Press line",
        "…",
        "Deal",
    ]
    assert at(again, day("2026-01-04"), day("2026-03-01")) is None


def test_deal_6_what_was_withdrawn_is_no_sign_of_life_but_was_one_as_known_before() -> None:
    called = DealActivityLogged(deal_id=DEAL, activity_id=DEAL, kind="call")
    story = [
        fact(1, opened(), day("2026-01-05")),
        replace(fact(2, called, day("2026-01-20")), causation_id=TENDER),
        fact(3, DealFactRetracted(deal_id=DEAL, request=TENDER), day("2026-02-01")),
        fact(4, DealActivityWithdrawn(deal_id=DEAL, activity_id=DEAL), day("2026-02-01")),
    ]
    known, now = (at(story, day("2026-03-01"), day(each)) for each in ("2026-01-31", "2026-03-01"))
    assert known is not None
    assert now is not None
    assert (known.touched, now.touched) == (day("2026-01-20"), day("2026-01-05"))
    assert now.stalls(Company()) < known.stalls(Company())


def test_deal_6_a_corrected_activity_is_a_sign_of_life_when_it_was() -> None:
    called = DealActivityLogged(deal_id=DEAL, activity_id=DEAL, kind="call")
    corrected = DealActivityCorrected(deal_id=DEAL, activity_id=DEAL, kind="visit")
    story = [
        fact(1, opened(), day("2026-01-05")),
        replace(fact(2, called, day("2026-01-20")), causation_id=TENDER),
        fact(3, DealFactRetracted(deal_id=DEAL, request=TENDER), day("2026-02-01")),
        fact(4, corrected, day("2026-01-10"), recorded=day("2026-02-01")),
    ]
    assert [span.state.touched for span in spans(story)] == [day("2026-01-05"), day("2026-01-10")]


def test_proc_1_a_deal_that_moves_by_itself_was_worked_on_by_nobody() -> None:
    """FC-3: it becomes silent as long after what somebody did before."""
    for automatic, touched in ((False, day("2026-01-20")), (True, day("2026-01-05"))):
        move = replace(moved("needs"), automatic=automatic)
        last = spans([fact(1, opened(), day("2026-01-05")), fact(2, move, day("2026-01-20"))])[-1].state
        assert (last.stage, last.entered, last.touched) == ("needs", day("2026-01-20"), touched)
