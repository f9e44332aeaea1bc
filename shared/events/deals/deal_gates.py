"""Events of the gates of a deal: what did not pass them, what somebody lets it pass without, and what binds it beside
its stages (DEAL-3, DEAL-4)."""

from datetime import date
from uuid import UUID

from shared.events.chronology import Rank
from shared.events.deals.deal import DueNode, UnmetCriterion
from shared.events.definition import AsKnown, FreeText, event


@event("deals.deal-gate-refused", aggregate="deal", rank=Rank.CHANGE)
class DealGateRefused:
    """Somebody tried to pass a gate, and criteria were unmet (DEAL-2, DEAL-3).

    Trying again with the same criteria unmet is no further attempt.
    """

    deal_id: UUID
    stage: AsKnown[str]
    """Where the deal stood."""
    kind: str
    """stage, task or deliverable: what it should enter, or what should be completed."""
    key: str
    attempt: int
    """1: it was the first one, since the deal came to where it stood, or to this work at all."""
    unmet: tuple[UnmetCriterion, ...]
    on: date | None = None
    """The company's day."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-criterion-waived", aggregate="deal", rank=Rank.CHANGE)
class DealCriterionWaived:
    """Until a day, the deal passes a gate without this criterion being met (DEAL-4)."""

    deal_id: UUID
    gate: str
    """Like "exit of quotation" or "entry of task situation"."""
    criterion: str
    until: date
    """The last day on which it holds."""
    role: str
    """The role by which it was waived, like manager."""
    on: date | None = None
    """The company's day on which it was waived."""
    reason: FreeText[str | None] = None
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-waiver-revoked", aggregate="deal", rank=Rank.CHANGE)
class DealWaiverRevoked:
    """The criterion has to be met again."""

    deal_id: UUID
    gate: str
    criterion: str
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-flexible-node-added", aggregate="deal", rank=Rank.CHANGE)
class DealFlexibleNodeAdded:
    """A flexible node of the process binds the deal: its work is due, its criteria count at the gates (DEAL-4)."""

    deal_id: UUID
    key: str
    """Of the flexible node."""
    name: str
    stage: str
    """The stage in which it was added, and which is not left before its exit criteria are met."""
    role: str
    """The role by which it was added, like manager; service where a rule did."""
    rule: str | None = None
    """The rule of the stage that added it, by its key."""
    nodes: tuple[DueNode, ...] = ()
    """Its tasks and deliverables."""
    on: date | None = None
    """The company's day on which it was added."""
    reason: FreeText[str | None] = None
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-flexible-node-removed", aggregate="deal", rank=Rank.CHANGE)
class DealFlexibleNodeRemoved:
    """A flexible node of which nothing was done binds the deal no more."""

    deal_id: UUID
    key: str
    nodes: tuple[str, ...] = ()
    """The keys of its tasks and deliverables, which are not to be done any more."""
    on: date | None = None
    """The company's day on which it was taken back."""
    reason: FreeText[str | None] = None
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None
