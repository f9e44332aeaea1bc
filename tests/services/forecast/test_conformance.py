"""How deals follow their processes: gates, waivers, skips, returns, flexible nodes, exits (DEAL-2, DEAL-4, DEAL-5)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.forecast.conformance.conduct import WAIVER_EXPIRED, Conduct, follow, marks
from services.forecast.conformance.figures import summed
from services.forecast.counting.marks import Kind
from shared.domain.context import Company
from shared.domain.history import timed
from shared.events.deals.deal import DealAbandoned, DealNodeCompleted, UnmetCriterion, WaivedCriterion
from shared.events.deals.deal_gates import (
    DealCriterionWaived,
    DealFlexibleNodeAdded,
    DealFlexibleNodeRemoved,
    DealGateRefused,
    DealWaiverRevoked,
)
from shared.events.deals.deal_migration import DealMigrated
from shared.events.deals.deal_qualification import (
    DealAnswerWithdrawn,
    DealCustomerEventStated,
    DealExitAccepted,
    DealExitDeclined,
    DealExitProposed,
    Fading,
)
from tests.services.forecast.facts import DEAL, SHORT, TENDER, day, eur, fact, lost, moved, opened, reopened, won

ORDER = ("contact", "needs", "quotation", "drafting")
ORDERS = {(process, version): ORDER for process in (SHORT, TENDER) for version in (1, 2)}
BUDGET = WaivedCriterion(gate="exit of contact", criterion="budget-known")
UNMET = UnmetCriterion(gate="exit of contact", criterion="budget-known")
ON = date(2026, 1, 5)
EVENT = UUID(int=77)
LATER = day("2026-02-01")
"""After all that the deal has seen."""


def refused(key: str, kind: str = "stage", deal: UUID = DEAL) -> DealGateRefused:
    """A gate did not let the deal pass. Where it stood, and which attempt it was, is wrong: no fold reads it."""
    return DealGateRefused(deal_id=deal, stage="elsewhere", kind=kind, key=key, attempt=9, unmet=())


def completed(key: str, kind: str = "task", deal: UUID = DEAL, **more: Any) -> DealNodeCompleted:
    """Work is done."""
    return DealNodeCompleted(
        deal_id=deal, stage="elsewhere", key=key, kind=kind, required=True, refused_before=9, **more
    )


def waived(of: WaivedCriterion = BUDGET, deal: UUID = DEAL, until: date = date(2026, 3, 31)) -> DealCriterionWaived:
    """A manager lets the deal pass a criterion, to a day."""
    return DealCriterionWaived(deal_id=deal, gate=of.gate, criterion=of.criterion, until=until, role="manager")


def revoked(of: WaivedCriterion = BUDGET, deal: UUID = DEAL) -> DealWaiverRevoked:
    """The criterion has to be met again."""
    return DealWaiverRevoked(deal_id=deal, gate=of.gate, criterion=of.criterion)


def added(key: str = "approval", deal: UUID = DEAL) -> DealFlexibleNodeAdded:
    """A flexible node is triggered."""
    return DealFlexibleNodeAdded(deal_id=deal, key=key, name=key, stage="elsewhere", role="manager")


def removed(key: str = "approval", deal: UUID = DEAL) -> DealFlexibleNodeRemoved:
    """A flexible node is taken back."""
    return DealFlexibleNodeRemoved(deal_id=deal, key=key)


def proposed(answer: UUID | None = None, deal: UUID = DEAL) -> DealExitProposed:
    """It is proposed to give the deal up."""
    return DealExitProposed(
        deal_id=deal,
        cause="not-worth-it",
        on=ON,
        answer_id=answer,
        expected_value=eur(1),
        amount=eur(1),
        probability=Decimal("0.1"),
    )


def accepted(deal: UUID = DEAL) -> DealExitAccepted:
    """The proposal is followed."""
    return DealExitAccepted(deal_id=deal, cause="not-worth-it", proposed_on=ON, on=ON)


def declined(deal: UUID = DEAL) -> DealExitDeclined:
    """The proposal is not followed."""
    return DealExitDeclined(deal_id=deal, cause="not-worth-it", proposed_on=ON, on=ON)


def stated(kind: str, answer: UUID = EVENT, deal: UUID = DEAL) -> DealCustomerEventStated:
    """Something at the customer's."""
    fades = Fading(half_life_days=60, renew_on=ON, policy_version=0)
    return DealCustomerEventStated(deal_id=deal, answer_id=answer, found_on=ON, kind=kind, fades=fades)


def answer_withdrawn(answer: UUID = EVENT, deal: UUID = DEAL) -> DealAnswerWithdrawn:
    """An answer does not hold any more."""
    return DealAnswerWithdrawn(deal_id=deal, answer_id=answer)


def abandoned(deal: UUID = DEAL) -> DealAbandoned:
    """We stopped."""
    return DealAbandoned(deal_id=deal, on=ON, amount=eur(1), stage="drafting", reason="no-need")


def migrated(stage: str, version: int = 2, process: UUID = SHORT, deal: UUID = DEAL, **more: Any) -> DealMigrated:
    """The deal follows another version from now on."""
    return DealMigrated(
        deal_id=deal,
        process_id=process,
        process_name="short",
        process_version=version,
        process_id_before=TENDER,
        process_version_before=9,
        stage=stage,
        stage_before="elsewhere",
        probability=Decimal("0.1"),
        probability_before=Decimal("0.1"),
        category="pipeline",
        category_of_stage="pipeline",
        amount=eur(1),
        **more,
    )


def conduct(events: Sequence[Any], imported: Sequence[Any] = ()) -> Conduct:
    """The conduct of a deal to which these events happened, one a day, those of history among them."""
    begun = day("2026-01-05")
    facts = [fact(number, event, begun + timedelta(days=number)) for number, event in enumerate((opened(), *events))]
    facts = [replace(each, imported=any(each.data is told for told in imported)) for each in facts]
    state: Conduct | None = None
    for moment, each in timed(facts):
        state = follow(state, each, moment, Company())
    assert state is not None
    return state


def figures(
    events: Sequence[Any], imported: Sequence[Any] = (), at: datetime = LATER
) -> tuple[dict[str, int], Counter[str], Mapping[Any, dict[str, int]]]:
    """All figures, exits by decision and outcome, and the figures of each stage, at an instant."""
    standing = [
        mark for mark in marks(conduct(events, imported)) if mark.start <= at and (mark.end is None or mark.end > at)
    ]
    kinds = Counter(
        Kind(
            process_id=mark.place.process_id,
            process_version=mark.place.version,
            stage=mark.place.stage,
            sort=mark.sort,
            detail=mark.detail,
        )
        for mark in standing
    )
    whole, stages = summed(kinds, ORDERS)
    return dict(whole.figures), whole.exits, {place: dict(sums.figures) for place, sums in stages.items()}


FIRST_TRY = {"stage-first-attempts": 1, "stage-first-passes": 1}


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param([moved("needs")], FIRST_TRY, id="passed at once"),
        pytest.param([refused("needs")], {"stage-first-attempts": 1, "stage-refusals": 1}, id="refused"),
        pytest.param(
            [refused("needs"), refused("needs"), moved("needs")],
            {"stage-first-attempts": 1, "stage-refusals": 2},
            id="passed at the third attempt",
        ),
        pytest.param(
            [refused("quotation"), moved("needs")],
            {"stage-first-attempts": 2, "stage-first-passes": 1, "stage-refusals": 1},
            id="another gate is another first attempt",
        ),
        pytest.param(
            [refused("quotation"), moved("needs"), moved("quotation")],
            {"stage-first-attempts": 3, "stage-first-passes": 2, "stage-refusals": 1},
            id="attempts begin anew in each stage",
        ),
        pytest.param([moved("contact")], {}, id="it was there"),
        pytest.param(
            [completed("talk"), refused("plan", "task"), refused("plan", "task"), completed("plan")],
            {"work-first-attempts": 2, "work-first-passes": 1, "work-refusals": 2},
            id="work",
        ),
        pytest.param(
            [refused("plan", "task"), moved("needs"), completed("plan")],
            {"work-first-attempts": 1, "work-refusals": 1} | FIRST_TRY,
            id="attempts at work outlast a stage",
        ),
        pytest.param(
            [refused("plan", "task"), completed("plan", "deliverable")],
            {"work-first-attempts": 2, "work-first-passes": 1, "work-refusals": 1},
            id="a task is no deliverable",
        ),
        pytest.param([lost(ON), refused("needs"), moved("needs")], {}, id="nothing counts after its end"),
    ],
)
def test_deal_2_first_attempts_at_gates_and_those_that_passed(events: list[Any], expected: dict[str, int]) -> None:
    assert figures(events)[0] == expected


def test_deal_2_what_history_tells_passed_no_gate() -> None:
    first, task, again = moved("needs"), completed("talk"), moved("contact")
    told, _, _ = figures([first, task, again], imported=[first, task, again])
    assert told == {"returns": 1}


def test_deal_2_a_migration_is_no_attempt_and_refusals_of_its_gates_are_over() -> None:
    told, _, stages = figures([refused("needs"), refused("plan", "task"), migrated("contact"), moved("needs")])
    assert told == {
        "stage-first-attempts": 2,
        "stage-first-passes": 1,
        "stage-refusals": 1,
        "work-first-attempts": 1,
        "work-refusals": 1,
    }
    assert stages[SHORT, 2, "contact"] == FIRST_TRY


def test_deal_3_skips_count_for_what_was_passed_over_and_returns_for_what_was_left() -> None:
    told, _, stages = figures([moved("drafting"), moved("needs"), moved("quotation")])
    assert told == {"stage-first-attempts": 2, "stage-first-passes": 2, "skips": 2, "returns": 1}
    assert stages == {
        (SHORT, 1, "contact"): FIRST_TRY,
        (SHORT, 1, "needs"): {"skips": 1} | FIRST_TRY,
        (SHORT, 1, "quotation"): {"skips": 1},
        (SHORT, 1, "drafting"): {"returns": 1},
    }


def test_deal_3_which_way_a_move_went_is_told_by_its_process_and_not_by_when_it_was_recorded() -> None:
    """A line of history says "skip" where another one that was told later lies between."""
    late = replace(moved("quotation"), direction="skip", skipped=("needs",))
    told, _, _ = figures([moved("needs"), late])
    assert told == {"stage-first-attempts": 2, "stage-first-passes": 2}


def test_deal_9_a_win_goes_past_each_stage_that_lay_ahead() -> None:
    """DEAL-3: and past the exit of where the deal stood, where something of it was neither met nor waived."""
    told, _, stages = figures([moved("needs"), replace(won(ON), unmet=(UNMET, UNMET))])
    assert told == {"stages-passed-by-winning": 2, "won-with-exit-unmet": 1} | FIRST_TRY
    assert stages == {
        (SHORT, 1, "contact"): FIRST_TRY,
        (SHORT, 1, "needs"): {"won-with-exit-unmet": 1},
        (SHORT, 1, "quotation"): {"stages-passed-by-winning": 1},
        (SHORT, 1, "drafting"): {"stages-passed-by-winning": 1},
    }
    assert figures([won(ON)])[0] == {"stages-passed-by-winning": 3}
    assert figures([moved("drafting"), won(ON)])[0] == {"skips": 2} | FIRST_TRY, "nothing lay ahead"


def test_deal_9_a_win_counts_once_and_again_after_the_deal_was_reopened() -> None:
    first, again = won(ON), won(date(2026, 1, 7))
    assert figures([first, again])[0] == {"stages-passed-by-winning": 3}
    assert figures([first, reopened(), again])[0] == {"stages-passed-by-winning": 6}
    assert figures([lost(ON), again])[0] == {"stages-passed-by-winning": 3}, "of several ends the last one counts"


def test_deal_9_a_win_of_which_history_tells_went_past_no_gate() -> None:
    first = replace(won(ON), unmet=(UNMET,))
    assert figures([first], imported=[first])[0] == {}
    assert figures([first, won(ON)], imported=[first])[0] == {}, "it was won already"


def test_deal_9_of_a_process_that_nobody_knows_yet_nobody_knows_what_lay_ahead() -> None:
    told, _, _ = figures([migrated("contact", version=9), replace(won(ON), unmet=(UNMET,))])
    assert told == {"won-with-exit-unmet": 1}


def test_deal_3_a_move_in_a_process_that_nobody_knows_yet_is_no_attempt() -> None:
    assert figures([migrated("contact", version=9), moved("needs")])[0] == {}


def test_deal_4_triggered_nodes_waivers_and_skips_are_three_facts() -> None:
    other = WaivedCriterion(gate="exit of needs", criterion="pains-named")
    through = replace(moved("quotation"), waived=(BUDGET,))
    told, _, stages = figures(
        [waived(), waived(other), added(), added("demo"), through, removed("demo"), revoked(other)]
    )
    assert (
        told
        == {
            "waivers-given": 2,
            "waivers-used": 1,
            "waivers-revoked": 1,
            "flexible-nodes-added": 2,
            "flexible-nodes-removed": 1,
            "skips": 1,
        }
        | FIRST_TRY
    )
    # What became of a thing later counts where, and when, it began.
    assert stages[SHORT, 1, "contact"] == {key: count for key, count in told.items() if key != "skips"}


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param([waived(), waived()], {"waivers-given": 2}, id="a waiver of a further day is a further one"),
        pytest.param(
            [waived(), completed("a", waived=(BUDGET,)), completed("b", waived=(BUDGET,)), revoked()],
            {"waivers-given": 1, "waivers-used": 1, "waivers-revoked": 1},
            id="however often it is used",
        ),
        pytest.param([revoked(), completed("a", waived=(BUDGET,))], {}, id="of none given none is used"),
        pytest.param(
            [waived(), migrated("contact", waived=(BUDGET,))],
            {"waivers-given": 1, "waivers-used": 1},
            id="used by a migration",
        ),
        pytest.param(
            [waived(), migrated("contact", waivers_ended=(BUDGET,)), revoked()],
            {"waivers-given": 1},
            id="ended by a migration",
        ),
        pytest.param(
            [added(), migrated("contact", flexible_nodes_ended=("approval",)), removed()],
            {"flexible-nodes-added": 1},
            id="a node that is ended by a migration is not taken back",
        ),
        pytest.param(
            [added(), removed(), added()], {"flexible-nodes-added": 2, "flexible-nodes-removed": 1}, id="added again"
        ),
    ],
)
def test_deal_4_what_became_of_waivers_and_nodes(events: list[Any], expected: dict[str, int]) -> None:
    told = figures(events)[0]
    assert {key: count for key, count in told.items() if not key.startswith("work")} == expected


SOON, EARLY = date(2026, 1, 9), date(2026, 1, 7)
"""Days of a deal that begins on the fifth, and sees an event a day from the sixth on."""


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param([waived()], 0, id="it holds"),
        pytest.param([waived(until=SOON)], 1, id="nothing came of it"),
        pytest.param([waived(until=SOON), moved("needs"), moved("quotation")], 1, id="the deal went on without it"),
        pytest.param([waived(until=SOON), replace(moved("needs"), waived=(BUDGET,))], 0, id="it was used"),
        pytest.param([waived(until=SOON), revoked()], 0, id="it was revoked"),
        pytest.param([waived(until=EARLY), moved("needs"), revoked()], 1, id="revoked when it had run out"),
        pytest.param([waived(until=EARLY), moved("needs"), waived(until=SOON)], 2, id="given anew when it had run out"),
        pytest.param([waived(until=SOON), waived()], 0, id="another one of its criterion takes its place"),
        pytest.param([waived(until=SOON), waived(until=EARLY)], 1, id="also one that runs out before"),
        pytest.param([waived(until=SOON), lost(ON)], 0, id="the deal ended before"),
        pytest.param([waived(until=EARLY), moved("needs"), lost(ON)], 1, id="the deal ended after"),
        pytest.param([waived(until=SOON), lost(ON), reopened()], 1, id="open again in time"),
        pytest.param([waived(until=EARLY), lost(ON), reopened()], 0, id="open again when it was over"),
        pytest.param([waived(until=SOON), migrated("contact", waivers_ended=(BUDGET,))], 0, id="migrated away"),
        pytest.param([waived(until=SOON), migrated("contact")], 1, id="migrated along"),
    ],
)
def test_deal_4_a_waiver_that_nobody_used_runs_out(events: list[Any], expected: int) -> None:
    assert figures(events)[0].get("waivers-expired", 0) == expected


def test_deal_4_a_waiver_runs_out_as_its_last_day_ends_where_and_when_it_was_given() -> None:
    events = [waived(until=SOON), moved("needs")]
    ends = Company().end_of(SOON)
    seen = [figures(events, at=at)[0].get("waivers-expired", 0) for at in (ends - timedelta(seconds=1), ends)]
    assert seen == [0, 1]
    assert figures(events)[2][SHORT, 1, "contact"] == FIRST_TRY | {"waivers-given": 1, "waivers-expired": 1}
    (ran_out,) = [mark for mark in marks(conduct(events)) if mark.sort == WAIVER_EXPIRED]
    assert ran_out.of == day("2026-01-06"), "a waiver of one period that runs out in another counts in the first"


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param([proposed()], "undecided open", id="it stands"),
        pytest.param([proposed(), accepted(), abandoned()], "accepted abandoned", id="followed"),
        pytest.param([proposed(), declined()], "declined open", id="not followed"),
        pytest.param([proposed(), declined(), won(ON)], "declined won", id="rightly so"),
        pytest.param([proposed(), lost(ON)], "undecided lost", id="overtaken"),
        pytest.param([proposed(), declined(), lost(ON), reopened()], "declined open", id="reopened"),
        pytest.param([proposed(), accepted(), abandoned(), reopened(), won(ON)], "accepted won", id="after all"),
        pytest.param([proposed(EVENT), answer_withdrawn()], "moot open", id="what it rested on is withdrawn"),
        pytest.param([proposed(EVENT), stated("blocking")], "moot open", id="or can be overcome"),
        pytest.param([proposed(EVENT), stated("insurmountable")], "undecided open", id="or is stated again"),
        pytest.param([proposed(EVENT), declined(), answer_withdrawn()], "declined open", id="decided it stays"),
        pytest.param([proposed(), answer_withdrawn()], "undecided open", id="rests on none"),
        pytest.param([proposed(), won(ON), lost(ON)], "undecided lost", id="of two ends the last"),
    ],
)
def test_deal_5_what_became_of_a_proposal_to_give_up(events: list[Any], expected: str) -> None:
    told, exits, _ = figures(events)
    assert told["exits-proposed"] == 1
    assert exits == {expected: 1}


def test_deal_5_a_proposal_of_then_says_what_was_so_at_each_time() -> None:
    events = [proposed(), declined(), lost(ON), reopened(), won(ON)]
    begun = day("2026-01-05")
    seen = [figures(events, at=begun + timedelta(days=days))[1] for days in range(7)]
    cells = ["undecided open", "declined open", "declined lost", "declined open", "declined won", "declined won"]
    assert seen == [{}, *({cell: 1} for cell in cells)]
