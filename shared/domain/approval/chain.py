"""Approver resolution: which steps of a chain are taken, and by whom, as it stands when something is submitted."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from shared.domain.approval.state import holds
from shared.domain.context import Actor
from shared.domain.criteria import Facts, blank, faults, meets, misspelt, predicate_faults, repeated
from shared.domain.rejection import Reason, refuse_all
from shared.events.approval_chain import ASKED_ROLES, ApprovalChain, ApprovalStep, Approver
from shared.events.approvals import PlannedStep, Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvers:
    """Who of the organisation may be asked: the members that a chain names and that are there, and who stands above
    whoever submits, the nearest first."""

    active: frozenset[UUID] = frozenset()
    superiors: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whose:
    """Whose work it is: who submits it, and who wrote it."""

    submitter: Actor
    authors: frozenset[UUID]

    def is_members(self, slot: Slot) -> bool:
        """Whether a slot asks one of them by name."""
        return slot.member is not None and (slot.member == self.submitter.member or slot.member in self.authors)

    def holds(self, slot: Slot) -> bool:
        """Whether a slot asks one of them, by name or by a role of the submitter: of others no role is known here."""
        return self.is_members(slot) or holds(slot, self.submitter)


def planned(
    chain: ApprovalChain,
    facts: Facts,
    submitter: Actor,
    approvers: Approvers,
    authors: frozenset[UUID] = frozenset(),
) -> tuple[PlannedStep, ...]:
    """The steps that are taken. Raises Rejected for every approver who is not there, where the chain says so. Its
    authors decide no more than its submitter does."""
    whose = _Whose(submitter=submitter, authors=authors)
    missing: list[Reason] = []
    steps = tuple(
        PlannedStep(
            key=step.key,
            name=step.name,
            mode=step.mode,
            slots=tuple(_slots(chain, step, whose, approvers, missing)),
            within_days=step.within_days,
            within_minutes=step.within_minutes,
            escalates_to=_escalation(chain, step, whose, approvers, missing),
        )
        for step in chain.steps
        if step.when is None or meets(step.when, facts)
    )
    if steps and not missing and all(slot.passed for step in steps for slot in step.slots):
        message = "Every approver is passed over, and nobody approves their own."
        missing.append(Reason(code="nobody-to-approve", message=message, details={"step": steps[0].key}))
    refuse_all("nobody-to-approve", "Nobody could approve this.", missing)
    return steps


def _slots(
    chain: ApprovalChain, step: ApprovalStep, whose: _Whose, approvers: Approvers, missing: list[Reason]
) -> Iterator[Slot]:
    for approver in step.approvers:
        found = _found(approver, approvers)
        if found is not None and chain.self_approval == "skip" and whose.holds(found):
            yield Slot(role=found.role, member=found.member, passed="self")
        elif found is not None and not _is_alone(chain, found, whose):
            yield found
        elif chain.empty_approver == "skip":
            yield Slot(role=approver.role, member=approver.member, passed="empty")
        else:
            instead = _fallback(chain, whose, approvers)
            if instead is None:
                missing.append(_missing(step, approver))
            else:
                yield instead


def _escalation(
    chain: ApprovalChain, step: ApprovalStep, whose: _Whose, approvers: Approvers, missing: list[Reason]
) -> Slot | None:
    """Who may decide too once a step is overdue, by the same rules as its approvers."""
    if step.escalates_to is None:
        return None
    found = _found(step.escalates_to, approvers)
    if found is not None and not _is_alone(chain, found, whose):
        return found
    instead = _fallback(chain, whose, approvers)
    if instead is None and chain.empty_approver != "skip":
        missing.append(_missing(step, step.escalates_to))
    return instead


def _found(approver: Approver, approvers: Approvers) -> Slot | None:
    """Whose decision it is; None where nobody is there. Whether somebody holds a role is not known here: tokens say."""
    if approver.role is not None:
        return Slot(role=approver.role)
    if approver.member is not None:
        return Slot(member=approver.member) if approver.member in approvers.active else None
    level = approver.superior or 1
    return Slot(member=approvers.superiors[level - 1]) if level <= len(approvers.superiors) else None


def _fallback(chain: ApprovalChain, whose: _Whose, approvers: Approvers) -> Slot | None:
    if chain.empty_approver != "fallback" or chain.fallback is None:
        return None
    found = _found(chain.fallback, approvers)
    if found is None or _is_alone(chain, found, whose):
        return None
    return Slot(role=found.role, member=found.member, instead="fallback")


def _is_alone(chain: ApprovalChain, slot: Slot, whose: _Whose) -> bool:
    """Whether nobody could decide but who submits or wrote it, who does not."""
    return chain.self_approval != "allow" and whose.is_members(slot)


def _missing(step: ApprovalStep, approver: Approver) -> Reason:
    who = f"member {approver.member}" if approver.member else f"superior {approver.superior} of whoever submits"
    message = (
        f"The step {step.name!r} asks the {who}, who is not there, or submits or wrote it; the chain has no other way."
    )
    return Reason(code="nobody-to-approve", message=message, details={"step": step.key})


# -- chains as data ---------------------------------------------------------------------------------------------------

OWN_SUBMISSION = "The approver is never who submits (CON-2): others, or skip."


def four_eyes_faults(chain: ApprovalChain, known: Mapping[str, str], where: str) -> Iterator[Reason]:
    """Every reason why a chain that stands at a position is none, or lets somebody approve their own."""
    for reason in chain_faults(chain, known):
        yield Reason(code=reason.code, message=reason.message, field=f"{where}.{reason.field}", details=reason.details)
    if chain.self_approval == "allow":
        yield Reason(code="own-submission", message=OWN_SUBMISSION, field=f"{where}.self_approval")


def chain_faults(chain: ApprovalChain, known: Mapping[str, str]) -> Iterator[Reason]:
    """Every reason why a chain is none, with its position; `known` are the facts that its conditions may ask for."""
    keys = [(f"steps.{index}.key", step.key) for index, step in enumerate(chain.steps)]
    yield from misspelt(keys)
    yield from repeated(keys)
    yield from blank((f"steps.{index}.name", step.name) for index, step in enumerate(chain.steps))
    for index, step in enumerate(chain.steps):
        yield from _step_faults(step, known, f"steps.{index}")
    if (chain.empty_approver == "fallback") != (chain.fallback is not None):
        message = "A fallback is named where empty_approver is fallback, and only there."
        yield Reason(code="fallback-and-rule", message=message, field="fallback")
    if chain.fallback is not None:
        yield from _approver_faults(chain.fallback, "fallback")


def _step_faults(step: ApprovalStep, known: Mapping[str, str], where: str) -> Iterator[Reason]:
    # No rule of the type: that one also counts what is wrong with an approver as its absence.
    if not step.approvers:
        yield Reason(code="no-approvers", message="A step asks somebody.", field=f"{where}.approvers")
    for place, approver in enumerate(step.approvers):
        yield from _approver_faults(approver, f"{where}.approvers.{place}")
        if approver in step.approvers[:place]:
            message = "The step asks this approver already."
            yield Reason(code="doubled-approver", message=message, field=f"{where}.approvers.{place}")
    if step.when is not None:
        misshapen = list(faults(step.when, f"{where}.when"))
        yield from misshapen or predicate_faults(step.when, known, f"{where}.when")
    if step.escalates_to is not None:
        yield from _approver_faults(step.escalates_to, f"{where}.escalates_to")
        if step.within_days is None and step.within_minutes is None:
            message = "A step escalates when it is overdue: within_days or within_minutes says when."
            yield Reason(code="never-overdue", message=message, field=f"{where}.within_days")
    if step.within_days is not None and step.within_minutes is not None:
        message = "A step is due within days or within minutes."
        yield Reason(code="days-and-minutes", message=message, field=f"{where}.within_minutes")


ROLES = frozenset(ASKED_ROLES)
"""Reps and managers are asked as members, or as superiors: of all who hold these roles only some see what waits."""


def _approver_faults(approver: Approver, where: str) -> Iterator[Reason]:
    named = [name for name in ("role", "member", "superior") if getattr(approver, name) is not None]
    if len(named) != 1:
        message = "An approver is exactly one of role, member and superior."
        yield Reason(code="not-one-approver", message=message, field=where)
    if approver.role is not None and approver.role not in ROLES:
        message = (
            f"A chain asks no role {approver.role!r}, but {', '.join(sorted(ROLES))}; reps and managers are asked as "
            "members or superiors."
        )
        yield Reason(code="unknown-role", message=message, field=f"{where}.role")


def members_of(chain: ApprovalChain) -> frozenset[UUID]:
    """The members whom a chain names."""
    return frozenset(approver.member for approver in _every(chain) if approver.member)


def asks_superiors(chain: ApprovalChain) -> bool:
    """Whether a chain asks for whoever stands above the submitter."""
    return any(approver.superior for approver in _every(chain))


def _every(chain: ApprovalChain) -> Iterator[Approver]:
    """Every approver that a chain names, its fallback and those it escalates to among them."""
    named = (approver for step in chain.steps for approver in (*step.approvers, step.escalates_to))
    yield from (approver for approver in (*named, chain.fallback) if approver is not None)
