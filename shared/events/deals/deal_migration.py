"""The event of a deal that follows another version of its process, or another process, from now on (PROC-2)."""

from datetime import date
from uuid import UUID

from shared.events.chronology import Rank
from shared.events.deals.deal import DealLine, DealQuote, DueNode, PlannedRule, UnmetCriterion, WaivedCriterion
from shared.events.definition import AsKnown, Exact, FreeText, event, value
from shared.events.money import Money


@value
class CarriedNode:
    """A task or deliverable that the new version has, too: evidence and due day stay as they are."""

    key: str
    kind: str
    """task or deliverable."""
    stage: str
    """The stage that it belongs to in the new version."""
    required: bool
    proposal: bool = False
    """Whether the new version calls it a proposal."""


@value
class DroppedNode:
    """A task or deliverable that is none of this deal any more."""

    key: str
    kind: str


@value
class CarriedFlexibleNode:
    """A flexible node that the new version has, too."""

    key: str
    stage: str
    """The stage whose gate it binds in the new version."""


@event("deals.deal-migrated", aggregate="deal", rank=Rank.MOVE, leads_to="stage")
class DealMigrated:
    """An open deal follows another version from now on, in the stage that it was given there (PROC-2). No gate was
    passed, no stage skipped, and none gone back to: what the new stage asks and the deal does not meet is told."""

    deal_id: UUID
    process_id: UUID
    process_name: str
    process_version: int
    process_id_before: AsKnown[UUID]
    process_version_before: AsKnown[int]
    stage: str
    stage_before: AsKnown[str]
    probability: Exact
    probability_before: AsKnown[Exact]
    category: AsKnown[str]
    category_of_stage: str
    """What the new stage says, before anybody judges."""
    amount: AsKnown[Money]
    carried: tuple[CarriedNode, ...] = ()
    dropped: tuple[DroppedNode, ...] = ()
    nodes: tuple[DueNode, ...] = ()
    """What falls due newly, because the stage has it in the new version."""
    flexible_nodes: tuple[CarriedFlexibleNode, ...] = ()
    """The flexible nodes that bind the deal in the new version, too (DEAL-4)."""
    flexible_nodes_ended: tuple[str, ...] = ()
    """Flexible nodes that are none of it any more, by their keys."""
    rules: tuple[PlannedRule, ...] = ()
    """What the new version does by itself while the deal stands in the stage (PROC-1)."""
    facts_ended: tuple[str, ...] = ()
    """Noted facts that the new version does not know, or knows as another kind."""
    waivers_ended: tuple[WaivedCriterion, ...] = ()
    """Waivers of what the new version does not ask, or asks otherwise."""
    submissions_ended: tuple[str, ...] = ()
    """The gates at which an approval, or what waits for one, counts no more in the new version (DEAL-2)."""
    unmet: tuple[UnmetCriterion, ...] = ()
    """What the entry of the new stage asks, and is not met."""
    waived: tuple[WaivedCriterion, ...] = ()
    """What the entry of the new stage asks, is not met, and was waived."""
    idle_days: int = 3
    ends_notices: bool = False
    """Whether a rule of a stage had somebody notified, who need not know any more: the deal stands in another stage."""
    drafts_contract: bool = False
    """Whether the new stage is where the contract is drafted, and the stage before was not (CON-1)."""
    lines: AsKnown[tuple[DealLine, ...]] = ()
    """What the contract is about, where it is drafted here; else nothing."""
    quote: AsKnown[DealQuote | None] = None
    """The quote that the contract comes of, where it is drafted here and one is accepted."""
    process_migration_id: UUID | None = None
    """The migration of many deals that it was part of."""
    name: str = ""
    account_id: UUID | None = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None
    reason: FreeText[str | None] = None
    on: date | None = None
    """The company's day on which it was migrated."""
