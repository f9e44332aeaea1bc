"""How deals are shared out among those who take them over, when somebody leaves (ACCT-4). Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal
from uuid import UUID

By = Literal["count", "value"]
"""Whether everybody gets as many deals, or deals worth as much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedDeal:
    """A deal that goes to somebody else, and its worth in the company's currency; None where no rate says it."""

    id: UUID
    worth: Decimal | None


def shared_out(deals: Sequence[SharedDeal], receivers: Sequence[UUID], by: By) -> Mapping[UUID, UUID]:
    """Who gets which deal; the same for the same deals, whatever their order.

    By count, in turn (round robin). By value, the dearest deal first, each to whoever has least so far (greedy number
    partitioning: nobody gets more than the mean and one deal beyond it). Deals of unknown worth come last, to whoever
    has fewest.
    """
    ordered = dearest_first(deals)
    if by == "count":
        return {each.id: receivers[place % len(receivers)] for place, each in enumerate(ordered)}
    worth = dict.fromkeys(receivers, Decimal(0))
    number = dict.fromkeys(receivers, 0)
    found = dict[UUID, UUID]()
    for each in ordered:
        load = number if each.worth is None else worth
        to = min(receivers, key=lambda receiver: (load[receiver], number[receiver]))
        found[each.id] = to
        worth[to] += each.worth or Decimal(0)
        number[to] += 1
    return found


def dearest_first(deals: Sequence[SharedDeal]) -> list[SharedDeal]:
    """Deals in the order in which they are given away; those of unknown worth last."""
    return sorted(deals, key=lambda each: (each.worth is None, -(each.worth or Decimal(0)), each.id))
