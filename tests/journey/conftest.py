"""What journeys report at the end: budgets as they were measured, and what could not be tested on this machine."""

from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent.name
MEASURED = pytest.StashKey[list[str]]()


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Tells a measurement, which is shown when all tests are through; nothing fails because of it."""
    return request.config.stash.setdefault(MEASURED, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for sentence in terminalreporter.config.stash.get(MEASURED, []):
        terminalreporter.write_line(f"MEASURED: {sentence}")
    skipped = [each for each in terminalreporter.getreports("skipped") if f"{HERE}/" in each.nodeid]
    reasons = {each.longrepr[2] for each in skipped if isinstance(each.longrepr, tuple)}
    for reason in sorted(reasons):
        terminalreporter.write_line(f"NOT TESTED: {reason.removeprefix('Skipped: ')}", red=True, bold=True)
