#!/usr/bin/env bash
# mt-940 5.1.1: the amount of a reversed credit (mark RC of field 61) comes back positive, unless an option of 5.1 is set.
#
# One would write from memory: the parser signs every entry of a statement, so that opening balance plus the amounts of its
# entries is the closing balance, and whoever books receipts takes the positive ones.
# Seen: of the four marks C, D, RC and RD only D is negated. A receipt of 40.00 that the bank takes back as RC is +40.00 twice:
# the entries add up to 180.00 where the bank says 100.00, and an invoice looks paid twice instead of not at all. With
# `options=mt940.options.Options(reversal_sign=True)` they add up. RD, a reversed debit, is right either way.
#
# So whoever reads statements sets the option, and compares the sum with the closing balance before anything is booked.
#
# Source: mt940/models.py (`Amount`), mt940/options.py; SWIFT MT940, field 61, subfield 3 (debit/credit mark); wolph/mt940 issue
# 130. Fails when that changes.
set -euo pipefail

place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT

"${PYTHON:-python3}" -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check mt-940==5.1.1

"$place/venv/bin/python" - <<'PY'
from decimal import Decimal
from importlib.metadata import version

import mt940
from mt940.options import Options

print("mt-940", version("mt-940"))
STATEMENT = """\
:20:STATEMENT
:25:12345678/0000012345
:28C:1/1
:60F:C260302EUR100,00
:61:2603030303C40,00NTRFINV-26-0001
:86:Receipt
:61:2603040304RC40,00NTRFINV-26-0001
:86:Receipt taken back
:61:2603050305D15,00NCHGNONREF
:86:Fee
:61:2603060306RD15,00NCHGNONREF
:86:Fee given back
:62F:C260306EUR100,00
-"""


def summed(**options: object) -> tuple[list[str], Decimal, Decimal]:
    statement = mt940.parse(STATEMENT, **options)
    entries = [(each.data["status"], each.data["amount"].amount) for each in statement]
    opening, closing = (statement.data[name].amount.amount for name in ("final_opening_balance", "final_closing_balance"))
    return [f"{mark} {amount}" for mark, amount in entries], opening + sum(amount for _, amount in entries), closing


by_default = summed()
signed = summed(options=Options(reversal_sign=True))
print("by default:", *by_default)
print("with reversal_sign:", *signed)
assert by_default == (["C 40.00", "RC 40.00", "D -15.00", "RD 15.00"], Decimal("180.00"), Decimal("100.00"))
assert signed == (["C 40.00", "RC -40.00", "D -15.00", "RD 15.00"], Decimal("100.00"), Decimal("100.00"))
print("As described.")
PY
