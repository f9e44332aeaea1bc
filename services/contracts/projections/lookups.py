"""What handlers of contracts need beyond their own state."""

from typing import Any

from services.contracts.domain.contract.drafting import DraftContract, NamedDeal
from shared.commands.loaders import LoaderContext
from shared.domain.context import Context


async def named_deal(reader: LoaderContext, state: Any, command: DraftContract, context: Context) -> NamedDeal:
    """The deal that a draft names, when its asker sees it."""
    found = reader.named.get(("deal", command.deal_id)) if command.deal_id else None
    return NamedDeal(owner=found.owner, team=found.team, account_id=found.account_id) if found else NamedDeal()
