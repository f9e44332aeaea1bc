"""A TCP proxy before a server that stalls at will: nothing goes through, and no connection ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit


@dataclass(slots=True)
class Network:
    """The way to one database."""

    url: str
    flowing: asyncio.Event = field(default_factory=asyncio.Event)
    generation: int = 0
    """Connections of an earlier one are forgotten."""

    def stall(self) -> None:
        self.flowing.clear()

    def forget(self) -> None:
        """Let nothing through any more on the connections that there are, and end none; new ones work."""
        self.generation += 1

    def flow(self) -> None:
        self.flowing.set()


@asynccontextmanager
async def network(url: str) -> AsyncIterator[Network]:
    """A network to the server of this URL; `Network.url` leads through it."""
    target = urlsplit(url)
    way = Network(url=url)
    way.flow()
    pumps: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        generation = way.generation
        try:
            while data := await reader.read(1 << 16):
                await way.flowing.wait()
                if generation != way.generation:
                    await asyncio.Event().wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await way.flowing.wait()
        there, back = await asyncio.open_connection(target.hostname, target.port)
        for one in (pump(reader, back), pump(there, writer)):
            task = asyncio.create_task(one)
            pumps.add(task)
            task.add_done_callback(pumps.discard)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    address = f"{target.username}:{target.password}@127.0.0.1:{port}"
    way.url = urlunsplit(target._replace(netloc=address))
    try:
        yield way
    finally:
        way.flow()
        server.close()
        for task in list(pumps):
            task.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
