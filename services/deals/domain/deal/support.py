"""What becomes of the help that was asked for a deal (DEAL-12): the deal decides it for all of its support requests."""

from services.deals.domain.deal.state import AnyDeal, deal
from services.deals.domain.support_request.following import FollowedDeal, SupportOfDeal, following
from shared.domain.aggregate import Decision, status_of
from shared.domain.context import Context
from shared.domain.roles import ONLY_SERVICES
from shared.events.definition import value


@value
class BringSupportInLine:
    """The deal has ended, is called otherwise, or has another owner or customer: its support requests follow."""


@deal.decides(allow=ONLY_SERVICES)
def bring_support_in_line(
    state: AnyDeal, command: BringSupportInLine, context: Context, support: SupportOfDeal
) -> Decision:
    """Withdraw what nobody needs any more, and have the rest belong to whom the deal belongs to now."""
    now = FollowedDeal(
        status=status_of(deal, state),
        name=state.name,
        owner=state.owner,
        team=state.team,
        account_id=state.account_id,
    )
    return list(following(support, now, context))
