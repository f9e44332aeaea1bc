"""History that comes in as dated facts (DATA-5): the same event types, decided without gates.

Every command says on which day its fact happened, and may say the instant. Facts of a deal lie neither in the future
nor before its opening. A fact is known when it was told with the same day and value, or when that value held on that
day anyway; for what came after it, and for there and back on one day, the import keeps account of every line.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import chain
from typing import Any, Literal, TypeVar
from uuid import UUID

from services.deals.domain.choice import ChosenProcess
from services.deals.domain.deal.changes import Category
from services.deals.domain.deal.closing import (
    AbandonReason,
    LossReason,
    deal_abandoned,
    deal_lost,
    deal_reopened,
    deal_won,
    ends_notices,
)
from services.deals.domain.deal.helping import unanswered_help
from services.deals.domain.deal.nodes import completed, node_of, refuse_completed
from services.deals.domain.deal.opening import begun, price_faults, worth
from services.deals.domain.deal.reminding import reminded_step, reminding
from services.deals.domain.deal.stages import entered, known_stage
from services.deals.domain.deal.state import (
    AnyDeal,
    Change,
    ClosedDeal,
    NextStep,
    NoDeal,
    OpenDeal,
    deal,
    plain,
)
from services.deals.domain.deal.submission import asks_somebody
from services.deals.domain.deal.work import ActivityKind
from services.deals.domain.process.state import Process
from services.deals.domain.quote.following import QuotesOfDeal, is_offered
from services.deals.domain.stage_visit.following import VisitsOfDeal, is_stood_in
from services.deals.domain.support_request.following import SupportOfDeal, is_awaited
from shared.domain.aggregate import Decision, Occurrence
from shared.domain.context import Context, Moment
from shared.domain.fields import Day, LongText, Name, Text
from shared.domain.imports import ONCE, WHICH_FIELDS
from shared.domain.policy import InForce
from shared.domain.references import AccountId, ActivityId, LeadId, MemberId, ProcessId, TeamId
from shared.domain.rejection import refuse_all
from shared.domain.retraction import retractable
from shared.events.deals.deal import (
    DealAbandoned,
    DealActivityLogged,
    DealAmountChanged,
    DealCategoryChanged,
    DealCloseDateChanged,
    DealFactRetracted,
    DealLine,
    DealLost,
    DealMoved,
    DealNextStepPlanned,
    DealNodeCompleted,
    DealOpened,
    DealReopened,
    DealWon,
)
from shared.events.deals.policy import NextSteps
from shared.events.definition import value
from shared.events.money import Money
from shared.events.working_hours import WorkingHours


@value
class ImportDeal:
    """A deal was opened on a day, in any stage."""

    on: Day
    at: datetime | None = None
    name: Name
    amount: Money
    expected_close: Day | None = None
    stage: str | None = None
    """Default: the first stage."""
    owner: MemberId | None = None
    team: TeamId | None = None
    account_id: AccountId | None = None
    account_name: Name | None = None
    lead_id: LeadId | None = None
    captured_at: datetime | None = None
    source: Name | None = None
    industry: Name | None = None
    lines: tuple[DealLine, ...] = ()
    process_id: ProcessId | None = None
    """Default: the ordered rules choose."""
    tracked: bool = False
    """Whether the history knows tasks and deliverables; otherwise none fall due."""
    assumptions: tuple[str, ...] = ()
    """What had to be assumed, like "undated" or "list-price"."""


@value
class ImportDealMove:
    """A deal entered a stage on a day."""

    on: Day
    at: datetime | None = None
    stage: str
    reason: Text | None = None
    tracked: bool = False


@value
class ImportDealChange:
    """What changed about a deal on a day; what is left out stayed as it was."""

    on: Day
    at: datetime | None = None
    amount: Money | None = None
    expected_close: Day | None = None
    category: Category | None = None
    judged_by: Literal["rep", "manager"] = "rep"
    next_step: NextStep | None = None


@value
class ImportDealActivity:
    """Somebody worked on a deal on a day."""

    on: Day
    at: datetime | None = None
    activity_id: ActivityId
    kind: ActivityKind
    by: MemberId | None = None
    minutes: int | None = None
    outcome: Text | None = None


@value
class ImportDealNode:
    """A task or deliverable was done on a day."""

    on: Day
    at: datetime | None = None
    key: str
    evidence: LongText


@value
class ImportDealWin:
    """A deal was won on a day."""

    on: Day
    at: datetime | None = None
    amount: Money | None = None
    """What it was won for; default: what it was worth before."""


@value
class ImportDealLoss:
    """A deal was lost on a day."""

    on: Day
    at: datetime | None = None
    reason: LossReason = "not-stated"
    competitor: Name | None = None


@value
class ImportDealAbandonment:
    """A deal was abandoned on a day."""

    on: Day
    at: datetime | None = None
    reason: AbandonReason


@value
class ImportDealReopening:
    """A closed deal was reopened on a day."""

    on: Day
    at: datetime | None = None
    reason: Text


Said = Money | NextStep | date | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DealToday:
    """A deal as it stands today, whatever time history tells of: what people were told until now follows from that."""

    state: AnyDeal | None = None
    """None: as it stood then."""
    is_corrected: bool = False
    """Whether its next step was planned by what history tells otherwise now."""


End = TypeVar("End", DealWon, DealLost, DealAbandoned)

END = "deal-end"
"""The series of how a deal ended: one `fact_id` is one end, whichever it is."""


retractable(deal, DealFactRetracted)


@deal.imports("deal", DealOpened, again=ONCE, inherits={"captured_at": "lead"})
def import_deal(state: NoDeal, command: ImportDeal, context: Context, chosen: ChosenProcess) -> Decision:
    """Take over the opening of a deal."""
    moment = _moment(command, context)
    key = command.stage or chosen.followed.definition.stages[0].key
    known_stage(chosen.followed, key)
    amount = worth(command.amount)
    faults = [price_faults(line.price, amount.currency, f"lines.{n}.price") for n, line in enumerate(command.lines)]
    refuse_all("invalid-deal", "The deal cannot be taken over like this.", list(chain.from_iterable(faults)))
    opened = begun(
        context,
        chosen,
        chosen.followed.definition.stage(key),
        on=command.on,
        tracked=command.tracked,
        live=False,
        name=command.name,
        amount=amount,
        expected_close=command.expected_close,
        owner=command.owner,
        team=command.team,
        account_id=command.account_id,
        account_name=command.account_name,
        lead_id=command.lead_id,
        captured_at=command.captured_at,
        source=command.source,
        industry=command.industry,
        lines=command.lines,
        assumptions=command.assumptions,
    )
    return [Occurrence(event=opened, at=moment)]


@deal.imports("deal-moved", DealMoved)
def import_move(
    state: OpenDeal, command: ImportDealMove, context: Context, *, process: Process, today: DealToday
) -> Decision:
    """Take over a move of a deal, also to where it stood: what is told before it later must not change that."""
    moment = _moment(command, context, state)
    known_stage(process, command.stage)
    event = entered(
        state,
        command.stage,
        process,
        context.company,
        on=command.on,
        reason=command.reason,
        tracked=command.tracked,
        live=False,
    )
    return [Occurrence(event=replace(event, ends_what_waits=_waits(today, state)), at=moment)]


@deal.imports(
    "deal-changed",
    DealAmountChanged,
    DealCloseDateChanged,
    DealCategoryChanged,
    DealNextStepPlanned,
    again=(WHICH_FIELDS, "judged_by"),
)
def import_change(
    state: OpenDeal,
    command: ImportDealChange,
    context: Context,
    *,
    today: DealToday,
    next_steps: InForce[NextSteps],
    hours: InForce[WorkingHours],
) -> Decision:
    """Take over changes of a deal, also to what was so: what is told before it later must not change that.

    Of a next step whose day has not passed people are reminded, as of one that is planned here.
    """
    moment = _moment(command, context, state)
    events: list[Any] = []
    if command.amount is not None:
        amount = worth(command.amount)
        events.append(DealAmountChanged(deal_id=state.id, before=state.amount, amount=amount, on=command.on))
    close = command.expected_close
    if close is not None:
        events.append(
            DealCloseDateChanged(deal_id=state.id, before=state.expected_close, expected_close=close, on=command.on)
        )
    category = command.category
    if category is not None:
        events.append(
            DealCategoryChanged(
                deal_id=state.id,
                before=state.category,
                category=category,
                judged_by=command.judged_by,
                on=command.on,
            )
        )
    step = command.next_step
    if step is not None:
        rule = next_steps.of(team=state.team, process=state.process_id).document
        events.append(
            DealNextStepPlanned(
                deal_id=state.id,
                on=step.on,
                what=step.what,
                planned_on=command.on,
                **reminding(state, step.on, context, rule, hours),
                reminded_step=_reminded_until(today, state),
            )
        )
    return [Occurrence(event=event, at=moment) for event in events]


@deal.imports("deal-activity", DealActivityLogged, again=("activity",))
def import_activity(state: OpenDeal, command: ImportDealActivity, context: Context) -> Decision:
    """Take over an activity."""
    event = DealActivityLogged(
        deal_id=state.id,
        activity_id=command.activity_id,
        kind=command.kind,
        by=command.by,
        on=command.on,
        minutes=command.minutes,
        outcome=command.outcome,
    )
    return [Occurrence(event=event, at=_moment(command, context, state))]


@deal.imports("deal-node-completed", DealNodeCompleted, again=("key",))
def import_node(
    state: OpenDeal, command: ImportDealNode, context: Context, *, process: Process, today: DealToday
) -> Decision:
    """Take over the completion of a task or deliverable."""
    moment = _moment(command, context, state)
    stage, kind, node, _ = node_of(state, process, command.key)
    refuse_completed(state, node)
    done = completed(state, stage, kind, node, command.evidence)
    return [Occurrence(event=replace(done, ends_what_waits=_waits(today, state)), at=moment)]


@deal.imports("deal-won", DealWon, DealAmountChanged, series=END)
def import_win(
    state: AnyDeal,
    command: ImportDealWin,
    context: Context,
    *,
    today: DealToday,
    support: SupportOfDeal,
    quotes: QuotesOfDeal,
) -> Decision:
    """Take over the winning of a deal; of several ends the last one counts."""
    moment = _moment(command, context, state)
    facts = []
    if command.amount is not None:
        amount = worth(command.amount)
        changed = DealAmountChanged(deal_id=state.id, before=state.amount, amount=amount, on=command.on)
        facts.append(Occurrence(event=changed, at=moment))
        state = deal.evolve(state, changed)
    won = _settling(deal_won(state, command.on), state, today, support, quotes)
    return [*facts, Occurrence(event=won, at=moment)]


@deal.imports("deal-lost", DealLost, series=END)
def import_loss(
    state: AnyDeal,
    command: ImportDealLoss,
    context: Context,
    *,
    today: DealToday,
    support: SupportOfDeal,
    quotes: QuotesOfDeal,
    visits: VisitsOfDeal,
) -> Decision:
    """Take over the loss of a deal; of several ends the last one counts."""
    moment = _moment(command, context, state)
    lost = deal_lost(state, command.on, command.reason, command.competitor)
    return [Occurrence(event=_settling(lost, state, today, support, quotes, visits), at=moment)]


@deal.imports("deal-abandoned", DealAbandoned, series=END)
def import_abandonment(
    state: AnyDeal,
    command: ImportDealAbandonment,
    context: Context,
    *,
    today: DealToday,
    support: SupportOfDeal,
    quotes: QuotesOfDeal,
    visits: VisitsOfDeal,
) -> Decision:
    """Take over that a deal was abandoned; of several ends the last one counts."""
    moment = _moment(command, context, state)
    abandoned = deal_abandoned(state, command.on, command.reason)
    return [Occurrence(event=_settling(abandoned, state, today, support, quotes, visits), at=moment)]


@deal.imports("deal-reopened", DealReopened)
def import_reopening(state: ClosedDeal, command: ImportDealReopening, context: Context) -> Decision:
    """Take over the reopening of a deal."""
    moment = _moment(command, context, state)
    return [Occurrence(event=deal_reopened(state, command.on, command.reason), at=moment)]


@deal.already
def is_node_imported(state: AnyDeal, command: ImportDealNode) -> bool:
    return any(node.key == command.key and node.evidence == command.evidence for node in state.nodes)


@deal.already
def is_loss_imported(state: AnyDeal, command: ImportDealLoss) -> bool:
    return _told(state, "lost", command.on, command.reason)


@deal.already
def is_abandonment_imported(state: AnyDeal, command: ImportDealAbandonment) -> bool:
    return _told(state, "abandoned", command.on, command.reason)


@deal.already
def is_reopening_imported(state: AnyDeal, command: ImportDealReopening) -> bool:
    return _told(state, "reopened", command.on, command.reason)


def _settling(  # noqa: PLR0917
    end: End,
    then: AnyDeal,
    today: DealToday,
    support: SupportOfDeal,
    quotes: QuotesOfDeal,
    visits: VisitsOfDeal | None = None,
) -> End:
    """An end that is told late, with what nobody has to know any more of all that people were told until today. A deal
    that was reopened since goes on, and so does what they were told of it."""
    state = today.state or then
    if isinstance(state, OpenDeal) and state.open_since is not None and end.on < state.open_since:
        return replace(end, ends_notices=False, reminded_step=None)
    return replace(
        end,
        ends_notices=ends_notices(state),
        reminded_step=reminded_step(state),
        ends_what_waits=_waits(today, then)
        or unanswered_help(state) is not None
        or is_awaited(support)
        or is_offered(quotes)
        or (visits is not None and is_stood_in(visits)),
    )


def _waits(today: DealToday, then: AnyDeal) -> bool:
    """Whether anything of the deal waits for an approval today."""
    return asks_somebody((today.state or then).submissions)


def _reminded_until(today: DealToday, then: OpenDeal) -> UUID | None:
    """The next step that stood then, or that is told otherwise now, where somebody was reminded of it until today; a
    later one stays."""
    known = (today.state or then).reminders
    stood = then.reminders is not None and known is not None and known.plan_id == then.reminders.plan_id
    return reminded_step(today.state or then) if stood or today.is_corrected else None


def _moment(command: Any, context: Context, state: AnyDeal | None = None) -> Moment:
    return context.past_moment(command.on, command.at, since=state.opening.on if state else None)


def _told(state: AnyDeal, what: str, on: date, value: Said) -> bool:
    """Whether exactly this was told of this day."""
    return Change(what=what, on=on, value=plain(value)) in state.changes
