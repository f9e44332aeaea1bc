"""Events of a member: the people who sell and manage, and where they belong."""

from datetime import date
from uuid import UUID

from shared.events.chronology import Rank
from shared.events.definition import AsKnown, event


@event("leads.member-joined", aggregate="member", rank=Rank.OPENING)
class MemberJoined:
    """A person joined the sales organisation."""

    member_id: UUID
    subject: str
    """The subject of the person's bearer tokens."""
    name: str
    role: str
    team_id: UUID | None = None
    department: str = "sales"
    experience: str = "experienced"
    """new, experienced or senior."""
    capacity: int = 30
    """Open leads that the person can carry."""
    said: tuple[str, ...] | None = None
    """The fields that a line of history states; the others stay as they were. None: all are stated."""
    on: date | None = None
    """The day of it."""


@event("leads.member-changed", aggregate="member", rank=Rank.CHANGE)
class MemberChanged:
    """What is known about a member is now this; fields are the new values, all of them but for what is not `said`."""

    member_id: UUID
    subject: str
    name: str
    role: str
    department: str
    experience: str
    """new, experienced or senior."""
    capacity: int
    said: tuple[str, ...] | None = None
    """The fields that a line of history states; the others stay as they were. None: all are stated."""


@event("leads.member-moved", aggregate="member", rank=Rank.MOVE, leads_to="team_id")
class MemberMoved:
    """A member changed to another team."""

    member_id: UUID
    before: AsKnown[UUID | None]
    team_id: UUID | None
    on: date | None = None
    """The day, where it is known."""


@event("leads.member-went-on-leave", aggregate="member", rank=Rank.CHANGE)
class MemberWentOnLeave:
    """A member is away from `start` to `end`, both included, and gets no leads meanwhile."""

    member_id: UUID
    start: date
    end: date


@event("leads.member-leave-shortened", aggregate="member", rank=Rank.CHANGE)
class MemberLeaveShortened:
    """Of a leave from `start` to `end` only the days up to `last_day` are taken, or none."""

    member_id: UUID
    start: date
    end: date
    """The last day of it before."""
    last_day: date | None
    """None: all of it is called off."""


@event("leads.member-left", aggregate="member", rank=Rank.END)
class MemberLeft:
    """A member left the organisation."""

    member_id: UUID
    on: date


@event("leads.member-fact-retracted", aggregate="member", rank=Rank.CHANGE, retracts=True)
class MemberFactRetracted:
    """What a request told of a member is taken back; what had been corrected by it counts again (DATA-5)."""

    member_id: UUID
    request: UUID
    """The causation id of the events that count no longer."""
