"""Language negotiation: Accept-Language (RFC 9110, 12.5.4) against what ships, by lookup (RFC 4647, 3.4). Pure."""

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

_ASKED = r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*"
"""A language range (RFC 4647, 2.1), looser than a tag: `x-pig` does not ship, and is not malformed."""
_RANGE = re.compile(rf"({_ASKED}|\*)(?:[ \t]*;[ \t]*[qQ]=(0(?:\.\d{{0,3}})?|1(?:\.0{{0,3}})?))?", re.ASCII)
ANY = "*"
MAX_TAG = 100
"""No language has a longer tag; what one falls back to takes time by the square of its length."""


class Range(NamedTuple):
    """A language that somebody takes, or `*` for every other, and how much they want it, from 0 (not at all) to 1."""

    tag: str
    quality: float


def preferred(accepted: str | None, shipped: Collection[str], default: str) -> str:
    """Which of the shipped languages an Accept-Language header prefers.

    `de-AT` falls back to `de`, and `pt` takes `pt-BR` where there is no other. The default where nothing that ships is
    wanted, and where the header is none or malformed.
    """
    ranges = _ranges(accepted) if accepted else None
    if not ranges:
        return default
    refused = {each.tag.lower() for each in ranges if not each.quality}
    left = [tag for tag in (default, *sorted(shipped)) if tag.lower() not in refused]
    # Sorting is stable: of two that are wanted alike, the first counts.
    for wanted in sorted((each for each in ranges if each.quality), key=lambda each: -each.quality):
        found = next(iter(left), None) if wanted.tag == ANY else lookup(wanted.tag, left)
        if found is not None:
            return found
    return default


def lookup(tag: str, shipped: Collection[str]) -> str | None:
    """The shipped language that serves somebody who asks for this one; None without any."""
    if len(tag) > MAX_TAG:
        return None
    by_name = {each.lower(): each for each in shipped}
    for shorter in _ever_shorter(tag.lower()):
        if shorter in by_name:
            return by_name[shorter]
    return next((by_name[name] for name in sorted(by_name) if name.startswith(f"{tag.lower()}-")), None)


def _ever_shorter(tag: str) -> Iterator[str]:
    """A tag, then without its last subtag, and so on; a single letter or digit belongs to what follows it."""
    parts = tag.split("-")
    while parts:
        yield "-".join(parts)
        parts.pop()
        while parts and len(parts[-1]) == 1:
            parts.pop()


def _ranges(accepted: str) -> list[Range] | None:
    """What a header says; None when it is malformed. Members of a list may be empty (RFC 9110, 5.6.1)."""
    found = []
    for member in filter(None, (part.strip(" \t") for part in accepted.split(","))):
        matched = _RANGE.fullmatch(member)
        if matched is None:
            return None
        found.append(Range(matched[1], float(matched[2] or 1)))
    return found
