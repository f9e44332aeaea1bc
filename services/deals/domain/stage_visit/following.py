"""How stage visits go with their lead, or with the deal of their contract: they are whose that is, end with it, are
called as it is, and forget what it forgets (PROC-1, DATA-4)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import UUID

from services.deals.domain.stage_visit.state import (
    AnyStageVisit,
    NoStageVisit,
    OpenStageVisit,
    StageVisit,
    VisitNode,
    stage_visit,
)
from services.deals.domain.stage_visit.visiting import came_to_nothing, left
from services.deals.domain.support_request.following import FollowedDeal
from shared.domain.aggregate import Decision, Occurrence
from shared.domain.context import Context
from shared.domain.references import AnyMemberId, AnyTeamId
from shared.domain.roles import ONLY_SERVICES
from shared.events.deals.stage_visit import StageVisitDealChanged, StageVisitHandedOver, StageVisitTextsErased
from shared.events.definition import value


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitsOfDeal:
    """The stages that the contract of a deal has entered, as a handler is given them."""

    visits: tuple[AnyStageVisit, ...] = ()


@value
class HandOverVisit:
    """The lead is somebody else's."""

    owner: AnyMemberId | None
    team: AnyTeamId | None


@value
class EraseVisitTexts:
    """What people wrote about the lead is erased."""


@stage_visit.decides(allow=ONLY_SERVICES)
def hand_over_visit(state: NoStageVisit | AnyStageVisit, command: HandOverVisit) -> Decision:
    """Have a visit belong to whom its lead belongs to now."""
    if not isinstance(state, StageVisit) or (state.owner, state.team) == (command.owner, command.team):
        return []
    return [StageVisitHandedOver(stage_visit_id=state.id, owner=command.owner, team=command.team)]


@stage_visit.decides(allow=ONLY_SERVICES)
def erase_visit_texts(state: NoStageVisit | AnyStageVisit, command: EraseVisitTexts) -> Decision:
    """Delete what people wrote in a visit; what was done, when and by whom stays."""
    if not isinstance(state, StageVisit) or not state.written:
        return []
    return [StageVisitTextsErased(stage_visit_id=state.id)]


@stage_visit.evolves
def handed_over(state: AnyStageVisit, event: StageVisitHandedOver) -> AnyStageVisit:
    return replace(state, owner=event.owner, team=event.team)


@stage_visit.evolves
def deal_changed(state: AnyStageVisit, event: StageVisitDealChanged) -> AnyStageVisit:
    return replace(state, name=event.name, account_id=event.account_id)


@stage_visit.evolves
def texts_were_erased(state: AnyStageVisit, event: StageVisitTextsErased) -> AnyStageVisit:
    return replace(state, nodes=tuple(_forgotten(node) for node in state.nodes), written=False)


def following(visits: VisitsOfDeal, deal: FollowedDeal, context: Context) -> Iterator[Occurrence]:
    """What brings the stages of a contract in line with its deal.

    They end with a deal that comes to nothing, and do not begin again when it is reopened. Whose they are is decided
    with hand-overs: of the deal, and once that is won, of a stage alone.
    """
    for visit in visits.visits:
        if isinstance(visit, OpenStageVisit) and came_to_nothing(deal.status):
            yield Occurrence(event=left(visit, f"deal-{deal.status}", context), to=visit.id)
        if (visit.name, visit.account_id) != (deal.name, deal.account_id):
            changed = StageVisitDealChanged(stage_visit_id=visit.id, name=deal.name, account_id=deal.account_id)
            yield Occurrence(event=changed, to=visit.id)


def handed_over_with(visits: VisitsOfDeal, owner: UUID, team: UUID | None) -> Iterator[Occurrence]:
    """The stages of a contract are handed over along with its deal, by the decision about the deal: a manager's later
    word about one of them stands."""
    for visit in visits.visits:
        if (visit.owner, visit.team) != (owner, team):
            handed = StageVisitHandedOver(stage_visit_id=visit.id, owner=owner, team=team)
            yield Occurrence(event=handed, to=visit.id)


def is_stood_in(visits: VisitsOfDeal) -> bool:
    """Whether the contract of the deal stands in a stage."""
    return any(isinstance(each, OpenStageVisit) for each in visits.visits)


def forgetting(visits: VisitsOfDeal) -> Iterator[Occurrence]:
    """What people wrote in the stages of a contract goes with what they wrote about its deal (DATA-4): by the decision
    about the deal, so that nothing goes that is written afterwards."""
    for visit in visits.visits:
        if visit.written:
            yield Occurrence(event=StageVisitTextsErased(stage_visit_id=visit.id), to=visit.id)


def _forgotten(node: VisitNode) -> VisitNode:
    return node if node.evidence is None else replace(node, evidence="")
