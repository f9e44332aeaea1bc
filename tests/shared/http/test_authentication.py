"""Tokens: the good one, and every way in which one can be bad."""

import asyncio
import base64
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey
from starlette.requests import Request

from deploy.local.identity import Issuer, Person, SigningKeys
from shared.domain.context import Actor
from shared.domain.roles import Role
from shared.http.authentication import Authenticator, Fetch, IssuerKeys, Tokens
from shared.http.problems import Problem
from shared.http.rate_limit import RateLimit

ADDRESS = "https://issuer.test/identity"
REP = Person(subject="rep", name="Rep", role=Role.REP)


class Published:
    """What an issuer publishes, and how often it was asked."""

    def __init__(self, keys: SigningKeys) -> None:
        self.keys = keys
        self.asked = 0
        self.away = False

    async def __call__(self) -> dict[str, Any]:
        self.asked += 1
        if self.away:
            raise httpx.ConnectError("away")
        return dict(KeySet(list(self.keys.load())).as_dict(private=False))


class Watch:
    """A clock that tests turn."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def issuer(tmp_path: Path, signing_keys: Path) -> Issuer:
    keys = SigningKeys(tmp_path / "keys.json")
    shutil.copy(signing_keys, keys.file)
    return Issuer(home=tmp_path, address=ADDRESS, audience="throughline", keys=keys)


@pytest.fixture
def published(issuer: Issuer) -> Published:
    return Published(issuer.keys)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def tokens(published: Published, watch: Watch) -> Tokens:
    return Tokens(IssuerKeys(published, watch), issuer=ADDRESS, audience="throughline")


def signed(issuer: Issuer, header: dict[str, Any] | None = None, key: Any = None, **changed: Any) -> str:
    """A token like the issuer's, with something changed; None leaves a claim out."""
    now = int(time.time())
    claims = {"iss": ADDRESS, "aud": "throughline", "sub": "rep", "roles": ["rep"], "nbf": now, "exp": now + 600}
    claims = {name: given for name, given in {**claims, **changed}.items() if given is not None}
    current = issuer.keys.load()[0]
    named = {"alg": "RS256", "kid": current.kid, **(header or {})}
    return jwt.encode({name: given for name, given in named.items() if given is not None}, claims, key or current)


async def test_a_good_token_says_who(tokens: Tokens, issuer: Issuer) -> None:
    claims = await tokens.claims(issuer.token(REP, 600))
    assert (claims["sub"], claims["roles"]) == ("rep", ["rep"])


def without_signature(issuer: Issuer) -> str:
    _, payload, _ = signed(issuer).split(".")
    none = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": issuer.keys.load()[0].kid}).encode())
    return f"{none.rstrip(b'=').decode()}.{payload}."


def with_public_key_as_secret(issuer: Issuer) -> str:
    public = issuer.keys.load()[0].as_pem(private=False)
    # Some libraries take the published key for an HMAC secret when the header says so.
    return signed(issuer, {"alg": "HS256"}, OctKey.import_key(base64.b64encode(public).decode()))


def by_another_key(issuer: Issuer) -> str:
    return signed(issuer, key=RSAKey.generate_key(2048))


def changed_after_signing(issuer: Issuer) -> str:
    header, _, signature = signed(issuer).split(".")
    _, payload, _ = signed(issuer, roles=["admin"]).split(".")
    return f"{header}.{payload}.{signature}"


NOW = int(time.time())

BAD: dict[str, tuple[Callable[[Issuer], str], str]] = {
    "expired": (lambda issuer: signed(issuer, exp=NOW - 3600, nbf=NOW - 7200), "it has expired"),
    "not yet valid": (lambda issuer: signed(issuer, nbf=NOW + 3600, exp=NOW + 7200), "it is not valid yet"),
    "another audience": (lambda issuer: signed(issuer, aud="somebody"), "somebody else"),
    "another issuer": (lambda issuer: signed(issuer, iss="https://evil.test"), "somebody else"),
    "no expiry": (lambda issuer: signed(issuer, exp=None), "a claim is missing"),
    "no audience": (lambda issuer: signed(issuer, aud=None), "a claim is missing"),
    "no issuer": (lambda issuer: signed(issuer, iss=None), "a claim is missing"),
    "no subject": (lambda issuer: signed(issuer, sub=None), "a claim is missing"),
    "subject holds U+0000": (lambda issuer: signed(issuer, sub="a\0b"), "its subject is no text"),
    "subject is a number": (lambda issuer: signed(issuer, sub=7), "it is for somebody else"),
    "alg none": (without_signature, "its algorithm is not allowed"),
    "HMAC with the public key": (with_public_key_as_secret, "its algorithm is not allowed"),
    "unknown key id": (lambda issuer: signed(issuer, {"kid": "nobody's"}), "its key is not the issuer's"),
    "no key id": (lambda issuer: signed(issuer, {"kid": None}), "its key is not the issuer's"),
    "another key": (by_another_key, "its signature is wrong"),
    "changed after signing": (changed_after_signing, "its signature is wrong"),
    "no token": (lambda _: "abc", "it is not a signed JSON web token"),
    "empty parts": (lambda _: "..", "it is not a signed JSON web token"),
    "not ASCII": (lambda _: "ü.ü.ü", "it is not a signed JSON web token"),
    "too long": (lambda _: "a" * 9000, "it is too long"),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_token_is_refused(tokens: Tokens, issuer: Issuer, name: str) -> None:
    make, reason = BAD[name]
    with pytest.raises(Problem) as refused:
        await tokens.claims(make(issuer))
    assert refused.value.status == 401
    assert reason in refused.value.detail
    assert 'error="invalid_token"' in refused.value.headers["WWW-Authenticate"]


async def test_a_rotated_key_is_fetched_once(
    tokens: Tokens, issuer: Issuer, published: Published, watch: Watch
) -> None:
    old = issuer.token(REP, 600)
    await tokens.claims(old)
    assert published.asked == 1
    issuer.keys.rotate()
    new = issuer.token(REP, 600)
    await tokens.claims(new)
    await tokens.claims(old)
    assert published.asked == 2
    for number in range(5):
        with pytest.raises(Problem):
            await tokens.claims(signed(issuer, {"kid": f"made-up-{number}"}))
    assert published.asked == 2, "anybody can make up key ids: they cost no fetch each"
    watch.seconds += 11
    issuer.keys.rotate()
    await tokens.claims(issuer.token(REP, 600))
    assert published.asked == 3


async def test_a_withdrawn_key_ends(issuer: Issuer, published: Published, watch: Watch) -> None:
    old = issuer.token(REP, 7200)
    keys = IssuerKeys(published, watch)
    assert await keys.key(str(issuer.keys.load()[0].kid))
    kid = str(issuer.keys.load()[0].kid)
    issuer.keys.rotate()
    issuer.keys.rotate()
    watch.seconds += 3601
    assert await keys.key(kid) is None
    assert old


async def test_an_issuer_that_is_away(tokens: Tokens, issuer: Issuer, published: Published, watch: Watch) -> None:
    published.away = True
    with pytest.raises(Problem) as away:
        await tokens.claims(issuer.token(REP, 600))
    assert away.value.status == 503
    published.away = False
    watch.seconds += 2
    await tokens.claims(issuer.token(REP, 600))
    published.away = True
    watch.seconds += 4000
    await tokens.claims(issuer.token(Person(subject="x", name="x", role=Role.REP), 600))


async def test_an_issuer_that_never_answers_holds_up_no_queue(issuer: Issuer, watch: Watch) -> None:
    """Twenty requests share the one fetch; the next are refused at once, until it is time to try again."""
    asked: list[int] = []
    answer = asyncio.Event()

    async def fetch() -> dict[str, Any]:
        asked.append(1)
        await answer.wait()
        raise httpx.ReadTimeout("nothing came")

    keys = IssuerKeys(fetch, watch)
    tokens = Tokens(keys, issuer=ADDRESS, audience="throughline")
    waiting = [asyncio.create_task(tokens.claims(signed(issuer, subject=str(number)))) for number in range(20)]
    done, _ = await asyncio.wait(waiting, timeout=0.05)
    assert (len(asked), done) == (1, set())
    answer.set()
    async with asyncio.timeout(5):
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        with pytest.raises(Problem) as refused:
            await tokens.claims(signed(issuer))
    assert {getattr(outcome, "status", None) for outcome in outcomes} == {503}
    assert (refused.value.status, refused.value.headers["Retry-After"], len(asked)) == (503, "2", 1)
    watch.seconds += 2
    with pytest.raises(Problem):
        await tokens.claims(signed(issuer))
    assert len(asked) == 2


async def test_a_fault_of_ours_in_the_fetch_is_raised_and_not_taken_for_an_outage(watch: Watch) -> None:
    async def fetch() -> dict[str, Any]:
        raise RuntimeError("a mistake")

    with pytest.raises(RuntimeError, match="a mistake"):
        await IssuerKeys(fetch, watch).key("any")


def answering_once(published: Published) -> Fetch:
    """An issuer that answers the first time, and never again."""

    async def fetch() -> dict[str, Any]:
        if published.asked:
            await asyncio.Event().wait()
        return await published()

    return fetch


async def test_known_keys_go_on_while_they_are_fetched_anew(issuer: Issuer, published: Published, watch: Watch) -> None:
    keys = IssuerKeys(answering_once(published), watch)
    kid = str(issuer.keys.load()[0].kid)
    assert await keys.key(kid)
    watch.seconds += 4000
    async with asyncio.timeout(5):
        assert await keys.key(kid)


async def test_who_shows_an_unknown_key_waits_for_a_slow_issuer_and_not_for_ever(
    published: Published, issuer: Issuer, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.http.authentication.FETCH_SECONDS", 0.05)
    keys = IssuerKeys(answering_once(published), watch)
    assert await keys.key(str(issuer.keys.load()[0].kid))
    async with asyncio.timeout(5):
        assert await keys.key("not known") is None


async def test_a_remembered_token_still_expires(published: Published, issuer: Issuer, watch: Watch) -> None:
    turned = Watch()
    turned.seconds = time.time()
    tokens = Tokens(IssuerKeys(published, watch), issuer=ADDRESS, audience="throughline", now=turned)
    token = issuer.token(REP, 10)
    await tokens.claims(token)
    turned.seconds += 75
    with pytest.raises(Problem, match="it has expired"):
        await tokens.claims(token)


# -- requests --------------------------------------------------------------------------------------------------------


async def found(subject: str, roles: frozenset[Role], *, fresh: bool) -> Actor:
    return Actor(subject=subject, roles=roles)


def request(method: str = "GET", **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request(
        {"type": "http", "method": method, "path": "/", "headers": raw, "client": ("10.0.0.1", 1), "state": {}}
    )


@pytest.fixture
def authenticator(tokens: Tokens) -> Authenticator:
    return Authenticator(tokens, found, RateLimit("3/minute"), origin="https://here.test")


async def test_a_cookie_signs_in_as_a_bearer_token_does(authenticator: Authenticator, issuer: Issuer) -> None:
    token = issuer.token(REP, 600)
    assert (await authenticator.sign_in(request(cookie=f"session={token}"))).subject == "rep"
    assert (await authenticator.sign_in(request(authorization=f"Bearer {token}"))).roles == {Role.REP}


async def test_a_session_acts_from_its_own_origin_only(authenticator: Authenticator, issuer: Issuer) -> None:
    cookie = f"session={issuer.token(REP, 600)}"
    with pytest.raises(Problem) as foreign:
        await authenticator.sign_in(request("POST", cookie=cookie, origin="https://here.test:8081"))
    assert foreign.value.code == "foreign-origin"
    assert (await authenticator.sign_in(request("POST", cookie=cookie, origin="https://here.test"))).subject == "rep"


async def test_what_asks_for_much_counts_as_much(authenticator: Authenticator, issuer: Issuer) -> None:
    """Each row of a bulk command is a request."""
    asked = request(authorization=f"Bearer {issuer.token(REP, 600)}")
    actor = await authenticator.sign_in(asked)
    authenticator.count(asked, actor, 1)
    assert asked.scope["state"]["allowance"].remaining == 1
    with pytest.raises(Problem) as spent:
        authenticator.count(asked, actor, 2)
    assert spent.value.status == 429


@pytest.mark.parametrize("given", ["Basic abc", "Bearer", "Bearer  ", ""])
async def test_another_scheme_is_refused(authenticator: Authenticator, given: str) -> None:
    with pytest.raises(Problem) as refused:
        await authenticator.sign_in(request(authorization=given))
    assert refused.value.status == 401


@pytest.mark.parametrize("roles", [None, "admin", ["emperor"], [1, None], {"admin": True}])
async def test_roles_that_we_do_not_know_mean_nothing(authenticator: Authenticator, issuer: Issuer, roles: Any) -> None:
    token = signed(issuer, roles=roles)
    assert (await authenticator.sign_in(request(authorization=f"Bearer {token}"))).roles == frozenset()


async def test_each_caller_has_an_allowance(authenticator: Authenticator, issuer: Issuer) -> None:
    token = issuer.token(REP, 600)
    for left in (2, 1, 0):
        asked = request(authorization=f"Bearer {token}")
        await authenticator.sign_in(asked)
        assert asked.state.allowance.remaining == left
    with pytest.raises(Problem) as refused:
        await authenticator.sign_in(request(authorization=f"Bearer {token}"))
    assert refused.value.status == 429
    assert 1 <= int(refused.value.headers["Retry-After"]) <= 60
    other = issuer.token(Person(subject="other", name="Other", role=Role.REP), 600)
    assert (await authenticator.sign_in(request(authorization=f"Bearer {other}"))).subject == "other"


async def test_those_who_are_not_known_share_the_allowance_of_their_address(authenticator: Authenticator) -> None:
    for _ in range(3):
        with pytest.raises(Problem) as unknown:
            await authenticator.sign_in(request())
        assert unknown.value.status == 401
    with pytest.raises(Problem) as limited:
        await authenticator.sign_in(request())
    assert limited.value.status == 429


async def test_an_address_that_is_spent_has_no_signature_checked(authenticator: Authenticator, issuer: Issuer) -> None:
    """Forged tokens cost no more than none at all. Who was found good before goes on."""
    known, new = issuer.token(REP, 600), issuer.token(REP, 601)
    await authenticator.sign_in(request(authorization=f"Bearer {known}"))
    for _ in range(3):
        with pytest.raises(Problem):
            await authenticator.sign_in(request(authorization="Bearer forged"))
    with pytest.raises(Problem) as limited:
        await authenticator.sign_in(request(authorization=f"Bearer {new}"))
    assert limited.value.status == 429
    assert (await authenticator.sign_in(request(authorization=f"Bearer {known}"))).subject == "rep"
