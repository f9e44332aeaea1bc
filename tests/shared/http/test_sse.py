"""API-3: the event stream: nothing missed, nothing twice, whatever the listener's speed."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry, Gauge
from starlette.requests import Request

from shared.domain.roles import Role
from shared.eventstore.wakeup import Wakeup
from shared.http.problems import Problem
from shared.http.sse import QUEUE_SIZE, Feed, Select, Selection, ServerEvent
from shared.ops.ids import new_id
from tests.shared.http.conftest import BREAD, Errands, served
from tests.shared.http.test_command_routes import problem
from tests.shared.http.waiting import until


class Book:
    """A log in memory, with the same promises as the real one."""

    def __init__(self) -> None:
        self.items: list[tuple[int, str]] = []
        self.grown = Wakeup()

    def write(self, *texts: str) -> None:
        for text in texts:
            self.items.append((len(self.items) * 3 + 3, text))
        self.grown.notify()

    async def read(self, after: int, limit: int) -> tuple[list[tuple[int, str]], int]:
        await asyncio.sleep(0)
        found = [item for item in self.items if item[0] > after][:limit]
        return found, found[-1][0] if found else after

    async def head(self) -> int:
        return self.items[-1][0] if self.items else 0


def everything(item: str) -> ServerEvent | None:
    return ServerEvent(event="said", data=item.encode()) if item != "hidden" else None


async def all_of_it() -> Select | None:
    return everything


def request(last: str | None = None, **state: Any) -> Request:
    headers = [(b"last-event-id", last.encode())] if last is not None else []
    return Request({"type": "http", "method": "GET", "path": "/", "headers": headers, "state": state})


@asynccontextmanager
async def feeding(book: Book, heartbeat: float = 15.0) -> AsyncIterator[tuple[Feed, asyncio.Event]]:
    gauge = Gauge("listeners", "Listeners.", registry=CollectorRegistry())
    feed, stopping = Feed(book.read, book.head, book.grown, gauge=gauge, heartbeat=heartbeat), asyncio.Event()
    worker = asyncio.create_task(feed.run(stopping))
    yield feed, stopping
    stopping.set()
    book.grown.notify()
    await worker


async def lines(
    feed: Feed, stopping: asyncio.Event, asked: Request, selection: Selection = all_of_it
) -> AsyncIterator[str]:
    response = await feed.respond(asked, selection, stopping, caller="ann")
    async for part in response.body_iterator:
        yield bytes(part).decode() if not isinstance(part, str) else part


async def said(parts: AsyncIterator[str], count: int) -> list[str]:
    """The next texts of a stream."""
    found: list[str] = []
    async with asyncio.timeout(5):
        async for part in parts:
            if "data: " in part:
                found.append(part.split("data: ")[1].strip())
                if len(found) == count:
                    return found
    raise AssertionError(found)


async def test_a_listener_begins_now_and_hears_what_comes() -> None:
    book = Book()
    book.write("before")
    async with feeding(book) as (feed, stopping):
        parts = lines(feed, stopping, request())
        assert await anext(parts) == "retry: 2000\nid: 3\n\n"
        hearing = asyncio.create_task(said(parts, 2))
        await until(lambda: bool(feed._listeners))
        book.write("one", "hidden", "two")
        assert await hearing == ["one", "two"]


async def test_a_listener_resumes_after_the_last_that_it_has() -> None:
    book = Book()
    book.write("one", "two", "three")
    async with feeding(book) as (feed, stopping):
        parts = lines(feed, stopping, request("3"))
        assert await said(parts, 2) == ["two", "three"]
        book.write("four")
        assert await said(parts, 1) == ["four"]


async def test_a_slow_listener_loses_its_queue_but_no_event() -> None:
    book = Book()
    book.write("first")
    async with feeding(book) as (feed, stopping):
        parts = lines(feed, stopping, request("0"))
        assert await said(parts, 1) == ["first"]
        many = [f"n{number}" for number in range(QUEUE_SIZE * 3)]
        for text in many:
            book.write(text)
        (listener,) = feed._listeners
        await until(lambda: listener.behind)
        assert listener.queue.qsize() <= QUEUE_SIZE
        assert await said(parts, len(many)) == many


async def test_listeners_that_come_while_the_log_grows_miss_nothing() -> None:
    book = Book()
    written = [f"n{number}" for number in range(400)]

    async def write() -> None:
        for text in written:
            book.write(text)
            await asyncio.sleep(0)

    async with feeding(book) as (feed, stopping):
        writing = asyncio.create_task(write())
        hearing = []
        for _ in range(10):
            hearing.append(asyncio.create_task(said(lines(feed, stopping, request("0")), len(written))))
            await asyncio.sleep(0.002)
        await writing
        for heard in await asyncio.gather(*hearing):
            assert heard == written


async def test_silence_is_broken_by_a_heartbeat() -> None:
    async with feeding(Book(), heartbeat=0.05) as (feed, stopping):
        parts = lines(feed, stopping, request())
        await anext(parts)
        assert await asyncio.wait_for(anext(parts), 5) == ": still here\nid: 0\n\n"


async def test_a_heartbeat_carries_the_id_of_what_was_passed_over() -> None:
    """API-3: a listener for whom nothing came does not read the log from far back when it comes again."""
    book = Book()
    async with feeding(book, heartbeat=0.05) as (feed, stopping):
        parts = lines(feed, stopping, request())
        assert await anext(parts) == "retry: 2000\nid: 0\n\n"
        book.write("hidden", "hidden")
        async with asyncio.timeout(5):
            while await anext(parts) != ": still here\nid: 6\n\n":
                pass


async def test_a_stream_follows_the_right_of_its_listener_and_ends_with_it() -> None:
    """API-4: what one may see is asked for before anything is sent, and while nothing is."""
    book, rights = Book(), ["all"]

    async def selection() -> Select | None:
        return {"all": everything, "none": lambda _item: None, "left": None}[rights[0]]

    async with feeding(book, heartbeat=0.05) as (feed, stopping):
        parts = lines(feed, stopping, request(), selection)
        await anext(parts)
        book.write("seen")
        assert await said(parts, 1) == ["seen"]
        rights[0] = "none"
        book.write("unseen")
        async with asyncio.timeout(5):
            while (part := await anext(parts)) != ": still here\nid: 6\n\n":
                assert "unseen" not in part
        rights[0] = "left"
        async with asyncio.timeout(5):
            assert [part async for part in parts if not part.startswith(":")] == []


async def test_one_stream_too_many_is_refused_until_one_ends() -> None:
    async with feeding(Book()) as (feed, stopping):
        opened = [lines(feed, stopping, request()) for _ in range(20)]
        for parts in opened:
            await anext(parts)
        with pytest.raises(Problem) as refused:
            await feed.respond(request(), all_of_it, stopping, caller="ann")
        assert (refused.value.status, refused.value.headers["Retry-After"]) == (429, "15")
        await feed.respond(request(), all_of_it, stopping, caller="ben")
        stopping.set()


async def test_streams_that_are_opened_at_once_are_not_more_either() -> None:
    """API-3: and one that was never listened to gives its place back."""
    async with feeding(Book()) as (feed, stopping):

        async def opening() -> bool:
            try:
                await feed.respond(request(), all_of_it, stopping, caller="ann")
            except Problem:
                return False
            return True

        assert sum(await asyncio.gather(*(opening() for _ in range(100)))) == 20
        await until(lambda: feed._open["ann"] < 20)
        assert await opening()


@pytest.mark.parametrize("ends", ["token", "process"])
async def test_what_a_listener_missed_is_told_no_longer_than_they_may_listen(ends: str) -> None:
    """API-4: nor longer than the process serves."""
    book, asked = Book(), 0
    book.write(*(str(number) for number in range(1000)))
    async with feeding(book) as (feed, stopping):
        expires_at = time.time() + 0.05 if ends == "token" else math.inf

        async def selection() -> Select | None:
            nonlocal asked
            asked += 1
            if asked == 10:
                if ends == "process":
                    stopping.set()
                else:
                    await asyncio.sleep(max(0.0, expires_at - time.time()))
            return everything

        heard = [part async for part in lines(feed, stopping, request("0", expires_at=expires_at), selection)]
        assert len([part for part in heard if "data: " in part]) < 10


async def test_an_id_from_another_history_starts_anew() -> None:
    book = Book()
    book.write("one")
    async with feeding(book) as (feed, stopping):
        parts = lines(feed, stopping, request("999"))
        await anext(parts)
        assert (await anext(parts)).startswith("event: reset")


@pytest.mark.parametrize("last", ["x", "-1", "9" * 30, "²"])
async def test_an_id_that_is_none_is_refused(last: str) -> None:
    async with feeding(Book()) as (feed, stopping):
        with pytest.raises((Problem, UnicodeEncodeError)):
            await feed.respond(request(last), all_of_it, stopping, caller="ann")


async def test_a_stream_ends_with_the_token_and_with_the_process() -> None:
    async with feeding(Book()) as (feed, stopping):
        async with asyncio.timeout(5):
            assert [part async for part in lines(feed, stopping, request(expires_at=0.0))] == ["retry: 2000\nid: 0\n\n"]
        parts = lines(feed, stopping, request())
        await anext(parts)
        rest = asyncio.create_task(anext(parts, None))
        await asyncio.sleep(0)
        stopping.set()
        assert await asyncio.wait_for(rest, 5) is None


async def test_over_a_socket(errands: Errands, key: Callable[[], dict[str, str]]) -> None:
    async with served(errands.app) as address:
        headers = errands.client(Role.SALES_OPERATIONS).headers
        async with httpx.AsyncClient(base_url=address, headers=headers, timeout=10) as client:
            async with client.stream("GET", "/v1/errand-stream") as stream:
                assert stream.headers["content-type"].startswith("text/event-stream")
                found = stream.aiter_lines()
                assert await anext(found) == "retry: 2000"
                assert (await anext(found)).startswith("id: ")
                name = str(new_id())
                for text in (name, "hidden", f"{name}-2"):
                    await client.post("/v1/errands", json={**BREAD, "name": text}, headers=key())
                heard = [line async for line in _until(found, f"{name}-2")]
                last = next(line for line in heard if line.startswith("id: ")).removeprefix("id: ")
                assert not [line for line in heard if "hidden" in line]
            async with client.stream("GET", "/v1/errand-stream", headers={"Last-Event-ID": last}) as again:
                heard = [line async for line in _until(again.aiter_lines(), f"{name}-2")]
                assert [line for line in heard if line.startswith("data: ")] == [f'data: {{"name":"{name}-2"}}']
            problem(await client.get("/v1/errand-stream", headers={"Last-Event-ID": "x"}), 400, "malformed-request")


async def _until(found: AsyncIterator[str], text: str) -> AsyncIterator[str]:
    async with asyncio.timeout(10):
        async for line in found:
            yield line
            if text in line:
                return


async def test_a_listener_that_hangs_up_leaves_no_transaction_open(
    errands: Errands, caplog: pytest.LogCaptureFixture
) -> None:
    """API-3: a browser tab that closes while the log is read for it is no error."""
    async with served(errands.app) as address:
        headers = {**errands.client(Role.SALES_OPERATIONS).headers, "Last-Event-ID": "0"}
        async with httpx.AsyncClient(base_url=address, headers=headers, timeout=10) as client:
            for _ in range(60):
                async with client.stream("GET", "/v1/errand-stream"):
                    pass
            await until(lambda: errands.running.health.metrics.listeners._value.get() == 0)
            assert (await client.get("/v1/errands")).status_code == 200
    assert not [record for record in caplog.records if record.levelname == "ERROR" and "transaction" in record.message]
