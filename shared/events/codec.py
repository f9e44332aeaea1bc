"""Codec of events: the one reader and writer of stored and published data, with upcasting."""

import dataclasses
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints
from uuid import UUID

import msgspec

from shared.events.definition import PERSONAL, Upcast
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
    """An event's data for the log and the topics, and apart from it what is about a person."""

    data: bytes
    personal: bytes | None = None
    person: UUID | None = None


class Codec:
    """JSON of the event classes of a registry: decimals and dates as strings, unknown fields ignored on reading."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._encoder = msgspec.json.Encoder(decimal_format="string", order="deterministic")
        self._decoders: dict[tuple[str, int], msgspec.json.Decoder[Any]] = {
            (type_of(found), version_of(found)): msgspec.json.Decoder(found) for found in registry.classes
        }
        self._personal = {found: _personal_fields(found) for found in registry.classes}
        self._others = {
            found: tuple(field.name for field in dataclasses.fields(found) if field.name not in personal)
            for found, personal in self._personal.items()
            if personal
        }

    def encode(self, event: Any) -> Encoded:
        """The data of an event; `Personal` fields stand apart, with the person whom they are about."""
        event_class = type(event)
        fields = self._personal[event_class]
        if not fields:
            return Encoded(data=self._encoder.encode(event))
        data = self._encoder.encode({name: getattr(event, name) for name in self._others[event_class]})
        personal = {name: value for name in fields if (value := getattr(event, name)) is not None}
        if not personal:
            return Encoded(data=data)
        person = getattr(event, event_class.person)
        if person is None:
            raise ValueError(f"{type_of(event_class)} carries personal data of nobody: {event_class.person} is empty")
        return Encoded(data=data, personal=self._encoder.encode(personal), person=person)

    def without_person(self, event: Any) -> Any:
        """The event without what is personal, as it reads once its person is erased."""
        return dataclasses.replace(event, **dict.fromkeys(self._personal[type(event)]))

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
    """Two JSON objects of ours as one text: cheaper than reading both. The names never overlap."""
    left = data.encode() if isinstance(data, str) else data
    right = personal.encode() if isinstance(personal, str) else personal
    inner = left.strip()[1:-1]
    return b"{" + inner + (b"," if inner.strip() else b"") + right.strip()[1:]


def _personal_fields(event_class: type) -> tuple[str, ...]:
    hints = get_type_hints(event_class, include_extras=True)
    names = tuple(field.name for field in dataclasses.fields(event_class) if PERSONAL in _metadata(hints[field.name]))
    person = event_class.person  # type: ignore[attr-defined]
    if names and (person is None or person not in hints):
        raise ValueError(f"{type_of(event_class)} carries personal data, but does not say whose")
    optional = {field.name for field in dataclasses.fields(event_class) if field.default is None}
    if missing := set(names) - optional:
        # Erased data is absent, and an event must read without it.
        raise ValueError(f"{type_of(event_class)}: the personal fields {sorted(missing)} need the default None")
    return names


def _metadata(hint: Any, within: frozenset[type] = frozenset()) -> tuple[Any, ...]:
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        if hint in within:  # A value may hold others of its own kind, like a criterion of criteria.
            return ()
        # Only whole fields of the event are kept apart: a mark deeper inside would be published.
        hints = get_type_hints(hint, include_extras=True)
        if hidden := [name for name, inner in hints.items() if PERSONAL in _metadata(inner, within | {hint})]:
            raise ValueError(f"{hint.__name__}.{hidden[0]} is personal; mark the field of the event that holds it")
        return ()
    inside = (mark for inner in get_args(hint) for mark in _metadata(inner, within))
    return (*getattr(hint, "__metadata__", ()), *inside)
