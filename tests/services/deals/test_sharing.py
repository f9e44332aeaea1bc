"""ACCT-4: deals are shared out among those who take them over."""

from collections import Counter
from decimal import Decimal
from random import Random
from typing import get_args
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.deals.domain.sharing import By, SharedDeal, shared_out

ANNA, BEN, CARLA = (UUID(int=number) for number in (1, 2, 3))


def deals(*worth: int | None) -> list[SharedDeal]:
    return [
        SharedDeal(id=UUID(int=100 + place), worth=None if each is None else Decimal(each))
        for place, each in enumerate(worth)
    ]


def test_acct_4_by_value_the_dearest_goes_first_each_to_whoever_has_least() -> None:
    found = shared_out(deals(10, 90, 50, 40), [ANNA, BEN], "value")
    assert [found[each.id] for each in deals(10, 90, 50, 40)] == [ANNA, ANNA, BEN, BEN]


def test_acct_4_by_count_the_dearest_are_given_in_turn() -> None:
    found = shared_out(deals(1, 2, 3), [ANNA, BEN], "count")
    assert [found[each.id] for each in deals(1, 2, 3)] == [ANNA, BEN, ANNA]


def test_acct_4_deals_of_unknown_worth_go_to_whoever_has_fewest() -> None:
    found = shared_out(deals(100, 10, 10, None, None), [ANNA, BEN], "value")
    assert Counter(found.values()) == {ANNA: 3, BEN: 2}
    assert found[UUID(int=103)] == ANNA


worths = st.lists(st.none() | st.integers(0, 10**6), max_size=30)
receivers = st.lists(st.sampled_from([ANNA, BEN, CARLA]), min_size=1, max_size=3, unique=True)


@given(worths, receivers, st.randoms(use_true_random=False))
def test_acct_4_every_deal_goes_to_one_receiver_whatever_their_order(
    worth: list[int | None], to: list[UUID], dice: Random
) -> None:
    given_deals = deals(*worth)
    shuffled = dice.sample(given_deals, len(given_deals))
    for by in get_args(By):
        found = shared_out(given_deals, to, by)
        assert found.keys() == {each.id for each in given_deals}
        assert found == shared_out(shuffled, to, by)
    numbers = Counter(dict.fromkeys(to, 0)) + Counter(shared_out(given_deals, to, "count").values())
    counts = [numbers[each] for each in to]
    assert max(counts) - min(counts) <= 1


@given(st.lists(st.integers(0, 10**6), max_size=30), receivers)
def test_acct_4_by_value_nobody_gets_more_than_the_mean_and_one_deal(worth: list[int], to: list[UUID]) -> None:
    found = shared_out(deals(*worth), to, "value")
    total = {each: Decimal(0) for each in to}
    for each in deals(*worth):
        total[found[each.id]] += each.worth or 0
    assert max(total.values()) <= Decimal(sum(worth)) / len(to) + max(worth, default=0)
