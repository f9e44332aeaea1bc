"""Answers as JSON: decimals as strings, instants in UTC, ids as text."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec
from pydantic import TypeAdapter


def _other(value: Any) -> Any:
    if isinstance(value, MappingProxyType | Mapping):
        return dict(value)
    raise NotImplementedError(f"{type(value).__name__} has no JSON form")


_encoder = msgspec.json.Encoder(enc_hook=_other, decimal_format="string", order="deterministic")


def encode(data: Any) -> bytes:
    """Plain data (dataclasses, mappings, sequences) as one JSON value."""
    return _encoder.encode(data)


def schema_of(kind: Any) -> dict[str, Any]:
    """The JSON schema of a class or an adapter; the same for what comes in and what goes out."""
    adapter = kind if isinstance(kind, TypeAdapter) else TypeAdapter(kind)
    schema: dict[str, Any] = _without_null_defaults(adapter.json_schema(ref_template="#/components/schemas/{model}"))
    decimals_are_strings(schema)
    return schema


def decimals_are_strings(schema: Any) -> None:
    """Where a library writes "a number or a string" for a decimal, leave the string: numbers are refused."""
    if isinstance(schema, dict):
        options = schema.get("anyOf")
        if isinstance(options, list):
            texts = [option for option in options if option.get("type") == "string" and "pattern" in option]
            if texts and any(option.get("type") == "number" for option in options):
                schema["anyOf"] = [option for option in options if option.get("type") != "number"]
        for part in schema.values():
            decimals_are_strings(part)
    elif isinstance(schema, list):
        for part in schema:
            decimals_are_strings(part)


def _without_null_defaults(part: Any) -> Any:
    # FastAPI leaves them out of what it describes, and one class has one schema.
    if isinstance(part, dict):
        return {
            name: _without_null_defaults(inner)
            for name, inner in part.items()
            if not (name == "default" and inner is None)
        }
    return [_without_null_defaults(inner) for inner in part] if isinstance(part, list) else part
