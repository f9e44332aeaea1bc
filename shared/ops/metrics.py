"""Prometheus metrics of this process. One registry a process, made by the composition root and handed on."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

CONTENT_TYPE = CONTENT_TYPE_LATEST

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Metrics:
    """The figures that the machinery keeps. Names follow OpenTelemetry's where it has one."""

    registry: CollectorRegistry
    requests: Histogram
    """http_server_request_duration_seconds by method, route (the pattern, never the address) and status."""
    lag_events: Gauge
    lag_seconds: Gauge
    lag_measured: Gauge
    """When a lag was measured last. The lag itself is absent while it cannot be measured; this stays."""
    worker_ok: Gauge
    worker_restarts: Counter
    listeners: Gauge
    """Open server-sent-event streams."""
    waits: Histogram
    """How long reads waited for a Consistency-Token, by outcome (there, behind)."""
    reads_waiting: Gauge
    """Reads that wait for a place beside others of the same read models, by the names of these."""
    reads_refused: Counter
    """Those that got none, because work on these read models stands still."""
    dead_deliveries: Gauge
    """What was to be sent outside and is not tried any more, by channel."""

    @classmethod
    def of(cls, service: str) -> "Metrics":
        """An empty registry with the process's own figures."""
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        info = Gauge("throughline_service", "Which service this process is.", ["service"], registry=registry)
        info.labels(service).set(1)
        waits = Histogram(
            "throughline_read_wait_seconds",
            "How long reads waited for a Consistency-Token.",
            ["outcome"],
            buckets=SECONDS,
            registry=registry,
        )
        # A counter that appears with its first case has no increase that an alert could see.
        for outcome in ("there", "behind"):
            waits.labels(outcome)
        return cls(
            registry=registry,
            requests=Histogram(
                "http_server_request_duration_seconds",
                "Time from a request to the end of its answer.",
                ["method", "route", "status"],
                buckets=SECONDS,
                registry=registry,
            ),
            lag_events=Gauge(
                "throughline_lag_events", "Events not yet handled by a step.", ["kind", "name"], registry=registry
            ),
            lag_seconds=Gauge(
                "throughline_lag_seconds", "Age of the oldest of them.", ["kind", "name"], registry=registry
            ),
            lag_measured=Gauge(
                "throughline_lag_measured_timestamp_seconds",
                "When the lag of a step was measured last.",
                ["kind", "name"],
                registry=registry,
            ),
            worker_ok=Gauge("throughline_worker_ok", "1 while a worker does its work.", ["worker"], registry=registry),
            worker_restarts=Counter(
                "throughline_worker_restarts", "How often a worker was started again.", ["worker"], registry=registry
            ),
            listeners=Gauge("throughline_stream_listeners", "Open event streams.", registry=registry),
            waits=waits,
            reads_waiting=Gauge(
                "throughline_reads_waiting",
                "Reads that wait for a place, by the read models that they ask.",
                ["reads"],
                registry=registry,
            ),
            reads_refused=Counter(
                "throughline_reads_refused",
                "Reads that were refused because work on these read models stands still.",
                ["reads"],
                registry=registry,
            ),
            dead_deliveries=Gauge(
                "throughline_dead_deliveries",
                "Deliveries that are not tried any more.",
                ["channel"],
                registry=registry,
            ),
        )

    def page(self) -> bytes:
        """What Prometheus reads."""
        return generate_latest(self.registry)
