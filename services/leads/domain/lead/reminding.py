"""Reminders of the follow-up: to the owner as work starts on its day, once more, and then to who leads them (DEAL-6).

By the policy follow-ups and the working hours of the lead's team; the rule is `shared.domain.working_time.reminders`.
"""

from dataclasses import replace
from uuid import UUID

from services.leads.domain.lead.state import AnyLead, Captured, OpenLead, lead
from services.leads.domain.reminders import OwnerToday
from shared.domain.aggregate import Decision, Timer
from shared.domain.context import Context
from shared.domain.roles import ONLY_SERVICES
from shared.domain.working_time.reminders import (
    due_levels,
    next_due,
    reminded_plan,
    with_told,
)
from shared.events.definition import value
from shared.events.leads.lead import LeadFollowUpReminded


@value
class RemindOfFollowUp:
    """Remind of the follow-up whoever is to be by now."""


@lead.decides(allow=ONLY_SERVICES)
def remind_of_follow_up(state: OpenLead, command: RemindOfFollowUp, context: Context, owner: OwnerToday) -> Decision:
    """Remind of the follow-up whoever is to be by now: of all whose time has come at once. While the owner is away,
    whoever leads them is told at once."""
    levels = due_levels(state.reminders, context.now, is_away=owner.is_away)
    if not levels or state.reminders is None or state.follow_up is None:
        return []
    return [
        LeadFollowUpReminded(
            lead_id=state.id,
            follow_up_id=state.reminders.plan_id,
            on=state.follow_up,
            levels=levels,
            name=called(state.captured),
        )
    ]


@lead.evolves
def was_reminded(state: OpenLead, event: LeadFollowUpReminded) -> OpenLead:
    return replace(state, reminders=with_told(state.reminders, event.follow_up_id, event.levels))


@lead.timer
def follow_up_reminder(state: OpenLead) -> Timer | None:
    """One for whichever reminder has its time first."""
    due = next_due(state.reminders)
    return Timer(due=due, command=RemindOfFollowUp()) if due else None


def reminded_follow_up(state: AnyLead) -> UUID | None:
    """The follow-up, where somebody was reminded of it."""
    return reminded_plan(state.reminders) if isinstance(state, OpenLead) else None


def called(captured: Captured) -> str:
    """What people call a lead without naming its person, who may have to be forgotten (DATA-4)."""
    return captured.company_name or captured.company_domain or captured.source
