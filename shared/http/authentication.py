"""Authentication: an OIDC bearer token of the company's issuer, or the same token in a session cookie (API-4).

Tokens are checked by asymmetric algorithms only, against the issuer's published keys. Expiry is real time, always; the
company clock has no say here.
"""

import asyncio
import math
import ssl
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import httpx
import structlog
from joserfc import jwt
from joserfc.errors import BadSignatureError, ExpiredTokenError, InvalidClaimError, JoseError, MissingClaimError
from joserfc.jwk import Key, KeySet
from joserfc.jws import extract_compact
from joserfc.jwt import JWTClaimsRegistry
from starlette.requests import Request

from shared.domain.context import Actor
from shared.domain.roles import Role
from shared.http.headers import single_header
from shared.http.problems import Problem
from shared.http.rate_limit import RateLimit
from shared.ops.settings import Settings

log = structlog.get_logger(__name__)

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
LEEWAY_SECONDS = 60
"""How far the clocks of issuer and service may differ."""
MAX_TOKEN = 8192
KEYS_SECONDS = 3600.0
"""After this the keys are fetched again, so that a withdrawn key ends."""
REFRESH_SECONDS = 10.0
"""Unknown key ids cause one fetch in this time at most: anybody can make them up."""
RETRY_SECONDS = 2.0
"""While no keys are known at all, the issuer is asked again after so long, and requests are refused meanwhile."""
KNOWN_SECONDS = 0.5
"""So long a known key that is due waits to be fetched anew; an issuer that is away must not take known keys along."""
KEYS_TIMEOUT = 5.0
FETCH_SECONDS = 10.0
"""So long a fetch may take in all, whatever the issuer does: those who need a key that is not known wait for it."""
MAX_CACHED_TOKENS = 4096
CACHE_TTL_SECONDS = 60.0

SESSION_COOKIE = "session"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

Fetch = Callable[[], Awaitable[dict[str, Any]]]
"""Gives the issuer's key set. Raises httpx.HTTPError or ValueError."""


def issuer_client(settings: Settings) -> httpx.AsyncClient:
    """The client that asks the issuer: through a proxy and trusting certificates as settings say, and nothing else."""
    file, folder = settings.ssl_cert_file, settings.ssl_cert_dir
    own = ssl.create_default_context(cafile=file or None, capath=folder or None) if file or folder else None
    return httpx.AsyncClient(
        timeout=KEYS_TIMEOUT,
        trust_env=False,
        proxy=settings.oidc_proxy or None,
        verify=own or httpx.create_ssl_context(trust_env=False),
    )


def fetch_keys(client: httpx.AsyncClient, issuer: str, jwks_url: str) -> Fetch:
    """Fetch the keys from `jwks_url`, or from where the issuer's discovery document says."""

    async def fetch() -> dict[str, Any]:
        address = jwks_url
        if not address:
            discovery = await client.get(f"{issuer}/.well-known/openid-configuration")
            address = discovery.raise_for_status().json()["jwks_uri"]
        keys: dict[str, Any] = (await client.get(address)).raise_for_status().json()
        return keys

    return fetch


class IssuerKeys:
    """The issuer's keys, kept in memory. One fetch is in flight at a time, and all who need it share it.

    What is known is used when it is not fetched anew at once. After a fetch, the next one waits: `RETRY_SECONDS` while
    nothing is known, so that requests are refused at once while the issuer is away, else `REFRESH_SECONDS`.
    """

    def __init__(self, fetch: Fetch, now: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._now = now
        self._keys: dict[str, Key] = {}
        self._fetched = self._tried = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    async def key(self, key_id: str) -> Key | None:
        """The key with an id. Raises Problem when the issuer cannot be reached and no keys are known."""
        if key_id not in self._keys or self._now() - self._fetched > KEYS_SECONDS:
            fetching = self._fetching or self._start()
            if fetching is not None:
                ended, _ = await asyncio.wait([fetching], timeout=KNOWN_SECONDS if key_id in self._keys else None)
                for fetch in ended:
                    fetch.result()  # raises what is no outage but a fault of ours
        if not self._keys:
            raise Problem(
                "unavailable",
                "The issuer's keys cannot be fetched.",
                headers={"Retry-After": str(math.ceil(RETRY_SECONDS))},
            )
        return self._keys.get(key_id)

    def _start(self) -> "asyncio.Task[None] | None":
        if self._now() - self._tried < (REFRESH_SECONDS if self._keys else RETRY_SECONDS):
            return None
        self._fetching = asyncio.create_task(self._refresh())
        return self._fetching

    async def _refresh(self) -> None:
        first = not self._keys
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                fetched = await self._fetch()
            published = KeySet.import_key_set(fetched)  # type: ignore[arg-type]
            self._keys = {key.kid: key for key in published.keys if key.kid}
            self._fetched = self._now()
        except (httpx.HTTPError, TimeoutError, JoseError, ValueError, KeyError, TypeError) as error:
            log.warning("issuer-keys-unreachable", error=type(error).__name__)  # what is known stands
            first = False
        finally:
            # The first unknown id after the start is asked about at once: the keys may have changed since.
            self._tried = float("-inf") if first else self._now()
            self._fetching = None


def _no_session() -> Problem:
    return Problem(
        "not-signed-in", "Send a bearer token, or sign in.", headers={"WWW-Authenticate": 'Bearer realm="throughline"'}
    )


def _invalid(why: str) -> Problem:
    challenge = f'Bearer realm="throughline", error="invalid_token", error_description="{why}"'
    return Problem("not-signed-in", f"The token is not accepted: {why}.", headers={"WWW-Authenticate": challenge})


class Tokens:
    """Checks tokens; what was found good is remembered for a minute, at most until it expires."""

    def __init__(self, keys: IssuerKeys, *, issuer: str, audience: str, now: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._now = now
        self._claims = JWTClaimsRegistry(
            now=lambda: int(now()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        self._remembered: OrderedDict[str, tuple[float, dict[str, Any]]] = OrderedDict()

    def remembers(self, token: str) -> bool:
        """Whether a token was found good not long ago."""
        remembered = self._remembered.get(token)
        return remembered is not None and remembered[0] > self._now()

    async def claims(self, token: str) -> dict[str, Any]:
        """The claims of a good token. Raises Problem (401) with the reason."""
        remembered = self._remembered.get(token)
        if remembered is not None and remembered[0] > self._now():
            return remembered[1]
        claims = await self._check(token)
        until = min(self._now() + CACHE_TTL_SECONDS, claims["exp"] + LEEWAY_SECONDS)
        self._remembered[token] = (until, claims)
        self._remembered.move_to_end(token)
        if len(self._remembered) > MAX_CACHED_TOKENS:
            self._remembered.popitem(last=False)
        return claims

    async def _check(self, token: str) -> dict[str, Any]:
        if len(token) > MAX_TOKEN:
            raise _invalid("it is too long")
        try:
            header = extract_compact(token.encode()).headers()
        except (JoseError, ValueError):
            raise _invalid("it is not a signed JSON web token") from None
        if header.get("alg") not in ALGORITHMS:
            raise _invalid("its algorithm is not allowed")
        key_id = header.get("kid")
        key = await self._keys.key(key_id) if isinstance(key_id, str) else None
        if key is None:
            raise _invalid("its key is not the issuer's")
        try:
            decoded = jwt.decode(token, key, algorithms=list(ALGORITHMS))
            self._claims.validate(decoded.claims)
        except JoseError as error:
            raise _invalid(_reason(error)) from None
        except (ValueError, TypeError):
            raise _invalid("it does not hold") from None
        if "\0" in str(decoded.claims["sub"]):
            raise _invalid("its subject is no text that can be kept")
        return decoded.claims


_REASONS: Mapping[type[JoseError], str] = {
    ExpiredTokenError: "it has expired",
    BadSignatureError: "its signature is wrong",
    MissingClaimError: "a claim is missing",
}


def _reason(error: JoseError) -> str:
    if isinstance(error, InvalidClaimError) and error.claim == "nbf":
        return "it is not valid yet"
    if isinstance(error, InvalidClaimError):
        return "it is for somebody else or from somebody else"
    return _REASONS.get(type(error), "it does not hold")


class Resolve(Protocol):
    """Finds the person of a subject in the organisation; `fresh` when a second ago is too long ago."""

    async def __call__(self, subject: str, roles: frozenset[Role], *, fresh: bool) -> Actor: ...


class Authenticator:
    """Finds out who asks."""

    def __init__(self, tokens: Tokens, resolve: Resolve, limit: RateLimit, *, origin: str) -> None:
        self._tokens = tokens
        self._resolve = resolve
        self._limit = limit
        self._origin = origin

    async def sign_in(self, request: Request) -> Actor:
        """The person behind a request. Raises Problem 401, or 429 when they ask too often."""
        token = self._token(request)
        state = request.scope.setdefault("state", {})
        address = _address_of(request)
        try:
            if token is None:
                raise _no_session()
            if not self._tokens.remembers(token):
                self._limit.require(address)  # checking a signature costs more than refusing to
            claims = await self._tokens.claims(token)
        except Problem:
            # Those who are not known share the allowance of their address.
            state["allowance"] = self._limit.count(address)
            raise
        subject = claims["sub"]
        state["allowance"] = self._limit.count(f"subject:{subject}")
        state["expires_at"] = float(claims["exp"])
        return await self._resolve(subject, _roles(claims.get("roles")), fresh=False)

    def admit(self, request: Request) -> None:
        """Count a request of somebody who need not be known, in the allowance of their address. Raises Problem 429."""
        request.scope.setdefault("state", {})["allowance"] = self._limit.count(_address_of(request))

    def count(self, request: Request, actor: Actor, requests: int) -> None:
        """Count further requests of somebody who is signed in, for one that asks for much. Raises Problem 429."""
        if requests:
            request.scope["state"]["allowance"] = self._limit.count(f"subject:{actor.subject}", requests)

    async def known_as(self, actor: Actor) -> Actor:
        """The same person as the organisation knows them now."""
        return await self._resolve(actor.subject, actor.roles, fresh=True)

    def _token(self, request: Request) -> str | None:
        header = single_header(request, "Authorization")
        if header is not None:
            scheme, _, token = header.partition(" ")
            if scheme.lower() != "bearer" or not token:
                raise _invalid("Authorization is not Bearer")
            return token.strip()
        cookie = request.cookies.get(SESSION_COOKIE)
        if cookie is not None and request.method not in SAFE_METHODS:
            # Other ports of the same host are "same site": SameSite=Strict alone would let their pages act here.
            origin = request.headers.get("origin")
            if origin is not None and origin != self._origin:
                raise Problem("not-allowed", "A session acts from its own origin only.", code="foreign-origin")
        return cookie


def _address_of(request: Request) -> str:
    """The allowance that those share who ask from one address."""
    return f"address:{request.client.host if request.client else ''}"


def _roles(given: Any) -> frozenset[Role]:
    """The roles that we know; an issuer may name others, which mean nothing here."""
    if not isinstance(given, list):
        return frozenset()
    known = set(Role)
    return frozenset(Role(role) for role in given if isinstance(role, str) and role in known)
