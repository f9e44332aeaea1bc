"""The page of all kinds of facts and their fields, from the commands that take them in (DATA-5)."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter

from deploy.imports.facts import with_article
from deploy.imports.kinds import KINDS, OUTSIDE_ID, UNTOLD, layout_of
from shared.domain.imports import WHICH_FIELDS, FactKind

HEAD = """# Facts of an import

Generated from the commands that take the facts in (`python -m deploy.reference`). Every line has also `fact`, the kind,
and `id`, the outside id of what it is about, unless the kind says otherwise; of kinds that may be told several times it
may have a `fact_id`. Any line may say `by`, the outside id of the member who did it: they are the `actor` of what is
recorded. At the end stands [what no line tells](#what-no-line-tells).
[Bring your own history](../how-to/import.md) says how lines are read.

An amount is `{"amount": "90000.00", "currency": "EUR"}`, a day `2025-07-01`, an instant `2025-07-01T09:30:00Z`. Stages
and nodes are those of the deal's process (`GET /v1/processes`).
"""
UNTOLD_HEAD = """## What no line tells

Other events do not come in, for these reasons:

| event | why |
| --- | --- |"""
TYPES = {"boolean": "true or false", "integer": "a whole number", "string": "a text"}
FORMATS = {"date": "a day", "date-time": "an instant", "uuid": "an id of here"}
ON = {"on": "the company's day of it", "at": "the instant of it, where it is known; default: the end of the day"}


def page() -> str:
    """The page, in Markdown."""
    kinds = (line for name, kind in KINDS.items() for line in _kind(name, kind))
    untold = (f"| `{event}` | {why} |" for event, why in UNTOLD.items())
    return "\n".join([HEAD, *kinds, UNTOLD_HEAD, *untold]) + "\n"


def _kind(name: str, kind: FactKind) -> Iterator[str]:
    schema = TypeAdapter(kind.command).json_schema()
    layout = layout_of(kind)
    references = {field: (said, about) for said, (field, about) in layout.references.items()}
    yield f"## `{name}`\n"
    no_id = "" if kind.has_id else " Its lines have no `id`."
    yield f"{schema['description'].split(chr(10))[0]}{_again(kind)}{no_id}\n"
    yield "| field | | what |\n| --- | --- | --- |"
    if layout.place:
        yield f"| `{layout.place}` | required | the outside id of {with_article(layout.place)} |"
    for field, about in schema["properties"].items():
        if field in {layout.own, OUTSIDE_ID}:
            continue
        said, thing = references.get(field, (field, None))
        what = f"the outside id of {with_article(thing)}" if thing else _what(about, schema)
        what = ON.get(field, what)
        told = about.get("description", "") if field not in ON else ""
        needed = "required" if field in schema.get("required", ()) else ""
        yield f"| `{said}` | {needed} | {what}{'. ' if told else ''}{' '.join(told.split()).removesuffix('.')} |"
    yield ""


def _again(kind: FactKind) -> str:
    if kind.again is None:
        return f" There is one of {with_article(kind.about)}."
    if not kind.again:
        return " There may be several, known by `fact_id` or by when they happened."
    by = [each for each in kind.again if each != WHICH_FIELDS]
    more = " and by which fields they name" if WHICH_FIELDS in kind.again else ""
    when = "when they happened" if WHICH_FIELDS in kind.again else f"`{by[0]}`"
    return f" There may be several, known by `fact_id` or by {when}{more}."


def _what(about: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """What a field holds."""
    some = next((each for each in about.get("anyOf", ()) if each.get("type") != "null"), about)
    name = some.get("$ref", "").rsplit("/", 1)[-1]
    some = schema["$defs"][name] if name else some
    what = FORMATS.get(some.get("format", ""), TYPES.get(some.get("type", ""), "any"))
    if "enum" in some:
        what = f"one of {', '.join(f'`{each}`' for each in some['enum'])}"
    elif name == "Money":
        what = "an amount"
    elif some.get("type") == "object":
        what = f"an object of {', '.join(f'`{each}`' for each in some['properties'])}"
    elif some.get("type") == "array":
        what = f"a list, each {_what(some['items'], schema)}"
    return what
