"""HTML: a printed quote as one page, which loads nothing, runs nothing and can be printed as it stands. Pure.

The page is a tree of elements that the standard library writes out, so that every text is escaped.
"""

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from xml.etree.ElementTree import Element, SubElement, tostring

from services.deals.quote_print.sheet import DESCRIPTION, Column, Fact, Sheet

MEDIA_TYPE = "text/html"
STYLE = (Path(__file__).parent / "quote.css").read_text(encoding="utf-8")
_STYLE_HASH = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none';"
        " frame-ancestors 'none'; form-action 'none'; sandbox allow-modals"
    }
)
"""Nothing but its own style sheet; sandboxed, but for the dialogue in which it is printed."""


def page_of(sheet: Sheet) -> str:
    """The page."""
    page = Element("html", lang=sheet.language)
    head = SubElement(page, "head")
    SubElement(head, "meta", charset="utf-8")
    SubElement(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    _text(head, "title", sheet.title)
    _text(head, "style", STYLE)
    main = SubElement(SubElement(page, "body"), "main")
    if sheet.company:
        _text(main, "p", sheet.company, {"class": "company", "dir": "auto"})
    _text(main, "h1", sheet.title)
    if sheet.mark:
        _text(main, "p", sheet.mark, {"class": "mark"})
    facts = SubElement(main, "dl")
    for fact in sheet.facts:
        _text(facts, "dt", fact.name)
        _text(facts, "dd", fact.text, {"dir": "auto"})
    _positions(main, sheet)
    _sums(main, sheet)
    if sheet.remark:
        _text(main, "p", sheet.remark)
    return "<!DOCTYPE html>\n" + tostring(page, encoding="unicode", method="html") + "\n"


def _positions(main: Element, sheet: Sheet) -> None:
    # In a box of its own that scrolls: on a narrow screen the table is wider than the page.
    box = SubElement(
        main, "div", {"class": "positions", "role": "region", "aria-label": sheet.positions, "tabindex": "0"}
    )
    table = SubElement(box, "table")
    _text(table, "caption", sheet.positions)
    head = SubElement(SubElement(table, "thead"), "tr")
    for column in sheet.columns:
        _text(head, "th", column.name, {"scope": "col", **_set(column)})
    body = SubElement(table, "tbody")
    for row in sheet.rows:
        line = SubElement(body, "tr")
        for index, (column, cell) in enumerate(zip(sheet.columns, row.cells, strict=True)):
            if index == DESCRIPTION:
                name = SubElement(line, "th", {"scope": "row"})
                _text(name, "span", cell, {"dir": "auto"})
                if row.note:
                    _text(name, "small", row.note)
            else:
                _text(line, "td", cell, _set(column))


def _sums(main: Element, sheet: Sheet) -> None:
    table = SubElement(main, "table", {"class": "sums"})
    body = SubElement(table, "tbody")
    for fact in sheet.sums:
        _sum(body, fact)
    _sum(SubElement(table, "tfoot"), sheet.total)


def _sum(parent: Element, fact: Fact) -> None:
    line = SubElement(parent, "tr")
    _text(line, "th", fact.name, {"scope": "row"})
    _text(line, "td", fact.text, {"class": "number"})


def _set(column: Column) -> dict[str, str]:
    """How what stands in a column is set."""
    kinds = [kind for kind, is_so in (("number", column.is_number), ("words", column.has_words)) if is_so]
    return {"class": " ".join(kinds)} if kinds else {}


def _text(parent: Element, tag: str, text: str, attributes: Mapping[str, str] = MappingProxyType({})) -> None:
    SubElement(parent, tag, dict(attributes)).text = text
