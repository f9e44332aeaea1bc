"""A listener to the event stream, in a process of its own: notes when the first event of each thing comes.

It reads where to listen from standard input, writes a line once it listens, then reads the ids that it is asked for,
and writes when each came (monotonic clock). What has not come after a while is left out.
"""

import asyncio
import sys
import time
from typing import cast

import httptools
import msgspec
import uvloop

from deploy.local.program import until
from tests.bench.wire import Place

PATIENCE_SECONDS = 30.0


class EventStream(asyncio.Protocol):
    """One stream of server-sent events."""

    def __init__(self, request: bytes, seen: dict[str, float]) -> None:
        self._request = request
        self._seen = seen
        self._parser = httptools.HttpResponseParser(self)
        self._line = b""
        self.began = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        """Called by the parser. A stream says at once where it begins, so that nothing after that is missed."""
        now = time.monotonic()
        self.began.set()
        *lines, self._line = (self._line + body).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                self._seen.setdefault(msgspec.json.decode(line[5:])["id"], now)


async def listen(place: Place, path: str) -> dict[str, float]:
    """Listen, and give when each of the wanted things was first seen."""
    seen: dict[str, float] = {}
    stream = EventStream(place.request("GET", path), seen)
    await asyncio.get_running_loop().create_connection(lambda: stream, place.host, place.port)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await stream.began.wait()
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    wanted = msgspec.json.decode(await asyncio.to_thread(sys.stdin.buffer.readline), type=set[str])
    await until(lambda: wanted <= seen.keys(), PATIENCE_SECONDS)
    return {one: seen[one] for one in wanted & seen.keys()}


if __name__ == "__main__":
    where, what = msgspec.json.decode(sys.stdin.buffer.readline(), type=tuple[Place, str])
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(listen(where, what))))
