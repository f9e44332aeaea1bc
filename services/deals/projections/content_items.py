"""The list of solutions, cases, scripts and templates."""

from datetime import datetime
from typing import Annotated, Any, get_args
from uuid import UUID

from services.deals.domain.content_item import TOLD, ContentKind, content_item
from services.deals.domain.journey import BUYER_STAGES
from shared.domain.aggregate import statuses
from shared.domain.roles import EVERYBODY
from shared.events.deals.content_item import (
    ContentItemAdded,
    ContentItemChanged,
    ContentItemReinstated,
    ContentItemRetired,
)
from shared.events.definition import value, words
from shared.events.envelope import Envelope
from shared.projections.columns import BY_LANGUAGE, SEARCHED
from shared.projections.lists import Listing, equals, one_of, search, suits
from shared.projections.projection import Projection
from shared.projections.tables import Row, Table


@value
class ContentItemRow:
    """A piece of content in the list."""

    id: UUID
    version: int
    status: Annotated[str, words(statuses(content_item))]
    key: str
    """By what processes name it as a template."""
    kind: ContentKind
    title: Annotated[str, BY_LANGUAGE, SEARCHED]
    reference: str
    """Where it is: a link, or the id of a document."""
    buyer_stages: tuple[str, ...]
    """The stages of the buyer that it is for; none: all of them."""
    touchpoint: str | None
    """Where the buyer meets it."""
    industries: tuple[str, ...]
    """The industries that it is for; none: all of them."""
    language: str | None
    """The tag of its language (BCP 47); null: it is for every language."""
    content_version: int
    """Which version it is, counted from 1."""
    updated_at: datetime


def _told(event: Any) -> Row:
    return {name: getattr(event, name) for name in TOLD}


def _added(fact: Envelope[ContentItemAdded], row: Row) -> Row:
    return {"status": "active", "key": fact.data.key, "content_version": 1, **_told(fact.data)}


def _changed(fact: Envelope[ContentItemChanged], row: Row) -> Row:
    return {"content_version": fact.data.content_version, **_told(fact.data)}


CONTENT_ITEM = Table(
    name="content_item",
    row=ContentItemRow,
    events=content_item.events,
    changes={
        ContentItemAdded: _added,
        ContentItemChanged: _changed,
        ContentItemRetired: lambda *_: {"status": "retired"},
        ContentItemReinstated: lambda *_: {"status": "active"},
    },
    indices=("(key, id)", "(title_key, id)"),
)

CONTENT_ITEM_PROJECTION = Projection(
    name="content_items",
    version=1,
    ddl=CONTENT_ITEM.ddl,
    indices=CONTENT_ITEM.index_ddl,
    apply=CONTENT_ITEM.apply,
    events=tuple(CONTENT_ITEM.events),
)

CONTENT_ITEMS = Listing(
    name="content-items",
    projection=CONTENT_ITEM_PROJECTION,
    table="content_item",
    item=ContentItemRow,
    key="id",
    filters={
        "status": one_of("status", statuses(content_item)),
        "key": equals("key"),
        "kind": one_of("kind", get_args(ContentKind)),
        "buyer_stage": suits("buyer_stages", BUYER_STAGES),
        "industry": suits("industries"),
        "language": equals("language"),
        "q": search(),
    },
    sorts=("title", "key"),
    default_sort="title",
    readers=EVERYBODY,
    owner=None,
    team=None,
)

ACTIVE = """
select id, key, kind, title, reference, buyer_stages, industries, language, content_version
  from {view}.content_item where status = 'active'
"""
"""What can be used on deals."""
