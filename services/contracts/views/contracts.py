"""The list of contracts."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from shared.domain.money import Money
from shared.domain.roles import READING
from shared.events.contracts import (
    ContractActivated,
    ContractApproved,
    ContractDrafted,
    ContractFlagged,
    ContractReturned,
    ContractSigned,
    ContractSubmitted,
    ContractTermsChanged,
    ContractVoided,
)
from shared.events.definition import value
from shared.events.envelope import Envelope
from shared.views.lists import Listing, at_least, at_most, contains, equals
from shared.views.view import View, ViewDatabase

DDL = """
create table {view}.contract (
    id uuid primary key,
    name text not null,
    status text not null,
    total numeric not null,
    currency text not null,
    deal_id uuid,
    account_id uuid,
    owner uuid,
    team uuid,
    submitter text,
    flagged text,
    drafted_at timestamptz not null,
    signed_on date,
    activated_on date,
    changed_at timestamptz not null
);
create index on {view}.contract (drafted_at, id);
create index on {view}.contract (deal_id);
create index on {view}.contract (account_id);
create index on {view}.contract (status, drafted_at);
"""

DRAFTED = """
insert into {view}.contract
    (id, name, status, total, currency, deal_id, account_id, owner, team, drafted_at, changed_at)
values ($1, $2, 'drafted', $3, $4, $5, $6, $7, $8, $9, $9)
on conflict (id) do update set
    name = excluded.name, status = excluded.status, total = excluded.total, currency = excluded.currency,
    deal_id = excluded.deal_id, account_id = excluded.account_id, owner = excluded.owner, team = excluded.team,
    submitter = null, flagged = null, drafted_at = excluded.drafted_at, changed_at = excluded.changed_at
"""


CHANGES: Mapping[type, tuple[str, Callable[[Any], tuple[Any, ...]]]] = {
    ContractTermsChanged: (
        "total = $3, currency = $4, account_id = $5, owner = coalesce($6, owner), team = coalesce($7, team)",
        lambda event: (event.total.amount, event.total.currency, event.account_id, event.owner, event.team),
    ),
    ContractSubmitted: ("status = 'submitted', submitter = $3", lambda event: (event.submitter,)),
    ContractApproved: ("status = 'approved'", lambda event: ()),
    ContractReturned: ("status = 'drafted'", lambda event: ()),
    ContractSigned: (
        "status = 'signed', signed_on = $3",
        lambda event: (max(event.signed_by_us, event.signed_by_customer),),
    ),
    ContractActivated: (
        "status = 'active', activated_on = $3, account_id = $4",
        lambda event: (event.on, event.account_id),
    ),
    ContractVoided: ("status = 'voided'", lambda event: ()),
    ContractFlagged: ("flagged = $3", lambda event: (event.reason,)),
}
"""Event → the columns that it sets, and their values."""


async def apply(db: ViewDatabase, events: Sequence[Envelope[Any]]) -> None:
    """What a batch of events changes in the list."""
    for sql, rows in groupby(map(_change, events), key=itemgetter(0)):
        await db.executemany(sql, [row for _, row in rows])


def _change(fact: Envelope[Any]) -> tuple[str, tuple[Any, ...]]:
    event, at = fact.data, fact.occurred_at
    if isinstance(event, ContractDrafted):
        place = (event.deal_id, event.account_id, event.owner, event.team)
        return DRAFTED, (event.contract_id, event.name, event.total.amount, event.total.currency, *place, at)
    columns, values = CHANGES[type(event)]
    sql = f"update {{view}}.contract set changed_at = $2, {columns} where id = $1"  # noqa: S608
    return sql, (event.contract_id, at, *values(event))


CONTRACT_VIEW = View(
    name="contracts",
    version=2,
    ddl=DDL,
    apply=apply,
    events=(ContractDrafted, *CHANGES),
)


@value
class ContractRow:
    """A contract in the list."""

    id: UUID
    name: str
    status: str
    """drafted, submitted, approved, signed, active or voided."""
    total: Money
    deal_id: UUID | None
    account_id: UUID | None
    owner: UUID | None
    team: UUID | None
    flagged: str | None
    """Why somebody should look at it."""
    drafted_at: datetime
    signed_on: date | None
    activated_on: date | None
    changed_at: datetime


CONTRACTS = Listing(
    name="contracts",
    view=CONTRACT_VIEW,
    table="contract",
    item=ContractRow,
    key="id",
    filters={
        "status": equals("status"),
        "deal": equals("deal_id", UUID),
        "account": equals("account_id", UUID),
        "owner": equals("owner", UUID),
        "team": equals("team", UUID),
        "drafted_from": at_least("drafted_at", datetime),
        "drafted_to": at_most("drafted_at", datetime),
        "q": contains("name"),
    },
    sorts=("drafted_at", "changed_at", "total", "name"),
    default_sort="-drafted_at",
    readers=READING,
)
