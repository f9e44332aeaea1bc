"""The law of the markers: each test says what it needs, and a pure one needs nothing."""

import subprocess
import sys

import pytest

from tests.needs import NEEDS, group_of, need_of, turn_of


def test_each_test_has_exactly_one_need(request: pytest.FixtureRequest) -> None:
    """Of all tests that this run has collected."""
    for item in request.session.items:
        told = [mark.name for mark in item.iter_markers() if mark.name in NEEDS]
        assert len(told) == 1, f"{item.nodeid}: {told}"


@pytest.mark.parametrize(
    ("fixtures", "need"),
    [
        ((), "pure"),
        (("tmp_path", "requirement"), "pure"),
        (("database", "postgres"), "database"),
        (("place", "tmp_path"), "database"),
        (("postgres", "kafka", "everybody"), "broker"),
        (("postgres", "bootstrap"), "broker"),
        (("home", "processes"), "stack"),
        (("postgres", "kafka", "processes"), "stack"),
    ],
)
def test_the_greatest_need_of_its_fixtures_counts(fixtures: tuple[str, ...], need: str) -> None:
    assert need_of(fixtures) == need


def test_who_shares_what_is_there_once_stays_together() -> None:
    scopes = {"postgres": "session", "everybody": "session", "rows": "module"}
    assert group_of(scopes, "tests/test_it.py") == "everybody"
    assert group_of({"postgres": "session", "rows": "module"}, "tests/test_it.py") == "tests/test_it.py"
    assert group_of({"postgres": "session", "stack": "function"}, "tests/test_it.py") == ""


def test_those_that_stay_together_begin_before_others_of_their_need() -> None:
    alone, together = "", "tests/test_it.py"
    tests = [("pure", together), ("stack", alone), ("database", alone), ("stack", "stack"), ("database", together)]
    assert sorted(tests, key=lambda test: turn_of(*test)) == [
        *(("stack", "stack"), ("stack", alone)),
        *(("database", together), ("database", alone)),
        ("pure", together),
    ]


def test_a_pure_test_starts_no_process() -> None:
    with pytest.raises(RuntimeError, match="Let it ask for the fixture `processes`"):
        subprocess.run((sys.executable, "-c", "pass"), check=False)


@pytest.mark.usefixtures("processes")
def test_who_asks_for_processes_may_start_one() -> None:
    assert subprocess.run((sys.executable, "-c", "pass"), check=False).returncode == 0
