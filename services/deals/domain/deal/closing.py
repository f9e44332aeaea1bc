"""How a deal ends: won, lost or abandoned, and how it comes back (DEAL-9).

Winning needs no stage: it goes past the gates that are left, and says what the exits behind its own stage still asked
for. The policy `winning` says whether it needs a signed contract or an accepted quote: a contract is drafted while the
deal is open, when it enters its contract stage or directly, so it can be signed before, and quotes are accepted then.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar, Literal

from services.deals.domain.deal.facts import facts_of
from services.deals.domain.deal.gates import exits_behind, unmet_at
from services.deals.domain.deal.helping import open_help
from services.deals.domain.deal.quoted import quote_of
from services.deals.domain.deal.reminding import reminded_step
from services.deals.domain.deal.state import (
    AbandonedDeal,
    ClosedDeal,
    Deal,
    LostDeal,
    OpenDeal,
    WonDeal,
    become,
    deal,
    has_notified,
    said,
    written,
)
from services.deals.domain.deal.submission import after_the_end, exit_of, without_those_of
from services.deals.domain.exchange_rate import Conversion
from services.deals.domain.process.state import Process
from shared.domain.aggregate import Decision, Occurrence, status_of
from shared.domain.context import Context
from shared.domain.fields import Day, Name, Text
from shared.domain.policy import InForce
from shared.domain.references import MADE_A_MOMENT_AGO
from shared.domain.rejection import Rejected, all_at_once
from shared.domain.roles import SELLING
from shared.domain.working_time.reminders import ahead
from shared.events.deals.deal import DealAbandoned, DealLost, DealReopened, DealWon
from shared.events.deals.policy import Winning
from shared.events.definition import value

LossReason = Literal["price", "product-fit", "competitor", "timing", "relationship", "terms", "other", "not-stated"]
"""Why a customer chose otherwise."""

AbandonReason = Literal[
    "no-decision", "no-budget", "no-need", "no-answer", "insurmountable-event", "not-worth-it", "duplicate", "other"
]
"""Why we stopped, or nobody decided."""

Lacking = Literal["contract-not-signed", "quote-not-accepted"]
"""What keeps a deal from being won, by policy."""


@value
class WinDeal:
    """The customer agreed."""

    on: Day | None = None
    """The day on which the customer agreed; default: today."""

    example: ClassVar[dict[str, Any]] = {"on": "2026-11-30"}


@value
class LoseDeal:
    """The customer chose otherwise."""

    reason: LossReason
    competitor: Name | None = None
    on: Day | None = None
    """Default: today."""

    example: ClassVar[dict[str, Any]] = {"reason": "price", "competitor": "Globex"}


@value
class AbandonDeal:
    """We stop, or nobody decided."""

    reason: AbandonReason
    on: Day | None = None
    """Default: today."""

    example: ClassVar[dict[str, Any]] = {"reason": "no-decision"}


@value
class ReopenDeal:
    """A closed deal is on its way again."""

    reason: Text

    example: ClassVar[dict[str, Any]] = {"reason": "The customer came back: the other offer did not hold."}


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractOfDeal:
    """What deals know of the contract of a deal."""

    is_signed: bool = False
    """Whether both parties have signed it."""


@deal.decides(allow=SELLING)
def win(
    state: OpenDeal,
    command: WinDeal,
    context: Context,
    *,
    winning: InForce[Winning],
    contract: ContractOfDeal,
    process: Process,
    conversion: Conversion,
) -> Decision:
    """Close the deal as won, once it has what the policy `winning` asks for; no gate stands in the way.

    With the deal ends what waited on it: approvals are recalled, requests for help that nobody answered and support
    that is not for the time after the win are withdrawn.
    """
    rule = winning.of(team=state.team, process=state.process_id)
    all_at_once(
        lambda: _closing_day(state, command.on, context),
        lambda: _check_winnable(state, rule.document, contract),
    )
    on = command.on or context.today
    exits, facts = exits_behind(state, process.definition), facts_of(state, process, conversion)
    unmet = tuple(unmet_at(state, facts, context.today, *exits))
    won = replace(deal_won(state, on), winning_version=rule.version, unmet=unmet)
    return [Occurrence(event=won, at=context.moment(on))]


@deal.decides(allow=SELLING)
def lose(state: OpenDeal, command: LoseDeal, context: Context) -> Decision:
    """Close the deal as lost, with the reason.

    With the deal ends what waited on it: approvals are recalled, support and requests for help that nobody answered are
    withdrawn, and the stages of its contract are left for good, also if it is reopened.
    """
    on = _closing_day(state, command.on, context)
    return [Occurrence(event=deal_lost(state, on, command.reason, command.competitor), at=context.moment(on))]


@deal.decides(allow=SELLING)
def abandon(state: OpenDeal, command: AbandonDeal, context: Context) -> Decision:
    """Close the deal as abandoned, with the reason.

    With the deal ends what waited on it: approvals are recalled, support and requests for help that nobody answered are
    withdrawn, and the stages of its contract are left for good, also if it is reopened.
    """
    on = _closing_day(state, command.on, context)
    return [Occurrence(event=deal_abandoned(state, on, command.reason), at=context.moment(on))]


@deal.decides(allow=SELLING)
def reopen(state: ClosedDeal, command: ReopenDeal, context: Context) -> Decision:
    """Reopen a closed deal, in the stage where it closed."""
    planned = state.reminders.planned if state.reminders else ()
    return [replace(deal_reopened(state, context.today, command.reason), reminders=ahead(planned, context.now))]


@deal.already
def is_won(state: WonDeal, command: WinDeal) -> bool:
    return command.on in (None, state.on)


@deal.already
def is_lost(state: LostDeal, command: LoseDeal) -> bool:
    return command.on in (None, state.on) and (command.reason, command.competitor) == (state.reason, state.competitor)


@deal.already
def is_abandoned(state: AbandonedDeal, command: AbandonDeal) -> bool:
    return command.on in (None, state.on) and command.reason == state.reason


# Of several ends without a reopening between them the last one counts, and what an end says of the deal besides was
# known when it was recorded: amount and stage are those of the deal's own history.


@deal.evolves
def won(state: OpenDeal | WonDeal | LostDeal | AbandonedDeal, event: DealWon) -> WonDeal:
    return become(
        WonDeal, state, on=event.on, unmet=event.unmet, **_ended(state), changes=said(state, "won", event.on, None)
    )


@deal.evolves
def lost(state: OpenDeal | WonDeal | LostDeal | AbandonedDeal, event: DealLost) -> LostDeal:
    changes = said(state, "lost", event.on, event.reason)
    outcome = {"on": event.on, "reason": event.reason, "competitor": event.competitor}
    return become(LostDeal, state, **outcome, **_ended(state), changes=changes)


@deal.evolves
def abandoned(state: OpenDeal | WonDeal | LostDeal | AbandonedDeal, event: DealAbandoned) -> AbandonedDeal:
    changes = said(state, "abandoned", event.on, event.reason)
    return become(AbandonedDeal, state, on=event.on, reason=event.reason, **_ended(state), changes=changes)


@deal.evolves
def reopened(state: OpenDeal | WonDeal | LostDeal | AbandonedDeal, event: DealReopened) -> OpenDeal:
    return become(
        OpenDeal,
        state,
        stage_since=event.on,
        open_since=event.on,
        submissions=without_those_of(state.submissions, {exit_of(state.stage)}),
        rules=(),
        brought_back=True,
        ready_on=None,
        reminders=replace(state.reminders, planned=event.reminders, told=()) if state.reminders else None,
        changes=said(state, "reopened", event.on, event.reason),
        written=written(state, event.reason),
    )


def _ended(state: Deal) -> dict[str, Any]:
    """What ends along with a deal."""
    return {"ready_on": None, "submissions": after_the_end(state.submissions)}


def deal_won(state: Deal, on: date) -> DealWon:
    """The fact that a deal was won on a day."""
    return DealWon(
        deal_id=state.id,
        on=on,
        amount=state.amount,
        stage=state.stage,
        name=state.name,
        account_id=state.account_id,
        owner=state.owner,
        team=state.team,
        lines=state.lines,
        quote=quote_of(state),
        ends_notices=ends_notices(state),
        reminded_step=reminded_step(state),
    )


def deal_lost(state: Deal, on: date, reason: str, competitor: str | None) -> DealLost:
    """The fact that a deal was lost on a day."""
    return DealLost(
        deal_id=state.id,
        on=on,
        amount=state.amount,
        stage=state.stage,
        reason=reason,
        competitor=competitor,
        ends_notices=ends_notices(state),
        reminded_step=reminded_step(state),
    )


def deal_abandoned(state: Deal, on: date, reason: str) -> DealAbandoned:
    """The fact that a deal was abandoned on a day."""
    return DealAbandoned(
        deal_id=state.id,
        on=on,
        amount=state.amount,
        stage=state.stage,
        reason=reason,
        ends_notices=ends_notices(state),
        reminded_step=reminded_step(state),
    )


def deal_reopened(state: ClosedDeal, on: date, reason: str) -> DealReopened:
    """The fact that a closed deal was reopened on a day."""
    return DealReopened(
        deal_id=state.id,
        outcome_before=status_of(deal, state),
        reason=reason,
        stage=state.stage,
        probability=state.probability,
        category=state.category,
        amount=state.amount,
        expected_close=state.expected_close,
        on=on,
    )


def ends_notices(state: Deal) -> bool:
    """Whether somebody was told of a deal who need not know any more once it has ended."""
    return has_notified(state) or open_help(state) is not None or reminded_step(state) is not None


def lacking(state: Deal, rule: Winning, contract: ContractOfDeal) -> Lacking | None:
    """What a deal lacks of what the policy `winning` asks for; None where it may be won."""
    if rule.needs == "signed-contract" and not contract.is_signed:
        return "contract-not-signed"
    if rule.needs == "accepted-quote" and state.accepted_quote is None:
        return "quote-not-accepted"
    return None


def _check_winnable(state: Deal, rule: Winning, contract: ContractOfDeal) -> None:
    match lacks := lacking(state, rule, contract):
        case "contract-not-signed":
            message = "A deal is won here once its contract is signed by both parties."
            raise Rejected(lacks, f"{message} {MADE_A_MOMENT_AGO}")
        case "quote-not-accepted":
            raise Rejected(lacks, "A deal is won here once the customer has accepted a quote of it.")


def _closing_day(state: OpenDeal, stated: date | None, context: Context) -> date:
    """The day of the outcome: not in the future, and not before the deal was opened (or reopened last)."""
    on = stated or context.today
    if on > context.today:
        raise Rejected("in-the-future", "A deal cannot be closed in the future.", field="on")
    if state.open_since and on < state.open_since:
        raise Rejected("before-it-began", f"The deal is open since {state.open_since}.", field="on")
    days = [day for day in (*(visit.on for visit in state.trail), *(change.on for change in state.changes)) if day]
    if on < max(days, default=on):
        # An end of that day would come before the change, and amount or stage would not be those that are seen now.
        raise Rejected("changed-since", f"The deal was changed on {max(days)}, and did not end before.", field="on")
    return on
