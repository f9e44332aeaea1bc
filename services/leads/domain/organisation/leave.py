"""Leave of members: when they are away, and that they are back earlier, or not away at all (ORG-1)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import ClassVar

from services.leads.domain.organisation.member import ActiveMember, FormerMember, Shortening, member
from shared.domain.aggregate import Decision, Occurrence
from shared.domain.context import Context
from shared.domain.fields import Day
from shared.domain.rejection import Reason, Rejected, refuse_all
from shared.domain.roles import Reach, Role, permission
from shared.domain.working_time.leave import Leave
from shared.events.definition import value
from shared.events.leads.member import MemberLeaveShortened, MemberWentOnLeave

ANNOUNCING = permission(
    {
        **dict.fromkeys(Role, Reach.OWN),
        Role.MANAGER: Reach.TEAM,
        Role.SALES_DIRECTOR: Reach.ALL,
        Role.SALES_OPERATIONS: Reach.ALL,
    }
)
"""Everybody their own leave, managers that of their teams, direction and operations everybody's."""


@value
class GoOnLeave:
    """Say when a member is away."""

    start: Day
    end: Day
    """The last day away."""

    example: ClassVar[dict[str, object]] = {"start": "2026-12-21", "end": "2027-01-03"}


@value
class ShortenLeave:
    """Let a leave end earlier than it was announced."""

    start: Day
    end: Day
    """The first and the last day of the leave, as it is now."""
    last_day: Day
    """The last day away after all: yesterday, or later."""

    example: ClassVar[dict[str, object]] = {"start": "2026-12-21", "end": "2027-01-03", "last_day": "2026-12-27"}


@value
class CancelLeave:
    """Call off a leave that has not begun before today."""

    start: Day
    end: Day
    """The first and the last day of the leave, as it is now."""

    example: ClassVar[dict[str, object]] = {"start": "2026-12-21", "end": "2027-01-03"}


@value
class ImportMemberLeave:
    """Days away as history knows them."""

    on: Day
    """The day: when they were announced."""
    start: Day
    end: Day
    at: datetime | None = None
    """The instant, UTC, where it is known; default: the end of the day."""


@member.decides(allow=ANNOUNCING)
def go_on_leave(state: ActiveMember, command: GoOnLeave) -> Decision:
    """Say when a member is away: they get no leads meanwhile. Everybody may for themselves, managers for their team."""
    return [on_leave(state, command)]


@member.decides(allow=ANNOUNCING)
def shorten_leave(state: ActiveMember, command: ShortenLeave, context: Context) -> Decision:
    """Let a leave end earlier; a day that has passed stays taken."""
    leave, today = Leave(start=command.start, end=command.end), context.today
    reasons = [*not_open(state, leave, today), *no_earlier_end(leave, command.last_day, today)]
    refuse_all("leave-stays", "The leave cannot be shortened like this.", reasons)
    return [shortened(state, leave, command.last_day)]


@member.decides(allow=ANNOUNCING)
def cancel_leave(state: ActiveMember, command: CancelLeave, context: Context) -> Decision:
    """Call off a leave before its first day is over; of one that has begun, say what was its last day."""
    leave, today = Leave(start=command.start, end=command.end), context.today
    reasons = list(not_open(state, leave, today))
    if leave.start < today <= leave.end:
        message = "Some of its days have passed; they stay taken, and it can be shortened."
        reasons.append(Reason(code="has-begun", message=message, field="start"))
    refuse_all("leave-stays", "The leave cannot be called off.", reasons)
    return [shortened(state, leave, None)]


@member.imports("leave", MemberWentOnLeave, again=("start",))
def import_leave(state: ActiveMember, command: ImportMemberLeave, context: Context) -> Decision:
    """Take over days away from history."""
    return [Occurrence(event=on_leave(state, command), at=context.past_moment(command.on, command.at))]


@member.already
def is_away(state: ActiveMember, command: GoOnLeave) -> bool:
    return Leave(start=command.start, end=command.end) in state.leaves


@member.already
def is_shorter(state: ActiveMember, command: ShortenLeave) -> bool:
    leave, rest = Leave(start=command.start, end=command.end), Leave(start=command.start, end=command.last_day)
    return was(state, leave, command.last_day) and rest in state.leaves


@member.already
def is_called_off(state: ActiveMember, command: CancelLeave) -> bool:
    return was(state, Leave(start=command.start, end=command.end), None)


@member.already
def is_leave_imported(state: ActiveMember | FormerMember, command: ImportMemberLeave) -> bool:
    """An export that goes on to list a leave as it was announced does not bring back what was called off since."""
    told = Leave(start=command.start, end=command.end)
    return told in state.leaves or told in [each.leave for each in state.shortenings]


@member.evolves
def went_on_leave(state: ActiveMember, event: MemberWentOnLeave) -> ActiveMember:
    return replace(state, leaves=leaves_after(state.leaves, event))


@member.evolves
def is_back_earlier(state: ActiveMember, event: MemberLeaveShortened) -> ActiveMember:
    """The rest of a leave that was taken back is none."""
    leave = Leave(start=event.start, end=event.end)
    if leave not in state.leaves:
        return state
    noted = (*state.shortenings, Shortening(leave=leave, last_day=event.last_day))
    return replace(state, leaves=leaves_after(state.leaves, event), shortenings=noted)


def leaves_after(leaves: tuple[Leave, ...], event: MemberWentOnLeave | MemberLeaveShortened) -> tuple[Leave, ...]:
    """The leaves of a member once one is announced or shortened; each once, in the order in which they came to be."""
    told = Leave(start=event.start, end=event.end)
    if isinstance(event, MemberWentOnLeave):
        return leaves if told in leaves else (*leaves, told)
    if told not in leaves:
        return leaves
    rest = () if event.last_day is None else (Leave(start=event.start, end=event.last_day),)
    return tuple(dict.fromkeys(each for leave in leaves for each in (rest if leave == told else (leave,))))


def was(state: ActiveMember, leave: Leave, last_day: date | None) -> bool:
    """Whether a leave was shortened like this, and was not announced again since."""
    return Shortening(leave=leave, last_day=last_day) in state.shortenings and leave not in state.leaves


def shortened(state: ActiveMember, leave: Leave, last_day: date | None) -> MemberLeaveShortened:
    """The fact that a leave ends earlier, or that there is none."""
    return MemberLeaveShortened(member_id=state.id, start=leave.start, end=leave.end, last_day=last_day)


def not_open(state: ActiveMember, leave: Leave, today: date) -> Iterator[Reason]:
    """Why there is nothing left of a leave that could be called off."""
    if leave not in state.leaves:
        message = f"There is no leave from {leave.start} to {leave.end}."
        yield Reason(code="no-such-leave", message=message, field="start")
    if leave.end < today:
        yield Reason(code="is-over", message="All of its days have passed.", field="end")


def no_earlier_end(leave: Leave, last_day: date, today: date) -> Iterator[Reason]:
    """Why a leave cannot end on a day."""
    if last_day < leave.start:
        message = "A leave ends on the day it starts or later; one that is not taken at all is cancelled."
        yield Reason(code="ends-before-start", message=message, field="last_day")
    if last_day >= leave.end:
        yield Reason(code="not-earlier", message=f"It ends on {leave.end} already.", field="last_day")
    if last_day < today - timedelta(days=1):
        message = "Days that have passed stay taken; who is there today was away until yesterday."
        yield Reason(code="has-passed", message=message, field="last_day")


def on_leave(state: ActiveMember, command: GoOnLeave | ImportMemberLeave) -> MemberWentOnLeave:
    """The fact that a member is away; refused when it ends before it starts."""
    if command.end < command.start:
        raise Rejected("ends-before-start", "A leave ends on the day it starts or later.", field="end")
    return MemberWentOnLeave(member_id=state.id, start=command.start, end=command.end)
