"""An occasion: something needs attention, and these notices say so; when it passes, all of them are settled (REC-5).

Whoever is told, and what is taken back of it, is decided in one stream for each thing and kind of notice. So nobody has
to look for the notices of an invoice that was paid, and none is overlooked that was raised a moment before.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID, uuid5

from services.forecast.domain.notice import NoticeKind, NoticeThing, Told, Waiting, notice_of
from shared.domain.aggregate import Aggregate, Decision, Occurrence
from shared.domain.context import Context
from shared.domain.fields import Day
from shared.domain.references import AccountId, AnyMemberId, MemberId, TeamId
from shared.domain.roles import ONLY_SERVICES, Role
from shared.events.definition import value
from shared.events.forecast.notice import About, NoticeRaised, NoticeRenamed, NoticeSettled
from shared.events.forecast.occasion import OccasionArose, OccasionPassed
from shared.events.money import Money
from shared.events.references import Free

CauseId = Annotated[UUID, Free("an event, of whichever service")]
ThingId = Annotated[UUID, Free("what a notice is about may be of any service")]


@value
class NoOccasion:
    """It never needed attention."""


@value
class Occasion:
    """What every occasion carries, whatever its state."""

    id: UUID
    causes: tuple[UUID, ...]
    """The events that it arose from."""
    told: tuple[UUID, ...]
    """Every notice that ever said so."""


@value
class OpenOccasion(Occasion):
    """It needs attention."""

    notices: tuple[UUID, ...]
    """The notices that say so."""


@value
class PassedOccasion(Occasion):
    """It needs nobody's attention any more."""


occasion = Aggregate("occasion", plural="occasions", start=NoOccasion, readers=ONLY_SERVICES)


@value
class RaiseNotices:
    """Tell those whom something concerns: whoever it belongs to and whoever leads them, and everybody of some roles."""

    kind: NoticeKind
    occasion: ThingId
    """What it is settled by: the thing itself, or what waits about it."""
    about: NoticeThing
    about_id: ThingId
    approval_id: ThingId | None = None
    """The approval of it, where one waits or has ended."""
    cause: CauseId
    account_id: AccountId | None = None
    amount: Money | None = None
    due: Day | None = None
    due_at: datetime | None = None
    """Where an instant is known, and its day follows from the company's."""
    reference: str | None = None
    owner: MemberId | None = None
    team: TeamId | None = None
    """Where there is no owner: whoever leads this team is told."""
    roles: tuple[Role, ...] = ()
    members: tuple[AnyMemberId, ...] = ()
    led: tuple[AnyMemberId, ...] = ()
    """Members of whom those are told, too, who lead them."""
    department: Role | None = None
    """The role of whose people those are told who lead them, or they themselves where nobody does."""
    to: str | None = None
    """The subject of somebody who is told too, where no more is known of them."""
    not_to: str | None = None
    """The subject of whoever brought it about, who is told nothing."""
    not_members: tuple[AnyMemberId, ...] = ()
    """Members who are told nothing either: they wrote what others decide about."""


@value
class SettleNotices:
    """Have the notices of something settled: all, and it passes, or those of a member, and it waits for others."""

    cause: CauseId
    member: AnyMemberId | None = None


@value
class RenameNotices:
    """Have the notices of something that is called otherwise say so, whether they wait or are settled."""

    cause: CauseId
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Somebody who is to be told."""

    member_id: UUID
    muted: bool = False
    """Whether they have muted this kind of notice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Who is to be told, as a handler is given it."""

    recipients: tuple[Recipient, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingNotices:
    """The notices of an occasion that still wait, as a handler is given them."""

    notices: tuple[Waiting, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldNotices:
    """Every notice of an occasion, as a handler is given them."""

    notices: tuple[Told, ...] = ()


@occasion.decides(allow=ONLY_SERVICES)
def raise_(
    state: NoOccasion | OpenOccasion | PassedOccasion, command: RaiseNotices, context: Context, audience: Audience
) -> Decision:
    """Tell everybody whom something concerns, each once; where that is nobody, nothing happens."""
    told = [_raised(command, recipient, context) for recipient in audience.recipients]
    if not told:
        return []
    arose = OccasionArose(
        occasion_id=occasion_of(command.kind, command.occasion),
        kind=command.kind,
        about=_about(command),
        cause=command.cause,
        notices=tuple(each.notice_id for each in told),
    )
    return [arose, *(Occurrence(event=each, to=each.notice_id) for each in told)]


@occasion.decides(allow=ONLY_SERVICES)
def settle(state: NoOccasion | OpenOccasion, command: SettleNotices, waiting: WaitingNotices) -> Decision:
    """Settle the notices of something that waits for nobody any more; of most things there are none."""
    if isinstance(state, NoOccasion):
        return []
    settled = [
        NoticeSettled(notice_id=each.id, member_id=each.member_id, cause=command.cause) for each in waiting.notices
    ]
    passed = [] if command.member else [OccasionPassed(occasion_id=state.id, cause=command.cause)]
    return [*passed, *(Occurrence(event=each, to=each.notice_id) for each in settled)]


@occasion.decides(allow=ONLY_SERVICES)
def rename(state: NoOccasion | OpenOccasion | PassedOccasion, command: RenameNotices, told: ToldNotices) -> Decision:
    """Have whatever anybody was told say what the thing is called now; of most things that is nothing."""
    return [
        Occurrence(
            event=NoticeRenamed(
                notice_id=each.id, member_id=each.member_id, reference=command.reference, cause=command.cause
            ),
            to=each.id,
        )
        for each in told.notices
        if each.reference != command.reference
    ]


@occasion.already
def is_raised(state: OpenOccasion | PassedOccasion, command: RaiseNotices) -> bool:
    return command.cause in state.causes


@occasion.already
def is_settled(state: PassedOccasion, command: SettleNotices) -> bool:
    return True


@occasion.evolves
def arose(state: NoOccasion, event: OccasionArose) -> OpenOccasion:
    return OpenOccasion(id=event.occasion_id, causes=(event.cause,), told=event.notices, notices=event.notices)


@occasion.evolves
def arose_again(state: OpenOccasion | PassedOccasion, event: OccasionArose) -> OpenOccasion:
    before = state.notices if isinstance(state, OpenOccasion) else ()
    return OpenOccasion(
        id=state.id,
        causes=(*state.causes, event.cause),
        told=(*state.told, *event.notices),
        notices=(*before, *event.notices),
    )


@occasion.evolves
def passed(state: OpenOccasion, event: OccasionPassed) -> PassedOccasion:
    return PassedOccasion(id=state.id, causes=state.causes, told=state.told)


def occasion_of(kind: str, about_id: UUID) -> UUID:
    """The id of what is told of a thing under a kind of notice."""
    return uuid5(about_id, f"occasion of {kind}")


def _about(command: RaiseNotices) -> About:
    return About(thing=command.about, id=command.about_id, approval_id=command.approval_id)


def _raised(command: RaiseNotices, recipient: Recipient, context: Context) -> NoticeRaised:
    return NoticeRaised(
        notice_id=notice_of(command.cause, recipient.member_id),
        member_id=recipient.member_id,
        kind=command.kind,
        about=_about(command),
        cause=command.cause,
        muted=recipient.muted,
        account_id=command.account_id,
        amount=command.amount,
        due=context.company.day(command.due_at) if command.due_at else command.due,
        reference=command.reference,
    )
