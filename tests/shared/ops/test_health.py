"""Health: what was reported last, and probes that may hang."""

import asyncio

import pytest

from shared.ops import health as health_module
from shared.ops.health import Health, NotReady
from shared.ops.metrics import Metrics


@pytest.fixture
def health() -> Health:
    return Health(Metrics.of("tests"))


def test_the_last_report_of_each_counts(health: Health) -> None:
    health.report("relay", False, "broker away")
    health.report("journal", True)
    assert [(report.name, report.ok) for report in health.workers] == [("journal", True), ("relay", False)]
    health.report("relay", True)
    assert all(report.ok for report in health.workers)


def test_lags_are_figures_too(health: Health) -> None:
    health.lag("relay", "deals", events=7, seconds=1.5)
    assert [(lag.kind, lag.name, lag.events, lag.seconds) for lag in health.lags] == [("relay", "deals", 7, 1.5)]
    page = health.metrics.page().decode()
    assert 'throughline_lag_events{kind="relay",name="deals"} 7.0' in page
    assert 'throughline_lag_seconds{kind="relay",name="deals"} 1.5' in page


def test_a_counter_is_there_before_its_first_case(health: Health) -> None:
    """An alert on an increase misses the first one of a series that comes with it."""
    page = health.metrics.page().decode()
    for outcome in ("there", "behind"):
        assert f'throughline_read_wait_seconds_count{{outcome="{outcome}"}} 0.0' in page


def test_a_lag_that_cannot_be_measured_is_absent_and_tells_since_when(health: Health) -> None:
    health.lag("relay", "deals", events=7, seconds=1.5)
    health.unmeasured("relay", "deals")
    health.unmeasured("relay", "never measured")
    assert not health.lags
    page = health.metrics.page().decode()
    assert "throughline_lag_seconds{" not in page
    assert "throughline_lag_events{" not in page
    assert 'throughline_lag_measured_timestamp_seconds{kind="relay",name="deals"}' in page
    health.withdraw("deals", ("projection", "deals"))
    assert "throughline_lag_measured_timestamp_seconds{" in health.metrics.page().decode(), (
        "the relay's, not the view's"
    )
    health.withdraw("relay", ("relay", "deals"))
    assert '"deals"' not in health.metrics.page().decode()


def test_what_is_withdrawn_is_gone_and_not_zero(health: Health) -> None:
    for name in ("pipeline", "funnel"):
        health.report(name, True)
        health.lag("projection", name, events=7, seconds=1.5)
    health.withdraw("pipeline", ("projection", "pipeline"), ("projection", "of which nothing was said"))
    assert [report.name for report in health.workers] == ["funnel"]
    assert [lag.name for lag in health.lags] == ["funnel"]
    page = health.metrics.page().decode()
    assert "pipeline" not in page
    assert page.count('"funnel"') == 4


async def test_readiness_names_what_is_missing(health: Health, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_module, "PROBE_SECONDS", 0.05)

    async def good() -> None:
        return

    async def broken() -> None:
        raise OSError("postgresql://user:password@host")

    async def hanging() -> None:
        await asyncio.Event().wait()

    async def explained() -> None:
        raise NotReady("the journal is being read again")

    probes = {"good": good, "broken": broken, "hanging": hanging, "explained": explained}
    for name, probe in probes.items():
        health.ready(name, probe)
    found = {report.name: report for report in await health.readiness()}
    assert [name for name, report in found.items() if report.ok] == ["good"]
    assert found["broken"].detail == "OSError"
    assert "no answer" in found["hanging"].detail
    assert found["explained"].detail == "the journal is being read again"
