"""Events of the policies of forecast: by which numbers figures are judged, from a day on."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from annotated_types import Ge, Le, MaxLen

from shared.events.definition import Exact, FreeText, event, value

MetricName = Literal[
    "sales-cycle",
    "lead-conversion",
    "win-rate",
    "revenue-attainment",
    "node-completion",
    "stalled-share",
    "overdue-share",
]


@value
class HealthLimit:
    """From where on a metric is healthy, and from where on it is an alert; between them it is to be watched."""

    metric: MetricName
    healthy: Annotated[Exact, Ge(0), Le(3650)]
    """In the metric's unit: days, or a share like 0.40."""
    alert: Annotated[Exact, Ge(0), Le(3650)]


@value
class HealthLimits:
    """By which limits the metrics of the sales process are judged, and over which window they are measured."""

    limits: Annotated[tuple[HealthLimit, ...], MaxLen(7)]
    """A metric that is not named has its default."""
    window_days: Annotated[int, Ge(7), Le(730)] = 90
    """The rolling window up to the instant asked about, and how much earlier that is which a trend compares with."""
    smallest_sample: Annotated[int, Ge(1), Le(1000)] = 5
    """Of fewer cases a metric says nothing."""


@value
class DangerRules:
    """When an open deal that is far from won endangers a period that ends soon."""

    ending_days: Annotated[int, Ge(0), Le(365)]
    """How many days before the end of the period at most."""
    far_from_won: Annotated[Exact, Ge(0), Le(1)]
    """The probability of its stage is at most this."""


@event("forecast.policy-set", aggregate="policy")
class ForecastPolicySet:
    """A policy of forecast counts from a day on: the field of its kind has the document, none takes it back."""

    policy_id: UUID
    kind: str
    number: int
    """The version, counted from 1 in its kind."""
    on: date
    """The company's day on which it was set."""
    valid_from: date
    team: UUID | None = None
    process: UUID | None = None
    reason: FreeText[str | None] = None
    health_limits: HealthLimits | None = None
    dangers: DangerRules | None = None
