"""Costly answers wait for a place, and not for long."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from shared.http.bulkhead import Bulkhead
from shared.http.problems import Problem


async def test_no_more_work_at_once_than_there_are_places() -> None:
    bulkhead, at_work, most = Bulkhead(2, 30.0), 0, 0

    async def work() -> None:
        nonlocal at_work, most
        async with bulkhead.place():
            at_work += 1
            most = max(most, at_work)
            for _ in range(3):
                await asyncio.sleep(0)
            at_work -= 1

    await asyncio.gather(*(work() for _ in range(9)))
    assert (at_work, most) == (0, 2)


async def test_who_waits_too_long_is_told_when_to_come_again() -> None:
    bulkhead = Bulkhead(1, 0.01)
    async with bulkhead.place():
        with pytest.raises(Problem) as refused:
            await AsyncExitStack().enter_async_context(bulkhead.place())
    assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "1"})
    async with bulkhead.place():
        """The place of one that gave up is free again."""
