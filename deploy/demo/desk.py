"""A simulated person's desk: the public HTTP interface, with their own token and nothing else.

What a service answers counts; what is no answer (a refused connection, a time-out, 5xx) is asked again with the same
Idempotency-Key, so that nothing happens twice.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import httpx
import structlog

from deploy.demo.cast import Colleague

log = structlog.get_logger(__name__)

PATIENCE_SECONDS = 10.0
"""How long one request may take."""
TRIES = 6
FIRST_PAUSE, MAX_PAUSE = 0.25, 5.0
MAX_PATIENCE = 30.0
"""However long a service asks callers to stay away."""
RETRIED = frozenset({500, 502, 503, 504})


Asked = str | int | Sequence[str]
"""What a parameter is given; several values are given by repeating it."""


class NotAnswered(Exception):
    """Nobody answered, though asked again and again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a service said."""

    status: int
    body: Mapping[str, Any]
    etag: str | None = None

    @property
    def ok(self) -> bool:
        return self.status < 400

    @property
    def code(self) -> str:
        """The stable code of a refusal."""
        return str(self.body.get("code", self.status))

    @property
    def items(self) -> list[dict[str, Any]]:
        """The entries of a list; none when the list was refused."""
        return list(self.body.get("items", ()))


class Desk:
    """One person at work."""

    def __init__(
        self,
        person: Colleague,
        client: httpx.AsyncClient,
        *,
        secret: str,
        random: Random,
        run: str,
        stopping: asyncio.Event,
    ) -> None:
        self.person = person
        self.random = random
        self.member: str | None = None
        """Their id in the organisation, once known."""
        self._client = client
        self._secret = secret
        self._run = run
        self._sent = 0
        self._stopping = stopping
        self._token: str | None = None

    async def read(self, path: str, **query: Asked) -> Answer:
        """GET. Raises NotAnswered."""
        return await self._ask("GET", path, query=query)

    async def do(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        method: str = "POST",
        version: str | None = None,
        key: str | None = None,
    ) -> Answer:
        """A command, once, however often it has to be sent; `key` makes it the same as one of an earlier run. Raises
        NotAnswered."""
        self._sent += 1
        headers = {"Idempotency-Key": f"{self._run}-{self.person.subject}-{key or self._sent}"}
        if version is not None:
            headers["If-Match"] = version
        answer = await self._ask(method, path, body=body, headers=headers)
        log.info("did", person=self.person.subject, method=method, path=path, status=answer.status, code=_code(answer))
        return answer

    async def whoami(self) -> str | None:
        """Their id in the organisation; None while the service that is asked does not know them yet."""
        if self.member is None:
            self.member = (await self.read("/v1/me")).body.get("member")
        return self.member

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Asked] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        pause = FIRST_PAUSE
        for _ in range(TRIES):
            wait = pause
            try:
                sent = {**(headers or {}), "Authorization": f"Bearer {await self._signed_in()}"}
                got = await self._client.request(method, path, params=query, json=body, headers=sent)
            except httpx.TransportError as error:
                log.info("not-answered", person=self.person.subject, path=path, why=type(error).__name__)
            else:
                if got.status_code == 401:
                    self._token = None
                elif got.status_code == 429:
                    wait = patience(got.headers.get("retry-after"))
                    log.info("asked-to-wait", person=self.person.subject, path=path, seconds=wait)
                elif got.status_code not in RETRIED:
                    return _answer(got)
            if await self.rest(wait):
                break
            pause = min(2 * pause, MAX_PAUSE)
        raise NotAnswered(path)

    async def _signed_in(self) -> str:
        """The person's token, from the development issuer. Raises httpx.TransportError, as any request."""
        if self._token is None:
            got = await self._client.post(
                "/identity/token",
                json={"subject": self.person.subject},
                headers={"Authorization": f"Bearer {self._secret}"},
            )
            if not got.is_success:
                raise httpx.RemoteProtocolError(f"no token: {got.status_code}")
            self._token = str(got.json()["access_token"])
        return self._token

    async def rest(self, seconds: float) -> bool:
        """Pause; True when it is time to go home."""
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return False
        return True


def patience(retry_after: str | None) -> float:
    """How long to stay away when a service says so; a date or nonsense counts as a second."""
    if retry_after is None or not retry_after.isascii() or not retry_after.isdigit():
        return 1.0
    return min(float(retry_after), MAX_PATIENCE)


def _answer(got: httpx.Response) -> Answer:
    is_json = got.headers.get("content-type", "").partition(";")[0].endswith("json")
    body = got.json() if is_json and got.content else {}
    return Answer(status=got.status_code, body=body if isinstance(body, dict) else {}, etag=got.headers.get("etag"))


def _code(answer: Answer) -> str | None:
    return None if answer.ok else answer.code
