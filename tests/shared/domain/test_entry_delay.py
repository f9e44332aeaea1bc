"""DEAL-11: for how many days what is entered comes in late."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

import pytest

from shared.domain.context import Company
from shared.domain.history import entry_delay
from shared.events.leads.account import AccountFactRetracted, AccountHandedOver, ContactAdded

ACCOUNT = UUID(int=2)
ADDED, HANDED_OVER = ContactAdded(account_id=ACCOUNT, contact_id=UUID(int=3)), AccountHandedOver(account_id=ACCOUNT)


@dataclass(frozen=True, kw_only=True)
class Entered:
    """A fact, as far as its delay follows from it."""

    data: Any
    occurred_at: datetime
    recorded_at: datetime
    sequence: int
    imported: bool = False
    by_day: bool = False
    fact: str | None = None

    @property
    def causation_id(self) -> UUID:
        return UUID(int=self.sequence)


def noon(day: int) -> datetime:
    return datetime.combine(date(2026, 3, day), time(12), UTC)


def entered(*days: tuple[int, int], imported: bool = False, data: Any = ADDED) -> list[Entered]:
    """Facts that happened on the first of two days of a month and were recorded on the second."""
    return [
        Entered(data=data, occurred_at=noon(on), recorded_at=noon(told), sequence=place, imported=imported)
        for place, (on, told) in enumerate(days, 2)
    ]


def delay(*facts: Entered, known_since: int = 10, latest: int = 10, company: Company | None = None) -> int | None:
    def is_entry(event: Any) -> bool:
        return isinstance(event, ContactAdded)

    return entry_delay(facts, is_entry, noon(known_since), company or Company(), latest=latest)


@pytest.mark.parametrize(
    ("days", "found"),
    [
        ([], None),
        ([(16, 16)], 0),
        ([(13, 16), (14, 16)], 3),  # 2.5, rounded half up
        ([(17, 16), (14, 16)], 1),  # no day early
    ],
)
def test_deal_11_entry_delay_is_recorded_less_occurred(days: list[tuple[int, int]], found: int | None) -> None:
    assert delay(*entered(*days)) == found


def test_deal_11_only_what_counts_as_an_entry_has_a_delay() -> None:
    assert delay(*entered((11, 16), data=HANDED_OVER)) is None


def test_deal_11_history_is_not_entered_late_and_what_systems_tell_later_is() -> None:
    """A thing is known here since the 10th: what is told of days before that is history."""
    assert delay(*entered((1, 10), (9, 16), imported=True)) is None
    assert delay(*entered((1, 10), (10, 13), imported=True)) == 3
    assert delay(*entered((8, 12))) == 4, "people enter what they did, whenever that was"


def test_deal_11_the_latest_entries_count() -> None:
    assert delay(*entered((1, 11), (12, 12), (13, 13)), latest=2) == 0


def test_deal_11_what_was_taken_back_does_not_count() -> None:
    late, soon = entered((11, 18), (18, 18))
    gone = AccountFactRetracted(account_id=ACCOUNT, request=late.causation_id)
    taken_back = Entered(data=gone, occurred_at=noon(19), recorded_at=noon(19), sequence=9)
    assert (delay(late, soon), delay(late, soon, taken_back)) == (4, 0)


def test_deal_11_days_are_those_of_the_company() -> None:
    at, told = datetime(2026, 3, 15, 23, 30, tzinfo=UTC), datetime(2026, 3, 16, 8, tzinfo=UTC)
    fact = Entered(data=ADDED, occurred_at=at, recorded_at=told, sequence=2)
    assert (delay(fact), delay(fact, company=Company(timezone="Europe/Berlin"))) == (1, 0)
