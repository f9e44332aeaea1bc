#!/usr/bin/env bash
# duckdb 2.0.1: `median` and `quantile_cont` of decimals stay decimals of the same scale, cut towards zero; and `//` of
# decimals or doubles divides with a fraction.
#
# One would write from memory: the median of an even number of amounts is the mean of the two in the middle, as of integers,
# of which it is a double; and `//` is integer division.
# Seen: the median of 0.01 and 0.02 is 0.01 while `avg` says 0.015 and the median of 1 and 2 is 1.5; the nine-tenths quantile of
# 0.00 and 0.03 (0.027) is 0.02; of negative amounts it is cut upwards, -0.015 becomes -0.01. Nothing is rounded, so figures of
# small amounts are low throughout. `7 // 2` is 3, but `19.99 // 3` is 6.663333333333333 and `7.5::double // 2` is 3.75.
# PostgreSQL's percentile_cont gives a double there, and has no `//`.
#
# So whoever compares medians or quantiles of money with another engine casts to more decimals first, and writes
# `floor(a / b)` where whole numbers are meant.
#
# Source: DuckDB's pages on aggregate functions (`quantile_cont`) and numeric operators; duckdb/duckdb issue 13655. Fails when
# that changes.
set -euo pipefail

place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT

"${PYTHON:-python3}" -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==2.0.1

"$place/venv/bin/python" - <<'PY'
import duckdb

print("duckdb", duckdb.__version__)
EXPECTED = {
    "select median(a) from (values (0.01::decimal(18,2)), (0.02)) t(a)": "0.01",
    "select avg(a) from (values (0.01::decimal(18,2)), (0.02)) t(a)": "0.015",
    "select median(a) from (values (1), (2)) t(a)": "1.5",
    "select median(a) from (values (-0.01::decimal(18,2)), (-0.02)) t(a)": "-0.01",
    "select quantile_cont(a, 0.9) from (values (0.00::decimal(18,2)), (0.03)) t(a)": "0.02",
    "select quantile_cont(a::decimal(18,4), 0.9) from (values (0.00::decimal(18,2)), (0.03)) t(a)": "0.0270",
    "select 7 // 2": "3",
    "select 19.99 // 3": "6.663333333333333",
    "select 7.5::double // 2": "3.75",
}
seen = {query: str(duckdb.sql(query).fetchall()[0][0]) for query in EXPECTED}
for query, found in seen.items():
    print(f"{query}: {found}")
assert seen == EXPECTED, "it changed: look whether the finding still holds"
print("As described.")
PY
