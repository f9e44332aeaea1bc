"""What the shell of a user says to other programs is not heard by the stack, and its home may have any name."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from deploy.local.environment import composed, settings_in
from deploy.local.home import cache
from deploy.local.ports import free_port
from deploy.local.stack import Stack, throughline

FOREIGN = {
    **dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"), "http://127.0.0.1:9"),
    **dict.fromkeys(("ALL_PROXY", "all_proxy"), "socks5://127.0.0.1:9"),
    "PGHOST": "elsewhere.invalid",
    "PGPORT": "1,2",
    "PGUSER": "somebody",
    "PGDATA": "/none",
    "PGSSLMODE": "verify-full",
    "PGSSLCERT": "/none/client.crt",
    "JAVA_TOOL_OPTIONS": "-Xnonsense",
    "JDK_JAVA_OPTIONS": "-Xnonsense",
    "CLASSPATH": "/none",
    "KAFKA_OPTS": "-Xnonsense",
    "WEB_CONCURRENCY": "many",
    "FORWARDED_ALLOW_IPS": "nobody",
    "NOTIFY_SOCKET": "/none/notify",
    "SSL_CERT_FILE": "/none/certificates.pem",
    "OIDC_PROXY": "socks5://127.0.0.1:9",
    "LC_ALL": "C",
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
    "TZ": "Nowhere/Else",
    "NO_COLOR": "1",
}
NAME = "größe, \\ of it, " + "long " * 25
"""Longer than the path of a Unix socket may be."""


def test_a_program_gets_what_is_its_own_and_the_machine_s() -> None:
    around = {**FOREIGN, "PATH": "/bin", "HOME": "/root", "DATABASE_URL_LEADS": "postgresql://u:p@db/leads"}
    same = {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"}
    assert composed({"SERVICE_PORT": "1"}, around) == {"PATH": "/bin", "HOME": "/root", **same, "SERVICE_PORT": "1"}
    assert composed({"LC_ALL": "C"}, around)["LC_ALL"] == "C"


def test_settings_are_handed_on_and_no_address_of_a_database() -> None:
    given = {"COMPANY_TIMEZONE": "Europe/Berlin", "RATE_LIMIT": "", "SIMULATE_PACE": "10"}
    others = {"PATH": "/bin", "PGHOST": "x", "DATABASE_URL_LEADS": "postgresql://u:p@db/leads", "SERVICE": "x"}
    assert settings_in({**given, **others}) == given


def test_a_relative_home_is_the_same_one_for_every_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The supervisor works in the checkout, the user somewhere else."""
    monkeypatch.chdir(tmp_path)
    stack = Stack.at(Path("here"), environment={"THROUGHLINE_HOME": "here"})
    assert stack.settings()["THROUGHLINE_HOME"] == str(tmp_path / "here")


def test_the_way_to_an_issuer_is_of_concern_to_a_given_one_alone(tmp_path: Path) -> None:
    way = {"OIDC_PROXY": "http://proxy:3128", "SSL_CERT_FILE": "/etc/issuer.pem"}
    own = Stack.at(tmp_path, environment=way).settings()
    assert (own["OIDC_PROXY"], own["SSL_CERT_FILE"], own["SSL_CERT_DIR"]) == ("", "", "")
    assert "OIDC_JWKS_URL" in own
    given = Stack.at(tmp_path, environment={**way, "OIDC_ISSUER": "https://issuer.test"}).settings()
    assert {name: given[name] for name in way} == way
    assert "OIDC_JWKS_URL" not in given


def test_only_the_stacks_own_broker_has_few_partitions(tmp_path: Path) -> None:
    """Commands that run beside given servers take the number that the services there take."""
    assert Stack.at(tmp_path, environment={}).settings()["KAFKA_PARTITIONS"] == "3"
    assert Stack.at(tmp_path, environment={"KAFKA_PARTITIONS": "6"}).settings()["KAFKA_PARTITIONS"] == "6"
    assert "KAFKA_PARTITIONS" not in Stack.at(tmp_path, environment={"KAFKA_BOOTSTRAP": "broker:9092"}).settings()


@pytest.mark.slow
@pytest.mark.usefixtures("processes")
def test_a_stack_starts_and_every_verb_works_in_foreign_surroundings(tmp_path: Path) -> None:
    """OPS-1"""
    (tmp_path / "home").mkdir(mode=0o500)
    given = {"THROUGHLINE_HOME": NAME, "PORT": str(free_port(set())), "THROUGHLINE_CACHE": str(cache())}
    environment = {**os.environ, **FOREIGN, **given, "PYTHONPATH": str(Path.cwd()), "HOME": str(tmp_path / "home")}

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        said = subprocess.run(
            throughline(*words), env=environment, cwd=tmp_path, capture_output=True, encoding="utf-8", check=False
        )
        assert said.returncode == 0, said.stdout + said.stderr
        return said

    try:
        run("up", "--empty")
        state = json.loads(run("status", "--json").stdout)
        assert [one["restarts"] for one in (*state["servers"].values(), *state["services"].values())] == [0] * 10
        assert run("token", "--role", "executive").stdout.startswith("ey")
        assert "real time" in run("clock").stdout
        run("clock", "+1d")
        run("parked", "list")
        run("deliveries", "list")
        run("verify")
    finally:
        run("down", "--data")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]
    assert not list((tmp_path / "home").iterdir())
