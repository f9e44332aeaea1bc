"""Lives of deals for the section of rebuilding, in the order in which a company records them: those that are open at
one time take turns, so that a page of the log seldom holds two events of one deal. Written by COPY, as it happened."""

import heapq
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from shared.events.codec import Codec
from shared.events.deals.deal import (
    DealActivityLogged,
    DealAmountChanged,
    DealCategoryChanged,
    DealCloseDateChanged,
    DealHandedOver,
    DealLost,
    DealMoved,
    DealNextStepPlanned,
    DealNodeCompleted,
    DealOpened,
    DealWon,
)
from shared.events.money import Money
from shared.events.registry import topic_of_class, type_of, version_of
from shared.kafka.partitioning import PARTITIONS, partition_of

BEGAN = datetime(2021, 1, 4, 7, tzinfo=UTC)
BETWEEN = timedelta(days=5 * 365) / 1_000_000
"""From one opening to the next: a million in five years, so that 33,000 deals are open at one time. Fewer deals are the
beginning of that history: a page is as mixed as one of the whole."""
STAGES = (("contact", "0.10"), ("needs", "0.30"), ("quotation", "0.50"), ("drafting", "0.80"))
TEAMS, REPS = 20, 10
"""Each team has so many reps."""
NAMES = UUID(int=0xDE)
LIVE_DAYS = (0, 1, 3, 5, 8, 10, 12, 15, 18, 20, 23, 26, 30, 34, 38, 42, 46, 50, 55, 60)
"""On which of its days a deal's events lie."""
EVENTS = len(LIVE_DAYS)
COLUMNS = (
    *("position", "topic", "partition", "source_position", "aggregate_id", "aggregate", "sequence", "event_id"),
    *("type", "version", "occurred_at", "recorded_at", "actor", "correlation_id", "causation_id", "imported", "data"),
)
OF_STORE = tuple(name for name in COLUMNS if name not in ("topic", "source_position"))


def lives(deals: int) -> Iterator[tuple[int, int, datetime]]:
    """Which deal comes to which of its events when, in order."""

    def step(number: int) -> Iterator[tuple[datetime, int, int]]:
        later = timedelta(days=LIVE_DAYS[number], minutes=number)
        return ((BEGAN + BETWEEN * deal + later, deal, number) for deal in range(deals))

    for at, deal, number in heapq.merge(*map(step, range(EVENTS))):
        yield deal, number, at


def event_of(deal: int, number: int, at: datetime) -> Any:
    """The event with which a deal comes to a step of its life."""
    deal_id, today = deal_of(deal), at.date()
    team, owner = _seat(deal)
    held: dict[str, Any] = {"deal_id": deal_id, "account_id": uuid5(NAMES, f"account {deal // 3}")}
    owned = {**held, "team": team, "owner": owner}
    match number:
        case 0:
            stage, probability = STAGES[0]
            return DealOpened(
                **owned,
                name=f"Press line {deal}",
                amount=_worth(deal, 0),
                expected_close=today + timedelta(days=30 + deal % 60),
                process_id=UUID(int=deal % 2 + 1),
                process_name="standard",
                process_version=1,
                process_rule="default",
                stage=stage,
                probability=Decimal(probability),
                category="pipeline",
                account_name=f"Works {deal // 3}",
                source=("referral", "website", "fair")[deal % 3],
                idle_days=10,
            )
        case 4 | 9 | 14:
            place = (4, 9, 14).index(number)
            (before, was), (stage, probability) = STAGES[place], STAGES[place + 1]
            return DealMoved(
                **owned,
                before=before,
                stage=stage,
                direction="forward",
                skipped=(),
                probability=Decimal(probability),
                probability_before=Decimal(was),
                category="pipeline",
                category_of_stage=("pipeline", "best-case", "commit")[place],
                amount=_worth(deal, number),
                name=f"Press line {deal}",
                idle_days=10,
                on=today,
            )
        case 3 | 11:
            return DealAmountChanged(**owned, before=_worth(deal, 0), amount=_worth(deal, number), on=today)
        case 6 | 13 | 16:
            close = today + timedelta(days=20 + (deal + number) % 40)
            return DealCloseDateChanged(**owned, before=None, expected_close=close, on=today)
        case 12:
            judged = ("best-case", "commit")[deal % 2]
            return DealCategoryChanged(**owned, before="pipeline", category=judged, judged_by="rep", on=today)
        case 2 | 8:
            planned = today + timedelta(days=5)
            return DealNextStepPlanned(**owned, on=planned, what="Workshop", planned_on=today)
        case 7 if deal % 5 == 0:
            to_team, to_owner = _seat(deal + 1)
            return DealHandedOver(**held, owner_before=owner, team_before=team, owner=to_owner, team=to_team)
        case 10:
            return DealNodeCompleted(**owned, stage="needs", key="pains", kind="task", required=True, evidence="met")
        case 19 if deal % 3 == 0:
            return DealWon(**owned, on=today, amount=_worth(deal, 11), stage="drafting", name=f"Press line {deal}")
        case 19:
            return DealLost(**owned, on=today, amount=_worth(deal, 11), stage="drafting", reason="price")
        case _:
            activity = uuid5(deal_id, f"activity {number}")
            return DealActivityLogged(**owned, activity_id=activity, kind="call", by=owner, on=today, minutes=20)


def rows(codec: Codec, deals: int) -> Iterator[tuple[Any, ...]]:
    """The events as rows of a journal."""
    partitions: dict[UUID, int] = {}
    for position, (deal, number, at) in enumerate(lives(deals), start=1):
        event = event_of(deal, number, at)
        kind, deal_id = type(event), event.deal_id
        partition = partitions.pop(deal_id, None)
        if partition is None:
            partition = partition_of(deal_id, PARTITIONS)
        if number + 1 < EVENTS:
            partitions[deal_id] = partition
        event_id = UUID(int=deal_id.int ^ ((number + 1) << 80))
        yield (
            *(position, topic_of_class(kind), partition, position, deal_id, kind.aggregate, number + 1, event_id),
            *(type_of(kind), version_of(kind), at, at, "bench", event_id, event_id, False),
            codec.encode(event).data.decode(),
        )


async def write_journal(connection: Any, codec: Codec, deals: int) -> None:
    """Write the lives into a journal that nobody reads yet."""
    await connection.copy_records_to_table("journal", records=rows(codec, deals), columns=COLUMNS)
    await connection.execute("select setval('journal_position', $1)", deals * EVENTS)
    await connection.execute("vacuum analyze journal")


async def write_store(connection: Any, codec: Codec, deals: int) -> None:
    """Write the lives into a store that nobody reads yet."""
    kept = [COLUMNS.index(name) for name in OF_STORE]
    records = ([row[place] for place in kept] for row in rows(codec, deals))
    await connection.copy_records_to_table("event", records=records, columns=OF_STORE)
    await connection.execute("select setval('event_position', $1)", deals * EVENTS)
    await connection.execute("vacuum analyze event")


def deal_of(deal: int) -> UUID:
    """The id of a deal; like a UUIDv7, in the order of opening."""
    return UUID(int=(deal << 96) | (7 << 76) | (8 << 60) | deal)


def _seat(deal: int) -> tuple[UUID, UUID]:
    rep = deal * 7 % (TEAMS * REPS)
    return UUID(int=(1 << 64) | (rep // REPS)), UUID(int=(2 << 64) | rep)


def _worth(deal: int, number: int) -> Money:
    amount = Decimal(1000 + (deal * 37 + number * 11) % 90_000) + Decimal("0.50")
    return Money(amount=amount, currency="USD" if deal % 10 == 0 else "EUR")
