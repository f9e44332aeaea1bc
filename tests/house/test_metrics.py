"""The law of metrics: docs/how-to/operate.md names all that the code keeps, each with its type and labels."""

import re
from dataclasses import fields
from pathlib import Path

from prometheus_client import Histogram
from prometheus_client.metrics import MetricWrapperBase

from shared.ops.metrics import Metrics

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "operate.md"
ROW = re.compile(r"^\| `((?:throughline|http_server)_\w+)` \| (\w+) \|([^|]*)\|", re.MULTILINE)
IDENTITY = ("throughline_service", "gauge", ("service",))
"""Set once by `Metrics.of`, and held by nobody."""


def kept() -> set[tuple[str, str, tuple[str, ...]]]:
    """Name as Prometheus shows it, type and labels of every figure in `Metrics`."""
    metrics = Metrics.of("deals")
    held = [getattr(metrics, field.name) for field in fields(Metrics)]
    return {IDENTITY, *(shape(metric) for metric in held if isinstance(metric, MetricWrapperBase))}


def shape(metric: MetricWrapperBase) -> tuple[str, str, tuple[str, ...]]:
    [described] = metric.describe()
    name = f"{described.name}_total" if described.type == "counter" else described.name
    assert isinstance(metric, Histogram) == (described.type == "histogram")
    return name, described.type, tuple(metric._labelnames)


def test_the_page_and_the_code_name_the_same_metrics() -> None:
    """OPS-2"""
    rows = ROW.findall(PAGE.read_text())
    written = {(name, kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}
    assert written == kept()
    assert len(rows) == len(written)


def test_every_metric_of_the_product_is_in_the_registry_of_the_law() -> None:
    """None is made beside `Metrics`: every family of the page is one that the law has compared."""
    page = Metrics.of("deals").page().decode()
    families = set(re.findall(r"^# TYPE ((?:throughline|http_server)\w+?)(?:_created)? ", page, re.MULTILINE))
    assert families == {name for name, _, _ in kept()}
