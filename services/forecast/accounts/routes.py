"""Everything that happened with an account, by whom, over HTTP (ACCT-1)."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from asyncpg import Record
from fastapi import Depends, Query, Response

from services.forecast.accounts.queries import RowPlace, account_of, entries, place_of
from services.forecast.asking.answers import money
from services.forecast.asking.parameters import PastQuery
from services.forecast.pipeline.queries.changed_fields import FieldChange, changes_of
from services.forecast.pipeline.queries.histories import steps_of
from shared.commands.request import NotFound
from shared.directory.actors import Act, names_then
from shared.domain.roles import READING
from shared.events.money import Money
from shared.http.handwritten import answer, handwritten, operation
from shared.http.json import answer_shape
from shared.http.lists.paging import Paging, pages_of
from shared.languages.catalogue import Catalogue
from shared.languages.wording import event_text

router = handwritten("account-timelines")


@answer_shape
class TimelineEntry:
    """One thing that happened: `text` says it in words, `aggregate` and `id` what it happened to, `name` what that is
    called; `position` is its place in the journal. `changes` are those of a deal."""

    position: int
    type: str
    text: str
    aggregate: str
    id: UUID
    name: str | None
    amount: Money | None
    """What it is about, in its own currency."""
    occurred_at: datetime
    recorded_at: datetime
    actor: str
    actor_name: str | None
    imported: bool
    changes: list[FieldChange]


@answer_shape
class AccountTimeline:
    """What happened with an account that the asker may see, the newest first, a page of it."""

    as_of: datetime
    known_at: datetime | None
    account_id: UUID
    name: str | None
    entries: list[TimelineEntry]
    next: str | None
    """The cursor of the following page."""
    has_more: bool


Timeline = Annotated[Paging, Depends(pages_of(50, 200))]

OfKind = Annotated[
    list[Literal["account", "lead", "deal", "contract", "payment-plan", "ledger"]] | None,
    Query(alias="aggregate", description="Only what happened to these kinds of things; repeatable."),
]


@router.get(
    "/v1/account-timelines/{account_id}",
    **operation(roles=READING, reads=("accounts", "feed", "organisation"), worded=True, answers=AccountTimeline),
)
async def account_timeline(query: PastQuery, paged: Timeline, account_id: UUID, of_kind: OfKind = None) -> Response:
    """Everything that happened with an account.

    To itself and its contacts, to the leads that it came from, its deals, contracts and payment plans, and in its
    ledgers: invoices, receipts and allocations. What came to another account later is shown until then.
    """
    asked, after = query.question, paged.behind(RowPlace)
    async with query.reading() as reading:
        accounts = reading("accounts")
        account = await account_of(accounts, asked, account_id)
        if account is None:
            raise NotFound("account", account_id)
        rows = await entries(accounts, asked, account.things, of_kind, after, paged.enough)
        page = paged.cut(rows, place_of)
        names = await names_then(reading("organisation"), {_act(row) for row in page.rows}, query.company)
        deals = {row["aggregate_id"] for row in page.rows if row["aggregate"] == "deal"}
        steps = await steps_of(accounts, asked, list(deals))
        changed = {step.fact.position: changes_of(step, query.words) for step in steps}
        parked = reading.parked
    return answer(
        AccountTimeline(
            as_of=asked.as_of,
            known_at=asked.known_at,
            account_id=account_id,
            name=account.name,
            entries=[
                _entry(row, names.get(_act(row)), changed.get(row["position"], []), query.words) for row in page.rows
            ],
            next=page.next,
            has_more=page.has_more,
        ),
        parked=parked,
        words=query.words,
        headers=page.headers,
    )


def _act(row: Record) -> Act:
    return row["actor"], row["occurred_at"]


def _entry(row: Any, actor_name: str | None, changes: list[FieldChange], catalogue: Catalogue) -> TimelineEntry:
    return TimelineEntry(
        position=row["position"],
        type=row["type"],
        text=event_text(catalogue, row["type"]),
        aggregate=row["aggregate"],
        id=row["aggregate_id"],
        name=row["called"],
        amount=None if row["amount"] is None else money(row["amount"], row["currency"]),
        occurred_at=row["occurred_at"],
        recorded_at=row["known"],
        actor=row["actor"],
        actor_name=actor_name,
        imported=row["imported"],
        changes=changes,
    )
