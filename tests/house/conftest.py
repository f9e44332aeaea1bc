"""The laws of the house read the source of everything: nothing is collected meanwhile."""

from collections.abc import Iterator

import pytest

from shared.ops.collector import no_collection


@pytest.fixture(autouse=True)
def undisturbed() -> Iterator[None]:
    """`ast.parse` does not survive every collection within it before CPython 3.11.8 (gh-106905)."""
    with no_collection():
        yield
