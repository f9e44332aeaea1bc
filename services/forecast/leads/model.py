"""The read model of leads: when each was captured, whose it was, and when it became a deal (FC-7, lead conversion)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from services.forecast.counting.cohorts import Cohort, Member, projection_of
from services.forecast.counting.lives import Lives, of_events
from shared.domain.context import Company
from shared.events.leads.lead import LeadAssigned, LeadCaptured, LeadConverted, LeadLeftUnassigned, LeadMarkedDuplicate


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadLife:
    """A lead as far as its conversion is concerned."""

    captured: datetime
    is_duplicate: bool = False
    converted: datetime | None = None


FACTS = (
    LeadCaptured,
    LeadAssigned,
    LeadLeftUnassigned,
    LeadConverted,
    LeadMarkedDuplicate,
)


def follow(state: LeadLife | None, event: Any, moment: datetime, _: Company) -> LeadLife | None:
    """The lead after one more fact."""
    if isinstance(event, LeadCaptured):
        return LeadLife(captured=moment)
    if state is None:
        return None
    match event:
        case LeadConverted(deal_id=UUID()):
            return replace(state, converted=moment)
        case LeadMarkedDuplicate():
            return replace(state, is_duplicate=True)
    return state


def _members(state: LeadLife) -> Iterator[Member]:
    if not state.is_duplicate:
        yield Member(entered=state.captured, reached=state.converted)


def _whose(event: Any) -> tuple[UUID | None, UUID | None] | None:
    match event:
        case LeadCaptured():
            return None, None
        case LeadAssigned(team_id=team, member_id=owner):
            return team, owner
        case LeadLeftUnassigned(team_id=team):
            return team, None
    return None


CONVERSION = Cohort(
    projection="leads",
    version=4,
    lives=Lives(aggregate="lead", events=FACTS, state=LeadLife, follow=of_events(follow), whose=_whose),
    members=_members,
)
"""Leads that were captured, and became deals."""

PROJECTION = projection_of(CONVERSION)
