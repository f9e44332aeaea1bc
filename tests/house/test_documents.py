"""The law of the documents: what they refer to is there."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from deploy.cli.main import VERBS
from deploy.imports.kinds import KINDS
from deploy.imports.mapping import WORDS, read_mapping

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
MAKE = re.compile(r"\bmake ([a-z]+)\b")
VERB = re.compile(r"\bthroughline ([a-z]+)\b")
SHELL = re.compile(r"^```(?:sh|console)\n(.*?)^```$|`([^`\n]+)`", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def documents() -> list[Path]:
    """Every document that the repository holds."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [ROOT / name for name in listed.stdout.split()]


every_document = pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))


@every_document
def test_every_link_leads_somewhere(document: Path) -> None:
    for target in LINK.findall(document.read_text()):
        if target.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, fragment = unquote(target).partition("#")
        found = (document.parent / path).resolve() if path else document
        assert found.exists(), target
        if fragment and found.suffix == ".md":
            assert fragment in anchors(found), target


@every_document
def test_every_command_that_is_shown_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    verbs = {verb.__name__.rpartition(".")[2].rstrip("_") for verb in VERBS}
    for text in shell(document):
        assert set(MAKE.findall(text)) <= targets, text
        assert set(VERB.findall(text)) <= verbs, text


@every_document
def test_no_line_is_endless(document: Path) -> None:
    """Tables apart, prose is read in an editor, too."""
    for line in document.read_text().splitlines():
        assert len(line) <= 200 or line.startswith(("|", "{")), line


def test_the_import_guide_names_every_kind_of_fact() -> None:
    """DATA-5."""
    guide = (ROOT / "docs" / "how-to" / "import.md").read_text()
    assert [kind for kind in KINDS if f"`{kind}`" not in guide] == []


def test_the_import_guide_shows_a_mapping_that_can_be_followed_and_all_its_words(tmp_path: Path) -> None:
    """DATA-5."""
    guide = (ROOT / "docs" / "how-to" / "import.md").read_text()
    [example] = re.findall(r"^```yaml\n(.*?)^```$", guide, re.DOTALL | re.MULTILINE)
    (tmp_path / "mapping.yaml").write_text(example)
    assert read_mapping(tmp_path / "mapping.yaml").source == "our-old-crm"
    for word, (needed, possible) in WORDS.items():
        for each in {word} | needed | possible:
            assert f"{each}:" in guide, each


def test_the_operations_guide_names_every_verb() -> None:
    guide = (ROOT / "docs" / "how-to" / "operate.md").read_text() + (ROOT / "docs" / "how-to" / "import.md").read_text()
    guide += (ROOT / "docs" / "tutorial.md").read_text()
    verbs = {verb.__name__.rpartition(".")[2].rstrip("_") for verb in VERBS}
    assert verbs - set(VERB.findall(guide)) == set()


def shell(document: Path) -> Iterator[str]:
    """What a reader is shown to type: blocks of shell, and code inside of sentences."""
    for block, inline in SHELL.findall(document.read_text()):
        if block or inline.startswith(("make ", "throughline ", ".venv/bin/throughline ")):
            yield block or inline


def anchors(document: Path) -> set[str]:
    """The fragments by which a document's headings are reached."""
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in HEADING.findall(document.read_text())}


def test_the_hour_leads_through_files_that_are_there_and_the_newest_append() -> None:
    hour = (ROOT / "CONTRIBUTING.md").read_text().partition("## The hour")[2].partition("\n## ")[0]
    named = re.findall(r"`((?:services|shared)/[\w/.]+\.py)`", hour)
    assert len(named) > 10
    for path in named:
        assert (ROOT / path).is_file(), path
    migrations = ROOT / "shared" / "eventstore" / "migrations"
    bodies = [file.name for file in sorted(migrations.glob("*.sql")) if "function append_commands" in file.read_text()]
    assert f"`migrations/{bodies[-1]}`" in hour
