"""Webhooks, signed after Standard Webhooks (https://www.standardwebhooks.com): a POST to whoever asked for a kind.

`webhook-id` is the id of the delivery, the same in every attempt: the receiver drops what it has seen. The signature is
an HMAC-SHA256 over id, time and body, by each secret that holds. Only an answer 2xx takes a delivery. Nothing of an
answer is read but its status and Retry-After, no redirect is followed, and the attempt ends in fifteen seconds.
"""

import asyncio
import base64
import hashlib
import hmac
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import httpx

from shared.deliveries.addresses import IPAddress, NotAllowed, NotFound, Resolver
from shared.deliveries.delivery import Delivered, Delivery, Failed, Outcome, Refused, Withheld
from shared.deliveries.retry import retry_after

ATTEMPT_SECONDS = 15.0
PREFIX = "whsec_"
DERIVED = b"throughline: the secret of a webhook endpoint"
GONE = 410
CODES: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "timeout"),
    (httpx.TimeoutException, "timeout"),
    (httpx.ConnectError, "connect"),
    (httpx.HTTPError, "protocol"),
    (httpx.InvalidURL, "protocol"),
    (NotFound, "host-unknown"),
    (NotAllowed, "address-not-allowed"),
)
"""What is written down of failures that are no answer; the first that fits."""
FAILURES = tuple(kind for kind, _ in CODES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Whom a call goes to."""

    url: str
    secrets: Sequence[bytes]
    """Those that hold, the newest first: while one is exchanged, both sign."""
    paused: bool = False


def secret_of(key: bytes, endpoint: UUID, rotation: int) -> bytes:
    """The secret of an endpoint after so many exchanges: nothing that would have to be kept, and of no use without the
    key of the deployment."""
    return hmac.digest(key, DERIVED + endpoint.bytes + rotation.to_bytes(8), hashlib.sha256)


def shown(secret: bytes) -> str:
    """A secret as its receiver keeps it."""
    return PREFIX + base64.b64encode(secret).decode()


def signature(secret: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """The signature of one attempt, version 1."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()


def headers_of(message_id: str, at: datetime, body: bytes, secrets: Sequence[bytes]) -> Mapping[str, str]:
    """What says whose a call is, when it was made, and by whom."""
    timestamp = int(at.timestamp())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(secret, message_id, timestamp, body) for secret in secrets),
    }


class WebhookChannel:
    """Calls endpoints. `endpoint_of` gives one as it is now, or None where it was removed."""

    def __init__(
        self,
        endpoint_of: Callable[[UUID], Awaitable[Endpoint | None]],
        resolver: Resolver,
        *,
        now: Callable[[], datetime],
        insecure: bool = False,
        tls: ssl.SSLContext | None = None,
        seconds: float = ATTEMPT_SECONDS,
    ) -> None:
        self._endpoint_of = endpoint_of
        self._resolver = resolver
        self._now = now
        self._schemes = ("https", "http") if insecure else ("https",)
        self._tls = tls or httpx.create_ssl_context(trust_env=False)
        self._seconds = seconds

    async def send(self, delivery: Delivery) -> Outcome:
        """Call the endpoint once."""
        endpoint = await self._endpoint_of(delivery.receiver)
        if endpoint is None:
            return Refused(code="endpoint-removed")
        if endpoint.paused:
            return Withheld(code="paused")
        body = delivery.content.encode()
        headers = headers_of(str(delivery.id), self._now(), body, endpoint.secrets)
        try:
            async with asyncio.timeout(self._seconds):
                return await self._post(endpoint.url, headers, body)
        except FAILURES as error:
            if isinstance(error, httpx.ConnectError) and _is_of_tls(error):
                return Failed(code="tls")
            return Failed(code=next(code for kind, code in CODES if isinstance(error, kind)))

    async def _post(self, address: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        url = httpx.URL(address)
        if url.scheme not in self._schemes:
            return Failed(code="scheme-not-allowed")
        places = await self._resolver.addresses(
            url.raw_host.decode(), url.port or (443 if url.scheme == "https" else 80)
        )
        for place in places[:-1]:
            try:
                return await self._post_to(place, url, headers, body)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # nothing was sent
        return await self._post_to(places[-1], url, headers, body)

    async def _post_to(self, place: IPAddress, url: httpx.URL, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Call one address of a host, over a connection of its own: one that is kept would be taken for every host of
        the same address, whatever name its certificate was checked for."""
        host = url.raw_host.decode()
        own = {
            "Host": url.netloc.rpartition(b"@")[2].decode(),
            "Content-Type": "application/json",
            "User-Agent": "Throughline",
            "Accept-Encoding": "identity",
            **headers,
        }
        async with (
            httpx.AsyncClient(verify=self._tls, trust_env=False, timeout=self._seconds / 3) as client,
            client.stream(
                "POST",
                url.copy_with(host=str(place), userinfo=b""),
                content=body,
                headers=own,
                extensions={"sni_hostname": host},
            ) as answer,
        ):
            return _outcome(answer, self._now())


def _outcome(answer: httpx.Response, now: datetime) -> Outcome:
    if answer.is_success:
        return Delivered()
    code = f"http-{answer.status_code}"
    if answer.status_code == GONE:
        return Refused(code=code)
    return Failed(code=code, retry_after=retry_after(answer.headers.get("Retry-After"), now))


def _is_of_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
