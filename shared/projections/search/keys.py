"""Deletion neighbourhood: the keys under which a text is found by words, also by those with a slip of the pen.

A word stands under itself, under its beginnings, and under what is left of it without any one of its letters. Whoever
asks for a word looks under the word and under what is left of that: so two words meet that are one letter more, one
less, another one, or two that changed places apart. A key is a hash: those that are equal by chance are told apart by
`nearness`, which looks at the words themselves.
"""

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

from shared.domain.text import language_key

SLIPS_FROM = 4
"""So many letters a word has at least that is found in spite of a slip: nearly every shorter one is near to another."""
LONGEST = 24
"""Of a longer word so many letters count."""
MOST_WORDS = 60
"""Of a longer text so many words are found."""
OWNER, TEAM = "owner", "team"
"""The columns that say whose a row is."""
_WORD = re.compile(r"[^\W_]+")
_BITS = 2**31


def words_in(text: str) -> list[str]:
    """The words of a text as they are compared: without case, marks on letters, and what stands between words."""
    return [word[:LONGEST] for word in _WORD.findall(language_key(text))]


def keys_of(texts: Iterable[str | None]) -> list[int]:
    """Under what something with these texts is found."""
    words = dict.fromkeys(word for text in texts if text for word in words_in(text))
    return sorted({key for word in list(words)[:MOST_WORDS] for key in _keys_of_word(word)})


def marks_of(belongs_to: Mapping[str, UUID | None]) -> list[int]:
    """Who sees something that belongs to somebody and a team, as a key tells it."""
    return [_hashed(name, str(whose)) for name, whose in belongs_to.items() if whose is not None]


def key_of_whole(word: str) -> list[int]:
    """Where to look for a word that stands there as it was written."""
    return [_hashed("whole", word)]


def keys_asked(word: str) -> list[int]:
    """Where to look for a word, for what begins with it, and for what is a slip apart: what is found has one of these
    keys."""
    return sorted({_hashed("beginning", word), *_slips(word)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearness:
    """How near a thing is to what somebody asked for: from 1, every word as it was written, down to 0; and in which of
    its texts most of that was found."""

    score: Decimal
    field: str


def nearness(asked: Sequence[str], texts: Mapping[str, str | None]) -> Nearness | None:
    """How near a thing with these texts, the most telling first, is to some words; None where one of them is not found
    in it. It is the mean of the words, each by the nearest that there is."""
    said = {field: words_in(text) for field, text in texts.items() if text}
    found = dict.fromkeys(said, Decimal(0))
    total = Decimal(0)
    for word in asked:
        near = {field: max((_likeness(word, each) for each in words), default=NONE) for field, words in said.items()}
        best = max(near.values(), default=NONE)
        if best == NONE:
            return None
        total += best
        for field, value in near.items():
            found[field] += value
    score = (total / len(asked)).quantize(Decimal("0.01"))
    return Nearness(score=score, field=max(found, key=found.__getitem__))


NONE = Decimal(0)


@lru_cache(maxsize=16384)
def _keys_of_word(word: str) -> tuple[int, ...]:
    beginnings = (_hashed("beginning", word[:length]) for length in range(1, len(word) + 1))
    return (_hashed("whole", word), *beginnings, *_slips(word))


@lru_cache(maxsize=16384)
def _slips(word: str) -> frozenset[int]:
    """The keys of what is left of a word without a letter, and its own among them; none of a number, where a slip means
    another one."""
    if len(word) < SLIPS_FROM or any(letter.isdigit() for letter in word):
        return frozenset()
    return frozenset(_hashed("slip", left) for left in (word, *_without_one(word)))


def _without_one(word: str) -> Iterable[str]:
    return (word[:place] + word[place + 1 :] for place in range(len(word)))


def _hashed(kind: str, text: str) -> int:
    """A key as the signed 32 bits that a column holds."""
    return (zlib.crc32(f"{kind} {text}".encode()) + _BITS) % (2 * _BITS) - _BITS


def _likeness(asked: str, word: str) -> Decimal:
    """1 of the word itself, more than a half of its beginning, of one with a slip what both have in common."""
    if asked == word:
        return Decimal(1)
    if word.startswith(asked):
        return (1 + Decimal(len(asked)) / len(word)) / 2
    if abs(len(asked) - len(word)) > 1 or _slips(asked).isdisjoint(_slips(word)):
        return NONE
    return _trigrams_in_common(asked, word)


def _trigrams_in_common(one: str, other: str) -> Decimal:
    """How many of the groups of three letters of two words are in both: the Dice coefficient of their trigrams, that
    of two words which are a slip apart at least a tenth."""
    mine, theirs = _trigrams(one), _trigrams(other)
    return max(Decimal(2 * len(mine & theirs)) / (len(mine) + len(theirs)), Decimal("0.1"))


def _trigrams(word: str) -> set[str]:
    padded = f"  {word} "
    return {padded[place : place + 3] for place in range(len(padded) - 2)}
