"""Which company a stack holds: it moves in once, and no second one beside it."""

import json
import sys
from datetime import date
from pathlib import Path
from random import Random

import pytest

from deploy.cli.up import welcome
from deploy.demo.company import DEMO, EXPORT, choose, demo_file, demo_people, held, marker, people_of
from deploy.demo.generator import facts
from deploy.local.fault import LocalError
from deploy.local.home import Home
from deploy.local.plan import ALIVE
from deploy.local.stack import Stack
from shared.domain.context import Company
from shared.domain.roles import Role


def holds(home: Path, kind: str, data: Path | None = None) -> None:
    marker(home).write_text(json.dumps({"kind": kind, "data": str(data) if data else None, "facts": 1}))


def test_without_data_it_is_the_demo_company(tmp_path: Path) -> None:
    assert held(tmp_path) == {}
    assert choose(tmp_path, None).kind == choose(tmp_path, "").kind == DEMO


def test_a_stack_that_took_in_an_export_stays_with_it(tmp_path: Path) -> None:
    export = tmp_path / "export"
    export.mkdir()
    assert choose(tmp_path, str(export)).data == export
    holds(tmp_path, EXPORT, export)
    assert choose(tmp_path, None).data == export
    assert choose(tmp_path, str(export)).data == export


def test_two_companies_in_one_stack_are_refused_in_a_sentence(tmp_path: Path) -> None:
    holds(tmp_path, DEMO)
    with pytest.raises(LocalError, match="the demo company already"):
        choose(tmp_path, str(tmp_path))


def test_a_folder_that_is_none_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="no folder"):
        choose(tmp_path, str(tmp_path / "nowhere"))


def test_the_file_is_written_once_so_that_a_broken_import_goes_on_with_the_same(tmp_path: Path) -> None:
    file = demo_file(tmp_path, Company())
    assert len(file.read_text().splitlines()) > 10_000
    file.write_text("as it was\n")
    assert demo_file(tmp_path, Company()).read_text() == "as it was\n"


def test_everybody_of_the_demo_company_can_sign_in_and_every_role_is_told() -> None:
    people = demo_people()
    members = [fact for fact in facts(Random(1), date(2026, 11, 23), Company()) if fact["fact"] == "member"]
    assert {person.subject for person in people} == {fact["subject"] for fact in members}
    said = welcome("http://here", {"kind": DEMO})
    for role in {person.role for person in people}:
        assert f"  {role} " in said
    assert 'curl --noproxy "*" -H' in said


def test_the_members_of_an_export_can_sign_in() -> None:
    lines = [
        {"fact": "team", "id": "t", "name": "West"},
        {"fact": "member", "id": "m", "subject": "m", "name": "Mo", "role": "rep", "team": "t"},
        {"fact": "deal", "id": "d"},
    ]
    [person] = people_of(lines)
    assert (person.subject, person.role, person.team) == ("m", Role.REP, "West")


def test_simulated_people_are_a_program_of_the_stack_only_when_they_are_wanted(home: Home) -> None:
    without = Stack.at(home.path, environment={})
    assert without.simulator() == ()
    begins = marker(home.path)
    [step] = Stack.at(home.path, environment={}, simulate_after=begins).simulator()
    assert step.ready == ALIVE
    assert set(step.after) >= {"leads", "deals", "contracts", "receivables", "forecast"}
    assert step.program.argv[:1] == (sys.executable,)
    assert str(begins) in step.program.argv
