"""The rules of health: what each metric is, and its limits; bands and trends (FC-7). Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from shared.domain.money import half_up
from shared.domain.policy import Policy
from shared.domain.rejection import Reason
from shared.domain.roles import Reach, Role, permission
from shared.events.forecast.policy import HealthLimit, HealthLimits


class Band(StrEnum):
    """How a metric stands: within its healthy limit, between the limits, beyond the alert limit, or too few to say."""

    HEALTHY = "healthy"
    WATCH = "watch"
    ALERT = "alert"
    NO_DATA = "no-data"


Trend = Literal["improving", "worsening", "steady", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A metric: its unit, its limits, and whether more is better. What it is called, what it counts and what to improve
    stand in the catalogues."""

    metric: str
    unit: str
    """days or share."""
    healthy: Decimal
    alert: Decimal
    more_is_better: bool
    rolling: bool = True
    """Measured over the rolling window; else a state at the instant asked about, or over a calendar period."""


BOOKINGS = "bookings"
"""What attainment counts until the first invoice exists."""


def target_only(metric: str, target: str, *, rolling: bool = True) -> Definition:
    """A metric with a target and no alert limit of its own: alert below 80 % of the target."""
    return Definition(
        metric=metric,
        unit="share",
        healthy=Decimal(target),
        alert=Decimal(target) * Decimal("0.8"),
        more_is_better=True,
        rolling=rolling,
    )


CYCLE = Definition(
    metric="sales-cycle",
    unit="days",
    healthy=Decimal(90),
    alert=Decimal(120),
    more_is_better=False,
)
LEAD_CONVERSION = target_only("lead-conversion", "0.20")
WIN_RATE = target_only("win-rate", "0.40")
ATTAINMENT = target_only("revenue-attainment", "1.00", rolling=False)
NODE_COMPLETION = Definition(
    metric="node-completion",
    unit="share",
    healthy=Decimal("0.95"),
    alert=Decimal("0.90"),
    more_is_better=True,
)
STALLED = Definition(
    metric="stalled-share",
    unit="share",
    healthy=Decimal("0.10"),
    alert=Decimal("0.25"),
    more_is_better=False,
    rolling=False,
)
OVERDUE = Definition(
    metric="overdue-share",
    unit="share",
    healthy=Decimal("0.10"),
    alert=Decimal("0.25"),
    more_is_better=False,
    rolling=False,
)

DEFINITIONS = (CYCLE, LEAD_CONVERSION, WIN_RATE, ATTAINMENT, NODE_COMPLETION, STALLED, OVERDUE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A numerator, a denominator, and the sample size `n` behind them."""

    numerator: Decimal
    denominator: Decimal
    n: int

    @property
    def value(self) -> Decimal | None:
        """Numerator ÷ denominator; None when there is nothing to divide by."""
        return self.numerator / self.denominator if self.denominator else None


BY_NAME = {definition.metric: definition for definition in DEFINITIONS}

SETTING_LIMITS = permission(
    {Role.SALES_OPERATIONS: Reach.ALL, Role.SALES_DIRECTOR: Reach.ALL, Role.EXECUTIVE: Reach.ALL}
)


def _limit_faults(document: HealthLimits) -> Iterator[Reason]:
    named: set[str] = set()
    for index, limit in enumerate(document.limits):
        definition = BY_NAME[limit.metric]
        if limit.metric in named:
            message = f"The limits of {limit.metric} are named twice."
            yield Reason(code="doubled-metric", message=message, field=f"limits.{index}.metric")
        named.add(limit.metric)
        if (limit.healthy < limit.alert) if definition.more_is_better else (limit.healthy > limit.alert):
            word = "least" if definition.more_is_better else "most"
            message = f"What is healthy of {limit.metric} is at {word} what is an alert."
            yield Reason(code="out-of-order", message=message, field=f"limits.{index}.alert")


HEALTH_LIMITS = Policy(
    "health-limits",
    HealthLimits,
    default=HealthLimits(
        limits=tuple(
            HealthLimit(metric=each.metric, healthy=each.healthy, alert=each.alert)  # type: ignore[arg-type]
            for each in DEFINITIONS
        )
    ),
    allow=SETTING_LIMITS,
    scopes=("company",),
    faults=_limit_faults,
    example={
        "limits": [{"metric": "win-rate", "healthy": "0.35", "alert": "0.25"}],
        "window_days": 180,
        "smallest_sample": 10,
    },
)


def judged_by(document: HealthLimits) -> list[Definition]:
    """The metrics with the limits of a policy; one that it does not name keeps its own."""
    limits = {limit.metric: {"healthy": limit.healthy, "alert": limit.alert} for limit in document.limits}
    return [replace(each, **limits.get(each.metric, {})) for each in DEFINITIONS]  # type: ignore[call-overload]


def band(definition: Definition, measured: Measured, smallest_sample: int) -> Band:
    """The band of a measurement: no-data below the smallest sample, never a false alert."""
    value = measured.value
    if value is None or measured.n < smallest_sample:
        return Band.NO_DATA
    healthy, alert = definition.healthy, definition.alert
    if definition.more_is_better:
        return Band.HEALTHY if value >= healthy else Band.ALERT if value < alert else Band.WATCH
    return Band.HEALTHY if value <= healthy else Band.ALERT if value > alert else Band.WATCH


def trend(definition: Definition, before: Measured, now: Measured, smallest_sample: int) -> Trend:
    """improving, worsening or steady against the same measurement one window earlier; unknown with too few."""
    if min(before.n, now.n) < smallest_sample or before.value is None or now.value is None:
        return "unknown"
    if shown(definition, before.value) == shown(definition, now.value):
        return "steady"
    return "improving" if (now.value > before.value) == definition.more_is_better else "worsening"


def shown(definition: Definition, value: Decimal) -> Decimal:
    """A value as it is shown: days with two decimals, shares with four."""
    return half_up(value, Decimal("0.01") if definition.unit == "days" else Decimal("0.0001"))
