"""Types of query parameters of hand-written routes: each value has the one spelling that lists take too."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from annotated_types import Ge, Le
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from shared.domain.fields import FIRST_DAY, LAST_DAY
from shared.projections.query_values import PARSERS, CurrencyCode


def _spelled(kind: type) -> BeforeValidator:
    parse, expected = PARSERS[kind]

    def read(given: Any) -> Any:
        if not isinstance(given, str):
            return given
        try:
            return parse(given)
        except ValueError:
            raise PydanticCustomError("spelling", "{expected} is needed", {"expected": expected}) from None

    return BeforeValidator(read)


SPELLED_WHOLE = _spelled(int)
"""Beside limits, behind which it stands: `Annotated[int, Ge(1), SPELLED_WHOLE]`."""
Day = Annotated[date, _spelled(date), Ge(FIRST_DAY), Le(LAST_DAY)]
"""A day with room before and after it, as in bodies: nothing that is reckoned from it leaves the calendar."""
Id = Annotated[UUID, _spelled(UUID)]
Currency = Annotated[str, _spelled(CurrencyCode), Field(pattern="^[A-Z]{3}$")]
Flag = Annotated[bool, _spelled(bool)]
