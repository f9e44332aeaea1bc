"""The command line as somebody types it."""

import asyncio
import json
import os
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deploy.cli import doctor
from deploy.cli.status import as_text
from deploy.cli.up import simulated
from deploy.local import kafka
from deploy.local.fault import LocalError
from deploy.local.ports import free_port
from deploy.local.stack import Stack, throughline, without_password
from deploy.services import SERVICES
from shared.eventstore.claim_secret import hold_to
from shared.eventstore.pool import create_pool
from shared.testing.servers import DatabaseServer

GIVEN = {
    **{f"DATABASE_URL_{name.upper()}": f"postgresql://u:p@db/{name}" for name in SERVICES},
    "KAFKA_BOOTSTRAP": "broker:9092",
    "PORT": "18099",
}
"""Servers that are there already."""


def run(*words: str, home: Path, **settings: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "THROUGHLINE_HOME": str(home), **settings}
    # What hangs is ended; how long a busy machine takes to start a stack says nothing.
    return subprocess.run(
        throughline(*words), env=environment, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.usefixtures("processes")
def test_status_of_nothing_is_a_sentence_and_what_to_do(tmp_path: Path) -> None:
    spoken = run("status", home=tmp_path / "none")
    assert spoken.returncode == 1
    assert spoken.stderr == "Nothing is running.\nStart it with `make demo`.\n"

    told = run("status", "--json", home=tmp_path / "none")
    assert json.loads(told.stdout)["error"]["sentence"] == "Nothing is running."


@pytest.mark.usefixtures("processes")
def test_down_of_nothing_is_harmless(tmp_path: Path) -> None:
    told = run("down", "--json", home=tmp_path / "none")
    assert (told.returncode, json.loads(told.stdout)) == (0, {"stopped": [], "data_removed": False})
    assert not (tmp_path / "none").exists()


@pytest.mark.usefixtures("processes")
def test_a_step_back_is_no_option_but_refused(tmp_path: Path) -> None:
    refused = run("clock", "-3d", home=tmp_path / "none")
    assert refused.returncode == 1
    assert refused.stderr.startswith("'-3d' is no step forward, and the clock never goes back.\n"), refused.stderr


def test_a_program_that_does_not_run_has_no_process() -> None:
    down = {"held": True, "ready": False, "failure": "", "pid": None, "restarts": 2}
    shape = {"origin": "o", "kafka": "k", "phase": "running", "servers": {}, "troubles": [], "lags": []}
    text = as_text({**shape, "services": {"deals": down, "leads": {**down, "pid": 17}}})
    assert "None" not in text
    assert "deals        held down  no process" in text
    assert "leads        held down  process 17" in text


async def test_what_is_not_parked_cannot_be_handled_again(postgres: DatabaseServer, tmp_path: Path) -> None:
    url = await postgres.create_database("parked", await postgres.migrated())
    given = {f"DATABASE_URL_{name.upper()}": url for name in SERVICES}
    refused = await asyncio.to_thread(run, "parked", "redrive", "nonsense", home=tmp_path / "home", **given)
    assert refused.returncode == 1
    assert refused.stderr.startswith("Nothing is parked under 'nonsense'.\n"), refused.stderr
    nothing = await asyncio.to_thread(run, "parked", "redrive", home=tmp_path / "home", **given)
    assert (nothing.returncode, nothing.stdout) == (0, "Nothing is parked.\n")
    await postgres.drop_database(url)


@pytest.mark.usefixtures("processes")
def test_doctor_says_of_everything_whether_it_is_fit(tmp_path: Path) -> None:
    told = run("doctor", "--json", home=tmp_path / "none", PORT=str(0x7FFF))
    findings = {finding["what"]: finding for finding in json.loads(told.stdout)}
    assert {
        "Python",
        "venv module",
        "PostgreSQL",
        "Java for Kafka",
        "port",
        "disk",
        "memory",
        "open files",
        "claim secret",
    } <= set(findings)
    assert findings["PostgreSQL"]["found"].startswith("postgres (PostgreSQL) 18")
    assert findings["Java for Kafka"]["fit"]


@pytest.mark.usefixtures("processes")
def test_doctor_names_folders_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "nowhere").symlink_to(tmp_path / "none" / "such")
    told = run("doctor", home=tmp_path / "nowhere" / "home", THROUGHLINE_CACHE=str(tmp_path / "file" / "cache"))
    assert told.returncode == 1
    assert "NOT  Kafka's artefacts: 0 of " in told.stdout
    assert "file/cache, which cannot be written (Not a directory)" in told.stdout
    assert "set THROUGHLINE_CACHE to a folder" in told.stdout
    assert "nowhere/home cannot be written (No such file or directory)" in told.stdout


@pytest.mark.usefixtures("processes")
def test_doctor_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Java would keep its counters in a file of /tmp."""
    java = tmp_path / "java"
    java.write_text('#!/bin/sh\necho "$@"\n')
    java.chmod(0o755)
    monkeypatch.setattr(kafka, "java_runtime", lambda: java)
    assert doctor.java().found == "-XX:-UsePerfData --version"


@pytest.mark.usefixtures("processes")
def test_up_leaves_its_supervisor_without_a_warning(tmp_path: Path) -> None:
    """Popen warns of a child that still runs when it is forgotten; the supervisor is meant to."""
    home = tmp_path / "home"
    given = {
        **GIVEN,
        "PORT": str(free_port(set())),
        "CLAIM_SECRET": "x" * 32,
        "PYTHONWARNINGS": "error::ResourceWarning",
    }
    told = run("up", home=home, **given)
    try:
        assert (home / "logs" / "supervisor.log").exists()
        assert "Exception ignored" not in told.stderr, told.stderr
    finally:
        run("down", "--data", home=home, **given)


@pytest.mark.usefixtures("processes")
def test_doctor_names_a_busy_port_and_fails(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        told = run("doctor", home=tmp_path / "none", PORT=str(port))
    assert told.returncode == 1
    assert f"NOT  port: Port {port} is in use" in told.stdout
    assert "make demo PORT=" in told.stdout


@pytest.mark.parametrize("verb", ["up", "down"])
@pytest.mark.usefixtures("processes")
def test_one_service_alone_is_known_and_belongs_to_a_stack_that_runs(verb: str, tmp_path: Path) -> None:
    unknown = run(verb, "coffee", home=tmp_path / "none")
    assert unknown.returncode == 2
    assert "coffee" in unknown.stderr
    refused = run(verb, "deals", home=tmp_path / "none")
    assert (refused.returncode, refused.stderr.splitlines()[0]) == (1, "Nothing is running.")
    mixed = run(verb, "deals", "--data" if verb == "down" else "--empty", home=tmp_path / "none")
    assert mixed.returncode == 2
    assert not (tmp_path / "none").exists()


async def test_doctor_names_the_database_whose_claims_are_under_another_secret(
    postgres: DatabaseServer, tmp_path: Path
) -> None:
    """DATA-4"""
    urls = [await postgres.create_database(name, await postgres.migrated()) for name in ("one", "two")]
    for url, secret in zip(urls, ("a" * 32, "b" * 32), strict=True):
        async with await create_pool(url, name="secret", size=1) as pool:
            await hold_to(pool, secret.encode())
    home = tmp_path / "home"
    home.mkdir()
    given = {"CLAIM_SECRET": "a" * 32, "DATABASE_URL_LEADS": urls[0], "DATABASE_URL_DEALS": urls[1]}
    told = await asyncio.to_thread(run, "doctor", home=home, **given)
    assert told.returncode == 1
    assert "NOT  claim secret: another one in the database of deals\n" in told.stdout
    assert "aaaa" not in told.stdout
    told = await asyncio.to_thread(run, "doctor", home=home, **{**given, "DATABASE_URL_DEALS": urls[0]})
    assert "ok   claim secret: that of leads, deals\n" in told.stdout
    for url in urls:
        await postgres.drop_database(url)


@pytest.mark.usefixtures("processes")
def test_a_port_that_is_none_is_said_in_a_sentence(tmp_path: Path) -> None:
    refused = run("up", home=tmp_path / "stack", PORT="eighty")
    assert refused.returncode == 1
    assert refused.stderr == "PORT is 'eighty', which is no port.\nGive a number from 1 to 65535.\n"


@pytest.mark.usefixtures("processes")
def test_an_unknown_service_cannot_be_served(tmp_path: Path) -> None:
    refused = run("serve", "coffee", home=tmp_path / "none")
    assert refused.returncode == 2
    assert "coffee" in refused.stderr


def test_given_servers_are_used_instead_of_local_ones(tmp_path: Path) -> None:
    stack = Stack.at(tmp_path / "stack", environment=GIVEN)
    plan = stack.plan(tmp_path, {"deals": "deals"})

    names = [step.program.name for step in plan.steps]
    assert names == ["migrate", "identity", "mailbox", *SERVICES, "gateway"]
    assert plan.kafka == "broker:9092"
    assert plan.services["deals"].database == "postgresql://u@db/deals"
    deals = environment_of(plan, "deals")
    assert deals["DATABASE_URL_DEALS"] == GIVEN["DATABASE_URL_DEALS"]
    assert "DATABASE_URL_LEADS" not in deals
    assert deals["KAFKA_BOOTSTRAP"] == "broker:9092"


def test_one_given_database_leaves_the_others_local(tmp_path: Path) -> None:
    stack = Stack.at(tmp_path / "stack", environment={"DATABASE_URL_DEALS": "postgresql://u:p@db/deals"})
    assert stack.runs_postgres
    assert stack.database_url("deals") == "postgresql://u:p@db/deals"
    assert stack.database_url("leads").startswith("postgresql://leads:")


def test_only_the_gateway_listens_where_others_reach_it(tmp_path: Path) -> None:
    stack = Stack.at(tmp_path / "stack", environment={**GIVEN, "HOST": "0.0.0.0"})
    plan = stack.plan(tmp_path, {"deals": "deals"})
    assert plan.origin == "http://127.0.0.1:18099"
    assert "bind 0.0.0.0" in (tmp_path / "stack" / "Caddyfile").read_text()
    assert environment_of(plan, "deals")["HOST"] == environment_of(plan, "identity")["HOST"] == "127.0.0.1"
    assert Stack.at(tmp_path / "stack", environment={"HOST": "10.0.0.7"}).origin == "http://10.0.0.7:8080"


def environment_of(plan: Any, name: str) -> dict[str, str]:
    return next(dict(step.program.env) for step in plan.steps if step.program.name == name)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://deals:secret@127.0.0.1:5432/deals", "postgresql://deals@127.0.0.1:5432/deals"),
        ("postgresql://db/deals", "postgresql://db/deals"),
        ("postgresql://u:p%40ss@db:1/x?sslmode=require", "postgresql://u@db:1/x?sslmode=require"),
        ("postgresql://db/x?user=u&password=p&sslpassword=p&port=1", "postgresql://db/x?user=u&port=1"),
    ],
)
def test_no_password_is_shown(url: str, shown: str) -> None:
    assert without_password(url) == shown


@pytest.mark.parametrize(("given", "wanted"), [(None, True), ("", True), ("1", True), ("0", False), ("false", False)])
def test_the_simulated_people_stay_at_home_when_they_are_switched_off(given: str | None, wanted: bool) -> None:
    assert simulated(given) is wanted


def test_a_switch_that_is_neither_on_nor_off_is_said_in_a_sentence() -> None:
    with pytest.raises(LocalError, match="It is 0 or 1"):
        simulated("maybe")
