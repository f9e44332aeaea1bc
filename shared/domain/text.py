"""Texts that people write: one of nothing but white space says nothing, and is refused (API-1)."""

import unicodedata
from typing import Annotated

from annotated_types import MaxLen, MinLen
from pydantic import Field

NOT_BLANK = Field(pattern=r"\S")
"""Some character is other than white space. No other field of a command has a pattern."""

Name = Annotated[str, MinLen(1), MaxLen(200), NOT_BLANK]
"""The name of a person, a company, a deal, a product, a team, or another short text of the same kind."""


def language_key(text: str) -> str:
    """By what a text is sorted and searched as people read it: letters without case and marks, composed or decomposed.

    Its code points in order give apple, Cafe, Émile, Öko, Özil, Zebra: the first level of the Unicode Collation
    Algorithm for the scripts that decompose (UTS 10). Made here, and not by a collation: not every PostgreSQL has ICU.
    """
    letters = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFKC", "".join(letter for letter in letters if not unicodedata.combining(letter)))
