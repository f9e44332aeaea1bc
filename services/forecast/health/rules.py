"""The rules of health: what each metric is, its limits and its hint; bands and trends (FC-7). Pure."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from shared.domain.money import half_up

WINDOW = timedelta(days=90)
"""The rolling window, and how much earlier the measurement is that a trend compares with."""


class Band(StrEnum):
    """How a metric stands: within its healthy limit, between the limits, beyond the alert limit, or too few to say."""

    HEALTHY = "healthy"
    WATCH = "watch"
    ALERT = "alert"
    NO_DATA = "no-data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A metric: its unit, its limits, whether more is better, and what to improve."""

    metric: str
    name: str
    description: str
    """What it counts, so that nobody takes it for its neighbour."""
    unit: str
    """days or share."""
    healthy: Decimal
    alert: Decimal
    more_is_better: bool
    hint: str
    window_days: int | None = 90
    """The rolling window; None for a state at the instant asked about, or a calendar period."""

    def described(self, basis: str | None) -> str:
        """What it counts on this basis; None for a metric that has only one."""
        return BOOKED if basis == BOOKINGS else self.description


BOOKINGS = "bookings"
"""What attainment counts until the first invoice exists."""
BOOKED = "booked in the running quarter, against its target so far"
TREND_TITLES = {"improving": "better", "worsening": "worse", "steady": "steady", "unknown": ""}


def target_only(
    metric: str, name: str, description: str, target: str, hint: str, *, window_days: int | None = 90
) -> Definition:
    """A metric with a target and no alert limit of its own: alert below 80 % of the target."""
    return Definition(
        metric=metric,
        name=name,
        description=description,
        unit="share",
        healthy=Decimal(target),
        alert=Decimal(target) * Decimal("0.8"),
        more_is_better=True,
        hint=hint,
        window_days=window_days,
    )


CYCLE = Definition(
    metric="sales-cycle",
    name="Average sales cycle",
    description="from first interest to win, deals won in 90 days",
    unit="days",
    healthy=Decimal(90),
    alert=Decimal(120),
    more_is_better=False,
    hint="Shorten the solution stage and the wait for the customer's decision.",
)
LEAD_CONVERSION = target_only(
    "lead-conversion",
    "Lead conversion",
    "leads of 90 days that became deals",
    "0.20",
    "Answer leads sooner and qualify need, budget and decision chain first.",
)
WIN_RATE = target_only(
    "win-rate",
    "Win rate",
    "won, of all deals opened in 90 days",
    "0.40",
    "Qualify harder before quoting, and win the key supporter early.",
)
ATTAINMENT = target_only(
    "revenue-attainment",
    "Revenue attainment",
    "invoiced in the running quarter, against its target so far",
    "1.00",
    "Look at the deals that endanger the quarter, then at the pipeline's coverage of the gap.",
    window_days=None,
)
NODE_COMPLETION = Definition(
    metric="node-completion",
    name="Node completion",
    description="required tasks due in 90 days, done",
    unit="share",
    healthy=Decimal("0.95"),
    alert=Decimal("0.90"),
    more_is_better=True,
    hint="Make responsibility clear, and recording easier.",
)
STALLED = Definition(
    metric="stalled-share",
    name="Stalled deals",
    description="open deals silent for longer than allowed, and without a next step",
    unit="share",
    healthy=Decimal("0.10"),
    alert=Decimal("0.25"),
    more_is_better=False,
    hint="Agree a next step with a date on every silent deal, or give it up.",
    window_days=None,
)
OVERDUE = Definition(
    metric="overdue-share",
    name="Overdue receivables",
    description="of what customers owe, past its due date",
    unit="share",
    healthy=Decimal("0.10"),
    alert=Decimal("0.25"),
    more_is_better=False,
    hint="Call the largest overdue accounts, and send reminders before the due date.",
    window_days=None,
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


def band(definition: Definition, measured: Measured, smallest_sample: int) -> Band:
    """The band of a measurement: no-data below the smallest sample, never a false alert."""
    value = measured.value
    if value is None or measured.n < smallest_sample:
        return Band.NO_DATA
    healthy, alert = definition.healthy, definition.alert
    if definition.more_is_better:
        return Band.HEALTHY if value >= healthy else Band.ALERT if value < alert else Band.WATCH
    return Band.HEALTHY if value <= healthy else Band.ALERT if value > alert else Band.WATCH


def trend(definition: Definition, before: Measured, now: Measured, smallest_sample: int) -> str:
    """improving, worsening or steady against the same measurement one window earlier; unknown with too few."""
    if min(before.n, now.n) < smallest_sample or before.value is None or now.value is None:
        return "unknown"
    if shown(definition, before.value) == shown(definition, now.value):
        return "steady"
    return "improving" if (now.value > before.value) == definition.more_is_better else "worsening"


def shown(definition: Definition, value: Decimal) -> Decimal:
    """A value as it is shown: days with two decimals, shares with four."""
    return half_up(value, Decimal("0.01") if definition.unit == "days" else Decimal("0.0001"))
