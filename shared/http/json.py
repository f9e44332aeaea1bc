"""Answers as JSON: decimals as strings, instants in UTC, ids as text."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar, dataclass_transform

import msgspec
from pydantic import TypeAdapter

from shared.events.definition import DECIMAL


def _other(value: Any) -> Any:
    if isinstance(value, MappingProxyType | Mapping):
        return dict(value)
    raise NotImplementedError(f"{type(value).__name__} has no JSON form")


_encoder = msgspec.json.Encoder(enc_hook=_other, decimal_format="string", order="deterministic")


def encode(data: Any) -> bytes:
    """Plain data (dataclasses, mappings, sequences) as one JSON value."""
    return _encoder.encode(data)


Class = TypeVar("Class", bound=type)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def answer_shape(cls: Class) -> Class:
    """Data transfer object: define plain data that is answered over HTTP.

    Attribute docstrings become the schema's descriptions. What is sent is a `value`, which refuses unknown fields; an
    answer may gain some, so its schema refuses none.
    """
    made: Any = dataclass(frozen=True, slots=True, kw_only=True)(cls)
    made.__pydantic_config__ = {"use_attribute_docstrings": True}
    return made  # type: ignore[no-any-return]


def schema_of(kind: Any) -> dict[str, Any]:
    """The JSON schema of a class or an adapter; the same for what comes in and what goes out."""
    adapter = kind if isinstance(kind, TypeAdapter) else TypeAdapter(kind)
    schema: dict[str, Any] = _defaults_as_text(adapter.json_schema(ref_template="#/components/schemas/{model}"))
    decimals_are_strings(schema)
    return schema


def decimals_are_strings(schema: Any) -> None:
    """Where a library writes "a number or a string" for a decimal, leave the string: numbers are refused, and never
    answered."""
    if isinstance(schema, dict):
        options = schema.get("anyOf")
        if isinstance(options, list) and _is_decimal(options):
            texts = [option for option in options if option.get("type") != "number"]
            texts = [{"pattern": DECIMAL, **each} if each.get("type") == "string" else each for each in texts]
            if len(texts) == 1:
                del schema["anyOf"]
                schema.update(texts[0])
            else:
                schema["anyOf"] = texts
        for part in schema.values():
            decimals_are_strings(part)
    elif isinstance(schema, list):
        for part in schema:
            decimals_are_strings(part)


def _is_decimal(options: list[Any]) -> bool:
    """Whether a choice is one of a number or a text, or none of both; a yes or no beside them is another thing."""
    kinds = sorted(str(option.get("type")) for option in options)
    return kinds in (["number", "string"], ["null", "number", "string"])


def _defaults_as_text(part: Any) -> Any:
    # Generators read "has a default" as "is there", of a body too; and FastAPI leaves out the default null.
    if isinstance(part, list):
        return [_defaults_as_text(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    told = {name: _defaults_as_text(inner) for name, inner in part.items() if name != "properties"}
    if "properties" in part:
        told["properties"] = {name: _optional(_defaults_as_text(field)) for name, field in part["properties"].items()}
    return {name: told[name] for name in part}


def _optional(field: dict[str, Any]) -> dict[str, Any]:
    """A property without the keyword `default`; its description says what is taken instead."""
    default = field.get("default")
    kept = {name: inner for name, inner in field.items() if name != "default"}
    if default is None or default in ([], {}):
        return kept
    sentence = f"Default: {default if isinstance(default, str) else msgspec.json.encode(default).decode()}."
    return {**kept, "description": f"{kept['description']} {sentence}" if "description" in kept else sentence}
