"""Examples made from schemas, for answers that nobody has written one for."""

from collections.abc import Mapping
from typing import Any

from shared.domain.context import Company

PREFIX = "#/components/schemas/"
MAX_DEPTH = 8

BY_FORMAT = {
    "uuid": "01913b6e-9c00-7a30-8f41-0c5d2e8b7a11",
    "date": "2026-03-16",
    "date-time": "2026-03-16T10:00:00Z",
}
BY_TYPE: Mapping[str, Any] = {"integer": 1, "number": 1, "boolean": True, "null": None, "string": "text"}
BY_NAME = {
    "currency": Company().currency,
    "name": "Acme",
    "stage": "quotation",
    "amount": "120000.00",
    "probability": "0.25",
    "ratio": "0.30",
    "quantity": "4",
}


def example_of(schema: Any, schemas: Mapping[str, Any], name: str = "", depth: int = 0) -> Any:
    """One value that the schema allows; `schemas` are the components that it refers to."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].removeprefix(PREFIX)], schemas, name, depth)
    for word in ("const", "default", "example"):
        if word in schema:
            return schema[word]
    for word in ("examples", "enum"):
        if schema.get(word):
            return schema[word][0]
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return example_of(schema[word][0], schemas, name, depth)
    return _by_type(schema, schemas, name, depth)


def _by_type(schema: Mapping[str, Any], schemas: Mapping[str, Any], name: str, depth: int) -> Any:
    kinds = schema.get("type", "object")
    kind = kinds[0] if isinstance(kinds, list) else kinds
    if kind == "object":
        if depth > MAX_DEPTH:
            return {}
        parts = schema.get("properties", {})
        return {part: example_of(inner, schemas, part, depth + 1) for part, inner in parts.items()}
    if kind == "array":
        items = schema.get("items") or (schema.get("prefixItems") or [None])[0]
        return [] if items is None or depth > MAX_DEPTH else [example_of(items, schemas, name, depth + 1)]
    if kind == "string":
        if "pattern" in schema:
            return BY_NAME.get(name, "1.00")  # Patterns of answers stand on decimals only.
        return BY_FORMAT.get(schema.get("format", ""), BY_NAME.get(name, BY_TYPE["string"]))
    return max(schema.get("minimum", 1), 1) if kind == "integer" else BY_TYPE[kind]
