"""The states of an approval, and what follows from them: who is asked, and what waits (CON-2)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import takewhile
from uuid import UUID

from shared.domain.context import Actor
from shared.domain.rejection import Rejected
from shared.events.approvals import PlannedStep, Slot
from shared.events.definition import value
from shared.events.money import Money

Place = tuple[int, int]
"""A slot of a step, both counted from 0."""


@value
class NoApproval:
    """Nothing was submitted under this id."""


@value
class Decided:
    """A decision that was taken, or what became of a step."""

    what: str
    """approved, delegated, taken-back, escalated, returned or recalled."""
    step: str | None
    """The key of the step."""
    by: str | None
    """The subject of the tokens of whoever did it; None: the clock."""
    member: UUID | None
    at: datetime
    reason: str | None


@value
class Delegation:
    """Somebody who has somebody else decide in their place."""

    by: str
    """The subject of their tokens."""
    member: UUID | None
    to: UUID


@value
class Approval:
    """What every approval carries, whatever its state."""

    id: UUID
    subject_kind: str
    subject_id: UUID
    name: str
    part: str | None = None
    """What of it, where that is not all of it."""
    amount: Money | None
    account_id: UUID | None
    owner: UUID | None
    team: UUID | None
    submitter: str
    submitter_member: UUID | None
    authors: tuple[UUID, ...] = ()
    """The members who wrote what was submitted, where that is told."""
    chain: int
    self_approval: str
    repeated_approver: str
    steps: tuple[PlannedStep, ...]
    decisions: tuple[Decided, ...] = ()
    delegates: tuple[UUID, ...] = ()
    """Everybody to whom a decision was delegated."""

    @property
    def known_to(self) -> frozenset[UUID]:
        """The members who see it, whosever it is: those who are asked, and who submitted it."""
        slots = (slot for step in self.steps for slot in (*step.slots, step.escalates_to) if slot)
        asked = {slot.member for slot in slots if slot.member}
        return frozenset({*asked, *self.delegates, *([self.submitter_member] if self.submitter_member else [])})


@value
class WaitingApproval(Approval):
    """Somebody has to decide."""

    current: int
    """The step that waits, counted from 0."""
    due: datetime | None
    """When that one is overdue."""
    escalated: bool = False
    filled: frozenset[Place] = frozenset()
    delegated: Mapping[Place, tuple[Delegation, ...]]
    """Who decides instead: to whom it was delegated, and whom they delegated it to."""

    @property
    def step(self) -> PlannedStep:
        """The step that waits."""
        return self.steps[self.current]

    @property
    def step_key(self) -> str:
        """Its key."""
        return self.step.key

    @property
    def waits_for(self) -> tuple[Slot, ...]:
        """Those who are still asked in it, and whoever may decide too because it is overdue."""
        places = open_slots(self)
        asked = [delegate_of(self, place) for place in places]
        slots = [Slot(member=who) if who else self.step.slots[place] for who, place in zip(asked, places, strict=True)]
        also = [self.step.escalates_to] if self.escalated and self.step.escalates_to else []
        return tuple(dict.fromkeys((*slots, *also)))


@value
class GrantedApproval(Approval):
    """Every step was approved, or passed over."""


@value
class ReturnedApproval(Approval):
    """It was sent back for rework."""


@value
class RecalledApproval(Approval):
    """It was taken back before it was decided."""


AnyApproval = WaitingApproval | GrantedApproval | ReturnedApproval | RecalledApproval


def is_complete(steps: Sequence[PlannedStep], filled: frozenset[Place], index: int) -> bool:
    """Whether a step needs nobody any more."""
    slots = steps[index].slots
    done = [(index, place) in filled for place in range(len(slots))]
    if steps[index].mode == "any" and any(done):
        return True
    return all(filled_ or slot.passed for filled_, slot in zip(done, slots, strict=True))


def next_open(steps: Sequence[PlannedStep], filled: frozenset[Place], start: int = 0) -> int | None:
    """The first step from a place on that waits for somebody; None when there is none."""
    return next((index for index in range(start, len(steps)) if not is_complete(steps, filled, index)), None)


def asked_in(steps: Sequence[PlannedStep], index: int | None, filled: frozenset[Place]) -> tuple[Slot, ...]:
    """Those whom a step asks as it begins; nobody where there is none."""
    slots = () if index is None else steps[index].slots
    asked = [slot for place, slot in enumerate(slots) if not slot.passed and (index, place) not in filled]
    return tuple(dict.fromkeys(asked))


def members_at_work(state: WaitingApproval) -> frozenset[UUID]:
    """The members who are asked by name in the step that waits, decide it instead of others, or have decided it."""
    named = {slot.member for slot in state.step.slots if slot.member}
    instead = {delegate_of(state, place) for place in range(len(state.step.slots))}
    done = {each.member for each in who_approved(state)}
    return frozenset(member for member in {*named, *instead, *done} if member)


def who_approved(state: WaitingApproval) -> tuple[Decided, ...]:
    """The decisions by which slots of the step were approved."""
    return tuple(each for each in state.decisions if each.what == "approved" and each.step == state.step.key)


def counts_once(state: Approval) -> bool:
    """Whether what somebody decides counts for one slot of a step: four eyes are two people, unless the chain says that
    a repeated approver is passed over."""
    return state.repeated_approver == "again"


def open_slots(state: WaitingApproval) -> list[int]:
    """The slots of the step that wait."""
    slots = enumerate(state.step.slots)
    return [place for place, slot in slots if not slot.passed and (state.current, place) not in state.filled]


def is_asked(state: WaitingApproval, place: int, actor: Actor) -> bool:
    """Whether an open slot of the step is somebody's to decide."""
    if _is_escalated_to(state, actor):
        return True
    delegate = delegate_of(state, place)
    return actor.member == delegate if delegate else holds(state.step.slots[place], actor)


def _is_escalated_to(state: WaitingApproval, actor: Actor) -> bool:
    to = state.step.escalates_to
    return state.escalated and to is not None and holds(to, actor)


def _names(state: WaitingApproval, place: int, actor: Actor) -> bool:
    """Whether an open slot asks for somebody by name: nobody else could decide it."""
    named = delegate_of(state, place) or state.step.slots[place].member
    return named is not None and named == actor.member


def delegate_of(state: WaitingApproval, place: int) -> UUID | None:
    """The member who decides a slot of the step in place of whom it asks."""
    passed_on = state.delegated.get((state.current, place), ())
    return passed_on[-1].to if passed_on else None


def before_delegating(passed_on: Sequence[Delegation], subject: str, member: UUID | None) -> tuple[Delegation, ...]:
    """How a slot was delegated before somebody delegated it."""
    return tuple(takewhile(lambda each: not _is_of(each, subject, member), passed_on))


def _is_of(done: Decided | Delegation, subject: str, member: UUID | None) -> bool:
    """Whether somebody did this, by the same token or as the same member."""
    return done.by == subject or (member is not None and done.member == member)


def holds(slot: Slot, actor: Actor) -> bool:
    """Whether a slot asks somebody, by who they are or by a role of theirs."""
    return (slot.member is not None and slot.member == actor.member) or slot.role in actor.roles


def own_slots(state: WaitingApproval, actor: Actor) -> list[int]:
    """The open slots that a decision of somebody's fills: where it counts once, what asks for them by name, or else the
    first of their roles. Whom an overdue step escalates to decides in place of all who are late. Raises Rejected when
    there is none."""
    same_member = actor.member is not None and actor.member == state.submitter_member
    submitted = actor.subject == state.submitter or same_member
    if submitted and state.self_approval != "allow":
        raise Rejected("own-submission", "It is decided by somebody other than who submitted it.")
    if actor.member in state.authors and state.self_approval != "allow":
        raise Rejected("own-work", "It is decided by somebody other than who wrote it.")
    slots = [place for place in open_slots(state) if is_asked(state, place, actor)]
    if (not slots or counts_once(state)) and any(
        _is_of(each, actor.subject, actor.member) for each in who_approved(state)
    ):
        message = (
            f"You decided the step {state.step.name!r}, and nobody decides it twice: it waits for {_waits_for(state)}."
        )
        raise Rejected("already-decided", message)
    if not slots and _delegated_by(state, actor):
        raise Rejected("delegated", "You have somebody decide in your place: take that back to decide it yourself.")
    if not slots:
        raise Rejected("not-an-approver", f"The step {state.step.name!r} waits for {_waits_for(state)}.")
    if not counts_once(state) or _is_escalated_to(state, actor):
        return slots
    return [place for place in slots if _names(state, place, actor)] or slots[:1]


def delegated_slots(state: WaitingApproval, actor: Actor) -> list[int]:
    """The open slots that somebody has others decide in their place. Raises Rejected when there is none."""
    slots = _delegated_by(state, actor)
    if not slots:
        raise Rejected("not-delegated", f"Nobody decides the step {state.step.name!r} in your place.")
    return slots


def _delegated_by(state: WaitingApproval, actor: Actor) -> list[int]:
    passed_on = {place: state.delegated.get((state.current, place), ()) for place in open_slots(state)}
    return [
        place for place, chain in passed_on.items() if any(_is_of(each, actor.subject, actor.member) for each in chain)
    ]


def _waits_for(state: WaitingApproval) -> str:
    wanted = [_named(state, place) for place in open_slots(state)]
    return (" or " if state.step.mode == "any" else " and ").join(dict.fromkeys(wanted))


def _named(state: WaitingApproval, place: int) -> str:
    slot = state.step.slots[place]
    delegate = delegate_of(state, place)
    return f"member {delegate or slot.member}" if delegate or slot.member else f"the role {slot.role}"
