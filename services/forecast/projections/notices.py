"""The list of notices: everybody's inbox."""

from datetime import date, datetime
from typing import Annotated, get_args
from uuid import UUID

from services.forecast.domain.notice import RECIPIENTS, NoticeKind, NoticeThing, notice
from shared.domain.aggregate import statuses
from shared.events.definition import value, words
from shared.events.envelope import Envelope
from shared.events.forecast.notice import NoticeAcknowledged, NoticeRaised, NoticeRead, NoticeRenamed, NoticeSettled
from shared.events.money import Money
from shared.projections.lists import Listing, at_least, at_most, equals, in_currency, one_of
from shared.projections.projection import Projection
from shared.projections.tables import Row, Table


@value
class NoticeRow:
    """A notice in the list."""

    id: UUID
    version: int
    kind: NoticeKind
    status: Annotated[str, words(statuses(notice))]
    about: NoticeThing
    about_id: UUID
    approval_id: UUID | None
    """The approval of it that waits or has ended, where that is what it is about."""
    account_id: UUID | None
    amount: Money | None
    due: date | None
    reference: str | None
    """How people call what it is about, like the invoice's number."""
    muted: bool
    """Whether its recipient had muted the kind when it was raised: then it was not sent."""
    member: UUID
    """Whose notice it is."""
    raised_at: datetime
    updated_at: datetime


def _raised(fact: Envelope[NoticeRaised], row: Row) -> Row:
    event = fact.data
    return {
        "kind": event.kind,
        "status": "unread",
        "about": event.about.thing,
        "about_id": event.about.id,
        "approval_id": event.about.approval_id,
        "account_id": event.account_id,
        "amount": event.amount.amount if event.amount else None,
        "currency": event.amount.currency if event.amount else None,
        "due": event.due,
        "reference": event.reference,
        "muted": event.muted,
        "member": event.member_id,
        "raised_at": fact.occurred_at,
    }


NOTICE = Table(
    name="notice",
    row=NoticeRow,
    events=notice.events,
    changes={
        NoticeRaised: _raised,
        NoticeRead: lambda *_: {"status": "read"},
        NoticeAcknowledged: lambda *_: {"status": "acknowledged"},
        NoticeRenamed: lambda fact, _: {"reference": fact.data.reference},
        NoticeSettled: lambda *_: {"status": "settled"},
    },
    indices=("(member, raised_at, id)", "(member, status, raised_at, id)"),
)

NOTICE_PROJECTION = Projection(
    name="notices",
    version=3,
    ddl=NOTICE.ddl,
    indices=NOTICE.index_ddl,
    apply=NOTICE.apply,
    events=tuple(NOTICE.events),
)

NOTICES = Listing(
    name="notices",
    projection=NOTICE_PROJECTION,
    table="notice",
    item=NoticeRow,
    key="id",
    filters={
        "kind": one_of("kind", get_args(NoticeKind)),
        "status": one_of("status", statuses(notice)),
        "about": equals("about_id", UUID),
        "account": equals("account_id", UUID),
        "currency": in_currency(),
        "muted": equals("muted", bool),
        "raised_from": at_least("raised_at", datetime),
        "raised_to": at_most("raised_at", datetime),
    },
    sorts=("raised_at", "due", "amount"),
    default_sort="-raised_at",
    readers=RECIPIENTS,
    owner="member",
    team=None,
)
