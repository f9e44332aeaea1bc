"""What may be asked of a list: its parameters, read and checked. All that is wrong with a query is said at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from shared.domain.context import Actor
from shared.domain.rejection import Reason
from shared.domain.working_days import WEEKENDS_ONLY, BusinessCalendar
from shared.events.money import Money
from shared.projections.columns import types_of
from shared.projections.cursors import Cursors, MalformedCursor
from shared.projections.errors import InvalidQuery, invalid
from shared.projections.lists import MINE, OWN_TEAM_ONLY, PARAMETERS, TOTALS, UNASSIGNED, Filter, Listing
from shared.projections.query_values import PARSERS, flag, whole

MAX_ROWS = 100
DEFAULT_ROWS = 50
MAX_VALUE = 1000
MAX_VALUES = 100
MAX_WORDS = 10

QueryParams = Mapping[str, Sequence[str]]
"""Parameter → what it is given, each time it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """A query that is in order."""

    limit: int
    column: str
    descending: bool
    values: Mapping[str, Any]
    """Filter → parsed value or values."""
    after: tuple[Any, Any] | None
    """Sort value and key of the last row of the page before."""
    bound_to: str
    """What a cursor of this query is good for."""
    today: date
    """The company's day on which it is asked."""
    calendar: BusinessCalendar = WEEKENDS_ONLY
    """The company's working days."""
    own_team_only: bool = False
    """Whether a team stands for itself alone."""
    totals: bool = False
    """Whether everything that is left is counted and summed, too."""
    few: bool = False
    """Whether so few rows are known to be left that reading and sorting them all is quick. Else PostgreSQL may walk an
    index in the order asked for, and past all that is not left, on the strength of what it takes conditions to leave
    together."""


def understand(
    listing: Listing,
    query: QueryParams,
    actor: Actor,
    cursors: Cursors,
    today: date,
    *,
    calendar: BusinessCalendar = WEEKENDS_ONLY,
) -> ListQuery:
    """Check a query. `InvalidQuery` names every wrong parameter."""
    wrong: list[Reason] = []
    (sort,) = query.get("sort", [listing.default_sort])
    column = sort.removeprefix("-")
    if column not in listing.orders:
        wrong.append(invalid("sort", "unknown-sort", f"Sort by one of: {', '.join(listing.orders)}."))
    switches = {OWN_TEAM_ONLY, TOTALS} & listing.parameters
    own_team_only, totals = (name in switches and _switch(query, name, wrong) for name in (OWN_TEAM_ONLY, TOTALS))
    values: dict[str, Any] = {}
    for name in query.keys() - PARAMETERS - switches:
        if name not in listing.conditions:
            wrong.append(invalid(name, "unknown-parameter", f"{listing.name} have no filter {name!r}."))
            continue
        try:
            values[name] = parsed(listing.conditions[name], query[name])
        except ValueError as error:
            wrong.append(invalid(name, "invalid-value", str(error)))
    wrong += _contradictions(listing, values, actor)
    (limit_given,) = query.get("limit", [str(DEFAULT_ROWS)])
    limit = _limit(limit_given, wrong)
    asked_for = sorted((name, sorted(query[name])) for name in values)
    bound_to = msgspec.json.encode([listing.name, sort, asked_for, own_team_only]).decode()
    after: tuple[Any, Any] | None = None
    if "cursor" in query and not wrong:
        try:
            (cursor,) = query["cursor"]
            value, key = cursors.decode(cursor, bound_to)
            after = _restored(listing.item, column, value), _restored(listing.item, listing.key, key)
        except MalformedCursor:
            wrong.append(invalid("cursor", "malformed-cursor", "This cursor is not one of this query; start anew."))
    if wrong:
        raise InvalidQuery(sorted(wrong, key=lambda reason: reason.field or ""))
    return ListQuery(
        limit=limit,
        column=listing.sorted_by(column),
        descending=sort.startswith("-"),
        values=values,
        after=after,
        bound_to=bound_to,
        today=today,
        calendar=calendar,
        own_team_only=own_team_only,
        totals=totals,
    )


def _switch(query: QueryParams, name: str, wrong: list[Reason]) -> bool:
    """Whether something is to be so that is not so by itself."""
    try:
        (text,) = query.get(name, ["false"])
        return flag(text)
    except ValueError:
        wrong.append(invalid(name, "invalid-value", "true or false is needed."))
        return False


def _contradictions(listing: Listing, values: Mapping[str, Any], actor: Actor) -> list[Reason]:
    by_name = {name for name, condition in listing.filters.items() if condition.column == listing.owner}
    given = [name for name in (MINE, UNASSIGNED) if values.get(name)]
    return whose_faults(given, sorted(by_name & values.keys()), actor)


def whose_faults(given: Sequence[str], by_name: Sequence[str], actor: Actor) -> list[Reason]:
    """`mine`, `unassigned` and what names the owner each say whose it is: one of them can be meant. The reasons against
    those of the first two that are `given`, beside what names the owner."""
    wrong, said = [], [*given, *by_name]
    if given and len(said) > 1:
        message = f"Each of {', '.join(said)} says whose they are: give one of them."
        wrong += [invalid(name, "contradiction", message) for name in given]
    if MINE in given and actor.member is None:
        wrong.append(invalid(MINE, "not-a-member", "You are no member of the organisation, so nothing is yours."))
    return wrong


def parsed(condition: Filter, texts: Sequence[str]) -> Any:
    """The value, or values, of a filter. A `ValueError` says what it has to look like."""
    if len(texts) > MAX_VALUES or any(not text or len(text) > MAX_VALUE or "\x00" in text for text in texts):
        raise ValueError(f"Between 1 and {MAX_VALUE} characters are needed, at most {MAX_VALUES} times.")
    if condition.words and not set(texts) <= set(condition.words):
        several = " For one of several, give the parameter several times." if "," in "".join(texts) else ""
        raise ValueError(f"One of these is needed: {', '.join(condition.words)}.{several}")
    parse, expected = PARSERS[condition.kind]
    if condition.operator == "search" and len(texts[0].split()) > MAX_WORDS:
        raise ValueError(f"At most {MAX_WORDS} words are searched for.")
    try:
        values = [parse(text) for text in texts]
    except ValueError:
        raise ValueError(f"{expected} is needed.") from None
    return values if condition.operator == "equals" else values[0]


def _restored(item: type, column: str, value: Any) -> Any:
    """A value of a signed cursor, in the column's type again. Raises MalformedCursor when a release before wrote it of
    another one."""
    kind = types_of(item).get(column, str)
    try:
        return None if value is None else msgspec.convert(value, Decimal if kind is Money else kind)
    except msgspec.ValidationError as error:
        raise MalformedCursor from error


def _limit(text: str, wrong: list[Reason]) -> int:
    try:
        limit = whole(text)
    except ValueError:
        limit = 0
    if 1 <= limit <= MAX_ROWS:
        return limit
    wrong.append(invalid("limit", "invalid-value", f"A whole number from 1 to {MAX_ROWS} is needed."))
    return DEFAULT_ROWS
