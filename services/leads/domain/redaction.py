"""Redaction: a deal's name in which nobody is named any more (DATA-4). Pure, for every script.

Texts are compared word by word, as people read them (`language_key`): "ADA" is "Ada", "Moreno" stands in "Moreno's".
Of scripts that are written without spaces, or that add endings to names without one, each character is a word.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from shared.domain.text import language_key
from shared.events.definition import value

GONE, NAMELESS = "…", "Deal"
FEWEST_LETTERS = 3
"""A shorter word of a name is in too many others' names, and in other words' place."""
FEWEST_OF_WHOLE = 2
"""The same where it is all of the name."""
UNSPACED = (
    *("CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "BOPOMOFO", "HANGUL", "YI", "TIBETAN", "THAI", "LAO", "KHMER"),
    *("MYANMAR", "BALINESE", "JAVANESE"),
)
"""How the Unicode names of characters begin whose words nothing separates."""
JOINERS = "\u00ad\u200c\u200d\u2060"
"""What stands inside of a word and is not seen: soft hyphens and (non-)joiners."""

Words = tuple[str, ...]
"""Words as they are compared."""


@value
class Named:
    """By what somebody may be named, and the companies that may be called alike."""

    names: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    companies: tuple[str, ...] = ()


@value
class Word:
    """A word, and where it stands in a text."""

    start: int
    end: int
    key: str


def redacted(text: str, named: Named) -> str | None:
    """The text with "…" in place of full names of several words, e-mail addresses, and single words of names that are
    neither particles nor words of a company's; "Deal" where nothing else is left. None where nobody is named."""
    words = list(words_of(text))
    hidden, joined = _hidden([word.key for word in words], set(sequences(named)))
    if not hidden:
        return None
    if len(hidden) == len(words):
        return None if text == NAMELESS else NAMELESS
    pieces, end = list[str](), 0
    for place, word in enumerate(words):
        gap = text[end : word.start]
        goes_on = place in hidden and place - 1 in hidden and (place in joined or not gap.strip())
        if not goes_on:
            pieces += [gap, GONE if place in hidden else text[word.start : word.end]]
        end = word.end
    return "".join((*pieces, text[end:]))


def sequences(named: Named) -> Iterator[Words]:
    """The words, one after the other, that name somebody."""
    companies = [keys_of(company) for company in named.companies]
    yield from filter(None, map(keys_of, named.emails))
    for name in named.names:
        whole = keys_of(name)
        if len(whole) > 1:
            yield whole
        for part in {whole, *parts_of(name), *map(keys_of, name.split())} - particles_of(name):
            is_long = sum(map(len, part)) >= (FEWEST_OF_WHOLE if part == whole else FEWEST_LETTERS)
            if is_long and not any(_found(company, {part})[0] for company in companies):
                yield part


def particles_of(name: str) -> set[Words]:
    """The words of a name that only tie it together, like "van" and "der": written small where others are not."""
    words = name.split()
    return set() if all(map(str.islower, words)) else {keys_of(word) for word in words if word.islower()}


def parts_of(name: str) -> Iterator[Words]:
    """What stands between separators of any kind: a word, or all characters of one where each is a word."""
    words = list(words_of(name))
    starts = [place for place, word in enumerate(words) if place == 0 or words[place - 1].end != word.start]
    for start, end in pairwise([*starts, len(words)]):
        yield tuple(word.key for word in words[start:end])


def keys_of(text: str) -> Words:
    """The words of a text, as they are compared."""
    return tuple(word.key for word in words_of(text))


def words_of(text: str) -> Iterator[Word]:
    """The words of a text: letters and digits, with their marks."""
    for (kind, _), group in groupby(_placed(text), key=lambda placed: placed[1]):
        places = [place for place, _ in group]
        start, end = places[0], places[-1] + 1
        key = language_key("".join(letter for letter in text[start:end] if letter not in JOINERS))
        if kind and key:
            yield Word(start=start, end=end, key=key)


def _placed(text: str) -> Iterator[tuple[int, tuple[bool, int]]]:
    """Each character's place, whether it is of a word, and the number of that word, or of what separates two."""
    number, kind, alone = 0, False, False
    for place, letter in enumerate(text):
        if not (kind and (letter in JOINERS or unicodedata.category(letter)[0] == "M")):
            is_letter = unicodedata.category(letter)[0] in "LN"
            is_alone = is_letter and _is_unspaced(letter)
            number += is_letter != kind or is_alone or alone
            kind, alone = is_letter, is_alone
        yield place, (kind, number)


def _is_unspaced(letter: str) -> bool:
    return unicodedata.name(unicodedata.normalize("NFKC", letter)[0], "").startswith(UNSPACED)


def _hidden(words: Sequence[str], wanted: set[Words]) -> tuple[set[int], set[int]]:
    """The same as `_found`, also of what stands together once what is between is gone."""
    hidden, joined = set[int](), set[int]()
    while True:
        shown = [place for place in range(len(words)) if place not in hidden]
        found, further = _found([words[place] for place in shown], wanted)
        if not found:
            return hidden, joined
        hidden |= {shown[place] for place in found}
        joined |= {shown[place] for place in further}


def _found(words: Sequence[str], wanted: set[Words]) -> tuple[set[int], set[int]]:
    """The places of the words that are part of any of the sequences, and those of them that do not begin one."""
    hidden, joined = set[int](), set[int]()
    for sequence in wanted:
        for start in range(len(words) - len(sequence) + 1):
            if tuple(words[start : start + len(sequence)]) == sequence:
                hidden.update(range(start, start + len(sequence)))
                joined.update(range(start + 1, start + len(sequence)))
    return hidden, joined
