"""Message catalogue: the texts of one language by key, with placeholders by name and the plural forms of CLDR.

A text is a sentence, or one sentence for each plural category of the language, chosen by the value `count`:

    "danger.silent": {"one": "Nobody worked on it for {count} day.", "other": "Nobody worked on it for {count} days."}
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from babel import Locale
from babel.dates import format_date
from babel.numbers import NumberPattern, format_percent, parse_pattern

Text = str | Mapping[str, str]
"""One sentence, or one for each plural category."""
Value = str | int | Decimal
"""What stands for a placeholder: a text as it is, a number as the language writes it."""

PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
COUNT = "count"
"""The value that the plural form goes by."""
NAME = "language.name"
"""What the language calls itself."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The texts of one language; `language` is its tag (BCP 47)."""

    language: str
    texts: Mapping[str, Text]
    locale: Locale = field(init=False, repr=False, compare=False)
    """How the language writes numbers, and which plural forms it has (CLDR)."""

    def __post_init__(self) -> None:
        # Parsed once: an answer may say hundreds of sentences.
        object.__setattr__(self, "locale", Locale.parse(self.language, sep="-"))

    @property
    def name(self) -> str:
        """What the language calls itself."""
        return self.say(NAME)

    def __contains__(self, key: str) -> bool:
        return key in self.texts

    def say(self, key: str, **values: Value) -> str:
        """A text with its values. Raises KeyError for a text or a value that there is not: both are in the code."""
        text = self.texts[key]
        if not isinstance(text, str):
            text = text[self._form(values[COUNT])]
        return PLACEHOLDER.sub(lambda found: self._written(values[found[1]]), text)

    def day(self, value: date) -> str:
        """A day, with the name of its month."""
        return format_date(value, format="long", locale=self.locale)

    def share(self, value: Decimal) -> str:
        """A share in whole percent."""
        return format_percent(value, locale=self.locale)

    def number(self, value: int | Decimal) -> str:
        """A number with the decimals that it has: those of an amount say how exact it is."""
        usual: NumberPattern = self.locale.decimal_formats[None]
        pattern = usual if isinstance(value, int) else _exact(usual, value)
        return str(pattern.apply(value, self.locale))

    def percent(self, value: Decimal) -> str:
        """So many percent, with the decimals that it has: 7.5 is 7.5%."""
        return str(_exact(self.locale.percent_formats[None], value).apply(value.scaleb(-2), self.locale))

    def _form(self, count: Value) -> str:
        if isinstance(count, str):
            raise TypeError("a plural form goes by a number")
        return self.locale.plural_form(count)

    def _written(self, value: Value) -> str:
        return value if isinstance(value, str) else self.number(value)


def _exact(usual: NumberPattern, value: Decimal) -> NumberPattern:
    """How the language writes numbers of a kind, with the decimals of this one."""
    exponent = value.as_tuple().exponent
    decimals = max(0, -exponent) if isinstance(exponent, int) else 0
    pattern = parse_pattern(usual.pattern)
    pattern.frac_prec = decimals, decimals
    return pattern
