"""Resource representations: what clients see of an aggregate, declared apart from its states (data transfer objects).

    @value
    class WonDeal:
        '''The customer agreed.'''

        name: str
        amount: Money
        on: date

    DEAL = Resource(deal, OpenDeal, WonDeal, …)

The class with the name of a state says which of that state's fields are published, and of the values in them which
fields. What else a state remembers, like what a repeated command is compared with, may change without any client seeing
it. Id, version and status stand beside: they are those of every aggregate.
"""

import types
import typing
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cached_property
from types import NoneType
from typing import Any

from shared.domain.aggregate import Aggregate, states_of

Read = Callable[[Any], Any]


class Resource:
    """The representations of an aggregate, one for each state that it can stand in."""

    def __init__(self, aggregate: Aggregate, *shapes: type, reads: Read | None = None) -> None:
        """`reads` gives plain data of a state that keeps its content otherwise. Raises ValueError when a state has no
        shape, a shape no state, or a shape a field that its state does not have."""
        self.aggregate = aggregate
        by_name = {shape.__name__: shape for shape in shapes}
        states = {state.__name__: state for state in states_of(aggregate)}
        if by_name.keys() != states.keys():
            differing = ", ".join(sorted(by_name.keys() ^ states.keys()))
            raise ValueError(f"{aggregate.name} does not have one shape for each state: {differing}")
        self.shapes = {states[name]: shape for name, shape in by_name.items()}
        self._reads = reads
        self._shaped = {state: _Shaped(shape) for state, shape in self.shapes.items()}
        for state, shape in self.shapes.items():
            source = state if reads is None else typing.get_type_hints(reads)["return"]
            if missing := [field.name for field in fields(shape) if not hasattr(source, field.name)]:
                raise ValueError(f"{shape.__name__} publishes {missing}, which {source.__name__} does not have")

    def of(self, state: Any) -> dict[str, Any]:
        """What is published of a state, by field."""
        source = state if self._reads is None else self._reads(state)
        return self._shaped[type(state)].values(source)


class _Shaped:
    """Makes the values of a class out of whatever has attributes of the same names."""

    def __init__(self, kind: type) -> None:
        self._kind = kind

    @cached_property
    def _readers(self) -> tuple[tuple[str, Read], ...]:
        # Made at the first use: a class may hold values of its own kind.
        return tuple((name, _reader(hint)) for name, hint in typing.get_type_hints(self._kind).items())

    def values(self, source: Any) -> dict[str, Any]:
        return {name: read(getattr(source, name)) for name, read in self._readers}

    def __call__(self, source: Any) -> Any:
        return source if type(source) is self._kind else self._kind(**self.values(source))


def _reader(hint: Any) -> Read:
    """How a value becomes what a field is declared as."""
    if isinstance(hint, type) and is_dataclass(hint):
        return _Shaped(hint)
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        return _each(_reader(inner[0]))
    if origin in (typing.Union, types.UnionType):
        some = [option for option in inner if option is not NoneType]
        return _if_any(_reader(some[0])) if len(some) == 1 else _same
    return _same


def _same(value: Any) -> Any:
    return value


def _each(read: Read) -> Read:
    return tuple if read is _same else lambda values: tuple(map(read, values))


def _if_any(read: Read) -> Read:
    return _same if read is _same else lambda value: None if value is None else read(value)
