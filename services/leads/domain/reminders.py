"""Reminders of follow-ups: what is alike of those of leads and of accounts (DEAL-6).

By the policy follow-ups and the working hours of whose the thing is; the rule is
`shared.domain.working_time.reminders`.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from shared.domain.context import Context
from shared.domain.policy import InForce
from shared.domain.working_time.reminders import Reminders, planned_reminders
from shared.events.leads.policy import FollowUps
from shared.events.working_hours import WorkingHours


@dataclass(frozen=True, slots=True, kw_only=True)
class RemindedToday:
    """The follow-up of a lead or an account that somebody was reminded of until today, whatever time history tells
    of."""

    follow_up: UUID | None = None
    is_corrected: bool = False
    """Whether it was planned by what history tells otherwise now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerToday:
    """Whoever has a lead or an account, on the day on which they are to be reminded."""

    is_away: bool = False


def reminding(
    thing_id: UUID,
    on: date | None,
    context: Context,
    *,
    team: UUID | None,
    follow_ups: InForce[FollowUps],
    hours: InForce[WorkingHours],
) -> dict[str, Any]:
    """`follow_up_id`, `reminders` and `reminders_version` of what is planned for a day; nothing without one, or once it
    has passed."""
    if on is None or on < context.today:
        return {}
    rule = follow_ups.of(team=team)
    reminders = planned_reminders(on, rule.document, hours.of(team=team).document, context)
    return {
        "follow_up_id": context.derived_id(f"follow-up {thing_id}") if reminders else None,
        "reminders": reminders,
        "reminders_version": rule.version,
    }


def reminders_of(planned: Any) -> Reminders | None:
    """Who is to be reminded, by the event that says what is planned; None where nobody is."""
    return Reminders(plan_id=planned.follow_up_id, planned=planned.reminders) if planned.follow_up_id else None


def reminded_until(today: RemindedToday, then: Reminders | None) -> UUID | None:
    """The follow-up that stood then, or that is told otherwise now, where somebody was reminded of it until today; a
    later one stays."""
    stood = then is not None and then.plan_id == today.follow_up
    return today.follow_up if stood or today.is_corrected else None
