"""The fold of how a deal followed its process, as marks: what counts where, for which day, and from when on. Pure.

A mark is one case of something that is counted: an attempt at a gate, a waiver, a move, a flexible node, a proposal to
give the deal up. It counts in the period that its first instant lies in, and from its own beginning to its end, so that
a proposal of March that is declined in May and won in July says each of that at the time. That a waiver ran out is no
fact: a mark of it begins when its last day ends, also where no fact has come since.

Nothing is read that an event says of what was known when it was recorded: where the deal stood, and whether an attempt
was the first one, follow from the fold, so that facts which are told late, corrected or taken back count as if they had
been told in time. Forward, back or past other stages a move is by its process, which the fold does not know: a mark
has both stages.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from services.forecast.counting.marks import Mark, Place
from shared.domain.context import Company
from shared.events.chronology import Rank
from shared.events.deals.deal import (
    DealAbandoned,
    DealHandedOver,
    DealLost,
    DealMoved,
    DealNodeCompleted,
    DealOpened,
    DealReopened,
    DealWon,
    WaivedCriterion,
)
from shared.events.deals.deal_gates import (
    DealCriterionWaived,
    DealFlexibleNodeAdded,
    DealFlexibleNodeRemoved,
    DealGateRefused,
    DealWaiverRevoked,
)
from shared.events.deals.deal_migration import DealMigrated
from shared.events.deals.deal_qualification import (
    DealAnswerWithdrawn,
    DealCustomerEventStated,
    DealExitAccepted,
    DealExitDeclined,
    DealExitProposed,
)
from shared.events.envelope import Envelope

STAGE, WORK = "stage", "work"
"""What a gate is before or behind: a stage, or a task or deliverable."""

MOVED_FIRST, MOVED_LATER, MOVED_THEN = "moved-first", "moved-later", "moved-then"
"""A move at the first attempt, after refused ones, or of which history tells, that knows no gates. The detail is the
stage entered."""
COMPLETED_FIRST = "completed-first"
"""A task or deliverable was completed at the first attempt."""
REFUSED_FIRST, REFUSED_AGAIN = "refused-first", "refused-again"
"""A gate refused an attempt, the first one or a further one. The detail is `STAGE` or `WORK`."""
WAIVER_GIVEN, WAIVER_USED, WAIVER_REVOKED = "waiver-given", "waiver-used", "waiver-revoked"
WAIVER_EXPIRED = "waiver-expired"
"""A waiver ran out unused: its last day ended on an open deal, and it was neither used nor revoked, nor replaced by
another one of the same criterion, nor ended by a migration before."""
WON_THERE, WON_UNMET = "won-there", "won-unmet"
"""A deal was won from where it stood, with all that the exits behind it ask for, or without some of it."""
NODE_ADDED, NODE_REMOVED = "node-added", "node-removed"
EXIT = "exit"
"""A proposal to give the deal up. The detail is how it was decided, and how the deal stands, like "declined won"."""

DECISIONS = UNDECIDED, ACCEPTED, DECLINED, MOOT = "undecided", "accepted", "declined", "moot"
"""Moot: what the proposal rested on was taken back before anybody decided."""
OUTCOMES = OPEN, WON, LOST, ABANDONED = "open", "won", "lost", "abandoned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waived:
    """A waiver that stands, or has run out."""

    gate: str
    criterion: str
    place: Place
    at: datetime
    until: datetime
    """The last instant at which it holds."""
    is_used: bool = False
    is_over: bool = False
    """It is known what became of it when it ran out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A flexible node that binds the deal."""

    key: str
    place: Place
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """A proposal to give the deal up, as it stands since an instant."""

    place: Place
    at: datetime
    answer_id: UUID | None
    """The insurmountable event that it rests on."""
    decision: str = UNDECIDED
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """How a deal followed its process so far."""

    place: Place
    outcome: str = OPEN
    refused: tuple[tuple[str, str], ...] = ()
    """Gates that refused since the deal came to where it stands, or its work was not completed: kind and key."""
    waivers: tuple[Waived, ...] = ()
    """The last one of each criterion."""
    bound: tuple[Bound, ...] = ()
    exits: tuple[Exit, ...] = ()
    marks: tuple[Mark, ...] = ()
    """Those that no later fact ends."""


def follow(state: Conduct | None, fact: Envelope[Any], moment: datetime, company: Company) -> Conduct | None:
    """The conduct of a deal after one more fact. What is told of the time after its end changes nothing, but another
    end or its reopening."""
    event = fact.data
    if isinstance(event, DealOpened):
        place = Place(process_id=event.process_id, version=event.process_version, stage=event.stage)
        return Conduct(place=place)
    if state is None or (state.outcome != OPEN and event.rank < Rank.END):
        return state
    state = _run_out(state, moment)
    if isinstance(event, DealCriterionWaived):
        return _waived(state, event, moment, company)
    if isinstance(event, (DealMoved, DealNodeCompleted, DealWon)) and fact.imported:
        return _then(state, event, moment)
    step = STEPS.get(type(event))
    return step(state, event, moment) if step else state


def marks(state: Conduct) -> Iterator[Mark]:
    """Every case of a deal, also those of which the deal does not know the end."""
    yield from state.marks
    yield from (_expired(each) for each in state.waivers if _expires(state, each))
    for each in state.exits:
        yield _standing(each, state.outcome, None)


def _marked(state: Conduct, sort: str, at: datetime, detail: str = "") -> Conduct:
    """The conduct with one more case, where the deal stands."""
    return replace(state, marks=(*state.marks, Mark(sort=sort, place=state.place, detail=detail, of=at, start=at)))


def _later(state: Conduct, sort: str, of: Waived | Bound, at: datetime) -> Conduct:
    """The conduct where something more became of what had begun before, and counts with that."""
    return replace(state, marks=(*state.marks, Mark(sort=sort, place=of.place, of=of.at, start=at)))


# -- gates -----------------------------------------------------------------------------------------------------------


def _then(state: Conduct, event: DealMoved | DealNodeCompleted | DealWon, at: datetime) -> Conduct:
    """What history tells was decided without gates: it is a move, and no attempt at anything. A win of which it tells
    went past none: most histories know the outcome of a deal, and not each stage before."""
    if isinstance(event, DealWon):
        return _ended(state, event, at)
    if isinstance(event, DealNodeCompleted):
        return replace(state, refused=_without(state, event.kind, event.key))
    return state if event.stage == state.place.stage else _entered(state, event.stage, MOVED_THEN, at)


def _moved(state: Conduct, event: DealMoved, at: datetime) -> Conduct:
    if event.stage == state.place.stage:
        return state
    is_first = (STAGE, event.stage) not in state.refused
    passed = _passed(state, event.waived, at)
    return _entered(passed, event.stage, MOVED_FIRST if is_first else MOVED_LATER, at)


def _entered(state: Conduct, stage: str, sort: str, at: datetime) -> Conduct:
    left = _marked(state, sort, at, stage)
    return replace(left, place=replace(state.place, stage=stage), refused=_without(state, STAGE))


def _completed(state: Conduct, event: DealNodeCompleted, at: datetime) -> Conduct:
    is_first = (event.kind, event.key) not in state.refused
    passed = replace(_passed(state, event.waived, at), refused=_without(state, event.kind, event.key))
    return _marked(passed, COMPLETED_FIRST, at) if is_first else passed


def _refused(state: Conduct, event: DealGateRefused, at: datetime) -> Conduct:
    gate = event.kind, event.key
    sort = REFUSED_AGAIN if gate in state.refused else REFUSED_FIRST
    tried = _marked(state, sort, at, STAGE if event.kind == STAGE else WORK)
    return replace(tried, refused=(*_without(state, *gate), gate))


def _without(state: Conduct, kind: str, key: str | None = None) -> tuple[tuple[str, str], ...]:
    """The gates that refused but those of a kind, or one."""
    return tuple(gate for gate in state.refused if gate[0] != kind or key not in {None, gate[1]})


# -- waivers and flexible nodes --------------------------------------------------------------------------------------


def _waived(state: Conduct, event: DealCriterionWaived, at: datetime, company: Company) -> Conduct:
    until = company.end_of(event.until)
    waiver = Waived(gate=event.gate, criterion=event.criterion, place=state.place, at=at, until=until)
    others = tuple(each for each in state.waivers if not _is_of(each, event))
    return replace(_marked(state, WAIVER_GIVEN, at), waivers=(*others, waiver))


def _revoked(state: Conduct, event: DealWaiverRevoked, at: datetime) -> Conduct:
    for waiver in state.waivers:
        if _is_of(waiver, event):
            state = _later(state, WAIVER_REVOKED, waiver, at)
    return replace(state, waivers=tuple(each for each in state.waivers if not _is_of(each, event)))


def _passed(state: Conduct, without: Iterable[WaivedCriterion], at: datetime) -> Conduct:
    """The conduct once a gate was passed by waivers: what counts is the first use of each."""
    used = [each for each in state.waivers if not each.is_used and any(_is_of(each, one) for one in without)]
    for waiver in used:
        state = _later(state, WAIVER_USED, waiver, at)
    now = (replace(each, is_used=True) if each in used else each for each in state.waivers)
    return replace(state, waivers=tuple(now))


def _run_out(state: Conduct, at: datetime) -> Conduct:
    """The conduct at an instant, as time alone has led to it: what becomes of a waiver later does not change that it
    ran out, and on a deal that had ended none did."""
    over = [each for each in state.waivers if each.until < at and not each.is_over]
    if not over:
        return state
    told = (_expired(each) for each in over if _expires(state, each))
    waivers = (replace(each, is_over=True) if each in over else each for each in state.waivers)
    return replace(state, marks=(*state.marks, *told), waivers=tuple(waivers))


def _expires(state: Conduct, waiver: Waived) -> bool:
    """Whether a waiver runs out unused, as long as nothing else happens."""
    return state.outcome == OPEN and not waiver.is_used and not waiver.is_over


def _expired(waiver: Waived) -> Mark:
    # History may tell of a waiver after its last day.
    ran_out = max(waiver.at, waiver.until)
    return Mark(sort=WAIVER_EXPIRED, place=waiver.place, of=waiver.at, start=ran_out)


def _is_of(waiver: Waived, criterion: DealCriterionWaived | DealWaiverRevoked | WaivedCriterion) -> bool:
    return (waiver.gate, waiver.criterion) == (criterion.gate, criterion.criterion)


def _added(state: Conduct, event: DealFlexibleNodeAdded, at: datetime) -> Conduct:
    node = Bound(key=event.key, place=state.place, at=at)
    others = tuple(each for each in state.bound if each.key != event.key)
    return replace(_marked(state, NODE_ADDED, at), bound=(*others, node))


def _removed(state: Conduct, event: DealFlexibleNodeRemoved, at: datetime) -> Conduct:
    for node in state.bound:
        if node.key == event.key:
            state = _later(state, NODE_REMOVED, node, at)
    return replace(state, bound=tuple(each for each in state.bound if each.key != event.key))


# -- exits and outcomes ----------------------------------------------------------------------------------------------


def _proposed(state: Conduct, event: DealExitProposed, at: datetime) -> Conduct:
    made = Exit(place=state.place, at=at, answer_id=event.answer_id, since=at)
    return replace(state, exits=(*state.exits, made))


def _accepted(state: Conduct, _: DealExitAccepted, at: datetime) -> Conduct:
    return _decided(state, ACCEPTED, at)


def _declined(state: Conduct, _: DealExitDeclined, at: datetime) -> Conduct:
    return _decided(state, DECLINED, at)


def _stated(state: Conduct, event: DealCustomerEventStated, at: datetime) -> Conduct:
    return state if event.kind == "insurmountable" else _groundless(state, event.answer_id, at)


def _withdrawn(state: Conduct, event: DealAnswerWithdrawn, at: datetime) -> Conduct:
    return _groundless(state, event.answer_id, at)


def _groundless(state: Conduct, answer_id: UUID, at: datetime) -> Conduct:
    """A standing proposal falls with what it rests on."""
    rests = state.exits and state.exits[-1].answer_id == answer_id
    return _decided(state, MOOT, at) if rests else state


def _decided(state: Conduct, decision: str, at: datetime) -> Conduct:
    """The last proposal is decided; one that was decided before stays as it is."""
    if not state.exits or state.exits[-1].decision != UNDECIDED:
        return state
    *others, last = state.exits
    told = (*state.marks, _standing(last, state.outcome, at))
    return replace(state, marks=told, exits=(*others, replace(last, decision=decision, since=at)))


def _won(state: Conduct, event: DealWon, at: datetime) -> Conduct:
    """What was won already is not won from anywhere once more."""
    if state.outcome == WON:
        return _ended(state, event, at)
    return _ended(_marked(state, WON_UNMET if event.unmet else WON_THERE, at), event, at)


def _ended(state: Conduct, event: DealWon | DealLost | DealAbandoned, at: datetime) -> Conduct:
    return _come_out(state, ENDS[type(event)], at)


def _reopened(state: Conduct, _: DealReopened, at: datetime) -> Conduct:
    return _come_out(state, OPEN, at)


def _come_out(state: Conduct, outcome: str, at: datetime) -> Conduct:
    """The deal stands otherwise, and so does what became of every proposal to give it up."""
    told = (_standing(each, state.outcome, at) for each in state.exits)
    exits = tuple(replace(each, since=at) for each in state.exits)
    return replace(state, outcome=outcome, marks=(*state.marks, *told), exits=exits)


def _standing(exit_: Exit, outcome: str, until: datetime | None) -> Mark:
    detail = f"{exit_.decision} {outcome}"
    return Mark(sort=EXIT, place=exit_.place, detail=detail, of=exit_.at, start=exit_.since, end=until)


# -- migrations ------------------------------------------------------------------------------------------------------


def _migrated(state: Conduct, event: DealMigrated, at: datetime) -> Conduct:
    """The deal follows another version: no gate was passed, and what the version does not have binds it no more."""
    passed = _passed(state, event.waived, at)
    dropped = {(each.kind, each.key) for each in event.dropped}
    return replace(
        passed,
        place=Place(process_id=event.process_id, version=event.process_version, stage=event.stage),
        refused=tuple(gate for gate in _without(state, STAGE) if gate not in dropped),
        waivers=tuple(each for each in passed.waivers if not any(_is_of(each, one) for one in event.waivers_ended)),
        bound=tuple(each for each in state.bound if each.key not in event.flexible_nodes_ended),
    )


ENDS: Mapping[type, str] = {DealWon: WON, DealLost: LOST, DealAbandoned: ABANDONED}

STEPS: Mapping[type, Callable[[Conduct, Any, datetime], Conduct]] = {
    DealMoved: _moved,
    DealMigrated: _migrated,
    DealNodeCompleted: _completed,
    DealGateRefused: _refused,
    DealWaiverRevoked: _revoked,
    DealFlexibleNodeAdded: _added,
    DealFlexibleNodeRemoved: _removed,
    DealExitProposed: _proposed,
    DealExitAccepted: _accepted,
    DealExitDeclined: _declined,
    DealCustomerEventStated: _stated,
    DealAnswerWithdrawn: _withdrawn,
    DealWon: _won,
    DealLost: _ended,
    DealAbandoned: _ended,
    DealReopened: _reopened,
}

FACTS = (DealOpened, DealHandedOver, DealCriterionWaived, *STEPS)
"""The facts that the conduct of a deal, and whose it was, follow from."""


def whose(event: Any) -> tuple[UUID | None, UUID | None] | None:
    """To which team and owner an event brings a deal."""
    match event:
        case DealOpened(team=team, owner=owner) | DealHandedOver(team=team, owner=owner):
            return team, owner
    return None
