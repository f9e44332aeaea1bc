"""A questioner, in a process of its own: asks for the effect of commands, each timed from when the command was due.

It reads where to ask from standard input, then a line for each command (when it was due, its Consistency-Token) until
the input ends, and writes the times.
"""

import asyncio
import sys
import time

import msgspec
import uvloop

from tests.bench.wire import Connection, Place

CONNECTIONS = 16


async def question(place: Place, path: str) -> list[float]:
    """Ask for everything that comes."""
    commands: asyncio.Queue[bytes] = asyncio.Queue()
    connections = [await place.connect() for _ in range(CONNECTIONS)]
    times: list[float] = []
    work = [asyncio.create_task(_work(place, path, one, commands, times)) for one in connections]
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        commands.put_nowait(line)
    for _ in work:
        commands.put_nowait(b"")
    await asyncio.gather(*work)
    return times


async def _work(
    place: Place, path: str, connection: Connection, commands: asyncio.Queue[bytes], times: list[float]
) -> None:
    while line := await commands.get():
        due, token = line.decode().split()
        answer = await connection.ask(place.request("GET", path, more=f"Consistency-Token: {token}\r\n"))
        if answer.status not in (200, 503):  # 503 says that it took longer than two seconds
            raise RuntimeError(f"{path} answered {answer.status}: {answer.body[:500]!r}")
        times.append(time.monotonic() - float(due))


if __name__ == "__main__":
    where, what = msgspec.json.decode(sys.stdin.buffer.readline(), type=tuple[Place, str])
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(question(where, what))))
