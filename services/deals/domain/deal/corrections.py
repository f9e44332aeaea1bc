"""What was told wrongly of the work on a deal: an activity is corrected, or withdrawn (DEAL-6).

What was told before is retracted, as an import is (ADR 0017), and what counts instead is told in its place: so figures
forget a call that never was, and show it still as known before.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Annotated, Any, ClassVar
from uuid import UUID

from annotated_types import Ge, Le, MaxLen

from services.deals.domain.deal.contacts import KnownContacts
from services.deals.domain.deal.content import ContentUse, NamedContent, content_of, is_that_use
from services.deals.domain.deal.state import Activity, AnyDeal, ClosedDeal, Withdrawal, deal
from services.deals.domain.deal.work import ActivityKind, check_day, check_parties, cost_of
from shared.domain.aggregate import Decision, Occurrence
from shared.domain.context import Actor, Context, Moment
from shared.domain.fields import Day, Text
from shared.domain.history import Recorded, standing
from shared.domain.references import AnyMemberId, ContactId, ContentItemId, OwnActivityId
from shared.domain.rejection import Rejected, all_at_once
from shared.domain.roles import MANAGING, SELLING
from shared.events.deals.deal import DealActivityLogged, DealFactRetracted
from shared.events.deals.deal_record import DealActivityCorrected, DealActivityWithdrawn
from shared.events.definition import value
from shared.events.money import Money


@value
class CorrectActivity:
    """What an activity was in truth: all of it, so that what is left out was not so."""

    activity_id: OwnActivityId
    kind: ActivityKind
    on: Day | None = None
    """Default: the day that it has."""
    minutes: Annotated[int, Ge(0), Le(6000)] | None = None
    cost: Money | None = None
    outcome: Text | None = None
    contacts: Annotated[tuple[ContactId, ...], MaxLen(50)] = ()
    members: Annotated[tuple[AnyMemberId, ...], MaxLen(50)] = ()
    content_id: ContentItemId | None = None
    """Named as before, it keeps the version that was used."""
    content_use: ContentUse | None = None

    example: ClassVar[dict[str, Any]] = {
        "activity_id": "0192f0c1-0000-7000-8000-000000000050",
        "kind": "visit",
        "minutes": 90,
        "outcome": "The plant manager named three pains.",
    }


@value
class WithdrawActivity:
    """An activity had never been, or was none of this deal."""

    activity_id: OwnActivityId
    reason: Text

    example: ClassVar[dict[str, Any]] = {
        "activity_id": "0192f0c1-0000-7000-8000-000000000050",
        "reason": "The call was with another customer.",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """How an activity came to be told: by which request, when it was, and what else that told, like the next step."""

    request: UUID
    at: Moment
    along: tuple[Occurrence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tellings:
    """How the activities of a deal came to be told, those that stand."""

    of: Mapping[UUID, Telling] = field(default_factory=dict)

    def of_standing(self, activity_id: UUID) -> Telling:
        """How one was told that stands. Raises Rejected where it was withdrawn since the state was read."""
        if activity_id not in self.of:
            raise _already_withdrawn()
        return self.of[activity_id]


@deal.decides(allow=SELLING)
def correct_activity(
    state: AnyDeal,
    command: CorrectActivity,
    context: Context,
    *,
    tellings: Tellings,
    contacts: KnownContacts,
    content: NamedContent,
) -> Decision:
    """Correct what was logged of an activity, also once the deal is closed.

    Reps correct what they did themselves, and what nobody in particular did; what others did their managers correct.
    """
    activity = _standing(state, command.activity_id)
    on = command.on or activity.on or context.today
    all_at_once(
        lambda: _check_author(activity, context.actor),
        lambda: _check_day(state, activity, on, context),
        lambda: cost_of(command.cost, context),
        lambda: check_parties(state, command.contacts, context, contacts),
        lambda: content_of(command.content_id, command.content_use, content, activity.content),
    )
    corrected = DealActivityCorrected(
        deal_id=state.id,
        activity_id=activity.id,
        kind=command.kind,
        by=activity.by,
        on=on,
        minutes=command.minutes,
        cost=cost_of(command.cost, context),
        outcome=command.outcome,
        automatic=activity.automatic,
        contacts=command.contacts,
        members=command.members,
        content=content_of(command.content_id, command.content_use, content, activity.content),
    )
    told = tellings.of_standing(activity.id)
    at = told.at if on == activity.on else context.moment(on)
    return [*_taken_back(state, told), Occurrence(event=corrected, at=at)]


@deal.decides(allow=SELLING)
def withdraw_activity(state: AnyDeal, command: WithdrawActivity, context: Context, tellings: Tellings) -> Decision:
    """Take an activity out of the record of the deal, with the reason, also once the deal is closed.

    Reps withdraw what they did themselves, and what nobody in particular did; what others did their managers withdraw.
    Gates that the deal has passed are not judged again.
    """
    activity = _standing(state, command.activity_id)
    _check_author(activity, context.actor)
    withdrawn = DealActivityWithdrawn(deal_id=state.id, activity_id=activity.id, reason=command.reason)
    return [*_taken_back(state, tellings.of_standing(activity.id)), withdrawn]


@deal.already
def is_corrected(state: AnyDeal, command: CorrectActivity) -> bool:
    return any(
        activity.id == command.activity_id
        and (activity.kind, activity.minutes, activity.cost, activity.outcome, activity.contacts, activity.members)
        == (command.kind, command.minutes, command.cost, command.outcome, command.contacts, command.members)
        and is_that_use(activity.content, command.content_id, command.content_use)
        and command.on in (None, activity.on)
        for activity in state.activities
    )


@deal.already
def is_withdrawn(state: AnyDeal, command: WithdrawActivity) -> bool:
    return Withdrawal(activity_id=command.activity_id, reason=command.reason) in state.withdrawn


@deal.evolves
def activity_corrected(state: AnyDeal, event: DealActivityCorrected) -> AnyDeal:
    activity = Activity(
        id=event.activity_id,
        kind=event.kind,
        by=event.by,
        on=event.on,
        minutes=event.minutes,
        cost=event.cost,
        outcome=event.outcome,
        automatic=event.automatic,
        contacts=event.contacts,
        members=event.members,
        content=event.content,
    )
    # What it corrects may have had a text, which is stored until it is erased.
    return replace(state, activities=(*_without(state, event.activity_id), activity), written=True)


@deal.evolves
def activity_withdrawn(state: AnyDeal, event: DealActivityWithdrawn) -> AnyDeal:
    # An import may tell it again under its id: withdrawn it stays.
    withdrawn = (*state.withdrawn, Withdrawal(activity_id=event.activity_id, reason=event.reason))
    return replace(state, activities=_without(state, event.activity_id), withdrawn=withdrawn, written=True)


def tellings_of(facts: Iterable[Recorded]) -> Tellings:
    """How the activities of a deal came to be told, from all that was recorded of it."""
    told = defaultdict[UUID, list[Recorded]](list)
    for fact in standing(facts):
        told[fact.causation_id].append(fact)
    return Tellings(
        of={
            fact.data.activity_id: Telling(
                request=request,
                at=_moment(fact),
                along=tuple(Occurrence(event=other.data, at=_moment(other)) for other in own if other is not fact),
            )
            for request, own in told.items()
            for fact in own
            if isinstance(fact.data, DealActivityLogged | DealActivityCorrected)
        }
    )


def _moment(fact: Recorded) -> Moment:
    return Moment(fact.occurred_at, by_day=fact.by_day)


def _taken_back(state: AnyDeal, told: Telling) -> tuple[Any, ...]:
    """The retraction of what a request told, and what it told besides once more."""
    return (DealFactRetracted(deal_id=state.id, request=told.request), *told.along)


def _without(state: AnyDeal, activity_id: UUID) -> tuple[Activity, ...]:
    return tuple(activity for activity in state.activities if activity.id != activity_id)


def _standing(state: AnyDeal, activity_id: UUID) -> Activity:
    for activity in state.activities:
        if activity.id == activity_id:
            return activity
    if any(each.activity_id == activity_id for each in state.withdrawn):
        raise _already_withdrawn()
    raise Rejected("unknown-activity", "The deal has no such activity.", field="activity_id")


def _already_withdrawn() -> Rejected:
    return Rejected("already-withdrawn", "This activity was withdrawn before.", field="activity_id")


def _check_author(activity: Activity, actor: Actor) -> None:
    if activity.by in (None, actor.member) or any(role in MANAGING for role in actor.roles):
        return
    raise Rejected("somebody-elses", "Somebody else did this; their manager can change it.", field="activity_id")


def _check_day(state: AnyDeal, activity: Activity, on: date, context: Context) -> None:
    if on == activity.on:
        return
    check_day(state, on, context)
    if isinstance(state, ClosedDeal) and on > state.on:
        raise Rejected("after-its-end", f"The deal ended on {state.on}.", field="on")
