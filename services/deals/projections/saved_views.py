"""The list of saved views: one's own, and what is shared with one."""

from datetime import datetime
from typing import Annotated, Any, get_args
from uuid import UUID

from services.deals.domain.saved_view import SEEING_VIEWS, SharedWith, Shown, saved_view
from shared.domain.aggregate import statuses
from shared.events.deals.saved_view import ViewChanged, ViewSaved, ViewShared, ViewWithdrawn
from shared.events.definition import value, words
from shared.events.envelope import Envelope
from shared.projections.columns import BY_LANGUAGE, SEARCHED
from shared.projections.lists import Listing, equals, one_of, search
from shared.projections.projection import Projection
from shared.projections.tables import Row, Table


@value
class SavedViewRow:
    """A view in the list."""

    id: UUID
    version: int
    status: Annotated[str, words(statuses(saved_view))]
    name: Annotated[str, BY_LANGUAGE, SEARCHED]
    """Empty once it is withdrawn."""
    shows: Shown
    """board, or the name of a list."""
    query: str
    """What stands behind the question mark of its address; empty once it is withdrawn."""
    shared_with: SharedWith
    saved_by: UUID
    """The member who keeps it."""
    owner: UUID | None
    """The same, as long as it is theirs alone."""
    team: UUID | None
    """Of what is shared with a team, that team."""
    saved_at: datetime
    updated_at: datetime


def _told(*names: str) -> Any:
    return lambda fact, _: {name: getattr(fact.data, name) for name in names}


def _saved(fact: Envelope[ViewSaved], row: Row) -> Row:
    told = _told("name", "shows", "query", "shared_with", "saved_by", "owner", "team")
    return {"status": "kept", "saved_at": fact.occurred_at, **told(fact, row)}


SAVED_VIEW = Table(
    name="saved_view",
    row=SavedViewRow,
    events=saved_view.events,
    changes={
        ViewSaved: _saved,
        ViewChanged: _told("name", "shows", "query"),
        ViewShared: _told("shared_with", "owner", "team"),
        ViewWithdrawn: lambda *_: {"status": "withdrawn", "name": "", "query": ""},
    },
    indices=("(name_key, id)", "(owner)", "(team)"),
)

SAVED_VIEW_PROJECTION = Projection(
    name="saved_views",
    version=1,
    ddl=SAVED_VIEW.ddl,
    indices=SAVED_VIEW.index_ddl,
    apply=SAVED_VIEW.apply,
    events=tuple(SAVED_VIEW.events),
)

SAVED_VIEWS = Listing(
    name="saved-views",
    projection=SAVED_VIEW_PROJECTION,
    table="saved_view",
    item=SavedViewRow,
    key="id",
    filters={
        "status": one_of("status", statuses(saved_view)),
        "shows": one_of("shows", get_args(Shown)),
        "shared_with": one_of("shared_with", get_args(SharedWith)),
        "saved_by": equals("saved_by", UUID),
        "q": search(),
    },
    sorts=("name", "saved_at"),
    default_sort="name",
    readers=SEEING_VIEWS,
)
