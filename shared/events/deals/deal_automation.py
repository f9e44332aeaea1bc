"""Events of what a deal's process does by itself: rules of a stage, and that the deal is ready to move on (PROC-1)."""

from datetime import date
from uuid import UUID

from shared.events.chronology import Rank
from shared.events.deals.deal import DueNode
from shared.events.definition import AsKnown, event
from shared.events.process import Template


@event("deals.deal-rule-fired", aggregate="deal", rank=Rank.CHANGE)
class DealRuleFired:
    """What a rule of the stage says happens: work is due, help is asked, or somebody is notified. At most once in each
    visit of the stage."""

    deal_id: UUID
    stage: str
    rule: str
    """By its key in the stage."""
    firing_id: UUID
    """By what this is known again: it stays where the fact is told anew, because another one of its request was
    corrected."""
    name: str
    """What the rule is called: why it happens."""
    trigger: str
    """entry, fact or timer."""
    on: date | None = None
    """The company's day on which it happened."""
    nodes: tuple[DueNode, ...] = ()
    """The task or deliverable of the stage that is due now."""
    flexible_node: str | None = None
    """The flexible node that is added, by its key; one that bound the deal before stays as it is."""
    support_type: str | None = None
    """The support type of which help is asked."""
    notify: tuple[str, ...] | None = None
    """Who gets a notice: owner, manager, or a role."""
    template: Template | None = None
    """What they are to use."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-rule-lapsed", aggregate="deal", rank=Rank.CHANGE)
class DealRuleLapsed:
    """The time of a rule came, and what it waits for was not so: nothing happens in this visit of the stage."""

    deal_id: UUID
    stage: str
    rule: str
    on: date | None = None
    """The company's day on which its time came."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-ready-to-move-on", aggregate="deal", rank=Rank.CHANGE)
class DealReadyToMoveOn:
    """Every exit criterion of the stage is met, every entry criterion of the next one, and the exit of each flexible
    node that binds it there, or waived."""

    deal_id: UUID
    stage: str
    next_stage: str | None
    """None after the last one: what is left is the outcome."""
    by_itself: bool
    """Whether the deal enters the next stage by itself."""
    on: date
    """The company's day on which that became so."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-readiness-withdrawn", aggregate="deal", rank=Rank.CHANGE)
class DealReadinessWithdrawn:
    """The deal was ready to move on, and a criterion is not met any more."""

    deal_id: UUID
    stage: str
    on: date | None = None
    """The company's day on which that became so."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None
