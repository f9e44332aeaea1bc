"""The route that proposes how deals are handed over to several members, as rows of a bulk hand-over (ACCT-4)."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from annotated_types import MaxLen, MinLen
from fastapi import Query, Response

from services.deals.domain.sharing import By, SharedDeal, dearest_first, shared_out
from services.deals.projections.deals import DEAL_PROJECTION
from services.deals.projections.exchange_rates import EXCHANGE_RATE_PROJECTION
from services.deals.projections.lookups import conversion_of
from shared.domain.money import rounded
from shared.domain.permissions import sees
from shared.domain.roles import MANAGING
from shared.events.money import Money
from shared.http.handwritten import CurrentActor, CurrentService, answer, handwritten, operation
from shared.http.json import answer_shape
from shared.projections.errors import InvalidQuery, invalid
from shared.service.bulk_routes import MOST_ROWS

router = handwritten()

OPEN = """
select id, version, owner, team, amount, currency from {view}.deal
 where status = 'open' and (owner = $1 or id = any($2::uuid[]))
 order by id
"""


@answer_shape
class Successor:
    """To whom the deal goes."""

    owner: UUID


@answer_shape
class PlannedHandOver:
    """A row of `bulkHandOverDeal`, to be sent as it is, or with a team and a reason."""

    id: UUID
    version: int
    command: Successor


@answer_shape
class HandOverShare:
    """What a member would get."""

    owner: UUID
    deals: int
    worth: Money
    """In the company's currency, by the last rates."""
    without_rate: int
    """How many of them are in a currency for which there is no rate, and are in no sum."""


@answer_shape
class HandOverPlan:
    """Who would get which deal. Nothing is recorded: `bulkHandOverDeal` takes the rows."""

    by: By
    shares: list[HandOverShare]
    rows: list[PlannedHandOver]
    """The dearest first, at most as many as one bulk command takes."""
    left: int
    """How many open deals there are beyond these rows: what is handed over is open under another owner, so ask again
    afterwards."""


Owner = Annotated[UUID | None, Query(description="All open deals of this member that you may hand over.")]
Deals = Annotated[
    Annotated[list[UUID], MaxLen(MOST_ROWS)] | None, Query(alias="deal", description="These open deals, one each time.")
]
To = Annotated[
    Annotated[list[UUID], MinLen(1), MaxLen(20)], Query(description="A member who takes deals over, one each time.")
]
Sharing = Annotated[By, Query(description="Whether everybody gets as many deals, or deals worth as much.")]


@router.get(
    "/v1/hand-over-plan",
    **operation(roles=MANAGING, reads=(DEAL_PROJECTION.name, EXCHANGE_RATE_PROJECTION.name), answers=HandOverPlan),
)
async def plan_hand_over(  # noqa: PLR0917 - the parameters are those of the query
    asking: CurrentActor,
    service: CurrentService,
    to: To,
    owner: Owner = None,
    deals: Deals = None,
    by: Sharing = "value",
) -> Response:
    """Propose who takes over which deals, of a member who leaves or of a list.

    By value, the dearest deal goes first, each to whoever has least so far; by count, in turn. The rows are those of
    `bulkHandOverDeal`: try them out there, change them, or send them as they are.
    """
    _refuse(owner, deals, to)
    async with service.projections.reading([DEAL_PROJECTION.name]) as snapshot:
        found = await snapshot(DEAL_PROJECTION).fetch(OPEN, owner, deals or [])
    company = service.settings.company
    reached = [row for row in found if sees(asking, MANAGING, row["owner"], row["team"])]
    currencies = {row["currency"] for row in reached}
    today = company.day(service.clock.now())
    worth = (await conversion_of(service.projections.lookup, currencies, company.currency, today)).worth
    deals_worth = [
        SharedDeal(id=row["id"], worth=worth(Money(amount=row["amount"], currency=row["currency"]))) for row in reached
    ]
    versions = {row["id"]: row["version"] for row in reached}
    return answer(_plan(deals_worth, versions, to, by, company.currency))


def _refuse(owner: UUID | None, deals: Sequence[UUID] | None, to: Sequence[UUID]) -> None:
    wrong = []
    if (owner is None) == (deals is None):
        wrong.append(invalid("owner", "owner-or-deals", "Say whose deals, or which: one of owner and deal."))
    if len(set(to)) < len(to):
        wrong.append(invalid("to", "repeated", "Name each member once."))
    if owner in to:
        wrong.append(invalid("to", "same-owner", "Whoever takes the deals over is somebody else."))
    if wrong:
        raise InvalidQuery(wrong)


def _plan(
    deals: Sequence[SharedDeal], versions: Mapping[UUID, int], to: Sequence[UUID], by: By, currency: str
) -> HandOverPlan:
    some = dearest_first(deals)[:MOST_ROWS]
    given = shared_out(some, to, by)
    return HandOverPlan(
        by=by,
        shares=[_share(member, [each for each in some if given[each.id] == member], currency) for member in to],
        rows=[
            PlannedHandOver(id=each.id, version=versions[each.id], command=Successor(owner=given[each.id]))
            for each in some
        ],
        left=len(deals) - len(some),
    )


def _share(member: UUID, deals: Sequence[SharedDeal], currency: str) -> HandOverShare:
    known = [each.worth for each in deals if each.worth is not None]
    return HandOverShare(
        owner=member,
        deals=len(deals),
        worth=Money(amount=rounded(sum(known, Decimal(0)), currency), currency=currency),
        without_rate=len(deals) - len(known),
    )
