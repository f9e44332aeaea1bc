"""What is decided by approval, as data: the steps that are taken of a chain, and the events of an approval (CON-2).

Each service that has things approved tells it in a topic of its own: `contracts.approval-requested` is told in
`contracts.approval.v1`.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

from shared.events.approval_chain import Mode, RoleName
from shared.events.definition import AsKnown, FreeText, described, event, value
from shared.events.money import Money

APPROVAL = "approval"
"""The aggregate of these events."""


@value
class Slot:
    """A decision that a step waits for: of whoever holds a role, or of a member."""

    role: RoleName | None = None
    member: UUID | None = None
    instead: Literal["fallback"] | None = None
    passed: Literal["empty", "self"] | None = None
    """Why nobody is asked."""


@value
class PlannedStep:
    """A step that is taken, with its approvers as they were when it was submitted."""

    key: str
    name: str
    mode: Mode
    slots: tuple[Slot, ...]
    within_days: int | None = None
    within_minutes: int | None = None
    escalates_to: Slot | None = None


@value
class Place:
    """A slot of a step, both counted from 0."""

    step: int
    slot: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalEvents:
    """The event classes of one service."""

    requested: type[Any]
    given: type[Any]
    delegated: type[Any]
    taken_back: type[Any]
    escalated: type[Any]
    granted: type[Any]
    returned: type[Any]
    recalled: type[Any]
    handed_over: type[Any] | None
    """None where nothing is handed over together with what waits."""
    renamed: type[Any] | None
    """None where what is approved keeps its name."""

    @property
    def every(self) -> tuple[type[Any], ...]:
        """All of them."""
        return (*self.of_decisions, *(each for each in (self.handed_over, self.renamed) if each))

    @property
    def told_to_people(self) -> tuple[type[Any], ...]:
        """Those that change what somebody is told: a decision, or how that is called."""
        return (*self.of_decisions, *((self.renamed,) if self.renamed else ()))

    @property
    def of_decisions(self) -> tuple[type[Any], ...]:
        """Those that change who is asked, or say what came of it: somebody is told of them."""
        return (
            self.requested,
            self.given,
            self.delegated,
            self.taken_back,
            self.escalated,
            self.granted,
            self.returned,
            self.recalled,
        )


SUBJECT: dict[str, Any] = {
    "subject_kind": described(str, "What is to be approved, like contract or deal."),
    "subject_id": UUID,
    "name": str,
    "amount": Money | None,
    "submitter": described(str, "The subject of the tokens of whoever submitted it."),
}
DECIDED: dict[str, Any] = {
    "by": described(str, "The subject of the tokens of whoever decided."),
    "member": described(UUID | None, "The same as a member, where they are one."),
    "at": datetime,
}
NEXT: dict[str, Any] = {
    "next_step": described(int | None, "The step that waits from now on, counted from 0; None: the same as before."),
    "due": described(datetime | None, "When that one is overdue."),
}
OfSubject = AsKnown[UUID | None]
RequiredText = FreeText[str]
OptionalText = FreeText[str | None]
AUTHORS = described(tuple[UUID, ...], "The members who wrote it, who do not decide it either.")
ASKS: dict[str, Any] = {
    "asks": described(tuple[Slot, ...], "Those who are asked from now on and were not before."),
    "authors": AUTHORS,
}
WHOSE = dict.fromkeys(("owner", "team", "account_id"), OfSubject)
FROM_NOW_ON: dict[str, Any] = {
    "owner_before": OfSubject,
    "team_before": OfSubject,
    "owner": described(UUID | None, "Whose it is from now on."),
    "team": described(UUID | None, "The team whose it is from now on."),
}
PART: dict[str, Any] = {
    "part": described(str | None, "What of it, where that is not all of it: a gate, like `exit of quotation`."),
}


@lru_cache
def approval_events(service: str) -> ApprovalEvents:
    """The event classes of a service."""

    def define(kind: str, about: str, **fields: Any) -> type[Any]:
        title = "".join(word.capitalize() for word in (service, *kind.split("-")))
        content = {"approval_id": UUID, **SUBJECT, **fields, **PART, **WHOSE} | fields
        blank = "" if fields.get("reason") is RequiredText else None
        unsaid = [name for name in (*PART, *WHOSE) if name not in fields]
        empty = dict.fromkeys(unsaid) | ({"reason": blank} if "reason" in fields else {})
        if "authors" in fields:
            empty["authors"] = ()
        made = type(title, (), {"__annotations__": content, "__doc__": about, "__module__": __name__, **empty})
        return event(f"{service}.{kind}", aggregate=APPROVAL)(made)

    return ApprovalEvents(
        requested=define(
            "approval-requested",
            "Something waits for the decisions of a chain (CON-2).",
            submitter_member=UUID | None,
            chain=described(int, "The version of the policy (0 is the default) or process that the chain is of."),
            self_approval=str,
            repeated_approver=str,
            steps=tuple[PlannedStep, ...],
            **NEXT,
            **ASKS,
            at=datetime,
        ),
        given=define(
            "approval-given",
            "An approver approved.",
            step=int,
            slots=described(tuple[int, ...], "The slots of the step that this fills."),
            further=described(tuple[Place, ...], "Slots of later steps in which they are not asked again."),
            reason=OptionalText,
            **DECIDED,
            **NEXT,
            **ASKS,
        ),
        delegated=define(
            "approval-delegated",
            "An approver had somebody else decide in their place.",
            step=int,
            slots=tuple[int, ...],
            to=described(UUID, "The member who decides instead."),
            reason=OptionalText,
            due=described(datetime | None, "When the step is overdue."),
            **DECIDED,
            **ASKS,
        ),
        taken_back=define(
            "approval-delegation-taken-back",
            "Whoever had somebody else decide in their place does not any more.",
            step=int,
            slots=described(tuple[int, ...], "The slots of the step that ask as before they were delegated."),
            delegates=described(tuple[UUID, ...], "The members who do not decide instead any more."),
            due=described(datetime | None, "When the step is overdue."),
            **DECIDED,
        ),
        escalated=define(
            "approval-escalated",
            "A step is overdue; whoever it escalates to may decide it too.",
            step=int,
            to=Slot | None,
            due=described(datetime | None, "When the step was to be decided."),
            at=datetime,
            **ASKS,
        ),
        granted=define(
            "approval-granted",
            "Every step was approved, or passed over.",
            step=described(str | None, "The key of the last step that somebody decided."),
            reason=OptionalText,
            **DECIDED,
        ),
        returned=define(
            "approval-returned",
            "An approver sent it back for rework.",
            step=described(str, "The key of the step."),
            reason=RequiredText,
            **DECIDED,
        ),
        recalled=define(
            "approval-recalled",
            "It was taken back before it was decided.",
            reason=OptionalText,
            **DECIDED,
        ),
        handed_over=define(
            "approval-handed-over",
            "What waits belongs to another person or team, as what it is about does.",
            **FROM_NOW_ON,
            **DECIDED,
        )
        if service in HANDING_OVER
        else None,
        renamed=define(
            "approval-renamed",
            "What it is about is called otherwise, whether it waits or has ended.",
            name=described(str, "What it is called from now on."),
            **DECIDED,
        )
        if service in RENAMING
        else None,
    )


APPROVING = ("contracts", "deals")
"""The services that have things approved."""
HANDING_OVER = ("deals",)
"""Those of them whose things are handed over while they wait. A contract follows its deal as a draft only."""
RENAMING = ("deals",)
"""Those of them whose things are renamed. A contract keeps the name under which it was drawn up."""
