"""Text as people sort and search it (UTS 10)."""

import unicodedata


def language_key(text: str) -> str:
    """By what a text is sorted and searched as people read it: letters without case and marks, composed or decomposed.

    Its code points in order give apple, Cafe, Émile, Öko, Özil, Zebra: the first level of the Unicode Collation
    Algorithm for the scripts that decompose (UTS 10). Made here, and not by a collation: not every PostgreSQL has ICU.
    """
    letters = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFKC", "".join(letter for letter in letters if not unicodedata.combining(letter)))
