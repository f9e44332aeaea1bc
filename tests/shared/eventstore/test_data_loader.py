"""Questions of the same moment share a statement, and no answer is older than its question."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from shared.eventstore.data_loader import DataLoader


class Source:
    """Answers with how often it was asked; each answer waits to be let go."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.go = asyncio.Semaphore(0)
        self.fails = False

    async def answers(self, keys: Sequence[str]) -> Mapping[str, str]:
        self.calls.append(list(keys))
        number = len(self.calls)
        await self.go.acquire()
        if self.fails:
            raise OSError("the database is away")
        return {key: f"{key}{number}" for key in keys}


async def begun(source: Source, calls: int) -> None:
    async with asyncio.timeout(5):
        while len(source.calls) < calls:  # noqa: ASYNC110 - a turn of the loop, no time
            await asyncio.sleep(0)


async def test_questions_of_one_moment_share_a_statement() -> None:
    source = Source()
    together = DataLoader(source.answers)
    asked = asyncio.gather(*(together.ask(key) for key in ("a", "b", "a")))

    await begun(source, 1)
    source.go.release()

    assert await asked == ["a1", "b1", "a1"]
    assert source.calls == [["a", "b"]]


async def test_a_question_is_not_answered_by_a_statement_that_began_before_it() -> None:
    source = Source()
    together = DataLoader(source.answers)
    early = asyncio.create_task(together.ask("a"))
    await begun(source, 1)
    late = asyncio.create_task(together.ask("a"))
    await asyncio.sleep(0)

    source.go.release()
    assert await early == "a1"
    await begun(source, 2)
    source.go.release()

    assert await late == "a2"


async def test_a_failure_reaches_everybody_and_the_next_question_is_asked_anew() -> None:
    source = Source()
    together = DataLoader(source.answers)
    source.fails = True
    asked = asyncio.gather(together.ask("a"), together.ask("b"), return_exceptions=True)
    await begun(source, 1)
    source.go.release()

    assert [type(answer) for answer in await asked] == [OSError, OSError]

    source.fails = False
    source.go.release()
    assert await together.ask("a") == "a2"


async def test_whoever_gives_up_takes_the_answer_from_nobody() -> None:
    source = Source()
    together = DataLoader(source.answers)
    hasty, patient = asyncio.create_task(together.ask("a")), asyncio.create_task(together.ask("a"))
    await begun(source, 1)

    hasty.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hasty
    source.go.release()

    assert await patient == "a1"


async def test_a_key_without_an_answer_fails_for_everybody_who_asked_in_that_statement() -> None:
    """Left unanswered, the others of the batch would wait for ever."""

    async def some(keys: Sequence[str]) -> Mapping[str, str]:
        return {key: key.upper() for key in keys if key != "b"}

    together = DataLoader(some)
    async with asyncio.timeout(5):
        answers = await asyncio.gather(*(together.ask(key) for key in "abc"), return_exceptions=True)
    assert [type(answer) for answer in answers] == [KeyError] * 3
    assert await together.ask("a") == "A"
