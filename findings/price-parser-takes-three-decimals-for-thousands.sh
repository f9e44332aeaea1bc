#!/usr/bin/env bash
# price-parser 0.5.1: an amount with three decimals is read as thousands even where its commas say otherwise, and a sign is lost.
#
# One would write from memory: of two different separators the last one is the decimal one, so 12,345.678 is twelve thousand and
# a fraction; and a refund in an export, -15.00, is negative.
# Seen: "12,345.678 KWD" is 12345678, a thousand times too much; "1.500 KWD" is 1500 (there it could be either). Told by
# `decimal_separator="."` both are right. "-15.00 EUR" is 15.00, and so is "(15.00) EUR": a refund becomes a receipt, and no option
# keeps the sign.
#
# So whoever takes amounts out of a CRM export with it says the decimal separator of the file, and looks for signs and brackets
# before.
#
# Source: scrapinghub/price-parser, price_parser/parser.py (`parse_number`, `get_decimal_separator`); ISO 4217 (KWD, BHD, TND and
# others have three). Fails when that changes.
set -euo pipefail

place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT

"${PYTHON:-python3}" -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check price-parser==0.5.1

"$place/venv/bin/python" - <<'PY'
from importlib.metadata import version

from price_parser import Price

print("price-parser", version("price-parser"))
EXPECTED = [
    ("12,345.678 KWD", {}, "12345678"),
    ("12,345.678 KWD", {"decimal_separator": "."}, "12345.678"),
    ("1.500 KWD", {}, "1500"),
    ("1.500 KWD", {"decimal_separator": "."}, "1.500"),
    ("12,345.67 EUR", {}, "12345.67"),
    ("-15.00 EUR", {}, "15.00"),
    ("(15.00) EUR", {}, "15.00"),
]
seen = [(text, options, str(Price.fromstring(text, **options).amount)) for text, options, _ in EXPECTED]
for text, options, amount in seen:
    print(text, options, amount)
assert seen == EXPECTED, "it changed: look whether the finding still holds"
print("As described.")
PY
