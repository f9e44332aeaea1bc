"""Keyset pages of what a question lists: at most 200 rows, and a cursor that is good for that question alone.

A page goes on after the last row of the one before, by what the rows are ordered by, so that what comes or goes
meanwhile neither repeats nor hides any other row.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from annotated_types import Ge, Le
from fastapi import Depends, Query, Request

from shared.http.handwritten import CurrentService
from shared.http.lists.routes import link_to, query_of
from shared.http.query_parameters import SPELLED_WHOLE
from shared.projections.cursors import Cursors, MalformedCursor
from shared.projections.errors import InvalidQuery, invalid
from shared.projections.list_queries import QueryParams

MAX_ROWS = 200

MALFORMED = invalid("cursor", "malformed-cursor", "This cursor is not one of this query; start anew.")

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Row]):
    """Some rows, the cursor of what follows them (None at the end), and the header that says the same."""

    rows: list[Row]
    next: str | None
    headers: dict[str, str]

    @property
    def has_more(self) -> bool:
        """Whether rows follow."""
        return self.next is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """Which page is asked for. `after` holds the key of the last row of the page before, None at the beginning."""

    limit: int
    after: list[Any] | None
    path: str
    query: QueryParams
    cursors: Cursors

    @property
    def enough(self) -> int:
        """How many rows to read: one more than are shown says whether others follow."""
        return self.limit + 1

    def behind(self, kind: Any) -> Any:
        """The key that the page begins after, as a tuple of this type; None at the beginning."""
        if self.after is None:
            return None
        try:
            return msgspec.convert(self.after, kind)
        except msgspec.ValidationError as error:
            # Signed, and of this question, but written by a release that orders its rows otherwise.
            raise InvalidQuery([MALFORMED]) from error

    def cut(self, rows: Sequence[Row], key: Callable[[Row], tuple[Any, ...]]) -> Page[Row]:
        """The page out of rows in order that begin after `after`."""
        shown = list(rows[: self.limit])
        if len(rows) <= self.limit:
            return Page(rows=shown, next=None, headers={})
        cursor = self.cursors.encode(key(shown[-1]), _bound_to(self.path, self.query))
        return Page(rows=shown, next=cursor, headers=link_to(cursor, self.path, self.query))

    def pick(self, rows: Sequence[Row], key: Callable[[Row], tuple[Any, ...]], kind: Any) -> Page[Row]:
        """The page out of all rows, in order of their keys, for what is at hand as a whole."""
        after = self.behind(kind)
        return self.cut([row for row in rows if after is None or key(row) > after], key)


def pages_of(usual: int, most: int) -> Callable[..., Awaitable[Paging]]:
    """The parameters limit and cursor of pages that have at most `most` rows."""

    async def paging(
        request: Request,
        service: CurrentService,
        limit: Annotated[
            int, Ge(1), Le(most), SPELLED_WHOLE, Query(description="How many rows a page has at most.")
        ] = usual,
        cursor: Annotated[str | None, Query(description="`next` of the page before.")] = None,
    ) -> Paging:
        path, query = request.url.path, query_of(request)
        after = None if cursor is None else _decoded(service.cursors, cursor, _bound_to(path, query))
        return Paging(limit=limit, after=after, path=path, query=query, cursors=service.cursors)

    return paging


Paged = Annotated[Paging, Depends(pages_of(MAX_ROWS, MAX_ROWS))]
"""The parameters of a page: limit, cursor."""


def _decoded(cursors: Cursors, cursor: str, bound_to: str) -> list[Any]:
    try:
        return cursors.decode(cursor, bound_to)
    except MalformedCursor as error:
        raise InvalidQuery([MALFORMED]) from error


def _bound_to(path: str, query: QueryParams) -> str:
    """What a cursor is good for: the question, whatever the size of its pages."""
    asked = sorted((name, value) for name, value in query.items() if name not in ("limit", "cursor"))
    return msgspec.json.encode([path, asked]).decode()
