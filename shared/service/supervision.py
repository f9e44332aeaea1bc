"""Supervisor of workers: what a process does beside answering. One that ends is reported and started again, later each
time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from shared.eventstore.pool import is_away, unreachable
from shared.kafka.layout import OtherPartitions
from shared.ops.health import Health
from shared.ops.stopping import pause
from shared.projections.readers import ReadersStandStill

log = structlog.get_logger(__name__)

FIRST_PAUSE = 0.2
MAX_PAUSE = 10.0
MAX_OUTAGE_PAUSE = 2.0
"""The same after an outage of the database, which ends without a word."""
STANDS_SECONDS = 4.0
"""Whoever stands so long and says nothing else works: longer than a lease or a look waits for the database."""
STEADY_SECONDS = 60.0
"""Whoever worked this long starts with the first pause again."""
TOLD = (OtherPartitions, ReadersStandStill)
"""Errors of our own whose words are for operators, and name nothing but what they run."""
STOP_SECONDS = 15.0
"""How long workers may finish what they are at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """Something that runs until it is told to stop: it returns soon after `stopping` is set."""

    name: str
    run: Callable[[asyncio.Event], Awaitable[None]]


async def supervise(worker: Worker, health: Health, stopping: asyncio.Event) -> None:
    """Keep a worker at work until `stopping` is set."""
    delay = FIRST_PAUSE
    clock = asyncio.get_running_loop()
    health.report(worker.name, True, "starts")
    restarts = health.metrics.worker_restarts.labels(worker.name)  # there from 0 on: an alert asks for the increase
    while not stopping.is_set():
        began = clock.time()
        before = health.reported(worker.name)
        ended = asyncio.ensure_future(worker.run(stopping))
        try:
            await asyncio.wait([ended], timeout=STANDS_SECONDS)
            # Until here the last failure stays: one that fails each time would be well each time for a moment.
            if not ended.done() and health.reported(worker.name) is before:
                health.report(worker.name, True, "works")
            await asyncio.wait([ended])
        finally:
            if not ended.done():
                ended.cancel()
        if stopping.is_set() and (ended.cancelled() or ended.exception() is None):
            return
        failure = None if ended.cancelled() else unwrapped(ended.exception())
        away = failure is not None and is_outage(failure)
        _report(worker, health, failure, away)
        delay = FIRST_PAUSE if clock.time() - began > STEADY_SECONDS else delay
        await pause(stopping, min(delay, MAX_OUTAGE_PAUSE) if away else delay)
        delay = min(delay * 2, MAX_PAUSE)
        restarts.inc()


def _report(worker: Worker, health: Health, failure: BaseException | None, away: bool) -> None:
    if failure is not None and away:
        one = failure.exceptions[0] if isinstance(failure, BaseExceptionGroup) else failure
        health.report(worker.name, False, unreachable(unwrapped(one) or one))
        log.warning("worker-interrupted", worker=worker.name, error=named(failure))
        return
    health.report(worker.name, False, f"ended: {named(failure)}" if failure else "ended")
    log.error("worker-ended", worker=worker.name, exc_info=failure)


def is_outage(failure: BaseException) -> bool:
    """Whether all that failed is a database that is away, busy or locked: it is no fault of the worker's."""
    if isinstance(failure, BaseExceptionGroup):
        return all(map(is_outage, failure.exceptions))
    return is_away(failure)


def unwrapped(failure: BaseException | None) -> BaseException | None:
    """What a task group raises for one failure says only that it was a group: the failure itself."""
    while isinstance(failure, BaseExceptionGroup) and len(failure.exceptions) == 1:
        (failure,) = failure.exceptions
    return failure


def named(failure: BaseException) -> str:
    """What may be told of a failure: its kind, and what it says where the words are written for operators. What others
    say may carry addresses or data."""
    if isinstance(failure, BaseExceptionGroup):
        return ", ".join(sorted({named(one) for one in map(unwrapped, failure.exceptions) if one is not None}))
    return f"{type(failure).__name__}: {failure}" if isinstance(failure, TOLD) else type(failure).__name__


async def run_all(workers: Sequence[Worker], health: Health, stopping: asyncio.Event) -> None:
    """Supervise all workers; cancels those that have not finished in time after `stopping` was set."""
    tasks = [asyncio.create_task(supervise(worker, health, stopping), name=worker.name) for worker in workers]
    if not tasks:
        return
    try:
        await stopping.wait()
        _, late = await asyncio.wait(tasks, timeout=STOP_SECONDS)
        for task in late:
            log.warning("worker-cancelled", worker=task.get_name())
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
