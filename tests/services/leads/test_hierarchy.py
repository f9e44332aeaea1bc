"""ORG-1, ACCT-1: nothing stands below itself, at any time."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.leads.domain.hierarchy import Line, is_circular, now_below

A, B, C = UUID(int=1), UUID(int=2), UUID(int=3)


def day(month: int) -> datetime:
    return datetime(2025, month, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("lines", "circular"),
    [
        ({A: now_below(None)}, False),
        ({A: now_below(B), B: now_below(C)}, False),
        ({A: now_below(A)}, True),
        ({A: now_below(B), B: now_below(C), C: now_below(A)}, True),
        # One stood below the other, and then the other way round.
        ({A: ((day(1), None), (day(6), B)), B: ((day(1), A), (day(6), None))}, False),
        ({A: ((day(1), None), (day(5), B)), B: ((day(1), A), (day(6), None))}, True),
        # Below itself for a month of the past only.
        ({A: ((day(1), B), (day(9), None)), B: ((day(1), None), (day(7), C)), C: ((day(8), A),)}, True),
        ({A: ((day(1), B), (day(8), None)), B: ((day(1), None), (day(7), C)), C: ((day(8), A),)}, False),
        # Others who stand below themselves since an earlier release are no fault of this one.
        ({A: now_below(B), B: now_below(C), C: now_below(B)}, False),
    ],
)
def test_what_stands_below_itself_at_any_time_is_found(lines: dict[UUID, Line], circular: bool) -> None:
    assert is_circular(A, lines) is circular


def test_no_chain_is_too_long() -> None:
    chain = {UUID(int=number): now_below(UUID(int=number + 1)) for number in range(2000)}
    assert not is_circular(UUID(int=0), chain)
    assert is_circular(UUID(int=0), {**chain, UUID(int=2000): now_below(UUID(int=0))})
