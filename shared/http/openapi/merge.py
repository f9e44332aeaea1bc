"""One OpenAPI document of all services: what frontend teams generate their client from (API-5)."""

from collections.abc import Mapping
from operator import itemgetter

from shared.http.openapi.parts import SECURITY, SERVERS, VERSION, Document


def merged(documents: Mapping[str, Document]) -> Document:
    """One document of all services.

    Raises ValueError when two services own one path or operation id, or call two different things the same: a name that
    is given to one of them here would be in no class, and differ from the one in the service's own document.
    """
    whole: Document = {
        "openapi": "3.1.0",
        "info": {"title": "Throughline", "version": VERSION, "description": "From lead to cash, at one origin."},
        "servers": SERVERS,
        "tags": sorted((tag for own in documents.values() for tag in own["tags"]), key=itemgetter("name")),
        "paths": {},
        "components": {"schemas": {}, "securitySchemes": SECURITY},
        "security": [{"bearer": []}, {"session": []}],
    }  # fmt: skip
    schemas: Document = whole["components"]["schemas"]
    owners: dict[str, str] = {}
    for service, own in documents.items():
        for name, schema in own["components"]["schemas"].items():
            if schemas.setdefault(name, schema) != schema:
                raise ValueError(f"{service} and {owners[f'schema {name}']} both call something {name}")
            owners.setdefault(f"schema {name}", service)
        for path, operations in own["paths"].items():
            for key in (path, *(told["operationId"] for told in operations.values())):
                if key in owners:
                    raise ValueError(f"{service} and {owners[key]} both own {key}")
                owners[key] = service
            whole["paths"][path] = operations
    whole["paths"] = dict(sorted(whole["paths"].items()))
    whole["components"]["schemas"] = dict(sorted(schemas.items()))
    return whole
