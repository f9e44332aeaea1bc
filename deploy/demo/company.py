"""Which company a stack holds: the demo company, or one that came from an export. It moves in once."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from deploy.demo.cast import EVERYBODY, TEAMS
from deploy.local.fault import LocalError
from deploy.local.home import read_json, write_atomically
from deploy.local.identity import Person, write_people
from deploy.local.stack import Stack, url_setting

if TYPE_CHECKING:
    from deploy.local.control import Say
    from shared.domain.context import Company

SEED = 1
FACTS = "demo-company.jsonl"
DEMO, EXPORT = "demo", "export"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The company that is wanted: the folder of an export, or else the demo company."""

    data: Path | None = None

    @property
    def kind(self) -> str:
        return EXPORT if self.data else DEMO

    @property
    def shown(self) -> str:
        return f"the export in {self.data}" if self.data else "the demo company"


def marker(home: Path) -> Path:
    """The file that says which company has moved in; it is there once everything is imported."""
    return home / "company.json"


def held(home: Path) -> Mapping[str, Any]:
    """Which company a home holds; empty before one has moved in."""
    return read_json(marker(home))


def choose(home: Path, data: str | None) -> Choice:
    """The company wanted. Raises LocalError when the folder is none, or the home holds another company."""
    known = held(home)
    if not data:
        return Choice(data=Path(known["data"])) if known.get("kind") == EXPORT else Choice()
    folder = Path(data).resolve()
    if not folder.is_dir():
        raise LocalError(f"DATA is {data!r}, which is no folder.", "Name the folder that holds the export's files.")
    wanted = Choice(data=folder)
    if known and known.get("data") != str(folder):
        there = Choice(data=Path(known["data"]) if known["kind"] == EXPORT else None)
        raise LocalError(
            f"This stack holds {there.shown} already.",
            "`make clean` throws it away; or set THROUGHLINE_HOME to another folder, for a stack beside it.",
        )
    return wanted


async def move_in(stack: Stack, wanted: Choice, say: "Say") -> Mapping[str, Any]:
    """Import the company unless it is there; gives what the marker says. Harmless to repeat. Raises LocalError."""
    from deploy.cli.import_ import bring_in, mapping_of
    from deploy.imports.export import facts_of

    home = stack.home.path
    if known := held(home):
        return known
    say(f"Importing {wanted.shown} (once).")
    company = company_of(stack)
    if wanted.data:
        mapping = mapping_of(wanted.data)
        people = people_of(fact for _, fact in facts_of(mapping, wanted.data, company) if isinstance(fact, Mapping))
        result = await bring_in(wanted.data, mapping, home / "rejected.jsonl")
    else:
        people = demo_people()
        result = await bring_in(demo_file(home, company), None)
    if result["rejected"]:
        say(f"{result['rejected']:,} facts were refused; {result['reject_file']} says why.")
    write_people(home, people)
    if wanted.kind == DEMO:
        say("Its people enter what they know of their open deals.")
        if refused := await begin(stack, home / FACTS, company):
            say(f"{refused} of these entries were refused.")
    entry = {"kind": wanted.kind, "data": str(wanted.data) if wanted.data else None, "facts": result["read"]}
    write_atomically(marker(home), json.dumps(entry))
    say(f"{result['read']:,} facts were imported in {result['visible_seconds']} s.")
    return entry


async def begin(stack: Stack, history: Path, company: "Company") -> int:
    """The first day of the demo company: what its people enter beyond its history. Gives how many entries were refused
    otherwise than by a gate, of which some are to be. Raises LocalError."""
    import httpx

    from deploy.demo.desk import PATIENCE_SECONDS, NotAnswered
    from deploy.demo.first_day import RUN, cases, enter, entries
    from deploy.imports.facts import ids_of
    from shared.ops.logs import configure_logs

    configure_logs(RUN, "warning")
    random = Random(f"{SEED}/first-day")  # noqa: S311 — no secret
    with history.open(encoding="utf-8") as lines:
        told = cases(map(json.loads, lines), ids_of(history.stem))
    entered = entries(random, told, company.day(datetime.now(UTC)))
    async with httpx.AsyncClient(base_url=stack.origin, timeout=PATIENCE_SECONDS, trust_env=False) as client:
        try:
            answers = await enter(entered, client, stack.home.secret("stack"), random)
        except NotAnswered as nobody:
            raise LocalError(f"Nobody answers at {nobody}.", "Run the same again: it goes on where it was.") from None
    return sum(not answer.ok and answer.code != "gate-closed" for answer in answers)


def company_of(stack: Stack) -> "Company":
    """Currency, time zone and holidays of a stack's company."""
    from shared.ops.settings import Settings

    own = {url_setting("deals"): stack.database_url("deals")}
    return Settings.from_environment("deals", {**stack.environment, **stack.settings(), **own}).company


def demo_file(home: Path, company: "Company") -> Path:
    """The demo company's history as a file: written once, so that an import that broke off goes on with the same."""
    from deploy.demo.generator import facts, write

    file, draft = home / FACTS, home / f".{FACTS}"
    if not file.exists():
        write(draft, facts(Random(SEED), company.day(datetime.now(UTC)), company))  # noqa: S311 — no secret
        draft.replace(file)
    return file


def demo_people() -> list[Person]:
    """Who can sign in to the demo company."""
    return [
        Person(subject=each.subject, name=each.name, role=each.role, team=TEAMS[each.team] if each.team else None)
        for each in EVERYBODY
    ]


def people_of(facts: Iterable[Mapping[str, Any]]) -> list[Person]:
    """Who can sign in to a company that came from an export: its members."""
    teams: dict[str, str] = {}
    people: list[Person] = []
    for fact in facts:
        if fact["fact"] == "team":
            teams[str(fact["id"])] = str(fact["name"])
        elif fact["fact"] == "member":
            team = teams.get(str(fact.get("team")))
            people.append(Person(subject=fact["subject"], name=fact["name"], role=fact["role"], team=team))
    return people
