"""Codec of events: the one reader and writer of stored and published data, with upcasting."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints
from uuid import UUID

import msgspec

from shared.events.definition import FREE_TEXT, PERSONAL, Upcast
from shared.events.registry import Registry, type_of, version_of


class UnknownEvent(Exception):
    """An event whose type or version this release does not know. Readers skip it."""

    def __init__(self, type_name: str, version: int) -> None:
        super().__init__(f"{type_name} version {version} is not known to this release")
        self.type = type_name
        self.version = version


class Unreadable(Exception):
    """Data that does not fit the class of its type and version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """An event's data for the log and the topics, and apart from it what can be erased: what is about a `person`, or
    free text, which is its aggregate's."""

    data: bytes
    personal: bytes | None = None
    person: UUID | None = None
    """None of free text."""


class Codec:
    """JSON of the event classes of a registry: decimals and dates as strings, unknown fields ignored on reading."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._encoder = msgspec.json.Encoder(decimal_format="string", order="deterministic")
        self._decoders: dict[tuple[str, int], msgspec.json.Decoder[Any]] = {
            (type_of(found), version_of(found)): msgspec.json.Decoder(found) for found in registry.classes
        }
        self._apart = {found: apart for found in registry.classes if (apart := fields_apart(found))}
        self._others = {
            found: tuple(field.name for field in dataclasses.fields(found) if field.name not in apart)
            for found, apart in self._apart.items()
        }

    def encode(self, event: Any) -> Encoded:
        """The data of an event; `Personal` fields stand apart, with the person whom they are about, and so does
        `FreeText`."""
        event_class = type(event)
        if event_class not in self._apart:
            return Encoded(data=self._encoder.encode(event))
        published = {name: getattr(event, name) for name in self._others[event_class]}
        apart = self._apart[event_class]
        # What was required before it stood apart stays, empty: whoever reads the topic by an older schema can.
        published |= {name: blank for name, blank in apart.items() if blank is not None}
        data = self._encoder.encode(published)
        own = {name: value for name, blank in apart.items() if (value := getattr(event, name)) != blank}
        if not own:
            return Encoded(data=data)
        if event_class.person is None:
            return Encoded(data=data, personal=self._encoder.encode(own))
        person = getattr(event, event_class.person)
        if person is None:
            raise ValueError(f"{type_of(event_class)} carries personal data of nobody: {event_class.person} is empty")
        return Encoded(data=data, personal=self._encoder.encode(own), person=person)

    def decode(self, type_name: str, version: int, data: str | bytes, personal: str | bytes | None = None) -> Any:
        """The event of stored data. Raises `UnknownEvent`, `Unreadable`."""
        decoder = self._decoders.get((type_name, version))
        try:
            if decoder is None:
                return self._decode_older(type_name, version, data, personal)
            return decoder.decode(data if personal is None else _joined(data, personal))
        except (msgspec.DecodeError, LookupError, TypeError, ValueError) as problem:
            raise Unreadable(f"{type_name} version {version}: {problem}") from problem

    def _decode_older(self, type_name: str, version: int, data: str | bytes, personal: str | bytes | None) -> Any:
        content = {**msgspec.json.decode(data, type=dict), **msgspec.json.decode(personal or "{}", type=dict)}
        while upcast := self._upcast(type_name, version):
            content, version = upcast(content), version + 1
        event_class = self.registry.of(type_name, version)
        if event_class is None:
            raise UnknownEvent(type_name, version)
        return msgspec.convert(content, event_class, strict=True)

    def _upcast(self, type_name: str, version: int) -> Upcast | None:
        return self.registry.upcasters.get((type_name, version))


def _joined(data: str | bytes, personal: str | bytes) -> bytes:
    """Two JSON objects of ours as one text: cheaper than reading both. A name in both counts as the right one says it
    (msgspec keeps the last)."""
    left = data.encode() if isinstance(data, str) else data
    right = personal.encode() if isinstance(personal, str) else personal
    inner = left.strip()[1:-1]
    return b"{" + inner + (b"," if inner.strip() else b"") + right.strip()[1:]


def erased(event: Any) -> Any:
    """An event as it reads once what stands apart of it is erased."""
    return dataclasses.replace(event, **fields_apart(type(event)))


def whose(event: Any, aggregate_id: UUID) -> UUID | None:
    """By whose id an event's fields that stand apart are erased: that of its person, else of its aggregate."""
    return getattr(event, event.person) if event.person else aggregate_id


def fields_apart(event_class: type) -> Mapping[str, Any]:
    """The fields of an event that stand beside the log, each with what it reads as once erased: those about a person,
    or those of free text. Raises ValueError where they could not be erased, or not be read without."""
    hints = get_type_hints(event_class, include_extras=True)
    fields = {field.name: field.default for field in dataclasses.fields(event_class)}
    marks = {name: {PERSONAL, FREE_TEXT} & set(_metadata(hints[name])) for name in fields}
    apart = {name: fields[name] for name, found in marks.items() if found}
    person = event_class.person  # type: ignore[attr-defined]
    if PERSONAL in set().union(*marks.values()) and (person is None or person not in hints):
        raise ValueError(f"{type_of(event_class)} carries personal data, but does not say whose")
    if FREE_TEXT in set().union(*marks.values()) and person is not None:
        # One row for each event: of a person or of the aggregate.
        raise ValueError(f"{type_of(event_class)} carries both free text and personal data: mark the text `Personal`")
    if missing := sorted(name for name, blank in apart.items() if blank is not None and blank != ""):
        # Erased data is absent, and an event must read without it.
        raise ValueError(f"{type_of(event_class)}: the fields {missing} stand apart and need the default None")
    return apart


def _metadata(hint: Any, within: frozenset[type] = frozenset()) -> tuple[Any, ...]:
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        if hint in within:  # A value may hold others of its own kind, like a criterion of criteria.
            return ()
        # Only whole fields of the event are kept apart: a mark deeper inside would be published.
        hints = get_type_hints(hint, include_extras=True)
        for name, inner in hints.items():
            if {PERSONAL, FREE_TEXT} & set(_metadata(inner, within | {hint})):
                raise ValueError(f"{hint.__name__}.{name} stands apart; mark the field of the event that holds it")
        return ()
    inside = (mark for inner in get_args(hint) for mark in _metadata(inner, within))
    return (*getattr(hint, "__metadata__", ()), *inside)
