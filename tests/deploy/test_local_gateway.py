"""The gateway: who owns a path, what is refused at the door, what passes untouched."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from deploy.local import gateway
from deploy.local.gateway import GatewayPlace
from deploy.local.home import Home
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.program import Running, log_of, start, until
from tests.deploy.test_identity import is_problem

STREAM_SECONDS = 4
"""Longer than the gateway here waits for a whole request."""


def echo() -> FastAPI:
    """Stands for every service: says who was asked for what."""
    app = FastAPI(openapi_url=None)

    @app.get("/v1/stream")
    async def stream() -> Response:
        async def events() -> AsyncIterator[bytes]:
            for number in range(STREAM_SECONDS * 10):
                yield f"id: {number}\ndata: {'x' * 2000}\n\n".encode()
                await asyncio.sleep(0.1)

        return StreamingResponse(events(), media_type="text/event-stream")

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    async def anything(path: str, request: Request) -> Response:
        port = request.scope["server"][1]
        return JSONResponse({"port": port, "path": path, "body": len(await request.body()), "padding": "x" * 2000})

    return app


@contextmanager
def serving(app: FastAPI, ports: tuple[int, ...]) -> Iterator[None]:
    """The same application on several ports, in a thread of its own."""
    config = uvicorn.Config(app, log_level="critical", ws="none", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    sockets = []
    for port in ports:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        sockets.append(listener)
    thread = threading.Thread(target=server.run, args=(sockets,))
    thread.start()
    yield
    server.should_exit = True
    thread.join()


@pytest.fixture
def place(home: Home) -> GatewayPlace:
    taken: set[int] = set()
    for _ in range(5):
        taken.add(free_port(taken))
    port, deals, forecast, identity, mailbox = taken
    upstreams = {
        "deals": f"{LOOPBACK}:{deals}",
        "forecast": f"{LOOPBACK}:{forecast}",
        "identity": f"{LOOPBACK}:{identity}",
        "mailbox": f"{LOOPBACK}:{mailbox}",
    }
    segments = {
        "deals": "deals",
        "calendar-link": "deals",
        "deal-search": "deals",
        "price-lists": "deals",
        "stream": "forecast",
        "funnel": "forecast",
    }
    return GatewayPlace(home=home, port=port, segments=segments, upstreams=upstreams, header_seconds=1, body_seconds=2)


@pytest.fixture
async def client(place: GatewayPlace) -> AsyncIterator[httpx.AsyncClient]:
    running: Running = start(gateway.prepare(place), place.home)
    async with httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{place.port}", timeout=20) as client:

        async def ready() -> bool:
            try:
                return (await client.get("/gateway/ready")).status_code == 204
            except httpx.HTTPError:
                return False

        await running.until_ready(ready, 20)
        yield client
    await running.stop()


@pytest.fixture
def services(place: GatewayPlace) -> Iterator[None]:
    with serving(echo(), tuple(int(upstream.split(":")[1]) for upstream in place.upstreams.values())):
        yield


@pytest.mark.usefixtures("services")
async def test_the_first_segment_says_whose_path_it_is(place: GatewayPlace, client: httpx.AsyncClient) -> None:
    owners = {
        "/v1/deals": "deals",
        "/v1/deals/17/win": "deals",
        "/v1/price-lists/1": "deals",
        "/v1/funnel": "forecast",
        "/": "forecast",
        "/assets/page.css": "forecast",
        "/openapi.json": "forecast",
        "/openapi/deals.json": "forecast",
        "/identity/jwks": "identity",
        "/mailbox": "mailbox",
        "/mailbox/hooks/crm": "mailbox",
        "/mailboxes": "forecast",
    }
    for path, owner in owners.items():
        answer = (await client.get(path)).json()
        assert f"{LOOPBACK}:{answer['port']}" == place.upstreams[owner], path
        assert f"/{answer['path']}" == path


@pytest.mark.usefixtures("services")
async def test_unowned_paths_and_the_inside_of_services_are_not_found(client: httpx.AsyncClient) -> None:
    for path in ("/v1/dealsome", "/v1/unknown", "/health/ready", "/metrics", "/health", "/clock"):
        answer = await client.get(path)
        is_problem(answer, 404, "not-found")


@pytest.mark.usefixtures("services")
async def test_a_refusal_tells_the_path_as_it_came_and_the_callers_correlation_id(client: httpx.AsyncClient) -> None:
    """API-1: also where the path would break out of its text, or the id is none."""
    given = "01913B6E-9c00-7a30-8f41-0c5d2e8b7a11"
    answer = await client.get('/v1/un"known\\{{now}}{http.request.uuid}', headers={"X-Correlation-Id": given})
    is_problem(answer, 404, "not-found")
    assert answer.json()["correlation_id"] == answer.headers["x-correlation-id"] == given
    answer = await client.get("/v1/unknown/Ê?q=%22", headers={"X-Correlation-Id": 'x","status":"200'})
    is_problem(answer, 404, "not-found")


@pytest.mark.usefixtures("services")
async def test_large_bodies_and_heads_are_refused(client: httpx.AsyncClient) -> None:
    fits = await client.post("/v1/deals", content=b"x" * (1 << 20))
    assert (fits.status_code, fits.json()["body"]) == (200, 1 << 20)
    large = await client.post("/v1/deals", content=b"x" * ((1 << 20) + 1))
    is_problem(large, 413, "body-too-large")
    assert (await client.get("/v1/deals", headers={"x": "x" * 12_000})).status_code == 200
    assert (await client.get("/v1/deals", headers={"x": "x" * 25_000})).status_code == 431


@pytest.mark.parametrize("path", ["/v1/deals", "/identity/token", "/", "/v1/unknown"])
@pytest.mark.usefixtures("services", "client")
async def test_a_body_that_says_it_is_too_large_is_not_waited_for(place: GatewayPlace, path: str) -> None:
    reader, writer = await asyncio.open_connection(LOOPBACK, place.port)
    writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {(1 << 20) + 1}\r\n\r\n".encode())
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 413 "), answer
    assert b"body-too-large" in answer


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (b"GET /v1/deals HTTP/1.1\r\nHost: x\r\n", b""),
        (b"POST /v1/deals HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc", b"request-timeout"),
    ],
)
@pytest.mark.usefixtures("services", "client")
async def test_half_a_request_is_cut_off(place: GatewayPlace, part: bytes, said: bytes) -> None:
    """Without a word while nobody knows what was asked; a body that does not come is told as a problem (API-1)."""
    reader, writer = await asyncio.open_connection(LOOPBACK, place.port)
    writer.write(part)
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    assert said in answer
    assert bool(answer) is bool(said)
    if said:
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"Content-Type: application/problem+json" in answer


@pytest.mark.parametrize(
    "body",
    [b"ZZ\r\nabc\r\n0\r\n\r\n", b"3\r\nabcdef\r\n0\r\n\r\n", b"\r\nabc\r\n", b"11111111111111111\r\nabc\r\n"],
    ids=["no number", "longer than said", "empty", "too large a number"],
)
@pytest.mark.usefixtures("services", "client")
async def test_a_body_in_malformed_chunks_is_the_callers_fault(place: GatewayPlace, body: bytes) -> None:
    """And no outage, which a client would wait out and then send the same again."""
    reader, writer = await asyncio.open_connection(LOOPBACK, place.port)
    writer.write(
        b"POST /v1/deals HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + body
    )
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 400 "), answer
    assert b"malformed-request" in answer


@pytest.mark.usefixtures("services")
async def test_answers_are_compressed_and_event_streams_pass_as_they_come(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/deals", headers={"accept-encoding": "gzip"})).headers["content-encoding"] == "gzip"

    async with client.stream("GET", "/v1/stream", headers={"accept-encoding": "gzip"}) as stream:
        assert "content-encoding" not in stream.headers
        lines = [line async for line in stream.aiter_lines() if line.startswith("id:")]
    assert len(lines) == STREAM_SECONDS * 10


@pytest.mark.usefixtures("services")
async def test_every_answer_is_guarded(client: httpx.AsyncClient) -> None:
    for path in ("/", "/v1/unknown"):
        headers = (await client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "server" not in headers


async def test_a_service_that_is_away_for_a_moment_is_waited_for(
    place: GatewayPlace, client: httpx.AsyncClient
) -> None:
    answering = asyncio.create_task(client.post("/v1/deals", content=b"x"))
    assert await until(lambda: not answering.done(), 1)
    with serving(echo(), (int(place.upstreams["deals"].split(":")[1]),)):
        assert (await answering).json()["body"] == 1
    away = await client.get("/v1/deals")
    is_problem(away, 503, "unavailable")
    assert away.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("/v1/calendar-link/17/s3cr3t.ics?q=s3cr3t", "/v1/calendar-link/17/-"),
        ("/v1/deal-search?q=s3cr3t", "/v1/deal-search?-"),
    ],
)
async def test_deal_6_data_4_no_line_tells_the_secret_of_a_calendar_or_what_was_searched_for(
    place: GatewayPlace, client: httpx.AsyncClient, address: str, told: str
) -> None:
    """Of an answer that is cut short the gateway logs what was asked for, and where whoever asked came from."""

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nBEGIN:VCALENDAR")
        writer.close()

    service = await asyncio.start_server(cut, LOOPBACK, int(place.upstreams["deals"].split(":")[1]))
    with pytest.raises(httpx.RemoteProtocolError):
        await client.get(address, headers={"Referer": "http://x/s3cr3t"})
    service.close()
    log = log_of(place.home, "gateway")
    assert await until(lambda: told in log.read_text(), 60)
    assert "s3cr3t" not in log.read_text()
