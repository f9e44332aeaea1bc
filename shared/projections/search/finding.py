"""Candidates and ranking: what is found by words among what an actor may see, the nearest first.

An index gives the candidates of each list, and the words themselves say how near these are. First those are looked for
that have every word as it was written; what only begins so, or has a slip, comes after them, and is not looked for
where they fill the answer.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from shared.domain.context import Actor
from shared.domain.permissions import reach_of
from shared.domain.rejection import Reason
from shared.domain.roles import Reach
from shared.projections.errors import InvalidQuery, invalid
from shared.projections.list_pages import bound_arguments, scope_of
from shared.projections.list_queries import MAX_WORDS
from shared.projections.lists import Listing
from shared.projections.read_snapshot import Projections
from shared.projections.search.keys import OWNER, TEAM, key_of_whole, keys_asked, marks_of, nearness, words_in
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The nearest first, of equally near ones the newest."""

    hits: Sequence[Hit]
    truncated: bool
    """Whether of a kind more have the words than were looked at: as near or newer ones may be missing."""


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


async def find(projections: Projections, kinds: Sequence[Searched], actor: Actor, words: Sequence[str]) -> Found:
    """The things that have all the words, in the actor's scope."""
    hits, truncated = list[Hit](), False
    async with projections.reading({each.listing.projection.name for each in kinds}) as reading:
        await reading(kinds[0].listing.projection).execute(PLANNED)
        for each in kinds:
            db = reading(each.listing.projection)
            found = await db.fetch(*select(each, actor, words, key_of_whole))
            if len(found) < MAX_HITS:
                further = await db.fetch(*select(each, actor, words, keys_asked))
                truncated = truncated or len(further) > CANDIDATES
                found += further
            else:
                truncated = truncated or len(found) > CANDIDATES
            hits += nearest(each, {row["id"]: dict(row) for row in found}, words)
    return Found(hits=ranked(hits)[:MAX_HITS], truncated=truncated)


def nearest(searched: Searched, rows: Mapping[UUID, Mapping[str, Any]], words: Sequence[str]) -> list[Hit]:
    """The candidates of a kind that are hits, as far as they can be in the answer: the newest are looked at first, and
    once so many have every word as it was written, no other one comes before them."""
    hits, whole = list[Hit](), 0
    for key in sorted(rows, reverse=True):
        hit = hit_of(searched, rows[key], words)
        if hit is not None:
            hits.append(hit)
            whole += hit.score == 1
            if whole == MAX_HITS:
                break
    return hits


def hit_of(searched: Searched, row: Mapping[str, Any], words: Sequence[str]) -> Hit | None:
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


def marks_asked(searched: Searched, actor: Actor) -> list[int] | None:
    """Under which marks what the actor sees stands in the index; None where that tells nothing. The scope of the list
    decides in any case: marks that are equal by chance show nobody more."""
    reach = reach_of(actor, searched.listing.readers)
    if reach not in (Reach.OWN, Reach.TEAM) or not searched.table.belongs_to:
        return None
    own = [] if actor.member is None else [{OWNER: actor.member}]
    teams = [{TEAM: team} for team in actor.teams] if reach is Reach.TEAM else []
    return sorted(mark for whose in (*own, *teams) for mark in marks_of(whose))


def select(searched: Searched, actor: Actor, words: Sequence[str], keys: Callable[[str], list[int]]) -> tuple[Any, ...]:
    """The statement for the candidates of a kind that have of each word one of its keys, and its arguments."""
    arguments, bound = bound_arguments()
    has_all = [f"found.keys && {bound(keys(word))}::integer[]" for word in words]
    marks = marks_asked(searched, actor)
    seen_by = [f"found.seen_by && {bound(marks)}::integer[]"] if marks is not None else []
    conditions = " and ".join([*has_all, *seen_by, *scope_of(searched.listing, actor, bound)])
    table, found_in = searched.listing.table, search_table(searched.table.name)
    sql = (
        f"select id, {', '.join(searched.table.found_by)} from {{view}}.{table}"  # noqa: S608
        f" join {{view}}.{found_in} found using (id) where {conditions} limit {CANDIDATES + 1}"
    )
    return sql, *arguments
