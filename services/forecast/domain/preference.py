"""Which kinds of notices somebody has muted: they stand in the inbox, and are not sent (REC-5).

There is one for each member, in a stream that derives from theirs.
"""

from dataclasses import replace
from datetime import date
from typing import Any, ClassVar
from uuid import UUID, uuid5

from services.forecast.domain.notice import RECIPIENTS, NoticeKind
from shared.domain.aggregate import Aggregate, Decision
from shared.domain.context import Actor, Context
from shared.domain.fields import Day
from shared.domain.rejection import Rejected
from shared.events.definition import value
from shared.events.forecast.notice_preference import NoticesMuted, NoticesUnmuted


@value
class NoPreference:
    """Nothing was ever muted."""


@value
class MutedKind:
    """A kind of notice that is muted."""

    kind: str
    until: date | None = None
    """The last day on which it is; none: until it is unmuted."""


@value
class StatedNoticePreference:
    """What a member has muted."""

    id: UUID
    member_id: UUID
    muted: tuple[MutedKind, ...] = ()

    @property
    def owner(self) -> UUID:
        """Whose it is."""
        return self.member_id


notice_preference = Aggregate("notice-preference", plural="notice-preferences", start=NoPreference, readers=RECIPIENTS)


@value
class MuteNotices:
    """Have a kind of notice no longer sent to oneself."""

    kind: NoticeKind
    until: Day | None = None
    """The last day on which it is not; without one until it is unmuted."""

    example: ClassVar[dict[str, Any]] = {"kind": "invoice-overdue", "until": "2026-12-31"}


@value
class UnmuteNotices:
    """Have a kind of notice sent to oneself again."""

    kind: NoticeKind

    example: ClassVar[dict[str, Any]] = {"kind": "invoice-overdue"}


@notice_preference.decides(allow=RECIPIENTS, routed=False)
def mute(state: NoPreference | StatedNoticePreference, command: MuteNotices, context: Context) -> Decision:
    """Have a kind of notice no longer sent to oneself."""
    if command.until is not None and command.until < context.today:
        raise Rejected("in-the-past", "That day is over.", field="until")
    return [
        NoticesMuted(
            preference_id=context.aggregate_id,
            member_id=member_of(context.actor),
            kind=command.kind,
            until=command.until,
        )
    ]


@notice_preference.decides(allow=RECIPIENTS, routed=False)
def unmute(state: NoPreference | StatedNoticePreference, command: UnmuteNotices) -> Decision:
    """Have a kind of notice sent to oneself again; what is not muted stays so."""
    if _muted(state, command.kind) is None:
        return []
    assert isinstance(state, StatedNoticePreference)
    return [NoticesUnmuted(preference_id=state.id, member_id=state.member_id, kind=command.kind)]


@notice_preference.already
def is_muted_so(state: StatedNoticePreference, command: MuteNotices) -> bool:
    return _muted(state, command.kind) == MutedKind(kind=command.kind, until=command.until)


@notice_preference.evolves
def muted(state: NoPreference | StatedNoticePreference, event: NoticesMuted) -> StatedNoticePreference:
    others = _others(state, event.kind)
    kind = MutedKind(kind=event.kind, until=event.until)
    return StatedNoticePreference(id=event.preference_id, member_id=event.member_id, muted=(*others, kind))


@notice_preference.evolves
def unmuted(state: StatedNoticePreference, event: NoticesUnmuted) -> StatedNoticePreference:
    return replace(state, muted=_others(state, event.kind))


def preference_of(member_id: UUID) -> UUID:
    """The id of a member's preference."""
    return uuid5(member_id, "notice-preference")


def member_of(actor: Actor) -> UUID:
    """Who somebody is in the organisation. Raises Rejected for whoever is no member: nothing is sent to them."""
    if actor.member is None:
        raise Rejected("not-a-member", "You are no member of the organisation, so nothing is sent to you.")
    return actor.member


def is_muted(state: NoPreference | StatedNoticePreference, kind: str, today: date) -> bool:
    """Whether a kind of notice is muted on a day."""
    found = _muted(state, kind)
    return found is not None and (found.until is None or today <= found.until)


def _muted(state: NoPreference | StatedNoticePreference, kind: str) -> MutedKind | None:
    known = state.muted if isinstance(state, StatedNoticePreference) else ()
    return next((each for each in known if each.kind == kind), None)


def _others(state: NoPreference | StatedNoticePreference, kind: str) -> tuple[MutedKind, ...]:
    known = state.muted if isinstance(state, StatedNoticePreference) else ()
    return tuple(each for each in known if each.kind != kind)
