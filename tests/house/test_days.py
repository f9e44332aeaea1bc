"""The law of days: every day in a command lies within the calendar of business (API-1)."""

import typing
from collections.abc import Iterator
from dataclasses import is_dataclass
from datetime import date
from typing import Any

import pytest

from deploy.services import SERVICES, definition_of
from shared.domain.fields import Day


@pytest.mark.parametrize("service", SERVICES)
def test_every_day_in_a_command_is_one_of_them(service: str) -> None:
    for aggregate in definition_of(service).every_aggregate:
        for command in aggregate.handlers:
            assert not list(boundless(command, set())), command.__name__


def boundless(kind: type, seen: set[type]) -> Iterator[str]:
    """The fields of a command, and of what stands in it, that take any date."""
    seen.add(kind)
    for name, hint in typing.get_type_hints(kind, include_extras=True).items():
        for part in parts(hint):
            if part is date:
                yield name
            elif isinstance(part, type) and is_dataclass(part) and part not in seen:
                yield from boundless(part, seen)


def parts(hint: Any) -> Iterator[Any]:
    """What a type is made of; a day counts as one."""
    if hint == Day:
        return
    yield hint
    for inner in typing.get_args(hint):
        yield from parts(inner)
