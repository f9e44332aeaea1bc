#!/usr/bin/env bash
# polars 2.1.0: a product or a quotient of decimals has the larger scale of the two, and each row is rounded to it.
#
# One would write from memory: as in SQL, in Arrow and in Python, a product has the digits of both factors, 0.05 * 0.10 is
# 0.0050, so that tax by line is summed exactly and rounded once.
# Seen: twenty lines of 0.05 at a rate of 0.10 have a tax of 0.00 together, exact would be 0.10; 19.99 * 0.19 is 3.80, not
# 3.7981. A rate with four decimals gives four. Ties go to the even digit. A quotient likewise: 1 / 8 is 0, and 1.00 / 8 is
# 0.12; `mean` and `median` are floats. DuckDB, asked beside it, gives DECIMAL(18,4) and 0.1000.
# There is no warning; it was decided so in 2025 (fixed scale).
#
# So whoever counts with money in polars casts one factor to the digits that the result is to have, before multiplying.
#
# Source: pola-rs/polars issue 19784 and pull request 24542 (fixed-scale decimals). Fails when that changes.
set -euo pipefail

place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT

"${PYTHON:-python3}" -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check polars==2.1.0 duckdb==2.0.1

"$place/venv/bin/python" - <<'PY'
from decimal import Decimal

import duckdb
import polars

print("polars", polars.__version__, "duckdb", duckdb.__version__)
lines = polars.DataFrame({"net": [Decimal("0.05")] * 20, "rate": [Decimal("0.10")] * 20})
net, rate = polars.col("net"), polars.col("rate")


def only(frame: polars.DataFrame) -> object:
    return frame.item()


def product(first: str, second: str) -> str:
    return str((polars.Series([Decimal(first)]) * polars.Series([Decimal(second)])).item())


def quotient(first: str, by: int) -> str:
    return str((polars.Series([Decimal(first)]) / by).item())


seen = {
    "tax of twenty lines": str(only(lines.select((net * rate).sum()))),
    "with a factor cast to four digits": str(only(lines.select((net.cast(polars.Decimal(38, 4)) * rate).sum()))),
    "19.99 * 0.19": product("19.99", "0.19"),
    "19.99 * 0.1900": product("19.99", "0.1900"),
    "1 / 8": quotient("1", 8),
    "1.00 / 8": quotient("1.00", 8),
    "mean": type(only(lines.select(net.mean()))).__name__,
    "duckdb": str(
        duckdb.sql("select sum(0.05::decimal(18,2) * 0.10::decimal(18,2)) from range(20)").fetchall()[0][0]
    ),
}
for what, found in seen.items():
    print(f"{what}: {found}")
assert seen == {
    "tax of twenty lines": "0.00",
    "with a factor cast to four digits": "0.1000",
    "19.99 * 0.19": "3.80",
    "19.99 * 0.1900": "3.7981",
    "1 / 8": "0",
    "1.00 / 8": "0.12",
    "mean": "float",
    "duckdb": "0.1000",
}, "it changed: look whether the finding still holds"
print("As described.")
PY
