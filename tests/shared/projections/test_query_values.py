"""Every kind of value in a query has one spelling (API-1)."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from shared.projections.query_values import PARSERS, WithoutOffset, moment

ID = "0192a4b0-7d1e-7abc-8def-0123456789ab"


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (int, "0", 0),
        (int, "-7", -7),
        (int, "9" * 18, 10**18 - 1),
        (Decimal, "120000.00", Decimal("120000.00")),
        (Decimal, "-0.5", Decimal("-0.5")),
        (date, "2026-03-16", date(2026, 3, 16)),
        (datetime, "2026-03-16T10:00:00Z", datetime(2026, 3, 16, 10, tzinfo=UTC)),
        (datetime, "2026-03-16t10:00:00.25z", datetime(2026, 3, 16, 10, microsecond=250_000, tzinfo=UTC)),
        (datetime, "2026-03-16T10:00:00+02:00", datetime(2026, 3, 16, 8, tzinfo=UTC)),
        (UUID, ID.upper(), UUID(ID)),
    ],
)
def test_the_spelling_of_a_value(kind: Any, text: str, value: Any) -> None:
    assert PARSERS[kind][0](text) == value


@pytest.mark.parametrize("text", ["", "+1", "1_0", "01", "-01", "1.0", " 1", "1\n", "１", "1e3", "9" * 19, "--1"])
def test_what_is_no_whole_number(text: str) -> None:
    with pytest.raises(ValueError, match=r"^"):
        PARSERS[int][0](text)


@pytest.mark.parametrize("text", ["", "+1", "1_0", "01.5", ".5", "5.", "1e3", "NaN", "Infinity", "1,5", "9" * 5000])
def test_what_is_no_decimal(text: str) -> None:
    with pytest.raises(ValueError, match=r"^"):
        PARSERS[Decimal][0](text)


@pytest.mark.parametrize("text", ["", "0", "2026-W10-1", "20260310", "2026-3-10", "2026-02-30", "2026-03-10T00:00:00"])
def test_what_is_no_day(text: str) -> None:
    with pytest.raises(ValueError, match=r"^"):
        PARSERS[date][0](text)


@pytest.mark.parametrize(
    "text", ["", "2026-03-10", "2026-W10-1T10:00:00Z", "20260310T100000Z", "2026-03-10 10:00:00Z", "2026-03-10T10Z"]
)
def test_what_is_no_instant(text: str) -> None:
    with pytest.raises(ValueError, match=r"^"):
        moment(text)


def test_an_instant_without_an_offset_says_that_it_lacks_one() -> None:
    with pytest.raises(WithoutOffset):
        moment("2026-03-10T10:00:00")


@pytest.mark.parametrize("text", ["", UUID(ID).hex, f"{{{ID}}}", f"urn:uuid:{ID}", ID.replace("-", "_"), f" {ID}"])
def test_what_is_no_id(text: str) -> None:
    with pytest.raises(ValueError, match=r"^"):
        PARSERS[UUID][0](text)
