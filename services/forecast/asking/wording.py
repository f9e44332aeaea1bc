"""Display names: what answers call keys and events in words. The keys stand beside them, for programs.

Whoever shows an answer needs no list of types, states or fields of their own, and none has to change for a new one.
"""

from collections.abc import Mapping

EVENT_TEXTS: Mapping[str, str] = {
    "deals.deal-node-completed": "Task done",
    "deals.deal-next-step-planned": "Next step planned",
    "deals.deal-activity-logged": "Worked on",
    "deals.deal-facts-noted": "Facts noted",
    "deals.deal-amount-changed": "Amount changed",
    "deals.deal-close-date-changed": "Close date changed",
    "deals.deal-category-changed": "Category changed",
    "leads.lead-activity-logged": "Lead worked on",
    "leads.lead-follow-up-planned": "Follow-up planned",
    "leads.lead-qualification-noted": "Lead qualified further",
    "leads.lead-captured": "New lead",
}
"""What happened, as a salesperson would say it, where the type's own name says it less well."""


def event_text(type_name: str) -> str:
    """What an event of a type says happened: "deals.deal-won" is "Deal won"."""
    return EVENT_TEXTS.get(type_name) or title_of(type_name.rpartition(".")[2])


TITLES: Mapping[str, str] = {"fx": "Exchange rates"}
"""Keys that are no words."""


def title_of(key: str) -> str:
    """A key in words: "pulled-in" is "Pulled in"."""
    if key in TITLES:
        return TITLES[key]
    words = key.replace("-", " ").replace("_", " ")
    return words[:1].upper() + words[1:]
