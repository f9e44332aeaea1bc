"""A process of a service on a migrated database, as the tests of the store have it, and who signs tokens."""

from tests.shared.eventstore.conftest import database, other, process
from tests.shared.http.conftest import issuer

__all__ = ["database", "issuer", "other", "process"]
