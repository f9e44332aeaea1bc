"""Deals: how they begin, what is to be done in their stages, how they move, change and end (DEAL-1 … DEAL-12,
PROC-1, PROC-2).

Importing the package registers every capability on the aggregate.
"""

from services.deals.domain.deal import (
    answering,
    approval,
    automation,
    buyer,
    changes,
    closing,
    contacts,
    corrections,
    editing,
    erasure,
    exits,
    flexible,
    following,
    helping,
    history,
    migration,
    nodes,
    notes,
    opening,
    reminding,
    stages,
    waivers,
    work,
)
from services.deals.domain.deal.state import deal

__all__ = [
    "answering",
    "approval",
    "automation",
    "buyer",
    "changes",
    "closing",
    "contacts",
    "corrections",
    "deal",
    "editing",
    "erasure",
    "exits",
    "flexible",
    "following",
    "helping",
    "history",
    "migration",
    "nodes",
    "notes",
    "opening",
    "reminding",
    "stages",
    "waivers",
    "work",
]
