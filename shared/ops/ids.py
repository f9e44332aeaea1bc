"""New identifiers (UUIDv7)."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A new id that sorts by the time of its making (UUIDv7)."""
    return uuid7()
