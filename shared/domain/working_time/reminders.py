"""Reminders of what somebody planned: to the owner as work starts on its day, once more, and then to who leads them
(DEAL-6).

When that is follows from a policy and the working hours of the owner's team, and stands in the fact that it was
planned: what is set later counts for later plans. What is due on a free day is reminded of on the next worked one, from
which working days are counted. Of what is over when it is planned nobody is reminded: whoever plans for the day on
which they are at work knows of it. What is older than reminders, and history whose day has passed, has none.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from shared.domain.context import Context
from shared.domain.working_time.reckoning import working_time_of
from shared.events.definition import value
from shared.events.reminders import AGAIN, MANAGER, OWNER, PlannedReminder
from shared.events.working_hours import WorkingHours

Holder = tuple[UUID | None, UUID | None]
"""Whose something is: owner and team."""


class ReminderRule(Protocol):
    """A policy that says who is reminded, and after how many working days."""

    @property
    def reminders(self) -> bool: ...

    @property
    def remind_again_after(self) -> int: ...

    @property
    def tell_manager_after(self) -> int: ...


@value
class Reminders:
    """Who is reminded of what was planned, and when, as long as it is open."""

    plan_id: UUID
    """By what they are known."""
    planned: tuple[PlannedReminder, ...]
    told: tuple[str, ...] = ()
    """The levels of whom those know with whom it is."""


def planned_reminders(
    on: date, rule: ReminderRule, hours: WorkingHours, context: Context
) -> tuple[PlannedReminder, ...]:
    """When whom is reminded of what is planned now for a day."""
    if not rule.reminders:
        return ()
    working = working_time_of(context.company, hours)
    days = {OWNER: 0, AGAIN: rule.remind_again_after, MANAGER: rule.tell_manager_after}
    planned = [PlannedReminder(level=level, at=working.start_of(on, after)) for level, after in days.items()]
    return ahead(planned, context.now)


def ahead(planned: Sequence[PlannedReminder], now: datetime) -> tuple[PlannedReminder, ...]:
    """Those whose time is still to come."""
    return tuple(each for each in planned if each.at > now)


def _waiting(known: Reminders | None) -> list[PlannedReminder]:
    """Those that are still to be told."""
    return [each for each in known.planned if each.level not in known.told] if known else []


def due_levels(known: Reminders | None, now: datetime, *, is_away: bool = False) -> tuple[str, ...]:
    """The levels whose time has come: all at once. While the owner is away, whoever leads them is told with the first:
    three days later nobody would have looked."""
    waiting = _waiting(known)
    if not any(each.at <= now for each in waiting):
        return ()
    return tuple(each.level for each in waiting if each.at <= now or (is_away and each.level == MANAGER))


def next_due(known: Reminders | None) -> datetime | None:
    """When the first of those that are still to be told has its time."""
    return min((each.at for each in _waiting(known)), default=None)


def with_told(known: Reminders | None, plan_id: UUID, levels: Sequence[str]) -> Reminders | None:
    """Once these levels were told of a plan; where that is another one, nothing changes."""
    if known is None or known.plan_id != plan_id:
        return known
    return replace(known, told=tuple(dict.fromkeys((*known.told, *levels))))


def after_hand_over(known: Reminders | None, *, before: Holder, now: Holder) -> Reminders | None:
    """Once what was planned is another one's: of the same team whoever leads there knows of it, of another one
    nobody."""
    if known is None or now == before:
        return known
    (_, team_before), (_, team) = before, now
    return replace(known, told=tuple(level for level in known.told if level == MANAGER) if team == team_before else ())


def reminded_plan(known: Reminders | None) -> UUID | None:
    """What was planned, where somebody was reminded of it."""
    return known.plan_id if known and known.told else None
