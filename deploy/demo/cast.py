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


DIRECTOR = Colleague(
    subject="ingrid.solberg", name="Ingrid Solberg", role=Role.SALES_DIRECTOR, team=SALES, experience="senior"
)
MANAGERS = {
    "north": Colleague(subject="tomasz.wieczorek", name="Tomasz Wieczorek", role=Role.MANAGER, team="north"),
    "south": Colleague(subject="leila.haddad", name="Leila Haddad", role=Role.MANAGER, team="south"),
    "key-accounts": Colleague(subject="kofi.annorbah", name="Kofi Annorbah", role=Role.MANAGER, team="key-accounts"),
}
REPS = (
    Colleague(
        subject="amara.okonjo",
        name="Amara Okonjo",
        role=Role.REP,
        team="north",
        experience="senior",
        skill=0.85,
        adherence=0.99,
    ),
    Colleague(
        subject="jonas.lindqvist",
        name="Jonas Lindqvist",
        role=Role.REP,
        team="north",
        experience="experienced",
        skill=0.55,
        adherence=0.98,
    ),
    Colleague(
        subject="mei.zhao",
        name="Mei Zhao",
        role=Role.REP,
        team="north",
        experience="experienced",
        skill=0.65,
        adherence=0.98,
    ),
    Colleague(
        subject="patrick.doyle",
        name="Patrick Doyle",
        role=Role.REP,
        team="north",
        experience="new",
        skill=0.30,
        adherence=0.96,
    ),
    Colleague(
        subject="sofia.marchetti",
        name="Sofia Marchetti",
        role=Role.REP,
        team="south",
        experience="senior",
        skill=0.75,
        adherence=0.90,
    ),
    Colleague(
        subject="rafael.nogueira",
        name="Rafael Nogueira",
        role=Role.REP,
        team="south",
        experience="experienced",
        skill=0.50,
        adherence=0.82,
    ),
    Colleague(
        subject="elif.yildiz",
        name="Elif Yıldız",
        role=Role.REP,
        team="south",
        experience="experienced",
        skill=0.45,
        adherence=0.85,
    ),
    Colleague(
        subject="nikos.stavridis",
        name="Nikos Stavridis",
        role=Role.REP,
        team="south",
        experience="new",
        skill=0.25,
        adherence=0.78,
    ),
    Colleague(
        subject="priya.raman",
        name="Priya Raman",
        role=Role.REP,
        team="key-accounts",
        experience="senior",
        skill=0.80,
        adherence=0.97,
    ),
    Colleague(
        subject="henrik.brandvold",
        name="Henrik Brandvold",
        role=Role.REP,
        team="key-accounts",
        experience="experienced",
        skill=0.55,
        adherence=0.95,
    ),
    Colleague(
        subject="camille.fontanel",
        name="Camille Fontanel",
        role=Role.REP,
        team="key-accounts",
        experience="experienced",
        skill=0.60,
        adherence=0.96,
    ),
    Colleague(
        subject="tuan.pham",
        name="Tuan Pham",
        role=Role.REP,
        team="key-accounts",
        experience="new",
        skill=0.40,
        adherence=0.94,
    ),
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
PRODUCT = Colleague(subject="ines.carvalho", name="Inês Carvalho", role=Role.PRODUCT, department="product")

EVERYBODY = (DIRECTOR, *MANAGERS.values(), *REPS, LEGAL, FINANCE, OPERATIONS, EXECUTIVE, MARKETING, PRODUCT)


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
