"""The audit of the lock files: a known vulnerability fails, an unreached service is said in one line."""

import json
from typing import Any

from deploy.audit import verdict

UNREACHED = """Traceback (most recent call last):
requests.exceptions.ConnectionError: HTTPSConnectionPool(host='pypi.org', port=443): Max retries exceeded
"""
SOUND: dict[str, Any] = {"name": "sound", "version": "1.0", "vulns": []}
UNKNOWN = {"name": "unknown", "skip_reason": "Dependency not found on PyPI and could not be audited"}
HOLED: dict[str, Any] = {
    "name": "holed",
    "version": "2.0",
    "vulns": [
        {"id": "PYSEC-2026-1", "aliases": ["CVE-2026-1"], "fix_versions": ["2.1"], "description": "It has a hole."}
    ],
}


def answer(*packages: dict[str, Any]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def test_a_known_vulnerability_fails_and_names_what_mends_it() -> None:
    told = verdict(answer(SOUND, HOLED, UNKNOWN), "")
    assert told.fails
    assert told.lines == ("holed 2.0: PYSEC-2026-1, CVE-2026-1; mended in 2.1.",)


def test_what_is_sound_passes_and_says_how_much_was_asked() -> None:
    assert verdict(answer(SOUND), "").lines == ("No known vulnerability in 1 packages.",)
    told = verdict(answer(SOUND, UNKNOWN), "")
    assert (told.lines, told.fails) == (
        ("No known vulnerability in 1 packages; 1 are unknown to the service.",),
        False,
    )


def test_an_unreached_service_is_one_line_and_passes() -> None:
    for output in (("", UNREACHED), (answer(UNKNOWN, UNKNOWN), "")):
        told = verdict(*output)
        assert not told.fails
        (line,) = told.lines
        assert line.startswith("Not audited: ")


def test_an_audit_that_breaks_for_another_reason_fails_with_what_it_said() -> None:
    told = verdict("", "No module named pip_audit")
    assert told.fails
    assert "No module named pip_audit" in told.lines
