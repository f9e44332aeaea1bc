"""PROC-4: what is due by now, quotas backwards, and what could be wanted next."""

from decimal import Decimal
from fractions import Fraction
from typing import get_args

import pytest

from services.forecast.attainment.queries import MEASURES
from services.forecast.attainment.rules import UNITS, Quota, Reached, due, proposed, quota
from shared.events.deals.target import TargetKind


def test_proc_4_sixteen_million_take_eight_wins_twenty_deals_and_a_hundred_leads() -> None:
    found = quota(Decimal(16_000_000), Decimal(2_000_000), Decimal("0.40"), Decimal("0.20"))
    assert found == Quota(wins=8, deals=20, leads=100)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        # There is no half of a win: nine take 22.5 deals, and 23 of these 115 leads.
        (("17000000", "2000000", "0.40", "0.20"), (9, 23, 115)),
        (("0.01", "2000000", "0.40", "0.20"), (1, 3, 15)),
        (("16000000", "2000000", "1", "1"), (8, 8, 8)),
        (("10", "3", None, "0.20"), (4, None, None)),
        (("10", "3", "0.5", None), (4, 8, None)),
        (("10", "0", "0.5", "0.5"), (None, None, None)),
        ((None, "3", "0.5", "0.5"), (None, None, None)),
    ],
)
def test_proc_4_a_quota_is_rounded_up_at_each_step_and_ends_where_a_rate_is_not_known(
    given: tuple[str | None, ...], expected: tuple[int | None, ...]
) -> None:
    found = quota(*(None if each is None else Decimal(each) for each in given))
    assert (found.wins, found.deals, found.leads) == expected


def test_proc_4_a_third_is_not_rounded_on_the_way() -> None:
    assert quota(Decimal(3), Decimal(1), Fraction(1, 3), None).deals == 9
    assert quota(Decimal(1), Decimal(1), Decimal("0.3333"), None).deals == 4


def test_proc_4_what_adds_up_is_due_pro_rata_and_a_share_at_once() -> None:
    assert due("revenue", Decimal(900), 30, 90) == 300
    assert due("won-deals", Decimal(9), 0, 90) == 0
    assert due("win-rate", Decimal("0.4"), 30, 90) == Decimal("0.4")
    assert due("average-won-amount", Decimal(5000), 1, 90) == 5000


def test_proc_4_every_kind_has_a_unit_and_is_measured() -> None:
    assert set(UNITS) == set(get_args(TargetKind))
    assert set(MEASURES) == set(UNITS)


def test_proc_4_nothing_divided_is_no_zero() -> None:
    assert Reached(numerator=Decimal(0), denominator=Decimal(0), n=0).value is None
    assert Reached(numerator=Decimal(0), n=0).value == 0


def test_proc_4_a_proposal_is_what_was_reached_grown() -> None:
    assert proposed("revenue", Decimal("1234.50"), Decimal("0.1")) == 1358
    assert proposed("won-deals", Decimal(5), Decimal("0.1")) == 6
    assert proposed("won-deals", Decimal(5), Decimal(0)) == 5
