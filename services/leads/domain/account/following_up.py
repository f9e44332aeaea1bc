"""The follow-up of an account: planned for a day or explicitly none (ACCT-1), and reminded of until another one is
planned (DEAL-6).

What is to be done is a word, and no text: nothing that people write about an account could be erased with its contacts.
"""

from dataclasses import replace
from typing import ClassVar

from services.leads.domain.account.state import ActiveAccount, account
from services.leads.domain.fields import ActivityKind
from services.leads.domain.reminders import OwnerToday, reminders_of, reminding
from shared.domain.aggregate import Decision, Timer
from shared.domain.context import Context
from shared.domain.fields import Day
from shared.domain.policy import InForce
from shared.domain.rejection import Reason, refuse_all
from shared.domain.roles import ONLY_SERVICES, SELLING
from shared.domain.working_time.reminders import due_levels, next_due, reminded_plan, with_told
from shared.events.definition import value
from shared.events.leads.account import AccountFollowUpPlanned, AccountFollowUpReminded
from shared.events.leads.policy import FollowUps
from shared.events.working_hours import WorkingHours


@value
class PlanAccountFollowUp:
    """Say when the account is to be followed up next."""

    on: Day | None
    """Today or later; null says explicitly that nothing is planned."""
    kind: ActivityKind | None = None
    """What is to be done on that day."""

    example: ClassVar[dict[str, object]] = {"on": "2027-01-11", "kind": "call"}


@value
class RemindOfAccountFollowUp:
    """Remind of the follow-up whoever is to be by now."""


@account.decides(allow=SELLING)
def plan_follow_up(
    state: ActiveAccount,
    command: PlanAccountFollowUp,
    context: Context,
    *,
    follow_ups: InForce[FollowUps],
    hours: InForce[WorkingHours],
) -> Decision:
    """Say when the account is to be followed up next, or explicitly that it is not.

    People are reminded of a follow-up that is due, as the policy follow-ups says.
    """
    reasons = kind_faults(command.on is not None, command.kind)
    if command.on is not None and command.on < context.today:
        message = "A follow-up is planned for today or later."
        reasons.append(Reason(code="in-the-past", message=message, field="on"))
    refuse_all("invalid-follow-up", "The follow-up cannot be planned like this.", reasons)
    return [
        AccountFollowUpPlanned(
            account_id=state.id,
            on=command.on,
            kind=command.kind,
            **reminding(state.id, command.on, context, team=state.team, follow_ups=follow_ups, hours=hours),
            reminded_follow_up=reminded_plan(state.reminders),
        )
    ]


@account.decides(allow=ONLY_SERVICES)
def remind_of_follow_up(
    state: ActiveAccount, command: RemindOfAccountFollowUp, context: Context, owner: OwnerToday
) -> Decision:
    """Remind of the follow-up whoever is to be by now: of all whose time has come at once. While the owner is away,
    whoever leads them is told at once."""
    levels = due_levels(state.reminders, context.now, is_away=owner.is_away)
    if not levels or state.reminders is None or state.follow_up is None:
        return []
    return [
        AccountFollowUpReminded(
            account_id=state.id,
            follow_up_id=state.reminders.plan_id,
            on=state.follow_up,
            levels=levels,
            name=state.profile.name,
        )
    ]


@account.already
def is_follow_up_planned(state: ActiveAccount, command: PlanAccountFollowUp) -> bool:
    return state.follow_up_planned and (state.follow_up, state.follow_up_kind) == (command.on, command.kind)


@account.evolves
def is_to_be_followed_up(state: ActiveAccount, event: AccountFollowUpPlanned) -> ActiveAccount:
    return replace(
        state,
        follow_up=event.on,
        follow_up_kind=event.kind,
        follow_up_planned=True,
        reminders=reminders_of(event),
    )


@account.evolves
def was_reminded(state: ActiveAccount, event: AccountFollowUpReminded) -> ActiveAccount:
    return replace(
        state,
        reminders=with_told(state.reminders, event.follow_up_id, event.levels),
        reminded_follow_ups=tuple(dict.fromkeys((*state.reminded_follow_ups, event.follow_up_id))),
    )


@account.timer
def follow_up_reminder(state: ActiveAccount) -> Timer | None:
    """One for whichever reminder has its time first."""
    due = next_due(state.reminders)
    return Timer(due=due, command=RemindOfAccountFollowUp()) if due else None


def kind_faults(is_planned: bool, kind: ActivityKind | None) -> list[Reason]:
    """The reason against saying what is to be done where nothing is."""
    if is_planned or kind is None:
        return []
    return [Reason(code="nothing-planned", message="What is to be done is said with its day.", field="kind")]
