"""Workers: one that ends is reported and started again; all end in time."""

import asyncio

import asyncpg
import pytest
from asyncpg import LockNotAvailableError
from structlog.testing import capture_logs

from shared.kafka.layout import OtherPartitions
from shared.ops.health import Health
from shared.ops.metrics import Metrics
from shared.service import supervision
from shared.service.supervision import Worker, run_all, supervise
from tests.shared.http.waiting import until


@pytest.fixture
def health() -> Health:
    return Health(Metrics.of("tests"))


async def test_a_worker_that_fails_is_reported_and_started_again(
    health: Health, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "FIRST_PAUSE", 0.2)
    monkeypatch.setattr(supervision, "STANDS_SECONDS", 0.5)
    starts: list[float] = []

    async def run(stopping: asyncio.Event) -> None:
        starts.append(asyncio.get_running_loop().time())
        if len(starts) < 3:
            raise KeyError("with a password inside")
        await stopping.wait()

    stopping = asyncio.Event()
    task = asyncio.create_task(supervise(Worker(name="w", run=run), health, stopping))
    await until(lambda: bool(starts))
    assert b'throughline_worker_restarts_total{worker="w"} 0.0' in health.metrics.page()
    await until(lambda: bool(health.workers) and not health.workers[0].ok)
    assert health.workers[0].detail == "ended: KeyError"
    await until(lambda: len(starts) == 3)
    assert not health.workers[0].ok, "it has not stood yet"
    await until(lambda: health.workers[0].ok)
    assert starts[2] - starts[1] > (starts[1] - starts[0]) * 1.5, "each pause is longer than the one before"
    assert b'throughline_worker_restarts_total{worker="w"} 2.0' in health.metrics.page()
    stopping.set()
    await asyncio.wait_for(task, 5)


async def failing_together(*failures: Exception) -> None:
    """Raises what some tasks of a group fail with."""

    async def fail(failure: Exception) -> None:
        raise failure

    async with asyncio.TaskGroup() as group:
        for failure in failures:
            group.create_task(fail(failure))


@pytest.mark.parametrize(
    ("failures", "detail"),
    [
        (
            [OtherPartitions(12, 3, "the topic t has")],
            f"ended: OtherPartitions: {OtherPartitions(12, 3, 'the topic t has')}",
        ),
        ([KeyError("with a password inside")], "ended: KeyError"),
        ([ExceptionGroup("inner", [KeyError("with a password inside")])], "ended: KeyError"),
        ([OSError("a"), OSError("b"), ValueError("c")], "ended: OSError, ValueError"),
        ([OSError("a"), LockNotAvailableError("b")], "cannot reach the database: OSError"),
        ([LockNotAvailableError("with data inside")], "the database fails: LockNotAvailableError"),
    ],
)
async def test_a_failure_keeps_its_name_in_a_group_of_tasks(
    health: Health, failures: list[Exception], detail: str
) -> None:
    stopping = asyncio.Event()
    worker = Worker(name="w", run=lambda _: failing_together(*failures))
    task = asyncio.create_task(supervise(worker, health, stopping))
    await until(lambda: bool(health.workers) and not health.workers[0].ok)
    assert health.workers[0].detail == detail
    stopping.set()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_worker_that_fails_at_once_is_never_well_again_between(
    health: Health, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "FIRST_PAUSE", 0.01)
    told: list[bool] = []
    stopping = asyncio.Event()

    async def run(_: asyncio.Event) -> None:
        told.append(health.workers[0].ok)
        if len(told) == 4:
            stopping.set()
        raise KeyError

    await supervise(Worker(name="w", run=run), health, stopping)
    assert told == [True, False, False, False]


async def test_an_outage_of_the_database_is_no_error_and_is_soon_over(
    health: Health, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A projection that meets a lock begins again; and once the database is back nobody waits for long."""
    monkeypatch.setattr(supervision, "FIRST_PAUSE", 5.0)
    monkeypatch.setattr(supervision, "MAX_OUTAGE_PAUSE", 0.01)
    stopping = asyncio.Event()
    failures = [LockNotAvailableError(), ConnectionRefusedError(), asyncpg.InterfaceError("")]

    async def run(_: asyncio.Event) -> None:
        if not failures:
            stopping.set()
        else:
            raise failures.pop()

    with capture_logs() as lines:
        async with asyncio.timeout(4):
            await supervise(Worker(name="w", run=run), health, stopping)
    own = [(line["event"], line["log_level"]) for line in lines if line.get("worker") == "w"]  # services run beside
    assert own == 3 * [("worker-interrupted", "warning")]


async def test_a_worker_that_ends_by_itself_is_a_fault_too(health: Health) -> None:
    async def run(_: asyncio.Event) -> None:
        return

    stopping = asyncio.Event()
    task = asyncio.create_task(supervise(Worker(name="w", run=run), health, stopping))
    await until(lambda: bool(health.workers) and not health.workers[0].ok)
    stopping.set()
    await asyncio.wait_for(task, 5)


async def test_a_worker_that_does_not_stop_is_cancelled(health: Health, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "STOP_SECONDS", 0.05)
    ended: list[str] = []

    async def deaf(_: asyncio.Event) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("deaf")

    async def polite(stopping: asyncio.Event) -> None:
        await stopping.wait()
        ended.append("polite")

    stopping = asyncio.Event()
    task = asyncio.create_task(run_all([Worker(name="d", run=deaf), Worker(name="p", run=polite)], health, stopping))
    await until(lambda: len(health.workers) == 2)
    stopping.set()
    await asyncio.wait_for(task, 5)
    assert sorted(ended) == ["deaf", "polite"]
