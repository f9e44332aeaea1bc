"""What differs between a served projection and a fresh fold, without what the rows hold: it may be about people.
Pure."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from deploy.verify.comparing import What
from shared.projections.audit import Difference as RowDifference

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row that is not as a fresh fold makes it."""

    table: str
    key: Mapping[str, Any]
    what: What
    sentence: str
    ids: tuple[UUID, ...]
    """Every id in it, the key's first: aggregates that its events may belong to."""


def differing_rows(found: Iterable[RowDifference], keys: Mapping[str, Sequence[str]]) -> list[Row]:
    """One entry for each row, with its two sides put together by the primary key of its table."""
    served: dict[tuple[str, str], Any] = {}
    fresh: dict[tuple[str, str], Any] = {}
    for difference in found:
        content = json.loads(difference.row)
        key = {name: content[name] for name in keys.get(difference.table, ())} or content
        side = served if difference.served else fresh
        side[difference.table, json.dumps(key, sort_keys=True)] = content
    return [
        _row(table, keys.get(table, ()), served.get((table, key)), fresh.get((table, key)))
        for table, key in sorted(served.keys() | fresh.keys())
    ]


def _row(table: str, columns: Sequence[str], served: Any, fresh: Any) -> Row:
    key = {name: (served or fresh)[name] for name in columns}
    what: What
    if served is None:
        what, sentence = "missing", "it is missing"
    elif fresh is None:
        what, sentence = "unexpected", "a fresh fold does not have it"
    else:
        different = sorted(name for name in served.keys() | fresh.keys() if served.get(name) != fresh.get(name))
        what, sentence = "altered", f"{', '.join(different)} {'differs' if len(different) == 1 else 'differ'}"
    texts = (json.dumps(key), *(json.dumps(side) for side in (served, fresh) if side is not None))
    ids = dict.fromkeys(UUID(text) for part in texts for text in _UUID.findall(part))
    return Row(table=table, key=key, what=what, sentence=sentence, ids=tuple(ids))


def told(row: Row) -> str:
    """A row in one sentence."""
    key = ", ".join(f"{name} {value}" for name, value in row.key.items()) or "without a key"
    return f"Row of {row.table} ({key}): {row.sentence}."
