"""The rules of attainment: what kinds of targets are measured in, what is due by now, quotas backwards (PROC-4). Pure.

What a kind is called, and by which formula it is measured, stands in the catalogues (`target.<kind>.name`, `.formula`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Literal, get_args

from shared.domain.money import half_up
from shared.events.deals.target import CountKind, MoneyKind, ShareKind, SummedKind

Unit = Literal["money", "count", "share"]

UNITS: Mapping[str, Unit] = {
    **dict.fromkeys(get_args(MoneyKind), "money"),
    **dict.fromkeys(get_args(CountKind), "count"),
    **dict.fromkeys(get_args(ShareKind), "share"),
}
"""What each kind is measured in."""
SUMMED: tuple[str, ...] = get_args(SummedKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What is reached of a kind. Of what is divided, `numerator` and `denominator`; `n` cases are behind it."""

    numerator: Decimal
    denominator: Decimal | None = None
    n: int

    @property
    def value(self) -> Decimal | None:
        """What compares with the target; None when there is nothing to divide by."""
        if self.denominator is None:
            return self.numerator
        return self.numerator / self.denominator if self.denominator else None


def due(kind: str, target: Decimal, begun: int, whole: int) -> Decimal:
    """What of a target is to be reached by now: of what adds up the elapsed part, of shares and averages all of it."""
    return target * begun / whole if kind in SUMMED else target


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How many wins, deals and leads a target takes; None from where a rate is not known."""

    wins: int | None
    deals: int | None
    leads: int | None


Rate = Decimal | Fraction | None


def quota(target: Decimal | None, average: Rate, win_rate: Rate, conversion: Rate) -> Quota:
    """A target backwards: ÷ average won amount ÷ win rate ÷ conversion. Each step is rounded up, as there is no part of
    a deal: 16 million at 2 million, 40 % and 20 % take 8 wins, 20 deals and 100 leads."""
    wins = _needed(target, average)
    deals = _needed(wins, win_rate)
    return Quota(wins=wins, deals=deals, leads=_needed(deals, conversion))


def _needed(wanted: Decimal | int | None, each: Rate) -> int | None:
    """How many whole ones it takes; none is known where one brings nothing."""
    return ceil(Fraction(wanted) / Fraction(each)) if wanted is not None and each else None


def proposed(kind: str, before: Decimal, growth: Decimal) -> Decimal:
    """What could be wanted after what was reached a year before: amounts in whole units, counts rounded up."""
    grown = before * (1 + growth)
    return half_up(grown, Decimal(1)) if UNITS[kind] == "money" else Decimal(ceil(grown))
