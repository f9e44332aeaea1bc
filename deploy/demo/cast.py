"""Who works in the demo company: a direction, three teams of four reps with a manager each, and those beside them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from shared.domain.roles import Role

Line = dict[str, Any]
"""One fact of the import file."""

SALES = "sales"
TEAMS = {SALES: "Sales", "north": "North", "south": "South", "key-accounts": "Key Accounts"}
"""Outside id of a team → its name; the first is above the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """Somebody of the company. `skill` is how well they win, `adherence` how much of what the process asks of them they
    do, both from 0 to 1; only those of reps matter."""

    subject: str
    name: str
    role: Role
    team: str | None = None
    experience: str = "experienced"
    skill: float = 0.0
    adherence: float = 1.0
    department: str = "sales"


def _rep(subject: str, name: str, team: str, experience: str, skill: float, adherence: float) -> Colleague:
    return Colleague(
        subject=subject,
        name=name,
        role=Role.REP,
        team=team,
        experience=experience,
        skill=skill,
        adherence=adherence,
    )


DIRECTOR = Colleague(
    subject="ingrid.solberg", name="Ingrid Solberg", role=Role.SALES_DIRECTOR, team=SALES, experience="senior"
)
MANAGERS = {
    "north": Colleague(subject="tomasz.wieczorek", name="Tomasz Wieczorek", role=Role.MANAGER, team="north"),
    "south": Colleague(subject="leila.haddad", name="Leila Haddad", role=Role.MANAGER, team="south"),
    "key-accounts": Colleague(subject="kofi.annorbah", name="Kofi Annorbah", role=Role.MANAGER, team="key-accounts"),
}
REPS = (
    _rep("amara.okonjo", "Amara Okonjo", "north", "senior", 0.85, 0.99),
    _rep("jonas.lindqvist", "Jonas Lindqvist", "north", "experienced", 0.55, 0.98),
    _rep("mei.zhao", "Mei Zhao", "north", "experienced", 0.65, 0.98),
    _rep("patrick.doyle", "Patrick Doyle", "north", "new", 0.30, 0.96),
    _rep("sofia.marchetti", "Sofia Marchetti", "south", "senior", 0.75, 0.90),
    _rep("rafael.nogueira", "Rafael Nogueira", "south", "experienced", 0.50, 0.82),
    _rep("elif.yildiz", "Elif Yıldız", "south", "experienced", 0.45, 0.85),
    _rep("nikos.stavridis", "Nikos Stavridis", "south", "new", 0.25, 0.78),
    _rep("priya.raman", "Priya Raman", "key-accounts", "senior", 0.80, 0.97),
    _rep("henrik.brandvold", "Henrik Brandvold", "key-accounts", "experienced", 0.55, 0.95),
    _rep("camille.fontanel", "Camille Fontanel", "key-accounts", "experienced", 0.60, 0.96),
    _rep("tuan.pham", "Tuan Pham", "key-accounts", "new", 0.40, 0.94),
)
LEGAL = Colleague(subject="astrid.voglar", name="Astrid Voglar", role=Role.LEGAL, department="legal")
FINANCE = Colleague(subject="samuel.ortiz", name="Samuel Ortiz", role=Role.FINANCE, department="finance")
OPERATIONS = Colleague(
    subject="yuki.tanabe", name="Yuki Tanabe", role=Role.SALES_OPERATIONS, department="sales-operations"
)
EXECUTIVE = Colleague(
    subject="margit.halloway", name="Margit Halloway", role=Role.EXECUTIVE, department="management", experience="senior"
)
MARKETING = Colleague(subject="noor.rahimi", name="Noor Rahimi", role=Role.MARKETING, department="marketing")

EVERYBODY = (DIRECTOR, *MANAGERS.values(), *REPS, LEGAL, FINANCE, OPERATIONS, EXECUTIVE, MARKETING)


def organisation(since: date) -> Iterator[Line]:
    """The facts of teams and members, there since the first day."""
    on = since.isoformat()
    for team, name in TEAMS.items():
        above = {} if team == SALES else {"parent": SALES}
        yield {"fact": "team", "id": team, "on": on, "name": name, **above}
    for person in EVERYBODY:
        line = {
            "fact": "member",
            "id": person.subject,
            "on": on,
            "subject": person.subject,
            "name": person.name,
            "role": str(person.role),
            "department": person.department,
            "experience": person.experience,
            "capacity": 30 if person.role is Role.REP else 0,
        }
        yield {**line, "team": person.team} if person.team else line
    for team, manager in {SALES: DIRECTOR, **MANAGERS}.items():
        yield {"fact": "team-manager", "id": team, "on": on, "member": manager.subject}
