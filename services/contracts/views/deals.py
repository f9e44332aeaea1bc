"""The deals as contracts know them: that they are there, whose they are, and with which account (CON-1)."""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from shared.events.deals import DealHandedOver, DealOpened
from shared.events.envelope import Envelope
from shared.views.view import View, ViewDatabase

DDL = "create table {view}.deal (deal_id uuid primary key, owner uuid, team uuid, account_id uuid)"

OPENED = """
    insert into {view}.deal (deal_id, owner, team, account_id) values ($1, $2, $3, $4)
    on conflict (deal_id) do update
       set owner = excluded.owner, team = excluded.team, account_id = excluded.account_id
"""
HANDED_OVER = "update {view}.deal set owner = $2, team = $3 where deal_id = $1"
DEAL = "select owner, team, account_id from {view}.deal where deal_id = $1"


async def fold(db: ViewDatabase, events: Sequence[Envelope[Any]]) -> None:
    """Runs of events of one kind are one statement."""
    for sql, rows in groupby((_change(fact.data) for fact in events), key=itemgetter(0)):
        await db.executemany(sql, [row for _, row in rows])


def _change(event: DealOpened | DealHandedOver) -> tuple[str, tuple[Any, ...]]:
    if isinstance(event, DealOpened):
        return OPENED, (event.deal_id, event.owner, event.team, event.account_id)
    return HANDED_OVER, (event.deal_id, event.owner, event.team)


KNOWN_DEALS = View(
    name="known_deals", version=1, ddl=DDL, apply=fold, source="journal", events=(DealOpened, DealHandedOver)
)
