"""Next best action: what an open deal asks for next, why, and in which order a rep takes up all of theirs (DEAL-7).

Ranked by what is at stake, amount × probability in the company's currency, then by the day on which it is due. Nothing
is recorded by it. The seller stands ahead of the buyer where the stage of the deal mirrors a later stage of the buyer's
journey than the one that was noted; of a buyer of whom nobody has found out where they stand, nobody can say so.

A gate that asks for nothing makes nobody ready, as for `ready_on` (`automation.goes_on`): else each deal would be told
to go on from its first day in the stage, though nothing says that it should. That it stands there too long is told.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal, get_args
from uuid import UUID

from services.deals.domain.deal.closing import ContractOfDeal, lacking
from services.deals.domain.deal.gates import ask_for_something, decided_by_others, gates_ahead, passage
from services.deals.domain.deal.qualification import expected_value
from services.deals.domain.deal.standing import LifeSigns, silent_from
from services.deals.domain.deal.state import DECIDES, DealNode, OpenDeal
from services.deals.domain.exchange_rate import Conversion
from services.deals.domain.journey import is_ahead
from services.deals.domain.process.state import Process
from shared.domain.context import Company
from shared.domain.rejection import Reason
from shared.events.criteria import FactValue
from shared.events.deals.policy import Winning
from shared.events.definition import value
from shared.events.money import Money
from shared.events.process import Stage

ActionReason = Literal[
    "overdue-follow-up",
    "close-date-passed",
    "silent",
    "stage-overdue",
    "criterion-unmet",
    "no-decision-maker",
    "seller-ahead-of-buyer",
    "contract-not-signed",
    "quote-not-accepted",
    "ready-to-move",
    "ready-to-win",
]
"""Why something is to be done next; of what is worth as much and due on the same day, in this order."""

Facts = Mapping[str, FactValue]

URGENCY: Mapping[str, int] = {reason: place for place, reason in enumerate(get_args(ActionReason))}


@value
class NextAction:
    """Something to be done for a deal."""

    deal_id: UUID
    deal_name: str
    reason: ActionReason
    weighted: Money
    """Amount × probability, in the deal's currency: what is at stake."""
    worth: Money | None
    """The same in the company's currency; None where no exchange rate says it."""
    due: date | None
    """The day on which it is, or was, due; None where no day follows."""
    days: int | None
    """For how many days it has been so; None where nothing is late."""
    criterion: str | None = None
    """The criterion of a gate that is unmet, by its key."""
    gate: str | None = None
    """That gate, like "exit of quotation"."""
    facts: Facts
    """What it follows from."""
    commands: tuple[str, ...]
    """The commands that do it, as `gates.CHANGED_BY` names them: any of them, the usual one first. Empty where
    no command of a deal does it: a contract is signed among the contracts, a quote accepted among the quotes."""


@value
class Circumstances:
    """What the actions of a deal are worked out by, beside its state."""

    now: datetime
    company: Company
    process: Process
    conversion: Conversion
    winning: Winning
    """The policy that counts for the deal."""
    contract: ContractOfDeal
    signs: LifeSigns

    @property
    def today(self) -> date:
        """The company's day."""
        return self.company.day(self.now)


def actions_of(state: OpenDeal, given: Circumstances) -> list[NextAction]:
    """All that an open deal asks for, ranked."""
    stage = given.process.definition.stage(state.stage)
    found = [
        *_overdue_step(state, given),
        *_passed_close_date(state, given),
        *_silent(state, given, stage),
        *_overdue_stage(state, given, stage),
        *_ahead_of_buyer(state, given, stage),
        *_ahead(state, given, stage),
    ]
    return ranked(found)


def ranked(actions: Iterable[NextAction]) -> list[NextAction]:
    """The actions of whatever deals: by what is at stake, the greatest first and those last of which that is unknown;
    then by due day, those without one last; then by urgency."""
    return sorted(actions, key=_rank)


def _rank(action: NextAction) -> tuple[bool, Decimal, bool, date, int, UUID, str, str]:
    worth, due = action.worth, action.due
    return (
        worth is None,
        -worth.amount if worth else Decimal(0),
        due is None,
        due or date.max,
        URGENCY[action.reason],
        action.deal_id,
        action.gate or "",
        action.criterion or "",
    )


def at_stake(amount: Money, probability: Decimal, conversion: Conversion) -> tuple[Money, Money | None]:
    """What a deal is expected to bring, in its own currency and in the company's; there None without a rate."""
    weighted = expected_value(amount, probability)
    worth = conversion.worth(weighted)
    return weighted, None if worth is None else Money(amount=worth, currency=conversion.currency)


def _overdue_step(state: OpenDeal, given: Circumstances) -> Iterator[NextAction]:
    step = state.next_step
    if step is not None and step.on is not None and step.on < given.today:
        facts = {"next_step": f"{step.on}"}
        yield _action(state, given, "overdue-follow-up", ("log-activity", "plan-next-step"), facts, due=step.on)


def _passed_close_date(state: OpenDeal, given: Circumstances) -> Iterator[NextAction]:
    closes = state.expected_close
    if closes is not None and closes < given.today:
        win = () if lacking(state, given.winning, given.contract) else ("win",)
        commands = ("change-close-date", *win, "lose", "abandon")
        yield _action(state, given, "close-date-passed", commands, {"expected_close": f"{closes}"}, due=closes)


def _silent(state: OpenDeal, given: Circumstances, stage: Stage) -> Iterator[NextAction]:
    silent = silent_from(given.signs, stage.idle_days, given.company)
    if silent < given.now:
        worked_on = given.company.day(given.signs.last_worked_at)
        facts: Facts = {"last_worked_on": f"{worked_on}", "idle_limit": stage.idle_days}
        due = given.company.day(silent)
        yield _action(state, given, "silent", ("log-activity", "plan-next-step"), facts, due=due)


def _overdue_stage(state: OpenDeal, given: Circumstances, stage: Stage) -> Iterator[NextAction]:
    norm = _last_day(state, stage)
    if norm is not None and norm < given.today:
        facts: Facts = {"stage": stage.key, "stage_since": f"{state.stage_since}", "max_days": stage.max_days}
        yield _action(state, given, "stage-overdue", ("move", "assess-exit"), facts, due=norm)


def _ahead_of_buyer(state: OpenDeal, given: Circumstances, stage: Stage) -> Iterator[NextAction]:
    """The buyer is to be brought along, or noted where they stand by now, or the deal goes back to where they are."""
    buyer = state.buyer
    if buyer is not None and is_ahead(stage.buyer_stage, buyer.stage):
        facts: Facts = {
            "stage": stage.key,
            "mirrors": stage.buyer_stage,
            "buyer_stage": buyer.stage,
            "found_on": f"{buyer.on}",
        }
        back = ("move",) if _may_go_back(given.process, stage) else ()
        yield _action(state, given, "seller-ahead-of-buyer", ("log-activity", "note-buyer-stage", *back), facts)


def _may_go_back(process: Process, stage: Stage) -> bool:
    return process.definition.can_move_back and process.definition.index(stage.key) > 0


def _ahead(state: OpenDeal, given: Circumstances, stage: Stage) -> Iterator[NextAction]:
    """What the gates ahead ask for; nothing, and they are passed."""
    following = _next_stage(given.process, stage)
    gates = gates_ahead(state, given.process.definition)
    passes = passage(state, given.process, given.conversion, given.today, *gates)
    others = decided_by_others(state, given.process.definition, given.today)
    unmet = [reason for reason in passes.unmet if "criterion" in reason.details and not _is_others(reason, others)]
    for reason in unmet:
        yield _unmet(state, given, stage, reason)
    if not any("decision_makers" in reason.details["met"] for reason in unmet):
        yield from _without_decision_maker(state, given)
    if passes.unmet:
        return
    if following and ask_for_something(gates):
        facts: Facts = {"stage": stage.key, "next_stage": following.key}
        yield _action(state, given, "ready-to-move", ("move",), facts, due=_last_day(state, stage))
    elif not following and (ask_for_something(gates) or given.winning.needs != "nothing"):
        yield _before_outcome(state, given, stage)


def _before_outcome(state: OpenDeal, given: Circumstances, stage: Stage) -> NextAction:
    """What is left of a deal that has passed its last gate: it is won, or lacks what the policy `winning` asks for."""
    due, lacks = _last_day(state, stage), lacking(state, given.winning, given.contract)
    if lacks is not None:
        return _action(state, given, lacks, (), {"stage": stage.key, "needs": given.winning.needs}, due=due)
    return _action(state, given, "ready-to-win", ("win",), {"stage": stage.key}, due=due)


def _unmet(state: OpenDeal, given: Circumstances, stage: Stage, reason: Reason) -> NextAction:
    met: Facts = reason.details["met"]
    due = min((node.due for node in state.nodes if node.due and _asked(node) in met), default=_last_day(state, stage))
    commands = tuple(dict.fromkeys(reason.details["by"].values()))
    return _action(
        state,
        given,
        "criterion-unmet",
        commands,
        met,
        due=due,
        criterion=reason.details["criterion"],
        gate=reason.details["gate"],
    )


def _is_others(reason: Reason, others: frozenset[str]) -> bool:
    """Whether a criterion is unmet as long as others have not decided, and nothing else would help."""
    return not reason.details["by"] and not others.isdisjoint(reason.details["met"])


def _without_decision_maker(state: OpenDeal, given: Circumstances) -> Iterator[NextAction]:
    if not any(contact.role == DECIDES for contact in state.contacts):
        yield _action(state, given, "no-decision-maker", ("set-contact",), {"contacts": len(state.contacts)})


def _action(
    state: OpenDeal,
    given: Circumstances,
    reason: ActionReason,
    commands: tuple[str, ...],
    facts: Facts,
    *,
    due: date | None = None,
    criterion: str | None = None,
    gate: str | None = None,
) -> NextAction:
    weighted, worth = at_stake(state.amount, state.probability, given.conversion)
    late = (given.today - due).days if due is not None else 0
    return NextAction(
        deal_id=state.id,
        deal_name=state.name,
        reason=reason,
        weighted=weighted,
        worth=worth,
        due=due,
        days=late if late > 0 else None,
        criterion=criterion,
        gate=gate,
        facts=facts,
        commands=commands,
    )


def _last_day(state: OpenDeal, stage: Stage) -> date | None:
    """The last day on which a deal may stand in its stage; None where nobody knows since when it does."""
    return state.stage_since + timedelta(days=stage.max_days) if state.stage_since else None


def _next_stage(process: Process, stage: Stage) -> Stage | None:
    later = process.definition.stages[process.definition.index(stage.key) + 1 :]
    return later[0] if later else None


def _asked(node: DealNode) -> str:
    """The fact that says whether a task or deliverable is done."""
    return f"{node.kind}.{node.key}"
