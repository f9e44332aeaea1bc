"""What the deals service consists of."""

from services.deals.domain.choice import ChosenProcess
from services.deals.domain.deal import deal
from services.deals.domain.process import Process, process
from services.deals.domain.product import Catalogue, product
from services.deals.domain.target import target
from services.deals.reactions import reactions
from services.deals.seeds import publish_short_process
from services.deals.views.deals import DEAL_VIEW, DEALS
from services.deals.views.lookups import catalogue, chosen_process, pinned_process
from services.deals.views.processes import PROCESS_VIEW, PROCESSES
from services.deals.views.products import PRODUCT_VIEW, PRODUCTS
from services.deals.views.targets import TARGET_VIEW, TARGETS
from shared.domain.references import References
from shared.views.accounts import KNOWN_ACCOUNTS
from shared.views.references import references
from shared.web.service import Service

SERVICE = Service(
    "deals",
    description="Sales processes, products, targets, and deals from their opening to their outcome.",
    aggregates=(process, product, target, deal),
    reactions=reactions,
    views=(DEAL_VIEW, PRODUCT_VIEW, TARGET_VIEW, PROCESS_VIEW, KNOWN_ACCOUNTS),
    listings=(DEALS, PRODUCTS, TARGETS, PROCESSES),
    provides={
        Process: pinned_process,
        ChosenProcess: chosen_process,
        Catalogue: catalogue,
        References: references,
    },
    seeds=(publish_short_process,),
)
