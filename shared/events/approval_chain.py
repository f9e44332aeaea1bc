"""Approval chains as data: who has to approve something, one step after the other (CON-2)."""

from typing import Annotated, Literal
from uuid import UUID

from annotated_types import Ge, Le, MaxLen, MinLen

from shared.events.criteria import Key, Predicate
from shared.events.definition import value, words
from shared.events.references import Reference
from shared.events.roles import Role

ASKED_ROLES = tuple(role.value for role in Role if role not in (Role.SERVICE, Role.REP, Role.MANAGER))
"""The roles that a chain may ask: those that see everything."""
RoleName = Annotated[str, words(ASKED_ROLES)]
Mode = Literal["all", "any"]
Days = Annotated[int, Ge(1), Le(365)]


@value
class Approver:
    """Whose decision it takes: exactly one of a role, a member, or so many levels above whoever submits. Reps and
    managers are asked as members or superiors."""

    role: RoleName | None = None
    member: Annotated[UUID, Reference("member", called="active member", anywhere=True)] | None = None
    superior: Annotated[int, Ge(1), Le(10)] | None = None
    """1 is the manager of the submitter's team, 2 the one above."""


@value
class ApprovalStep:
    """A step of a chain: who decides, at once and beside each other."""

    key: Key
    name: Annotated[str, MinLen(1), MaxLen(200)]
    approvers: Annotated[tuple[Approver, ...], MaxLen(25)]
    mode: Mode = "all"
    """all: each of them approves; any: one is enough."""
    when: Predicate | None = None
    """The step is taken where the facts meet this; without it always."""
    within_days: Days | None = None
    """Working days until the step is overdue, at the end of work on the last of them."""
    within_minutes: Annotated[int, Ge(1), Le(100_000)] | None = None
    """The same in working minutes, in place of days."""
    escalates_to: Approver | None = None
    """Who may decide too once it is overdue."""


@value
class ApprovalChain:
    """Who has to approve, one step after the other."""

    steps: Annotated[tuple[ApprovalStep, ...], MaxLen(30)]
    """Without any nobody has to approve."""
    empty_approver: Literal["refuse", "skip", "fallback"] = "refuse"
    """What becomes of an approver who is not there, like a member who left (not: who is on leave): nothing can be
    submitted, the others are enough (there has to be one), or the fallback decides."""
    fallback: Approver | None = None
    self_approval: Literal["others", "skip", "allow"] = "others"
    """Where whoever submits is an approver: somebody else decides, they are passed over (where others are asked), or
    they may decide themselves."""
    repeated_approver: Literal["again", "skip-next", "skip"] = "again"
    """Whoever approved and is an approver once more: decides again in later steps, and of one step a single slot, so
    that four eyes are two people; or is passed over beside it and in the next step, or in all."""
