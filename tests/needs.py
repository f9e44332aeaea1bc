"""Markers from fixtures: what a test needs beside Python is told by what it asks for, and never by hand.

Each test has exactly one of them, the greatest of its needs. A pure test that starts a process all the same fails.
"""

import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

NEEDS = {
    "stack": "starts processes of its own: the command line, servers to be killed, the whole product",
    "broker": "needs Kafka, and perhaps PostgreSQL",
    "database": "needs PostgreSQL, and no Kafka",
    "pure": "computes, in this process: no server, no other process",
}
"""The greatest first. Tests run in this order: what waits for servers begins, what only computes fills the gaps."""
TOLD_BY = {
    "stack": frozenset({"processes"}),
    "broker": frozenset({"kafka", "bootstrap"}),
    "database": frozenset({"postgres", "place"}),
}
"""Fixtures by which a need is known; those that rest on them tell it, too."""
ONE_OF_EACH = ("stack", "everybody")
"""Fixtures that are there once a session: two of a kind would cost minutes, or write one topic from two logs."""


def need_of(fixtures: Collection[str]) -> str:
    """The marker of a test that asks for these fixtures, directly or through others."""
    return next((need for need, names in TOLD_BY.items() if names & set(fixtures)), "pure")


def group_of(scopes: Mapping[str, str], file: str) -> str:
    """The tests with which a test stays in one process, by the scopes of its fixtures; empty: with none."""
    shared = (name for name in ONE_OF_EACH if scopes.get(name) == "session")
    return next(shared, file if "module" in scopes.values() else "")


def turn_of(need: str, group: str) -> tuple[int, bool]:
    """When a test begins: the greatest need first, and of one need those that stay together, who take longest."""
    return list(NEEDS).index(need), not group


@dataclass(slots=True)
class Guard:
    """An audit hook of Python that lets no process start while a pure test runs."""

    pure: bool = False

    def watch(self) -> None:
        """Begin to listen; Python keeps an audit hook for good."""
        sys.addaudithook(self.hear)

    def hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.pure and event == "subprocess.Popen":
            raise RuntimeError(f"A pure test starts {arguments[0]}. Let it ask for the fixture `processes`.")

    @contextmanager
    def over(self, need: str) -> Iterator[None]:
        """While a test with this need is at work."""
        self.pure = need == "pure"
        try:
            yield
        finally:
            self.pure = False
