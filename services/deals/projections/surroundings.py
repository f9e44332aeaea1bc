"""What stands around a deal: what its ids are called now, and what it waits for of other departments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.deals.domain.deal.state import Deal
from services.deals.projections.support_requests import SUPPORT_REQUESTS
from shared.directory.accounts import KNOWN_ACCOUNTS
from shared.directory.organisation import NAME as ORGANISATION
from shared.domain.context import Actor
from shared.domain.working_days import BusinessCalendar
from shared.projections.cursors import Cursors
from shared.projections.list_pages import page_of
from shared.projections.list_queries import MAX_ROWS, understand
from shared.projections.read_snapshot import ReadSnapshot

READS = (SUPPORT_REQUESTS.projection.name, KNOWN_ACCOUNTS.name, ORGANISATION)

NAMES = """
select (select name from {organisation}.member where member_id = $1) as owner_name,
       (select name from {organisation}.team where team_id = $2) as team_name,
       coalesce($3, (select name from {known_accounts}.account where id = $4)) as account_name
"""
OPEN_SUPPORT = ("asked", "accepted", "returned")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a deal's ids are called, and the support requests that are open on it."""

    owner_name: str | None
    team_name: str | None
    account_name: str | None
    support: Sequence[Any]


async def surroundings_of(  # noqa: PLR0917
    reading: ReadSnapshot, state: Deal, actor: Actor, today: date, calendar: BusinessCalendar, cursors: Cursors
) -> Surroundings:
    """What whoever asks sees around a deal."""
    query = {"deal": [f"{state.id}"], "status": OPEN_SUPPORT, "limit": [f"{MAX_ROWS}"]}
    asked = understand(SUPPORT_REQUESTS, query, actor, cursors, today, calendar=calendar)
    support = await page_of(reading, SUPPORT_REQUESTS, actor, asked, cursors)
    ids = (state.owner, state.team, state.account_name, state.account_id)
    names = await reading(KNOWN_ACCOUNTS).fetchrow(NAMES, *ids)
    assert names is not None
    return Surroundings(**dict(names), support=support.items)
