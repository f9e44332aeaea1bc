"""Lists in a document: what may be asked of each, one page of it, and one row."""

from shared.http.command_routes import operation_id
from shared.http.json import schema_of
from shared.http.openapi.examples import example_of
from shared.http.openapi.filters import filter_parameter
from shared.http.openapi.parts import (
    CORRELATION,
    LINK,
    OWN_TEAM,
    PATH_ID,
    PREFER,
    SWITCHED_TOTALS,
    TOKEN,
    Document,
    roles_of,
)
from shared.http.openapi.problem_answers import EVERY, OF_ONE, problems_of
from shared.http.openapi.schemas import Schemas
from shared.projections.columns import types_of
from shared.projections.list_queries import DEFAULT_ROWS, MAX_ROWS
from shared.projections.lists import OWN_TEAM_ONLY, Listing
from shared.projections.names import names_of

SORTED = "The field by which they are sorted; with - in front the greatest first."
SORTED_AMOUNTS = " Amounts are sorted by their number, whatever the currency: `currency` leaves those of one."
TOTALS = "Of everything that the filters leave, on all pages; there when `totals=true` asks for it."
SUMS = "What the amounts come to, once for each currency; none where there are no rows."


def listing_operation(listing: Listing, schemas: Schemas) -> Document:
    """The description of `GET /v1/<list>`."""
    item = _item(listing, schemas)
    example = {
        "items": [example_of(item, schemas.found)],
        "next": None,
        "has_more": False,
        "as_of": "2026-03-16T10:00:00Z",
    }
    return {
        "operationId": operation_id("list", listing.name),
        "tags": [listing.name],
        "summary": f"List {listing.name.replace('-', ' ')}.",
        "parameters": [*_parameters(listing), CORRELATION, TOKEN, PREFER],
        "responses": {
            "200": {
                "description": "One page.",
                "headers": LINK,
                "content": {"application/json": {"schema": _page(listing, item, schemas), "example": example}},
            },
            **problems_of(EVERY),
        },
        "x-roles": roles_of(listing.readers),
    }


def row_operation(listing: Listing, schemas: Schemas) -> Document:
    """The description of `GET /v1/<list>/{id}`, where no aggregate is shown there."""
    item = _item(listing, schemas)
    one = listing.item.__name__.removesuffix("Row")
    is_text = types_of(listing.item)[listing.key] is str
    key = {**PATH_ID, "schema": {"type": "string"}, "example": "…"} if is_text else PATH_ID
    return {
        "operationId": operation_id("get", one),
        "tags": [listing.name],
        "summary": f"Show one {one.lower()} as the list has it.",
        "parameters": [key, CORRELATION, TOKEN, PREFER],
        "responses": {
            "200": {
                "description": "Its row.",
                "content": {"application/json": {"schema": item, "example": example_of(item, schemas.found)}},
            },
            **problems_of([*EVERY, *OF_ONE]),
        },
        "x-roles": roles_of(listing.readers),
    }


def _parameters(listing: Listing) -> list[Document]:
    """What a query may name."""
    conditions = listing.conditions
    sorts = sorted(f"{sign}{name}" for name in listing.orders for sign in ("", "-"))
    amounts = SORTED_AMOUNTS if listing.sorts_amounts_of_currencies else ""
    return [
        *(filter_parameter(name, conditions[name], listing) for name in sorted(conditions)),
        *([OWN_TEAM] if OWN_TEAM_ONLY in listing.parameters else []),
        {
            "name": "sort",
            "in": "query",
            "schema": {"type": "string", "enum": sorts, "default": listing.default_sort},
            "description": f"{SORTED}{amounts}",
        },
        {
            "name": "limit",
            "in": "query",
            "schema": {"type": "integer", "minimum": 1, "maximum": MAX_ROWS, "default": DEFAULT_ROWS},
            "description": "How many a page has at most.",
        },
        {"name": "cursor", "in": "query", "schema": {"type": "string"}, "description": "`next` of the page before."},
        SWITCHED_TOTALS,
    ]


def _item(listing: Listing, schemas: Schemas) -> Document:
    """The reference to the schema of a row: its fields, and beside every id what that is called."""
    schema, named = schema_of(listing.item), names_of(listing.item)
    properties: Document = {}
    for field, told in schema["properties"].items():
        properties[field] = told
        if field in named and named[field].name not in schema["properties"]:
            text = {"type": ["string", "null"], "description": named[field].description}
            properties[named[field].name] = text
    return schemas.adopt({**schema, "properties": properties})


def _page(listing: Listing, item: Document, schemas: Schemas) -> Document:
    """The reference to the schema of a page."""
    one = listing.item.__name__.removesuffix("Row")
    page = {
        "type": "object",
        "description": "One page of the list.",
        "required": ["items", "next", "has_more", "as_of"],
        "properties": {
            "items": {"type": "array", "items": item},
            "next": {"type": ["string", "null"], "description": "The cursor of the following page."},
            "has_more": {"type": "boolean"},
            "as_of": {"type": ["string", "null"], "format": "date-time"},
            "totals": schemas.name(f"{one}Totals", _totals(listing, one, schemas)),
            "parked": {
                "type": "integer",
                "description": "Events that are missing here because they could not be applied.",
            },
        },
    }
    return schemas.name(f"{one}Page", page)


def _totals(listing: Listing, one: str, schemas: Schemas) -> Document:
    """The schema of what all rows come to."""
    properties: Document = {"count": {"type": "integer", "description": "How many there are."}}
    if listing.amounts:
        by_currency = {"type": "array", "items": {"$ref": "#/components/schemas/Money"}}
        sums: Document = {
            "type": "object",
            "description": SUMS,
            "required": list(listing.amounts),
            "properties": dict.fromkeys(listing.amounts, by_currency),
        }
        properties["sums"] = schemas.name(f"{one}Sums", sums)
    return {"type": "object", "description": TOTALS, "required": list(properties), "properties": properties}
