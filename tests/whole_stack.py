"""The whole product as a test uses it: people who ask over HTTP at the one origin, and nothing else."""

import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from deploy.local.stack import IDENTITY, Stack
from deploy.services import SERVICES
from shared.ops.ids import new_id

PATIENCE_SECONDS = 90
PATIENCE = httpx.Timeout(30)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, the JSON, and the token that a later question shows to see the effect."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def token(self) -> str:
        return self.headers["consistency-token"]

    @property
    def id(self) -> str:
        """The id of what a command made or changed."""
        return str(self.body["id"])

    @property
    def codes(self) -> list[str]:
        """The codes of everything that a problem names."""
        return [fault["code"] for fault in self.body["errors"]]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a bearer token. `after` is an answer whose effect is to be seen."""

    client: httpx.AsyncClient

    async def get(self, path: str, *, after: Answer | None = None, **query: Any) -> Answer:
        return await self.ask("GET", path, after=after, params=query)

    async def post(self, path: str, body: Any, *, after: Answer | None = None, key: str | None = None) -> Answer:
        return await self.ask("POST", path, after=after, json=body, headers={"Idempotency-Key": key or str(new_id())})

    async def patch(self, path: str, body: Any, *, version: int, after: Answer | None = None) -> Answer:
        return await self.ask("PATCH", path, after=after, json=body, headers={"If-Match": f'"{version}"'})

    async def ask(
        self, method: str, path: str, *, after: Answer | None, headers: Mapping[str, str] | None = None, **more: Any
    ) -> Answer:
        sent = {**(headers or {}), **({"Consistency-Token": after.token} if after else {})}
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            response = await self.client.request(method, path, headers=sent, **more)
            # A service waits two seconds for a token; just after a start, or on a busy machine, that may be too short.
            if response.status_code != 503 or time.monotonic() > deadline:
                break
        is_json = "json" in response.headers.get("content-type", "")
        return Answer(response.status_code, response.json() if is_json else response.text, response.headers)

    @asynccontextmanager
    async def listening(self, last: int | None = None) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """The events of this person's stream, from now or from after an id."""
        headers = {} if last is None else {"Last-Event-ID": str(last)}
        async with self.client.stream("GET", "/v1/stream", headers=headers) as response:
            response.raise_for_status()
            yield _events(response.aiter_lines())


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[dict[str, Any]]:
    async for line in lines:
        if line.startswith("data:"):
            yield json.loads(line.removeprefix("data:"))


@dataclass(frozen=True, slots=True)
class WholeStack:
    """A local stack that runs."""

    local: Stack
    said: list[str] = field(default_factory=list)
    """What it told while it started."""

    @property
    def origin(self) -> str:
        """The one address that clients know."""
        return self.local.origin

    def token(self, role: str, subject: str | None = None) -> str:
        """A bearer token of the development issuer, good for an hour: of anybody in a role, or of a person."""
        asked = {"role": role} if subject is None else {"role": role, "subject": subject}
        response = httpx.post(
            f"{self.local.url(IDENTITY)}/identity/token",
            json=asked,
            headers={"Authorization": f"Bearer {self.local.home.secret('stack')}"},
        )
        return str(response.raise_for_status().json()["access_token"])

    def person(self, role: str, subject: str | None = None) -> Person:
        """Somebody who asks at the origin."""
        headers = {"Authorization": f"Bearer {self.token(role, subject)}"}
        return Person(httpx.AsyncClient(base_url=self.origin, headers=headers, timeout=PATIENCE))

    async def let_pass(self, *, days: int) -> None:
        """Move the company clock of every service; what falls due meanwhile happens."""
        headers = {"Authorization": f"Bearer {self.token('admin')}"}
        async with httpx.AsyncClient(headers=headers, timeout=PATIENCE) as client:
            for service in SERVICES:
                moved = await client.post(f"{self.local.url(service)}/clock", json={"seconds": days * 86_400})
                moved.raise_for_status()

    def now(self) -> datetime:
        """The company clock."""
        told = httpx.get(f"{self.local.url('deals')}/clock").raise_for_status().json()["now"]
        return datetime.fromisoformat(told).astimezone(UTC)
