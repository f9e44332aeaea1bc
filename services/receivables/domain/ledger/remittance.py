"""Remittance information: which invoice numbers stand in the text of a payer (REC-4).

A number is compared by its runs of letters and of digits, without case, separators and leading zeros: MAIN-000016 is
found in "RE main 16 vom 3.3.". A number within a longer one that is there as well is not meant.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

RUNS = re.compile(r"[^\W\d_]+|\d+")
DATES_AND_AMOUNTS = re.compile(
    r"\b\d{1,2}\.\d{1,2}\.(?:\d{4}\b|\d{2}\b)?|\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}/\d{1,2}/\d{2,4}\b|\b\d+[.,]\d{2}\b(?![.,]?\d)"
)
"""What is made of digits in such a text and is no number of an invoice."""
MAX_RUNS = 6
"""Of how many runs a number is made at most, to be found inside a text."""
MAX_TEXT = 32
"""So many runs of a text are looked at: a stranger writes it, and must not keep the service busy."""
SERIAL_DIGITS = 6
"""So many digits, zeros in front included, are the number of a series without its name."""


@dataclass(frozen=True, slots=True)
class Run:
    """Letters or digits in a row."""

    key: str
    written: str
    start: int
    end: int
    glued: bool
    """Whether it follows the run before without anything between."""
    masked: bool
    """Whether it is part of a date or an amount."""

    @property
    def is_digits(self) -> bool:
        """Whether these are digits."""
        return self.written[0].isdecimal()


@dataclass(frozen=True, slots=True)
class Mention:
    """A stretch of a text that may name an invoice: by which key, from which run to which."""

    key: str
    first: int
    last: int


def written_as(number: str) -> str:
    """The key of a number as a whole text."""
    return f"={_folded(number).strip()}"


@lru_cache(maxsize=4096)
def keys_of(number: str) -> tuple[str, ...]:
    """By which keys an invoice's number is found."""
    runs = _runs(number)
    keys = [written_as(number)]
    if len(runs) <= MAX_RUNS and any(run.is_digits for run in runs):
        keys.append(" ".join(run.key for run in runs))
    if runs and runs[-1].is_digits and len(runs[-1].written) >= SERIAL_DIGITS:
        keys.append(f"#{runs[-1].written}")
    return tuple(dict.fromkeys(keys))


@lru_cache(maxsize=4096)
def mentions(text: str) -> tuple[Mention, ...]:
    """Every stretch of a text that a number may stand in, the longest first."""
    runs = _runs(text)[:MAX_TEXT]
    found = [
        Mention(" ".join(run.key for run in runs[first : last + 1]), first, last)
        for first in range(len(runs))
        for last in range(first, min(first + MAX_RUNS, len(runs)))
        if _stands_alone(runs, first, last)
    ]
    found += [Mention(f"#{run.written}", place, place) for place, run in enumerate(runs) if _is_serial(text, run)]
    return tuple(sorted(found, key=lambda each: each.first - each.last))


def _runs(text: str) -> list[Run]:
    return list(_each_run(_folded(text)))


def _each_run(folded: str) -> Iterator[Run]:
    masks = [found.span() for found in DATES_AND_AMOUNTS.finditer(folded)]
    end = -1
    for found in RUNS.finditer(folded):
        written = found.group()
        key = (written.lstrip("0") or "0") if written[0].isdecimal() else written
        masked = any(start <= found.start() and found.end() <= stop for start, stop in masks)
        yield Run(key, written, found.start(), found.end(), found.start() == end, masked)
        end = found.end()


def _stands_alone(runs: list[Run], first: int, last: int) -> bool:
    """Whether nothing else belongs to it: "R-77" is not in "R-77b", but 2024001 is in "RE2024001"."""
    part = runs[first : last + 1]
    if not any(run.is_digits and not run.masked for run in part) or (last + 1 < len(runs) and runs[last + 1].glued):
        return False
    return not runs[first].glued or runs[first].is_digits


def _is_serial(text: str, run: Run) -> bool:
    """Whether these are the digits of a series' number without its name: "RE 000016", and not "SOUTH-000016"."""
    before = _folded(text)[: run.start]
    return (
        run.is_digits
        and not run.masked
        and len(run.written) >= SERIAL_DIGITS
        and not before.endswith(("-", "/", "_"))
        and not run.glued
    )


def _folded(text: str) -> str:
    """Without case and width, digits of all scripts as ours; never longer than twice the text."""
    same = "".join(str(unicodedata.decimal(each)) if each.isdecimal() else each for each in text)
    folded = unicodedata.normalize("NFKC", same).casefold()
    return folded if len(folded) <= 2 * len(text) else same.casefold()
