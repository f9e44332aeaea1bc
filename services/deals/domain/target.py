"""Targets of the company, a team or a rep for a period: an amount of money, a count or a share (PROC-4).

What may be wanted is a closed set of kinds; each says what it is measured in. Counts and amounts may be split: a whole
and its parts (`target_split`), and a policy says whether the parts may come to more than it. Then each part is noted in
the stream of its whole, so that two of them are never decided on one sum.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal, get_args
from uuid import UUID

from services.deals.domain.target_split import TargetSplit, widens
from shared.domain.aggregate import Aggregate, Claim, Decision, Occurrence
from shared.domain.context import Context
from shared.domain.fields import FIRST_DAY, LAST_DAY, Day
from shared.domain.money import check_money
from shared.domain.periods import PERIOD
from shared.domain.references import AnyMemberId, AnyTeamId, MemberId
from shared.domain.rejection import Reason, Rejected, all_at_once, refuse_all, refuse_otherwise
from shared.domain.retraction import retractable
from shared.domain.roles import READING_TARGETS, Reach, Role, permission
from shared.events.deals.target import (
    CountKind,
    MoneyKind,
    ReviewCycle,
    ShareKind,
    SummedKind,
    TargetFactRetracted,
    TargetKind,
    TargetNumberSet,
    TargetPartSet,
    TargetSet,
    TargetSource,
)
from shared.events.definition import Exact, value
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
MONEY_KINDS: tuple[str, ...] = get_args(MoneyKind)
COUNT_KINDS: tuple[str, ...] = get_args(CountKind)
SHARE_KINDS: tuple[str, ...] = get_args(ShareKind)
SUMMED_KINDS: tuple[str, ...] = get_args(SummedKind)

MOST = {
    **dict.fromkeys(COUNT_KINDS, Decimal(1_000_000_000)),
    **dict.fromkeys(SHARE_KINDS, Decimal(1)),
    "revenue-attainment": Decimal(100),
    "new-customer-growth": Decimal(100),
}
"""No number is larger: most shares are parts of a whole."""
STEP = {**dict.fromkeys(COUNT_KINDS, Decimal(1)), **dict.fromkeys(SHARE_KINDS, Decimal("0.0001"))}
"""In which steps a number is told."""


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
    amount: Money | None
    number: Decimal | None
    team: UUID | None
    owner: UUID | None
    responsible: UUID | None = None
    source: str | None = None
    review: str | None = None
    parts: frozenset[UUID] = frozenset()
    """Targets that were noted as parts of this one."""

    @property
    def value(self) -> Decimal:
        """How much is wanted, in what its kind is measured in."""
        return self.amount.amount if self.amount else self.number or Decimal(0)


CLAIM = "target"
"""The kind of the claim that there is one of a kind."""

target = Aggregate("target", plural="targets", start=NoTarget, readers=READING_TARGETS)


@value
class SetTarget:
    """A target for a period. There is one for every kind, period, level and person or team."""

    period: str
    """A fiscal year, a quarter of one, or a month: 2026, 2026-Q4 or 2026-11."""
    level: Level
    amount: Money | None = None
    """Of what is an amount of money."""
    number: Exact | None = None
    """Of what is counted, or a share: 0.40 is 40 %."""
    kind: TargetKind = "revenue"
    team: AnyTeamId | None = None
    """The team of a team's target, and the team that a rep sits in."""
    member: MemberId | None = None
    """The rep of a rep's target; for whoever does not reach everything, one of their teams."""
    responsible: AnyMemberId | None = None
    """Who answers for it."""
    source: TargetSource | None = None
    """Where the figure is taken from."""
    review: ReviewCycle | None = None
    """How often people look at it."""

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
class PlaceInSplits:
    """The splits that a target is in, as a handler is given them where parts may not come to more than their whole."""

    is_guarded: bool = False
    whole: UUID | None = None
    """The target of which it is a part."""
    whole_value: Decimal | None = None
    others: tuple[Decimal, ...] = ()
    """The other parts of that one."""
    parts: tuple[Decimal, ...] = ()
    """Its own parts."""


@value
class ImportTarget:
    """A target that was set on a day of the past (DATA-5); of several days, its amount from each of them on."""

    on: Day
    at: datetime | None = None
    period: str
    level: Level
    amount: Money
    kind: MoneyKind = "revenue"
    team: AnyTeamId | None = None
    member: MemberId | None = None


@value
class ChangeTarget:
    """Another amount or number for a target."""

    amount: Money | None = None
    number: Exact | None = None

    example: ClassVar[dict[str, Any]] = {"amount": {"amount": "1500000.00", "currency": "EUR"}}


retractable(target, TargetFactRetracted)


@target.decides(allow=SETTING_TARGETS)
def set_(state: NoTarget, command: SetTarget, context: Context, seat: Seat, place: PlaceInSplits) -> Decision:
    """Set a target for a month, a quarter or a year."""
    wanted = _wanted(command, context, _faults_of_place(command, seat))
    return [wanted, *_noted(context.aggregate_id, state, was_set(state, wanted), place)]


@target.imports("target", TargetSet)
def import_target(state: NoTarget | OpenTarget, command: ImportTarget, context: Context) -> Decision:
    """Take over a target, or another amount that it had from a day on."""
    told = _wanted(command, context)
    if isinstance(state, OpenTarget):
        refuse_otherwise(_named(state.period, state.kind, state.level, state.team, state.owner), _said(command))
        told = replace(told, before=_last(state), **_kept(state))
    return [Occurrence(event=told, at=context.past_moment(command.on, command.at))]


@target.decides(allow=SETTING_TARGETS)
def change(state: OpenTarget, command: ChangeTarget, context: Context, place: PlaceInSplits) -> Decision:
    """Change the amount or the number of a target. What it was stays known."""
    _refuse(_faults_of_unit(state.kind, command), command, context)
    told = _named(state.period, state.kind, state.level, state.team, state.owner)
    told |= {"target_id": state.id, **_kept(state), "before": _last(state)}
    changed = _told(told, command.amount, command.number, context)
    after = was_set(state, changed)
    if after.value == state.value:
        return []
    return [changed, *_noted(state.id, state, after, place)]


@target.already
def is_set(state: OpenTarget, command: SetTarget) -> bool:
    wanted = (command.amount, command.number, command.responsible, command.source, command.review)
    return (state.amount, state.number, state.responsible, state.source, state.review) == wanted and _named(
        state.period, state.kind, state.level, state.team, state.owner
    ) == _said(command)


@target.evolves
def was_set(state: NoTarget | OpenTarget, event: TargetSet | TargetNumberSet) -> OpenTarget:
    return OpenTarget(
        id=event.target_id,
        period=event.period,
        kind=event.kind,
        level=event.level,
        amount=event.amount if isinstance(event, TargetSet) else None,
        number=event.number if isinstance(event, TargetNumberSet) else None,
        team=event.team,
        owner=event.member,
        responsible=event.responsible,
        source=event.source,
        review=event.review,
        parts=state.parts if isinstance(state, OpenTarget) else frozenset(),
    )


@target.evolves
def part_was_set(state: NoTarget | OpenTarget, event: TargetPartSet) -> NoTarget | OpenTarget:
    return replace(state, parts=state.parts | {event.part}) if isinstance(state, OpenTarget) else state


@target.claims
def one_of_a_kind(state: OpenTarget) -> list[Claim]:
    whose = {"company": "", "team": state.team, "rep": state.owner}[state.level]
    return [Claim(kind=CLAIM, key=key_of(state.kind, state.period, state.level, whose))]


def key_of(kind: str, period: str, level: str, whose: object) -> str:
    """What only one target is for."""
    return f"{kind}/{period}/{level}/{whose}"


def _said(command: SetTarget | ImportTarget) -> dict[str, Any]:
    return _named(command.period, command.kind, command.level, command.team, command.member)


def _named(period: str, kind: str, level: str, team: UUID | None, member: UUID | None) -> dict[str, Any]:
    """What a target is for; only its amount or number changes."""
    return {"period": period, "kind": kind, "level": level, "team": team, "member": member}


def _wanted(
    command: SetTarget | ImportTarget, context: Context, further: Sequence[Reason] = ()
) -> TargetSet | TargetNumberSet:
    """The event of a target that is set, once nothing is wrong with it."""
    units = _faults_of_unit(command.kind, command) if isinstance(command, SetTarget) else []
    _refuse([*_faults(command), *further, *units], command, context)
    told = {"target_id": context.aggregate_id, **_said(command)}
    if isinstance(command, ImportTarget):
        return _told(told, command.amount, None, context)
    told |= {"responsible": command.responsible, "source": command.source, "review": command.review}
    return _told(told, command.amount, command.number, context)


def _told(
    told: Mapping[str, Any], amount: Money | None, number: Decimal | None, context: Context
) -> TargetSet | TargetNumberSet:
    """The event of a target of money, or of a number."""
    if amount is not None:
        return TargetSet(**told, amount=_amount(amount, context))
    return TargetNumberSet(**told, number=number or Decimal(0))


def _kept(state: OpenTarget) -> dict[str, Any]:
    """What stays as it is when a target changes."""
    return {"responsible": state.responsible, "source": state.source, "review": state.review}


def _last(state: OpenTarget) -> Any:
    """The amount or number that a target had."""
    return state.number if state.amount is None else state.amount


def _refuse(faults: Sequence[Reason], command: SetTarget | ImportTarget | ChangeTarget, context: Context) -> None:
    """Refuse what is wrong, all at once."""
    all_at_once(
        lambda: refuse_all("invalid-target", "The target cannot be set like this.", faults),
        lambda: None if command.amount is None else _amount(command.amount, context),
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


def _faults_of_unit(kind: str, command: SetTarget | ChangeTarget) -> list[Reason]:
    """Against an amount of what is counted, a number of what is money, and a number that cannot be."""
    is_money = kind in MONEY_KINDS
    wanted, other = ("amount", "number") if is_money else ("number", "amount")
    reasons = []
    if getattr(command, wanted) is None:
        what = "an amount of money" if is_money else "a whole number" if kind in COUNT_KINDS else "a share"
        reasons.append(Reason(code="unit-and-kind", message=f"A target of {kind} is {what}.", field=wanted))
    if getattr(command, other) is not None:
        reasons.append(Reason(code="unit-and-kind", message=f"A target of {kind} has no {other}.", field=other))
    number = None if is_money else command.number
    if number is None:
        return reasons
    most, step = MOST[kind], STEP[kind]
    if not 0 < number <= most:
        message = f"A target of {kind} is above 0 and at most {most}."
        reasons.append(Reason(code="out-of-range", message=message, field="number"))
    elif number % step:
        message = f"A target of {kind} has steps of {step}."
        reasons.append(Reason(code="too-many-decimals", message=message, field="number"))
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


def _noted(
    target_id: UUID, before: NoTarget | OpenTarget, after: OpenTarget, place: PlaceInSplits
) -> Sequence[Occurrence]:
    """What is noted in the whole of a part that is set; refused where its parts would exceed it, or this one its own
    parts."""
    if not place.is_guarded:
        return []
    was = before.value if isinstance(before, OpenTarget) else None
    others = [*place.others]
    above = TargetSplit(whole=place.whole_value, parts=[*others, after.value])
    below = TargetSplit(whole=after.value, parts=place.parts)
    field = "number" if after.amount is None else "amount.amount"
    reasons = []
    if widens(TargetSplit(whole=place.whole_value, parts=others if was is None else [*others, was]), above):
        message = f"With this the parts come to {above.sum}; the target that they are parts of is {above.whole}."
        reasons.append(_exceeded(message, above, field))
    if widens(TargetSplit(whole=was, parts=place.parts), below):
        reasons.append(_exceeded(f"Its parts come to {below.sum}; this is {below.whole}.", below, field))
    refuse_all("split-exceeded", "Parts of a target come to no more than it.", reasons)
    if place.whole is None:
        return []
    return [
        Occurrence(
            event=TargetPartSet(target_id=place.whole, part=target_id),
            to=place.whole,
        )
    ]


def _exceeded(message: str, split: TargetSplit, field: str) -> Reason:
    details = {"whole": str(split.whole), "parts": str(split.sum), "excess": str(split.excess)}
    return Reason(code="split-exceeded", message=message, field=field, details=details)


def _amount(money: Money, context: Context) -> Money:
    currency = context.company.currency
    all_at_once(lambda: check_money(money, "amount", currency=currency), lambda: _check_positive(money))
    return check_money(money, "amount", currency=currency)


def _check_positive(money: Money) -> None:
    if money.amount <= 0:
        raise Rejected("not-positive", "A target is above zero.", field="amount.amount")
