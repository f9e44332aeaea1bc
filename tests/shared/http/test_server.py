"""How a service is served: from which address a caller comes."""

import asyncio

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request

from shared.ops.settings import Settings
from shared.service.server import server_config
from tests.shared.http.waiting import until


async def seen_by(trusted: str, forwarded: str) -> str:
    """The address of a caller on this machine who says X-Forwarded-For, as a service sees it."""
    app = FastAPI()

    @app.get("/")
    def address(request: Request) -> str:
        return request.client.host if request.client else ""

    settings = Settings(service="deals", database_url="", claim_secret="", trusted_proxies=trusted)
    server = uvicorn.Server(server_config(app, settings))
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{port}/", headers={"X-Forwarded-For": forwarded})
    server.should_exit = True
    await serving
    return str(answer.json())


@pytest.mark.parametrize(
    ("trusted", "seen"),
    [
        ("127.0.0.1", "203.0.113.7"),
        ("10.0.0.0/8, 127.0.0.0/8", "203.0.113.7"),
        ("10.0.0.1", "127.0.0.1"),
        ("", "127.0.0.1"),
    ],
)
async def test_a_trusted_proxy_says_where_a_caller_comes_from(trusted: str, seen: str) -> None:
    assert await seen_by(trusted, "203.0.113.7") == seen


async def test_what_a_caller_told_the_proxy_does_not_count() -> None:
    """The proxy adds the address that it sees at the end."""
    assert await seen_by("127.0.0.1", "198.51.100.1, 203.0.113.7") == "203.0.113.7"
