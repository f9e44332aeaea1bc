"""The list of what everybody has muted of their own notices."""

from datetime import date, datetime
from typing import Annotated, Any, get_args
from uuid import UUID

from services.forecast.domain.notice import RECIPIENTS, NoticeKind
from services.forecast.domain.preference import notice_preference
from shared.events.definition import value
from shared.events.envelope import Envelope
from shared.events.forecast.notice_preference import NoticesMuted, NoticesUnmuted
from shared.projections.columns import OfToday
from shared.projections.lists import Listing, equals, one_of
from shared.projections.projection import Projection
from shared.projections.tables import Row, Table


@value
class MutedKindRow:
    """A kind of notice that somebody has muted, in the list."""

    id: str
    """The member's id and the kind."""
    kind: NoticeKind
    until: date | None
    """The last day on which it is; null: until it is unmuted."""
    in_force: Annotated[bool, OfToday("until is null or until >= {today}")]
    """Whether it is today."""
    member: UUID
    updated_at: datetime


@value
class Kept:
    """What else is kept."""

    muted: bool


def _muted(fact: Envelope[NoticesMuted], row: Row) -> Row:
    return {"kind": fact.data.kind, "member": fact.data.member_id, "until": fact.data.until, "muted": True}


def _key(fact: Envelope[Any]) -> tuple[str]:
    return (f"{fact.data.member_id}/{fact.data.kind}",)


KIND = Table(
    name="kind",
    row=MutedKindRow,
    kept=Kept,
    events=notice_preference.events,
    changes={NoticesMuted: _muted, NoticesUnmuted: lambda *_: {"muted": False}},
    keys=_key,
    indices=("(member, kind)",),
)

# What is unmuted stands in the table, for a row leaves as it comes, by any event.
STANDING = "create view {view}.muted_kind as select * from {view}.kind where muted;"

PREFERENCE_PROJECTION = Projection(
    name="notice_preferences",
    version=1,
    ddl=KIND.ddl + STANDING,
    indices=KIND.index_ddl,
    apply=KIND.apply,
    events=tuple(KIND.events),
)

MUTED_KINDS = Listing(
    name="muted-kinds",
    projection=PREFERENCE_PROJECTION,
    table="muted_kind",
    item=MutedKindRow,
    key="id",
    filters={
        "kind": one_of("kind", get_args(NoticeKind)),
        "in_force": equals("in_force", bool),
    },
    sorts=("kind", "until"),
    default_sort="kind",
    readers=RECIPIENTS,
    owner="member",
    team=None,
)
