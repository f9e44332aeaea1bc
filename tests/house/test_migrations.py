"""The law of migrations: each says of older releases whether they run on the database after it."""

from pathlib import Path

import pytest

from shared.eventstore.migrate import FOLDER, migrations

FIRST = 11
"""Files before this one were applied before there was anything to say; applied files never change."""


def faults(folder: Path) -> list[str]:
    """What is wrong with what the files of a folder say."""
    files = migrations(folder)
    numbers = {file.number for file in files}
    silent = [f"{file.name} says nothing" for file in files if file.number >= FIRST and file.stated is None]
    stated = [(file, file.compatible_with) for file in files if file.compatible_with is not None]
    unknown = [f"{file.name}: there is no {number:04}" for file, number in stated if number not in numbers]
    forward = [f"{file.name} is not older than itself" for file, number in stated if number >= file.number]
    return [*silent, *unknown, *forward]


def test_every_migration_says_with_which_older_release_it_is_compatible() -> None:
    """Forgotten, an expansion would end the old processes of a rolling update; guessed, a contraction would let them
    run into errors."""
    assert faults(FOLDER) == [], "write `-- compatible-with: 0010` or `-- compatible-with: none` into the first comment"


@pytest.mark.parametrize(
    ("head", "found"),
    [
        ("-- compatible-with: 0010", []),
        ("-- compatible-with: none", []),
        ("", ["0011_made_up says nothing"]),
        ("-- compatible-with: 0009", ["0011_made_up: there is no 0009"]),
        ("-- compatible-with: 0011", ["0011_made_up is not older than itself"]),
        ("-- compatible-with: 0012", ["0011_made_up is not older than itself"]),
    ],
)
def test_the_law_finds_what_is_wrong(tmp_path: Path, head: str, found: list[str]) -> None:
    for name, text in (
        ("0008_old", ""),
        ("0010_old", ""),
        ("0011_made_up", head),
        ("0012_later", "-- compatible-with: none"),
    ):
        (tmp_path / f"{name}.sql").write_text(f"{text}\nselect 1")
    assert faults(tmp_path) == found
