"""The sales organisation: teams in a hierarchy, the members in them, and their leave (ORG-1).

Importing this folder registers every handler on the aggregates.
"""

from services.leads.domain.organisation import leave, member, team

__all__ = ["leave", "member", "team"]
