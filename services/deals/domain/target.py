"""Revenue targets of the company, a team or a rep for a period (PROC-4)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from shared.domain.aggregate import Aggregate, Claim, Decision, Occurrence
from shared.domain.context import Context
from shared.domain.fields import FIRST_DAY, LAST_DAY, Day
from shared.domain.money import check_money
from shared.domain.periods import PERIOD
from shared.domain.references import AnyTeamId, MemberId
from shared.domain.rejection import Reason, Rejected, all_at_once, refuse_all, refuse_otherwise
from shared.domain.retraction import retractable
from shared.domain.roles import READING_TARGETS, Reach, Role, permission
from shared.events.deals.target import TargetFactRetracted, TargetSet
from shared.events.definition import value
from shared.events.money import Money

SETTING_TARGETS = permission(
    {
        Role.MANAGER: Reach.TEAM,
        Role.SALES_DIRECTOR: Reach.ALL,
        Role.EXECUTIVE: Reach.ALL,
        Role.SALES_OPERATIONS: Reach.ALL,
    }
)
"""Managers set targets of their teams and people; the company's own need somebody who reaches everything."""

Level = Literal["company", "team", "rep"]


@value
class NoTarget:
    """Nothing was set under this id."""


@value
class OpenTarget:
    """What is to be reached in a period. `owner` is the rep of a rep's target."""

    id: UUID
    period: str
    kind: str
    level: str
    amount: Money
    team: UUID | None
    owner: UUID | None


target = Aggregate("target", plural="targets", start=NoTarget, readers=READING_TARGETS)


@value
class SetTarget:
    """A target for a period. There is one for every period, level and person or team."""

    period: str
    """A fiscal year, a quarter of one, or a month: 2026, 2026-Q4 or 2026-11."""
    level: Level
    amount: Money
    kind: Literal["revenue"] = "revenue"
    team: AnyTeamId | None = None
    """The team of a team's target, and the team that a rep sits in."""
    member: MemberId | None = None
    """The rep of a rep's target; for whoever does not reach everything, one of their teams."""

    example: ClassVar[dict[str, Any]] = {
        "period": "2026-Q4",
        "level": "company",
        "amount": {"amount": "1600000.00", "currency": "EUR"},
    }


@value
class Seat:
    """The team that the rep of a target sits in, as a handler is given it."""

    team: UUID | None = None
    is_known: bool = True
    """Whether there is such a member at all."""


@value
class ImportTarget:
    """A target that was set on a day of the past (DATA-5); of several days, its amount from each of them on."""

    on: Day
    at: datetime | None = None
    period: str
    level: Level
    amount: Money
    kind: Literal["revenue"] = "revenue"
    team: AnyTeamId | None = None
    member: MemberId | None = None


@value
class ChangeTarget:
    """Another amount for a target."""

    amount: Money

    example: ClassVar[dict[str, Any]] = {"amount": {"amount": "1500000.00", "currency": "EUR"}}


retractable(target, TargetFactRetracted)


@target.decides(allow=SETTING_TARGETS)
def set_(state: NoTarget, command: SetTarget, context: Context, seat: Seat) -> Decision:
    """Set a revenue target for a month, a quarter or a year."""
    return [_set(command, context, _faults_of_place(command, seat))]


@target.imports("target", TargetSet)
def import_target(state: NoTarget | OpenTarget, command: ImportTarget, context: Context) -> Decision:
    """Take over a target, or another amount that it had from a day on."""
    told = _set(command, context)
    if isinstance(state, OpenTarget):
        refuse_otherwise(_named(state.period, state.kind, state.level, state.team, state.owner), _said(command))
        told = replace(told, before=state.amount)
    return [Occurrence(event=told, at=context.past_moment(command.on, command.at))]


@target.decides(allow=SETTING_TARGETS)
def change(state: OpenTarget, command: ChangeTarget, context: Context) -> Decision:
    """Change the amount of a target. What it was stays known."""
    amount = _amount(command.amount, context)
    if amount == state.amount:
        return []
    return [
        TargetSet(
            target_id=state.id,
            period=state.period,
            kind=state.kind,
            level=state.level,
            amount=amount,
            team=state.team,
            member=state.owner,
            before=state.amount,
        )
    ]


@target.already
def is_set(state: OpenTarget, command: SetTarget) -> bool:
    return (state.period, state.kind, state.level, state.amount, state.team, state.owner) == (
        command.period,
        command.kind,
        command.level,
        command.amount,
        command.team,
        command.member,
    )


@target.evolves
def was_set(state: NoTarget | OpenTarget, event: TargetSet) -> OpenTarget:
    return OpenTarget(
        id=event.target_id,
        period=event.period,
        kind=event.kind,
        level=event.level,
        amount=event.amount,
        team=event.team,
        owner=event.member,
    )


@target.claims
def one_of_a_kind(state: OpenTarget) -> list[Claim]:
    whose = {"company": "", "team": state.team, "rep": state.owner}[state.level]
    return [Claim(kind="target", key=f"{state.kind}/{state.period}/{state.level}/{whose}")]


def _said(command: SetTarget | ImportTarget) -> dict[str, Any]:
    return _named(command.period, command.kind, command.level, command.team, command.member)


def _named(period: str, kind: str, level: str, team: UUID | None, member: UUID | None) -> dict[str, Any]:
    """What a target is for; only its amount changes."""
    return {"period": period, "kind": kind, "level": level, "team": team, "member": member}


def _set(command: SetTarget | ImportTarget, context: Context, further: Sequence[Reason] = ()) -> TargetSet:
    faults = [*_faults(command), *further]
    all_at_once(
        lambda: refuse_all("invalid-target", "The target cannot be set like this.", faults),
        lambda: _amount(command.amount, context),
    )
    return TargetSet(
        target_id=context.aggregate_id,
        period=command.period,
        kind=command.kind,
        level=command.level,
        amount=_amount(command.amount, context),
        team=command.team,
        member=command.member,
    )


def _faults(command: SetTarget | ImportTarget) -> list[Reason]:
    reasons = []
    if not PERIOD.fullmatch(command.period) or not FIRST_DAY.year <= int(command.period[:4]) <= LAST_DAY.year:
        message = f"A period is a year from {FIRST_DAY.year} on, a month or a quarter: 2026, 2026-11 or 2026-Q4."
        reasons.append(Reason(code="invalid-period", message=message, field="period"))
    if (command.level == "company") == (command.team is not None):
        message = "A team's and a rep's target names the team; the company's does not."
        reasons.append(Reason(code="team-and-level", message=message, field="team"))
    if (command.level == "rep") != (command.member is not None):
        message = "A rep's target names the member; others do not."
        reasons.append(Reason(code="member-and-level", message=message, field="member"))
    return reasons


def _faults_of_place(command: SetTarget, seat: Seat) -> list[Reason]:
    """Against a target that would count for a team that its rep does not sit in. Facts of history know better: people
    sat elsewhere then."""
    if command.level != "rep" or None in (command.team, command.member) or not seat.is_known:
        return []
    if seat.team == command.team:
        return []
    message = "A rep's target names the team that the rep sits in."
    return [Reason(code="member-not-in-team", message=message, field="team")]


def _amount(money: Money, context: Context) -> Money:
    currency = context.company.currency
    all_at_once(lambda: check_money(money, "amount", currency=currency), lambda: _check_positive(money))
    return check_money(money, "amount", currency=currency)


def _check_positive(money: Money) -> None:
    if money.amount <= 0:
        raise Rejected("not-positive", "A target is above zero.", field="amount.amount")
