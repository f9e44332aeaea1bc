"""Bodies: read within a limit, and turned into plain data that holds its constraints, or refused with every fault."""

import re
from typing import Any, TypeVar

import msgspec
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request

from shared.web.problems import Fault, Problem, from_validation, pointer

DEEPEST = 32
"""Levels of nesting that a body may have."""

Value = TypeVar("Value")

_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body. Raises Problem when it is larger than `limit` bytes or not declared as JSON."""
    declared = request.headers.get("content-length")
    if declared is not None and (not declared.isdigit() or int(declared) > limit):
        raise _too_large(limit)
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
    raw = b"".join(parts)
    if raw:
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise Problem(
                "unsupported-media-type", "A body is application/json.", headers={"Accept": "application/json"}
            )
    return raw


def _too_large(limit: int) -> Problem:
    return Problem("body-too-large", f"A body has at most {limit} bytes.", headers={"Connection": "close"})


def parse(adapter: TypeAdapter[Value], raw: bytes) -> Value:
    """The body as what it is declared to be; no body is an empty object. Raises Problem with every fault.

    Strict: "5" is no number and 1 no truth, because a client that sends them errs.
    """
    refuse_depth(raw)
    refuse_null_characters(raw)
    try:
        return adapter.validate_json(raw or b"{}", strict=True)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise from_validation(found) from None


def refuse_depth(raw: bytes) -> None:
    """Raise Problem when brackets nest deeper than DEEPEST."""
    if raw.count(b"{") + raw.count(b"[") <= DEEPEST:
        return
    depth = 0
    for bracket in re.findall(rb"[\[\]{}]", _STRINGS.sub(b"", raw)):
        depth += 1 if bracket in b"[{" else -1
        if depth > DEEPEST:
            raise Problem("malformed-json", f"A body nests at most {DEEPEST} levels.")


def refuse_null_characters(raw: bytes) -> None:
    r"""Raise Problem when a text holds the character \u0000, which PostgreSQL cannot keep."""
    if b"\\u0000" not in raw:
        return
    try:
        value = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return  # The validation that follows says what is wrong with it.
    where = _null_character(value, ())
    if where is not None:
        fault = Fault(code="null-character", message="A text cannot hold the character U+0000.", pointer=pointer(where))
        raise Problem("invalid-body", f"Wrong: {fault.pointer or 'the body'}.", faults=[fault])


def _null_character(value: Any, path: tuple[str | int, ...]) -> tuple[str | int, ...] | None:
    if isinstance(value, str):
        return path if "\0" in value else None
    inside: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        if any("\0" in name for name in value):
            return path
        inside = list(value.items())
    elif isinstance(value, list):
        inside = list(enumerate(value))
    found = (_null_character(item, (*path, step)) for step, item in inside)
    return next((where for where in found if where is not None), None)
