"""PDF: a printed quote as a file that is tagged for screen readers (PDF/UA), the same bytes for the same quote.

Typst sets it from a template of ours; texts are handed over as data, and none of them is read as markup. Its fonts are
inside of it and those of the machine are not asked, so that every machine prints alike. They hold Latin with all its
accents, Greek, Cyrillic, Hebrew, and signs. What they lack is refused by name: else a box would stand in its place, and
the customer be the first to see it.
"""

import json
import re
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import typst
from babel import Locale

from services.deals.quote_print.sheet import DESCRIPTION, Sheet

MEDIA_TYPE = "application/pdf"
TEMPLATE = (Path(__file__).parent / "quote.typ").read_bytes()
FONT, SIGNS = "Libertinus Serif", "DejaVu Sans Mono"
STANDARD: Final = "ua-1"
"""It refuses a letter that no font holds, which is why it is asked for beside its tags."""
LACKING = re.compile(r'the text `"(.+)"` could not be displayed')
"""How Typst names a letter that no font holds."""

LARGE, REMEMBERED = 50, 10
"""From how many positions on a document is large, and for how many further ones Typst remembers what it set: of large
ones that would be some hundred megabytes."""


class Unprintable(Exception):
    """A text has letters that the fonts lack; `lacking` is the first of them."""

    def __init__(self, lacking: str) -> None:
        super().__init__(f"The fonts of printed documents lack {lacking!r}.")
        self.lacking = lacking


def pdf_of(sheet: Sheet, at: datetime) -> bytes:
    """The file, made at an instant. Of 200 positions it takes a second, in which other threads go on. Raises
    Unprintable."""
    fonts = typst.Fonts(include_system_fonts=False)
    try:
        made: bytes = typst.compile(
            TEMPLATE,
            font_paths=fonts,
            ignore_system_fonts=True,
            sys_inputs={"sheet": json.dumps(_given(sheet))},
            pdf_standards=STANDARD,
            timestamp=at,
        )
    except typst.TypstError as error:
        lacking = LACKING.search(error.message)
        if lacking is None:
            raise
        raise Unprintable(lacking[1]) from error
    finally:
        if len(sheet.rows) > LARGE:
            _forget(fonts)
    return made


def _forget(fonts: typst.Fonts) -> None:
    """Have Typst give back what it remembers of a large document, by setting so many empty ones that it is old."""
    for _ in range(REMEMBERED + 1):
        typst.compile(b"", font_paths=fonts, ignore_system_fonts=True)


def _given(sheet: Sheet) -> dict[str, Any]:
    """What the template is given: the sheet, and what it cannot know by itself."""
    locale = Locale.parse(sheet.language, sep="-")
    return {
        **asdict(sheet),
        "lang": locale.language,
        "region": locale.territory,
        "font": FONT,
        "signs": SIGNS,
        "description": DESCRIPTION,
    }
