"""The development issuer: signs people in with one button each, and gives tools their tokens.

It stands in for the company's OIDC provider; services know it by its address only. Its pages carry no script.
"""

import hmac
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from deploy.local.home import write_atomically
from shared.domain.roles import Role
from shared.http.authentication import SESSION_COOKIE
from shared.http.bodies import parse
from shared.http.failures import answer_failures
from shared.http.middleware import RequestMiddleware
from shared.http.problems import Problem
from shared.ops.metrics import Metrics

KEYS_FILE = "identity-keys.json"
PEOPLE_FILE = "people.json"
STYLE = Path(__file__).with_name("identity.css")
ALGORITHM = "RS256"
KEPT_KEYS = 2
"""The signing key and the one before it, whose tokens are still about."""
SESSION_SECONDS = 12 * 3600
TOKEN_SECONDS = 3600
MAX_TOKEN_SECONDS = 24 * 3600
MAX_FORM = 4096
BODY_LIMIT = 1 << 20

PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class Person(BaseModel):
    """Somebody who can sign in; one entry of people.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: str = Field(min_length=1, max_length=200)
    name: str
    role: Role
    team: str | None = None


class TokenRequest(BaseModel):
    """What a tool asks for: the token of a person, or of anybody in a role (and team)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: str | None = None
    role: Role | None = None
    team: str | None = None
    lifetime: int = Field(TOKEN_SECONDS, ge=1, le=MAX_TOKEN_SECONDS)


_PEOPLE = TypeAdapter(tuple[Person, ...])
_TOKEN_REQUEST = TypeAdapter(TokenRequest)


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The issuer's keys in the stack's home; the first one signs, all are published."""

    file: Path

    def load(self) -> tuple[RSAKey, ...]:
        """The keys, the newest first; made at the first use."""
        if not self.file.exists():
            self.rotate()
        return _imported(self.file, self.file.stat().st_mtime_ns)

    def rotate(self) -> str:
        """Sign with a new key from now on; gives its id. Tokens of the key before it stay good."""
        made = RSAKey.generate_key(2048, {"use": "sig", "alg": ALGORITHM})
        made = RSAKey.import_key({**made.as_dict(private=True), "kid": made.thumbprint()[:16]})
        known = self.load() if self.file.exists() else ()
        kept = [key.as_dict(private=True) for key in (made, *known)[:KEPT_KEYS]]
        write_atomically(self.file, json.dumps({"keys": kept}), mode=0o600)
        return str(made.kid)


@lru_cache(maxsize=4)
def _imported(file: Path, _changed: int) -> tuple[RSAKey, ...]:
    return tuple(RSAKey.import_key(key) for key in json.loads(file.read_text(encoding="utf-8"))["keys"])


def write_people(home: Path, people: Iterable[Person]) -> None:
    """Say who can sign in to the stack of a home."""
    write_atomically(home / PEOPLE_FILE, json.dumps([person.model_dump(mode="json") for person in people]), mode=0o600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Who signs tokens, for whom, and whom it knows."""

    home: Path
    address: str
    audience: str
    keys: SigningKeys

    def people(self) -> tuple[Person, ...]:
        """Everybody in people.json; nobody before it is written."""
        file = self.home / PEOPLE_FILE
        return _PEOPLE.validate_json(file.read_bytes()) if file.exists() else ()

    def person(self, *, subject: str | None = None, role: Role | None = None, team: str | None = None) -> Person | None:
        """The person of a subject, or the first in a role (and team), or for a role without people anybody in it."""
        everybody = (*self.people(), *STAND_INS)
        for person in everybody:
            by_subject = subject is not None and person.subject == subject
            by_role = subject is None and person.role == role and team in (None, person.team)
            if (by_subject and role in (None, person.role)) or by_role:
                return person
        if subject is not None and role is not None:
            return Person(subject=subject, name=subject, role=role, team=team)
        return None

    def token(self, person: Person, seconds: int) -> str:
        """A bearer token of a person. Real time; the company clock does not move it."""
        key = self.keys.load()[0]
        now = int(time.time())
        claims = {
            "iss": self.address,
            "aud": self.audience,
            "sub": person.subject,
            "name": person.name,
            "roles": [person.role],
            "iat": now,
            "nbf": now,
            "exp": now + seconds,
        }
        return jwt.encode({"alg": ALGORITHM, "kid": key.kid, "typ": "JWT"}, claims, key)


STAND_INS = tuple(
    Person(subject=f"somebody-in-{role}", name=role.replace("-", " ").capitalize(), role=role)
    for role in Role
    if role is not Role.SERVICE
)
"""One for each role, so that a company without people can be entered."""

SERVICE = Person(subject="tools", name="Tools", role=Role.SERVICE)
"""Whom the stack's own tools are; no button leads here."""


def build_identity(home: Path, issuer: str, *, secret: str, audience: str = "throughline") -> FastAPI:
    """The issuer's application. `issuer` is its address at the origin, like http://127.0.0.1:8080/identity; `secret` is
    what the stack's tools show to get tokens."""
    keys = SigningKeys(home / KEYS_FILE)
    known = Issuer(home=home, address=issuer, audience=audience, keys=keys)
    keys.load()
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    answer_failures(app)
    app.add_middleware(RequestMiddleware, metrics=Metrics.of("identity"), patterns={}, body_limit=BODY_LIMIT)
    _publish(app, known)
    _give_tokens(app, known, secret)
    _sign_people_in(app, known)
    return app


def _publish(app: FastAPI, issuer: Issuer) -> None:
    @app.get("/identity/.well-known/openid-configuration")
    async def discovery() -> dict[str, Any]:
        return {
            "issuer": issuer.address,
            "jwks_uri": f"{issuer.address}/jwks",
            "token_endpoint": f"{issuer.address}/token",
            "authorization_endpoint": f"{issuer.address}/sign-in",
            "response_types_supported": ["token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "claims_supported": ["sub", "name", "roles"],
        }

    @app.get("/identity/jwks")
    async def published() -> dict[str, Any]:
        return dict(KeySet(list(issuer.keys.load())).as_dict(private=False))

    @app.get("/identity/ready")
    async def ready() -> Response:
        return Response(status_code=204)


def _give_tokens(app: FastAPI, issuer: Issuer, secret: str) -> None:
    @app.post("/identity/token")
    async def token(request: Request) -> JSONResponse:
        shown = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(shown.encode(), secret.encode()):
            raise Problem(
                "not-signed-in", "Tokens are given to the stack's own tools.", headers={"WWW-Authenticate": "Bearer"}
            )
        asked = parse(_TOKEN_REQUEST, await _small_body(request))
        person = issuer.person(subject=asked.subject, role=asked.role, team=asked.team)
        if asked.role is Role.SERVICE and asked.subject is None:
            person = SERVICE
        if person is None:
            raise Problem("not-found", "Nobody here has this subject, role and team.")
        made = issuer.token(person, asked.lifetime)
        content = {
            "access_token": made,
            "token_type": "Bearer",
            "expires_in": asked.lifetime,
            "subject": person.subject,
        }
        return JSONResponse(content, headers={"Cache-Control": "no-store"})


def _sign_people_in(app: FastAPI, issuer: Issuer) -> None:
    secure = issuer.address.startswith("https://")
    parts = urlsplit(issuer.address)
    origin = f"{parts.scheme}://{parts.netloc}"

    def refuse_foreign(request: Request) -> None:
        # Otherwise another page could sign somebody in as a person of its choice.
        if request.headers.get("origin", origin) != origin:
            raise Problem("not-allowed", "Sign in from the sign-in page.", code="foreign-origin")

    @app.get("/identity/style.css")
    async def style() -> Response:
        return Response(STYLE.read_bytes(), media_type="text/css", headers={"Cache-Control": "max-age=300"})

    @app.get("/identity/sign-in")
    async def page(request: Request) -> HTMLResponse:
        return HTMLResponse(
            sign_in_page(issuer.people(), _with_query("/identity/sign-in", request)), headers=PAGE_HEADERS
        )

    @app.post("/identity/sign-in")
    async def sign_in(request: Request) -> Response:
        refuse_foreign(request)
        form = parse_qs((await _small_body(request)).decode("utf-8", "replace"))
        person = issuer.person(subject=form.get("subject", [""])[0])
        if person is None:
            raise Problem("not-found", "Nobody here has this name.")
        answer = RedirectResponse(_with_query("/", request), 303, headers={"Cache-Control": "no-store"})
        answer.set_cookie(
            SESSION_COOKIE,
            issuer.token(person, SESSION_SECONDS),
            max_age=SESSION_SECONDS,
            path="/",
            httponly=True,
            samesite="strict",
            secure=secure,
        )
        return answer

    @app.post("/identity/sign-out")
    async def sign_out(request: Request) -> Response:
        refuse_foreign(request)
        answer = RedirectResponse("/identity/sign-in", 303, headers={"Cache-Control": "no-store"})
        answer.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="strict", secure=secure)
        return answer


def _with_query(path: str, request: Request) -> str:
    """An address here with the query of a request: what the page was asked comes along through the sign-in."""
    query = urlencode(request.query_params.multi_items())
    return f"{path}?{query}" if query else path


async def _small_body(request: Request) -> bytes:
    raw = b""
    async for part in request.stream():
        raw += part
        if len(raw) > MAX_FORM:
            raise Problem("body-too-large", f"A body has at most {MAX_FORM} bytes.")
    return raw


# -- the page ---------------------------------------------------------------------------------------------------------


def sign_in_page(people: Sequence[Person], action: str) -> str:
    """The page with one button for each person, by team, and below them one for each role; they lead to `action`."""
    teams: dict[str, list[Person]] = {}
    for person in people:
        teams.setdefault(person.team or "The company", []).append(person)
    groups = "".join(_group(team, members) for team, members in teams.items())
    summary = "Or anybody in a role" if people else "Enter as anybody in a role"
    roles = f"<details{'' if people else ' open'}><summary>{summary}</summary>{_buttons(STAND_INS)}</details>"
    told = "Pick who you want to be." if people else "Nobody works here yet."
    return PAGE.format(told=told, groups=groups, roles=roles, action=escape(action, quote=True))


def _group(team: str, members: Sequence[Person]) -> str:
    return f"<section><h2>{escape(team)}</h2>{_buttons(members)}</section>"


def _buttons(people: Sequence[Person]) -> str:
    return f"<ul>{''.join(_button(person) for person in people)}</ul>"


def _button(person: Person) -> str:
    initials = "".join(word[0] for word in person.name.split()[:2]).upper()
    role = person.role.replace("-", " ")
    return (
        f'<li><button name="subject" value="{escape(person.subject, quote=True)}">'
        f'<span class="face" aria-hidden="true">{escape(initials)}</span>'
        f"<span><strong>{escape(person.name)}</strong><small>{escape(role)}</small></span></button></li>"
    )


PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Sign in · Throughline</title>
<link rel="stylesheet" href="/identity/style.css">
</head>
<body>
<main>
<header><p class="mark">Throughline</p><h1>Who is at work?</h1><p>{told}</p></header>
<form method="post" action="{action}">{groups}{roles}</form>
<footer>A development stack: no password is asked, and nothing here is for production.</footer>
</main>
</body>
</html>
"""
