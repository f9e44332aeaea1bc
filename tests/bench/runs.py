"""A run is kept in parts (commands, questions, ledgers) as each is measured: one that breaks off goes on from there.

What is kept belongs to the very code that was measured, and to its plan.
"""

import hashlib
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

import msgspec

from deploy.local.home import write_atomically
from deploy.local.stack import CHECKOUT
from tests.bench.figures import Measured
from tests.bench.plan import (
    AGENDA,
    BOARD,
    CLOSED,
    GATES,
    LEDGERS,
    LISTS,
    OPEN,
    QUESTIONS,
    REBUILD,
    REST,
    SEARCH,
    SECTIONS,
    VISIBLE,
    Plan,
)

FOLDER = CHECKOUT / ".throughline" / "bench-runs"
MEASURED = ("shared", "services", "deploy", "tests/bench", "requirements")
"""What figures depend on."""


@dataclass(frozen=True, slots=True)
class Run:
    """What is measured of a run so far, by section."""

    file: Path

    def sections(self) -> Mapping[str, Measured]:
        """What is measured already."""
        if not self.file.exists():
            return {}
        return msgspec.json.decode(self.file.read_bytes(), type=dict[str, Measured])

    def keep(self, found: Mapping[str, Measured]) -> None:
        """Keep sections, in the place of what was known of them."""
        self._write({**self.sections(), **found})

    def forget(self, sections: Iterable[str]) -> None:
        """Have sections measured anew."""
        self._write({name: found for name, found in self.sections().items() if name not in set(sections)})

    def _write(self, sections: Mapping[str, Measured]) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self.file, msgspec.json.encode(sections).decode())


def run_of(plan: Plan, against: str) -> Run:
    """The run of this checkout as it stands, beside another commit."""
    code = _git("rev-parse", *(f"HEAD:{folder}" for folder in MEASURED)), _git("diff", "HEAD", "--", *MEASURED)
    other = _git("rev-parse", against) if against else b""
    key = hashlib.sha256(msgspec.json.encode((replace(plan, sections=()), other, code)))
    return Run(FOLDER / f"{key.hexdigest()[:16]}.json")


def split(found: Measured, sections: Iterable[str]) -> dict[str, Measured]:
    """What was measured together, by section."""
    parts = {
        REST: Measured(rest=found.rest),
        CLOSED: Measured(rounds=[one for one in found.rounds if one.pressure.clients]),
        OPEN: Measured(rounds=[one for one in found.rounds if one.pressure.rate]),
        VISIBLE: Measured(visible=found.visible),
        QUESTIONS: Measured(answered=found.answered, held=found.held),
        LEDGERS: Measured(steady=found.steady, cold=found.cold),
        LISTS: Measured(listed=found.listed),
        BOARD: Measured(boards=found.boards),
        AGENDA: Measured(agendas=found.agendas),
        SEARCH: Measured(searches=found.searches),
        GATES: Measured(gates=found.gates),
        REBUILD: Measured(rebuilt=found.rebuilt),
    }
    return {section: replace(parts[section], about=found.about) for section in sections}


def together(sections: Mapping[str, Measured]) -> Measured:
    """All sections as one; when each was measured is said where that was not in one go."""
    known = [(section, sections[section]) for section in SECTIONS if section in sections]
    whole = Measured(about=known[0][1].about if known else {})
    for _, part in known:
        for field in fields(Measured):
            if field.name != "about":
                getattr(whole, field.name).extend(getattr(part, field.name))
    whens: dict[str, list[str]] = {}
    for section, part in known:
        whens.setdefault(part.about.get("Measured", ""), []).append(section)
    if len(whens) > 1:
        told = "; ".join(f"{', '.join(of_then)}: {when}" for when, of_then in whens.items())
        whole.about = {**whole.about, "Measured": told}
    return whole


def _git(*words: str) -> bytes:
    return subprocess.run(("git", *words), cwd=CHECKOUT, check=True, stdout=subprocess.PIPE).stdout
