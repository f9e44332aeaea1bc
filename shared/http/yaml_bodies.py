"""YAML bodies and answers (RFC 9512): the same data as JSON, written so that people can keep it in a file.

What is read is the JSON subset of YAML 1.2: mappings, sequences, texts, true and false, null and integers. A number
with a point stays a text, as decimals are in JSON here, and so do dates, `yes`, `on` and 0x10. Anchors, aliases, tags
and several documents in one are refused, and the events of the parser are put together without recursion.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import yaml

MEDIA_TYPE = "application/yaml"
MOST_BYTES = 131_072
"""The event loop stands still while one is read: a tenth of a second at most."""
MAX_DEPTH = 32
"""Levels of nesting, as of a body in JSON."""

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_PLAIN: dict[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}


class NotYaml(ValueError):
    """A text that cannot be read; the message says why and where, in lines counted from 1."""


def json_of(raw: bytes) -> bytes:
    """A YAML document as JSON. Raises NotYaml."""
    if len(raw) > MOST_BYTES:
        raise NotYaml(f"A YAML body has at most {MOST_BYTES} bytes.")
    try:
        return msgspec.json.encode(_built(yaml.parse(raw.decode(), Loader=yaml.CSafeLoader)))
    except UnicodeDecodeError:
        raise NotYaml("A YAML body is UTF-8.") from None
    except yaml.MarkedYAMLError as error:
        raise NotYaml(f"{error.problem or 'This is no YAML'}{_at(error.problem_mark)}.") from None
    except yaml.YAMLError as error:
        raise NotYaml(f"This is no YAML: {error}.") from None


def yaml_of(data: Any) -> str:
    """Plain data as YAML, in the order of its fields; a text that could be read as something else is quoted."""
    dumped: str = yaml.dump(data, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=120)
    return dumped


class _Open:
    """A mapping or sequence whose end has not come."""

    __slots__ = ("key", "key_given", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self.key = ""
        self.key_given = False


def _built(events: Iterator[Any]) -> Any:
    """The one document that the events tell."""
    documents: list[Any] = []
    stack: list[_Open] = []
    for event in events:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise NotYaml(f"Anchors and aliases are not read{_at(event.start_mark)}.")
        if isinstance(event, yaml.ScalarEvent):
            _put(stack, documents, event, _scalar(event))
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            _refuse_tag(event)
            if len(stack) == MAX_DEPTH:
                raise NotYaml(f"A body nests at most {MAX_DEPTH} levels{_at(event.start_mark)}.")
            stack.append(_Open({} if isinstance(event, yaml.MappingStartEvent) else []))
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            _put(stack, documents, event, stack.pop().value)
    if len(documents) > 1:
        raise NotYaml("A body is one document.")
    return documents[0] if documents else {}


def _put(stack: list[_Open], documents: list[Any], event: Any, made: Any) -> None:
    """Put a value where it belongs: into what is open, or as the document."""
    if not stack:
        documents.append(made)
        return
    into = stack[-1]
    if isinstance(into.value, list):
        into.value.append(made)
    elif into.key_given:
        into.value[into.key] = made
        into.key_given = False
    else:
        name = event.value if isinstance(event, yaml.ScalarEvent) else None
        if name is None:
            raise NotYaml(f"A name is a text{_at(event.start_mark)}.")
        if name in into.value:
            raise NotYaml(f"{name!r} stands twice{_at(event.start_mark)}.")
        into.key, into.key_given = name, True


def _scalar(event: Any) -> Any:
    _refuse_tag(event)
    written: str = event.value
    if event.style:
        return written  # quoted, or a block
    if written in _PLAIN:
        return _PLAIN[written]
    return int(written) if _INTEGER.fullmatch(written) else written


def _refuse_tag(event: Any) -> None:
    if event.tag is not None:
        raise NotYaml(f"Tags are not read{_at(event.start_mark)}.")


def _at(mark: Any) -> str:
    return "" if mark is None else f", in line {mark.line + 1}"
