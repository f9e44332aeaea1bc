"""One OpenAPI document of all services: what frontend teams generate their client from (API-5)."""

import copy
from collections.abc import Mapping
from typing import Any

from shared.http.openapi.document import SECURITY, VERSION, Document


def merged(documents: Mapping[str, Document]) -> Document:
    """One document of all services. Raises ValueError when two services own one path or operation id.

    A schema that two services call the same but mean differently carries its service's name.
    """
    whole: Document = {
        "openapi": "3.1.0",
        "info": {"title": "Throughline", "version": VERSION, "description": "From lead to cash, at one origin."},
        "paths": {},
        "components": {"schemas": {}, "securitySchemes": SECURITY},
        "security": [{"bearer": []}, {"session": []}],
    }  # fmt: skip
    owners: dict[str, str] = {}
    for service, given in documents.items():
        own = _renamed(given, service, whole["components"]["schemas"])
        whole["components"]["schemas"].update(own["components"]["schemas"])
        for path, operations in own["paths"].items():
            for key in (path, *(told["operationId"] for told in operations.values())):
                if key in owners:
                    raise ValueError(f"{service} and {owners[key]} both own {key}")
                owners[key] = service
            whole["paths"][path] = operations
    whole["paths"] = dict(sorted(whole["paths"].items()))
    whole["components"]["schemas"] = dict(sorted(whole["components"]["schemas"].items()))
    return whole


def _renamed(given: Document, service: str, taken: Document) -> Document:
    clashes = {name for name, schema in given["components"]["schemas"].items() if taken.get(name, schema) != schema}
    if not clashes:
        return given
    new = {f"#/components/schemas/{name}": f"#/components/schemas/{service.capitalize()}{name}" for name in clashes}
    changed = copy.deepcopy(given)
    _redirect(changed, new)
    schemas = changed["components"]["schemas"]
    for name in clashes:
        schemas[f"{service.capitalize()}{name}"] = schemas.pop(name)
    return changed


def _redirect(part: Any, new: Mapping[str, str]) -> None:
    if isinstance(part, dict):
        if isinstance(reference := part.get("$ref"), str):
            part["$ref"] = new.get(reference, reference)
        for inner in part.values():
            _redirect(inner, new)
    elif isinstance(part, list):
        for inner in part:
            _redirect(inner, new)
