"""Days that can be stated: nobody sells, signs or pays in the year 1, or in 9999 (API-1)."""

from datetime import date

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.domain.fields import FIRST_DAY, LAST_DAY, Day

DAY = TypeAdapter(Day | None)


@pytest.mark.parametrize(
    ("text", "side"),
    [("0001-01-01", "greater"), ("1899-12-31", "greater"), ("9000-01-01", "less"), ("9999-12-31", "less")],
)
def test_a_day_outside_is_refused(text: str, side: str) -> None:
    with pytest.raises(ValidationError, match=f"Input should be {side} than or equal to"):
        DAY.validate_json(f'"{text}"', strict=True)


@pytest.mark.parametrize("day", [FIRST_DAY, LAST_DAY])
def test_the_first_and_the_last_day_can_be_stated(day: date) -> None:
    assert DAY.validate_json(f'"{day}"', strict=True) == day
