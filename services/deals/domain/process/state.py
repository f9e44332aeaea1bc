"""What is known of a sales process, the states that it can stand in, and the version that a new deal follows."""

from collections.abc import Set
from datetime import date
from decimal import Decimal
from hashlib import blake2b
from typing import Literal
from uuid import UUID

from shared.domain.aggregate import Aggregate
from shared.domain.roles import EVERYBODY
from shared.events.deals.process import PilotGoal, PilotPeople, Wave
from shared.events.definition import Exact, value
from shared.events.process import ProcessDefinition

PilotWarning = Literal["one-level", "nobody"]


@value
class Pilot:
    """Which new deals follow a version on trial, and what it is to reach."""

    goal: PilotGoal
    on: date
    until: date
    teams: tuple[UUID, ...]
    industries: tuple[str, ...]
    share: Exact
    people: tuple[PilotPeople, ...] | None = None
    """The reps whose deals may follow it, by their experience, on the day it began. None: not looked up."""
    outcome: str | None = None
    """How it ended: adopted, revised or stopped."""

    @property
    def warnings(self) -> tuple[PilotWarning, ...]:
        """Why what comes of it says little about others. A pilot may begin all the same: who shapes processes
        decides (PROC-2)."""
        if self.people is None:
            return ()
        if not self.people:
            return ("nobody",)
        return ("one-level",) if len(self.people) == 1 else ()


@value
class Version:
    """A version that deals follow, or followed. Its definition never changes."""

    number: int
    definition: ProcessDefinition
    published: bool
    """Whether it counts beyond its pilot."""
    waves: tuple[Wave, ...] = ()
    """Whose deals follow it from when on, once it is published; none: all at once."""
    pilot: Pilot | None = None


@value
class NoProcess:
    """Nothing was drafted or published under this id."""


@value
class DraftProcess:
    """A process that no deal follows yet."""

    id: UUID
    draft: ProcessDefinition


@value
class FollowedProcess:
    """A process that deals follow, or followed, and that goes on."""

    id: UUID
    versions: tuple[Version, ...]
    """Version 1 first."""
    draft: ProcessDefinition | None = None

    @property
    def asks_for_teams(self) -> bool:
        """Whether the team of a new deal has a say in which version it follows."""
        return any(wave.teams for version in self.versions for wave in version.waves) or any(
            version.pilot is not None and version.pilot.outcome is None and version.pilot.teams
            for version in self.versions
        )


@value
class PilotedProcess(FollowedProcess):
    """A process of which nothing is published: its first version is on trial, or was."""


@value
class PublishedProcess(FollowedProcess):
    """A process of which at least one version was published, be it in waves that begin later."""


@value
class RetiredProcess:
    """A process that no new deal follows."""

    id: UUID
    versions: tuple[Version, ...]


AnyFollowedProcess = PilotedProcess | PublishedProcess
OpenProcess = DraftProcess | AnyFollowedProcess
AnyProcess = OpenProcess | RetiredProcess

process = Aggregate("process", plural="processes", start=NoProcess, readers=EVERYBODY, takes_yaml=True)


@value
class Process:
    """One version of a process: what a deal follows."""

    id: UUID
    version: int
    definition: ProcessDefinition


@value
class NewDeal:
    """What decides which version a new deal follows."""

    id: UUID
    on: date
    teams: Set[UUID] = frozenset()
    """Its team, and those above it."""
    industry: str | None = None


def version_of(state: FollowedProcess | RetiredProcess, number: int) -> Process:
    """A version, as a deal that was begun on it follows it."""
    return Process(id=state.id, version=number, definition=state.versions[number - 1].definition)


def newest(state: FollowedProcess) -> Process | None:
    """The version that was published last; None as long as the first is on trial."""
    numbers = [version.number for version in state.versions if version.published]
    return version_of(state, numbers[-1]) if numbers else None


def version_for(state: FollowedProcess, deal: NewDeal) -> Process | None:
    """The version that a new deal follows: the pilot that it falls into, else the newest that has reached its team;
    None when there is neither (PROC-2)."""
    for version in reversed(state.versions):
        if is_on_trial(version, state.id, deal) or has_reached(version, deal):
            return version_of(state, version.number)
    return None


def is_on_trial(version: Version, process_id: UUID, deal: NewDeal) -> bool:
    """Whether a new deal falls into the pilot of a version."""
    pilot = version.pilot
    return (
        pilot is not None
        and pilot.outcome is None
        and pilot.on <= deal.on <= pilot.until
        and _is_of(deal, pilot.teams)
        and (not pilot.industries or deal.industry in pilot.industries)
        and draw(process_id, version.number, deal.id) < pilot.share
    )


def has_reached(version: Version, deal: NewDeal) -> bool:
    """Whether a version that was published counts for a new deal: one of its waves has come to its team."""
    return version.published and (
        not version.waves or any(wave.on <= deal.on and _is_of(deal, wave.teams) for wave in version.waves)
    )


def draw(process_id: UUID, number: int, deal_id: UUID) -> Decimal:
    """The lot of a deal in the pilot of a version, from 0 up to 1: the same whenever it is drawn, and independent
    between pilots (a hash, BLAKE2b, of the three)."""
    lot = blake2b(process_id.bytes + number.to_bytes(4) + deal_id.bytes, digest_size=8).digest()
    return Decimal(int.from_bytes(lot)) / 2**64


def _is_of(deal: NewDeal, teams: tuple[UUID, ...]) -> bool:
    return not teams or not deal.teams.isdisjoint(teams)
