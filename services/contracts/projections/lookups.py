"""What handlers of contracts need beyond their own state."""

from typing import Any

from services.contracts.domain.contract.drafting import DraftContract, NamedDeal
from services.contracts.projections.deals import DEAL, KNOWN_DEALS
from shared.commands.loaders import LoaderContext
from shared.domain.context import Context
from shared.domain.permissions import sees
from shared.domain.roles import READING


async def named_deal(reader: LoaderContext, state: Any, command: DraftContract, context: Context) -> NamedDeal:
    """The deal that a draft names, when its asker sees it."""
    if command.deal_id is None:
        return NamedDeal()
    for row in await reader.fetch(KNOWN_DEALS, DEAL, command.deal_id):
        if sees(context.actor, READING, row["owner"], row["team"]):
            return NamedDeal(visible=True, owner=row["owner"], team=row["team"], account_id=row["account_id"])
    return NamedDeal()
