"""Text as people see it, and as they sort and search it (UTS 10)."""

import unicodedata


def language_key(text: str) -> str:
    """By what a text is sorted and searched as people read it: letters without case and marks, composed or decomposed.

    Its code points in order give apple, Cafe, Émile, Öko, Özil, Zebra: the first level of the Unicode Collation
    Algorithm for the scripts that decompose (UTS 10). Made here, and not by a collation: not every PostgreSQL has ICU.
    """
    if text.isascii():
        return text.casefold()
    letters = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFKC", "".join(letter for letter in letters if not unicodedata.combining(letter)))


def shows(text: str) -> bool:
    """Whether some character of a text shows: one that is neither a separator nor a control, a mark of direction or
    another one without a form (Unicode categories Z and C)."""
    return any(unicodedata.category(letter)[0] not in "ZC" for letter in text)
