"""What changes about an open deal: worth, close date, what is known of it, and whose it is (DEAL-9, DEAL-10)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import MaxLen, MinLen

from services.deals.domain.deal.approval import PendingApprovals, handed_on
from services.deals.domain.deal.contacts import KnownContacts
from services.deals.domain.deal.editing import with_classification, with_customer, with_lines
from services.deals.domain.deal.opening import LineWanted, worth
from services.deals.domain.deal.quoted import keeps_to
from services.deals.domain.deal.reminding import reminded_step
from services.deals.domain.deal.stages import moved
from services.deals.domain.deal.state import AnyDeal, NextStep, OpenDeal, deal, judged, said, written
from services.deals.domain.deal.work import planned
from services.deals.domain.exchange_rate import Conversion
from services.deals.domain.facts import noted_faults
from services.deals.domain.process.state import Process
from services.deals.domain.product import Catalogue
from services.deals.domain.stage_visit.following import VisitsOfDeal, handed_over_with
from shared.domain.aggregate import Decision
from shared.domain.context import Context
from shared.domain.fields import Day, Name, Text
from shared.domain.merge_patch import absent, given
from shared.domain.policy import InForce
from shared.domain.references import AnyMemberId, AnyTeamId, CustomerId
from shared.domain.rejection import Reason, Rejected, refuse_all
from shared.domain.roles import MANAGING, SELLING
from shared.domain.working_time.reminders import after_hand_over
from shared.events.criteria import FactValue
from shared.events.deals.deal import (
    DealAmountChanged,
    DealCategoryChanged,
    DealCloseDateChanged,
    DealFactsNoted,
    DealHandedOver,
    DealRenamed,
)
from shared.events.deals.policy import NextSteps
from shared.events.definition import value
from shared.events.money import Money
from shared.events.working_hours import WorkingHours

Category = Literal["omitted", "pipeline", "best-case", "commit"]


@value
class ChangeAmount:
    """The deal is worth another amount."""

    amount: Money
    """In any currency: of another one than before where that was negotiated."""

    example: ClassVar[dict[str, Any]] = {"amount": {"amount": "135000.00", "currency": "EUR"}}


@value
class ChangeCloseDate:
    """The deal is expected to close on another day; null when nobody can say."""

    expected_close: Day | None

    example: ClassVar[dict[str, Any]] = {"expected_close": "2027-01-29"}


@value
class RenameDeal:
    """The deal is called otherwise."""

    name: Name

    example: ClassVar[dict[str, Any]] = {"name": "Servers for both plants"}


@value
class NoteFacts:
    """What was found out. The deal's process says which facts there are, and of which kind."""

    facts: Annotated[dict[str, FactValue], MinLen(1), MaxLen(50)]
    """Fact → value; decimals as strings, null for what is unknown again."""

    example: ClassVar[dict[str, Any]] = {"facts": {"need_stated": True, "pains": 2, "budget": "150000"}}


@value
class SetCategory:
    """The rep's own judgement of how sure the deal is."""

    category: Category

    example: ClassVar[dict[str, Any]] = {"category": "best-case"}


@value
class OverrideCategory:
    """The manager's judgement, which counts instead of the rep's."""

    category: Category
    reason: Text

    example: ClassVar[dict[str, Any]] = {"category": "pipeline", "reason": "No access to the economic buyer yet."}


@value
class HandOver:
    """The deal goes to another person, or team."""

    owner: AnyMemberId
    """An active member, of this team or any other."""
    team: AnyTeamId | None = None
    """Default: the deal stays with its team."""
    reason: Text | None = None

    example: ClassVar[dict[str, Any]] = {
        "owner": "01936d2f-8a5c-7e54-b8a1-3d2c9b5e7f10",
        "reason": "New territory",
    }


@value
class UpdateDeal:
    """What changes about a deal: whatever is named, all of it or nothing; what is left out stays as it is."""

    name: Name = absent()
    stage: Annotated[str, MinLen(1), MaxLen(64)] = absent()
    amount: Money = absent()
    expected_close: Day | None = absent()
    """Null when nobody can say."""
    next_step: NextStep | None = absent()
    """Null: explicitly nothing."""
    account_id: CustomerId | None = absent()
    """An account that the asking member sees; null: with none. Contacts who are not at the new account leave the
    deal."""
    account_name: Name | None = absent()
    """Left out, a name that was said goes with the account before."""
    source: Name | None = absent()
    industry: Name | None = absent()
    lines: Annotated[tuple[LineWanted, ...], MaxLen(200)] = absent()
    """All lines, in the currency of the amount. An amount that is their sum stays so, where none is named."""

    example: ClassVar[dict[str, Any]] = {
        "amount": {"amount": "135000.00", "currency": "EUR"},
        "expected_close": "2027-01-29",
        "next_step": {"on": "2026-12-07", "what": "Walk through the quotation"},
    }


@deal.decides(allow=SELLING)
def change_amount(state: OpenDeal, command: ChangeAmount, context: Context) -> Decision:
    """Change what the deal is worth, unless an accepted quote fixes that."""
    amount = worth(command.amount)
    if amount == state.amount:
        return []
    changed = DealAmountChanged(deal_id=state.id, before=state.amount, amount=amount, on=context.today)
    return keeps_to(state, [changed], "amount")


@deal.decides(allow=SELLING)
def change_close_date(state: OpenDeal, command: ChangeCloseDate, context: Context) -> Decision:
    """Change the day on which the deal is expected to close."""
    if command.expected_close == state.expected_close:
        return []
    if command.expected_close and command.expected_close < context.today:
        raise Rejected("in-the-past", "A deal closes in the future.", field="expected_close")
    return [
        DealCloseDateChanged(
            deal_id=state.id, before=state.expected_close, expected_close=command.expected_close, on=context.today
        )
    ]


@deal.decides(allow=SELLING)
def rename(state: AnyDeal, command: RenameDeal) -> Decision:
    """Change what the deal is called, also once it is closed."""
    if command.name == state.name:
        return []
    return [DealRenamed(deal_id=state.id, name=command.name, reminded_steps=state.reminded_steps)]


@deal.decides(allow=SELLING)
def note_facts(state: OpenDeal, command: NoteFacts, process: Process) -> Decision:
    """Note typed facts, which the gates are judged by."""
    refuse_all("invalid-facts", "The facts cannot be noted.", list(noted_faults(process.definition, command.facts)))
    new = {key: value for key, value in command.facts.items() if state.facts.get(key) != value}
    return [DealFactsNoted(deal_id=state.id, facts=new)] if new else []


@deal.decides(allow=SELLING)
def set_category(state: OpenDeal, command: SetCategory, context: Context) -> Decision:
    """Set the forecast category. Once a manager has overridden it, only a manager changes it."""
    if state.category_by_rep == command.category:
        return []
    if state.category_by_manager is not None:
        raise Rejected(
            "overridden", f"A manager judged the deal {state.category_by_manager!r}; a manager can change that."
        )
    return [_judged(state, command.category, "rep", context)]


@deal.decides(allow=MANAGING)
def override_category(state: OpenDeal, command: OverrideCategory, context: Context) -> Decision:
    """Override the forecast category, with a reason. The rep's judgement stays known."""
    if state.category_by_manager == command.category:
        return []
    return [_judged(state, command.category, "manager", context, command.reason)]


@deal.decides(allow=MANAGING)
def hand_over(
    state: OpenDeal, command: HandOver, context: Context, pending: PendingApprovals, visits: VisitsOfDeal
) -> Decision:
    """Hand the deal over to another person, with the approvals that it waits for and the stages of its contract."""
    team = command.team or state.team
    if (command.owner, team) == (state.owner, state.team):
        return []
    return [
        DealHandedOver(
            deal_id=state.id,
            owner_before=state.owner,
            team_before=state.team,
            owner=command.owner,
            team=team,
            reason=command.reason,
            on=context.today,
            reminded_step=reminded_step(state),
        ),
        *handed_on(state, pending, context, command.owner, team),
        *handed_over_with(visits, command.owner, team),
    ]


@deal.decides(allow=SELLING, method="PATCH")
def update(
    state: OpenDeal,
    command: UpdateDeal,
    context: Context,
    *,
    process: Process,
    conversion: Conversion,
    next_steps: InForce[NextSteps],
    hours: InForce[WorkingHours],
    contacts: KnownContacts,
    catalogue: Catalogue,
) -> Decision:
    """Change name, customer, source, industry, lines, amount, close date, next step and stage together, or nothing.

    The gate is judged with everything else as it is then. Everything that stands in the way is named at once.
    """
    named = given(command)
    parts: list[Callable[[OpenDeal], Decision]] = []
    if "name" in named:
        parts.append(lambda now: rename(now, RenameDeal(name=command.name)))
    if "amount" in named:
        parts.append(lambda now: change_amount(now, ChangeAmount(amount=command.amount), context))
    if "expected_close" in named:
        parts.append(
            lambda now: change_close_date(now, ChangeCloseDate(expected_close=command.expected_close), context)
        )
    if "next_step" in named:
        step = command.next_step or NextStep(on=None)
        parts.append(lambda now: planned(now, step, context, next_steps, hours=hours, field="next_step.on"))
    if named.keys() & {"account_id", "account_name"}:
        parts.append(lambda now: with_customer(now, named, contacts, context.today))
    if named.keys() & {"source", "industry"}:
        parts.append(lambda now: with_classification(now, named, context.today))
    if "lines" in named:
        parts.append(
            lambda now: keeps_to(
                now,
                with_lines(now, command.lines, catalogue, context.today, amount_is_named="amount" in named),
                "lines",
            )
        )
    if "stage" in named:
        parts.append(lambda now: moved(now, command.stage, context, process, conversion))
    changes: list[Any] = []
    reasons: list[Reason] = []
    tried: list[Any] = []
    for part in parts:
        try:
            events = part(state)
        except Rejected as rejected:
            reasons.extend(rejected.reasons)
            tried.extend(rejected.on_record)
            continue
        for event in events:
            state = deal.evolve(state, event)
        changes.extend(events)
    refuse_all("invalid-deal-change", "The deal cannot be updated like this.", reasons, on_record=tried)
    return changes


@deal.evolves
def amount_changed(state: OpenDeal, event: DealAmountChanged) -> OpenDeal:
    return replace(state, amount=event.amount, changes=said(state, "amount", event.on, event.amount))


@deal.evolves
def close_date_changed(state: OpenDeal, event: DealCloseDateChanged) -> OpenDeal:
    changes = said(state, "expected-close", event.on, event.expected_close)
    return replace(state, expected_close=event.expected_close, changes=changes)


@deal.evolves
def renamed(state: AnyDeal, event: DealRenamed) -> AnyDeal:
    return replace(state, name=event.name)


@deal.evolves
def facts_noted(state: OpenDeal, event: DealFactsNoted) -> OpenDeal:
    return replace(state, facts={**state.facts, **event.facts})


@deal.evolves
def category_changed(state: OpenDeal, event: DealCategoryChanged) -> OpenDeal:
    changes = said(state, f"category-by-{event.judged_by}", event.on, event.category)
    said_so = {"changes": changes, "written": written(state, event.reason)}
    if event.judged_by == "manager":
        return judged(state, category_by_manager=event.category, **said_so)
    return judged(state, category_by_rep=event.category, **said_so)


@deal.evolves
def handed_over(state: OpenDeal, event: DealHandedOver) -> OpenDeal:
    # Its day is what is read: an end that is told later does not come before it.
    changes = said(state, "owner", event.on, f"{event.owner or ''} {event.team or ''}")
    return replace(
        state,
        owner=event.owner,
        team=event.team,
        reminders=after_hand_over(state.reminders, before=(state.owner, state.team), now=(event.owner, event.team)),
        changes=changes,
        written=written(state, event.reason),
    )


def _judged(
    state: OpenDeal, category: str, by: str, context: Context, reason: str | None = None
) -> DealCategoryChanged:
    return DealCategoryChanged(
        deal_id=state.id, before=state.category, category=category, judged_by=by, reason=reason, on=context.today
    )
