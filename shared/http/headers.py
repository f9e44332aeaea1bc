"""What a request says about itself in headers: that it is a retry, what it was decided on, what it has seen."""

import hashlib
import re
from typing import Any
from uuid import UUID

import msgspec
from starlette.requests import Request

from shared.http.problems import Fault, Problem

_HEX = r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}"
_ID = re.compile(rf"{_HEX}|\{{{_HEX}\}}|urn:uuid:{_HEX}")
"""The spellings in which a body may give an id."""
_ID_LENGTHS = frozenset(range(32, 46))
"""Of the shortest and the longest of them, and what is between: hardly any other text is matched."""
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
# A compressing gateway marks the ETag of what it compressed as weak or with a suffix ("7-gzip"); it is still version 7.
_ETAG = re.compile(r'(?:W/)?"(\d{1,18})(?:-[a-z]+)?"')


def single_header(request: Request, name: str) -> str | None:
    """The value of a header, None without it. Raises Problem when it is given more than once: which one is meant?"""
    given = request.headers.getlist(name)
    if len(given) > 1:
        raise Problem("malformed-request", f"{name} is given more than once.")
    return given[0] if given else None


def idempotency_key(request: Request) -> str | None:
    """The header Idempotency-Key. Raises Problem when a POST has none."""
    key = single_header(request, "Idempotency-Key")
    if key is None:
        if request.method == "POST":
            raise Problem("idempotency-key-missing", "A POST carries the header Idempotency-Key.")
        return None
    if not _KEY.fullmatch(key):
        raise Problem("malformed-request", "Idempotency-Key has 1 to 255 visible ASCII characters.")
    return key


def content_of(request: Request, raw: bytes) -> bytes:
    """Idempotency fingerprint: SHA-256 of method, address and the body as canonical JSON.

    Order of members, white space and escapes do not count (as in RFC 8785), nor how an id is spelled, so a client may
    encode a retry anew. A value that is told otherwise, "1.0" for "1.00" or null for nothing, is other content. The
    body was parsed before.
    """
    path = "/".join(_same_spelling(part) for part in request.scope["path"].split("/"))
    content = hashlib.sha256(f"{request.method} {path}\n".encode())
    content.update(msgspec.json.encode(_same_spelling(msgspec.json.decode(raw or b"{}")), order="sorted"))
    return content.digest()


def _same_spelling(value: Any) -> Any:
    """JSON in which every id is spelled in small letters with hyphens; names of members are data, as in a map by id."""
    if isinstance(value, str):
        return str(UUID(value)) if len(value) in _ID_LENGTHS and _ID.fullmatch(value) else value
    if isinstance(value, dict):
        return {_same_spelling(name): _same_spelling(inside) for name, inside in value.items()}
    if isinstance(value, list):
        return [_same_spelling(inside) for inside in value]
    return value


def expected_version(request: Request, *, required: bool) -> int | None:
    """The version in If-Match; None when there is none, or `*`. Raises Problem when it is required and missing."""
    given = single_header(request, "If-Match")
    if given is None:
        if required:
            raise Problem("precondition-required", "A change carries If-Match with the ETag of what was read.")
        return None
    if given.strip() == "*":
        return None
    matched = _ETAG.fullmatch(given.strip())
    if matched is None:
        raise Problem("malformed-request", 'If-Match is one ETag, like "7", or *.')
    return int(matched[1])


def etag(version: int) -> str:
    """The ETag of a version of an aggregate."""
    return f'"{version}"'


def is_unchanged(request: Request, version: int) -> bool:
    """Whether the caller already has this version (If-None-Match)."""
    given = request.headers.get("if-none-match")
    if given is None:
        return False
    return any((matched := _ETAG.fullmatch(tag.strip())) and int(matched[1]) == version for tag in given.split(","))


def prefers_lenient(request: Request) -> bool:
    """Whether an older answer is better than none (RFC 7240)."""
    preferences = ",".join(request.headers.getlist("prefer"))
    return any(preference.strip().lower() == "handling=lenient" for preference in preferences.split(","))


def refuse_parameters(
    request: Request, known: frozenset[str] = frozenset(), several: frozenset[str] = frozenset()
) -> None:
    """Raise Problem for query parameters that are not known, given twice without being among `several`, or hold a
    character that no text may hold."""
    if not request.scope["query_string"]:
        return
    faults: list[Fault] = []
    seen: set[str] = set()
    for name, given in request.query_params.multi_items():
        if name not in known:
            options = ", ".join(sorted(known)) or "none"
            faults.append(Fault(code="unknown-parameter", message=f"Known here: {options}.", parameter=name[:100]))
        elif name in seen and name not in several:
            faults.append(Fault(code="repeated-parameter", message="Give it once.", parameter=name))
        elif "\0" in given:
            faults.append(Fault(code="null-character", message="A text cannot hold U+0000.", parameter=name))
        seen.add(name)
    if faults:
        raise Problem("invalid-parameter", "Query parameters are unknown or wrong.", faults=faults)
