"""What goes with a deal: the help that was asked for it (DEAL-12), its quotes (DEAL-8), and the stages of its contract
(PROC-1). The deal decides it for all of them."""

from services.deals.domain.deal.state import AnyDeal, deal
from services.deals.domain.quote import following as of_quotes
from services.deals.domain.quote.following import QuotesOfDeal
from services.deals.domain.stage_visit import following as stage_visits
from services.deals.domain.stage_visit.following import VisitsOfDeal
from services.deals.domain.support_request.following import FollowedDeal, SupportOfDeal, following
from shared.domain.aggregate import Decision, status_of
from shared.domain.context import Context
from shared.domain.roles import ONLY_SERVICES
from shared.events.definition import value


@value
class BringInLine:
    """The deal has ended, is called otherwise, or has another owner or customer: support requests and quotes
    follow, and the stages of its contract in name, customer and end."""


@deal.decides(allow=ONLY_SERVICES)
def bring_in_line(
    state: AnyDeal,
    command: BringInLine,
    context: Context,
    *,
    support: SupportOfDeal,
    visits: VisitsOfDeal,
    quotes: QuotesOfDeal,
) -> Decision:
    """Withdraw and end what nobody needs any more, and have the rest be what the deal is now."""
    now = FollowedDeal(
        status=status_of(deal, state),
        name=state.name,
        owner=state.owner,
        team=state.team,
        account_id=state.account_id,
    )
    return [
        *following(support, now, context),
        *stage_visits.following(visits, now, context),
        *of_quotes.following(quotes, now, context),
    ]
