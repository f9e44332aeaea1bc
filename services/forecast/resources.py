"""What clients see of notices, of why, and of where they are sent: each state's published fields (`GET /v1/…/{id}`)."""

from datetime import date, datetime
from uuid import UUID

from services.forecast.domain.address import notice_address
from services.forecast.domain.endpoint import webhook_endpoint
from services.forecast.domain.measure import measure
from services.forecast.domain.notice import NoticeKind, notice
from services.forecast.domain.occasion import occasion
from services.forecast.domain.preference import notice_preference
from services.forecast.domain.review import review
from shared.events.definition import Exact, value
from shared.events.forecast.notice import About
from shared.events.forecast.policy import MetricName
from shared.events.forecast.review import HealthReport, ReviewKind
from shared.events.money import Money
from shared.http.resources import Resource

# -- notices ----------------------------------------------------------------------------------------------------------


@value
class Notice:
    """What is published of a notice, whatever its state."""

    kind: NoticeKind
    about: About
    member_id: UUID
    """Whose notice it is."""
    muted: bool
    """Whether its recipient had muted the kind when it was raised: then it was not sent."""
    account_id: UUID | None
    amount: Money | None
    due: date | None
    reference: str | None
    """How people call what it is about, like the invoice's number."""


@value
class UnreadNotice(Notice):
    """Its recipient has not read it."""


@value
class ReadNotice(Notice):
    """Its recipient has read it."""


@value
class AcknowledgedNotice(Notice):
    """Its recipient has taken it on."""


@value
class SettledNotice(Notice):
    """It waits for nobody any more: the invoice is paid, the contract decided."""


# -- occasions --------------------------------------------------------------------------------------------------------


@value
class OpenOccasion:
    """Something needs attention, and these notices say so."""

    notices: tuple[UUID, ...]


@value
class PassedOccasion:
    """It needs nobody's attention any more."""


# -- preferences ------------------------------------------------------------------------------------------------------


@value
class MutedKind:
    """A kind of notice that is muted."""

    kind: NoticeKind
    until: date | None
    """The last day on which it is; null: until it is unmuted."""


@value
class StatedNoticePreference:
    """What a member has muted."""

    member_id: UUID
    muted: tuple[MutedKind, ...]


# -- what goes outside ------------------------------------------------------------------------------------------------


@value
class NoticeAddress:
    """What is published of a notice address, whatever its state."""

    member_id: UUID


@value
class StandingNoticeAddress(NoticeAddress):
    """What is published of one that was not removed."""

    email: str | None
    """Null once it was erased."""
    language: str | None
    """In which language they are written (BCP 47); null: the company's."""


@value
class UnconfirmedNoticeAddress(StandingNoticeAddress):
    """Nothing is sent there but the code by which its owner confirms it."""


@value
class ConfirmedNoticeAddress(StandingNoticeAddress):
    """Notices are sent there."""


@value
class RemovedNoticeAddress(NoticeAddress):
    """Nothing is sent any more."""


@value
class WebhookEndpoint:
    """What is published of an endpoint, whatever its state."""

    url: str
    kind: NoticeKind | None
    """Which kind of notices it is called for; null: all of them."""
    rotation: int
    """How often its secret was exchanged."""
    both_until: datetime | None
    """Until when the secret before signs along."""


@value
class ActiveWebhookEndpoint(WebhookEndpoint):
    """It is called."""


@value
class PausedWebhookEndpoint(WebhookEndpoint):
    """It is not called for now; what is to be sent waits."""


@value
class RemovedWebhookEndpoint(WebhookEndpoint):
    """It is called no more."""


# -- reviews ----------------------------------------------------------------------------------------------------------


@value
class Review:
    """What is published of a review, whatever its state."""

    kind: ReviewKind
    period: str
    """A month, quarter or half of a fiscal year: 2026-03, 2026-Q1, 2026-H1."""
    first: date
    last: date
    due: date
    """The day up to which it is to be: of a report the day after the period."""


@value
class AwaitedReview(Review):
    """A report that is not sealed yet."""


@value
class SealedReview(Review):
    """A report that is sealed: what becomes known later does not change it."""

    report: HealthReport


@value
class DueReview(Review):
    """A talk that was not held yet."""


@value
class MissedReview(Review):
    """A talk that was not held up to its day."""


@value
class HeldReview(Review):
    """A talk that was held."""

    on: date
    participants: tuple[UUID, ...]
    was_missed: bool
    """Whether it had been missed before."""
    findings: str | None


# -- measures ---------------------------------------------------------------------------------------------------------


@value
class Measure:
    """What is published of a measure, whatever its state."""

    responsible: UUID
    due: date
    figure: MetricName
    """Which figure of the reports it is to move."""
    taken_on: date
    is_overdue: bool
    wanted: Exact | None
    """What the figure is to come to, in its unit."""
    review_id: UUID | None
    """The review that it follows from."""
    what: str | None


@value
class OpenMeasure(Measure):
    """It is to be done."""


@value
class DoneMeasure(Measure):
    """It was done."""

    done_on: date
    process_id: UUID | None
    """The process that was changed by it."""
    process_version: int | None
    """The version in which it was."""


@value
class DroppedMeasure(Measure):
    """It is not to be done any more."""

    reason: str | None


RESOURCES = (
    Resource(notice, UnreadNotice, ReadNotice, AcknowledgedNotice, SettledNotice),
    Resource(occasion, OpenOccasion, PassedOccasion),
    Resource(notice_preference, StatedNoticePreference),
    Resource(notice_address, UnconfirmedNoticeAddress, ConfirmedNoticeAddress, RemovedNoticeAddress),
    Resource(webhook_endpoint, ActiveWebhookEndpoint, PausedWebhookEndpoint, RemovedWebhookEndpoint),
    Resource(review, AwaitedReview, SealedReview, DueReview, MissedReview, HeldReview),
    Resource(measure, OpenMeasure, DoneMeasure, DroppedMeasure),
)
