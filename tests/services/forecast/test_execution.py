"""Work that fell due, where it belongs, and what of it was done, proposals in time (DEAL-2, FC-7)."""

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from services.forecast.execution.model import Work, follow, marks
from shared.domain.context import Company
from shared.events.deals.deal import DealNodeCompleted, DueNode
from shared.events.deals.deal_gates import DealFlexibleNodeAdded, DealFlexibleNodeRemoved
from shared.events.deals.deal_migration import CarriedNode, DealMigrated, DroppedNode
from tests.services.forecast.facts import DEAL, day, lost, moved, opened, reopened
from tests.services.forecast.test_conformance import completed, migrated

FIFTH, TENTH, TWENTIETH = date(2026, 1, 5), date(2026, 1, 10), date(2026, 1, 20)
ENDS = Company().end_of(TENTH)
LATER = day("2026-03-01")
CALL = DueNode(key="call", kind="task", required=True, due=TENTH)
OFFER = DueNode(key="offer", kind="deliverable", required=True, due=TENTH, proposal=True)
SKETCH = replace(OFFER, key="sketch", required=False)
VISIT = replace(CALL, key="visit", required=False)


def life(*told: tuple[str, Any], nodes: tuple[DueNode, ...] = (CALL, OFFER)) -> Work:
    """The work on a deal that began on the fifth with some of it, and to which this happened at noon of these days."""
    company = Company()
    state = follow(None, replace(opened(), nodes=nodes), day("2026-01-05"), company)
    for on, event in told:
        state = follow(state, event, day(on), company)
    assert state is not None
    return state


def counted(work: Work, at: datetime = LATER) -> dict[str, int]:
    """What counts at an instant."""
    return dict(Counter(each.sort for each in marks(work) if each.start <= at and (each.end is None or each.end > at)))


def offered(on: str) -> tuple[str, DealNodeCompleted]:
    return on, completed("offer", "deliverable")


def test_deal_2_required_work_is_due_at_the_end_of_its_day_and_done_whenever_it_is() -> None:
    work = life(("2026-01-25", completed("call")))
    seen = [counted(work, at) for at in (ENDS - timedelta(seconds=1), ENDS, day("2026-01-25"))]
    due = {"nodes-due": 2, "proposals-due": 1}
    assert seen == [{}, due, due | {"nodes-completed": 1}]
    assert {each.of for each in marks(work)} == {ENDS}, "all of it counts when it fell due"


@pytest.mark.parametrize(
    ("on", "is_on_time"),
    [
        pytest.param("2026-01-06", True, id="before"),
        pytest.param("2026-01-10", True, id="on its day"),
        pytest.param("2026-01-11", False, id="on the next day"),
    ],
)
def test_deal_2_a_proposal_is_on_time_when_it_is_done_by_then(on: str, is_on_time: bool) -> None:
    told = counted(life(offered(on), nodes=(OFFER,)))
    on_time = {"proposals-on-time": 1} if is_on_time else {}
    assert told == {"nodes-due": 1, "nodes-completed": 1, "proposals-due": 1} | on_time


def test_deal_2_a_proposal_is_due_when_its_stage_is_left() -> None:
    left = ("2026-01-08", moved("needs"))
    assert counted(life(offered("2026-01-07"), left), day("2026-01-08"))["proposals-on-time"] == 1
    late = life(left, offered("2026-01-09"))
    assert counted(late, day("2026-01-08")) == {"nodes-due": 2, "proposals-due": 1}
    assert counted(late) == {"nodes-due": 2, "nodes-completed": 1, "proposals-due": 1}
    assert counted(life(("2026-01-08", lost(FIFTH)))) == {"nodes-due": 2, "proposals-due": 1}


def test_deal_2_what_is_not_required_counts_only_as_a_proposal() -> None:
    work = life(("2026-01-06", completed("sketch", "deliverable")), nodes=(VISIT, SKETCH))
    assert counted(work) == {"proposals-due": 1, "proposals-on-time": 1}


def test_deal_2_work_counts_at_the_stage_and_the_version_that_it_fell_due_in() -> None:
    new = replace(OFFER, key="new", due=TWENTIETH)
    over = migrated(
        "needs",
        nodes=(new,),
        carried=(CarriedNode(key="offer", kind="deliverable", stage="quotation", required=False, proposal=False),),
        dropped=(DroppedNode(key="call", kind="task"),),
    )
    work = life(("2026-01-12", over))
    assert {(each.sort, each.place.version, each.place.stage) for each in marks(work)} == {
        ("nodes-due", 1, "contact"),
        ("proposals-due", 1, "contact"),
        ("nodes-due", 2, "needs"),
        ("proposals-due", 2, "needs"),
    }
    early = life(("2026-01-08", over), nodes=(CALL, replace(OFFER, proposal=False)))
    assert {(each.sort, each.place.stage) for each in marks(early)} == {
        ("nodes-due", "needs"),
        ("proposals-due", "needs"),
    }
    called = replace(over, carried=tuple(replace(each, proposal=True) for each in over.carried))
    (offer,) = [each for each in marks(life(("2026-01-08", called))) if each.place.stage == "quotation"]
    assert (offer.sort, offer.place.version) == ("proposals-due", 2), "the new version says what a proposal is"


def test_proc_2_work_that_a_version_dropped_is_to_be_done_anew_where_a_later_one_has_it() -> None:
    without = migrated("contact", dropped=(DroppedNode(key="offer", kind="deliverable"),))
    again = migrated("contact", nodes=(replace(OFFER, due=TWENTIETH),))
    work = life(offered("2026-01-06"), ("2026-01-07", without), ("2026-01-08", again), nodes=(OFFER,))
    assert counted(work) == {"nodes-due": 1, "proposals-due": 1}, "what was done for the first is not done for it"


def test_deal_4_what_is_taken_back_counts_until_then() -> None:
    """FC-1: the past stays what it was; and it may be called for again."""
    added = DealFlexibleNodeAdded(deal_id=DEAL, key="demo", name="D", stage="contact", role="manager", nodes=(CALL,))
    removed = DealFlexibleNodeRemoved(deal_id=DEAL, key="demo", nodes=("call",))
    late = life(("2026-01-06", added), ("2026-01-12", removed), nodes=())
    assert [counted(late, at) for at in (ENDS, day("2026-01-12"))] == [{"nodes-due": 1}, {}]
    assert counted(life(("2026-01-06", added), ("2026-01-08", removed), nodes=())) == {}
    again = replace(added, nodes=(replace(CALL, due=TWENTIETH),))
    done = ("2026-01-19", completed("call"))
    work = life(("2026-01-06", added), ("2026-01-12", removed), ("2026-01-15", again), done, nodes=())
    assert [counted(work, at) for at in (ENDS, day("2026-01-19"), LATER)] == [
        {"nodes-due": 1},
        {},
        {"nodes-due": 1, "nodes-completed": 1},
    ]


def test_deal_2_after_its_end_nothing_of_a_deal_is_done_until_it_is_open_again() -> None:
    ended = ("2026-01-08", lost(FIFTH))
    done = ("2026-01-09", completed("call"))
    assert "nodes-completed" not in counted(life(ended, done))
    assert counted(life(ended, ("2026-01-08", reopened()), done))["nodes-completed"] == 1


def test_deal_2_a_move_counts_for_the_migrated_version_from_then_on() -> None:
    over: DealMigrated = migrated("contact")
    work = life(("2026-01-06", over), ("2026-01-07", replace(moved("needs"), nodes=(CALL,))), nodes=())
    (due,) = marks(work)
    assert (due.place.version, due.place.stage) == (2, "needs")
