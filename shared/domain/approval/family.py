"""The approval: an aggregate that waits for the decisions of a chain, and tells its subject what came of it (CON-2).

    APPROVALS = approvals("contract", "contracts", Approvable(aggregate=contract, granted=…, returned=…))

Something is submitted by a command of its own, which appends `requested(…)` beside its event; what ends the approval is
appended together with what that changes of the subject: neither is ever without the other.
"""

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any, ClassVar

from shared.domain.aggregate import Aggregate, Decision, Occurrence, Timer, carried
from shared.domain.approval.requesting import Approvable, Approvals, Outcome, Subject, about, decided_by, due_of
from shared.domain.approval.state import (
    AnyApproval,
    Approval,
    Decided,
    Delegation,
    GrantedApproval,
    NoApproval,
    Place,
    RecalledApproval,
    ReturnedApproval,
    WaitingApproval,
    asked_in,
    before_delegating,
    delegate_of,
    delegated_slots,
    holds,
    members_at_work,
    next_open,
    own_slots,
)
from shared.domain.context import Actor, Context
from shared.domain.fields import Text
from shared.domain.policy import InForce
from shared.domain.references import AnyMemberId
from shared.domain.rejection import Rejected
from shared.domain.roles import ONLY_SERVICES, Permission, Reach, Role, permission
from shared.events.approvals import Place as PlaceOf
from shared.events.approvals import Slot, approval_events
from shared.events.definition import value
from shared.events.working_hours import WorkingHours

ASKED = permission(dict.fromkeys(Role, Reach.ALL))
"""Anybody may be an approver: the chain says who is."""


@value
class Approve:
    """Approve what waits for your decision."""

    reason: Text | None = None

    example: ClassVar[dict[str, object]] = {"reason": "Standard terms"}


@value
class ReturnForRework:
    """Send it back to whoever submitted it."""

    reason: Text
    """What is to be reworked."""

    example: ClassVar[dict[str, object]] = {"reason": "The retention is missing"}


@value
class Delegate:
    """Have somebody else decide in your place."""

    to: AnyMemberId
    """An active member, neither who submitted it nor who wrote it."""
    reason: Text | None = None

    example: ClassVar[dict[str, object]] = {
        "to": "01989f52-6d2c-7a51-9a44-0a4f5b1f7d11",
        "reason": "On leave until Monday",
    }


@value
class TakeBackDelegation:
    """Decide again yourself what you had somebody else decide."""

    example: ClassVar[dict[str, object]] = {}


@value
class Escalate:
    """A step is overdue."""

    step: int


def approvals(singular: str, service: str, *subjects: Approvable, readers: Permission) -> Approvals:
    """The approvals of a service; `singular` is the word before `-approvals` in their addresses, `readers` see one by
    whose the subject is, beside those who are asked."""
    told = approval_events(service)
    family = Aggregate(
        "approval",
        plural=f"{singular}-approvals",
        singular=f"{singular}-approval",
        start=NoApproval,
        readers=readers,
    )
    made = Approvals(family=family, told=told, subjects={each.aggregate.name: each for each in subjects})
    _register_decisions(made)
    _register_changes(made)
    return made


def _register_decisions(made: Approvals) -> None:
    family, told = made.family, made.told

    @family.decides(allow=ASKED, guard=own_slots)
    def approve(
        state: WaitingApproval,
        command: Approve,
        context: Context,
        *,
        subject: Subject,
        hours: InForce[WorkingHours],
    ) -> Decision:
        """Approve what waits for your decision. Once every step is approved, so is what was submitted."""
        slots = own_slots(state, context.actor)
        here = {(state.current, place) for place in slots}
        further = _further(state, context.actor)
        filled = state.filled | here | set(further)
        following = next_open(state.steps, filled, state.current)
        moves = following != state.current
        given = told.given(
            **about(state),
            **decided_by(context),
            step=state.current,
            slots=tuple(slots),
            further=tuple(PlaceOf(step=step, slot=slot) for step, slot in further),
            reason=command.reason,
            next_step=following if moves else None,
            due=due_of(state.steps, following, context, hours.of(team=state.team).document) if moves else None,
            asks=asked_in(state.steps, following, filled) if moves else (),
            authors=state.authors,
        )
        if following is not None:
            return [given]
        granted = told.granted(**about(state), **decided_by(context), step=state.step.key, reason=command.reason)
        outcome = _outcome(state, context, command.reason)
        return [given, granted, *_to_subject(state, made.subjects[state.subject_kind].granted(subject.state, outcome))]

    @family.decides(allow=ASKED, guard=own_slots)
    def return_for_rework(
        state: WaitingApproval, command: ReturnForRework, context: Context, subject: Subject
    ) -> Decision:
        """Send what waits for your decision back for rework; nobody else is asked any more."""
        returned = told.returned(**about(state), **decided_by(context), step=state.step.key, reason=command.reason)
        outcome = _outcome(state, context, command.reason)
        return [returned, *_to_subject(state, made.subjects[state.subject_kind].returned(subject.state, outcome))]

    @family.decides(allow=ASKED, guard=own_slots)
    def delegate(state: WaitingApproval, command: Delegate, context: Context) -> Decision:
        """Have somebody else decide in your place."""
        slots = own_slots(state, context.actor)
        if command.to == state.submitter_member and state.self_approval != "allow":
            raise Rejected("own-submission", "Whoever submitted it does not decide it.", field="to")
        if command.to in state.authors and state.self_approval != "allow":
            raise Rejected("own-work", "Whoever wrote it does not decide it.", field="to")
        if command.to == context.actor.member:
            raise Rejected("to-yourself", "It waits for your own decision already.", field="to")
        if command.to in members_at_work(state):
            raise Rejected("asked-already", "They decide this step already, and nobody decides it twice.", field="to")
        return [
            told.delegated(
                **about(state),
                **decided_by(context),
                step=state.current,
                slots=tuple(slots),
                to=command.to,
                due=state.due,
                asks=(Slot(member=command.to),),
                authors=state.authors,
                reason=command.reason,
            )
        ]

    @family.decides(allow=ASKED, guard=delegated_slots)
    def take_back_delegation(state: WaitingApproval, command: TakeBackDelegation, context: Context) -> Decision:
        """Decide again yourself what you had somebody else decide, as long as they have not."""
        slots = delegated_slots(state, context.actor)
        delegates = {member for place in slots if (member := delegate_of(state, place))}
        return [
            told.taken_back(
                **about(state),
                **decided_by(context),
                step=state.current,
                slots=tuple(slots),
                delegates=tuple(sorted(delegates)),
                due=state.due,
            )
        ]

    @family.decides(allow=ONLY_SERVICES)
    def escalate(state: WaitingApproval, command: Escalate, context: Context) -> Decision:
        """Tell that a step is overdue."""
        if state.current != command.step or state.escalated:
            return []
        to = state.step.escalates_to
        asks = (to,) if to else ()
        return [
            told.escalated(
                **about(state),
                step=state.current,
                to=to,
                due=state.due,
                asks=asks,
                authors=state.authors,
                at=context.now,
            )
        ]

    @family.already
    def is_granted(state: GrantedApproval, command: Approve) -> bool:
        return any(each.what == "approved" and each.reason == command.reason for each in state.decisions)

    @family.already
    def is_returned(state: ReturnedApproval, command: ReturnForRework) -> bool:
        return state.decisions[-1].reason == command.reason

    @family.timer
    def overdue(state: WaitingApproval) -> Timer | None:
        waits = state.due is not None and not state.escalated
        return Timer(due=state.due, command=Escalate(step=state.current)) if waits and state.due else None


def _further(state: WaitingApproval, actor: Actor) -> list[Place]:
    """The slots of later steps in which whoever approves now is not asked again."""
    last = {"again": state.current, "skip-next": state.current + 1, "skip": len(state.steps) - 1}
    return [
        (step, place)
        for step in range(state.current + 1, min(last[state.repeated_approver] + 1, len(state.steps)))
        for place, slot in enumerate(state.steps[step].slots)
        if not slot.passed and holds(slot, actor)
    ]


def _outcome(state: WaitingApproval, context: Context, reason: str | None) -> Outcome:
    return Outcome(approval_id=state.id, step=state.step.key, by=context.actor.subject, reason=reason, on=context.today)


def _to_subject(state: Approval, events: Iterable[Any]) -> list[Occurrence]:
    return [Occurrence(event=each, to=state.subject_id) for each in events]


def _register_changes(made: Approvals) -> None:
    told = made.told

    def begun(state: NoApproval, event: Any) -> WaitingApproval:
        names = {field.name for field in fields(Approval)} - {"id", "decisions", "delegates"}
        told_of = {name: getattr(event, name) for name in names}
        return WaitingApproval(
            id=event.approval_id, **told_of, current=event.next_step or 0, due=event.due, delegated={}
        )

    def given(state: WaitingApproval, event: Any) -> WaitingApproval:
        places = {(event.step, place) for place in event.slots} | {(each.step, each.slot) for each in event.further}
        changed = replace(_noted(state, "approved", event, event.reason), filled=state.filled | places)
        if event.next_step is None:
            return changed
        return replace(changed, current=event.next_step, due=event.due, escalated=False)

    def delegated(state: WaitingApproval, event: Any) -> WaitingApproval:
        further = Delegation(by=event.by, member=event.member, to=event.to)
        places = [(event.step, place) for place in event.slots]
        instead = {place: (*state.delegated.get(place, ()), further) for place in places}
        noted = _noted(state, "delegated", event, event.reason)
        return replace(noted, delegated={**state.delegated, **instead}, delegates=(*state.delegates, event.to))

    def taken_back(state: WaitingApproval, event: Any) -> WaitingApproval:
        places = [(event.step, place) for place in event.slots]
        again = {place: before_delegating(state.delegated[place], event.by, event.member) for place in places}
        return replace(_noted(state, "taken-back", event, None), delegated={**state.delegated, **again})

    def escalated(state: WaitingApproval, event: Any) -> WaitingApproval:
        step = Decided(
            what="escalated", step=state.steps[event.step].key, by=None, member=None, at=event.at, reason=None
        )
        return replace(state, escalated=True, decisions=(*state.decisions, step))

    def granted(state: WaitingApproval, event: Any) -> GrantedApproval:
        return GrantedApproval(**carried(state, Approval))

    def returned(state: WaitingApproval, event: Any) -> ReturnedApproval:
        return ReturnedApproval(**carried(_noted(state, "returned", event, event.reason), Approval))

    def recalled_(state: WaitingApproval, event: Any) -> RecalledApproval:
        return RecalledApproval(**carried(_noted(state, "recalled", event, event.reason), Approval))

    def handed_over(state: WaitingApproval, event: Any) -> WaitingApproval:
        return replace(state, owner=event.owner, team=event.team)

    def renamed(state: AnyApproval, event: Any) -> AnyApproval:
        return replace(state, name=event.name)

    for change, event_class in (
        (begun, told.requested),
        (given, told.given),
        (delegated, told.delegated),
        (taken_back, told.taken_back),
        (escalated, told.escalated),
        (granted, told.granted),
        (returned, told.returned),
        (recalled_, told.recalled),
        *(((handed_over, told.handed_over),) if told.handed_over else ()),
        *(((renamed, told.renamed),) if told.renamed else ()),
    ):
        change.__annotations__["event"] = event_class
        made.family.evolves(change)


def _noted(state: WaitingApproval, what: str, event: Any, reason: str | None) -> WaitingApproval:
    step = Decided(what=what, step=state.step.key, by=event.by, member=event.member, at=event.at, reason=reason)
    return replace(state, decisions=(*state.decisions, step))
