"""CON-2: for whom an approval waits, since when, and whom it was decided by, from the events of any service."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from deploy.services import definition_of
from services.forecast.decisions.routes import APPROVALS_AT, SUBJECTS_AT
from services.forecast.decisions.standing import Standing, standing
from shared.domain.approval.family import Approve, Delegate, Escalate, ReturnForRework, TakeBackDelegation
from shared.domain.roles import Role
from shared.events.approvals import APPROVING, Slot
from tests.services.forecast.approvals import CLOCK, Told, person, step

MONDAY = datetime(2026, 3, 16, 10, tzinfo=UTC)
LEGAL, DIRECTOR, EXECUTIVE = (Slot(role=role) for role in (Role.LEGAL, Role.SALES_DIRECTOR, Role.EXECUTIVE))
MIA, TOM = UUID(int=8201), UUID(int=8202)
NORTH, SOUTH = UUID(int=8204), UUID(int=8205)
RITA = person("rita", Role.REP, UUID(int=8200))
LENA, DORA, EVA = (
    person("lena", Role.LEGAL),
    person("dora", Role.SALES_DIRECTOR, UUID(int=8203)),
    person("eva", Role.EXECUTIVE),
)
HOUR = timedelta(hours=1)


def told(*steps: object, **rules: object) -> Told:
    return Told(at=MONDAY, submitter=RITA, steps=steps, **rules)  # type: ignore[arg-type]


def now(approval: Told) -> Standing:
    return standing(approval.service, approval.events)


@pytest.mark.parametrize("service", ["contracts", "deals"])
def test_con_2_it_waits_for_those_of_its_step_who_did_not_decide_yet(service: str) -> None:
    both = told(step("both", LEGAL, Slot(member=MIA)), step("top", EXECUTIVE), step("end", DIRECTOR), service=service)
    first = now(both)
    assert (first.state, first.step, first.asked) == ("waiting", both.steps[0], (LEGAL, Slot(member=MIA)))
    assert now(both.does(LENA, Approve())).asked == (Slot(member=MIA),)
    assert now(both).since == MONDAY, "the step is the same"
    later = now(both.does(person("mia", Role.REP, MIA), Approve(), 2 * HOUR))
    assert (later.step, later.asked, later.since) == (both.steps[1], (EXECUTIVE,), MONDAY + 2 * HOUR)
    assert now(both.does(EVA, Approve(), 3 * HOUR)).since == MONDAY + 3 * HOUR
    ended = now(both.does(DORA, Approve(), 4 * HOUR))
    assert (ended.state, ended.step, ended.asked, ended.since) == ("granted", None, (), MONDAY + 4 * HOUR)
    assert ended.decided == (("lena", None), ("mia", MIA), ("eva", None), ("dora", DORA.member))


def test_con_2_of_those_of_whom_one_is_enough_none_is_asked_any_more() -> None:
    either = told(step("either", LEGAL, DIRECTOR, mode="any"), step("top", EXECUTIVE)).does(LENA, Approve())
    assert now(either).asked == (EXECUTIVE,)


def test_con_2_whoever_is_not_asked_again_is_passed_over_in_later_steps() -> None:
    """`further` of the event: legal decided the second step with the first."""
    steps = (step("one", LEGAL), step("two", LEGAL), step("three", LEGAL, DIRECTOR))
    assert now(told(*steps, repeated="skip").does(LENA, Approve())).asked == (DIRECTOR,)
    assert now(told(*steps, repeated="skip-next").does(LENA, Approve())).asked == (LEGAL, DIRECTOR)
    assert now(told(*steps).does(LENA, Approve())).step == steps[1]


def test_con_2_it_waits_for_whom_it_was_delegated_to_and_no_longer_for_who_delegated() -> None:
    one = told(step("one", LEGAL, DIRECTOR)).does(LENA, Delegate(to=TOM))
    assert now(one).asked == (Slot(member=TOM), DIRECTOR)
    assert now(one).decided == (), "nothing is decided by that"
    on = one.does(person("tom", Role.REP, TOM), Delegate(to=MIA))
    assert now(on).asked == (Slot(member=MIA), DIRECTOR)
    back = on.does(LENA, TakeBackDelegation())
    assert (now(back).asked, now(back).decided) == ((LEGAL, DIRECTOR), ())


def test_con_2_once_overdue_it_waits_for_whom_it_escalates_to_as_well_until_the_step_is_another() -> None:
    due = told(step("one", LEGAL, days=2, to=EXECUTIVE), step("two", DIRECTOR))
    assert (now(due).due, now(due).escalated) == (datetime(2026, 3, 18, 17, tzinfo=UTC), False)
    over = now(due.does(CLOCK, Escalate(step=0), timedelta(days=3)))
    assert (over.asked, over.escalated, over.since) == ((LEGAL, EXECUTIVE), True, MONDAY)
    after = now(due.does(EVA, Approve(), timedelta(days=4)))
    assert (after.asked, after.escalated, after.due) == ((DIRECTOR,), False, None)


def test_con_2_what_was_returned_or_taken_back_waits_for_nobody() -> None:
    one = told(step("one", LEGAL, DIRECTOR)).does(LENA, ReturnForRework(reason="Retention"))
    assert (now(one).state, now(one).asked, now(one).decided) == ("returned", (), (("lena", None),))
    back = now(told(step("one", LEGAL)).is_taken_back(5 * HOUR))
    assert (back.state, back.asked, back.since) == ("recalled", (), MONDAY + 5 * HOUR)
    assert back.decided == (("rita", RITA.member),)


def test_acct_4_what_is_handed_over_waits_for_the_same_since_the_same_time_and_is_another_ones() -> None:
    before = told(
        step("one", LEGAL, days=2), step("two", EXECUTIVE), service="deals", owner=TOM, team=NORTH, amount=None
    )
    then = now(before)
    after = now(before.is_handed_over(DORA, MIA, SOUTH, 2 * HOUR))
    assert after == replace(then, approval=replace(then.approval, owner=MIA, team=SOUTH))
    assert after.decided == (), "whoever hands over decides nothing"
    nobodys = now(before.is_handed_over(DORA, None, None, 3 * HOUR))
    assert (nobodys.approval.owner, nobodys.approval.team) == (None, None)
    assert now(before.does(LENA, Approve(), 4 * HOUR)).since == MONDAY + 4 * HOUR


def test_data_4_what_is_renamed_stands_as_before_while_it_waits_and_once_it_has_ended() -> None:
    renamed = told(step("one", LEGAL), service="deals")
    then = now(renamed)
    after = now(renamed.is_renamed("Line for …", 2 * HOUR))
    assert after == replace(then, approval=replace(then.approval, name="Line for …"))
    ended = now(renamed.does(LENA, Approve(), 3 * HOUR))
    assert (ended.state, ended.since, ended.approval.name) == ("granted", MONDAY + 3 * HOUR, "Line for …")
    again = now(renamed.is_renamed("Line", 5 * HOUR))
    assert again == replace(ended, approval=replace(ended.approval, name="Line")), "it ended when it ended"


def test_con_2_what_nobody_has_to_approve_waits_for_nobody_even_half_told() -> None:
    """Two events of one append may come in two pages."""
    at_once = told()
    assert [type(each).__name__ for each in at_once.events] == [
        "ContractsApprovalRequested",
        "ContractsApprovalGranted",
    ]
    assert standing("contracts", at_once.events[:1]).asked == ()
    assert now(at_once).state == "granted"
    last = told(step("either", LEGAL, DIRECTOR, mode="any")).does(LENA, Approve())
    assert standing("contracts", last.events[:2]).asked == ()
    assert standing("contracts", last.events[:2]).step is None


def test_everything_that_is_approved_has_an_address() -> None:
    """What the services say of themselves: a law for each that has something approved from now on."""
    owners = [definition_of(service).approvals for service in APPROVING]
    assert {
        service: owner.family.plural for service, owner in zip(APPROVING, owners, strict=True) if owner
    } == APPROVALS_AT
    subjects = [each.aggregate for owner in owners if owner for each in owner.subjects.values()]
    assert {subject.name: subject.plural for subject in subjects} == SUBJECTS_AT
