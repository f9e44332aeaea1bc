"""Candidates and ranking: what is found by words among what an actor may see, the nearest first.

An index gives the candidates of each list, and the words themselves say how near these are. First those are looked for
that have every word as it was written; what only begins so, or has a slip, comes after them, and is not looked for
where they fill the answer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from asyncpg import Record

from shared.domain.context import Actor
from shared.domain.rejection import Reason
from shared.projections.errors import InvalidQuery, invalid
from shared.projections.list_pages import bound_arguments, scope_of
from shared.projections.list_queries import MAX_WORDS
from shared.projections.lists import Listing
from shared.projections.read_snapshot import Projections
from shared.projections.search.keys import key_of_whole, keys_asked, nearness, words_in
from shared.projections.tables import Table, search_table

MAX_HITS = 20
MAX_LENGTH = 200
CANDIDATES = 400
"""So many of a kind are looked at more closely, where more have all the words."""
PLANNED = """
select set_config('plan_cache_mode', 'force_custom_plan', true),
       set_config('enable_seqscan', 'off', true),
       set_config('enable_hashjoin', 'off', true),
       set_config('enable_mergejoin', 'off', true)
"""
"""PostgreSQL takes a key that it has no figures of for a frequent one, and would read a whole table to come by enough
rows: a search begins with the keys, or with what is the asker's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """A kind of thing that is searched: the rows of a list that are found by what the table says. `called` is the
    column that says what one is called, `detail` the one that tells it from others of that name."""

    kind: str
    listing: Listing
    table: Table
    called: str
    detail: str

    def __post_init__(self) -> None:
        if strange := {self.called, self.detail} - set(self.table.found_by):
            raise ValueError(f"{self.kind} is not found by {sorted(strange)}, which its hits show")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Something that was found, as it is called, and by which of its texts."""

    kind: str
    id: UUID
    name: str
    detail: str | None
    found_by: str
    score: Decimal


def asked_words(q: str) -> list[str]:
    """The words that are asked for. Raises InvalidQuery where there are none, or too many."""
    wrong = list[Reason]()
    words = list(dict.fromkeys(words_in(q)))
    if not q or len(q) > MAX_LENGTH or "\x00" in q:
        wrong.append(invalid("q", "invalid-value", f"Between 1 and {MAX_LENGTH} characters are needed."))
    elif not words:
        wrong.append(invalid("q", "invalid-value", "At least one letter or digit is needed."))
    elif len(words) > MAX_WORDS:
        wrong.append(invalid("q", "invalid-value", f"At most {MAX_WORDS} words are searched for."))
    if wrong:
        raise InvalidQuery(wrong)
    return words


async def find(projections: Projections, kinds: Sequence[Searched], actor: Actor, words: Sequence[str]) -> list[Hit]:
    """The things that have all the words, in the actor's scope: the nearest first, of equally near ones the newest."""
    hits = list[Hit]()
    async with projections.reading({each.listing.projection.name for each in kinds}) as reading:
        for each in kinds:
            db = reading(each.listing.projection)
            await db.execute(PLANNED)
            found = await db.fetch(*select(each, actor, words, key_of_whole))
            if len(found) < MAX_HITS:
                found += await db.fetch(*select(each, actor, words, keys_asked))
            rows = {row["id"]: row for row in found}
            hits += [hit for row in rows.values() if (hit := hit_of(each, row, words)) is not None]
    return ranked(hits)[:MAX_HITS]


def hit_of(searched: Searched, row: Record, words: Sequence[str]) -> Hit | None:
    """A candidate as it is shown; None of one that only had the keys."""
    near = nearness(words, {name: row[name] for name in searched.table.found_by})
    if near is None:
        return None
    return Hit(
        kind=searched.kind,
        id=row["id"],
        name=row[searched.called] or "",
        detail=row[searched.detail],
        found_by=near.field,
        score=near.score,
    )


def ranked(hits: Sequence[Hit]) -> list[Hit]:
    """The nearest first, of equally near ones the newest: the ids of things begin with when these were made."""
    return sorted(sorted(hits, key=lambda hit: hit.id, reverse=True), key=lambda hit: -hit.score)


def select(searched: Searched, actor: Actor, words: Sequence[str], keys: Callable[[str], list[int]]) -> tuple[Any, ...]:
    """The statement for the candidates of a kind that have of each word one of its keys, and its arguments."""
    arguments, bound = bound_arguments()
    has_all = [f"found.keys && {bound(keys(word))}::integer[]" for word in words]
    conditions = " and ".join([*has_all, *scope_of(searched.listing, actor, bound)])
    table, found_in = searched.listing.table, search_table(searched.table.name)
    sql = (
        f"select id, {', '.join(searched.table.found_by)} from {{view}}.{table}"  # noqa: S608
        f" join {{view}}.{found_in} found using (id) where {conditions} limit {CANDIDATES}"
    )
    return sql, *arguments
