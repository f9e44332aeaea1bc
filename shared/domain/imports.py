"""Descriptor of a kind of fact: what a line of an import tells, as the handler that takes it in declares it (DATA-5).

    @deal.imports("deal-won", DealWon, DealAmountChanged, series="deal-end")
    def import_win(state: AnyDeal, command: ImportDealWin, context: Context) -> Decision: ...

The fields of a line are those of the command. One that names something else by an id carries its outside id, and is
called like the command's field without `_id`; what it names is told by the field's type (`shared.domain.references`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from shared.events.chronology import Rank
from shared.events.registry import service_of

Ids = Callable[[str, str], UUID]
"""`(thing, outside id) -> id`: those of one source."""

ONCE = None
"""There is one such fact of a thing."""
WHEN: tuple[str, ...] = ()
"""Of several, each is known by when it happened."""
WHICH_FIELDS = "*"
"""Of several, each is known by when it happened and by which fields it names."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FactKind:
    """A kind of fact, and the command that takes it in."""

    name: str
    """What a line says as `fact`; part of the names of facts, so it stays."""
    command: type
    tells: tuple[type, ...]
    """The events that come of it. The first one is its aggregate's own, and ranks it among others of its time."""
    rank: Rank
    about: str
    """The thing whose outside id the line has as `id`: the aggregate, or a part of it."""
    again: tuple[str, ...] | None = WHEN
    """By which fields one of several facts of this kind about one thing is known where it has no `fact_id`: `WHEN`,
    `ONCE`, or fields of the line."""
    series: str | None = None
    """Kinds of one series with the same `fact_id` are one fact, whichever of them it is."""
    day: str = "on"
    """The command's field with the company's day of it."""
    identify: Callable[[Ids, str], UUID] | None = None
    """`(ids, outside id) -> id`, of a thing whose id follows from that of another one."""
    stream: Callable[[Any], UUID] | None = None
    """`(command) -> id of the aggregate`, where that has no outside id. A line about the aggregate itself has no `id`
    then."""
    keys: Callable[[Any], Iterable[tuple[str, str | None]]] | None = None
    """`(command) -> kinds of keys, and keys`, of which only one may hold each; None where there is no key."""
    inherits: Mapping[str, str] = field(default_factory=dict)
    """Fields of the command that are those of a thing which the line names, unless it says them itself: field → the
    field of the line that names the thing."""
    assumed: Callable[[Sequence[Any]], Iterable[str]] | None = None
    """`(events) -> words` for what had to be assumed, from what came of it; the summary counts them."""
    afterwards: Any = None
    """The command that every aggregate is given of which such facts were told, once all are."""
    last: bool = False
    """Whether it comes in after all else that happened at the same time."""

    @property
    def service(self) -> str:
        """Who takes it in."""
        return service_of(self.tells[0])

    @property
    def aggregate(self) -> str:
        """The name of the aggregate that takes it in."""
        first: Any = self.tells[0]
        return str(first.aggregate)

    @property
    def leads_to(self) -> str | None:
        """The command's field that says where a move leads; it is called like that of the event."""
        first: Any = self.tells[0]
        leads_to: str | None = first.leads_to
        return leads_to

    @property
    def is_part(self) -> bool:
        """Whether it is about a part of its aggregate."""
        return self.about != self.aggregate

    @property
    def has_id(self) -> bool:
        """Whether its lines have an `id`; else they are about what their other fields say."""
        return self.is_part or self.stream is None

    @property
    def brings(self) -> bool:
        """Whether something comes into being by it that others may name."""
        return self.rank is Rank.OPENING and not self.is_part


def ranked(name: str, tells: Sequence[type], said: Rank | None) -> Rank:
    """The rank of a kind: that of its first event, or the one that is `said` where events of its family have none.

    Raises TypeError where it is said twice, or never.
    """
    first: Any = tells[0]
    if (said is None) == (first.rank is None):
        raise TypeError(f"{name}: a rank is said once, by {first.__name__} or here")
    rank: Rank = first.rank if said is None else said
    return rank
