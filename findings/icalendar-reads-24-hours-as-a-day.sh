#!/usr/bin/env bash
# icalendar 7.3.2: a duration of PT24H is read, kept and written as P1D, and its end is reckoned by the clock on the wall.
#
# One would write from memory: RFC 5545 tells exact durations (hours, minutes, seconds) from nominal ones (days, weeks), so
# PT24H that begins at noon before the clocks go forward ends at 13:00, and P1D at 12:00; what is read is written again as it was.
# Seen: both become timedelta(days=1). `Event.end` says 12:00 for both, which is 23 hours; written again PT24H is P1D, so the
# calendar that reads it next has another end. PT23H30M ends at 11:30 by the clock, which is 22.5 hours.
#
# So whoever passes on appointments in hours reckons the end in UTC and writes DTEND, not DURATION.
#
# Source: RFC 5545, section 3.3.6; icalendar/prop (`vDuration`), icalendar/cal/event.py (`Event.end`). Fails when that changes.
set -euo pipefail

place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT

"${PYTHON:-python3}" -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check icalendar==7.3.2 tzdata==2026.6

"$place/venv/bin/python" - <<'PY'
from datetime import timezone
from importlib.metadata import version

from icalendar import Event

print("icalendar", version("icalendar"))
LINES = ("BEGIN:VEVENT", "UID:1", "DTSTAMP:20260301T120000Z", "DTSTART;TZID=Europe/Berlin:20260328T120000")
seen = {}
for duration in ("PT24H", "P1D", "PT23H30M"):
    event = Event.from_ical("\r\n".join((*LINES, f"DURATION:{duration}", "END:VEVENT", "")))
    hours = (event.end.astimezone(timezone.utc) - event.start.astimezone(timezone.utc)).total_seconds() / 3600
    written = next(line for line in event.to_ical().decode().splitlines() if line.startswith("DURATION"))
    seen[duration] = f"{event.end:%d %H:%M}", hours, written
    print(duration, *seen[duration])
assert seen == {
    "PT24H": ("29 12:00", 23.0, "DURATION:P1D"),
    "P1D": ("29 12:00", 23.0, "DURATION:P1D"),
    "PT23H30M": ("29 11:30", 22.5, "DURATION:PT23H30M"),
}, "it changed: look whether the finding still holds"
print("As described.")
PY
