"""How a version of a process is tried out on some new deals, with its goal stated before (PROC-2)."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Gt, Le, MaxLen

from services.deals.domain.process.publishing import Waves, has_draft, planned, refuse_faulty, versions, with_version
from services.deals.domain.process.state import (
    AnyFollowedProcess,
    DraftProcess,
    FollowedProcess,
    OpenProcess,
    Pilot,
    PilotedProcess,
    Version,
    process,
)
from shared.domain.aggregate import Decision
from shared.domain.context import Actor, Context
from shared.domain.fields import Day, Name, Text
from shared.domain.references import AnyTeamId
from shared.domain.rejection import Rejected, all_at_once
from shared.domain.roles import OPERATIONS
from shared.events.deals.process import (
    PilotGoal,
    PilotPeople,
    ProcessDrafted,
    ProcessPilotEnded,
    ProcessPilotStarted,
    ProcessPublished,
)
from shared.events.definition import Exact, value

USUAL_DAYS, LONGEST_DAYS = 91, 731
"""How long a pilot runs: three months unless said otherwise, and two years at most."""


@value
class Goal:
    """What the pilot is to reach, compared with deals that do not follow it."""

    figure: Literal["sales-cycle", "lead-conversion", "win-rate", "won-amount"]
    change: Annotated[Exact, Ge(-10), Le(10)]
    """As a share of what it is without: -0.20 is a fifth less."""


@value
class StartPilot:
    """The draft is tried out on some new deals."""

    goal: Goal
    teams: Annotated[tuple[AnyTeamId, ...], MaxLen(200)] = ()
    """Deals of these teams, with those below them; default: of every team."""
    industries: Annotated[tuple[Name, ...], MaxLen(200)] = ()
    """Deals of these industries; default: of every industry."""
    share: Annotated[Exact, Gt(0), Le(1)] = Decimal(1)
    """The share of these deals that follow it: 0.5 is every other, chosen by a hash of their ids."""
    until: Day | None = None
    """The last day on which new deals follow it; default: three months."""

    example: ClassVar[dict[str, Any]] = {
        "goal": {"figure": "sales-cycle", "change": "-0.20"},
        "teams": ["01936d2f-8a5c-7e54-b8a1-3d2c9b5e7f10"],
        "share": "0.5",
    }


@value
class EndPilot:
    """The pilot is over, and this is what comes of it."""

    outcome: Literal["adopted", "revised", "stopped"]
    """adopted: the version is published; revised: it is the draft of the next one; stopped: neither."""
    reason: Text
    waves: Waves = ()
    """Whose new deals follow an adopted version from when on; default: all at once."""

    example: ClassVar[dict[str, Any]] = {"outcome": "adopted", "reason": "A quarter faster, and nobody lost more."}


@value
class PilotCrew:
    """The reps of the teams that a pilot names, with those below them, by their experience; of all where it names
    none."""

    people: tuple[PilotPeople, ...] | None = None


def _can_start(state: OpenProcess, actor: Actor) -> None:
    """Refuse without a draft, and a second pilot beside one that runs."""
    has_draft(state, actor)
    running = on_trial(state) if isinstance(state, FollowedProcess) else None
    if running is not None:
        raise Rejected("pilot-running", f"Version {running.number} is on trial: end its pilot first.")


def _is_on_trial(state: FollowedProcess, actor: Actor) -> Version:
    """The version whose pilot has not ended. Raises Rejected where there is none."""
    version = on_trial(state)
    if version is None:
        raise Rejected("no-pilot", "No version is on trial.")
    return version


@process.decides(allow=OPERATIONS, guard=_can_start)
def start_pilot(state: OpenProcess, command: StartPilot, context: Context, crew: PilotCrew) -> Decision:
    """Try the draft out on some new deals. One version of a process is on trial at a time.

    Whether its people are all of one level of experience is said with it; a dry run tells it before.
    """
    definition = has_draft(state, context.actor)
    all_at_once(lambda: refuse_faulty(definition, state), lambda: _refuse_days(command, context))
    return [
        ProcessPilotStarted(
            process_id=state.id,
            process_version=len(versions(state)) + 1,
            definition=definition,
            goal=PilotGoal(figure=command.goal.figure, change=command.goal.change),
            on=context.today,
            until=command.until or context.today + timedelta(days=USUAL_DAYS),
            teams=command.teams,
            industries=command.industries,
            share=command.share,
            people=crew.people,
        )
    ]


@process.decides(allow=OPERATIONS, guard=_is_on_trial)
def end_pilot(state: AnyFollowedProcess, command: EndPilot, context: Context) -> Decision:
    """End the pilot: adopt its version, revise it, or stop. Deals that follow it go on by their version."""
    version = _is_on_trial(state, context.actor)
    if command.waves and command.outcome != "adopted":
        raise Rejected("nothing-published", "Only an adopted version is published in waves.", field="waves")
    if command.outcome == "revised" and state.draft is not None:
        raise Rejected("draft-in-the-way", "There is another draft: publish or discard it first.", field="outcome")
    number, definition = version.number, version.definition
    ended = ProcessPilotEnded(
        process_id=state.id, process_version=number, outcome=command.outcome, reason=command.reason
    )
    match command.outcome:
        case "adopted":
            waves = planned(command.waves, context)
            return [
                ended,
                ProcessPublished(process_id=state.id, process_version=number, definition=definition, waves=waves),
            ]
        case "revised":
            return [ended, ProcessDrafted(process_id=state.id, definition=definition, revises=number)]
        case "stopped":
            return [ended]


@process.already
def is_started(state: AnyFollowedProcess, command: StartPilot) -> bool:
    """Asked again: the draft is on trial, with this goal and for these deals."""
    version = on_trial(state)
    if version is None or version.pilot is None or state.draft is not None:
        return False
    pilot = version.pilot
    return (
        (pilot.goal.figure, pilot.goal.change) == (command.goal.figure, command.goal.change)
        and (pilot.teams, pilot.industries, pilot.share) == (command.teams, command.industries, command.share)
        and command.until in (None, pilot.until)
    )


@process.already
def is_ended(state: AnyFollowedProcess, command: EndPilot) -> bool:
    """Asked again: nothing is on trial, and the last pilot ended like this."""
    pilots = [version.pilot for version in state.versions if version.pilot is not None]
    return bool(pilots) and pilots[-1].outcome == command.outcome


@process.evolves
def pilot_started(state: OpenProcess, event: ProcessPilotStarted) -> AnyFollowedProcess:
    pilot = Pilot(
        goal=event.goal,
        on=event.on,
        until=event.until,
        teams=event.teams,
        industries=event.industries,
        share=event.share,
        people=event.people,
    )
    version = Version(number=event.process_version, definition=event.definition, published=False, pilot=pilot)
    became = PilotedProcess if isinstance(state, DraftProcess) else type(state)
    return became(id=event.process_id, versions=with_version(state, version), draft=None)


@process.evolves
def pilot_ended(state: AnyFollowedProcess, event: ProcessPilotEnded) -> AnyFollowedProcess:
    return replace(
        state,
        versions=tuple(
            replace(version, pilot=replace(version.pilot, outcome=event.outcome))
            if version.number == event.process_version and version.pilot is not None
            else version
            for version in state.versions
        ),
    )


def on_trial(state: FollowedProcess) -> Version | None:
    """The version whose pilot has not ended."""
    return next((each for each in state.versions if each.pilot is not None and each.pilot.outcome is None), None)


def _refuse_days(command: StartPilot, context: Context) -> None:
    longest = context.today + timedelta(days=LONGEST_DAYS)
    if command.until is not None and not context.today < command.until <= longest:
        raise Rejected("invalid-end", f"A pilot ends after today, and not after {longest}.", field="until")
