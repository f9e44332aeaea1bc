"""A service as a process: health, metrics, the movable clock, pages, and the stop."""

import asyncio
import json
import os
import signal
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from shared.domain.roles import Role
from shared.eventstore.claim_secret import OtherClaimSecret, hold_to
from shared.eventstore.migrate import migrate
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


async def test_under_another_claim_secret_nothing_starts_and_nothing_is_written(errands: Errands) -> None:
    """DATA-4"""
    counts = "select (select count(*) from view_build), (select count(*) from lease), (select count(*) from event)"
    pool = errands.running.pool
    before = await pool.fetchrow(counts), await pool.fetchrow("select * from claim_secret")
    app = build(SERVICE, replace(errands.settings, claim_secret="d" * 32))
    with pytest.raises(OtherClaimSecret, match="CLAIM_SECRET is not the one"):
        async with app.router.lifespan_context(app):
            pytest.fail("it started")
    assert (await pool.fetchrow(counts), await pool.fetchrow("select * from claim_secret")) == before


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
    assert "/clock" not in {getattr(route, "path", None) for route in app.router.routes}
    assert "/clock" in {getattr(route, "path", None) for route in errands.app.router.routes}


async def test_pages_are_static_and_load_nothing_from_outside(errands: Errands, tmp_path: Path) -> None:
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "index.html").write_text("<title>Page</title>")
    (folder / "page.css").write_text("body {}")
    (tmp_path / "secret").write_text("no")
    app = build(Service("errands", description="Errands.", pages=folder), errands.settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://errands.test") as client:
        page = await client.get("/")
        assert page.text == "<title>Page</title>"
        assert "default-src 'self'" in page.headers["content-security-policy"]
        assert (await client.get("/page/page.css")).headers["content-type"].startswith("text/css")
        again = await client.get("/page/page.css", headers={"If-None-Match": page.headers["etag"]})
        assert again.status_code == 200
        same = await client.get("/", headers={"If-None-Match": page.headers["etag"]})
        assert same.status_code == 304
        for path in ("/page/../secret", "/page/%2e%2e/secret", "/page/missing.js"):
            problem(await client.get(path), 404, "not-found")


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
async def test_a_process_serves_until_it_is_told_to_stop(
    errands: Errands, postgres: DatabaseServer, stop: signal.Signals
) -> None:
    url = await postgres.create_database("errands_served", await postgres.template("web", migrate))
    settings = replace(errands.settings, database_url=url, log_level="info")
    given = {
        environment_name(name, "errands"): str(int(value) if isinstance(value, bool) else value)
        for name in ("database_url", "claim_secret", "oidc_issuer", "oidc_jwks_url", "kafka_bootstrap", "development")
        if (value := getattr(settings, name)) is not None
    }
    program = (
        "from shared.ops.settings import Settings; from shared.service.server import run;"
        "from shared.service.build import build; from tests.shared.http.sample import SERVICE;"
        "settings = Settings.from_environment('errands'); run(build(SERVICE, settings), settings)"
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
