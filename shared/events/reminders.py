"""Reminders as data: when whom is reminded of what somebody planned, as long as it is open."""

from datetime import datetime

from shared.events.definition import value

OWNER, AGAIN, MANAGER = "owner", "again", "manager"
"""The levels of reminders: whose it is, the same once more, and whoever leads them."""


@value
class PlannedReminder:
    """When somebody is reminded of what was planned, as long as it is open."""

    level: str
    """owner, again (the owner once more) or manager (whoever leads the owner)."""
    at: datetime
    """UTC; as the work of a day starts, by the working hours of the owner's team."""
