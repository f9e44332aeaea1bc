"""Forgetting the person behind a lead, while the figures stay (DATA-4)."""

from dataclasses import replace
from typing import ClassVar

from services.leads.domain.forgetting import KeepTexts, Traces, erasures, forgotten
from services.leads.domain.lead.state import (
    Activity,
    AnyLead,
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
    """Forget who the lead's person is, in everything that they are here."""

    keep_texts: KeepTexts = ()
    """Deals that they had to do with whose texts stay, because these name nobody. A dry run lists the deals."""

    example: ClassVar[dict[str, object]] = {}


@lead.decides(allow=OPERATIONS)
def erase_person(state: AnyLead, command: EraseLeadPerson, traces: Traces) -> Decision:
    """Forget who the lead's person is, in all that they are here, and what deals tell of them; all or nothing.

    Open leads end with it. Erased are also the contact that the lead became, its duplicates and original, and whoever
    else has the same e-mail address and no other name. Texts of the deals of these leads and accounts are deleted, but
    of those in `keep_texts`; their names are redacted. Asked again, it erases what was found since.
    """
    return erasures(traces, state.id, command.keep_texts)


@lead.evolves
def has_nobody_left(state: OpenLead, event: LeadErased) -> ErasedLead:
    return ErasedLead(
        id=state.id,
        captured=state.captured.without_person(),
        captured_at=state.captured_at,
        owner=state.owner,
        team=state.team,
        forgotten_deals=forgotten((), event),
    )


@lead.evolves
def has_more_to_forget(state: ErasedLead, event: LeadErased) -> ErasedLead:
    return replace(state, forgotten_deals=forgotten(state.forgotten_deals, event))


@lead.evolves
def duplicate_was_erased(state: DuplicateLead, event: LeadErased) -> DuplicateLead:
    return replace(
        state,
        captured=state.captured.without_person(),
        erased=True,
        forgotten_deals=forgotten(state.forgotten_deals, event),
    )


@lead.evolves
def converted_was_erased(state: ConvertedLead, event: LeadErased) -> ConvertedLead:
    return replace(
        state,
        captured=state.captured.without_person(),
        activities=without_notes(state.activities),
        deal_name=event.deal_name or state.deal_name,
        erased=True,
        forgotten_deals=forgotten(state.forgotten_deals, event),
    )


@lead.evolves
def disqualified_was_erased(state: DisqualifiedLead, event: LeadErased) -> DisqualifiedLead:
    return replace(
        state,
        captured=state.captured.without_person(),
        activities=without_notes(state.activities),
        note=None,
        erased=True,
        forgotten_deals=forgotten(state.forgotten_deals, event),
    )


def without_notes(activities: tuple[Activity, ...]) -> tuple[Activity, ...]:
    """The activities without what was written about the person (DATA-4)."""
    return tuple(replace(activity, note=None) for activity in activities)
