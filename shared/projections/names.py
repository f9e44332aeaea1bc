"""Names beside ids, joined when read: a row that names a member, a team or an account shows what they are called now.

They stand in the read models of the organisation and of accounts, which every service has. A fold cannot read those: it
does not know how far they are. A page joins them for the rows that it shows, on its snapshot.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, make_dataclass
from functools import cache
from typing import Any
from uuid import UUID

from shared.projections.projection import named_in
from shared.projections.read_snapshot import Projections

ACCOUNTS = "accounts"
ACCOUNTS_OF_OTHERS = "known_accounts"
"""The projections in which accounts stand: the service's own, or what it knows of another's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What an id is called: the field beside it, and where that stands."""

    name: str
    table: str
    key: str
    description: str


def _called(thing: str, table: str, key: str, which: str) -> Named:
    description = f"What the {thing} is called now; null when there is none, or none {which} is known here."
    return Named(name=f"{thing}_name", table=table, key=key, description=description)


NAMED: Mapping[str, Named] = {
    "owner": _called("owner", "{organisation}.member", "member_id", "who"),
    "member": _called("member", "{organisation}.member", "member_id", "who"),
    "manager": _called("manager", "{organisation}.member", "member_id", "who"),
    "team": _called("team", "{organisation}.team", "team_id", "that"),
    "account_id": _called("account", "{accounts}.account", "id", "that"),
}
"""The ids that are named, by the fields that hold them. A name that a row states itself comes first."""


@cache
def names_of(item: type) -> Mapping[str, Named]:
    """The ids of an item that are named: its fields that hold them."""
    return {each.name: NAMED[each.name] for each in fields(item) if each.name in NAMED}


@cache
def added_names(item: type) -> Mapping[str, Named]:
    """Those of them whose names the item does not state itself."""
    own = {each.name for each in fields(item)}
    return {field: named for field, named in names_of(item).items() if named.name not in own}


@cache
def stated_names(item: type) -> Mapping[str, Named]:
    """The others: those whose names the item states itself, where it knows them."""
    return {field: named for field, named in names_of(item).items() if field not in added_names(item)}


def resolve_accounts(sql: str, every: Collection[str]) -> str:
    """A statement, or a part of one, with accounts where a service with these projections has them."""
    there = ACCOUNTS_OF_OTHERS if ACCOUNTS_OF_OTHERS in every else ACCOUNTS
    return sql.replace(f"{{{ACCOUNTS}}}", f"{{{there}}}")


def reads_of_names(named: Collection[Named], every: Collection[str]) -> frozenset[str]:
    """The projections in which these names stand, out of those of a service."""
    return named_in(resolve_accounts("".join(each.table for each in named), every))


async def called_now(projections: Projections, named: Named, thing: UUID) -> str | None:
    """What a thing is called now; None when that is not known here."""
    (place,) = reads_of_names([named], projections.every)
    # Names of our own tables and columns.
    sql = f"select name from {resolve_accounts(named.table, projections.every)} where {named.key} = $1"  # noqa: S608
    rows = await projections.lookup(place, sql, thing)
    return next((row["name"] for row in rows), None)


@cache
def with_names(item: type) -> Any:
    """The class of an item as it is shown: its fields, and beside every id what that is called."""
    added = added_names(item)
    shown = [[each.name, *([added[each.name].name] if each.name in added else [])] for each in fields(item)]
    names = [(name, Any) for beside in shown for name in beside]
    return make_dataclass(item.__name__, names, frozen=True, slots=True, kw_only=True) if added else item


def join_names(item: type, columns: Mapping[str, str], rows: str, order: str) -> str:
    """The statement for these rows with their names, in this order. `columns` are those of the rows: name → name."""
    named = names_of(item)
    told = {name: f"rows.{name}" for name in columns}
    told |= {
        each.name: f"coalesce(rows.{each.name}, {field}_of.name)" if each.name in columns else f"{field}_of.name"
        for field, each in named.items()
    }
    joined = "".join(
        f" left join {each.table} {field}_of on {field}_of.{each.key} = rows.{field}" for field, each in named.items()
    )
    chosen = ", ".join(f"{sql} as {name}" for name, sql in told.items())
    return f"select {chosen} from ({rows}) rows{joined}{order}"  # noqa: S608 — names of our own tables and columns
