"""The read model of deals: what every deal was from when to when, and the figures that follow from it.

Answers, for any past instant: the open pipeline by stage, month of expected close, category, team and owner; what was
closed when; single deals for a drill-down. Funnel, forecast and pipeline changes are questions to it.

A deal's facts may come late. As long as they come in the order in which they happened, its last span is continued;
otherwise, and for another name of it, its whole life is folded again, and the difference is posted to the figures.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from services.forecast.asking.question import NOBODY
from services.forecast.counting.sums import Sum, fields, summed
from services.forecast.counting.tallies import Tally, add
from services.forecast.pipeline.figures import (
    Close,
    Counted,
    Level,
    Movement,
    Opening,
    Silence,
    Standing,
    Where,
    changes_of,
    counted,
    cycle_days,
    due_of,
)
from services.forecast.pipeline.timeline import FACTS, DealState, Span, spans
from shared.domain.context import Company
from shared.domain.history import by_thing, last_place
from shared.events.chronology import Dated
from shared.events.deals.deal import DealHandedOver, DealOpened, DealRenamed
from shared.events.envelope import Envelope
from shared.projections.csv import CsvValue, quoted, quoted_json
from shared.projections.projection import Projection, ProjectionDatabase, indices

SPANS = """
create table {view}.deal (deal_id uuid primary key, last_place text not null);
create table {view}.span (
    deal_id uuid not null, start_at timestamptz not null, end_at timestamptz, outcome text not null,
    process_id uuid not null, process_version integer not null, stage text not null, category text not null,
    currency text not null, amount numeric not null, weighted numeric not null, due text not null,
    closed_on date, cycle_days integer not null, team uuid, owner uuid, opened_at timestamptz not null,
    stalled_at timestamptz not null, expected_close date, entered_on date not null, pushes integer not null,
    probability numeric not null, account_id uuid, state json not null,
    primary key (deal_id, start_at)
);
create table {view}.held (
    deal_id uuid not null, team uuid not null, owner uuid not null, known timestamptz not null,
    primary key (team, owner, deal_id)
);
create statistics {view}.standing (mcv) on outcome, end_at from {view}.span;
"""

STANDING = "due text, process_id uuid, process_version integer, stage text, category text, currency text"
CLOSE = (
    "outcome text, process_id uuid, process_version integer, stage text, cycle_days integer, currency text,"
    " valued_on date"
)

MOVEMENT = Tally(table="movement", key=f"day date, {STANDING}")
"""What changed in the open pipeline on a day."""
LEVEL = Tally(table="level", key=f"still boolean, month date, {STANDING}")
"""The open pipeline when a month began, or what still stands since a day of the month."""
STALLED = Tally(table="stalled", key="day date", values="count bigint")
"""How many open deals came to be silent for too long on a day, or no longer are."""
STALLED_MONTH = Tally(
    table="stalled_month",
    key="month date",
    values="count bigint",
    derived={"month": "date_trunc('month', given.day)::date"},
)
"""The same by months."""
CLOSING = Tally(table="closing", key=f"closed_on date, day date, {CLOSE}", values="count bigint, amount numeric")
"""What became closed, or open again, on a day."""
CLOSING_MONTH = Tally(
    table="closing_month",
    key=f"closed_month date, month date, {CLOSE}",
    values="count bigint, amount numeric",
    derived={
        "closed_month": "date_trunc('month', given.closed_on)::date",
        "month": "date_trunc('month', given.day)::date",
    },
)
"""The same by months."""
CLOSED = Tally(table="closed", key=CLOSE, values="count bigint, amount numeric")
"""What is closed now, whenever."""
OPENING = Tally(table="opening", key="opened_on date, day date, won boolean", values="count bigint")
"""By the day on which deals were opened: what came, was won, or went elsewhere on a day."""

TALLIES = (MOVEMENT, LEVEL, STALLED, STALLED_MONTH, CLOSING, CLOSING_MONTH, CLOSED, OPENING)

DDL = f"""{SPANS}
{" ".join(tally.ddl for tally in TALLIES)}
"""

INDICES = indices(
    held=("(owner, deal_id)",),
    closing=("(owner, team, day)",),
    span=(
        "(start_at)",
        "(end_at) where end_at is not null",
        "using gist (tstzrange(start_at, end_at)) where outcome = 'open' and end_at is not null",
        "using gist (tstzrange(start_at, end_at)) where outcome <> 'open' and end_at is not null",
        "(outcome, currency, (-amount), deal_id, owner, team, start_at) where end_at is null",
        """(due) include (deal_id, start_at, currency, amount, expected_close, stalled_at, pushes, entered_on,
            probability, process_id, process_version, stage, team, owner) where outcome = 'open' and end_at is null""",
        "(outcome, currency, process_id, process_version, stage, (-amount), deal_id) where end_at is null",
        "(currency)",
        "(closed_on) where end_at is null and closed_on is not null",
        "(account_id, closed_on, deal_id) include (owner, team) where outcome = 'won' and end_at is null",
        "(opened_at)",
        "(stalled_at) where outcome = 'open'",
    ),
)


PAGES_AT_ONCE, FOLDED_AT_ONCE = 5, 2000
"""Many deals of a build change the same figures, so that these are summed over several pages before they are posted;
the deals are folded in slices of so many events, between which the event loop does other work."""


async def apply(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    """Continue the deals that the events belong to, or fold them again, and post the difference to the figures."""
    figures = [await _fold(db, facts) for facts in _slices(by_thing(events))]
    await _post(
        db,
        summed(change for moved, _ in figures for change in moved),
        summed(change for _, levelled in figures for change in levelled),
    )


def _slices(facts: Mapping[UUID, list[Envelope[Any]]]) -> Iterator[dict[UUID, list[Envelope[Any]]]]:
    """The deals with their facts, whole deals at a time."""
    some, number = dict[UUID, list[Envelope[Any]]](), 0
    for deal_id, own in facts.items():
        some[deal_id] = own
        number += len(own)
        if number >= FOLDED_AT_ONCE:
            yield some
            some, number = {}, 0
    if some:
        yield some


PROJECTION = Projection(
    name="deals",
    version=22,
    ddl=DDL,
    indices=INDICES,
    apply=apply,
    source="journal",
    events=FACTS,
    pages_at_once=PAGES_AT_ONCE,
)


Change = tuple[list[Span], list[Span]]
"""Spans of a deal before, and the spans that replace them."""


@dataclass(frozen=True, slots=True)
class Current:
    """The last place of any fact of a deal, and its last span."""

    last: Dated
    span: Span | None


async def _fold(db: ProjectionDatabase, facts: dict[UUID, list[Envelope[Any]]]) -> tuple[list[Movement], list[Level]]:
    """Write what some deals are; gives what that changes in the figures."""
    known = await _current(db, list(facts))
    new = [fact for own in facts.values() for fact in own]
    late, places = await db.late({deal_id: current.last for deal_id, current in known.items()}, new)
    late |= known.keys() & {fact.aggregate_id for fact in new if isinstance(fact.data, DealRenamed)}
    changes = {deal_id: _continue(known.get(deal_id), facts[deal_id]) for deal_id in facts.keys() - late}
    if late:
        told = by_thing(await db.standing(list(late), FACTS))
        changes |= await _refold(db, {deal_id: told.get(deal_id, []) for deal_id in late})
        await _forget_places(db, late - told.keys())
        places = {deal_id: place for deal_id, place in places.items() if deal_id not in late}
        places |= {deal_id: last_place(own) for deal_id, own in told.items()}
    before, after = (
        [counted(span, db.company) for change in changes.values() for span in change[side]] for side in (0, 1)
    )
    await _write_spans(db, before, after)
    await _write_places(db, places)
    await _write_held(db, new)
    return changes_of(before, after, db.company)


def _continue(current: Current | None, new: Sequence[Envelope[Any]]) -> Change:
    """The last span before and the spans after, for facts that continue a deal's life."""
    before = [current.span] if current and current.span else []
    return before, spans(new, before[0] if before else None)


async def _refold(db: ProjectionDatabase, told: Mapping[UUID, Sequence[Envelope[Any]]]) -> dict[UUID, Change]:
    """All spans before and after, for deals of which a fact came late, or that are gone."""
    before: dict[UUID, list[Span]] = defaultdict(list)
    for row in await db.fetch(
        "select deal_id, start_at, end_at, state from {view}.span where deal_id = any($1) order by start_at", list(told)
    ):
        before[row["deal_id"]].append(_span(row))
    return {deal_id: (before[deal_id], spans(own)) for deal_id, own in told.items()}


async def _current(db: ProjectionDatabase, deal_ids: Sequence[UUID]) -> dict[UUID, Current]:
    rows = await db.fetch(
        """select d.deal_id, d.last_place, s.start_at, s.end_at, s.state
             from {view}.deal d left join {view}.span s on s.deal_id = d.deal_id and s.end_at is null
            where d.deal_id = any($1)""",
        deal_ids,
    )
    return {
        row["deal_id"]: Current(
            msgspec.json.decode(row["last_place"], type=Dated),
            _span(row) if row["start_at"] else None,
        )
        for row in rows
    }


def _span(row: Any) -> Span:
    return Span(start=row["start_at"], end=row["end_at"], state=read_state(row["state"]))


def told_by_state(field: str) -> str:
    """The SQL of a field of a deal's state, as text."""
    return f"state ->> {DealState.__struct_fields__.index(field)}"


def read_state(text: str) -> DealState:
    """A deal's state from its column."""
    return msgspec.json.decode(text, type=DealState)


async def _write_spans(db: ProjectionDatabase, before: Sequence[Counted], after: Sequence[Counted]) -> None:
    gone = [each.span for each in before]
    if gone:
        await db.execute(
            """delete from {view}.span using unnest($1::uuid[], $2::timestamptz[]) as gone (deal_id, start_at)
                where span.deal_id = gone.deal_id and span.start_at = gone.start_at""",
            [span.state.deal_id for span in gone],
            [span.start for span in gone],
        )
    await db.copy("span", [_span_row(each, db.company) for each in after])


def _span_row(counted: Counted, company: Company) -> tuple[CsvValue, ...]:
    """A span in the order of its columns."""
    span, state = counted.span, counted.span.state
    return (
        *(state.deal_id, span.start, span.end, quoted(state.outcome)),
        *(state.process_id, state.process_version, quoted(state.stage), quoted(state.category)),
        *(quoted(state.currency), state.amount, counted.what.weighted, quoted(due_of(state))),
        *(state.closed_on, cycle_days(state, company), state.team, state.owner, state.opened),
        *(counted.stalls, state.expected_close, company.day(state.entered), state.pushes),
        *(state.probability, state.account_id, quoted_json(state)),
    )


async def _forget_places(db: ProjectionDatabase, gone: Iterable[UUID]) -> None:
    await db.execute("delete from {view}.deal where deal_id = any($1)", list(gone))


async def _write_places(db: ProjectionDatabase, last: Mapping[UUID, Dated]) -> None:
    await db.execute(
        """insert into {view}.deal select * from unnest($1::uuid[], $2::text[])
           on conflict (deal_id) do update set last_place = excluded.last_place""",
        list(last),
        [_text(place) for place in last.values()],
    )


def _text(data: Any) -> str:
    return msgspec.json.encode(data).decode()


async def _write_held(db: ProjectionDatabase, facts: Sequence[Envelope[Any]]) -> None:
    """Whose each deal ever was, and since when that was known. Spans do not tell: a state that held for no time, as
    the next fact bears the same instant, is in none of them, and may have been all that was known then."""
    known: dict[tuple[UUID, UUID, UUID], datetime] = {}
    for fact in facts:
        if isinstance(fact.data, (DealOpened, DealHandedOver)):
            key = fact.aggregate_id, fact.data.team or NOBODY, fact.data.owner or NOBODY
            known[key] = min(known.get(key, fact.recorded_at), fact.recorded_at)
    if not known:
        return
    await db.execute(
        """insert into {view}.held as given (deal_id, team, owner, known)
           select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[])
           on conflict (team, owner, deal_id) do update set known = excluded.known
            where excluded.known < given.known""",
        [deal_id for deal_id, _, _ in known],
        [team for _, team, _ in known],
        [owner for _, _, owner in known],
        list(known.values()),
    )


async def _post(
    db: ProjectionDatabase,
    moved: Mapping[tuple[date, Where], Sum],
    levelled: Mapping[tuple[date, bool, Standing], Sum],
) -> None:
    """Add the changes to the figures."""
    rows: dict[type, list[dict[str, Any]]] = defaultdict(list)
    for (day, where), change in moved.items():
        rows[type(where)].append({"day": day} | fields(where) | fields(change))
    placed = [
        {"month": month, "still": still} | fields(where) | fields(change)
        for (month, still, where), change in levelled.items()
    ]
    await add(db, (MOVEMENT,), rows[Standing])
    await add(db, (LEVEL,), placed)
    await add(db, (STALLED, STALLED_MONTH), rows[Silence])
    await add(db, (CLOSING, CLOSING_MONTH, CLOSED), rows[Close])
    await add(db, (OPENING,), rows[Opening])
