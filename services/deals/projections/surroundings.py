"""What stands around a deal: what its ids are called now, what it waits for of other departments, and what
was quoted on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.deals.domain.deal.state import Deal
from services.deals.projections.quotes import QUOTES
from services.deals.projections.support_requests import SUPPORT_REQUESTS
from shared.directory.accounts import KNOWN_ACCOUNTS
from shared.directory.organisation import NAME as ORGANISATION
from shared.domain.context import Actor
from shared.domain.working_days import BusinessCalendar
from shared.projections.cursors import Cursors
from shared.projections.list_pages import page_of
from shared.projections.list_queries import MAX_ROWS, understand
from shared.projections.lists import Listing
from shared.projections.read_snapshot import ReadSnapshot

READS = (SUPPORT_REQUESTS.projection.name, QUOTES.projection.name, KNOWN_ACCOUNTS.name, ORGANISATION)

NAMES = """
select (select name from {organisation}.member where member_id = $1) as owner_name,
       (select name from {organisation}.team where team_id = $2) as team_name,
       coalesce($3, (select name from {known_accounts}.account where id = $4)) as account_name
"""
OPEN_SUPPORT = ("asked", "accepted", "returned")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a deal's ids are called, the support requests that are open on it, and its quotes."""

    owner_name: str | None
    team_name: str | None
    account_name: str | None
    support: Sequence[Any]
    quotes: Sequence[Any]


async def surroundings_of(  # noqa: PLR0917
    reading: ReadSnapshot, state: Deal, actor: Actor, today: date, calendar: BusinessCalendar, cursors: Cursors
) -> Surroundings:
    """What whoever asks sees around a deal."""
    of_deal = {"deal": [f"{state.id}"], "limit": [f"{MAX_ROWS}"]}

    async def listed(listing: Listing, **more: Sequence[str]) -> Sequence[Any]:
        asked = understand(listing, {**of_deal, **more}, actor, cursors, today, calendar=calendar)
        return (await page_of(reading, listing, actor, asked, cursors)).items

    support = await listed(SUPPORT_REQUESTS, status=OPEN_SUPPORT)
    quotes = await listed(QUOTES)
    ids = (state.owner, state.team, state.account_name, state.account_id)
    names = await reading(KNOWN_ACCOUNTS).fetchrow(NAMES, *ids)
    assert names is not None
    return Surroundings(**dict(names), support=support, quotes=quotes)
