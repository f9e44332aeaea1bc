"""How managers give the stage of a contract to somebody else: a deal that is won is handed over no more (ACCT-4)."""

from typing import Any, ClassVar

from services.deals.domain.stage_visit.state import OpenStageVisit, stage_visit
from shared.domain.aggregate import Decision
from shared.domain.references import AnyMemberId, AnyTeamId
from shared.domain.rejection import Rejected
from shared.domain.roles import MANAGING
from shared.events.deals.stage_visit import StageVisitHandedOver
from shared.events.definition import value


@value
class HandOverStage:
    """The stage of a contract goes to another person, or team."""

    owner: AnyMemberId
    """An active member, of this team or any other."""
    team: AnyTeamId | None = None
    """Default: the stage stays with its team."""

    example: ClassVar[dict[str, Any]] = {"owner": "01936d2f-8a5c-7e54-b8a1-3d2c9b5e7f10"}


@stage_visit.decides(allow=MANAGING)
def hand_over(state: OpenStageVisit, command: HandOverStage) -> Decision:
    """Hand the stage of a contract over to another person, with the work that is due.

    While its deal is open, a hand-over of that takes the stage along.
    """
    if state.subject == "lead":
        raise Rejected("of-a-lead", "The stage of a lead is whose the lead is: assign that.")
    team = command.team or state.team
    if (command.owner, team) == (state.owner, state.team):
        return []
    return [StageVisitHandedOver(stage_visit_id=state.id, owner=command.owner, team=team)]
