"""Events of the policies of deals: rules with numbers that people set, from a day on."""

from datetime import date
from typing import Annotated
from uuid import UUID

from annotated_types import Ge, Le

from shared.events.definition import FreeText, event, value


@value
class NextSteps:
    """How long a planned next step keeps a deal from counting as silent."""

    days_ahead: Annotated[int, Ge(1), Le(365)]
    """So many days after it was planned, at most: a step that lies further ahead is no sign of life until then."""


@event("deals.policy-set", aggregate="policy")
class DealPolicySet:
    """A policy of deals counts from a day on: the field of its kind has the document, none takes it back."""

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
    next_steps: NextSteps | None = None
