"""Events of the policies of leads: rules with numbers that people set, from a day on."""

from datetime import date
from typing import Annotated
from uuid import UUID

from annotated_types import Ge, Le, MaxLen

from shared.events.criteria import Criterion
from shared.events.definition import FreeText, event, value
from shared.events.working_hours import WorkingHours


@value
class NurturingExit:
    """What has to be known of a lead before it is converted."""

    criteria: Annotated[tuple[Criterion, ...], MaxLen(30)]
    """About the facts need_stated, budget (in the company's currency), decision_chain_known, timeline and
    intent_to_cooperate."""


@value
class FollowUps:
    """Who is reminded of the follow-up of a lead once it is due."""

    reminders: bool = True
    """Whether people are reminded of a follow-up that is still planned: the owner as work starts on its day, or on the
    first worked day after it."""
    remind_again_after: Annotated[int, Ge(1), Le(90)] = 1
    """So many working days later the owner is reminded again."""
    tell_manager_after: Annotated[int, Ge(1), Le(90)] = 3
    """So many working days after the first reminder whoever leads the owner is told."""


@event("leads.policy-set", aggregate="policy")
class LeadPolicySet:
    """A policy of leads counts from a day on: the field of its kind has the document, none takes it back."""

    policy_id: UUID
    kind: str
    number: int
    """The version, counted from 1 in its kind."""
    on: date
    """The company's day on which it was set."""
    valid_from: date
    team: UUID | None = None
    """The team that it is for, with those below it; without team and process it is for the company."""
    process: UUID | None = None
    reason: FreeText[str | None] = None
    nurturing_exit: NurturingExit | None = None
    working_hours: WorkingHours | None = None
    follow_ups: FollowUps | None = None
