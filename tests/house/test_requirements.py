"""The law of the requirements: what is said to be done is proven by tests that name it, and the page names them."""

import re
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

import msgspec
import pytest

from deploy.reference import FOLDER, REQUIREMENTS
from deploy.requirements import SOURCE, Document, Requirement, ids_in, page, proofs, read, read_tests, written

ROOT = Path(__file__).parents[2]
DOCUMENT = read(SOURCE.read_text())
IDS = [requirement.id for requirement in DOCUMENT.requirements]

SAMPLE = """
[[sections]]
title = "Deals"
requirements = [
    { id = "DEAL-1", title = "Open", state = "done", summary = "A deal is opened." },
    { id = "DEAL-2", title = "Tasks", state = "thin", summary = "They fall due.", missing = "approval." },
]
"""


@pytest.fixture(scope="module")
def named() -> dict[str, list[str]]:
    """The files of tests that prove each requirement."""
    return proofs(read_tests(), IDS)


def test_the_page_is_what_the_source_and_the_tests_say() -> None:
    assert (FOLDER / REQUIREMENTS).read_text() == page(), "run: python -m deploy.reference"


def test_every_requirement_has_one_entry_in_order() -> None:
    """Those of an area stand together and are numbered without gaps."""
    areas = [(area, list(ids)) for area, ids in groupby(IDS, key=lambda each: each.rpartition("-")[0])]
    for area, ids in areas:
        assert ids == [f"{area}-{number}" for number in range(1, len(ids) + 1)]
    assert len({area for area, _ in areas}) == len(areas)


@pytest.mark.parametrize("requirement", DOCUMENT.requirements, ids=lambda requirement: requirement.id)
def test_what_is_said_of_a_requirement_holds(requirement: Requirement, named: dict[str, list[str]]) -> None:
    assert faults(requirement, named) == []


def faults(requirement: Requirement, named: Mapping[str, list[str]]) -> list[str]:
    """Done has tests that name it, thin says what is missing, later claims nothing."""
    found = []
    if requirement.state == "done" and not named[requirement.id]:
        found.append(f"no test proves {requirement.id}")
    if requirement.state == "later" and named[requirement.id]:
        found.append(f"{requirement.id} is later, and proven by {named[requirement.id]}")
    if (requirement.state == "thin") != (requirement.missing is not None):
        found.append(f"{requirement.id} is {requirement.state}, and missing is {requirement.missing!r}")
    return found


def test_no_test_names_an_unknown_requirement() -> None:
    for file in sorted((ROOT / "tests").rglob("*.py")):
        if file != Path(__file__):
            assert ids_in(file.read_text(), IDS) <= set(IDS), file


def test_a_test_proves_what_its_docstring_or_its_name_says() -> None:
    files = {
        "tests/test_module.py": '"""Deals (DEAL-1)."""',
        "tests/test_docstring.py": 'def test_it() -> None:\n    """DEAL-1: it is."""',
        "tests/test_name.py": "async def test_deal_2_it_falls_due() -> None: ...",
        "tests/test_helper.py": '# DEAL-1\ndef helper() -> None:\n    """DEAL-2."""',
    }
    assert proofs(files, ["DEAL-1", "DEAL-2"]) == {
        "DEAL-1": ["tests/test_module.py", "tests/test_docstring.py"],
        "DEAL-2": ["tests/test_name.py"],
    }


def test_an_id_that_is_unknown_is_found_all_the_same() -> None:
    assert ids_in("test_deal_9_is, DEAL-7, and XDEAL-8", ["DEAL-1"]) == {"DEAL-7", "DEAL-9"}


def test_the_page_shows_states_what_is_missing_and_the_tests() -> None:
    shown = written(read(SAMPLE), {"DEAL-1": ["tests/services/test_a.py"], "DEAL-2": []})
    entries = shown.partition("## Deals\n\n")[2]
    assert entries == (
        "- **DEAL-1 Open** – *done*. A deal is opened.\n  Tests: [services/test_a](../tests/services/test_a.py).\n"
        "- **DEAL-2 Tasks** – *thin*. They fall due. Not yet: approval.\n"
    )
    assert re.findall(r"(\d+) of (\d+)", shown) == [("1", "2")]


@pytest.mark.parametrize(
    ("told", "instead"),
    [('state = "done"', 'state = "nearly"'), ('title = "Open"', 'titel = "Open"'), ('title = "Open", ', "")],
)
def test_a_source_with_another_state_or_field_is_refused(told: str, instead: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(SAMPLE.replace(told, instead))


def test_each_claim_of_a_source_is_held_against_the_tests() -> None:
    """A law that cannot fail is none."""
    done, thin = Document(sections=read(SAMPLE).sections).requirements
    assert faults(done, {"DEAL-1": []}) == ["no test proves DEAL-1"]
    assert faults(done, {"DEAL-1": ["tests/test_a.py"]}) == []
    later = msgspec.structs.replace(thin, state="later", missing=None)
    assert faults(later, {"DEAL-2": ["tests/test_a.py"]}) == ["DEAL-2 is later, and proven by ['tests/test_a.py']"]
    assert faults(msgspec.structs.replace(thin, missing=None), {"DEAL-2": []}) == [
        "DEAL-2 is thin, and missing is None"
    ]
