"""A process of a service on a migrated database, as the tests of the store have it."""

from tests.shared.store.conftest import database, other, process

__all__ = ["database", "other", "process"]
