"""What other services' events bring about here: a converted lead becomes a deal (DEAL-1), whoever is erased is in none
(DATA-4), and a lead or a contract enters and leaves stages of its process (PROC-1). And what our own bring about:
support requests, quotes and stages of a contract go with their deal (DEAL-12, DEAL-8, PROC-1), a rule of a stage asks
for help, a deal that is ready moves on by itself where its process says so (PROC-1), and a migration takes its next
step (PROC-2)."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID, uuid5

from services.deals.domain.deal import deal
from services.deals.domain.deal.approval import RenameApprovals
from services.deals.domain.deal.automation import MoveOn, Reevaluate
from services.deals.domain.deal.changes import RenameDeal
from services.deals.domain.deal.erasure import EraseTexts
from services.deals.domain.deal.following import BringInLine
from services.deals.domain.deal.opening import OpenConvertedDeal
from services.deals.domain.process_migration import process_migration
from services.deals.domain.process_migration.running import TakeStep
from services.deals.domain.stage_visit import stage_visit
from services.deals.domain.stage_visit.following import EraseVisitTexts, HandOverVisit
from services.deals.domain.stage_visit.state import visit_of
from services.deals.domain.stage_visit.visiting import BeginContractStage, BeginLeadStage, EndVisit, LeaveForNext
from services.deals.domain.support_request import support_request
from services.deals.domain.support_request.asking import AskForSupport
from shared.events.contracts.contract import ContractActivated, ContractSigned
from shared.events.deals.deal import (
    DealAbandoned,
    DealHandedOver,
    DealLost,
    DealMoved,
    DealNodeCompleted,
    DealRenamed,
    DealWon,
)
from shared.events.deals.deal_approval import DealSubmissionApproved
from shared.events.deals.deal_automation import DealReadyToMoveOn, DealRuleFired
from shared.events.deals.deal_edit import DealAccountChanged
from shared.events.deals.process_migration import ProcessMigrationAdvanced, ProcessMigrationStarted
from shared.events.deals.quote import QuoteAccepted, QuoteSetAside
from shared.events.envelope import Envelope
from shared.events.leads.account import ContactErased
from shared.events.leads.lead import (
    LeadActivityLogged,
    LeadAssigned,
    LeadCaptured,
    LeadConverted,
    LeadDisqualified,
    LeadErased,
    LeadLeftUnassigned,
    LeadMarkedDuplicate,
)
from shared.events.process import LEAD_MILESTONES, ContractMilestone, LeadMilestone
from shared.reactions.registry import Do, Reactions

reactions = Reactions("deals")

BEGINS: Mapping[type, ContractMilestone] = {ContractSigned: "signed", ContractActivated: "in-force"}
"""By which milestone a contract enters a stage."""
ENDS: Mapping[type, str] = {
    LeadConverted: "converted",
    LeadDisqualified: "disqualified",
    LeadMarkedDuplicate: "duplicate",
    LeadErased: "erased",
}
"""How a lead has ended, by what tells it."""


@reactions.on
def open_converted_deal(event: LeadConverted, fact: Envelope[LeadConverted]) -> Iterable[Do]:
    """DEAL-1: a lead that was converted with a deal opens it."""
    if event.deal_id is None:
        return
    yield Do(
        aggregate=deal,
        aggregate_id=event.deal_id,
        command=OpenConvertedDeal(
            name=event.deal_name or f"Lead from {event.source}",
            lead_id=event.lead_id,
            captured_at=event.captured_at,
            account_id=event.account_id,
            source=event.source,
            owner=event.owner,
            team=event.team,
            amount=event.amount,
            expected_close=event.expected_close,
            industry=event.industry,
            company_size=event.company_size,
            country=event.country,
        ),
    )


@reactions.on
def forget_whoever_was_erased(
    event: LeadErased | ContactErased, fact: Envelope[LeadErased | ContactErased]
) -> Iterable[Do]:
    """DATA-4: the deals that somebody had to do with name them no more, neither in their texts nor in what they are
    called. Of one that never came nothing is done, and that is told."""
    for gone in event.deals:
        if not gone.texts_kept:
            yield Do(aggregate=deal, aggregate_id=gone.deal_id, command=EraseTexts())
        if gone.name is not None:
            yield Do(aggregate=deal, aggregate_id=gone.deal_id, command=RenameDeal(name=gone.name))


@reactions.on
def bring_in_line_with_the_deal(
    event: DealWon | DealLost | DealAbandoned | DealHandedOver | DealRenamed | DealAccountChanged,
    fact: Envelope[DealWon | DealLost | DealAbandoned | DealHandedOver | DealRenamed | DealAccountChanged],
) -> Iterable[Do]:
    """DEAL-8, DEAL-12, PROC-1: help for a deal that has ended is withdrawn, and so is what was offered; else it is its
    owner's, under its name and for its customer. The stages of a contract end with a deal that comes to nothing, and
    are called as it is."""
    yield Do(aggregate=deal, aggregate_id=event.deal_id, command=BringInLine())


@reactions.on
def rename_approvals_of_renamed_deal(event: DealRenamed, fact: Envelope[DealRenamed]) -> Iterable[Do]:
    """DATA-4, DEAL-2: what was submitted for approval is called as its deal, for whatever reason that was renamed."""
    yield Do(aggregate=deal, aggregate_id=event.deal_id, command=RenameApprovals())


@reactions.on(when="ends_what_waits", imported=True, live=True)
def take_back_what_waits(
    event: DealMoved | DealNodeCompleted | DealWon | DealLost | DealAbandoned,
    fact: Envelope[DealMoved | DealNodeCompleted | DealWon | DealLost | DealAbandoned],
) -> Iterable[Do]:
    """DEAL-2, DEAL-12: history is decided without what follows at once. What waited by it for an approval, help for a
    deal that has ended by it, and what is due in the stages of its contract, is taken back all the same: that happens
    now, so whoever was told of it is answered."""
    yield Do(aggregate=deal, aggregate_id=event.deal_id, command=Reevaluate())
    if not isinstance(event, DealMoved | DealNodeCompleted):
        yield Do(aggregate=deal, aggregate_id=event.deal_id, command=BringInLine())


@reactions.on
def take_the_next_step(
    event: ProcessMigrationStarted | ProcessMigrationAdvanced,
    fact: Envelope[ProcessMigrationStarted | ProcessMigrationAdvanced],
) -> Iterable[Do]:
    """PROC-2: a migration goes on after the last deal that it came to, until it was completed or stopped."""
    yield Do(aggregate=process_migration, aggregate_id=event.process_migration_id, command=TakeStep(after=event.after))


@reactions.on(when="support_type")
def ask_for_support_by_rule(event: DealRuleFired, fact: Envelope[DealRuleFired]) -> Iterable[Do]:
    """PROC-1: a rule of a stage asks for help, in the words of its name."""
    yield Do(
        aggregate=support_request,
        aggregate_id=uuid5(event.firing_id, "support request"),
        command=AskForSupport(deal_id=event.deal_id, type=event.support_type, what=event.name),
    )


@reactions.on
def reevaluate_once_approved(event: DealSubmissionApproved, fact: Envelope[DealSubmissionApproved]) -> Iterable[Do]:
    """DEAL-2: an approval that is there may make the deal ready; its approver wrote that to the deal from outside."""
    yield Do(aggregate=deal, aggregate_id=event.deal_id, command=Reevaluate())


@reactions.on
def reevaluate_once_quoted(
    event: QuoteAccepted | QuoteSetAside, fact: Envelope[QuoteAccepted | QuoteSetAside]
) -> Iterable[Do]:
    """DEAL-8: that a quote is accepted, and what the deal is worth by it, may make the deal ready, and ready no more
    once it is set aside; the quote wrote that to it from outside."""
    yield Do(aggregate=deal, aggregate_id=event.deal_id, command=Reevaluate())


@reactions.on(when="by_itself")
def move_on_by_itself(event: DealReadyToMoveOn, fact: Envelope[DealReadyToMoveOn]) -> Iterable[Do]:
    """PROC-1: a deal that is ready moves on by itself, where its process says so of the stage."""
    yield Do(aggregate=deal, aggregate_id=event.deal_id, command=MoveOn(stage=event.stage))


@reactions.on
def begin_stage_of_captured_lead(event: LeadCaptured, fact: Envelope[LeadCaptured]) -> Iterable[Do]:
    """PROC-1: a lead that was captured enters the stage that begins with that."""
    name = event.company_name or event.company_domain or event.source
    command = BeginLeadStage(lead_id=event.lead_id, begins="captured", name=name, industry=event.industry)
    yield _of_lead(event.lead_id, "captured", command)


@reactions.on
def begin_stage_of_assigned_lead(event: LeadAssigned, fact: Envelope[LeadAssigned]) -> Iterable[Do]:
    """PROC-1: a lead that somebody has enters the stage that begins with that, and what is due in its stages is
    theirs."""
    command = BeginLeadStage(lead_id=event.lead_id, begins="assigned", owner=event.member_id, team=event.team_id)
    yield from _goes_on(event.lead_id, "assigned", command)
    for begins in LEAD_MILESTONES:
        yield _of_lead(event.lead_id, begins, HandOverVisit(owner=event.member_id, team=event.team_id))


@reactions.on(when="team_id")
def hand_over_stage_of_lead_in_the_pool(event: LeadLeftUnassigned, fact: Envelope[LeadLeftUnassigned]) -> Iterable[Do]:
    """PROC-1, LEAD-4: what is due for a lead in the pool is its team's. It was captured right before, and stands in no
    other stage."""
    yield _of_lead(event.lead_id, "captured", HandOverVisit(owner=None, team=event.team_id))


@reactions.on
def begin_stage_of_lead_worked_on(event: LeadActivityLogged, fact: Envelope[LeadActivityLogged]) -> Iterable[Do]:
    """PROC-1: a lead that somebody works on enters the stage that begins with that; with the first activity alone."""
    command = BeginLeadStage(lead_id=event.lead_id, begins="worked-on", owner=event.owner, team=event.team)
    yield from _goes_on(event.lead_id, "worked-on", command)


@reactions.on
def end_stages_of_lead(
    event: LeadConverted | LeadDisqualified | LeadMarkedDuplicate | LeadErased,
    fact: Envelope[LeadConverted | LeadDisqualified | LeadMarkedDuplicate | LeadErased],
) -> Iterable[Do]:
    """PROC-1: nothing of a lead's stages is due once it has ended; what was written in them goes with the person
    (DATA-4)."""
    for begins in LEAD_MILESTONES:
        yield _of_lead(event.lead_id, begins, EndVisit(cause=ENDS[type(event)]))
        if isinstance(event, LeadErased):
            yield _of_lead(event.lead_id, begins, EraseVisitTexts())


@reactions.on(when="deal_id")
def begin_stage_of_contract(
    event: ContractSigned | ContractActivated, fact: Envelope[ContractSigned | ContractActivated]
) -> Iterable[Do]:
    """PROC-1, ACCT-6: a contract of a deal enters the stage that begins with its signature, or with being in force."""
    assert event.deal_id is not None
    begins = BEGINS[type(event)]
    command = BeginContractStage(contract_id=event.contract_id, deal_id=event.deal_id, begins=begins)
    yield Do(aggregate=stage_visit, aggregate_id=visit_of(event.deal_id, begins), command=command)


def _goes_on(lead_id: UUID, begins: LeadMilestone, command: BeginLeadStage) -> Iterable[Do]:
    """A lead leaves the stages before for the one that it enters."""
    for before in LEAD_MILESTONES[: LEAD_MILESTONES.index(begins)]:
        yield _of_lead(lead_id, before, LeaveForNext(begins=begins))
    yield _of_lead(lead_id, begins, command)


def _of_lead(lead_id: UUID, begins: LeadMilestone, command: Any) -> Do:
    return Do(aggregate=stage_visit, aggregate_id=visit_of(lead_id, begins), command=command)
