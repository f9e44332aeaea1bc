"""CON-2: chains as data, who is asked, and what becomes of what waits. 1,000 random chains end."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

import pytest

from shared.commands.access import obstacle
from shared.domain.aggregate import Aggregate, occurrences
from shared.domain.approval.chain import Approvers, chain_faults, members_of, planned
from shared.domain.approval.family import (
    Approve,
    Delegate,
    Escalate,
    ReturnForRework,
    TakeBackDelegation,
    approvals,
)
from shared.domain.approval.requesting import Approvable, Subject, Submission, due_of, recalled, requested
from shared.domain.approval.state import (
    GrantedApproval,
    NoApproval,
    RecalledApproval,
    ReturnedApproval,
    WaitingApproval,
)
from shared.domain.context import Actor
from shared.domain.policy import Counts, InForce
from shared.domain.rejection import Rejected
from shared.domain.roles import EVERYBODY, Role
from shared.domain.working_days import WEEKENDS_ONLY
from shared.domain.working_time.hours import usual_hours
from shared.events.approval_chain import ApprovalChain, ApprovalStep, Approver
from shared.events.approvals import Slot
from shared.events.criteria import Predicate
from shared.events.working_hours import Shift, WorkingHours
from shared.testing.scenario import CONTEXT

THING = Aggregate("thing", plural="things", start=NoApproval, readers=EVERYBODY)
APPROVALS = approvals(
    "thing",
    "contracts",
    Approvable(aggregate=THING, granted=lambda *_: ["granted"], returned=lambda *_: ["returned"]),
    readers=EVERYBODY,
)
FAMILY = APPROVALS.family
HOURS = InForce(default=usual_hours(WEEKENDS_ONLY), on=CONTEXT.today)
"""Monday to Friday, 09:00 to 17:00; it is 10:00 on a Monday."""


def person(number: int, *roles: Role) -> Actor:
    return Actor(subject=f"person-{number}", roles=frozenset(roles), member=UUID(int=number))


ROSA = person(1, Role.REP)
LEGAL, DIRECTOR, EXECUTIVE = person(2, Role.LEGAL), person(3, Role.SALES_DIRECTOR), person(4, Role.EXECUTIVE)
BOTH = person(5, Role.LEGAL, Role.SALES_DIRECTOR)
MANAGER, MANAGERS_MANAGER, DEPUTY = person(6, Role.MANAGER), person(7, Role.MANAGER), person(8, Role.REP)
SUPERIORS = tuple(each.member for each in (MANAGER, MANAGERS_MANAGER) if each.member)
EVERY_MEMBER = frozenset(UUID(int=number) for number in range(1, 9))
APPROVERS = Approvers(active=EVERY_MEMBER, superiors=SUPERIORS)
GONE = UUID(int=99)
CLOCK = Actor(subject="service:timer", roles=frozenset({Role.SERVICE}))

BY_LEGAL, BY_DIRECTOR, BY_EXECUTIVE = (
    Approver(role=role) for role in (Role.LEGAL, Role.SALES_DIRECTOR, Role.EXECUTIVE)
)


def step(*approvers: Approver, key: str = "one", **more: Any) -> ApprovalStep:
    return ApprovalStep(key=key, name=key.title(), approvers=approvers, **more)


def chain(*steps: ApprovalStep, **rules: Any) -> ApprovalChain:
    return ApprovalChain(steps=steps, **rules)


def begun(rules: ApprovalChain, *, by: Actor = ROSA, approvers: Approvers = APPROVERS, **facts: Any) -> Any:
    """An approval after its submission."""
    context = replace(CONTEXT, actor=by)
    made = requested(
        APPROVALS,
        context,
        Submission(kind="thing", id=UUID(int=50), name="Thing", amount=None),
        chain=Counts(document=rules, version=0),
        steps=planned(rules, facts, by, approvers),
        hours=HOURS,
    )
    return FAMILY.fold(each.event for each in made.events)


def then(state: Any, actor: Actor, command: Any) -> Any:
    """The approval after a command of somebody. Raises Rejected."""
    return decided(state, actor, command)[0]


def decided(state: Any, actor: Actor, command: Any) -> tuple[Any, list[Any]]:
    """The same, and what its subject is told."""
    context = replace(CONTEXT, actor=actor, aggregate_id=state.id)
    told = []
    for each in occurrences(FAMILY.decide(state, command, context, {"subject": Subject(state=None), "hours": HOURS})):
        if each.to == UUID(int=50):
            told.append(each.event)
        else:
            state = FAMILY.evolve(state, each.event)
    return state, told


def refused(state: Any, actor: Actor, command: Any) -> str:
    with pytest.raises(Rejected) as refusal:
        then(state, actor, command)
    return refusal.value.code


def asked(state: WaitingApproval) -> list[Any]:
    return [slot.role or slot.member for slot in state.waits_for]


# -- who is asked -----------------------------------------------------------------------------------------------------


def test_a_role_a_member_and_a_superior_are_asked() -> None:
    state = begun(chain(step(BY_LEGAL, Approver(member=DEPUTY.member), Approver(superior=2))))
    assert asked(state) == [Role.LEGAL, DEPUTY.member, MANAGERS_MANAGER.member]


def test_a_step_is_taken_where_the_facts_meet_its_condition() -> None:
    large = Predicate(fact="amount", operator="above", value="1000")
    rules = chain(step(BY_LEGAL), step(BY_EXECUTIVE, key="two", when=large))
    assert [each.key for each in begun(rules, amount="1000").steps] == ["one"]
    assert [each.key for each in begun(rules, amount="1000.01").steps] == ["one", "two"]
    assert [each.key for each in begun(rules).steps] == ["one"], "an unknown fact meets nothing"


@pytest.mark.parametrize("missing", [Approver(member=GONE), Approver(superior=3)])
def test_an_approver_who_is_not_there_is_an_explicit_rule(missing: Approver) -> None:
    with pytest.raises(Rejected) as refusal:
        begun(chain(step(BY_LEGAL, missing)))
    assert (refusal.value.code, len(refusal.value.reasons)) == ("nobody-to-approve", 1)
    assert asked(begun(chain(step(BY_LEGAL, missing), empty_approver="skip"))) == [Role.LEGAL]
    instead = begun(chain(step(BY_LEGAL, missing), empty_approver="fallback", fallback=BY_EXECUTIVE))
    assert asked(instead) == [Role.LEGAL, Role.EXECUTIVE]
    assert instead.steps[0].slots[1] == Slot(role=Role.EXECUTIVE, instead="fallback")


def test_a_fallback_who_is_not_there_either_is_refused() -> None:
    with pytest.raises(Rejected, match="Nobody could approve"):
        begun(chain(step(Approver(member=GONE)), empty_approver="fallback", fallback=Approver(superior=9)))


def test_every_approver_who_is_not_there_is_told_at_once() -> None:
    with pytest.raises(Rejected) as refusal:
        begun(chain(step(Approver(member=GONE), Approver(superior=4)), step(Approver(superior=5), key="two")))
    assert [reason.details["step"] for reason in refusal.value.reasons] == ["one", "one", "two"]


def test_steps_in_which_nobody_is_left_are_passed_over() -> None:
    state = begun(chain(step(Approver(member=GONE)), step(BY_LEGAL, key="two"), empty_approver="skip"))
    assert (state.current, asked(state)) == (1, [Role.LEGAL])
    with pytest.raises(Rejected, match="Nobody could approve"):
        begun(chain(step(Approver(member=GONE)), empty_approver="skip"))


def test_who_submits_decides_by_rule_only() -> None:
    """CON-2: others decide, they are passed over, or may themselves."""
    own = replace(ROSA, roles=frozenset({Role.LEGAL}))
    both = (BY_LEGAL, BY_DIRECTOR)
    others = begun(chain(step(*both)), by=own)
    assert asked(others) == [Role.LEGAL, Role.SALES_DIRECTOR]
    assert refused(others, own, Approve()) == "own-submission"
    skip = begun(chain(step(*both), self_approval="skip"), by=own)
    assert asked(skip) == [Role.SALES_DIRECTOR]
    assert skip.steps[0].slots[0].passed == "self"
    allow = begun(chain(step(*both), self_approval="allow"), by=own)
    assert asked(then(allow, own, Approve())) == [Role.SALES_DIRECTOR]


def test_a_step_that_asks_the_submitter_alone_has_nobody() -> None:
    alone = step(Approver(member=ROSA.member))
    with pytest.raises(Rejected, match="Nobody could approve"):
        begun(chain(alone))
    assert asked(begun(chain(alone, empty_approver="fallback", fallback=BY_LEGAL))) == [Role.LEGAL]
    assert asked(begun(chain(alone, self_approval="allow"))) == [ROSA.member]
    with pytest.raises(Rejected, match="Nobody could approve"):
        begun(chain(alone, self_approval="skip"))
    assert asked(begun(chain(alone, step(BY_LEGAL, key="two"), self_approval="skip"))) == [Role.LEGAL]


def test_nobody_approves_their_own_as_an_approver_who_is_not_there() -> None:
    """CON-2."""
    with pytest.raises(Rejected, match="Nobody could approve"):
        begun(chain(step(Approver(member=ROSA.member)), empty_approver="skip"))
    with pytest.raises(Rejected, match="Nobody could approve"):
        begun(chain(step(Approver(superior=3)), empty_approver="skip"))


def test_nobody_approves_their_own_where_the_others_are_not_there_either() -> None:
    """CON-2."""
    both = step(Approver(member=ROSA.member), Approver(member=GONE))
    with pytest.raises(Rejected, match="Nobody could approve"):
        begun(chain(both, self_approval="skip", empty_approver="skip"))


# -- decisions --------------------------------------------------------------------------------------------------------


def test_all_of_a_step_approve_in_any_order_and_then_the_next() -> None:
    rules = chain(step(BY_LEGAL, BY_DIRECTOR), step(BY_EXECUTIVE, key="two"))
    state = then(begun(rules), DIRECTOR, Approve())
    assert asked(state) == [Role.LEGAL]
    assert refused(state, EXECUTIVE, Approve()) == "not-an-approver"
    state = then(state, LEGAL, Approve(reason="Fine"))
    assert (state.current, asked(state)) == (1, [Role.EXECUTIVE])
    ended, told = decided(state, EXECUTIVE, Approve())
    assert isinstance(ended, GrantedApproval)
    assert told == ["granted"]
    assert [(each.what, each.step, each.by, each.reason) for each in ended.decisions] == [
        ("approved", "one", DIRECTOR.subject, None),
        ("approved", "one", LEGAL.subject, "Fine"),
        ("approved", "two", EXECUTIVE.subject, None),
    ]
    assert all(each.at == CONTEXT.now for each in ended.decisions)


def test_one_of_any_is_enough() -> None:
    assert isinstance(then(begun(chain(step(BY_LEGAL, BY_DIRECTOR, mode="any"))), LEGAL, Approve()), GrantedApproval)


def test_somebody_of_both_roles_decides_for_one_of_them_and_a_second_person_for_the_other() -> None:
    """CON-2: four eyes are two people."""
    state = then(begun(chain(step(BY_LEGAL, BY_DIRECTOR))), BOTH, Approve())
    assert asked(state) == [Role.SALES_DIRECTOR]
    for command in DECISIONS:
        code, message = answered(state, BOTH, command) or ("", "")
        assert code == "already-decided"
        assert (
            message == "You decided the step 'One', and nobody decides it twice: it waits for the role sales-director."
        )
    other_token = replace(BOTH, subject="another-token")  # the same member
    assert refused(state, other_token, Approve()) == "already-decided"
    assert isinstance(then(state, DIRECTOR, Approve()), GrantedApproval)


@pytest.mark.parametrize("rule", ["skip-next", "skip"])
def test_where_a_repeated_approver_is_passed_over_one_decision_counts_for_both_roles(rule: str) -> None:
    both = chain(step(BY_LEGAL, BY_DIRECTOR), repeated_approver=rule)
    assert isinstance(then(begun(both), BOTH, Approve()), GrantedApproval)


def test_somebody_of_both_roles_decides_each_step_with_one_of_them() -> None:
    state = begun(chain(step(BY_LEGAL, BY_DIRECTOR), step(BY_LEGAL, BY_DIRECTOR, key="two")))
    state = then(then(state, BOTH, Approve()), DIRECTOR, Approve())
    assert asked(then(state, BOTH, Approve())) == [Role.SALES_DIRECTOR]


def test_whoever_is_asked_by_name_decides_that_and_leaves_their_role_to_others() -> None:
    state = then(begun(chain(step(BY_LEGAL, Approver(member=LEGAL.member)))), LEGAL, Approve())
    assert asked(state) == [Role.LEGAL]
    assert isinstance(then(state, person(9, Role.LEGAL), Approve()), GrantedApproval)


def test_whoever_is_asked_twice_by_name_decides_once() -> None:
    """Nobody else could."""
    twice = chain(step(Approver(member=MANAGER.member), Approver(superior=1)))
    assert isinstance(then(begun(twice), MANAGER, Approve()), GrantedApproval)


def test_somebody_of_both_roles_delegates_one_of_them_and_decides_the_other() -> None:
    assert DEPUTY.member is not None
    state = then(begun(chain(step(BY_LEGAL, BY_DIRECTOR))), BOTH, Delegate(to=DEPUTY.member))
    assert asked(state) == [DEPUTY.member, Role.SALES_DIRECTOR]
    state = then(state, BOTH, Approve())
    assert asked(state) == [DEPUTY.member]
    assert isinstance(then(state, DEPUTY, Approve()), GrantedApproval)


def test_whom_it_escalates_to_decides_for_all_who_are_late_unless_they_have_decided() -> None:
    """CON-2: an executive who is asked beside legal and direction, and once they are late."""
    rules = chain(step(BY_EXECUTIVE, BY_LEGAL, BY_DIRECTOR, within_days=2, escalates_to=BY_EXECUTIVE))
    assert isinstance(then(then(begun(rules), CLOCK, Escalate(step=0)), EXECUTIVE, Approve()), GrantedApproval)
    state = then(then(begun(rules), EXECUTIVE, Approve()), CLOCK, Escalate(step=0))
    assert refused(state, EXECUTIVE, Approve()) == "already-decided"
    assert isinstance(then(state, person(9, Role.EXECUTIVE), Approve()), GrantedApproval)


def test_whoever_decided_is_told_that_it_waits_for_others() -> None:
    state = then(begun(chain(step(BY_LEGAL, BY_DIRECTOR))), LEGAL, Approve())
    assert refused(state, LEGAL, Approve()) == "already-decided"
    assert refused(state, DEPUTY, Approve()) == "not-an-approver"


@pytest.mark.parametrize(("rule", "left"), [("again", [1, 2]), ("skip-next", [2]), ("skip", [])])
def test_somebody_who_approved_and_comes_again_is_an_explicit_rule(rule: str, left: list[int]) -> None:
    steps = (step(BY_LEGAL), step(BY_LEGAL, key="two"), step(BY_LEGAL, key="three"))
    state = then(begun(chain(*steps, repeated_approver=rule)), LEGAL, Approve())
    if not left:
        assert isinstance(state, GrantedApproval)
        return
    assert state.current == left[0]


def test_who_is_passed_over_later_leaves_the_others_of_that_step() -> None:
    rules = chain(step(BY_LEGAL), step(BY_LEGAL, BY_DIRECTOR, key="two"), repeated_approver="skip")
    assert asked(then(begun(rules), LEGAL, Approve())) == [Role.SALES_DIRECTOR]


def test_sent_back_it_waits_for_nobody() -> None:
    state, told = decided(begun(chain(step(BY_LEGAL, BY_DIRECTOR))), LEGAL, ReturnForRework(reason="Terms"))
    assert isinstance(state, ReturnedApproval)
    assert told == ["returned"]
    assert (state.decisions[-1].what, state.decisions[-1].reason) == ("returned", "Terms")
    assert refused(state, DIRECTOR, Approve()) == "not-in-this-state"


def test_a_delegate_decides_and_nobody_else_in_their_place() -> None:
    assert DEPUTY.member is not None
    state = then(begun(chain(step(BY_LEGAL, BY_DIRECTOR))), LEGAL, Delegate(to=DEPUTY.member, reason="Leave"))
    assert asked(state) == [DEPUTY.member, Role.SALES_DIRECTOR]
    assert DEPUTY.member in state.known_to
    assert refused(state, person(9, Role.LEGAL), Approve()) == "not-an-approver"
    assert asked(then(state, DEPUTY, Approve())) == [Role.SALES_DIRECTOR]


def delegated(state: WaitingApproval, by: Actor, to: Actor) -> Any:
    """The approval after somebody delegated."""
    assert to.member is not None
    return then(state, by, Delegate(to=to.member))


def test_whoever_delegated_takes_it_back_and_all_of_their_role_decide_again() -> None:
    """CON-2."""
    began = begun(chain(step(BY_LEGAL, BY_DIRECTOR)))
    state = delegated(began, LEGAL, DEPUTY)
    assert refused(state, LEGAL, Approve()) == "delegated"
    assert [refused(state, each, TakeBackDelegation()) for each in (DEPUTY, DIRECTOR, ROSA)] == ["not-delegated"] * 3
    state = then(state, LEGAL, TakeBackDelegation())
    assert asked(state) == [Role.LEGAL, Role.SALES_DIRECTOR]
    assert refused(state, DEPUTY, Approve()) == "not-an-approver"
    assert refused(state, LEGAL, TakeBackDelegation()) == "not-delegated"
    assert [each.what for each in state.decisions] == ["delegated", "taken-back"]
    for lawyer in (LEGAL, person(9, Role.LEGAL)):
        assert asked(then(state, lawyer, Approve())) == [Role.SALES_DIRECTOR]
    assert asked(delegated(state, LEGAL, DEPUTY)) == [DEPUTY.member, Role.SALES_DIRECTOR]


def test_nothing_is_taken_back_once_the_delegate_has_decided() -> None:
    state = then(delegated(begun(chain(step(BY_LEGAL, BY_DIRECTOR))), LEGAL, DEPUTY), DEPUTY, Approve())
    assert refused(state, LEGAL, TakeBackDelegation()) == "not-delegated"
    ended_ = then(delegated(state, DIRECTOR, MANAGER), MANAGER, Approve())
    assert refused(ended_, DIRECTOR, TakeBackDelegation()) == "not-in-this-state"


def test_what_was_passed_on_comes_back_to_who_takes_it_back() -> None:
    began = begun(chain(step(Approver(member=LEGAL.member))))
    on = delegated(delegated(began, LEGAL, DEPUTY), DEPUTY, MANAGER)
    assert asked(on) == [MANAGER.member]
    other_token = replace(LEGAL, subject="another-token")  # the same member
    for taker in (LEGAL, other_token):
        assert asked(then(on, taker, TakeBackDelegation())) == [LEGAL.member]
    deputies = then(on, DEPUTY, TakeBackDelegation())
    assert asked(deputies) == [DEPUTY.member]
    assert asked(then(deputies, LEGAL, TakeBackDelegation())) == [LEGAL.member]


def test_somebody_of_both_roles_takes_back_what_waits() -> None:
    state = delegated(delegated(begun(chain(step(BY_LEGAL, BY_DIRECTOR))), BOTH, DEPUTY), BOTH, MANAGER)
    assert asked(then(state, BOTH, TakeBackDelegation())) == [Role.LEGAL, Role.SALES_DIRECTOR]
    assert asked(then(then(state, DEPUTY, Approve()), BOTH, TakeBackDelegation())) == [Role.SALES_DIRECTOR]


def test_taking_back_is_said_to_be_possible_to_who_delegated_alone() -> None:
    state = delegated(begun(chain(step(BY_LEGAL, BY_DIRECTOR))), LEGAL, DEPUTY)
    assert said(state, LEGAL, TakeBackDelegation()) is None
    assert said(state, DEPUTY, TakeBackDelegation()) == answered(state, DEPUTY, TakeBackDelegation())


def test_nobody_decides_for_two_of_a_step_by_delegation() -> None:
    """CON-2: whom a chain asks beside each other are not one."""
    state = begun(chain(step(BY_LEGAL, BY_DIRECTOR, Approver(member=MANAGER.member))))
    assert MANAGER.member is not None
    assert DEPUTY.member is not None
    assert DIRECTOR.member is not None
    assert refused(state, LEGAL, Delegate(to=MANAGER.member)) == "asked-already"
    delegated = then(state, LEGAL, Delegate(to=DEPUTY.member))
    assert refused(delegated, DIRECTOR, Delegate(to=DEPUTY.member)) == "asked-already"
    decided_ = then(state, DIRECTOR, Approve())
    assert refused(decided_, LEGAL, Delegate(to=DIRECTOR.member)) == "asked-already"


def test_nobody_delegates_to_who_submitted_or_to_themselves() -> None:
    state = begun(chain(step(BY_LEGAL)))
    assert ROSA.member is not None
    assert LEGAL.member is not None
    assert refused(state, LEGAL, Delegate(to=ROSA.member)) == "own-submission"
    assert refused(state, LEGAL, Delegate(to=LEGAL.member)) == "to-yourself"
    assert refused(state, DIRECTOR, Delegate(to=LEGAL.member)) == "not-an-approver"


def test_a_step_that_is_overdue_is_decided_by_whom_it_escalates_to_as_well() -> None:
    rules = chain(step(BY_LEGAL, BY_DIRECTOR, within_days=2, escalates_to=BY_EXECUTIVE))
    state = begun(rules)
    assert state.due == datetime(2026, 3, 18, 17, 0, tzinfo=UTC), "two working days after the Monday"
    timer = FAMILY.timers_of(state)["overdue"]
    assert (timer.due, timer.command) == (state.due, Escalate(step=0))
    assert refused(state, EXECUTIVE, Approve()) == "not-an-approver"
    overdue = then(state, replace(ROSA, roles=frozenset({Role.SERVICE})), timer.command)
    assert FAMILY.timers_of(overdue) == {}
    assert asked(overdue) == [Role.LEGAL, Role.SALES_DIRECTOR, Role.EXECUTIVE]
    assert isinstance(then(overdue, EXECUTIVE, Approve()), GrantedApproval)
    assert asked(then(overdue, LEGAL, Approve())) == [Role.SALES_DIRECTOR, Role.EXECUTIVE]


def test_whom_a_step_escalates_to_is_found_by_the_rules_of_its_approvers() -> None:
    missing = step(BY_LEGAL, within_days=2, escalates_to=Approver(member=GONE))
    with pytest.raises(Rejected, match="Nobody could approve"):
        begun(chain(missing))
    (planned_step,) = begun(chain(missing, empty_approver="skip")).steps
    assert planned_step.escalates_to is None
    (planned_step,) = begun(chain(missing, empty_approver="fallback", fallback=BY_EXECUTIVE)).steps
    assert planned_step.escalates_to == Slot(role=Role.EXECUTIVE, instead="fallback")
    own = step(BY_LEGAL, within_days=2, escalates_to=Approver(member=ROSA.member))
    with pytest.raises(Rejected, match="Nobody could approve"):
        begun(chain(own))


def test_a_decision_that_is_repeated_changes_nothing_and_another_is_refused() -> None:
    state = then(begun(chain(step(BY_LEGAL))), LEGAL, Approve(reason="Fine"))
    assert then(state, LEGAL, Approve(reason="Fine")) == state
    assert refused(state, LEGAL, Approve(reason="Other")) == "not-in-this-state"
    back = then(begun(chain(step(BY_LEGAL))), LEGAL, ReturnForRework(reason="Terms"))
    assert then(back, LEGAL, ReturnForRework(reason="Terms")) == back


def test_a_deadline_of_a_step_that_was_decided_meanwhile_changes_nothing() -> None:
    rules = chain(step(BY_LEGAL, within_days=2), step(BY_DIRECTOR, key="two", within_days=5))
    late = begun(rules)
    state = then(late, LEGAL, Approve())
    assert then(state, ROSA, Escalate(step=0)) == state
    assert state.due == late.due + timedelta(days=5), "five working days of the day on which it began: a week on Monday"


@pytest.mark.parametrize(
    ("within", "due"),
    [
        ({"within_minutes": 60}, datetime(2026, 3, 16, 11, 0, tzinfo=UTC)),
        ({"within_minutes": 8 * 60}, datetime(2026, 3, 17, 10, 0, tzinfo=UTC)),
        ({"within_days": 5}, datetime(2026, 3, 23, 17, 0, tzinfo=UTC)),
        ({}, None),
    ],
)
def test_a_step_is_due_in_working_time(within: dict[str, Any], due: datetime | None) -> None:
    assert begun(chain(step(BY_LEGAL, **within))).due == due


def test_what_would_not_be_due_within_a_century_is_never_overdue() -> None:
    minute = WorkingHours(shifts=(Shift(weekday="monday", start="10:00", end="10:01"),))
    (planned_step,) = begun(chain(step(BY_LEGAL, within_minutes=100_000))).steps
    assert due_of((planned_step,), 0, CONTEXT, minute) is None


def test_working_hours_that_are_set_count_for_what_is_due() -> None:
    monday = WorkingHours(shifts=(Shift(weekday="monday", start="10:00", end="12:00"),), timezone="Europe/Berlin")
    (planned_step,) = begun(chain(step(BY_LEGAL, within_minutes=90))).steps
    # It is 11:00 in Berlin: one hour is left today, the rest comes a week later.
    assert due_of((planned_step,), 0, CONTEXT, monday) == datetime(2026, 3, 23, 9, 30, tzinfo=UTC)


def test_what_is_taken_back_waits_for_nobody() -> None:
    state = begun(chain(step(BY_LEGAL)))
    event = recalled(APPROVALS, state, replace(CONTEXT, actor=ROSA), "Another scope").event
    assert isinstance(FAMILY.evolve(state, event), RecalledApproval)


# -- what is said to be possible --------------------------------------------------------------------------------------

DECISIONS = (Approve(), ReturnForRework(reason="Terms"), Delegate(to=UUID(int=98)))


def said(state: Any, actor: Actor, command: Any) -> tuple[str, str] | None:
    """Why a command is said not to be possible."""
    found = obstacle(actor, FAMILY, state, type(command))
    return (found.code, found.message) if found else None


def answered(state: Any, actor: Actor, command: Any) -> tuple[str, str] | None:
    """Why it is refused."""
    refusal = tried(partial(then, state, actor, command))[1]
    return (refusal.code, refusal.message) if refusal else None


@pytest.mark.parametrize("command", DECISIONS, ids=lambda command: type(command).__name__)
def test_a_decision_is_said_to_be_possible_to_who_may_take_it_and_to_others_why_not(command: Any) -> None:
    """CON-2: as the command would answer."""
    began = begun(chain(step(BY_LEGAL, BY_DIRECTOR), step(BY_EXECUTIVE, key="two")))
    halfway = then(began, LEGAL, Approve())
    ended_ = then(then(halfway, DIRECTOR, Approve()), EXECUTIVE, ReturnForRework(reason="No"))
    for state, actor, code in (
        (began, LEGAL, None),
        (began, DIRECTOR, None),
        (began, EXECUTIVE, "not-an-approver"),
        (began, ROSA, "own-submission"),
        (halfway, LEGAL, "already-decided"),
        (halfway, DIRECTOR, None),
        (ended_, EXECUTIVE, "not-in-this-state"),
    ):
        told = said(state, actor, command)
        assert told == answered(state, actor, command)
        assert (told and told[0]) == code


# -- chains that are none ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        (chain(step()), [("no-approvers", "steps.0.approvers")]),
        (chain(step(Approver())), [("not-one-approver", "steps.0.approvers.0")]),
        (chain(step(Approver(role="legal", superior=1))), [("not-one-approver", "steps.0.approvers.0")]),
        (chain(step(Approver(role="king"))), [("unknown-role", "steps.0.approvers.0.role")]),
        (chain(step(Approver(role="manager"))), [("unknown-role", "steps.0.approvers.0.role")]),
        (chain(step(Approver(role="service"))), [("unknown-role", "steps.0.approvers.0.role")]),
        (chain(step(BY_LEGAL, BY_LEGAL)), [("doubled-approver", "steps.0.approvers.1")]),
        (chain(step(BY_LEGAL), step(BY_DIRECTOR)), [("repeated-key", "steps.1.key")]),
        (chain(step(BY_LEGAL, key="a b")), [("invalid-key", "steps.0.key")]),
        (chain(replace(step(BY_LEGAL), name=" ")), [("blank", "steps.0.name")]),
        (chain(step(BY_LEGAL, escalates_to=BY_EXECUTIVE)), [("never-overdue", "steps.0.within_days")]),
        (
            chain(step(BY_LEGAL, within_days=1, within_minutes=1)),
            [("days-and-minutes", "steps.0.within_minutes")],
        ),
        (chain(step(BY_LEGAL), empty_approver="fallback"), [("fallback-and-rule", "fallback")]),
        (chain(step(BY_LEGAL), fallback=BY_LEGAL), [("fallback-and-rule", "fallback")]),
        (
            chain(step(BY_LEGAL), empty_approver="fallback", fallback=Approver()),
            [("not-one-approver", "fallback")],
        ),
        (
            chain(step(BY_LEGAL, when=Predicate(fact="colour", operator="is", value="red"))),
            [("unknown-fact", "steps.0.when.fact")],
        ),
        (chain(step(BY_LEGAL, when=Predicate())), [("not-one-shape", "steps.0.when")]),
    ],
)
def test_a_chain_that_is_none_is_told_with_the_place(wrong: ApprovalChain, found: list[tuple[str, str]]) -> None:
    faults = list(chain_faults(wrong, {"amount": "number"}))
    assert [(fault.code, fault.field) for fault in faults] == found
    assert all(fault.message for fault in faults)


def test_the_members_of_a_chain_are_all_whom_it_names() -> None:
    one, two, three = (UUID(int=number) for number in (11, 12, 13))
    rules = chain(
        step(Approver(member=one), BY_LEGAL, within_days=1, escalates_to=Approver(member=two)),
        empty_approver="fallback",
        fallback=Approver(member=three),
    )
    assert members_of(rules) == {one, two, three}


# -- random chains ----------------------------------------------------------------------------------------------------

ROLES = (Role.LEGAL, Role.SALES_DIRECTOR, Role.EXECUTIVE, Role.FINANCE)
STAFF = [person(number, *roles) for number, roles in enumerate([(), *((role,) for role in ROLES), ROLES[:2], ()], 1)]


def some_approver(random: Random) -> Approver:
    kind = random.random()
    if kind < 0.5:
        return Approver(role=random.choice(ROLES))
    if kind < 0.85:
        return Approver(member=random.choice([*(each.member for each in STAFF), GONE]))
    return Approver(superior=random.randint(1, 3))


def some_chain(random: Random) -> ApprovalChain:
    empty = random.choice(["refuse", "skip", "fallback"])
    steps = tuple(
        ApprovalStep(
            key=f"step-{number}",
            name=f"Step {number}",
            approvers=tuple(dict.fromkeys(some_approver(random) for _ in range(random.randint(1, 4)))),
            mode=random.choice(["all", "any"]),
            when=random.choice([None, Predicate(fact="amount", operator="above", value=str(random.randint(0, 9)))]),
            within_days=random.choice([None, 1, 3]),
            escalates_to=random.choice([None, some_approver(random)]),
        )
        for number in range(random.randint(0, 5))
    )
    return ApprovalChain(
        steps=steps,
        empty_approver=empty,  # type: ignore[arg-type]
        fallback=some_approver(random) if empty == "fallback" else None,
        self_approval=random.choice(["others", "skip", "allow"]),
        repeated_approver=random.choice(["again", "skip-next", "skip"]),
    )


def some_commands(random: Random, state: WaitingApproval) -> Iterator[tuple[Actor, Any]]:
    """Whatever people may try, in any order, and in the end everybody approves."""
    for _ in range(random.randint(0, 12)):
        actor = random.choice(STAFF)
        delegate = random.choice(STAFF).member
        assert delegate is not None
        wishes = [Approve(), Approve(), Delegate(to=delegate), TakeBackDelegation(), Escalate(step=state.current)]
        if random.random() < 0.1:
            wishes.append(ReturnForRework(reason="Hm"))
        yield actor, random.choice(wishes)
    for _ in range(20):
        yield from ((actor, Approve()) for actor in random.sample(STAFF, len(STAFF)))


@pytest.mark.parametrize("hundred", range(10))
def test_1000_random_chains_end_decided_returned_or_recalled_and_every_refusal_explains_itself(hundred: int) -> None:
    """CON-2: none is ever stuck. Whoever is asked can decide, and who submitted can take it back."""
    ends = [ended(Random(hundred * 100 + number)) for number in range(100)]
    assert {type(each) for each in ends if each} <= {GrantedApproval, ReturnedApproval, RecalledApproval}
    assert sum(isinstance(each, GrantedApproval) for each in ends) > 30


def ended(random: Random) -> Any:
    """What became of a random chain; None where it could not be submitted."""
    submitter = random.choice(STAFF)
    superiors: Sequence[UUID] = [UUID(int=number) for number in random.sample(range(2, 7), random.randint(0, 2))]
    approvers = Approvers(
        active=frozenset(each.member for each in STAFF if each.member),
        superiors=tuple(each for each in superiors if each != submitter.member),
    )
    rules, amount = some_chain(random), str(random.randint(0, 9))
    state, refusal = tried(lambda: begun(rules, by=submitter, approvers=approvers, amount=amount))
    if refusal is not None:
        assert refusal.code == "nobody-to-approve"
        assert all(reason.details["step"] and reason.message for reason in refusal.reasons)
        return None
    if isinstance(state, GrantedApproval):
        return state
    for actor, command in some_commands(random, state):
        before = state
        outcome, refusal = tried(partial(decided, state, actor, command))
        if refusal is not None:
            assert refusal.code in {
                "own-submission",
                "not-an-approver",
                "already-decided",
                "delegated",
                "not-delegated",
                "to-yourself",
                "asked-already",
            }
            assert refusal.message.endswith(".")
            continue
        state, told = outcome
        assert told == {GrantedApproval: ["granted"], ReturnedApproval: ["returned"]}.get(type(state), [])
        if not isinstance(state, WaitingApproval):
            return state
        assert state.current >= before.current
        assert state.waits_for, "somebody is asked as long as it waits"
    assert nobody_is_left(state)
    return FAMILY.evolve(state, recalled(APPROVALS, state, replace(CONTEXT, actor=submitter), None).event)


def tried(attempt: Callable[[], Any]) -> tuple[Any, Rejected | None]:
    """What came of it, or why it was refused."""
    try:
        return attempt(), None
    except Rejected as refusal:
        return None, refusal


def nobody_is_left(state: WaitingApproval) -> bool:
    """A role that nobody holds, here, but who submitted it or decided another place of the step: it is taken back."""
    done = {each.by for each in state.decisions if each.step == state.step.key and each.what == "approved"}
    spent = done if state.repeated_approver == "again" else set()
    others = [each for each in STAFF if each.subject not in {state.submitter, *spent}]
    return not any(slot.member == each.member or slot.role in each.roles for slot in state.waits_for for each in others)
