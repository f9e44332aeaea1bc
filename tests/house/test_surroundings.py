"""No library reads the environment behind our back: the laws are read from the syntax tree."""

import ast
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONNECTING = {"shared/eventstore/connecting.py", "shared/eventstore/pool.py"}
STARTS = {"subprocess.run", "subprocess.Popen", "asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell"}
DEVELOPMENT_TOOLS = {"deploy/audit.py"}
"""Asks a service of the internet as pip does, through whatever proxy the developer has; nothing of the product."""
OPENS_TEXT = {"read_text", "write_text", "open", "fdopen"}
BINARY = {"rb", "wb", "ab", "xb"}


@lru_cache
def calls() -> list[tuple[str, str, ast.Call]]:
    """Every call of the product: its file, the name that is called as it is written, and the call."""
    return [
        (str(file.relative_to(ROOT)), ast.unparse(node.func), node)
        for folder in ("shared", "services", "deploy")
        for file in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]


def calls_of(*names: str) -> Iterator[tuple[str, str, ast.Call]]:
    """Those of some names, each with where it stands."""
    for file, called, call in calls():
        if called in names:
            yield file, f"{file}:{call.lineno} {called}", call


def keyword(call: ast.Call, name: str) -> str:
    """What a call says for a keyword; empty for nothing."""
    return next((ast.unparse(given.value) for given in call.keywords if given.arg == name), "")


def test_no_client_takes_proxies_or_certificates_from_the_environment() -> None:
    built = list(calls_of("httpx.AsyncClient", "httpx.Client", "httpx.create_ssl_context"))
    assert built
    assert [where for _, where, call in built if keyword(call, "trust_env") != "False"] == []
    at_once = [f"httpx.{verb}" for verb in ("get", "post", "put", "patch", "delete", "head", "request", "stream")]
    assert [where for _, where, _ in calls_of(*at_once)] == [], "build a client"


def test_a_started_program_has_a_composed_environment() -> None:
    started = [(where, call) for file, where, call in calls_of(*STARTS) if file not in DEVELOPMENT_TOOLS]
    assert started
    assert [where for where, call in started if not keyword(call, "env").startswith("composed(")] == []


def test_a_connection_to_postgresql_states_what_libpq_would_fill_in() -> None:
    for file, where, _ in calls_of("asyncpg.connect", "asyncpg.create_pool"):
        assert file in CONNECTING, f"{where}: shared.eventstore.connecting has connect"
    [(_, _, pool)] = calls_of("asyncpg.create_pool")
    assert "connect" in keyword(pool, "connect")


def test_uvicorn_is_told_how_many_processes_and_whose_headers() -> None:
    """Otherwise WEB_CONCURRENCY and FORWARDED_ALLOW_IPS say."""
    served = list(calls_of("uvicorn.run", "uvicorn.Config"))
    assert served
    assert [where for _, where, call in served if keyword(call, "workers") != "1"] == []
    assert [where for _, where, call in served if not keyword(call, "forwarded_allow_ips")] == []


def test_text_is_read_and_written_in_a_named_encoding() -> None:
    """Otherwise the locale says which."""
    opened = [one for one in calls() if one[1].rpartition(".")[2] in OPENS_TEXT and one[1] != "os.open"]
    assert opened
    for file, called, call in opened:
        binary = any(given.value in BINARY for given in call.args if isinstance(given, ast.Constant))
        assert binary or keyword(call, "encoding"), f"{file}:{call.lineno} {called}"
    assert [where for _, where, call in calls_of(*STARTS) if keyword(call, "text")] == [], "say encoding="
