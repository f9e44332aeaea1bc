#!/usr/bin/env bash
# sqlglot 30.30.0: queries of PostgreSQL are written for other warehouses with the same words where those mean something else, and
# without a warning.
#
# One would write from memory: what `transpile(read="postgres", write=…)` gives without a complaint has the same result, at
# least for division, the beginning of a week and a logarithm.
# Seen: `count(*) / 2` of seven rows is 3 in PostgreSQL; written for DuckDB, BigQuery and Snowflake it is the same text, which is
# 3.5 there (run here on DuckDB 2.0.1): the types are not looked up. `date_trunc('week', came)` becomes TIMESTAMP_TRUNC(came, WEEK)
# for BigQuery, whose WEEK begins on Sunday, PostgreSQL's on Monday: what came on a Sunday is counted a week later.
# `log(100)`, 2 in PostgreSQL, becomes LN(100) for Snowflake, 4.6.
#
# So whoever carries figures of a funnel over by sqlglot writes div(), ISO weeks and log(10, x), and compares the figures.
#
# Source: PostgreSQL 18, tables of mathematical operators and functions, and date_trunc; BigQuery, TIMESTAMP_TRUNC ("WEEK:
# begins on Sunday"); Snowflake, LN. Fails when that changes.
set -euo pipefail

place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT

"${PYTHON:-python3}" -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check sqlglot==30.30.0 duckdb==2.0.1

"$place/venv/bin/python" - <<'PY'
import duckdb
import sqlglot

print("sqlglot", sqlglot.__version__, "duckdb", duckdb.__version__)
EXPECTED = {
    ("select count(*) / 2 from range(7)", "duckdb"): "SELECT COUNT(*) / 2 FROM RANGE(7)",
    ("select count(*) / 2 from leads", "bigquery"): "SELECT COUNT(*) / 2 FROM leads",
    ("select count(*) / 2 from leads", "snowflake"): "SELECT COUNT(*) / 2 FROM leads",
    ("select date_trunc('week', came) from leads", "bigquery"): "SELECT TIMESTAMP_TRUNC(came, WEEK) FROM leads",
    ("select log(100)", "snowflake"): "SELECT LN(100)",
}
seen = {
    (query, into): sqlglot.transpile(query, read="postgres", write=into, unsupported_level=sqlglot.ErrorLevel.RAISE)[0]
    for query, into in EXPECTED
}
for (query, into), written in seen.items():
    print(f"{into}: {query} -> {written}")
half = duckdb.sql(seen["select count(*) / 2 from range(7)", "duckdb"]).fetchall()[0][0]
print("on DuckDB:", half)
assert (seen, half) == (EXPECTED, 3.5), "it changed: look whether the finding still holds"
print("As described.")
PY
