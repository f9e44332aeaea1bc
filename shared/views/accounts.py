"""The accounts as the services that name them know them: that they are there, and whose they are (ACCT-1)."""

from collections.abc import Sequence
from typing import Any

from shared.events.envelope import Envelope
from shared.events.leads import AccountOpened
from shared.views.view import View, ViewDatabase

DDL = "create table {view}.account (account_id uuid primary key, owner uuid, team uuid)"

OPENED = """
    insert into {view}.account (account_id, owner, team) values ($1, $2, $3)
    on conflict (account_id) do update set owner = excluded.owner, team = excluded.team
"""


async def fold(db: ViewDatabase, events: Sequence[Envelope[AccountOpened]]) -> None:
    """One statement for all accounts of a batch."""
    opened: list[tuple[Any, ...]] = [(fact.data.account_id, fact.data.owner, fact.data.team) for fact in events]
    await db.executemany(OPENED, opened)


KNOWN_ACCOUNTS = View(name="known_accounts", version=1, ddl=DDL, apply=fold, source="journal", events=(AccountOpened,))
