"""A measure: somebody does something up to a day so that a figure gets better, and its effect is seen (PROC-6)."""

from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from annotated_types import Ge, Le

from services.forecast.domain.review import HOLDING
from shared.domain.aggregate import Aggregate, Decision, Timer, carried
from shared.domain.context import Actor, Context
from shared.domain.fields import Day, Text
from shared.domain.references import AnyMemberId, ReviewId
from shared.domain.rejection import Reason, Rejected, refuse_all
from shared.domain.roles import EVERYBODY, ONLY_SERVICES, Reach, Role, permission
from shared.events.definition import Exact, value
from shared.events.forecast.measure import (
    MeasureChanged,
    MeasureDone,
    MeasureDropped,
    MeasureOverdue,
    MeasureTaken,
)
from shared.events.forecast.policy import MetricName
from shared.events.references import Free

ChangedProcessId = Annotated[UUID, Free("processes are those of another service, which forecast knows by version only")]
TAKING = permission({**HOLDING, Role.MANAGER: Reach.ALL})
"""Whoever holds reviews, and managers: what they take is told to everybody."""
Wanted = Annotated[Exact, Ge(0), Le(3650)]


@value
class NoMeasure:
    """Nothing was taken under this id."""


@value
class Measure:
    """What every measure carries, whatever its state."""

    id: UUID
    responsible: UUID
    due: date
    due_at: datetime
    figure: MetricName
    taken_on: date
    is_overdue: bool = False
    wanted: Exact | None = None
    review_id: UUID | None = None
    what: str | None = None


@value
class OpenMeasure(Measure):
    """It is to be done."""


@value
class DoneMeasure(Measure):
    """It was done."""

    done_on: date
    process_id: UUID | None = None
    process_version: int | None = None


@value
class DroppedMeasure(Measure):
    """It is not to be done any more."""

    reason: str | None = None


measure = Aggregate("measure", plural="measures", start=NoMeasure, readers=EVERYBODY)


@value
class TakeMeasure:
    """Have somebody do something up to a day, so that a figure gets better."""

    what: Text
    responsible: AnyMemberId
    due: Day
    figure: MetricName
    """Which figure of the reports it is to move."""
    wanted: Wanted | None = None
    """What the figure is to come to, in its unit: days, or a share like 0.40."""
    review_id: ReviewId | None = None
    """The review that it follows from."""

    example: ClassVar[dict[str, Any]] = {
        "what": "A price list for quotations up to 50 000 EUR.",
        "responsible": "01890a5d-ac96-774b-bcce-b302099a8057",
        "due": "2026-05-29",
        "figure": "win-rate",
        "wanted": "0.40",
    }


@value
class ChangeMeasure:
    """Say anew what is to be done, by whom, up to when, and what it is to come to."""

    what: Text
    responsible: AnyMemberId
    due: Day
    wanted: Wanted | None = None

    example: ClassVar[dict[str, Any]] = {
        "what": "A price list for quotations up to 20 000 EUR.",
        "responsible": "01890a5d-ac96-774b-bcce-b302099a8057",
        "due": "2026-06-12",
        "wanted": "0.40",
    }


@value
class CompleteMeasure:
    """Say that it is done, and in which version of a process where one was changed by it."""

    process_id: ChangedProcessId | None = None
    process_version: Annotated[int, Ge(1), Le(2**31 - 1)] | None = None

    example: ClassVar[dict[str, Any]] = {"process_id": "01890a5d-ac96-774b-bcce-b302099a8059", "process_version": 4}


@value
class DropMeasure:
    """Have it not done any more."""

    reason: Text

    example: ClassVar[dict[str, Any]] = {"reason": "The new catalogue makes it needless."}


@value
class MarkMeasureOverdue:
    """Note that its day has passed."""


def of_responsible(state: Measure, actor: Actor) -> None:
    """Refuse whoever neither sees to it nor may take measures."""
    if actor.member != state.responsible and not TAKING.keys() & actor.roles:
        raise Rejected("not-responsible", "Whoever is responsible says that it is done.")


@measure.decides(allow=TAKING)
def take(state: NoMeasure, command: TakeMeasure, context: Context) -> Decision:
    """Have somebody do something up to a day, so that a figure gets better."""
    _refuse_past(command.due, context)
    return [
        MeasureTaken(
            measure_id=context.aggregate_id,
            responsible=command.responsible,
            due=command.due,
            due_at=context.company.start_after(command.due),
            figure=command.figure,
            on=context.today,
            wanted=command.wanted,
            review_id=command.review_id,
            what=command.what,
        )
    ]


@measure.decides(allow=TAKING)
def change(state: OpenMeasure, command: ChangeMeasure, context: Context) -> Decision:
    """Say anew what is to be done, by whom, up to when, and what it is to come to."""
    if command.due != state.due:
        _refuse_past(command.due, context)
    is_moved = (command.due, command.responsible) != (state.due, state.responsible)
    return [
        MeasureChanged(
            measure_id=state.id,
            responsible=command.responsible,
            due=command.due,
            due_at=context.company.start_after(command.due),
            was_overdue=state.is_overdue and is_moved,
            wanted=command.wanted,
            what=command.what,
        )
    ]


@measure.decides(allow=EVERYBODY, guard=of_responsible)
def complete(state: OpenMeasure, command: CompleteMeasure, context: Context) -> Decision:
    """Say that it is done: whoever is responsible, or whoever takes measures."""
    if (command.process_id is None) != (command.process_version is None):
        message = "A version is one of a process: give both, or none."
        refuse_all(
            "invalid-version", message, [Reason(code="half-a-version", message=message, field="process_version")]
        )
    return [
        MeasureDone(
            measure_id=state.id,
            on=context.today,
            was_overdue=state.is_overdue,
            process_id=command.process_id,
            process_version=command.process_version,
        )
    ]


@measure.decides(allow=TAKING)
def drop(state: OpenMeasure, command: DropMeasure, context: Context) -> Decision:
    """Have it not done any more, for a reason."""
    return [MeasureDropped(measure_id=state.id, on=context.today, was_overdue=state.is_overdue, reason=command.reason)]


@measure.decides(allow=ONLY_SERVICES)
def mark_overdue(state: OpenMeasure | DoneMeasure | DroppedMeasure, command: MarkMeasureOverdue) -> Decision:
    """Note that its day has passed; of what is not open any more nothing happens."""
    if not isinstance(state, OpenMeasure) or state.is_overdue:
        return []
    return [MeasureOverdue(measure_id=state.id, responsible=state.responsible, due=state.due)]


@measure.already
def is_changed_so(state: OpenMeasure, command: ChangeMeasure) -> bool:
    said = (command.what, command.responsible, command.due, command.wanted)
    return said == (state.what, state.responsible, state.due, state.wanted)


@measure.already
def is_done_so(state: DoneMeasure, command: CompleteMeasure) -> bool:
    return (command.process_id, command.process_version) == (state.process_id, state.process_version)


@measure.already
def is_dropped_so(state: DroppedMeasure, command: DropMeasure) -> bool:
    return command.reason == state.reason


@measure.evolves
def taken(state: NoMeasure, event: MeasureTaken) -> OpenMeasure:
    return OpenMeasure(
        id=event.measure_id,
        responsible=event.responsible,
        due=event.due,
        due_at=event.due_at,
        figure=event.figure,
        taken_on=event.on,
        wanted=event.wanted,
        review_id=event.review_id,
        what=event.what,
    )


@measure.evolves
def changed(state: OpenMeasure, event: MeasureChanged) -> OpenMeasure:
    return replace(
        state,
        responsible=event.responsible,
        due=event.due,
        due_at=event.due_at,
        wanted=event.wanted,
        what=event.what,
        is_overdue=state.is_overdue and not event.was_overdue,
    )


@measure.evolves
def became_overdue(state: OpenMeasure, event: MeasureOverdue) -> OpenMeasure:
    return replace(state, is_overdue=True)


@measure.evolves
def done(state: OpenMeasure, event: MeasureDone) -> DoneMeasure:
    return DoneMeasure(
        **carried(state, Measure),
        done_on=event.on,
        process_id=event.process_id,
        process_version=event.process_version,
    )


@measure.evolves
def dropped(state: OpenMeasure, event: MeasureDropped) -> DroppedMeasure:
    return DroppedMeasure(**carried(state, Measure), reason=event.reason)


@measure.timer
def overdue(state: OpenMeasure) -> Timer | None:
    """One that was not done is overdue after its day, once for each day and whoever is responsible."""
    return None if state.is_overdue else Timer(due=state.due_at, command=MarkMeasureOverdue())


def _refuse_past(due: date, context: Context) -> None:
    if due < context.today:
        raise Rejected("in-the-past", "A measure is due today or later.", field="due")
