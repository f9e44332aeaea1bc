"""What came of what a service does by itself: reactions to events, and timers. Told as events, like everything else.

Each service that reacts, or has timers, tells it in its own topic: `contracts.reaction-refused` is told in
`contracts.follow-up.v1`. A follow-up has a stream of its own, whose id derives from what caused it, so that it is told
once however often it is gone through.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from shared.events.approvals import APPROVING, approval_events
from shared.events.contracts.contract import ContractActivated, ContractSigned
from shared.events.deals.deal import (
    DealAbandoned,
    DealHandedOver,
    DealLost,
    DealMoved,
    DealNextStepPlanned,
    DealNodeCompleted,
    DealRenamed,
    DealReopened,
    DealWon,
)
from shared.events.deals.deal_approval import DealSubmissionApproved
from shared.events.deals.deal_automation import DealReadyToMoveOn, DealRuleFired
from shared.events.deals.deal_edit import DealAccountChanged, DealQuoteAccepted, DealQuoteSetAside
from shared.events.deals.deal_help import DealGuidanceGiven, DealHelpAsked, DealHelpConcluded
from shared.events.deals.deal_migration import DealMigrated
from shared.events.deals.deal_reminder import DealNextStepReminded
from shared.events.deals.process_migration import ProcessMigrationAdvanced, ProcessMigrationStarted
from shared.events.deals.quote import (
    QuoteAccepted,
    QuoteDealChanged,
    QuoteDeliveryAssessed,
    QuoteRecalled,
    QuoteReturned,
    QuoteSetAside,
    QuoteSubmitted,
    QuoteWithdrawn,
)
from shared.events.deals.stage_visit import StageVisitEnded, StageVisitRuleFired
from shared.events.deals.support_request import (
    SupportDelivered,
    SupportRequestOverdue,
    SupportRequestReturned,
    SupportRequestWithdrawn,
)
from shared.events.definition import event, value
from shared.events.forecast.measure import MeasureChanged, MeasureDone, MeasureDropped, MeasureOverdue
from shared.events.forecast.review import HealthReportSealed, ReviewHeld, ReviewMissed
from shared.events.leads.account import (
    AccountChanged,
    AccountFollowUpPlanned,
    AccountFollowUpReminded,
    AccountHandedOver,
    ContactErased,
)
from shared.events.leads.lead import (
    LeadActivityLogged,
    LeadAssigned,
    LeadCaptured,
    LeadConverted,
    LeadDisqualified,
    LeadErased,
    LeadFollowUpPlanned,
    LeadFollowUpReminded,
    LeadLeftUnassigned,
    LeadMarkedDuplicate,
)
from shared.events.leads.member import MemberLeft
from shared.events.receivables.ledger import InvoiceOverdue, ReceiptAllocated

FOLLOW_UP = "follow-up"
"""The aggregate of these events."""
LOGS = ("log", "journal")


@value
class Asked:
    """A command for an aggregate."""

    command: str
    aggregate: str
    aggregate_id: UUID


@value
class CarriedOut:
    """A command that a reaction gave and that was carried out."""

    reaction: str
    command: str
    aggregate: str
    aggregate_id: UUID
    version: int
    """Where the aggregate stood then. Nothing was recorded when it stood there before."""


@value
class Place:
    """How far a partition of a topic was read."""

    topic: str
    partition: int
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpEvents:
    """The event classes of one service."""

    answered: type[Any]
    refused: type[Any]
    parked: type[Any]
    begun: type[Any]
    timer_refused: type[Any]

    @property
    def of_reactions(self) -> tuple[type[Any], ...]:
        """Those that only a service which reacts tells."""
        return self.answered, self.refused, self.parked, self.begun

    @property
    def every(self) -> tuple[type[Any], ...]:
        """All of them."""
        return *self.of_reactions, self.timer_refused


CAUSE = {"event_id": UUID, "event_type": str}
REFUSAL = {"asked": Asked, "code": str, "message": str}


@lru_cache
def follow_up_events(service: str) -> FollowUpEvents:
    """The event classes of a service."""

    def define(name: str, about: str, **fields: Any) -> type[Any]:
        title = "".join(word.capitalize() for word in (service, *name.split("-")))
        made = type(title, (), {"__annotations__": fields, "__doc__": about, "__module__": __name__})
        return event(f"{service}.{name}", aggregate=FOLLOW_UP)(made)

    return FollowUpEvents(
        answered=define(
            "event-answered",
            "Everything that follows from an event in this service was carried out or refused; told once, and last.",
            **CAUSE,
            carried_out=tuple[CarriedOut, ...],
            refused=int,
        ),
        refused=define(
            "reaction-refused",
            "A rule refused a command that was to follow from an event. Nothing waits for it, and nobody tries again.",
            **CAUSE,
            reaction=str,
            ordinal=int,
            **REFUSAL,
        ),
        parked=define(
            "event-parked",
            "What follows from an event failed, or waits behind what failed; it is tried again, and answered then.",
            **CAUSE,
            error=str,
        ),
        begun=define(
            "reactions-begun",
            "A process began to react to events of these types, from these places on; what stands before was passed.",
            types=tuple[str, ...],
            passed=tuple[Place, ...],
        ),
        timer_refused=define(
            "timer-refused",
            "A rule refused the command of a deadline. It is not tried again.",
            timer=str,
            due=datetime,
            **REFUSAL,
        ),
    )


# -- who follows what -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """A service that answers events of a type: each, or those whose field `when` says something; of history only where
    it is `imported` too."""

    service: str
    when: str | None = None
    imported: bool = False


BY_DEALS = Follower(service="deals")
OF_WHAT_WAITS = Follower(service="deals", when="ends_what_waits", imported=True)
OF_AN_END = (
    Follower(service="contracts"),
    BY_DEALS,
    OF_WHAT_WAITS,
    Follower(service="forecast", when="ends_notices", imported=True),
)
OF_A_STEP = Follower(service="forecast", when="reminded_step", imported=True)
OF_A_FOLLOW_UP = Follower(service="forecast", when="reminded_follow_up", imported=True)
FOLLOWERS: dict[type[Any], tuple[Follower, ...]] = {
    LeadCaptured: (BY_DEALS,),
    LeadAssigned: (BY_DEALS, OF_A_FOLLOW_UP),
    LeadLeftUnassigned: (Follower(service="deals", when="team_id"),),
    LeadActivityLogged: (BY_DEALS,),
    LeadMarkedDuplicate: (BY_DEALS, OF_A_FOLLOW_UP),
    LeadFollowUpPlanned: (OF_A_FOLLOW_UP,),
    LeadFollowUpReminded: (Follower(service="forecast"),),
    LeadConverted: (BY_DEALS, OF_A_FOLLOW_UP),
    LeadDisqualified: (BY_DEALS, OF_A_FOLLOW_UP),
    LeadErased: (BY_DEALS, OF_A_FOLLOW_UP),
    AccountChanged: (Follower(service="forecast", when="reminded_follow_ups"),),
    AccountHandedOver: (OF_A_FOLLOW_UP,),
    AccountFollowUpPlanned: (OF_A_FOLLOW_UP,),
    AccountFollowUpReminded: (Follower(service="forecast"),),
    ContactErased: (BY_DEALS,),
    DealMoved: (
        OF_WHAT_WAITS,
        Follower(service="contracts", when="drafts_contract"),
        Follower(service="forecast", when="ends_notices"),
    ),
    DealMigrated: (
        Follower(service="contracts", when="drafts_contract"),
        Follower(service="forecast", when="ends_notices"),
    ),
    DealNodeCompleted: (OF_WHAT_WAITS,),
    DealWon: OF_AN_END,
    DealReopened: (Follower(service="contracts"),),
    DealLost: OF_AN_END,
    DealAbandoned: OF_AN_END,
    DealHandedOver: (BY_DEALS, OF_A_STEP),
    DealNextStepPlanned: (OF_A_STEP,),
    DealNextStepReminded: (Follower(service="forecast"),),
    DealRenamed: (BY_DEALS, Follower(service="forecast")),
    StageVisitRuleFired: (Follower(service="forecast", when="notify"),),
    StageVisitEnded: (Follower(service="forecast", when="ends_notices"),),
    ProcessMigrationStarted: (BY_DEALS,),
    ProcessMigrationAdvanced: (BY_DEALS,),
    DealAccountChanged: (BY_DEALS,),
    DealRuleFired: (Follower(service="deals", when="support_type"), Follower(service="forecast", when="notify")),
    DealReadyToMoveOn: (Follower(service="deals", when="by_itself"),),
    DealSubmissionApproved: (BY_DEALS,),
    QuoteAccepted: (BY_DEALS,),
    QuoteSetAside: (BY_DEALS,),
    QuoteSubmitted: (Follower(service="forecast", when="needs_assessment"),),
    **dict.fromkeys(
        (QuoteDeliveryAssessed, QuoteReturned, QuoteRecalled, QuoteWithdrawn, QuoteDealChanged),
        (Follower(service="forecast"),),
    ),
    **dict.fromkeys((DealQuoteAccepted, DealQuoteSetAside), (Follower(service="contracts"),)),
    DealHelpAsked: (Follower(service="forecast"),),
    DealGuidanceGiven: (Follower(service="forecast"),),
    DealHelpConcluded: (Follower(service="forecast"),),
    SupportRequestOverdue: (Follower(service="forecast"),),
    SupportDelivered: (Follower(service="forecast"),),
    SupportRequestReturned: (Follower(service="forecast"),),
    SupportRequestWithdrawn: (Follower(service="forecast"),),
    ContractSigned: (Follower(service="deals", when="deal_id"),),
    ContractActivated: (Follower(service="deals", when="deal_id"), Follower(service="receivables", imported=True)),
    **{
        event: (Follower(service="forecast"),)
        for service in APPROVING
        for event in approval_events(service).told_to_people
    },
    MemberLeft: (Follower(service="forecast", imported=True),),
    HealthReportSealed: (Follower(service="forecast"),),
    ReviewMissed: (Follower(service="forecast"),),
    MeasureOverdue: (Follower(service="forecast"),),
    **dict.fromkeys((MeasureChanged, MeasureDone, MeasureDropped), (Follower(service="forecast", when="was_overdue"),)),
    ReviewHeld: (Follower(service="forecast", when="was_missed"),),
    InvoiceOverdue: (Follower(service="forecast"),),
    ReceiptAllocated: (Follower(service="forecast", imported=True),),
}
"""What is answered by whom. That the services do so is a law (`tests/house/test_followers`)."""

FOLLOWING = tuple(dict.fromkeys(each.service for followers in FOLLOWERS.values() for each in followers))
TIMED = ("leads", "deals", "contracts", "receivables", "forecast")
"""The services whose aggregates have timers."""


def published(service: str) -> tuple[type[Any], ...]:
    """The event classes of a service that are told."""
    told = follow_up_events(service)
    of_timers = (told.timer_refused,) if service in TIMED else ()
    return (*(told.of_reactions if service in FOLLOWING else ()), *of_timers)


# -- whose streams ----------------------------------------------------------------------------------------------------


def of_event(service: str, event_id: UUID) -> UUID:
    """The stream of what follows from an event in a service."""
    return uuid5(event_id, f"{FOLLOW_UP} in {service}")


def of_timer(aggregate_id: UUID, name: str, generation: int) -> UUID:
    """The stream of a deadline."""
    return uuid5(aggregate_id, f"{FOLLOW_UP} of {name}/{generation}")


def of_reactions(service: str, log: str) -> UUID:
    """The stream that tells from where on a service reacts to its own log, or to its journal."""
    return uuid5(NAMESPACE_URL, f"urn:throughline:{service}:reactions-{log}")
