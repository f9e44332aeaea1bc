"""What no line of an import may hold, whatever it says: texts that no database keeps, and nesting without sense."""

import re
from collections.abc import Mapping
from typing import Any

DEEPEST = 20
"""Levels of objects and lists in a line; no fact has more than three."""
SURROGATE = re.compile("[\ud800-\udfff]")


def flaw_of(line: Mapping[str, Any]) -> str | None:
    """Why a line cannot be kept, whatever it says: texts that no database takes, or nesting without sense."""
    rest: list[tuple[str, Any, int]] = [("", line, 0)]
    while rest:
        place, held, depth = rest.pop()
        if isinstance(held, str):
            # Lone surrogates have no UTF-8, and PostgreSQL keeps no NUL in a text.
            if "\x00" in held or SURROGATE.search(held):
                return f"{place or 'a name'}: NUL and halves of characters cannot be kept"
        elif depth > DEEPEST:
            return f"{place}: more than {DEEPEST} levels deep"
        elif isinstance(held, Mapping):
            rest += [("", name, depth) for name in held]
            rest += [(place or name, each, depth + 1) for name, each in held.items()]
        elif isinstance(held, list):
            rest += [(place, each, depth + 1) for each in held]
    return None
