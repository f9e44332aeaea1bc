"""Health: what a process says about itself to those who run it. Not routed by the gateway (OPS-2).

Alive means that the event loop answers. Ready means that requests can be served: the database and its schema, never
Kafka, because commands are taken while the broker is away. Workers and lags are reported by those who do the work.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Literal

from shared.ops.deadline import within
from shared.ops.metrics import Metrics

PROBE_SECONDS = 1.0

Kind = Literal["relay", "consumer", "projection", "delivery"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a worker or a probe said last."""

    name: str
    ok: bool
    detail: str = ""


class NotReady(Exception):
    """What a probe raises that has words of its own for operators."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """How far a step is behind: events not yet handled, and the age of the oldest of them in seconds."""

    kind: Kind
    name: str
    events: int
    seconds: float


@dataclass(slots=True)
class Health:
    """The reports of one process."""

    metrics: Metrics
    _workers: dict[str, Report] = field(default_factory=dict)
    _lags: dict[tuple[Kind, str], Lag] = field(default_factory=dict)
    _measured: set[tuple[Kind, str]] = field(default_factory=set)
    """The steps that have ever said how far they are behind."""
    _probes: dict[str, Callable[[], Coroutine[Any, Any, None]]] = field(default_factory=dict)

    def report(self, name: str, ok: bool, detail: str = "") -> None:
        """A worker says how it fares."""
        self._workers[name] = Report(name=name, ok=ok, detail=detail)
        self.metrics.worker_ok.labels(name).set(ok)

    def reported(self, name: str) -> Report | None:
        """What a worker said last, the same object until it says something again."""
        return self._workers.get(name)

    def lag(self, kind: Kind, name: str, *, events: int, seconds: float) -> None:
        """A step says how far it is behind."""
        self._lags[kind, name] = Lag(kind=kind, name=name, events=events, seconds=seconds)
        self.metrics.lag_events.labels(kind, name).set(events)
        self.metrics.lag_seconds.labels(kind, name).set(seconds)
        self.metrics.lag_measured.labels(kind, name).set_to_current_time()
        self._measured.add((kind, name))

    def unmeasured(self, kind: Kind, name: str) -> None:
        """A step cannot say how far it is behind. What it said before is gone and not kept, because nobody could tell
        it from what holds now; when that was measured stays."""
        if self._lags.pop((kind, name), None) is not None:
            self.metrics.lag_events.remove(kind, name)
            self.metrics.lag_seconds.remove(kind, name)

    def withdraw(self, worker: str, *steps: tuple[Kind, str]) -> None:
        """Whoever did a kind of work under a lease does it no more: its last report and lags say nothing of now, and
        whoever has taken over tells them. They are gone, not zero."""
        if self._workers.pop(worker, None) is not None:
            self.metrics.worker_ok.remove(worker)
        for place in self._measured.intersection(steps):
            self.unmeasured(*place)
            self._measured.remove(place)
            self.metrics.lag_measured.remove(*place)

    def ready(self, name: str, probe: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Add something that readiness rests on; the probe raises while it is not there."""
        self._probes[name] = probe

    @property
    def workers(self) -> list[Report]:
        """Every worker's last report, by name."""
        return sorted(self._workers.values(), key=lambda report: report.name)

    @property
    def lags(self) -> list[Lag]:
        """Every step's last lag, by kind and name."""
        return sorted(self._lags.values(), key=lambda lag: (lag.kind, lag.name))

    async def readiness(self) -> list[Report]:
        """Try everything that readiness rests on, each for a second at most."""
        tried = [within(PROBE_SECONDS, probe()) for probe in self._probes.values()]
        outcomes = await asyncio.gather(*tried, return_exceptions=True)
        return [_verdict(name, outcome) for name, outcome in zip(self._probes, outcomes, strict=True)]


def _verdict(name: str, failure: BaseException | None) -> Report:
    if isinstance(failure, TimeoutError):
        return Report(name=name, ok=False, detail=f"no answer in {PROBE_SECONDS:.0f} s")
    if isinstance(failure, NotReady):
        return Report(name=name, ok=False, detail=str(failure))
    if failure is not None:
        # The kind of failure only: messages of database drivers carry addresses.
        return Report(name=name, ok=False, detail=type(failure).__name__)
    return Report(name=name, ok=True)
