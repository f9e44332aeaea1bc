"""The rule for whom an approval waits, and since when: its events folded as its owner folds them (CON-2). Pure.

The fold is that of the aggregate, so whoever is shown an approval as theirs is the one whom `approve` accepts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from shared.domain.aggregate import Aggregate, status_of
from shared.domain.approval.family import approvals
from shared.domain.approval.state import Approval, WaitingApproval, counts_once, next_open, who_approved
from shared.domain.roles import READING
from shared.events.approvals import PlannedStep, Slot, approval_events

DECISIONS = frozenset({"approved", "returned", "recalled"})
"""What somebody did themselves; whoever delegates has somebody else decide, and a clock escalates."""


@lru_cache
def family_of(service: str) -> Aggregate:
    """The approvals of a service as they are folded; nothing is decided here."""
    return approvals(service, service, readers=READING).family


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An approval after all that is known of it."""

    service: str
    approval: Approval
    state: str
    since: datetime
    """When the step that waits began, or when it ended."""
    step: PlannedStep | None
    """The step that waits."""
    due: datetime | None
    escalated: bool
    asked: tuple[Slot, ...]
    """For whom it waits: roles and members."""
    decided: tuple[tuple[str, UUID | None], ...]
    """Who decided something: the subjects of their tokens, and the members that they were."""
    spent: frozenset[tuple[str, UUID | None]] = frozenset()
    """Those of them who approved in the step that waits, and cannot decide it once more."""


def standing(service: str, events: Sequence[Any]) -> Standing:
    """An approval after its events, in their order; at least that it was requested."""
    family = family_of(service)
    approval = family.fold(events)
    step, asked = _waiting(approval)
    waits = isinstance(approval, WaitingApproval)
    return Standing(
        service=service,
        approval=approval,
        state=status_of(family, approval),
        since=_since(events) if waits else _ended(service, events),
        step=step,
        due=approval.due if waits else None,
        escalated=waits and approval.escalated,
        asked=asked,
        decided=tuple(
            {(each.by, each.member): None for each in approval.decisions if each.what in DECISIONS and each.by}
        ),
        spent=_spent(approval) if step else frozenset(),
    )


def _waiting(approval: Approval) -> tuple[PlannedStep | None, tuple[Slot, ...]]:
    """The step that waits, and for whom. None and nobody for what ended, and between the last decision and the event
    that says what came of it, should only the first have arrived."""
    if not isinstance(approval, WaitingApproval):
        return None, ()
    if next_open(approval.steps, approval.filled, approval.current) != approval.current:
        return None, ()
    return approval.step, approval.waits_for


def _spent(approval: WaitingApproval) -> frozenset[tuple[str, UUID | None]]:
    """Who has decided the step that waits, where nobody decides one twice."""
    if not counts_once(approval):
        return frozenset()
    return frozenset((each.by, each.member) for each in who_approved(approval) if each.by)


def _ended(service: str, events: Sequence[Any]) -> datetime:
    """When it ended: what ended may be renamed later on, which decides nothing."""
    renamed = approval_events(service).renamed
    at: datetime = next(each.at for each in reversed(events) if type(each) is not renamed)
    return at


def _since(events: Sequence[Any]) -> datetime:
    """When the present step began: with the request, or the last decision that led on."""
    first, *later = events
    begun: datetime = next(
        (each.at for each in reversed(later) if getattr(each, "next_step", None) is not None), first.at
    )
    return begun
