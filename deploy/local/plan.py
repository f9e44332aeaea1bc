"""What a stack consists of, as data: the command line writes it, the supervisor carries it out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter

from deploy.local.home import Home, write_atomically
from deploy.local.program import Program

ALIVE = "alive"
"""The readiness of a program that nobody asks anything: it is ready while it runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One program, when it may start and how one sees that it is ready."""

    program: Program
    ready: str = ""
    """An address: `postgresql://…` and `kafka://host:port` are ready when the server answers, `http://…` when a GET
    gives 200 or 204; `ALIVE` needs no asking. Empty for a task: it is ready when it has ended well, and is not started
    again."""
    after: tuple[str, ...] = ()
    """Names of steps that are ready before this one starts."""

    @property
    def is_task(self) -> bool:
        return not self.ready


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What `status` says of one service besides its process."""

    url: str
    database: str
    """Without a password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A whole stack. Each step comes after those that it names."""

    origin: str
    kafka: str
    steps: tuple[Step, ...]
    services: Mapping[str, Service] = field(default_factory=dict)


PLAN = TypeAdapter(Plan)


def plan_file(home: Home) -> Path:
    return home.path / "plan.json"


def write_plan(plan: Plan, home: Home) -> None:
    """For the owner's eyes only: environments hold passwords."""
    write_atomically(plan_file(home), PLAN.dump_json(plan).decode(), mode=0o600)


def read_plan(home: Home) -> Plan:
    return PLAN.validate_json(plan_file(home).read_bytes())
