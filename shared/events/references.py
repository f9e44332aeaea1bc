"""Marks of ids: to what one leads, told by its type (API-1). The types are in `shared.domain.references`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reference:
    """The mark of an id that leads to something beside the command's own aggregate."""

    thing: str
    """What it leads to, like "member": the name of its aggregate, or of what stands inside of one."""
    called: str | None = None
    """The word for it to people, where that is another one."""
    anywhere: bool = False
    """Also to one that whoever asks does not reach or see."""
    kept: bool = False
    """Also to the one that the aggregate has already in the field of this name, whether whoever asks sees it or not."""


@dataclass(frozen=True, slots=True)
class Free:
    """The mark of an id that has to lead nowhere beside the command's own aggregate."""

    why: str
    thing: str | None = None
    """What it is the id of, where that has a name."""
