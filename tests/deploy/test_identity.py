"""The development issuer: keys, tokens for tools, and people who sign in."""

import re
import shutil
import stat
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit
from uuid import UUID

import httpx
import pytest
from jsonschema import Draft202012Validator

from deploy.local.identity import Person, SigningKeys, build_identity, write_people
from shared.domain.roles import Role
from shared.http.authentication import IssuerKeys, Tokens, fetch_keys
from shared.http.openapi.parts import PROBLEM_SCHEMA
from shared.http.problems import CATALOGUE, KINDS
from tests.shared.http.test_command_routes import problem

ORIGIN = "http://127.0.0.1:8080"
ISSUER = f"{ORIGIN}/identity"
SECRET = "the secret of this stack"
PEOPLE = [
    Person(subject="ada", name="Ada Lovelace", role=Role.MANAGER, team="North"),
    Person(subject="bob", name="Bob <b>Bold</b>", role=Role.REP, team="North"),
    Person(subject="eve", name="Eve", role=Role.REP, team="South"),
]


@pytest.fixture
def home(tmp_path: Path, signing_keys: Path) -> Path:
    shutil.copy(signing_keys, tmp_path / "identity-keys.json")
    return tmp_path


@pytest.fixture
async def client(home: Path) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(build_identity(home, ISSUER, secret=SECRET))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield client


def tokens(client: httpx.AsyncClient) -> Tokens:
    """What a service makes of the issuer, by its discovery document."""
    return Tokens(IssuerKeys(fetch_keys(client, ISSUER, "")), issuer=ISSUER, audience="throughline")


URI_PATH = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-F]{2})+")
"""The path of a URI, as RFC 3986 has it."""


def is_problem(answer: httpx.Response, status: int, code: str) -> None:
    """The answer tells a problem in the form that all services have."""
    told = problem(answer, status, code)
    Draft202012Validator(PROBLEM_SCHEMA).validate(told)
    kind = KINDS[told["type"].removeprefix(f"{CATALOGUE}#")]
    assert (kind.status, kind.title, unquote(told["instance"])) == (status, told["title"], answer.request.url.path)
    assert URI_PATH.fullmatch(told["instance"]), told["instance"]
    UUID(told["correlation_id"])


async def ask(client: httpx.AsyncClient, **body: object) -> httpx.Response:
    return await client.post("/identity/token", json=body, headers={"Authorization": f"Bearer {SECRET}"})


async def test_a_service_accepts_its_tokens(client: httpx.AsyncClient, home: Path) -> None:
    write_people(home, PEOPLE)
    answer = await ask(client, subject="ada")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    claims = await tokens(client).claims(answer.json()["access_token"])
    assert (claims["sub"], claims["roles"], claims["iss"]) == ("ada", ["manager"], ISSUER)
    assert answer.json()["expires_in"] == 3600


async def test_the_key_is_kept_closed_and_published_without_its_secret(client: httpx.AsyncClient, home: Path) -> None:
    file = home / "identity-keys.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (key,) = (await client.get("/identity/jwks")).json()["keys"]
    assert {"kid", "kty", "n", "e"} <= set(key)
    assert not {"d", "p", "q", "dp", "dq", "qi"} & set(key)
    build_identity(home, ISSUER, secret=SECRET)
    assert (await client.get("/identity/jwks")).json()["keys"] == [key], "a restart keeps the key"


async def test_a_rotated_key_takes_over_and_the_old_one_stays_good(client: httpx.AsyncClient, home: Path) -> None:
    checked = tokens(client)
    old = (await ask(client, role="rep")).json()["access_token"]
    kid = SigningKeys(home / "identity-keys.json").rotate()
    published = (await client.get("/identity/jwks")).json()["keys"]
    assert published[0]["kid"] == kid
    assert len(published) == 2
    for token in (old, (await ask(client, role="rep")).json()["access_token"]):
        assert (await checked.claims(token))["roles"] == ["rep"]


@pytest.mark.parametrize("shown", ["", "Bearer", "Bearer wrong", f"Basic {SECRET}", "Bearer é"])
async def test_tokens_are_for_those_who_know_the_secret(client: httpx.AsyncClient, shown: str) -> None:
    headers = {b"Authorization": shown.encode()}
    answer = await client.post("/identity/token", json={"role": "admin"}, headers=headers)
    assert answer.status_code == 401
    assert "access_token" not in answer.text


@pytest.mark.parametrize(
    ("asked", "subject", "role"),
    [
        ({"subject": "bob"}, "bob", "rep"),
        ({"role": "rep"}, "bob", "rep"),
        ({"role": "rep", "team": "South"}, "eve", "rep"),
        ({"role": "finance"}, "somebody-in-finance", "finance"),
        ({"role": "service"}, "tools", "service"),
        ({"subject": "new", "role": "legal"}, "new", "legal"),
        ({"subject": "bob", "role": "manager"}, "bob", "manager"),
    ],
)
async def test_a_tool_asks_for_a_person_or_a_role(
    client: httpx.AsyncClient, home: Path, asked: dict[str, str], subject: str, role: str
) -> None:
    write_people(home, PEOPLE)
    answer = await ask(client, **asked)
    assert answer.status_code == 200, answer.text
    claims = await tokens(client).claims(answer.json()["access_token"])
    assert (claims["sub"], claims["roles"]) == (subject, [role])


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"subject": "nobody"}, 404),
        ({}, 404),
        ({"role": "rep", "team": "West"}, 404),
        ({"role": "emperor"}, 422),
        ({"role": "rep", "lifetime": 0}, 422),
        ({"role": "rep", "lifetime": 10**9}, 422),
        ({"role": "rep", "audience": "x"}, 422),
    ],
)
async def test_what_cannot_be_asked_is_refused(
    client: httpx.AsyncClient, home: Path, asked: dict[str, object], status: int
) -> None:
    write_people(home, PEOPLE)
    assert (await ask(client, **asked)).status_code == status


async def test_the_page_has_a_button_for_each_person(client: httpx.AsyncClient, home: Path) -> None:
    write_people(home, PEOPLE)
    page = await client.get("/identity/sign-in")
    values = re.findall(r'<button name="subject" value="([^"]+)">', page.text)
    assert values[:3] == ["ada", "bob", "eve"]
    assert len(values) == 3 + len(Role) - 1
    assert "<b>" not in page.text
    assert "North" in page.text


async def test_an_empty_company_can_be_entered_in_every_role(client: httpx.AsyncClient) -> None:
    page = await client.get("/identity/sign-in")
    values = re.findall(r'value="([^"]+)"', page.text)
    assert values == [f"somebody-in-{role}" for role in Role if role is not Role.SERVICE]
    assert "<details open>" in page.text


async def test_the_page_carries_no_script_and_loads_nothing_from_outside(client: httpx.AsyncClient) -> None:
    page = await client.get("/identity/sign-in")
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "<script" not in page.text
    assert " style=" not in page.text
    assert re.findall(r'(?:href|src|action)="([^"]+)"', page.text) == ["/identity/style.css", "/identity/sign-in"]
    style = await client.get("/identity/style.css")
    assert style.headers["content-type"].startswith("text/css")
    assert "url(" not in style.text


async def test_a_button_signs_in(client: httpx.AsyncClient, home: Path) -> None:
    write_people(home, PEOPLE)
    answer = await client.post("/identity/sign-in", data={"subject": "ada"}, headers={"Origin": ORIGIN})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "Path=/", "SameSite=strict"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert (await tokens(client).claims(answer.cookies["session"]))["sub"] == "ada"


async def test_what_the_page_was_asked_comes_along_and_leads_nowhere_else(
    client: httpx.AsyncClient, home: Path
) -> None:
    write_people(home, PEOPLE)
    asked = {"as_of": "2026-10-20", "language": "de", "team": '//evil.test/"><script>'}
    page = await client.get("/identity/sign-in", params=asked)
    (action,) = re.findall(r'action="([^"]+)"', page.text)
    assert "<script" not in page.text
    answer = await client.post(unescape(action), data={"subject": "ada"}, headers={"Origin": ORIGIN})
    assert answer.status_code == 303
    led = urlsplit(answer.headers["location"])
    assert (led.scheme, led.netloc, led.path) == ("", "", "/")
    assert dict(parse_qsl(led.query)) == asked


async def test_over_https_the_cookie_is_secure(home: Path) -> None:
    transport = httpx.ASGITransport(build_identity(home, "https://here.test/identity", secret=SECRET))
    async with httpx.AsyncClient(transport=transport, base_url="https://here.test") as client:
        answer = await client.post("/identity/sign-in", data={"subject": "somebody-in-rep"})
        assert "Secure" in answer.headers["set-cookie"]


async def test_another_page_cannot_sign_anybody_in_or_out(client: httpx.AsyncClient) -> None:
    for path in ("/identity/sign-in", "/identity/sign-out"):
        for origin in ("https://evil.test", "null", "http://127.0.0.1:9999"):
            answer = await client.post(path, data={"subject": "somebody-in-admin"}, headers={"Origin": origin})
            assert answer.status_code == 403
            assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "code"),
    [
        ("GET", "/identity/nothing", b"", 404, "not-found"),
        ("GET", "/identity/token", b"", 405, "method-not-allowed"),
        ("POST", "/identity/token", b"{", 400, "malformed-json"),
        ("POST", "/identity/token", b'{"role": "emperor"}', 422, "invalid-body"),
        ("POST", "/identity/token", b'{"role": "rep", "team": "West"}', 404, "not-found"),
        ("POST", "/identity/token", b" " * 5000, 413, "body-too-large"),
        ("POST", "/identity/sign-in", b"subject=nobody", 404, "not-found"),
    ],
)
async def test_whatever_fails_is_told_as_the_services_tell_it(
    client: httpx.AsyncClient, method: str, path: str, content: bytes, status: int, code: str
) -> None:
    """API-1."""
    headers = {"Authorization": f"Bearer {SECRET}"}
    is_problem(await client.request(method, path, content=content, headers=headers), status, code)


async def test_what_breaks_in_the_issuer_is_told_without_its_text(client: httpx.AsyncClient, home: Path) -> None:
    """API-1."""
    (home / "people.json").write_text("a secret that is no JSON")
    answer = await client.get("/identity/sign-in")
    is_problem(answer, 500, "unexpected")
    assert "secret" not in answer.text


@pytest.mark.parametrize("form", [b"", b"subject=", b"subject=nobody", b"subject=tools", b"\xff\x00", b"a" * 5000])
async def test_nobody_signs_in_as_somebody_who_is_not_there(client: httpx.AsyncClient, form: bytes) -> None:
    answer = await client.post("/identity/sign-in", content=form)
    assert answer.status_code in (404, 413)
    assert "set-cookie" not in answer.headers


async def test_signing_out_takes_the_cookie_back(client: httpx.AsyncClient) -> None:
    answer = await client.post("/identity/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/identity/sign-in")
    assert 'session=""' in answer.headers["set-cookie"]
    assert "Max-Age=0" in answer.headers["set-cookie"]
