#!/usr/bin/env bash
# pm4py 2.7.23.11: business hours are counted by the clock of UTC, whatever zone the events are in.
#
# One would write from memory: with `business_hours=True` (Monday to Friday, seven to seventeen, unless slots are given) the time
# between two steps is what falls into working hours where people work: the timestamps carry a zone.
# Seen: `format_dataframe` makes them UTC, and the slots are laid over that. A lead that comes in Berlin at 17:15, after hours, and
# is answered at 06:45 the next day, before them, took 45 minutes of work in winter and 1 h 45 in summer, not 0; one of Los
# Angeles, open from 09:00 to 16:00 of one Monday, took 1 hour, not 7. Slots moved by hand are right for half of the year.
# Besides, `get_all_case_durations` gives the durations sorted, not in the order of the cases.
#
# So whoever has response times in working hours from pm4py takes the zone off first (the local time as if it were UTC), one
# log for each place.
#
# Source: pm4py/utils.py (`format_dataframe`), pm4py/util/business_hours.py. Fails when that changes.
set -euo pipefail

place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT

"${PYTHON:-python3}" -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check pm4py==2.7.23.11 pandas==2.3.3

"$place/venv/bin/python" - <<'PY'
import warnings
from importlib.metadata import version

warnings.simplefilter("ignore")
import pandas
import pm4py

print("pm4py", version("pm4py"))


def worked(zone: str, begins: str, ends: str, *, as_if_utc: bool = False) -> float:
    """Hours of work between two steps of a case."""
    times = pandas.Series(pandas.to_datetime([begins, ends])).dt.tz_localize("UTC" if as_if_utc else zone)
    log = pm4py.format_dataframe(
        pandas.DataFrame({"case": ["1", "1"], "step": ["asked", "answered"], "at": times}),
        case_id="case",
        activity_key="step",
        timestamp_key="at",
    )
    return pm4py.get_all_case_durations(log, business_hours=True)[0] / 3600


seen = {
    "Berlin in winter": worked("Europe/Berlin", "2026-03-02 17:15", "2026-03-03 06:45"),
    "Berlin in summer": worked("Europe/Berlin", "2026-06-01 17:15", "2026-06-02 06:45"),
    "Los Angeles": worked("America/Los_Angeles", "2026-03-02 09:00", "2026-03-02 16:00"),
    "Berlin in winter, zone taken off": worked("", "2026-03-02 17:15", "2026-03-03 06:45", as_if_utc=True),
    "Los Angeles, zone taken off": worked("", "2026-03-02 09:00", "2026-03-02 16:00", as_if_utc=True),
}
for what, hours in seen.items():
    print(f"{what}: {hours:.2f} h")
assert seen == {
    "Berlin in winter": 0.75,
    "Berlin in summer": 1.75,
    "Los Angeles": 0.0,
    "Berlin in winter, zone taken off": 0.0,
    "Los Angeles, zone taken off": 7.0,
}, "it changed: look whether the finding still holds"
print("As described.")
PY
