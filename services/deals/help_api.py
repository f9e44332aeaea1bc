"""The route of the help that is asked for with a deal, the guidance, and what came of it (DEAL-6)."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path, Response

from services.deals.domain.deal import deal
from services.deals.domain.deal.helping import HelpKind, HelpOutcome, Urgency
from services.deals.domain.deal.state import HelpRequest as Asked
from shared.domain.aggregate import carried
from shared.domain.roles import READING
from shared.http.handwritten import CurrentActor, CurrentService, answer, handwritten, operation
from shared.http.headers import etag
from shared.http.json import answer_shape

router = handwritten()


@answer_shape
class HelpRequest:
    """What was asked of whoever leads the rep. Texts that were erased are null."""

    id: UUID
    kind: HelpKind
    urgency: Urgency
    question: str | None
    asked_by: UUID | None
    asked_on: date | None
    guidance: str | None
    guided_by: UUID | None
    guided_on: date | None
    """Null as long as nobody has answered."""
    outcome: HelpOutcome | Literal["withdrawn"] | None
    """What came of it; withdrawn, where nobody had answered when the deal ended; null as long as it is open."""
    note: str | None
    concluded_on: date | None


@answer_shape
class HelpWithDeal:
    """All that was asked with a deal, the first first. `version` is that of the deal."""

    id: UUID
    version: int
    items: list[HelpRequest]


@router.get(
    "/v1/deals/{id}/help",
    **operation(roles=READING, answers=HelpWithDeal, problems=("not-found",)),
    name="get_help_with_deal",
)
async def help_with_deal(
    asking: CurrentActor, service: CurrentService, deal_id: Annotated[UUID, Path(alias="id")]
) -> Response:
    """Show what help was asked for with a deal, what was answered, and what came of it."""
    held = await service.commands.seen(deal, deal_id, asking)
    items = [HelpRequest(**carried(each, Asked)) for each in held.state.help]
    return answer(HelpWithDeal(id=deal_id, version=held.sequence, items=items), headers={"ETag": etag(held.sequence)})
