"""How stage visits go with their lead, or with the deal of their contract: they are whose that is, and forget what that
forgets (PROC-1, DATA-4)."""

from dataclasses import replace

from services.deals.domain.stage_visit.state import AnyStageVisit, NoStageVisit, StageVisit, VisitNode, stage_visit
from shared.domain.aggregate import Decision
from shared.domain.references import AnyMemberId, AnyTeamId
from shared.domain.roles import ONLY_SERVICES
from shared.events.deals.stage_visit import StageVisitHandedOver, StageVisitTextsErased
from shared.events.definition import value


@value
class HandOverVisit:
    """The lead or the deal is somebody else's."""

    owner: AnyMemberId | None
    team: AnyTeamId | None


@value
class EraseVisitTexts:
    """What people wrote about the lead or the deal is erased."""


@stage_visit.decides(allow=ONLY_SERVICES)
def hand_over_visit(state: NoStageVisit | AnyStageVisit, command: HandOverVisit) -> Decision:
    """Have a visit belong to whom its lead, or its deal, belongs to now."""
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
def texts_were_erased(state: AnyStageVisit, event: StageVisitTextsErased) -> AnyStageVisit:
    return replace(state, nodes=tuple(_forgotten(node) for node in state.nodes), written=False)


def _forgotten(node: VisitNode) -> VisitNode:
    return node if node.evidence is None else replace(node, evidence="")
