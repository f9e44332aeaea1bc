"""Forgetting the person behind a lead, while the figures stay (DATA-4)."""

from dataclasses import replace
from typing import ClassVar

from services.leads.domain.lead.state import (
    Activity,
    ConvertedLead,
    DisqualifiedLead,
    DuplicateLead,
    ErasedLead,
    OpenLead,
    lead,
)
from shared.domain.aggregate import Decision
from shared.domain.roles import OPERATIONS
from shared.events.definition import value
from shared.events.leads.lead import LeadErased


@value
class EraseLeadPerson:
    """Forget who the lead's person is."""

    example: ClassVar[dict[str, object]] = {}


@lead.decides(allow=OPERATIONS)
def erase_person(
    state: OpenLead | DuplicateLead | ConvertedLead | DisqualifiedLead, command: EraseLeadPerson
) -> Decision:
    """Forget who the lead's person is; an open lead ends with it.

    The contact that a converted lead became is a person of the account and is erased there.
    """
    return [LeadErased(lead_id=state.id)]


@lead.already
def is_erased(state: DuplicateLead | ConvertedLead | DisqualifiedLead | ErasedLead, command: EraseLeadPerson) -> bool:
    return isinstance(state, ErasedLead) or state.erased


@lead.evolves
def has_nobody_left(state: OpenLead, event: LeadErased) -> ErasedLead:
    return ErasedLead(
        id=state.id,
        captured=state.captured.without_person(),
        captured_at=state.captured_at,
        owner=state.owner,
        team=state.team,
    )


@lead.evolves
def duplicate_was_erased(state: DuplicateLead, event: LeadErased) -> DuplicateLead:
    return replace(state, captured=state.captured.without_person(), erased=True)


@lead.evolves
def converted_was_erased(state: ConvertedLead, event: LeadErased) -> ConvertedLead:
    return replace(
        state, captured=state.captured.without_person(), activities=without_notes(state.activities), erased=True
    )


@lead.evolves
def disqualified_was_erased(state: DisqualifiedLead, event: LeadErased) -> DisqualifiedLead:
    return replace(
        state,
        captured=state.captured.without_person(),
        activities=without_notes(state.activities),
        note=None,
        erased=True,
    )


def without_notes(activities: tuple[Activity, ...]) -> tuple[Activity, ...]:
    """The activities without what was written about the person (DATA-4)."""
    return tuple(replace(activity, note=None) for activity in activities)
