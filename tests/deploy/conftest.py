"""Stacks of their own for the tests that kill servers."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.home import Home
from deploy.local.program import stop_left_overs
from deploy.local.stack import Stack


@pytest.fixture
def home(tmp_path: Path, processes: None) -> Iterator[Home]:
    """A prepared home, in which nothing is left running afterwards."""
    # Kafka reads folders from a list with commas, its settings take backslashes away, Java asks the locale for umlauts.
    home = Home(tmp_path / "größe, \\ of it")
    home.prepare()
    yield home
    asyncio.run(stop_left_overs(home))
    home.remove()


@pytest.fixture
def stack(home: Home) -> Stack:
    """A stack whose servers no other test uses."""
    return Stack.at(home.path, environment={})
