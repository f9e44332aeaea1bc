"""Events of the policies of leads: rules with numbers that people set, from a day on."""

from datetime import date
from typing import Annotated, Literal
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


LeadFact = Literal[
    "person_name",
    "email",
    "phone",
    "email_or_phone",
    "title",
    "interest",
    "source",
    "campaign",
    "company",
    "industry",
    "company_size",
    "country",
    "consent",
    "owner",
    "follow_up",
]
"""What may be required of a lead: what was captured, either of two ways to reach the person, the company by its name or
domain, a consent that was given, and that somebody has it and plans to come back to it."""
AccountFact = Literal[
    "domain",
    "industry",
    "size",
    "country",
    "parent",
    "owner",
    "follow_up",
    "contact",
    "contact_email",
    "contact_phone",
    "contact_buying_role",
]
"""What may be required of an account: its profile, that somebody keeps it and plans to come back to it, and a contact,
maybe one with an e-mail address, a phone number or a role in buying."""


@value
class RequiredFacts:
    """What has to be known of a lead, and of an account, for them to be complete."""

    of_leads: Annotated[tuple[LeadFact, ...], MaxLen(30)]
    """Each once; beside them a lead has to have what the policy nurturing-exit judges by."""
    of_accounts: Annotated[tuple[AccountFact, ...], MaxLen(30)]
    """Each once."""


@value
class FollowUps:
    """Who is reminded of the follow-up of a lead or an account once it is due."""

    reminders: bool = True
    """Whether people are reminded of a follow-up that is still planned: the owner as work starts on its day, or on the
    first worked day after it."""
    remind_again_after: Annotated[int, Ge(1), Le(90)] = 1
    """So many working days later the owner is reminded again."""
    tell_manager_after: Annotated[int, Ge(1), Le(90)] = 3
    """So many working days after the first reminder whoever leads the owner is told; while the owner is on leave, with
    the first one."""


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
    required_facts: RequiredFacts | None = None
