"""The read model of the feed: every event of the business, what it is about, and whose that was (API-3, FC-15).

Append-only: an entry says whose its thing was by what was known when it was recorded, and is never rewritten, but for
when it was taken back, and for the name of a deal, and of its approvals, which are called at any time what they are
called now.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.domain.history import by_thing, history
from shared.events.approvals import APPROVAL, APPROVING, approval_events
from shared.events.chronology import Rank
from shared.events.contracts.contract import ContractDrafted
from shared.events.deals.deal import DealHandedOver, DealOpened, DealRenamed
from shared.events.envelope import Envelope
from shared.events.follow_ups import FOLLOW_UP
from shared.events.leads.account import AccountHandedOver, AccountOpened
from shared.events.leads.lead import LeadAssigned, LeadCaptured
from shared.events.leads.member import MemberChanged, MemberJoined
from shared.events.leads.team import TeamChanged, TeamFormed
from shared.events.money import Money
from shared.events.receivables.ledger import AllocationReversed, InvoiceIssued, InvoiceOverdue, ReceiptAllocated
from shared.events.receivables.payment_plan import PlanDrawnUp
from shared.projections.projection import Projection, ProjectionDatabase

DDL = """
create table {view}.subject (
    aggregate_id uuid primary key, position bigint not null, name text, team uuid, owner uuid, handed timestamptz
);
create table {view}.entry (
    position bigint primary key, type text not null, aggregate text not null, aggregate_id uuid not null, name text,
    amount numeric, currency text, team uuid, owner uuid, occurred_at timestamptz not null, known timestamptz not null,
    actor text not null, imported boolean not null, retracted timestamptz, sequence bigint not null,
    causation_id uuid not null, fact text, turn smallint not null
);
create index on {view}.entry (occurred_at, known, aggregate_id, sequence);
create index on {view}.entry (aggregate_id, occurred_at, position);
comment on column {view}.entry.fact is 'By what it is known again, where another telling may take its place.';
comment on column {view}.entry.turn is 'What goes first of one time: what history tells, by its rank.';
"""

KNOWN = "select aggregate_id, name, team, owner, handed from {view}.subject where aggregate_id = any($1)"

SUBJECTS = """
insert into {view}.subject
select * from unnest($1::uuid[], $2::bigint[], $3::text[], $4::uuid[], $5::uuid[], $6::timestamptz[])
on conflict (aggregate_id) do update set position = excluded.position, name = excluded.name, team = excluded.team,
    owner = excluded.owner, handed = excluded.handed
"""

ENTRIES = """
insert into {view}.entry (
    position, type, aggregate, aggregate_id, amount, currency, occurred_at, known, actor, imported, sequence,
    causation_id, fact, turn, name, team, owner
)
select * from unnest($1::bigint[], $2::text[], $3::text[], $4::uuid[], $5::numeric[], $6::text[],
                     $7::timestamptz[], $8::timestamptz[], $9::text[], $10::boolean[], $11::bigint[], $12::uuid[],
                     $13::text[], $14::smallint[], $15::text[], $16::uuid[], $17::uuid[])
on conflict do nothing
"""

RETRACTED = """
update {view}.entry set retracted = given.at
  from unnest($1::bigint[], $2::timestamptz[]) as given (position, at) where entry.position = given.position
"""

RENAMED = """
update {view}.entry set name = given.name
  from unnest($1::uuid[], $2::text[]) as given (aggregate_id, name) where entry.aggregate_id = given.aggregate_id
   and entry.name is distinct from given.name
"""

RENAMED_APPROVALS = tuple(renamed for service in APPROVING if (renamed := approval_events(service).renamed))

Belonging = tuple[str | None, UUID | None, UUID | None]
"""Name, team and owner of an aggregate."""

NOBODYS: Belonging = (None, None, None)

OWN = "forecast"

RECORDED = max(Rank) + 1
"""The turn of what was recorded as it happened: of one time it comes after what history tells."""


async def apply(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    """Note every event with whose it was after it, as far as that was known when it was recorded: an entry says the
    same, whatever came in the same page, and whatever is told later. What was told of follow-ups is left out: it is no
    news by itself, and effects tell it (`services/forecast/effects`); and what forecast tells by itself, which is its
    recipients' alone, and about something that is told here."""
    events = [event for event in events if event.aggregate != FOLLOW_UP and event.service != OWN]
    rows = await db.fetch(KNOWN, list({event.aggregate_id for event in events}))
    known: dict[UUID, Belonging] = {row["aggregate_id"]: (row["name"], row["team"], row["owner"]) for row in rows}
    late, handed = _late(events, {row["aggregate_id"]: row["handed"] for row in rows if row["handed"]})
    histories = by_thing(await db.history(list({event.aggregate_id for event in late.values()}))) if late else {}
    changed: dict[UUID, int] = {}
    entries = []
    for event in events:
        subject = event.aggregate_id
        whose = now = _following(known.get(subject, NOBODYS), event.data)
        if event.position in late:
            whose, now = _at_its_place(event, histories[subject])
        if _belonging(event.data) is not None or event.data.retracts:
            known[subject], changed[subject] = now, event.position
        entries.append((*_entry(event), *(_own(event.data) or (now[0], *whose[1:]))))
    if changed:
        subjects = [(subject, at, *known[subject], handed.get(subject)) for subject, at in changed.items()]
        await db.execute(SUBJECTS, *map(list, zip(*subjects, strict=True)))
    if entries:
        await db.execute(ENTRIES, *map(list, zip(*entries, strict=True)))
    names = {subject: known[subject][0] for subject in _renamed(events, late, histories)}
    names |= {event.aggregate_id: event.data.name for event in events if isinstance(event.data, RENAMED_APPROVALS)}
    if names:
        await db.execute(RENAMED, list(names), list(names.values()))
    if gone := list(_taken_back(late.values(), histories)):
        await db.execute(RETRACTED, *map(list, zip(*gone, strict=True)))


def _renamed(
    events: Iterable[Envelope[Any]],
    late: Mapping[int, Envelope[Any]],
    histories: Mapping[UUID, Sequence[Envelope[Any]]],
) -> set[UUID]:
    """The deals that may be called otherwise after these events: by a new name, or because what is told late, or taken
    back, concerns one that was renamed before. Of others an entry says what was told then."""
    renamed = {event.aggregate_id for event in events if isinstance(event.data, DealRenamed)}
    told_late = {event.aggregate_id for event in late.values()}
    return renamed | {
        subject for subject in told_late if any(isinstance(fact.data, DealRenamed) for fact in histories[subject])
    }


def _taken_back(
    events: Iterable[Envelope[Any]], histories: Mapping[UUID, Sequence[Envelope[Any]]]
) -> Iterator[tuple[int, datetime]]:
    """Which entries tell what does not stand any more, and since when that is known."""
    for event in events:
        if event.data.retracts:
            facts = histories[event.aggregate_id]
            yield from ((fact.position, event.recorded_at) for fact in facts if fact.causation_id == event.data.request)


def _late(
    events: Sequence[Envelope[Any]], handed: Mapping[UUID, datetime]
) -> tuple[dict[int, Envelope[Any]], dict[UUID, datetime]]:
    """What history tells of a time before a hand-over that is known, or of the opening again, or takes back, by
    position; and when each thing was handed over last, with these events."""
    late, handed = dict[int, Envelope[Any]](), dict(handed)
    for event in events:
        last = handed.get(event.aggregate_id)
        is_corrected = event.sequence > 1 and event.data.rank is Rank.OPENING
        is_late = is_corrected or (last is not None and event.occurred_at <= last)
        if event.data.retracts or (event.fact is not None and is_late):
            late[event.position] = event
        if event.sequence > 1 and _belonging(event.data) is not None:
            handed[event.aggregate_id] = max(event.occurred_at, last or event.occurred_at)
    return late, handed


def _at_its_place(event: Envelope[Any], facts: Sequence[Envelope[Any]]) -> tuple[Belonging, Belonging]:
    """Whose a thing was after an event, and whose it is now, by what is told up to this event."""
    before = [fact for fact in facts if fact.sequence < event.sequence]
    names = {fact.fact for fact in before if fact.fact is not None and _belonging(fact.data) is not None}
    telling = [fact for fact in before if _belonging(fact.data) is not None or fact.fact in names or fact.data.retracts]
    if event.data.retracts:
        return _after(history(telling)), _after(history([*telling, event]))
    ordered = history([*telling, event])
    place = next(place for place, fact in enumerate(ordered, 1) if fact.sequence == event.sequence)
    return _after(ordered[:place]), _after(ordered)


def _after(facts: Iterable[Envelope[Any]]) -> Belonging:
    """Whose something is after facts in their order."""
    belonging = NOBODYS
    for fact in facts:
        belonging = _following(belonging, fact.data)
    return belonging


def _following(before: Belonging, data: Any) -> Belonging:
    """Whose something is after an event."""
    told = _belonging(data)
    if told is None:
        return before
    if isinstance(data, DealRenamed):
        return told[0], before[1], before[2]
    if getattr(data, "said", None) is not None:
        return told[0] or before[0], told[1] or before[1], told[2] or before[2]
    return told[0] or before[0], told[1], told[2]


PROJECTION = Projection(name="feed", version=16, ddl=DDL, apply=apply, source="journal")


def _belonging(data: Any) -> Belonging | None:
    """Name, team and owner of the aggregate, as far as an event says whose it is."""
    belonging: Belonging | None = None
    match data:
        case LeadCaptured():
            belonging = data.company_name, None, None
        case LeadAssigned():
            belonging = None, data.team_id, data.member_id
        case TeamFormed() | TeamChanged() | MemberJoined() | MemberChanged():
            belonging = data.name, None, None
        case AccountOpened() | DealOpened() | ContractDrafted():
            belonging = data.name, data.team, data.owner
        case DealRenamed():
            belonging = data.name, None, None
        case DealHandedOver() | AccountHandedOver() | PlanDrawnUp():
            belonging = None, data.team, data.owner
    return belonging


def _own(data: Any) -> Belonging | None:
    """What an event says of itself alone: a ledger is shared by all who sold to the customer, its invoices are not;
    what is told of an approval says what that is about.

    What says nothing, like money that arrived, belongs to nobody and is shown to those who see everything.
    """
    match data:
        case InvoiceIssued():
            return data.number, data.team, data.owner
        case ReceiptAllocated() | AllocationReversed() | InvoiceOverdue():
            return data.invoice_number, data.team, data.owner
    return (data.name, data.team, data.owner) if data.aggregate == APPROVAL else None


def _entry(event: Envelope[Any]) -> tuple[Any, ...]:
    told = getattr(event.data, "amount", None) or getattr(event.data, "total", None)
    amount = told if isinstance(told, Money) else None
    is_dated = event.data.rank is not None  # what has no rank is never corrected
    return (
        event.position,
        event.type,
        event.aggregate,
        event.aggregate_id,
        None if amount is None else amount.amount,
        None if amount is None else amount.currency,
        event.occurred_at,
        event.recorded_at,
        event.actor,
        event.imported,
        event.sequence,
        event.causation_id,
        event.fact if is_dated else None,
        event.data.rank if is_dated and event.fact is not None else RECORDED,
    )
