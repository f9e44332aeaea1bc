"""Data loader: concurrent loads of single keys are coalesced into one query, as commands share a transaction."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

MAX_BATCH = 200


class DataLoader(Generic[Key, Value]):
    """Answers each question from a statement that began after the question was asked, so nobody gets an answer older
    than their question. While one statement is under way, the questions that come wait and share the next."""

    def __init__(self, answers: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Value]]]) -> None:
        """`answers` gives the answer to each of some different keys; what it raises, all who asked for them get."""
        self._answers = answers
        self._asked: dict[Key, asyncio.Future[Value]] = {}
        self._working: asyncio.Task[None] | None = None

    async def ask(self, key: Key) -> Value:
        """The answer to one question."""
        answer = self._asked.get(key)
        if answer is None:
            answer = self._asked[key] = asyncio.get_running_loop().create_future()
        if self._working is None:
            self._working = asyncio.create_task(self._work())
        # Others may wait for the same answer: whoever gives up must not take it from them.
        return await asyncio.shield(answer)

    async def _work(self) -> None:
        try:
            while self._asked:
                keys = list(self._asked)[:MAX_BATCH]
                await self._answer({key: self._asked.pop(key) for key in keys})
        finally:
            self._working = None

    async def _answer(self, asked: Mapping[Key, asyncio.Future[Value]]) -> None:
        try:
            answers = await self._answers(list(asked))
            found = [(answer, answers[key]) for key, answer in asked.items()]
        except Exception as problem:  # noqa: BLE001 - whatever it is, it is raised where the question was asked
            for answer in asked.values():
                answer.set_exception(problem)
                answer.exception()  # seen here, should everybody who asked have given up
            return
        for answer, value in found:
            answer.set_result(value)
