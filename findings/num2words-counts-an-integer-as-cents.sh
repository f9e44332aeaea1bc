#!/usr/bin/env bash
# num2words 0.5.14: an amount that is an integer is read as cents, and a hundred in words becomes one.
#
# One would write from memory: `num2words(n, to="currency")` writes out the amount n, whether it is 100, Decimal("100") or
# "100"; and a library of fifty languages knows the yen, which has no decimals.
# Seen: num2words(100, to="currency") is "one euro, zero cents", a hundredth, in each language; Decimal("100"), 100.0 and "100" are
# one hundred. JPY, KWD and, for German, even CHF are refused with NotImplementedError: each language has a list of currencies of
# its own.
#
# So whoever writes an amount of a contract out in words passes a Decimal, never the integer that a column of whole amounts holds,
# and asks before which of the currencies the customer's language has.
#
# Source: savoirfairelinux/num2words, num2words/currency.py (`parse_currency_parts`, `is_int_with_cents`) and base.py
# (`to_currency`, `CURRENCY_FORMS`). Fails when that changes.
set -euo pipefail

place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT

"${PYTHON:-python3}" -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check num2words==0.5.14

"$place/venv/bin/python" - <<'PY'
from decimal import Decimal
from importlib.metadata import version

from num2words import num2words

print("num2words", version("num2words"))


def words(amount, language, currency="EUR"):
    try:
        return num2words(amount, to="currency", currency=currency, lang=language)
    except NotImplementedError:
        return "not implemented"


EXPECTED = [
    (100, "en", "EUR", "one euro, zero cents"),
    (Decimal("100"), "en", "EUR", "one hundred euro, zero cents"),
    (100.0, "en", "EUR", "one hundred euro, zero cents"),
    ("100", "en", "EUR", "one hundred euro, zero cents"),
    (100, "de", "EUR", "ein Euro und null Cent"),
    (Decimal("100"), "de", "EUR", "einhundert Euro und null Cent"),
    (Decimal("1500"), "en", "JPY", "not implemented"),
    (Decimal("1500"), "de", "CHF", "not implemented"),
]
seen = [(amount, language, currency, words(amount, language, currency)) for amount, language, currency, _ in EXPECTED]
for amount, language, currency, text in seen:
    print(f"{amount!r:16} {language} {currency} {text}")
assert seen == EXPECTED, "it changed: look whether the finding still holds"
print("As described.")
PY
