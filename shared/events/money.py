"""Money as data: a decimal amount with its currency, never a float."""

from typing import Annotated

from annotated_types import MaxLen, MinLen
from pydantic import Field

from shared.events.definition import Exact, value


@value
class Money:
    """An amount in a currency. Arithmetic between different currencies is an error in the program."""

    amount: Annotated[Exact, Field(examples=["120000.00"])]
    """A decimal as a string, with at most the decimals of the currency."""
    currency: Annotated[str, MinLen(3), MaxLen(3)]
    """A currency of ISO 4217 that has minor units, like EUR."""

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    def __add__(self, other: "Money") -> "Money":
        return Money(amount=self.amount + self._same(other).amount, currency=self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(amount=self.amount - self._same(other).amount, currency=self.currency)

    def __neg__(self) -> "Money":
        return Money(amount=-self.amount, currency=self.currency)

    def _same(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} cannot be added")
        return other
