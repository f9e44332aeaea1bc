"""The filters of lists as query parameters: how a value is written, and what is left."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from shared.events.definition import DECIMAL
from shared.http.openapi.parts import Document
from shared.projections.columns import CURRENCY
from shared.projections.list_queries import MAX_VALUES, MAX_WORDS
from shared.projections.lists import ACCOUNT, Filter, Listing
from shared.projections.query_values import CurrencyCode

SEVERAL = "give the parameter once for each; an empty list when there are none"


def filter_parameter(name: str, condition: Filter, listing: Listing) -> Document:
    """A filter of a list: `equals` takes several values, the parameter once for each."""
    schema: Document = dict(VALUES[condition.kind])
    if condition.words:
        schema["enum"] = list(condition.words)
    if condition.takes_several:
        schema = {"type": "array", "items": schema, "maxItems": MAX_VALUES}
    if condition.narrows_if_true:
        schema["default"] = False
    described = _told(condition, listing)
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": described}


def _told(condition: Filter, listing: Listing) -> str:
    """What a filter leaves, as a sentence about the field that it looks at."""
    column, kind = condition.column, condition.kind
    value = "day" if kind is date else "instant" if kind is datetime else "value"
    more, less = ("more", "less") if value == "value" else ("later", "earlier")
    marks = " and whatever the marks on its letters" if column in listing.by_language else ""
    match condition.operator:
        case "search":
            account = ", or in what the account is called now" if ACCOUNT in listing.shown else ""
            told = f"Only those in which each of these words stands{account}, whatever its case and marks"
            told = f"{told}; at most {MAX_WORDS}"
        case "mine":
            told = f"true leaves only those whose `{column}` is whoever asks; refused if that is no member"
        case "nobody's":
            told = f"true leaves only those that have no `{column}`"
        case "known":
            told = f"true leaves only those that have a `{column}`, false only those that have none"
        case "equals" if kind is bool:
            told = f"true leaves only those whose `{column}` is true, false only the others"
        case "equals" if condition.with_subteams:
            told = f"Only those of this team and the teams below it, or of one of several: {SEVERAL}"
        case "equals" if column == CURRENCY:
            told = f"Only those in this currency (ISO 4217), or in one of several: {SEVERAL}"
        case "equals":
            told = f"Only those whose `{column}` is this, or one of several: {SEVERAL}"
        case "suits":
            told = f"Only those whose `{column}` has this value, or is empty: they are for every one"
        case "at least":
            told = f"Only those whose `{column}` is this {value} or {more}"
        case "at most":
            told = f"Only those whose `{column}` is this {value} or {less}"
        case "contains":
            told = f"Only those whose `{column}` contains this text, whatever the case{marks}"
    return f"{told}."


VALUES: Mapping[Any, Document] = {
    str: {"type": "string"},
    UUID: {"type": "string", "format": "uuid"},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time"},
    int: {"type": "integer"},
    Decimal: {"type": "string", "pattern": DECIMAL},
    bool: {"type": "boolean"},
    CurrencyCode: {"type": "string", "pattern": "^[A-Z]{3}$"},
}
"""How a value of a query is written, by the types that `shared.projections.query_values` reads."""
