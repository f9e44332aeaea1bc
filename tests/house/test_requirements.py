"""The law of the requirements: what is said to be done is proven by tests that name it."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "requirements.md"
AREAS = ("ORG", "LEAD", "ACCT", "PROC", "PROD", "DEAL", "CON", "REC", "FC", "API", "DATA", "OPS")
ID = re.compile(rf"\b(?:{'|'.join(AREAS)})-\d+\b")
ENTRY = re.compile(r"^- \*\*(\S+) [^*]+\*\* – \*(\w+)\*\.\s(.*?)(?=^- \*\*|^## |\Z)", re.DOTALL | re.MULTILINE)
TESTS = re.compile(r"\]\(\.\./(tests/[^)]+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One entry of the document."""

    id: str
    state: str
    text: str

    @property
    def tests(self) -> list[Path]:
        return [ROOT / found for found in TESTS.findall(self.text)]


REQUIREMENTS = [
    Requirement(id=found[0], state=found[1], text=found[2]) for found in ENTRY.findall(DOCUMENT.read_text())
]


def test_every_requirement_has_one_entry_in_order() -> None:
    ids = [requirement.id for requirement in REQUIREMENTS]
    assert set(re.findall(r"^- \*\*(\S+)", DOCUMENT.read_text(), re.MULTILINE)) - {
        "done**",
        "thin**",
        "later**",
    } == set(ids)
    for area in AREAS:
        numbers = [int(each.rpartition("-")[2]) for each in ids if each.startswith(f"{area}-")]
        assert numbers == list(range(1, len(numbers) + 1)), area
    assert len(ids) == len(set(ids)) == 83
    assert {requirement.state for requirement in REQUIREMENTS} <= {"done", "thin", "later"}


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda requirement: requirement.id)
def test_what_is_said_of_a_requirement_holds(requirement: Requirement) -> None:
    """Done has tests that name it, thin says what is missing, later claims nothing."""
    for file in requirement.tests:
        assert file.is_file(), file
        assert requirement.id in ID.findall(file.read_text()), f"{file} does not name {requirement.id}"
    if requirement.state == "done":
        assert requirement.tests, f"no test proves {requirement.id}"
    elif requirement.state == "thin":
        assert "Not yet:" in " ".join(requirement.text.split())
    else:
        assert not requirement.tests


def test_no_test_names_an_unknown_requirement() -> None:
    known = {requirement.id for requirement in REQUIREMENTS}
    for file in sorted((ROOT / "tests").rglob("*.py")):
        assert set(ID.findall(file.read_text())) <= known, file
