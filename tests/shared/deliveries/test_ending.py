"""A sender that ends begins nothing more, whoever kept the news from it."""

import asyncio

import pytest

from shared.deliveries.sender import begin


async def test_nothing_begins_in_a_group_that_ends() -> None:
    begun, ended = list[str](), asyncio.Event()

    async def work() -> None:
        begun.append("work")

    async def serve(group: asyncio.TaskGroup) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            with pytest.raises(asyncio.CancelledError):  # kept to itself what it was told, as `wait_for` may
                begin(group, work())
            ended.set()
            raise

    async def fail() -> None:
        raise LookupError

    async def lead() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(serve(group))
            group.create_task(fail())

    with pytest.raises(ExceptionGroup) as failed:
        await lead()
    assert [type(each) for each in failed.value.exceptions] == [LookupError]
    assert (begun, ended.is_set()) == ([], True)
