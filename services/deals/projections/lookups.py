"""What handlers are given besides their state: loaded fresh, so that a decision never rests on a projection that
lags."""

from typing import Any
from uuid import UUID

from services.deals.domain.choice import RULES, ChosenProcess, choose
from services.deals.domain.process import Process, process, version_of
from services.deals.domain.product import Catalogue, ListedProduct, product
from shared.commands.loaders import LoaderContext
from shared.domain.context import Context


async def pinned_process(reader: LoaderContext, state: Any, command: Any, context: Context) -> Process:
    """The version of the process that the deal started on."""
    published, _ = await reader.state(process, state.process_id)
    return version_of(published, state.process_version)


async def chosen_process(reader: LoaderContext, state: Any, command: Any, context: Context) -> ChosenProcess:
    """The process that a new deal follows: the one an import names, else the one that the ordered rules choose."""
    named: UUID | None = getattr(command, "process_id", None)
    facts = {
        "amount": command.amount.amount if command.amount else None,
        "source": command.source,
        "industry": command.industry,
        "team": str(command.team) if command.team else None,
        "account": str(command.account_id) if command.account_id else None,
    }
    rule = choose(RULES, facts)
    published, _ = await reader.state(process, named or rule.process_id)
    return ChosenProcess(process=version_of(published), rule="named" if named else rule.name)


async def catalogue(reader: LoaderContext, state: Any, command: Any, context: Context) -> Catalogue:
    """The products on the lines of a new deal."""
    found = {line.product_id: (await reader.state(product, line.product_id))[0] for line in command.lines}
    return Catalogue(products={key: held for key, held in found.items() if isinstance(held, ListedProduct)})
