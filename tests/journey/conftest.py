"""What journeys report at the end: budgets as they were measured, and what could not be tested on this machine."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

HERE = Path(__file__).parent.name
MEASURED = "measured"


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Tells a measurement, which is shown when all tests are through; nothing fails because of it.

    It goes with the test's report: the test may run in another process than the one that writes the summary.
    """
    return partial(record_property, MEASURED)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for passed in terminalreporter.getreports("passed"):
        for sentence in [told for name, told in passed.user_properties if name == MEASURED]:
            terminalreporter.write_line(f"MEASURED: {sentence}")
    skipped = [each for each in terminalreporter.getreports("skipped") if f"{HERE}/" in each.nodeid]
    reasons = {each.longrepr[2] for each in skipped if isinstance(each.longrepr, tuple)}
    for reason in sorted(reasons):
        terminalreporter.write_line(f"NOT TESTED: {reason.removeprefix('Skipped: ')}", red=True, bold=True)
