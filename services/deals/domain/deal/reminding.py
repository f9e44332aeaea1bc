"""Reminders of the next step: to the owner as work starts on its day, once more, and then to who leads them (DEAL-6).

By the policy next-steps and the working hours of the deal's team; the rule is `shared.domain.working_time.reminders`.
"""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from services.deals.domain.deal.state import AnyDeal, Deal, OpenDeal, deal
from shared.domain.aggregate import Decision, Timer
from shared.domain.context import Context
from shared.domain.policy import InForce
from shared.domain.roles import ONLY_SERVICES
from shared.domain.working_time.reminders import (
    due_levels,
    next_due,
    planned_reminders,
    reminded_plan,
    with_told,
)
from shared.events.deals.deal_reminder import DealNextStepReminded
from shared.events.deals.policy import NextSteps
from shared.events.definition import value
from shared.events.working_hours import WorkingHours


@value
class RemindOfNextStep:
    """Remind of the next step whoever is to be by now."""


@deal.decides(allow=ONLY_SERVICES)
def remind_of_next_step(state: OpenDeal, command: RemindOfNextStep, context: Context) -> Decision:
    """Remind of the next step whoever is to be by now: of all whose time has come at once."""
    levels = due_levels(state.reminders, context.now)
    step, reminders = state.next_step, state.reminders
    if not levels or reminders is None or step is None or step.on is None:
        return []
    return [
        DealNextStepReminded(deal_id=state.id, step_id=reminders.plan_id, on=step.on, levels=levels, name=state.name)
    ]


@deal.evolves
def was_reminded(state: AnyDeal, event: DealNextStepReminded) -> AnyDeal:
    steps = tuple(dict.fromkeys((*state.reminded_steps, event.step_id)))
    return replace(state, reminders=with_told(state.reminders, event.step_id, event.levels), reminded_steps=steps)


@deal.timer
def next_step_reminder(state: OpenDeal) -> Timer | None:
    """One for whichever reminder has its time first."""
    due = next_due(state.reminders)
    return Timer(due=due, command=RemindOfNextStep()) if due else None


def reminding(
    state: Deal, on: date | None, context: Context, rule: NextSteps, hours: InForce[WorkingHours]
) -> dict[str, Any]:
    """`step_id` and `reminders` of a step that is planned for a day; nothing without one, or once it has passed."""
    if on is None or on < context.today:
        return {}
    reminders = planned_reminders(on, rule, hours.of(team=state.team).document, context)
    return {"step_id": context.derived_id(f"next step {state.id}"), "reminders": reminders} if reminders else {}


def reminded_step(state: Deal) -> UUID | None:
    """The next step, where somebody was reminded of it."""
    return reminded_plan(state.reminders)
