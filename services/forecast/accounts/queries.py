"""Queries to the read models of accounts and of the feed: what happened with one account, a keyset page of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from uuid import UUID

from asyncpg import Record

from services.forecast.accounts.belonging import BEGINNING, Belonging, Said, Says, belonging
from services.forecast.accounts.model import LEDGER
from services.forecast.asking.question import Question, scoped
from services.forecast.feed.queries import standing
from shared.events.chronology import Rank
from shared.projections.projection import ProjectionDatabase

SAID = """
select * from {view}.said
 where (thing = $1 or thing in (select thing from {view}.said where account_id = $1)
                   or thing in (select lead_id from {view}.said where thing = $1))
   and known <= $2 and (retracted is null or retracted > $2)
 order by thing, sequence
"""

NAMED = """
select * from {view}.said
 where thing = any($1) and known <= $2 and (retracted is null or retracted > $2) order by thing, sequence
"""

# A ledger is shared by all who sold to the customer, its invoices are not: each of its entries says whose it is.
ENTRIES = scoped("""
select e.*, coalesce(held.name, e.name) as called
  from unnest($6::uuid[], $7::timestamptz[], $8::timestamptz[], $9::text[], $10::boolean[])
         as held (thing, since, until, name, is_seen)
  join {feed}.entry e on e.aggregate_id = held.thing
   and e.occurred_at >= held.since and (held.until is null or e.occurred_at < held.until)
 where e.occurred_at <= $11 and {standing} and (held.is_seen or {scope})
   and ($13::text[] is null or e.aggregate = any($13))
   and (e.occurred_at, e.turn, coalesce(e.fact, '') collate "C", e.position) < ($14, $15, $16, $17)
 order by e.occurred_at desc, e.turn desc, coalesce(e.fact, '') collate "C" desc, e.position desc limit $18
""").replace("{standing}", standing("$12"))

RowPlace = tuple[datetime, int, str, int]
"""Where an entry stands in the list, as in the chronology of one thing: when it happened, its turn at that time, its
name where history tells it, and its position in the journal."""

FIRST: RowPlace = (datetime.max.replace(tzinfo=BEGINNING.tzinfo), 2**15 - 1, "", 0)
"""Before every entry."""


def place_of(row: Record) -> RowPlace:
    """Where an entry stands in the list."""
    return row["occurred_at"], row["turn"], row["fact"] or "", row["position"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountThing:
    """A thing while it was with the account: from an instant until another (None: still)."""

    thing: UUID
    since: datetime
    until: datetime | None
    name: str | None
    is_seen: bool
    """Whether the asker sees all of it; else each entry is judged by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account that the asker sees, and all that was with it, as far as they see that."""

    name: str | None
    things: Sequence[AccountThing]


async def account_of(db: ProjectionDatabase, asked: Question, account_id: UUID) -> Account | None:
    """An account with what was with it; None where there is none, or the asker does not see it."""
    rows = await db.fetch(SAID, account_id, asked.known_until)
    kinds, found = dict[UUID, str](), dict[UUID, Belonging]()
    for thing, own in groupby(rows, key=itemgetter("thing")):
        facts = list(own)
        kinds[thing] = facts[0]["aggregate"]
        # A ledger is one account's for ever, whatever was told of it first; each of its entries has its own day.
        until = datetime.max.replace(tzinfo=UTC) if kinds[thing] == LEDGER else asked.as_of
        if stood := belonging(map(_said, facts), until):
            found[thing] = stood
    account = found.get(account_id)
    # Whoever narrows the question asks for less of the account, and not for another one.
    if account is None or not replace(asked, teams=None, owners=None).covers(account.team, account.owner):
        return None
    held = [AccountThing(thing=account_id, since=BEGINNING, until=None, name=account.name, is_seen=True)]
    if not asked.covers(account.team, account.owner):
        held = []
    for thing, stood in found.items():
        is_ledger = kinds[thing] == LEDGER
        if thing != account_id and (is_ledger or asked.covers(stood.team, stood.owner)):
            held += _stays(account_id, thing, stood, came_from=thing in account.leads, is_seen=not is_ledger)
    return Account(name=account.name, things=held)


async def account_names(db: ProjectionDatabase, asked: Question, accounts: Iterable[UUID]) -> dict[UUID, str]:
    """What accounts are called at the instant asked about, whoever sees them; those that are known."""
    rows = await db.fetch(NAMED, list(accounts), asked.known_until)
    stood = {thing: belonging(map(_said, own), asked.as_of) for thing, own in groupby(rows, key=itemgetter("thing"))}
    return {thing: found.name for thing, found in stood.items() if found is not None and found.name is not None}


def _stays(
    account_id: UUID, thing: UUID, stood: Belonging, *, came_from: bool, is_seen: bool
) -> Iterator[AccountThing]:
    if came_from:
        yield AccountThing(thing=thing, since=BEGINNING, until=None, name=stood.name, is_seen=is_seen)
        return
    for stay in stood.stays:
        if stay.account == account_id:
            yield AccountThing(thing=thing, since=stay.since, until=stay.until, name=stood.name, is_seen=is_seen)


async def entries(  # noqa: PLR0917
    db: ProjectionDatabase,
    asked: Question,
    things: Iterable[AccountThing],
    kinds: Sequence[str] | None,
    after: RowPlace | None,
    enough: int,
) -> list[Record]:
    """What happened to things while they were with the account, the newest first, from behind a place, as many as are
    enough."""
    held = [(each.thing, each.since, each.until, each.name, each.is_seen) for each in things]
    columns = [list(column) for column in zip(*held, strict=True)] or [[]] * 5
    known = asked.known_until
    return await db.fetch(ENTRIES, *asked.scope, *columns, asked.as_of, known, kinds, *(after or FIRST), enough)


def _said(row: Record) -> Said:
    told = Says(
        named=row["named"],
        account=row["account_id"],
        lead=row["lead_id"],
        name=row["name"],
        team=row["team"],
        owner=row["owner"],
        rank=None if row["rank"] is None else Rank(row["rank"]),
        on=row["on_day"],
    )
    return Said(
        data=told, **{name: row[name] for name in ("occurred_at", "by_day", "sequence", "fact", "causation_id")}
    )
