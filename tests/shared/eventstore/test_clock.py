"""The company clock: real time plus an offset that only grows, for every process of a service (OPS-1)."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.ops.clock import Clock
from tests.shared.eventstore.conftest import Process

REAL = datetime(2026, 3, 16, 10, 0, tzinfo=UTC)


def clock() -> Clock:
    return Clock(lambda: REAL)


async def test_it_is_real_time_until_it_is_moved(process: Process) -> None:
    started = clock()
    await started.refresh(process.pool)
    assert (started.now(), started.ahead) == (REAL, timedelta())


async def test_a_move_holds_for_every_process_and_after_a_restart(process: Process, other: Process) -> None:
    moved, running = clock(), clock()
    assert await moved.advance(process.pool, timedelta(days=3)) == REAL + timedelta(days=3)
    assert await moved.advance(process.pool, timedelta(hours=1)) == REAL + timedelta(days=3, hours=1)
    await running.refresh(other.pool)
    assert running.now() == moved.now()


async def test_it_never_goes_back(process: Process) -> None:
    with pytest.raises(ValueError, match="only moves forward"):
        await clock().advance(process.pool, timedelta(seconds=-1))
