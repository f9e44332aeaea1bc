#!/usr/bin/env bash
# numpy 2.4.6 beside pandas 2.3.3: one business day after a Saturday is Tuesday here and Monday there, and a count backwards is not
# the count forwards.
#
# One would write from memory: what is due one working day after a Saturday is due on Monday, in each library that counts business
# days; `roll="forward"` only says what to do with a day that is none; and from a day to another there are as many as back.
# Seen: numpy rolls first and counts then. busday_offset(Saturday, 1, roll="forward") is Tuesday; roll="backward" gives the Monday
# that pandas' BDay(1) gives, and for -1 it is the other way round. The default refuses a Saturday with ValueError. busday_count
# leaves out the end, so Saturday to Monday is 0 and Monday to Saturday is -1.
#
# So whoever recounts due days of this product in a notebook uses roll="backward" for days ahead and roll="forward" for days back.
#
# Source: numpy, numpy/_core/src/multiarray/datetime_busday.c (`business_day_offset`, `business_day_count`); pandas,
# pandas/_libs/tslibs/offsets.pyx (`BusinessDay`). Fails when that changes.
set -euo pipefail

place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT

"${PYTHON:-python3}" -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 pandas==2.3.3

"$place/venv/bin/python" - <<'PY'
from importlib.metadata import version

import numpy as np
import pandas as pd
from pandas.tseries.offsets import BDay

print("numpy", version("numpy"), "pandas", version("pandas"))
SATURDAY, MONDAY = "2026-11-28", "2026-11-30"


def refused():
    try:
        np.busday_offset(SATURDAY, 1)
    except ValueError:
        return "refused"


seen = {
    "numpy +1, roll forward": str(np.busday_offset(SATURDAY, 1, roll="forward")),
    "numpy +1, roll backward": str(np.busday_offset(SATURDAY, 1, roll="backward")),
    "numpy +1": refused(),
    "pandas +1": str((pd.Timestamp(SATURDAY) + BDay(1)).date()),
    "numpy -1, roll forward": str(np.busday_offset(SATURDAY, -1, roll="forward")),
    "numpy -1, roll backward": str(np.busday_offset(SATURDAY, -1, roll="backward")),
    "pandas -1": str((pd.Timestamp(SATURDAY) - BDay(1)).date()),
    "Saturday to Monday": int(np.busday_count(SATURDAY, MONDAY)),
    "Monday to Saturday": int(np.busday_count(MONDAY, SATURDAY)),
}
EXPECTED = {
    "numpy +1, roll forward": "2026-12-01",
    "numpy +1, roll backward": "2026-11-30",
    "numpy +1": "refused",
    "pandas +1": "2026-11-30",
    "numpy -1, roll forward": "2026-11-27",
    "numpy -1, roll backward": "2026-11-26",
    "pandas -1": "2026-11-27",
    "Saturday to Monday": 0,
    "Monday to Saturday": -1,
}
for what, came in seen.items():
    print(f"{what:24} {came}")
assert seen == EXPECTED, "it changed: look whether the finding still holds"
print("As described.")
PY
