"""What the deals service consists of."""

from services.deals.domain.choice import ChosenProcess
from services.deals.domain.deal import deal
from services.deals.domain.process import Process, PublishProcess, process
from services.deals.domain.product import Catalogue, product
from services.deals.domain.short_process import SHORT, SHORT_ID
from services.deals.domain.target import target
from services.deals.reactions import reactions
from services.deals.views.deals import DEAL_VIEW, DEALS
from services.deals.views.lookups import catalogue, chosen_process, pinned_process
from services.deals.views.processes import PROCESS_VIEW, PROCESSES
from services.deals.views.products import PRODUCT_VIEW, PRODUCTS
from services.deals.views.targets import TARGET_VIEW, TARGETS
from shared.domain.context import service_actor
from shared.web.running import Running
from shared.web.service import Service


async def publish_short_process(running: Running) -> None:
    """The built-in process is there from the first start on."""
    await running.commands.execute(process, SHORT_ID, PublishProcess(definition=SHORT), service_actor("deals"))


SERVICE = Service(
    "deals",
    description="Sales processes, products, targets, and deals from their opening to their outcome.",
    aggregates=(process, product, target, deal),
    reactions=reactions,
    views=(DEAL_VIEW, PRODUCT_VIEW, TARGET_VIEW, PROCESS_VIEW),
    listings=(DEALS, PRODUCTS, TARGETS, PROCESSES),
    provides={
        Process: pinned_process,
        ChosenProcess: chosen_process,
        Catalogue: catalogue,
    },
    seeds=(publish_short_process,),
)
