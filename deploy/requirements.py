"""Traceability of requirements: docs/requirements.toml says what is to be done, and tests say what of it they prove.

From both comes docs/requirements.md, the page for readers (`python -m deploy.reference` writes it).
"""

import ast
import re
import textwrap
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from shared.ops.collector import no_collection

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "docs" / "requirements.toml"
WIDTH = 118

HEAD = """\
# Requirements

What Throughline is to do, by id, and how far each has come. Generated from
[requirements.toml](requirements.toml) and from the tests, which name the ids that they prove
(`python -m deploy.reference`).

- **done** – all of it is there, and the tests named beside it prove it: {done} of {all}.
- **thin** – a part is there, in its final quality; what is missing is said: {thin}.
- **later** – nothing of it is there yet: {later}.
"""

State = Literal["done", "thin", "later"]


class Requirement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of the source."""

    id: str
    title: str
    state: State
    summary: str
    """What there is; of a later one, what there will be."""
    missing: str | None = None
    """What is not there yet of a thin one."""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Requirements of one part of the business, or of one kind of reader."""

    title: str
    requirements: tuple[Requirement, ...]


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The source."""

    sections: tuple[Section, ...]

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        return tuple(requirement for section in self.sections for requirement in section.requirements)


def read(text: str) -> Document:
    """The source, whose every field is known."""
    return msgspec.convert(tomllib.loads(text), Document)


def page() -> str:
    """The page of today's source and today's tests."""
    document = read(SOURCE.read_text(encoding="utf-8"))
    return written(document, proofs(read_tests(), [requirement.id for requirement in document.requirements]))


def read_tests() -> Mapping[str, str]:
    """The text of every file of tests, by its path below the root."""
    found = sorted((ROOT / "tests").rglob("test_*.py"))
    return {file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8") for file in found}


def proofs(files: Mapping[str, str], ids: Sequence[str]) -> dict[str, list[str]]:
    """The files that prove each requirement, in order."""
    named = {path: {each for told in claims(text) for each in ids_in(told, ids)} for path, text in files.items()}
    return {each: [path for path, names in named.items() if each in names] for each in ids}


def claims(text: str) -> Iterator[str]:
    """Where a file of tests may say what it proves: its docstring, and the name and docstring of each test."""
    with no_collection():  # else it may fail before CPython 3.11.8 (gh-106905)
        module = ast.parse(text)
    yield ast.get_docstring(module) or ""
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield f"{node.name}\n{ast.get_docstring(node) or ''}"


def ids_in(text: str, ids: Sequence[str]) -> set[str]:
    """What a text names that has the form of these ids, known or not: `LEAD-1`, or `test_lead_1_…`."""
    areas = "|".join(sorted({each.rpartition("-")[0] for each in ids}))
    in_names = re.findall(rf"\btest_({areas})_(\d+)_", text, re.IGNORECASE)
    return {*re.findall(rf"\b(?:{areas})-\d+\b", text), *(f"{area.upper()}-{number}" for area, number in in_names)}


def written(document: Document, proven: Mapping[str, Sequence[str]]) -> str:
    """The page, in Markdown."""
    states = [requirement.state for requirement in document.requirements]
    counts = {state: states.count(state) for state in ("done", "thin", "later")}
    parts = [HEAD.format(all=len(states), **counts)]
    for section in document.sections:
        entries = (entry(each, proven[each.id]) for each in section.requirements)
        parts.append("\n".join((f"## {section.title}\n", *entries)) + "\n")
    return "\n".join(parts)


def entry(requirement: Requirement, files: Sequence[str]) -> str:
    missing = f" Not yet: {requirement.missing}" if requirement.missing else ""
    text = f"**{requirement.id} {requirement.title}** – *{requirement.state}*. {requirement.summary}{missing}"
    paragraphs = [filled(text, "- ")]
    if files:
        paragraphs.append(filled(f"Tests: {', '.join(link(file) for file in files)}.", "  "))
    return "\n".join(paragraphs)


def link(file: str) -> str:
    return f"[{file.removeprefix('tests/').removesuffix('.py')}](../{file})"


def filled(text: str, first: str) -> str:
    return textwrap.fill(
        text, WIDTH, initial_indent=first, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
