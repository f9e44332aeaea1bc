"""Events of a measure: what somebody does so that a figure of the sales process gets better (PROC-6)."""

from datetime import date, datetime
from uuid import UUID

from shared.events.definition import Exact, FreeText, event
from shared.events.forecast.policy import MetricName


@event("forecast.measure-taken", aggregate="measure")
class MeasureTaken:
    """Somebody is to do something, up to a day, so that a figure gets better."""

    measure_id: UUID
    responsible: UUID
    """The member who sees to it."""
    due: date
    due_at: datetime
    """When it is overdue: after that day."""
    figure: MetricName
    """Which figure it is to move."""
    on: date
    """The company's day on which it was taken."""
    wanted: Exact | None = None
    """What the figure is to come to, in its unit."""
    review_id: UUID | None = None
    """The review that it follows from."""
    what: FreeText[str | None] = None


@event("forecast.measure-changed", aggregate="measure")
class MeasureChanged:
    """It is another one's, due on another day, wants another value, or is described otherwise: all as it is now."""

    measure_id: UUID
    responsible: UUID
    due: date
    due_at: datetime
    was_overdue: bool
    """Whether it had been overdue, and is not any more: it has another day, or is another one's."""
    wanted: Exact | None = None
    what: FreeText[str | None] = None


@event("forecast.measure-overdue", aggregate="measure")
class MeasureOverdue:
    """It was not done up to its day."""

    measure_id: UUID
    responsible: UUID
    due: date


@event("forecast.measure-done", aggregate="measure")
class MeasureDone:
    """It is done; its effect shows in the reports of the months after."""

    measure_id: UUID
    on: date
    was_overdue: bool
    """Whether its responsible was told that it was overdue."""
    process_id: UUID | None = None
    """The process that was changed by it."""
    process_version: int | None = None
    """The version in which it was."""


@event("forecast.measure-dropped", aggregate="measure")
class MeasureDropped:
    """It is not to be done any more."""

    measure_id: UUID
    on: date
    was_overdue: bool
    reason: FreeText[str | None] = None
