"""Structural diff of two versions of a process: what was added, taken out, changed and moved (PROC-1)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any, Literal

from shared.events.definition import value
from shared.events.process import ProcessDefinition


@value
class Difference:
    """One difference of two versions. A path names what has a key by it: `stages/solution/tasks/demonstrate/name`."""

    path: str
    kind: Literal["added", "removed", "changed", "moved"]
    before: Any = None
    """What stood there; of what moved, the keys in their order."""
    after: Any = None


def differences(before: ProcessDefinition, after: ProcessDefinition) -> list[Difference]:
    """What is different in another version, in the order of a process."""
    return list(_compared(plain(before), plain(after), ""))


def plain(given: Any, *, sparse: bool = False) -> Any:
    """A value as the data of its document; a sparse one is without what is by default so."""
    if is_dataclass(given) and not isinstance(given, type):
        pairs = ((field, getattr(given, field.name)) for field in fields(given))
        return {
            field.name: plain(held, sparse=sparse) for field, held in pairs if not (sparse and held == field.default)
        }
    if isinstance(given, tuple):
        return [plain(each, sparse=sparse) for each in given]
    return str(given) if isinstance(given, Decimal) else given


def _compared(before: Any, after: Any, path: str) -> Iterator[Difference]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping) and not path.endswith("/when"):
        yield from _of_fields(before, after, path)
    elif _is_keyed(before) and _is_keyed(after):
        yield from _of_things(before, after, path)
    else:
        yield Difference(path=path, kind="changed", before=before, after=after)


def _of_fields(before: Mapping[str, Any], after: Mapping[str, Any], path: str) -> Iterator[Difference]:
    for name in dict.fromkeys((*before, *after)):
        yield from _compared(before.get(name), after.get(name), f"{path}/{name}".lstrip("/"))


def _of_things(before: Sequence[Any], after: Sequence[Any], path: str) -> Iterator[Difference]:
    """Things with keys are the same by them, wherever they stand."""
    was, now = ({each["key"]: each for each in group} for group in (before, after))
    for key in dict.fromkeys((*was, *now)):
        where = f"{path}/{key}"
        if key not in now:
            yield Difference(path=where, kind="removed", before=was[key])
        elif key not in was:
            yield Difference(path=where, kind="added", after=now[key])
        else:
            yield from _compared(was[key], now[key], where)
    stayed = [[key for key in group if key in was and key in now] for group in (was, now)]
    if stayed[0] != stayed[1]:
        yield Difference(path=path, kind="moved", before=stayed[0], after=stayed[1])


def _is_keyed(given: Any) -> bool:
    """Whether something is a list of things with keys, or an empty one."""
    return isinstance(given, list) and all(isinstance(each, dict) and "key" in each for each in given)
