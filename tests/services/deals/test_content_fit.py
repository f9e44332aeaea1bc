"""PROC-8: which content suits a deal, and in what order: the rules."""

from dataclasses import dataclass, replace

import pytest

from services.deals.domain.content_fit import MOST, Occasion, fitting

OCCASION = Occasion(buyer_stage="evaluation", industry="Automotive", language="de-CH")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    key: str
    buyer_stages: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    language: str | None = None


def keys(*items: Item, occasion: Occasion = OCCASION, uses: dict[str, int] | None = None) -> list[str]:
    return [each.item.key for each in fitting(items, occasion, uses or {})]


def test_proc_8_given_content_made_for_more_of_the_deal_when_it_is_ranked_then_it_comes_first() -> None:
    anything, stage = Item(key="a"), Item(key="b", buyer_stages=("use", "evaluation"))
    both = Item(key="c", buyer_stages=("evaluation",), industries=("Automotive",))
    whole = replace(both, key="d", language="de")
    assert keys(anything, stage, both, whole) == ["d", "c", "b", "a"]
    assert [each.fit for each in fitting([anything, stage, both, whole], OCCASION, {})] == [3, 2, 1, 0]


@pytest.mark.parametrize(
    "other",
    [
        Item(key="stage", buyer_stages=("use",)),
        Item(key="industry", industries=("Chemistry",)),
        Item(key="language", language="en"),
        Item(key="narrower", language="de-CH-1996"),
        Item(key="alike", language="d"),
    ],
    ids=lambda item: item.key,
)
def test_proc_8_given_content_for_something_else_when_it_is_ranked_then_it_is_left_out(other: Item) -> None:
    assert keys(other, Item(key="here")) == ["here"]


def test_proc_8_given_that_nothing_is_known_of_the_deal_when_it_is_ranked_then_any_suits_but_none_fits() -> None:
    unknown = Occasion(buyer_stage=None, industry=None, language="en")
    items = [Item(key="b", buyer_stages=("use",)), Item(key="a", industries=("Chemistry",))]
    assert [(each.item.key, each.fit) for each in fitting(items, unknown, {})] == [("a", 0), ("b", 0)]


def test_proc_8_given_an_equal_fit_when_it_is_ranked_then_what_was_used_least_comes_first_then_the_key() -> None:
    items = [Item(key="c"), Item(key="b"), Item(key="a"), Item(key="d", language="DE")]
    assert keys(*items, uses={"a": 1, "d": 5}) == ["d", "b", "c", "a"]


def test_proc_8_given_more_than_anybody_chooses_from_when_it_is_ranked_then_the_best_twenty_are_there() -> None:
    many = [Item(key=f"{number:02}") for number in range(MOST + 5)]
    assert keys(*reversed(many)) == [item.key for item in many[:MOST]]
