"""Capability URL: an address that shows a member's agenda to their calendar, which can send no token (DEAL-6).

There is one for each member, in a stream that derives from theirs. Its secret stands nowhere: it derives from the
deployment's secret, the link and the number of times that one was made, so that it can be shown to its owner again, and
is dead once another one was made or it was revoked.
"""

import base64
import hmac
from collections.abc import Callable
from typing import Annotated, Any, ClassVar
from uuid import UUID, uuid5

from shared.domain.aggregate import Aggregate, Decision, carried
from shared.domain.context import Actor, Context
from shared.domain.rejection import Rejected
from shared.domain.roles import Reach, Role, permission
from shared.events.deals.calendar_link import CalendarLinkMade, CalendarLinkRevoked
from shared.events.definition import value
from shared.events.references import Free

MAKING = permission(dict.fromkeys(Role, Reach.OWN))
"""Everybody their own."""
REVOKING = permission({**MAKING, Role.SALES_OPERATIONS: Reach.ALL})
"""Everybody their own, operations everybody's: of whoever has lost a device, and cannot sign in."""


@value
class NoCalendarLink:
    """None was ever made."""


@value
class CalendarLink:
    """What is known once one was made, whatever became of it."""

    id: UUID
    member_id: UUID
    generation: int

    @property
    def owner(self) -> UUID:
        """Whose it is."""
        return self.member_id


@value
class ActiveCalendarLink(CalendarLink):
    """It shows the agenda."""


@value
class RevokedCalendarLink(CalendarLink):
    """It shows nothing any more."""


AnyCalendarLink = NoCalendarLink | ActiveCalendarLink | RevokedCalendarLink

calendar_link = Aggregate("calendar-link", plural="calendar-links", start=NoCalendarLink, readers=REVOKING)


OwnerId = Annotated[UUID, Free("a member who has left, too: whether they have a link is looked up", thing="member")]


@value
class MakeCalendarLink:
    """Have an address for one's calendar; the one before it is dead."""

    example: ClassVar[dict[str, Any]] = {}


@value
class RevokeCalendarLink:
    """Have the address show nothing any more."""

    member_id: OwnerId | None = None
    """Whose; default: one's own. Operations may for everybody, also for those who have left."""

    example: ClassVar[dict[str, Any]] = {}


@calendar_link.decides(allow=MAKING, routed=False)
def make(state: AnyCalendarLink, command: MakeCalendarLink, context: Context) -> Decision:
    """Have an address for one's calendar. Where there was one, it is dead from now on."""
    before = 0 if isinstance(state, NoCalendarLink) else state.generation
    member_id = member_of(context.actor)
    return [CalendarLinkMade(link_id=context.aggregate_id, member_id=member_id, generation=before + 1)]


@calendar_link.decides(allow=REVOKING, routed=False)
def revoke(state: ActiveCalendarLink, command: RevokeCalendarLink) -> Decision:
    """Have the address show nothing any more."""
    return [CalendarLinkRevoked(link_id=state.id, member_id=state.member_id, generation=state.generation)]


@calendar_link.already
def is_revoked(state: RevokedCalendarLink, command: RevokeCalendarLink) -> bool:
    return True


@calendar_link.evolves
def made(state: AnyCalendarLink, event: CalendarLinkMade) -> ActiveCalendarLink:
    return ActiveCalendarLink(id=event.link_id, member_id=event.member_id, generation=event.generation)


@calendar_link.evolves
def has_been_revoked(state: ActiveCalendarLink, event: CalendarLinkRevoked) -> RevokedCalendarLink:
    return RevokedCalendarLink(**carried(state, CalendarLink))


def link_of(member_id: UUID) -> UUID:
    """The id of a member's link."""
    return uuid5(member_id, "calendar-link")


def member_of(actor: Actor) -> UUID:
    """Who somebody is in the organisation. Raises Rejected for whoever is no member: they have no agenda."""
    if actor.member is None:
        raise Rejected("not-a-member", "You are no member of the organisation, so you have no agenda.")
    return actor.member


def secret_of(keyed_hash: Callable[[str, str], bytes], link: CalendarLink) -> str:
    """The secret of a link, 256 bits of a hash (kind, key) under the deployment's secret: nothing has to be kept, and
    nobody can tell it without the secret."""
    found = keyed_hash("calendar-link", f"{link.id} {link.generation}")
    return base64.urlsafe_b64encode(found).decode().rstrip("=")


def opens(keyed_hash: Callable[[str, str], bytes], link: AnyCalendarLink, secret: str) -> bool:
    """Whether a secret is that of a link that shows something."""
    if not isinstance(link, ActiveCalendarLink):
        return False
    return hmac.compare_digest(secret_of(keyed_hash, link).encode(), secret.encode())
