"""PROC-2 in figures: from its instant on a migrated deal stands in its new stage, and the past is what it was."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from services.forecast.execution.model import Work
from services.forecast.execution.model import follow as follow_work
from services.forecast.pipeline.timeline import at, spans
from shared.domain.context import Company
from shared.events.deals.deal import DueNode
from shared.events.deals.deal_migration import CarriedNode, DealMigrated, DroppedNode
from tests.services.forecast.facts import DEAL, SHORT, day, eur, fact, moved, opened, won

OTHER = UUID(int=4711)
MIGRATED = DealMigrated(
    deal_id=DEAL,
    process_id=SHORT,
    process_name="short",
    process_version=2,
    process_id_before=SHORT,
    process_version_before=1,
    stage="offer",
    stage_before="contact",
    probability=Decimal("0.60"),
    probability_before=Decimal("0.10"),
    category="best-case",
    category_of_stage="best-case",
    amount=eur(1000),
    idle_days=9,
)
STORY = [fact(1, opened(), day("2026-01-05")), fact(2, MIGRATED, day("2026-01-20"))]


def test_proc_2_it_stands_in_its_new_stage_from_that_instant_on() -> None:
    before, after = spans(STORY)
    assert (before.start, before.end, after.start) == (day("2026-01-05"), day("2026-01-20"), day("2026-01-20"))
    assert (before.state.stage, before.state.process_version) == ("contact", 1)
    assert (after.state.stage, after.state.process_version, after.state.idle_days) == ("offer", 2, 9)
    assert (after.state.weighted, after.state.category) == (Decimal(600), "best-case")
    assert after.state.entered == day("2026-01-20")


def test_fc_1_the_past_is_unchanged_and_was_not_known_before() -> None:
    late = [STORY[0], fact(2, MIGRATED, day("2026-01-20"), recorded=day("2026-02-01"))]
    for as_of, known_at, expected in (
        ("2026-01-19", "2026-03-01", ("contact", 1)),
        ("2026-01-25", "2026-01-25", ("contact", 1)),
        ("2026-01-25", "2026-03-01", ("offer", 2)),
    ):
        state = at(late, day(as_of), day(known_at))
        assert state is not None
        assert (state.stage, state.process_version) == expected


def test_proc_2_it_is_no_work_and_in_the_same_stage_nothing_was_entered() -> None:
    stayed = spans([STORY[0], fact(2, replace(MIGRATED, stage="contact"), day("2026-01-20"))])[-1].state
    assert (stayed.entered, stayed.touched) == (day("2026-01-05"), day("2026-01-05"))
    assert stayed.process_version == 2
    elsewhere = replace(MIGRATED, stage="contact", process_id=OTHER)
    entered = spans([STORY[0], fact(2, elsewhere, day("2026-01-20"))])[-1].state
    assert (entered.entered, entered.touched, entered.process_id) == (day("2026-01-20"), day("2026-01-05"), OTHER)


def test_data_5_a_closed_deal_stays_what_it_was_whatever_comes_late() -> None:
    facts = [*STORY, fact(3, won(date(2026, 1, 10), 1000), day("2026-01-10"), recorded=day("2026-02-01"))]
    assert spans(facts) == spans(reversed(facts))
    assert (spans(facts)[-1].state.stage, spans(facts)[-1].state.process_version) == ("contact", 1)


def test_data_5_a_move_that_is_told_late_comes_before_it() -> None:
    facts = [*STORY, fact(3, moved("needs"), day("2026-01-10"), recorded=day("2026-02-01"))]
    assert [(span.state.stage, span.state.process_version) for span in spans(facts)] == [
        ("contact", 1),
        ("needs", 1),
        ("offer", 2),
    ]


def test_fc_7_work_that_had_fallen_due_stays_counted_and_what_was_dropped_never_falls_due() -> None:
    company = Company()

    def due(key: str, on: date, kind: str = "task") -> DueNode:
        return DueNode(key=key, kind=kind, required=True, due=on)

    begun = replace(
        opened(),
        nodes=(
            due("late", date(2026, 1, 10)),
            due("gone", date(2026, 2, 10)),
            due("kept", date(2026, 2, 10)),
        ),
    )
    migrated = replace(
        MIGRATED,
        carried=(CarriedNode(key="kept", kind="task", stage="offer", required=False),),
        dropped=(DroppedNode(key="late", kind="task"), DroppedNode(key="gone", kind="task")),
        nodes=(due("new", date(2026, 1, 30)),),
    )
    work = follow_work(None, begun, day("2026-01-05"), company)
    work = follow_work(work, migrated, day("2026-01-20"), company)
    assert isinstance(work, Work)
    assert [(node.key, node.place.version, node.place.stage, node.required) for node in work.nodes] == [
        ("late", 1, "contact", True),
        ("kept", 2, "offer", False),
        ("new", 2, "offer", True),
    ]
    left = follow_work(work, moved("quotation"), day("2026-01-25"), company)
    assert isinstance(left, Work)
    assert [node.due for node in left.nodes[1:]] == [day("2026-01-25")] * 2, "due when its stage is left"
