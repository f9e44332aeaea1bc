"""Search by words: keys, nearness, and what is asked for (pure)."""

from decimal import Decimal
from uuid import UUID

import pytest

from shared.projections.errors import InvalidQuery
from shared.projections.search.finding import Hit, asked_words, ranked
from shared.projections.search.keys import keys_asked, keys_of, nearness, words_in


def finds(asked: str, *texts: str) -> Decimal | None:
    """How near something with these texts is: None where the index, or the words, do not find it."""
    held = set(keys_of(texts))
    words = words_in(asked)
    near = nearness(words, {str(place): text for place, text in enumerate(texts)})
    is_candidate = all(held & set(keys_asked(word)) for word in words)
    assert is_candidate or near is None, "what is near has to be a candidate"
    return near.score if is_candidate and near else None


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("Brightwater", "Brightwater renewal"),
        ("brihgtwater", "Brightwater"),
        ("brightwter", "Brightwater"),
        ("brightwatter", "Brightwater"),
        ("brightwazer", "Brightwater"),
        ("muller", "Müller"),
        ("mueller", "Müller"),
        ("strasse", "Hauptstr. Straße"),
        ("renewal bright", "Brightwater: Renewal"),
        ("o'brien", "O’Brien & Sons"),
        ("b", "Brightwater"),
        ("gb", "GB Rail"),
        ("москва", "Завод Москва"),
        ("масква", "Завод Москва"),
        ("2027", "Licences 2027"),
        ("19ab-cdef", "19ab-cdef-0123"),
    ],
)
def test_a_text_is_found_by_its_words_their_beginnings_and_with_a_slip(asked: str, text: str) -> None:
    assert finds(asked, text) is not None


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("xqzvkw", "Brightwater renewal"),
        ("water", "Brightwater"),
        ("brightwater losses", "Brightwater renewal"),
        ("cat", "Car"),
        ("2026", "Licences 2027"),
        ("bhrigwtater", "Brightwater"),
    ],
)
def test_what_is_further_away_is_not_found(asked: str, text: str) -> None:
    assert finds(asked, text) is None


def test_the_word_itself_is_nearer_than_its_beginning_and_that_than_nothing() -> None:
    scores = [finds("bright", text) for text in ("Bright", "Brights", "Brightwater")]
    assert scores == sorted((score for score in scores if score is not None), reverse=True)
    assert scores[0] == 1
    assert finds("brihgtwater", "Brightwater") == Decimal("0.67")


def test_the_field_is_the_one_in_which_most_was_found() -> None:
    texts = {"name": "Renewal 2027", "account_name": "Brightwater Rail"}
    for asked, field in (("rail brightwater", "account_name"), ("renewal 2027 rail", "name"), ("renewal rail", "name")):
        near = nearness(words_in(asked), texts)
        assert near is not None
        assert near.field == field
    assert nearness(["rail"], {"name": None}) is None


def test_a_long_text_has_an_end_and_empty_ones_no_keys() -> None:
    assert keys_of([None, "", " -- "]) == []
    assert len(keys_of([" ".join(f"word{number}" for number in range(1000))])) < 500
    assert all(-(2**31) <= key < 2**31 for key in keys_of(["Brightwater renewal"]))


def test_equally_near_ones_stand_in_one_order_whatever_order_they_came_in() -> None:
    def hit(number: int, score: str) -> Hit:
        return Hit(kind="deal", id=UUID(int=number), name="", detail=None, found_by="name", score=Decimal(score))

    hits = [hit(1, "0.5"), hit(3, "0.5"), hit(2, "1"), hit(4, "0.1")]
    assert [each.id.int for each in ranked(hits)] == [2, 3, 1, 4]
    assert ranked(hits[::-1]) == ranked(hits)


@pytest.mark.parametrize(
    ("q", "message"),
    [
        ("", "Between 1 and 200 characters"),
        ("a" * 201, "Between 1 and 200 characters"),
        ("a\x00", "Between 1 and 200 characters"),
        ("  ", "At least one letter or digit"),
        ("-_/", "At least one letter or digit"),
        (" ".join(map(str, range(11))), "At most 10 words"),
    ],
)
def test_what_cannot_be_searched_for_is_refused(q: str, message: str) -> None:
    with pytest.raises(InvalidQuery) as refused:
        asked_words(q)
    (reason,) = refused.value.reasons
    assert (reason.field, reason.code) == ("q", "invalid-value")
    assert message in reason.message
    assert not q.strip() or q not in reason.message
