"""Cursors cannot be made, changed, or used for another question."""

import base64
from string import ascii_letters, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.projections.cursors import Cursors, MalformedCursor

CURSORS = Cursors("s" * 32)


@given(st.lists(st.one_of(st.none(), st.text(), st.integers(-(2**53), 2**53))), st.text())
def test_what_goes_in_comes_out(values: list[object], question: str) -> None:
    assert CURSORS.decode(CURSORS.encode(values, question), question) == values


@pytest.mark.parametrize("text", ["", "x", "é", "====", "AAAA", "a" * 500])
def test_what_was_not_made_here_is_refused(text: str) -> None:
    with pytest.raises(MalformedCursor):
        CURSORS.decode(text, "deals")


def test_a_cursor_belongs_to_its_question_and_its_key() -> None:
    made = CURSORS.encode(["2026-01-01", 7], "deals by date")
    with pytest.raises(MalformedCursor):
        CURSORS.decode(made, "deals by amount")
    with pytest.raises(MalformedCursor):
        Cursors("t" * 32).decode(made, "deals by date")


@pytest.mark.parametrize("number", range(4))
def test_a_cursor_has_one_spelling(number: int) -> None:
    made = CURSORS.encode(["x" * number], "q")
    others = {f"{made[:9]}!!{made[9:]}", f"{made}=", f"{made}\n", f"{made[:4]} {made[4:]}"}
    # The last letter holds bits that are in no byte.
    others |= {made[:-1] + letter for letter in f"{ascii_letters}{digits}-_"} - {made}
    for other in others:
        with pytest.raises(MalformedCursor):
            CURSORS.decode(other, "q")


def test_every_byte_counts() -> None:
    made = base64.urlsafe_b64decode(CURSORS.encode([1, 2], "q") + "==")
    for place in range(len(made)):
        changed = made[:place] + bytes([made[place] ^ 1]) + made[place + 1 :]
        with pytest.raises(MalformedCursor):
            CURSORS.decode(base64.urlsafe_b64encode(changed).decode().rstrip("="), "q")
