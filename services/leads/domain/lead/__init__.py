"""Leads: capture, nurturing, closing, erasure, and how their history comes in.

Importing this folder registers every handler on the aggregate.
"""

from services.leads.domain.lead import capture, closing, erasure, history, nurturing, reminding
from services.leads.domain.lead.state import lead

__all__ = ["capture", "closing", "erasure", "history", "lead", "nurturing", "reminding"]
