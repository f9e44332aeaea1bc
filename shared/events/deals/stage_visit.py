"""Events of a stage visit: a lead or a contract in a stage outside of deals, and what its process does there
(PROC-1)."""

from datetime import date
from uuid import UUID

from shared.events.deals.deal import DueNode, PlannedRule
from shared.events.definition import AsKnown, FreeText, event
from shared.events.process import Template


@event("deals.stage-visit-begun", aggregate="stage-visit")
class StageVisitBegun:
    """A lead or a contract entered a stage of its process that does something by itself; once for each stage."""

    stage_visit_id: UUID
    subject: str
    """lead or contract."""
    begins: str
    """The fact by which the stage was entered: captured, assigned or worked-on; signed or in-force."""
    lead_id: UUID | None
    contract_id: UUID | None
    deal_id: UUID | None
    """Of a contract, its deal."""
    name: str
    """Of a lead what its company is called, else its domain, else where the interest came from; never the person. Of a
    contract what its deal was called then."""
    process_id: UUID
    process_version: int
    stage: str
    roles: tuple[str, ...]
    """Who does its work, beside whoever has the lead or the deal, and who answers for them."""
    on: date
    """The company's day on which it began."""
    nodes: tuple[DueNode, ...]
    """The work that is due from now on."""
    rules: tuple[PlannedRule, ...]
    """What happens by itself later: each with its time."""
    owner: UUID | None
    team: UUID | None
    account_id: UUID | None


@event("deals.stage-visit-rule-fired", aggregate="stage-visit")
class StageVisitRuleFired:
    """What a rule of the stage says happens: work is due, or somebody is notified. Once in a visit."""

    stage_visit_id: UUID
    subject: str
    """lead or contract."""
    subject_id: UUID
    """The lead or the contract."""
    stage: str
    rule: str
    """By its key in the stage."""
    firing_id: UUID
    """By what this is known again."""
    name: str
    """What the rule is called: why it happens."""
    trigger: str
    """entry or timer."""
    on: date
    """The company's day on which it happened."""
    nodes: tuple[DueNode, ...] = ()
    """The task or deliverable of the stage that is due now."""
    notify: tuple[str, ...] | None = None
    """Who gets a notice: owner, manager, or a role."""
    template: Template | None = None
    """What they are to use."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.stage-visit-rule-lapsed", aggregate="stage-visit")
class StageVisitRuleLapsed:
    """The time of a rule came, and the work that it asks about was done: nothing happens."""

    stage_visit_id: UUID
    stage: str
    rule: str
    on: date
    """The company's day on which its time came."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.stage-work-completed", aggregate="stage-visit")
class StageWorkCompleted:
    """A task of the stage is done, or a deliverable is there."""

    stage_visit_id: UUID
    stage: str
    key: str
    kind: str
    """task or deliverable."""
    required: bool
    due: date | None
    """None where it was not due: it was done before anything called for it."""
    on: date
    by: UUID | None
    evidence: FreeText[str] = ""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.stage-visit-ended", aggregate="stage-visit")
class StageVisitEnded:
    """The lead or the contract stands in the stage no more: nothing of it is due any longer."""

    stage_visit_id: UUID
    stage: str
    cause: str
    """done, next-stage, converted, disqualified, duplicate or erased; of a contract, deal-lost or deal-abandoned."""
    on: date
    ends_notices: bool = True
    """Whether nobody has to know any more what rules of the stage told; not where one told it as the last thing that
    happened in the stage."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.stage-visit-handed-over", aggregate="stage-visit")
class StageVisitHandedOver:
    """The lead or the deal is somebody else's, and so is what is due in the stage."""

    stage_visit_id: UUID
    owner: UUID | None
    team: UUID | None
    account_id: AsKnown[UUID | None] = None


@event("deals.stage-visit-deal-changed", aggregate="stage-visit")
class StageVisitDealChanged:
    """The deal of the contract is called otherwise, or has another customer; and so has the visit."""

    stage_visit_id: UUID
    name: str
    account_id: UUID | None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.stage-visit-texts-erased", aggregate="stage-visit", erases="stage_visit_id")
class StageVisitTextsErased:
    """What people wrote in it until then is gone (DATA-4)."""

    stage_visit_id: UUID
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None
