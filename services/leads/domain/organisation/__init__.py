"""The sales organisation: teams in a hierarchy, and the members in them (ORG-1)."""
