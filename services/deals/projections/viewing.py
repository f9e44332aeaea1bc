"""Which queries can be kept: the parameters of a view, read as the list or the board reads them that it shows."""

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs

from services.deals.domain.saved_view import ChangeView, CheckedView, SaveView
from services.deals.projections.content_items import CONTENT_ITEMS
from services.deals.projections.deals import DEALS
from services.deals.projections.exchange_rates import EXCHANGE_RATES
from services.deals.projections.process_migrations import MIGRATED_DEALS, PROCESS_MIGRATIONS
from services.deals.projections.process_remarks import PROCESS_REMARKS
from services.deals.projections.process_suggestions import PROCESS_SUGGESTIONS
from services.deals.projections.processes import PROCESSES
from services.deals.projections.product_costs import PRODUCT_COSTS
from services.deals.projections.products import PRODUCTS
from services.deals.projections.quotes import QUOTES
from services.deals.projections.stage_visits import STAGE_VISITS
from services.deals.projections.support_requests import SUPPORT_REQUESTS
from services.deals.projections.targets import TARGETS
from shared.commands.loaders import LoaderContext
from shared.domain.context import Context
from shared.domain.rejection import Reason
from shared.projections.cursors import Cursors
from shared.projections.errors import InvalidQuery
from shared.projections.list_queries import understand
from shared.projections.lists import OWN_TEAM_ONLY, Listing
from shared.projections.query_values import identifier, whole

SHOWN: Mapping[str, Listing] = {
    each.name: each
    for each in (
        DEALS,
        PRODUCTS,
        PRODUCT_COSTS,
        TARGETS,
        EXCHANGE_RATES,
        PROCESSES,
        PROCESS_MIGRATIONS,
        MIGRATED_DEALS,
        SUPPORT_REQUESTS,
        QUOTES,
        PROCESS_REMARKS,
        PROCESS_SUGGESTIONS,
        STAGE_VISITS,
        CONTENT_ITEMS,
    )
}
BOARD = "board"
PROCESS, VERSION, CARDS = "process", "version", "cards"
MOST_CARDS, MOST_VERSION = 50, 2**31 - 1
NARROWING = (
    "team",
    OWN_TEAM_ONLY,
    "owner",
    "mine",
    "unassigned",
    "currency",
    "category",
    "ready",
    "account",
    "closes_from",
    "closes_to",
    "q",
)
"""What a board is narrowed by, as the list of deals is."""
NO_CURSORS = Cursors("no page is kept")

QueryValues = Mapping[str, Sequence[str]]


async def checked_view(
    reader: LoaderContext, state: object, command: SaveView | ChangeView, context: Context
) -> CheckedView:
    """What is wrong with the query of a view."""
    return CheckedView(faults=tuple(faults(command.shows, command.query, context)))


def faults(shows: str, text: str, context: Context) -> list[Reason]:
    """Everything that is wrong with a query, by what it is to show; each names the parameter."""
    try:
        query = parse_qs(text, keep_blank_values=True, strict_parsing=bool(text), max_num_fields=200)
    except ValueError:
        return [_fault("query", "malformed", "Parameters are needed as in an address: name=value&name=value.")]
    wrong = [_fault("cursor", "unknown-parameter", "A view begins at its first page.")] if "cursor" in query else []
    query = {name: values for name, values in query.items() if name != "cursor"}
    if shows == BOARD:
        return wrong + _of_board(query, context)
    return wrong + _of_list(SHOWN[shows], query, context)


def _of_list(listing: Listing, query: QueryValues, context: Context) -> list[Reason]:
    one = [
        name
        for name, values in query.items()
        if len(values) > 1 and (name not in listing.conditions or not listing.conditions[name].takes_several)
    ]
    wrong = [_fault(name, "repeated-parameter", "It is given once.") for name in one]
    rest = {name: values for name, values in query.items() if name not in one}
    try:
        understand(listing, rest, context.actor, NO_CURSORS, context.today)
    except InvalidQuery as error:
        wrong += [_fault(str(reason.field), reason.code, reason.message) for reason in error.reasons]
    return wrong


def _of_board(query: QueryValues, context: Context) -> list[Reason]:
    known = {PROCESS, VERSION, CARDS, *NARROWING}
    wrong = [
        _fault(name, "unknown-parameter", f"A board has no parameter {name!r}.")
        for name in sorted(query.keys() - known)
    ]
    for name, most in ((VERSION, MOST_VERSION), (CARDS, MOST_CARDS)):
        if name in query and not _is_count(query[name], most):
            wrong.append(_fault(name, "invalid-value", f"A whole number from 1 to {most} is needed."))
    if not _is_id(query.get(PROCESS, ())):
        wrong.append(_fault(PROCESS, "invalid-value", "The id of one process is needed, whose stages are the columns."))
    narrowing = {name: values for name, values in query.items() if name in NARROWING}
    return wrong + _of_list(DEALS, narrowing, context)


def _is_count(values: Sequence[str], most: int) -> bool:
    try:
        (text,) = values
        return 1 <= whole(text) <= most
    except ValueError:
        return False


def _is_id(values: Sequence[str]) -> bool:
    try:
        (text,) = values
        identifier(text)
    except ValueError:
        return False
    return True


def _fault(parameter: str, code: str, message: str) -> Reason:
    return Reason(code=code, message=f"{parameter}: {message}", field="query")
