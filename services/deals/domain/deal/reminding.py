"""Reminders of the next step: to the owner as work starts on its day, once more, and then to who leads them (DEAL-6).

When that is follows from the policy next-steps and the working hours of the deal's team, and stands in the fact that
the step was planned: what is set later counts for later steps. A step that is due on a free day is reminded of on the
next worked one, from which working days are counted. Of what is over when the step is planned nobody is reminded:
whoever plans for the day on which they are at work knows of it. History, and what is older than reminders, has none.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from services.deals.domain.deal.state import AnyDeal, Deal, OpenDeal, StepReminders, deal
from shared.domain.aggregate import Decision, Timer
from shared.domain.context import Context
from shared.domain.roles import ONLY_SERVICES
from shared.domain.working_time.reckoning import working_time_of
from shared.events.deals.deal import DealHandedOver, PlannedReminder
from shared.events.deals.deal_reminder import DealNextStepReminded
from shared.events.deals.policy import NextSteps
from shared.events.definition import value
from shared.events.working_hours import WorkingHours

OWNER, AGAIN, MANAGER = "owner", "again", "manager"


@value
class RemindOfNextStep:
    """Remind of the next step whoever is to be by now."""


@deal.decides(allow=ONLY_SERVICES)
def remind_of_next_step(state: OpenDeal, command: RemindOfNextStep, context: Context) -> Decision:
    """Remind of the next step whoever is to be by now: of all whose time has come at once."""
    levels = tuple(each.level for each in _waiting(state) if each.at <= context.now)
    step, reminders = state.next_step, state.reminders
    if not levels or reminders is None or step is None or step.on is None:
        return []
    return [
        DealNextStepReminded(deal_id=state.id, step_id=reminders.step_id, on=step.on, levels=levels, name=state.name)
    ]


@deal.evolves
def was_reminded(state: AnyDeal, event: DealNextStepReminded) -> AnyDeal:
    known = state.reminders
    if known is None or known.step_id != event.step_id:
        return state
    return replace(state, reminders=replace(known, told=tuple(dict.fromkeys((*known.told, *event.levels)))))


@deal.timer
def next_step_reminder(state: OpenDeal) -> Timer | None:
    """One for whichever reminder has its time first."""
    due = [each.at for each in _waiting(state)]
    return Timer(due=min(due), command=RemindOfNextStep()) if due else None


def planned_reminders(on: date, rule: NextSteps, hours: WorkingHours, context: Context) -> tuple[PlannedReminder, ...]:
    """When whom is reminded of a step of a day that is planned now."""
    if not rule.reminders:
        return ()
    working = working_time_of(context.company, hours)
    days = {OWNER: 0, AGAIN: rule.remind_again_after, MANAGER: rule.tell_manager_after}
    planned = [PlannedReminder(level=level, at=working.start_of(on, after)) for level, after in days.items()]
    return ahead(planned, context.now)


def ahead(planned: Sequence[PlannedReminder], now: datetime) -> tuple[PlannedReminder, ...]:
    """Those whose time is still to come."""
    return tuple(each for each in planned if each.at > now)


def after_hand_over(state: OpenDeal, event: DealHandedOver) -> StepReminders | None:
    """Who knows of a due step once a deal is another one's: of the same team whoever leads there, of another one
    nobody."""
    known = state.reminders
    if known is None or (event.owner, event.team) == (state.owner, state.team):
        return known
    told = tuple(level for level in known.told if level == MANAGER) if event.team == state.team else ()
    return replace(known, told=told)


def reminded_step(state: Deal) -> UUID | None:
    """The next step, where somebody was reminded of it."""
    return state.reminders.step_id if state.reminders and state.reminders.told else None


def _waiting(state: AnyDeal) -> list[PlannedReminder]:
    """Those that are still to be told."""
    known = state.reminders
    return [each for each in known.planned if each.level not in known.told] if known else []
