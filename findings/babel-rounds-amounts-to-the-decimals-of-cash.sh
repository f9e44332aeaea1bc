#!/usr/bin/env bash
# Babel 2.19.0: `format_currency` writes an amount with the decimals that CLDR gives a currency, which are not those of its
# accounts (ISO 4217), and rounds away what does not fit.
#
# One would write from memory: an amount with as many decimals as its currency has minor units is written whole, so that
# `format_currency(Decimal("1500.50"), "HUF")` shows 1,500.50, and an invoice of it adds up.
# Seen: CLDR says 0 for currencies whose coins are out of use (HUF, COP, LBP, AFN, ISK and others) where ISO 4217 says 2, and 0
# for IQD where it says 3. 1500.50 HUF is written "HUF1,500", 5000.125 IQD "IQD5,000": half to even, without a warning. The
# documented way out, `currency_digits=False`, takes the two decimals of the language's pattern for every currency: it mends
# HUF, but writes 1.255 KWD as "KWD1.26" and 5000.125 IQD as "IQD5,000.12".
#
# So whoever prints invoices, letters or statements gives the decimals of the amount itself to a number pattern, and sets the
# currency beside it.
#
# Source: babel/numbers.py (`format_currency`, `get_currency_precision`), CLDR supplemental currencyData (`digits`); ISO 4217
# list one. Fails when that changes.
set -euo pipefail

place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT

"${PYTHON:-python3}" -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check babel==2.19.0 iso4217==1.14.20250512

"$place/venv/bin/python" - <<'PY'
from decimal import Decimal
from importlib.metadata import version

from babel.numbers import format_currency, get_currency_precision
from iso4217 import Currency

print("babel", version("babel"), "iso4217", version("iso4217"))
EXPECTED = {
    # currency: (amount, ISO 4217's minor units, CLDR's digits, by default, with currency_digits=False)
    "HUF": ("1500.50", 2, 0, "HUF1,500", "HUF1,500.50"),
    "COP": ("1500.50", 2, 0, "COP1,500", "COP1,500.50"),
    "LBP": ("1500.50", 2, 0, "LBP1,500", "LBP1,500.50"),
    "IQD": ("5000.125", 3, 0, "IQD5,000", "IQD5,000.12"),
    "KWD": ("1.255", 3, 3, "KWD1.255", "KWD1.26"),
}
seen = {}
for code, (amount, *_) in EXPECTED.items():
    given = Decimal(amount)
    by_default, without = (
        format_currency(given, code, locale="en", currency_digits=digits).replace("\xa0", "") for digits in (True, False)
    )
    seen[code] = amount, Currency(code).exponent, get_currency_precision(code), by_default, without
    print(code, *seen[code])
assert seen == EXPECTED, "it changed: look whether the finding still holds"
print("As described.")
PY
