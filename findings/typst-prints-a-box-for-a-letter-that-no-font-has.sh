#!/usr/bin/env bash
# typst 0.15.2: a letter that no font holds is printed as a box, and neither an error nor a warning says so; PDF/A and PDF/UA do.
#
# One would write from memory: `compile_with_warnings` tells of letters that could not be set, as TeX tells of missing characters
# in its log, so a document without warnings is whole.
# Seen: without system fonts, "A 日 B" compiles with no warnings; the page shows a box, and readers of the file find U+0000 in its
# place. Asked for PDF/UA-1 or PDF/A-2b, which forbid such glyphs, the same text is an error that names the letter and the font.
#
# So whoever prints names of customers asks for one of these standards, also where nobody needs the standard.
#
# Source: github.com/typst/typst, issue 3004; ISO 14289-1, 7.21.8. Fails when that changes.
set -euo pipefail

place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT

"${PYTHON:-python3}" -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check typst==0.15.2 pypdf==7.1.1

"$place/venv/bin/python" - <<'PY'
from importlib.metadata import version
from io import BytesIO

import typst
from pypdf import PdfReader

print("typst", version("typst"))
SOURCE = '#set document(title: "A name")\nA 日 B'.encode()
made, warnings = typst.compile_with_warnings(SOURCE, ignore_system_fonts=True)
text = PdfReader(BytesIO(made)).pages[0].extract_text()
print("no standard:", repr(text), "warnings:", warnings)
seen = {}
for standard in ("ua-1", "a-2b"):
    try:
        typst.compile(SOURCE, ignore_system_fonts=True, pdf_standards=standard)
    except typst.TypstError as error:
        seen[standard] = "日" in error.message
        print(f"{standard}:", error.message)
assert (text, warnings, seen) == ("A \0 B", [], {"ua-1": True, "a-2b": True}), (
    "it changed: look whether the finding still holds"
)
print("As described.")
PY
