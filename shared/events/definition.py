"""Event definitions: plain data with a published type name and a version."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Protocol, TypeVar, dataclass_transform, get_type_hints

from pydantic import BeforeValidator, Field, WithJsonSchema

from shared.events.chronology import Rank

PERSONAL = "personal"
"""The mark of a field that holds data about a person; see `Personal`."""
FREE_TEXT = "free-text"
"""The mark of a field that holds what somebody wrote; see `FreeText`."""

Value = TypeVar("Value")
AsKnown = Annotated[
    Value,
    Field(description="As known when this was recorded: a fact told later may have changed it. No fold reads it."),
]
"""A field beside what was told, like what was so before (DATA-5)."""
Personal = Annotated[Value | None, PERSONAL]
"""A field about a person (DATA-4). It is stored beside the log, is absent on topics, and reads as None once erased."""
FreeText = Annotated[Value, FREE_TEXT]
"""A field in which people write what they like, so also about people (DATA-4). It is stored beside the log, in a row of
its event's aggregate, and reads as its default once erased. On topics it is absent, or empty where it used to be
required: readers go by codes."""


_DECIMAL = re.compile(r"-?\d{1,40}(\.\d{1,40})?", re.ASCII)


def _from_text(given: Any) -> Any:
    if isinstance(given, str) and _DECIMAL.fullmatch(given):
        return Decimal(given)
    if isinstance(given, Decimal):
        return given
    raise ValueError('a decimal is written with digits and a point, in JSON as a string: "120000.00"')


DECIMAL = r"^-?\d+(\.\d+)?$"
"""How a decimal is written."""

Exact = Annotated[
    Decimal,
    BeforeValidator(_from_text),
    WithJsonSchema({"type": "string", "pattern": DECIMAL}),
]
"""A decimal that is a string in JSON, so that no reader ever makes a binary float of it."""


def described(kind: Any, sentence: str) -> Any:
    """The type of a field of a class that is made, with what its schema says of it: others have docstrings."""
    return Annotated[kind, Field(description=sentence)]


def words(known: Iterable[str]) -> WithJsonSchema:
    """A text that is one of a closed set of words, as its schema spells them out; nothing is checked.

    For what is answered, where the words are data of the code: `Annotated[str, words(statuses(deal))]`. What is sent is
    declared as a `Literal`, which refuses other words.
    """
    return WithJsonSchema({"type": "string", "enum": [str(word) for word in known]})


class Event(Protocol):
    """An event class made by `event`; its instances are frozen data."""

    type: ClassVar[str]
    version: ClassVar[int]
    aggregate: ClassVar[str]
    person: ClassVar[str | None]
    erases: ClassVar[str | None]
    rank: ClassVar[Rank | None]
    leads_to: ClassVar[str | None]
    retracts: ClassVar[bool]


def known_fields(event_class: type) -> frozenset[str]:
    """The names of the fields of an event that are `AsKnown`."""
    (mark,) = AsKnown.__metadata__
    hints = get_type_hints(event_class, include_extras=True)
    return frozenset(name for name, hint in hints.items() if mark in getattr(hint, "__metadata__", ()))


Class = TypeVar("Class", bound=type)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def value(cls: Class) -> Class:
    """Define plain data that stands inside commands, events and states: frozen, and strict about unknown fields.

    The configuration is read by pydantic at the edges; attribute docstrings become the schema's descriptions.
    """
    made: Any = dataclass(frozen=True, slots=True, kw_only=True)(cls)
    made.__pydantic_config__ = {"use_attribute_docstrings": True, "extra": "forbid"}
    return made  # type: ignore[no-any-return]


@dataclass_transform(frozen_default=True, kw_only_default=True)
def event(
    name: str,
    *,
    aggregate: str,
    version: int = 1,
    person: str | None = None,
    erases: str | None = None,
    rank: Rank | None = None,
    leads_to: str | None = None,
    retracts: bool = False,
) -> Callable[[Class], Class]:
    """Define an event: `name` like "deals.deal-won", the `aggregate` whose stream it stands in ("deal").

    `person` names the field that identifies whose personal data the event carries; it is required as soon as a
    field is `Personal`. `erases` names the field with the person whose personal data is deleted with the append of the
    event, or with the aggregate whose free texts are (DATA-4). `rank` says where it stands among others of its time, in
    a family whose facts may be told late; there every event has one. `leads_to` names the field that says where a move
    leads. One that `retracts` takes back what the `request` that it names told of its thing. Changes inside a version
    are additive only; a changed shape is a new version with an upcaster.
    """

    def define(cls: Class) -> Class:
        if taken := cls.__annotations__.keys() & get_type_hints(Event).keys():
            raise TypeError(f"{cls.__name__} has fields named {sorted(taken)}, which say something of every event")
        made: Any = dataclass(frozen=True, slots=True, kw_only=True)(cls)
        made.type, made.version, made.aggregate, made.person, made.erases = name, version, aggregate, person, erases
        made.rank, made.leads_to, made.retracts = rank, leads_to, retracts
        made.__pydantic_config__ = {"use_attribute_docstrings": True, "extra": "ignore"}
        return made  # type: ignore[no-any-return]

    return define


Upcast = Callable[[dict[str, Any]], dict[str, Any]]


def upcasts(type_name: str, version: int) -> Callable[[Upcast], Upcast]:
    """Mark `(data) -> data` as the step from a version of an event's data to the next one."""

    def mark(function: Upcast) -> Upcast:
        function.upcasts = (type_name, version)  # type: ignore[attr-defined]
        return function

    return mark
