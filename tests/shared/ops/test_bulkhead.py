"""Costly answers wait for a place, and not for long."""

import asyncio
import time
from contextlib import AsyncExitStack

import pytest

from shared.ops.bulkhead import Bulkhead, NoPlace

PATIENCE_SECONDS = 10.0
STILL_SECONDS = 0.2


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


async def test_who_waits_too_long_is_refused() -> None:
    bulkhead = Bulkhead(1, 0.01)
    async with bulkhead.place():
        with pytest.raises(NoPlace):
            await AsyncExitStack().enter_async_context(bulkhead.place())
    async with bulkhead.place():
        """The place of one that gave up is free again."""


async def test_whoever_needs_two_kinds_of_place_holds_none_of_them_while_it_waits() -> None:
    bulkhead = Bulkhead(4, 30.0)
    async with bulkhead.place({"deals": 1}), AsyncExitStack() as later:
        both = asyncio.create_task(later.enter_async_context(bulkhead.place({"accounts": 1, "deals": 1})))
        await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE_SECONDS), bulkhead.place({"accounts": 1}):
            assert not both.done()
    await both


async def test_while_work_of_one_kind_stands_still_it_is_refused_and_all_else_goes_on() -> None:
    bulkhead = Bulkhead(2, 30.0, STILL_SECONDS, (TimeoutError,))
    async with bulkhead.place({"deals": 1}):
        with pytest.raises(NoPlace):
            await AsyncExitStack().enter_async_context(bulkhead.place({"deals": 1}))
        async with bulkhead.place({"accounts": 1}):
            """The other place is theirs."""


async def test_what_ends_in_vain_after_a_long_time_is_no_progress() -> None:
    """Who waits is refused, though places become free; and who comes then is refused at once, but for who looks."""
    bulkhead = Bulkhead(2, 30.0, STILL_SECONDS, (TimeoutError,))

    async def works_in_vain() -> None:
        async with bulkhead.place({"deals": 1}):
            await asyncio.sleep(5 * STILL_SECONDS)
            raise TimeoutError

    first, *others = [asyncio.create_task(works_in_vain()) for _ in range(3)]
    ended = await asyncio.gather(first, *others, return_exceptions=True)
    assert list(map(type, ended)) == [TimeoutError, NoPlace, NoPlace]
    async with bulkhead.place({"deals": 1}):
        with pytest.raises(NoPlace):
            await AsyncExitStack().enter_async_context(bulkhead.place({"deals": 1}))


async def test_while_the_loop_itself_stood_still_nobody_is_taken_to_have_done_so() -> None:
    bulkhead = Bulkhead(1, 30.0, STILL_SECONDS)

    async def work() -> None:
        async with bulkhead.place({"deals": 1}):
            await asyncio.sleep(STILL_SECONDS / 2)

    at_work = asyncio.gather(*(work() for _ in range(3)))
    await asyncio.sleep(0)
    time.sleep(10 * STILL_SECONDS)  # noqa: ASYNC251 - as a fold of a large page does, or a machine that is busy
    await at_work


async def test_a_queue_that_moves_is_worked_off_however_long_it_is() -> None:
    bulkhead, done = Bulkhead(1, 30.0, STILL_SECONDS), []

    async def work(number: int) -> None:
        async with bulkhead.place({"deals": 1}):
            await asyncio.sleep(STILL_SECONDS / 4)
            done.append(number)

    await asyncio.gather(*map(work, range(16)))
    assert done == list(range(16)), "in their turn"


async def test_who_goes_away_in_the_moment_in_which_it_is_given_a_place_leaves_it() -> None:
    bulkhead = Bulkhead(1, 30.0)
    async with AsyncExitStack() as held:
        await held.enter_async_context(bulkhead.place())
        waiting = asyncio.create_task(AsyncExitStack().enter_async_context(bulkhead.place()))
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    async with asyncio.timeout(PATIENCE_SECONDS), bulkhead.place():
        """It is free."""
