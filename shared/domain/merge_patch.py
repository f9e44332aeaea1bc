"""JSON Merge Patch (RFC 7396): a command that changes some fields tells one that it leaves out from one that is null.

    @value
    class ChangeAccount:
        name: Name = absent()
        industry: Word | None = absent()

What is left out stays as it is; null empties a field that may be empty, and is refused by the type of any other one.
"""

from dataclasses import field, fields
from typing import Any, Final, final


@final
class Absent:
    """Stands in a field that a command leaves out."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()


def absent() -> Any:
    """The default of a field that may be left out. A factory, so that schemas name no default."""
    return field(default_factory=lambda: ABSENT)


def given(command: Any) -> dict[str, Any]:
    """The fields that a command does not leave out."""
    said = {each.name: getattr(command, each.name) for each in fields(command)}
    return {name: value for name, value in said.items() if value is not ABSENT}
