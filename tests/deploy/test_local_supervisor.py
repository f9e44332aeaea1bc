"""The supervisor: order, restarts, an orderly end, and what is left when it dies itself."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from deploy.local import program as program_module
from deploy.local.control import SUPERVISOR, hold, is_supervised, let_go, refuse_the_hopeless, state, take_down
from deploy.local.fault import LocalError
from deploy.local.home import Home
from deploy.local.plan import Plan, Service, Step, read_plan, write_plan
from deploy.local.ports import remembered
from deploy.local.program import Program, bound, log_of, record, record_of, recorded, start, stop_left_overs, until
from deploy.local.stack import CHECKOUT

DEADLINE_SECONDS = 20


def web(home: Home, name: str, *, after: tuple[str, ...] = (), stop_order: int = 0) -> Step:
    """A program that answers over HTTP; it says when it is told to stop."""
    port = remembered(home, [name])[name]
    code = (
        "import http.server, signal, sys\n"
        "def stop(*_):\n"
        f"    open(r'{home.path}/stopped', 'a').write('{name} '); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        f"http.server.HTTPServer(('127.0.0.1', {port}), http.server.SimpleHTTPRequestHandler).serve_forever()\n"
    )
    program = Program(name=name, argv=(sys.executable, "-c", code), folder=home.path, stop_order=stop_order)
    return Step(program=program, ready=f"http://127.0.0.1:{port}/", after=after)


def task(home: Home, name: str, code: str, *, after: tuple[str, ...] = ()) -> Step:
    return Step(program=Program(name=name, argv=(sys.executable, "-c", code), folder=home.path), after=after)


def supervise(home: Home, *steps: Step, services: tuple[str, ...] = ()) -> None:
    entries = {name: Service(url="http://x", database="postgresql://x/y") for name in services}
    write_plan(Plan(origin="http://o", kafka="k:1", steps=steps, services=entries), home)
    start(
        Program(
            name=SUPERVISOR,
            argv=(sys.executable, "-m", "deploy.local.supervisor", str(home.path)),
            folder=CHECKOUT,
            stop_order=-1,
        ),
        home,
    )


async def seen(home: Home, condition: Callable[[Any], bool]) -> Any:
    """The first state that fulfils a condition."""

    def holds() -> bool:
        now = state(home)
        return bool(now) and condition(now)

    assert await until(holds, DEADLINE_SECONDS), json.dumps(state(home), indent=1)
    return state(home)


def running(now: Any) -> bool:
    return bool(now["phase"] == "running")


async def test_programs_start_in_order_and_stop_in_order(home: Home) -> None:
    fill = task(home, "fill", "open('filled', 'w')", after=("store",))
    read = "import os; assert os.path.exists('filled')"
    supervise(
        home,
        web(home, "store", stop_order=90),
        fill,
        task(home, "check", read, after=("fill",)),
        web(home, "front", after=("check",), stop_order=10),
        services=("front",),
    )
    now = await seen(home, running)
    assert now["tasks"]["fill"] == {"done": True, "restarts": 0, "failure": ""}
    assert now["services"]["front"]["ready"]
    assert now["servers"]["store"]["restarts"] == 0

    assert set(await take_down(home)) == {SUPERVISOR, "store", "front"}
    assert (home.path / "stopped").read_text() == "front store "
    assert not state(home)
    assert not list(home.records.glob("*.json"))


async def test_what_dies_is_started_again_and_the_restart_is_seen(home: Home) -> None:
    supervise(home, web(home, "deals"), services=("deals",))
    first = (await seen(home, running))["services"]["deals"]
    os.kill(first["pid"], signal.SIGKILL)

    again = (await seen(home, lambda now: now["services"]["deals"]["restarts"] == 1 and running(now)))["services"]
    ready = await seen(home, lambda now: now["services"]["deals"]["ready"])
    assert ready["services"]["deals"]["pid"] != first["pid"]
    assert again["deals"]["url"] == "http://x"


async def test_one_service_is_held_down_alone_until_it_is_let_go(home: Home) -> None:
    supervise(home, web(home, "first"), web(home, "second"), services=("first", "second"))
    before = (await seen(home, running))["services"]
    assert await hold(home, "first")
    now = state(home)["services"]
    assert (now["first"]["pid"], now["first"]["ready"], now["first"]["held"]) == (None, False, True)
    assert now["second"] == before["second"]
    assert (home.path / "stopped").read_text() == "first "
    assert not await hold(home, "first")
    await let_go(home, "first")
    again = state(home)["services"]["first"]
    assert (again["ready"], again["held"], again["restarts"], again["failure"]) == (True, False, 0, "")
    assert again["pid"] != before["first"]["pid"]


async def test_a_service_that_died_is_held_before_it_starts_again(home: Home) -> None:
    supervise(home, web(home, "first"), services=("first",))
    pid = (await seen(home, running))["services"]["first"]["pid"]
    home.held.mkdir()
    (home.held / "first").touch()
    psutil.Process(pid).kill()
    await seen(home, lambda now: now["services"]["first"]["held"] and now["services"]["first"]["pid"] is None)
    await let_go(home, "first")
    assert state(home)["services"]["first"]["pid"] != pid


async def test_nothing_is_held_in_a_stack_that_does_not_run(home: Home) -> None:
    for refused in (hold, let_go):
        with pytest.raises(LocalError, match="Nothing is running"):
            await refused(home, "deals")
    assert not home.held.exists()


async def test_a_program_that_cannot_live_is_tried_with_growing_pauses_and_named(home: Home) -> None:
    broken = Step(
        program=Program(name="broken", argv=(sys.executable, "-c", "import sys; sys.exit('no such database')")),
        ready="http://127.0.0.1:9/",
    )
    supervise(home, broken)
    now = await seen(home, lambda now: now["servers"]["broken"]["restarts"] >= 3)
    assert now["phase"] == "starting"
    with pytest.raises(LocalError, match="broken does not stay up: ended with 1: no such database"):
        refuse_the_hopeless(home, now, now["servers"])


async def test_a_service_that_refuses_to_start_is_named_with_its_own_reason(home: Home) -> None:
    """Not with the last word of the server that runs it, and not with what it said when it started before."""
    code = "\n".join(
        [
            "import json, pathlib",
            "def say(**event): print(json.dumps(event), flush=True)",
            f"before = pathlib.Path(r'{home.path}/tries'); tries = len(before.read_text()) if before.exists() else 0",
            "before.write_text('x' * (tries + 1))",
            "say(level='info', message='starting')",
            "if tries != 2: say(level='error', message='not-started', reason='Another secret.')",
            "say(level='error', message='Traceback ' + 'x' * 9000, logger='uvicorn.error')",
            "say(level='error', message='Application startup failed. Exiting.', logger='uvicorn.error')",
            "raise SystemExit(3)",
        ]
    )
    refusing = Step(program=Program(name="refusing", argv=(sys.executable, "-c", code)), ready="http://127.0.0.1:9/")
    supervise(home, refusing)
    now = await seen(home, lambda now: now["servers"]["refusing"]["restarts"] >= 1)
    assert now["servers"]["refusing"]["failure"] == "ended with 3: Another secret."
    now = await seen(home, lambda now: now["servers"]["refusing"]["restarts"] >= 3)
    assert "Application startup failed" in now["servers"]["refusing"]["failure"]


async def test_what_a_dead_supervisor_left_is_found_and_stopped(home: Home) -> None:
    supervise(home, web(home, "deals"), web(home, "leads"), services=("deals", "leads"))
    now = await seen(home, running)
    supervisor = recorded(record_of(home, SUPERVISOR))
    assert supervisor is not None
    supervisor.kill()
    assert await until(lambda: not is_supervised(home), DEADLINE_SECONDS)
    pids = [service["pid"] for service in now["services"].values()]
    assert all(psutil.pid_exists(pid) for pid in pids)

    assert sorted(await take_down(home)) == ["deals", "leads"]
    assert not any(alive(pid) for pid in pids)


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


async def test_a_stranger_with_a_recorded_process_id_is_left_alone(home: Home) -> None:
    stranger = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)
    record(Program(name="deals", argv=("x",)), home, stranger.pid)
    file = record_of(home, "deals")
    entry = json.loads(file.read_text())
    file.write_text(json.dumps({**entry, "started": entry["started"] - 60}))

    assert await stop_left_overs(home) == []
    assert stranger.returncode is None
    assert alive(stranger.pid)
    stranger.kill()
    await stranger.wait()


def test_a_plan_survives_its_file_and_is_its_owners_alone(home: Home) -> None:
    plan = Plan(origin="o", kafka="k", steps=(web(home, "x", after=("y",)), task(home, "t", "pass")))
    write_plan(plan, home)
    assert read_plan(home) == plan
    assert (home.path / "plan.json").stat().st_mode & 0o077 == 0


def test_a_log_cannot_fill_the_disk(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program_module, "MAX_LOG_BYTES", 100)
    log = log_of(home, "deals")
    log.write_bytes(b"x" * 101)
    bound(log)
    assert log.stat().st_size == 0
    assert log.with_suffix(".log.1").stat().st_size == 101
