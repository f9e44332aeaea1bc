"""Right to erasure: what people wrote about a deal is deleted, while the figures stay (DATA-4)."""

from dataclasses import replace
from typing import ClassVar

from services.deals.domain.deal.state import AnyDeal, deal
from services.deals.domain.quote import following as of_quotes
from services.deals.domain.quote.following import QuotesOfDeal
from services.deals.domain.stage_visit import following as stage_visits
from services.deals.domain.stage_visit.following import VisitsOfDeal
from services.deals.domain.support_request.following import SupportOfDeal, forgetting
from shared.domain.aggregate import Decision
from shared.domain.roles import OPERATIONS
from shared.events.deals.deal import DealTextsErased
from shared.events.definition import value


@value
class EraseTexts:
    """Delete what people wrote about the deal."""

    example: ClassVar[dict[str, object]] = {}


@deal.decides(allow=OPERATIONS)
def erase_texts(
    state: AnyDeal, command: EraseTexts, support: SupportOfDeal, visits: VisitsOfDeal, quotes: QuotesOfDeal
) -> Decision:
    """Delete what people wrote about the deal: outcomes, evidence, next steps, reasons and notes; files are detached.

    So is what they wrote in its support requests, about its quotes, and in the stages of its contract. What was done,
    when and by whom stays, and so do facts, amounts and dates. What is written afterwards is kept.
    """
    is_gone = state.texts_erased and not state.written
    own = [] if is_gone else [DealTextsErased(deal_id=state.id)]
    return [*own, *forgetting(support), *stage_visits.forgetting(visits), *of_quotes.forgetting(quotes)]


@deal.evolves
def texts_were_erased(state: AnyDeal, event: DealTextsErased) -> AnyDeal:
    # Otherwise it is folded anew, from what is left of its events.
    return replace(state, texts_erased=True)
