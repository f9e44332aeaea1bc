"""Known vulnerabilities of what the lock files name: `python -m deploy.audit`, as `make check` runs it.

Only a vulnerability fails. Where the service that knows them is not reached, one line says so.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOCKS = Path(__file__).parents[1] / "requirements"
OPTIONS = (
    *("--disable-pip", "--require-hashes", "--progress-spinner", "off"),
    *("--format", "json", "--aliases", "on", "--timeout", "15"),
)
UNREACHED = ("requests.exceptions.", "pip_audit._service.", "your network may be blocking this service")
"""What pip-audit's last words hold when it could not ask, or got no answer that it understands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is said, and whether it fails the check."""

    lines: tuple[str, ...]
    fails: bool = False


def audit(locks: Sequence[Path]) -> Verdict:
    """Ask about every package of the lock files."""
    named = [word for lock in locks for word in ("--requirement", str(lock))]
    command = (sys.executable, "-m", "pip_audit", *OPTIONS, *named)
    asked = subprocess.run(command, check=False, capture_output=True, encoding="utf-8")  # noqa: S603 - the list is ours
    return verdict(asked.stdout, asked.stderr)


def verdict(answer: str, complaint: str) -> Verdict:
    """What pip-audit's output means: its JSON, or else what it complained of."""
    if not answer.strip():
        if any(sign in complaint for sign in UNREACHED):
            return Verdict(lines=("Not audited: the service that knows vulnerabilities is not reached from here.",))
        return Verdict(lines=("pip-audit failed:", *complaint.splitlines()), fails=True)
    packages = json.loads(answer)["dependencies"]
    known = [package for package in packages if "skip_reason" not in package]
    if not known:
        return Verdict(lines=("Not audited: from here, the service tells nothing of these packages.",))
    found = tuple(_told(package, each) for package in known for each in package["vulns"])
    if found:
        return Verdict(lines=found, fails=True)
    unknown = f"; {len(packages) - len(known)} are unknown to the service" if len(known) < len(packages) else ""
    return Verdict(lines=(f"No known vulnerability in {len(known)} packages{unknown}.",))


def _told(package: dict[str, Any], vulnerability: dict[str, Any]) -> str:
    mended = ", ".join(vulnerability["fix_versions"]) or "no version yet"
    names = ", ".join([vulnerability["id"], *vulnerability["aliases"]])
    return f"{package['name']} {package['version']}: {names}; mended in {mended}."


def main() -> int:
    """Audit all lock files; gives the exit code."""
    result = audit(sorted(LOCKS.glob("*.txt")))
    (sys.stderr if result.fails else sys.stdout).write("\n".join(result.lines) + "\n")
    return int(result.fails)


if __name__ == "__main__":
    sys.exit(main())
