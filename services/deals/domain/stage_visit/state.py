"""What is known of a stage visit, the states that it can stand in, and by what it is known again (PROC-1)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID, uuid5

from services.deals.domain.process.state import Process
from shared.domain.aggregate import Aggregate
from shared.domain.roles import READING
from shared.events.deals.deal import DueNode, PlannedRule
from shared.events.definition import value
from shared.events.process import ContractMilestone, LeadMilestone, OutsideStage


@value
class NoStageVisit:
    """Nothing has entered this stage, or nothing comes of it there."""


@value
class VisitNode:
    """A task or deliverable of the stage: due, done, or both."""

    key: str
    kind: str
    required: bool
    due: date | None
    """None where it was done before anything called for it."""
    by_rule: str | None = None
    """The rule that called for it, by its key."""
    done_on: date | None = None
    done_by: UUID | None = None
    evidence: str | None = None
    """What was written when it was done; empty once that is erased."""


@value
class FiredVisitRule:
    """A rule of the stage that fired."""

    key: str
    name: str
    trigger: str
    on: date
    notified: bool
    """Whether it names whom to notify; a lead may have nobody whom that would be."""


@value
class StageVisit:
    """What is known of a visit, whatever its state. It belongs to whom the lead, or the contract's deal, belongs to."""

    id: UUID
    subject: str
    begins: str
    lead_id: UUID | None
    contract_id: UUID | None
    deal_id: UUID | None
    name: str
    process_id: UUID
    process_version: int
    stage: str
    roles: tuple[str, ...]
    begun_on: date
    nodes: tuple[VisitNode, ...]
    rules: tuple[PlannedRule, ...]
    """The timers whose time has not come."""
    fired_rules: tuple[FiredVisitRule, ...]
    written: bool
    """Whether there is anything that somebody wrote in it (DATA-4)."""
    owner: UUID | None
    team: UUID | None
    account_id: UUID | None

    @property
    def subject_id(self) -> UUID:
        """The lead or the contract."""
        subject_id = self.lead_id or self.contract_id
        assert subject_id is not None
        return subject_id


@value
class OpenStageVisit(StageVisit):
    """The lead or the contract stands in the stage."""


@value
class EndedStageVisit(StageVisit):
    """It stands there no more."""

    cause: str
    ended_on: date


AnyStageVisit = OpenStageVisit | EndedStageVisit

stage_visit = Aggregate("stage-visit", plural="stage-visits", start=NoStageVisit, readers=READING)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideProcess:
    """The version of a process that a lead or a contract follows, as a handler is given it, and whose its deal is."""

    process: Process | None = None
    """None where there is none for it."""
    name: str = ""
    status: str = ""
    """Of a contract, that of its deal."""
    owner: UUID | None = None
    team: UUID | None = None
    account_id: UUID | None = None
    begun: frozenset[LeadMilestone] = frozenset()
    """Of a lead, by what the stages begin in which it was."""


def visit_of(thing: UUID, begins: LeadMilestone | ContractMilestone) -> UUID:
    """The id of the visit of the stage that begins with a milestone: of a lead, or of a contract by its deal. So there
    is one, however often and by whom the milestone is told."""
    return uuid5(thing, f"stage visit {begins}")


def stage_of(state: StageVisit, process: Process) -> OutsideStage:
    """The stage that is visited, in the version of the process that was followed then."""
    return next(each for each in process.definition.outside_stages if each.key == state.stage)


def is_done(state: StageVisit, key: str | None) -> bool:
    """Whether a task or deliverable is done."""
    return any(node.key == key and node.done_on is not None for node in state.nodes)


def with_due(known: tuple[VisitNode, ...], due: Iterable[DueNode], rule: str | None = None) -> tuple[VisitNode, ...]:
    """The work of a visit with what fell due; what was done before stays as it is."""
    before = {node.key for node in known}
    new = (
        VisitNode(key=node.key, kind=node.kind, required=node.required, due=node.due, by_rule=rule)
        for node in due
        if node.key not in before
    )
    return (*known, *new)


def with_done(known: tuple[VisitNode, ...], done: VisitNode) -> tuple[VisitNode, ...]:
    """The work of a visit once a piece of it is done."""
    before = next((node for node in known if node.key == done.key), None)
    if before is None:
        return (*known, done)
    return tuple(replace(done, by_rule=node.by_rule) if node.key == done.key else node for node in known)
