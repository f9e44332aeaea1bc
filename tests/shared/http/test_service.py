"""A service as a process: health, metrics, the movable clock, pages, and the stop."""

import asyncio
import json
import os
import re
import signal
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest
from fastapi import FastAPI

from shared.domain.roles import Role
from shared.eventstore.claim_secret import OtherClaimSecret, hold_to
from shared.eventstore.migrate import migrate
from shared.eventstore.pool import create_pool
from shared.http.routing_table import RoutingTable
from shared.kafka.layout import OtherPartitions, freeze
from shared.languages.catalogue import NAME, Catalogue
from shared.ops.settings import environment_name
from shared.service.build import build
from shared.service.definition import Service
from shared.testing.servers import DatabaseServer
from tests.shared.http.conftest import BREAD, Errands
from tests.shared.http.sample import SERVICE
from tests.shared.http.test_command_routes import problem

CHECKOUT = Path(__file__).parents[3]


async def test_alive_and_ready_while_the_broker_is_away(errands: Errands) -> None:
    client = errands.client(None)
    assert (await client.get("/health/live")).json() == {"status": "alive"}
    ready = await client.get("/health/ready")
    assert ready.status_code == 200, ready.text
    assert {check["name"] for check in ready.json()["checks"]} == {"database", "claim secret", "projections"}


async def test_under_another_claim_secret_nothing_starts_and_nothing_is_written(
    errands: Errands, postgres: DatabaseServer
) -> None:
    """DATA-4"""
    url = await postgres.create_database("claim-secret", await postgres.template("web", migrate))
    counts = "select (select count(*) from view_build), (select count(*) from lease), (select count(*) from event)"
    async with await create_pool(url, name="claim-secret") as pool:
        await hold_to(pool, errands.settings.claim_secret.encode())
        before = await pool.fetchrow(counts), await pool.fetchrow("select * from claim_secret")
        app = build(SERVICE, replace(errands.settings, database_url=url, claim_secret="d" * 32))
        with pytest.raises(OtherClaimSecret, match="CLAIM_SECRET is not the one"):
            async with app.router.lifespan_context(app):
                pytest.fail("it started")
        assert (await pool.fetchrow(counts), await pool.fetchrow("select * from claim_secret")) == before
    await postgres.drop_database(url)


async def test_with_another_number_of_partitions_nothing_starts(errands: Errands) -> None:
    """DATA-1: once it is frozen, which the first process does that reaches the topics."""
    pool = errands.running.pool
    await freeze(pool, 12)
    try:
        app = build(SERVICE, replace(errands.settings, kafka_partitions=3))
        with pytest.raises(OtherPartitions, match=r"KAFKA_PARTITIONS is 3, but the events of this database .* over 12"):
            async with app.router.lifespan_context(app):
                pytest.fail("it started")
    finally:
        await pool.execute("delete from topic_layout")


async def test_a_process_whose_database_was_put_back_under_another_secret_is_not_ready(errands: Errands) -> None:
    """DATA-4"""
    pool, client = errands.running.pool, errands.client(None)
    [kept] = await pool.fetch("delete from claim_secret returning fingerprint")
    try:
        await hold_to(pool, b"d" * 32)
        ready = await client.get("/health/ready")
        assert ready.status_code == 503
        faults = [check for check in ready.json()["checks"] if not check["ok"]]
        assert faults == [{"name": "claim secret", "ok": False, "detail": "OtherClaimSecret"}]
    finally:
        await pool.execute("update claim_secret set fingerprint = $1", kept["fingerprint"])
    assert (await client.get("/health/ready")).status_code == 200


async def test_workers_say_how_they_fare(errands: Errands) -> None:
    client = errands.client(None)
    async with asyncio.timeout(10):
        while True:
            told = (await client.get("/health/workers")).json()
            relay = next(worker for worker in told if worker["name"] == "relay")
            if not relay["ok"]:
                break
            await asyncio.sleep(0.05)
    assert (await client.get("/health/workers")).status_code == 503
    assert {"clock", "journal", "relay", "timers", "projections-log", "projections-journal"} <= {
        w["name"] for w in told
    }


async def test_metrics_name_patterns_never_addresses(errands: Errands, opened: httpx.Response) -> None:
    await errands.client().get(opened.headers["location"])
    await errands.client().get("/v1/errand-count")
    page = (await errands.client(None).get("/metrics")).text
    assert 'http_server_request_duration_seconds_count{method="GET",route="/v1/errands/{id}",status="200"}' in page
    assert 'route="/v1/errand-count"' in page
    assert opened.json()["id"] not in page
    assert "throughline_lag_events" in page


async def test_the_company_clock_moves_forward_only(errands: Errands) -> None:
    nobody, admin = errands.client(None), errands.client(Role.ADMIN, "admin")
    before = datetime.fromisoformat((await nobody.get("/clock")).json()["now"])
    problem(await nobody.post("/clock", json={"seconds": 5}), 401, "not-signed-in")
    problem(await errands.client(Role.REP, "rep").post("/clock", json={"seconds": 5}), 403, "role-missing")
    problem(await admin.post("/clock", json={"seconds": -5}), 422, "invalid-body")
    moved = await admin.post("/clock", json={"seconds": 3600})
    assert datetime.fromisoformat(moved.json()["now"]) - before >= timedelta(hours=1)
    assert errands.running.clock.ahead == timedelta(seconds=moved.json()["ahead_seconds"])


async def test_outside_development_the_clock_has_no_route(errands: Errands) -> None:
    app = build(Service("errands", description="Errands."), replace(errands.settings, development=False))
    assert "/clock" not in _addresses(app)
    assert "/clock" in _addresses(errands.app)


def _addresses(app: FastAPI) -> set[str]:
    return {route.path for table in app.router.routes if isinstance(table, RoutingTable) for route in table.routes}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of a page, and one beside them that is none of it."""
    (tmp_path / "secret.js").write_text("no")
    folder = tmp_path / "page"
    (folder / "lib").mkdir(parents=True)
    (folder / "index.html").write_text(
        '<link href="/page/{release}/page.css"><script src="/page/{release}/page.js"></script>'
    )
    (folder / "page.css").write_text("body {}")
    (folder / "page.js").write_text('import "./lib/one.js";')
    (folder / "lib" / "one.js").write_text("export const one = 1;")
    (folder / "lib" / ".one.js.swp").write_text("no")
    return folder


def visitor(errands: Errands, folder: Path) -> httpx.AsyncClient:
    """A browser of a process that was started with these files."""
    app = build(Service("errands", description="Errands.", pages=folder), errands.settings)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://errands.test")


def named(page: httpx.Response) -> list[str]:
    return re.findall(r'(?:href|src)="([^"]+)"', page.text)


async def test_pages_are_static_and_load_nothing_from_outside(errands: Errands, folder: Path) -> None:
    async with visitor(errands, folder) as client:
        page = await client.get("/")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        style, script = [await client.get(path) for path in named(page)]
        module = await client.get(urljoin(named(page)[1], "./lib/one.js"))
        assert module.text == "export const one = 1;"
        for answer, kind in ((style, "text/css"), (script, "text/javascript"), (module, "text/javascript")):
            assert answer.headers["content-type"].startswith(kind)
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert answer.headers["x-content-type-options"] == "nosniff"
        of_any_release = await client.get("/page/page.css")
        assert of_any_release.text == style.text
        assert of_any_release.headers["cache-control"] == page.headers["cache-control"] == "no-cache"
        for answer in (page, style, script, module, of_any_release):
            assert "default-src 'self'" in answer.headers["content-security-policy"]
        below = named(page)[0].removesuffix("page.css")
        for path in ("../secret.js", "%2e%2e/%2e%2e/secret.js", "lib", "lib/.one.js.swp", "missing.js", "index.html"):
            problem(await client.get(below + path), 404, "not-found")


async def test_after_an_update_no_page_mixes_files_of_two_releases(errands: Errands, folder: Path) -> None:
    async with visitor(errands, folder) as before:
        page = await before.get("/")
        tag = {"If-None-Match": page.headers["etag"]}
        (folder / "lib" / "one.js").write_text("export const one = 2;")
        assert (await before.get("/", headers=tag)).status_code == 304
        module = await before.get(urljoin(named(page)[1], "./lib/one.js"))
        assert module.text == "export const one = 1;"
    async with visitor(errands, folder) as after:
        newer = await after.get("/", headers=tag)
        assert newer.status_code == 200
        assert not {*named(newer)} & {*named(page)}
        assert (await after.get(urljoin(named(newer)[1], "./lib/one.js"))).text == "export const one = 2;"
        for path in named(page):
            gone = await after.get(path)
            problem(gone, 404, "not-found")
            assert gone.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("address", "accepted", "language"),
    [
        ("/", None, "en"),
        ("/", "de-CH, fr;q=0.9", "de"),
        ("/", "fr", "en"),
        ("/?language=de", "en", "de"),
        ("/?period=2026&language=de-AT", "en", "de"),
        ("/?language=fr", "de", "de"),
        ("/?language=%22%3E", "de", "de"),
        ("/?language=", "de", "de"),
    ],
)
async def test_a_page_is_in_the_language_that_is_preferred(
    errands: Errands, folder: Path, address: str, accepted: str | None, language: str
) -> None:
    """What the address asks for, then what the browser takes."""
    (folder / "index.html").write_text(
        '<html lang="{language}"><a href="/page/{release}/words.js" title="{page.skip}">'
    )
    async with visitor(errands, folder) as client:
        page = await client.get(address, headers={"Accept-Language": accepted} if accepted else {})
        assert (page.headers["content-language"], page.headers["vary"]) == (language, "Accept-Language")
        said = {"en": "Skip to the figures", "de": "Zu den Zahlen springen"}
        assert f'<html lang="{language}">' in page.text
        assert f'title="{said[language]}"' in page.text
        (words,) = named(page)
        module = await client.get(words)
        assert module.headers["content-type"].startswith("text/javascript")
        assert module.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert module.text.startswith(f'export const language = "{language}";\n')
        assert said[language] in module.text
        assert '"danger.' not in module.text, "what answers say is no business of the page"


async def test_a_page_that_is_kept_is_kept_for_its_language(errands: Errands, folder: Path) -> None:
    async with visitor(errands, folder) as client:
        german = {"Accept-Language": "de"}
        tag = {"If-None-Match": (await client.get("/", headers=german)).headers["etag"]}
        assert (await client.get("/", headers=german | tag)).status_code == 304
        assert (await client.get("/", headers={"Accept-Language": "en"} | tag)).status_code == 200
        suffixed = {"If-None-Match": tag["If-None-Match"].removesuffix('"') + '-gzip"'}
        assert (await client.get("/", headers=german | suffixed)).status_code == 304


async def test_a_page_with_a_text_that_there_is_not_does_not_start(errands: Errands, folder: Path) -> None:
    (folder / "index.html").write_text("<p>{page.nothing}")
    with pytest.raises(KeyError, match=r"page\.nothing"):
        visitor(errands, folder)


async def test_texts_of_a_page_never_become_markup(errands: Errands, folder: Path) -> None:
    (folder / "index.html").write_text('<a title="{page.said}">{page.said}</a>')
    catalogue = Catalogue("en", {NAME: "English", "page.said": '"><b>&'})
    service = Service("errands", description="Errands.", pages=folder, catalogues={"en": catalogue})
    transport = httpx.ASGITransport(build(service, errands.settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://errands.test") as client:
        escaped = "&quot;&gt;&lt;b&gt;&amp;"
        assert (await client.get("/")).text == f'<a title="{escaped}">{escaped}</a>'


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
async def test_a_process_serves_until_it_is_told_to_stop(
    errands: Errands, postgres: DatabaseServer, stop: signal.Signals
) -> None:
    url = await postgres.create_database("errands_served", await postgres.migrated())
    settings = replace(errands.settings, database_url=url, log_level="info")
    given = {
        environment_name(name, "errands"): str(int(value) if isinstance(value, bool) else value)
        for name in ("database_url", "claim_secret", "oidc_issuer", "oidc_jwks_url", "kafka_bootstrap", "development")
        if (value := getattr(settings, name)) is not None
    }
    program = (
        "from shared.ops.settings import Settings; from shared.service.server import run;"
        "from tests.shared.http.sample import SERVICE; run(SERVICE, Settings.from_environment('errands'))"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, cwd=CHECKOUT, env={**os.environ, **given}, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(120):
            port = 0
            while not port:
                port = json.loads(await process.stdout.readline()).get("port", 0)
            async with httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{port}", headers=errands.client().headers, timeout=60
            ) as client:
                made = await client.post("/v1/errands", json=BREAD, headers={"Idempotency-Key": "k"})
                assert made.status_code == 201, made.text
                seen = {"Consistency-Token": made.headers["consistency-token"]}
                async with client.stream("GET", "/v1/errand-stream", headers=seen) as stream:
                    heard = stream.aiter_lines()
                    assert await anext(heard) == "retry: 2000"
                    process.send_signal(stop)
                    assert [line async for line in heard if line and not line.startswith("id: ")] == []
            rest = (await process.stdout.read()).decode().splitlines()
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
    events = [json.loads(line) for line in rest]
    request = next(line for line in events if line["message"] == "request" and line["route"] == "/v1/errands")
    assert request["correlation_id"] == made.headers["x-correlation-id"]
    assert (request["service"], request["status"], request["level"]) == ("errands", 201, "info")
    assert BREAD["name"] not in "".join(rest)
    await postgres.drop_database(url)
