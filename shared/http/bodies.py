"""Bodies: read within a limit, and turned into plain data that holds its constraints, or refused with every fault."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import msgspec
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request

from shared.http.problems import Fault, Problem, from_validation, pointer
from shared.http.yaml_bodies import MEDIA_TYPE as YAML
from shared.http.yaml_bodies import NotYaml, json_of

MAX_DEPTH = 32
"""Levels of nesting that a body may have."""

MAX_NUMBER = 40
"""Characters that a number may have; money and counts need half of them."""
MAX_DIGITS = 18
"""Digits of a Content-Length that is read as a number at all."""

Value = TypeVar("Value")

_LONG_NUMBER = re.compile(rb"[-+.0-9eE]{%d}" % (MAX_NUMBER + 1))
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def _from_yaml(raw: bytes) -> bytes:
    try:
        return json_of(raw)
    except NotYaml as error:
        raise Problem("malformed-yaml", str(error)) from None


Files = Mapping[str, Callable[[bytes], bytes]]
"""Media types that a body may have beside JSON, each with what makes JSON of it or raises Problem."""
ONLY_JSON: Files = {}
AS_YAML: Files = {YAML: _from_yaml}


async def read_body(request: Request, limit: int, files: Files = ONLY_JSON) -> bytes:
    """The whole body as JSON. Raises Problem when it is larger than `limit` bytes, or declared as anything else than
    JSON or one of the `files` that are taken.

    One that says so of itself has not come so far: the middleware refuses it by its head.
    """
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise too_large(limit)
        parts.append(part)
    raw = b"".join(parts)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not raw or media_type == "application/json":
        return raw
    if media_type in files:
        return files[media_type](raw)
    taken = ", ".join(("application/json", *files))
    raise Problem("unsupported-media-type", f"A body is {taken}.", headers={"Accept": taken})


def declares_more_than(limit: int, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether Content-Length says more than `limit` bytes, or no number that could be compared."""
    declared = [value.lstrip(b"0") for name, value in headers if name == b"content-length"]
    return any(
        (not value.isdigit() and value != b"") or len(value) > MAX_DIGITS or int(value or b"0") > limit
        for value in declared
    )


def too_large(limit: int) -> Problem:
    """What is said of a larger body; the connection ends, because the rest of it is not read."""
    return Problem("body-too-large", f"A body has at most {limit} bytes.", headers={"Connection": "close"})


def parse(adapter: TypeAdapter[Value], raw: bytes) -> Value:
    """The body as what it is declared to be; no body is an empty object. Raises Problem with every fault.

    Strict: "5" is no number and 1 no truth, because a client that sends them errs.
    """
    refuse_depth(raw)
    refuse_long_numbers(raw)
    refuse_null_characters(raw)
    try:
        return adapter.validate_json(raw or b"{}", strict=True)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise from_validation(found) from None


def refuse_depth(raw: bytes) -> None:
    """Raise Problem when brackets nest deeper than MAX_DEPTH."""
    if raw.count(b"{") + raw.count(b"[") <= MAX_DEPTH:
        return
    depth = 0
    for bracket in re.findall(rb"[\[\]{}]", _STRINGS.sub(b"", raw)):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise Problem("malformed-json", f"A body nests at most {MAX_DEPTH} levels.")


def refuse_null_characters(raw: bytes) -> None:
    r"""Raise Problem when a text holds the character \u0000, which PostgreSQL cannot keep."""
    if b"\\u0000" not in raw:
        return
    try:
        value = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return  # The validation that follows says what is wrong with it.
    _refuse(value, _holds_null, "null-character", "A text cannot hold the character U+0000.")


def refuse_long_numbers(raw: bytes) -> None:
    """Raise Problem when a number has more characters than MAX_NUMBER: no field needs them, and PostgreSQL and
    every reader of events would have to bear them."""
    # Hardly any body has such a run of characters anywhere, so that few are looked at twice.
    if not _LONG_NUMBER.search(raw) or not _LONG_NUMBER.search(_STRINGS.sub(b"", raw)):
        return
    try:
        value = json.loads(raw, parse_int=_Number, parse_float=_Number)
    except ValueError:
        return  # The validation that follows says what is wrong with it.
    message = f"A number has at most {MAX_NUMBER} characters."
    _refuse(value, lambda item: isinstance(item, _Number) and len(item) > MAX_NUMBER, "number-too-long", message)


class _Number(str):
    """A number as it is written."""

    __slots__ = ()


def _holds_null(item: Any) -> bool:
    if isinstance(item, dict):
        return any("\0" in name for name in item)
    return isinstance(item, str) and "\0" in item


def _refuse(value: Any, is_wrong: Callable[[Any], bool], code: str, message: str) -> None:
    """Raise Problem that names the first part of a JSON value that is wrong."""
    where = _first(value, is_wrong, ())
    if where is not None:
        fault = Fault(code=code, message=message, pointer=pointer(where))
        raise Problem("invalid-body", f"Wrong: {fault.pointer or 'the body'}.", faults=[fault])


def _first(value: Any, is_wrong: Callable[[Any], bool], path: tuple[str | int, ...]) -> tuple[str | int, ...] | None:
    if is_wrong(value):
        return path
    inside: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        inside = value.items()
    elif isinstance(value, list):
        inside = enumerate(value)
    found = (_first(item, is_wrong, (*path, step)) for step, item in inside)
    return next((where for where in found if where is not None), None)
