"""A process of a service on a migrated database, as the tests of the store have it, and who signs tokens."""

from tests.shared.store.conftest import database, other, process
from tests.shared.web.conftest import issuer

__all__ = ["database", "issuer", "other", "process"]
