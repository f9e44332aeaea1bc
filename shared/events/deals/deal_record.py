"""Events of the record of a deal: what was told wrongly of it, and who takes part in deciding about it."""

from datetime import date
from uuid import UUID

from shared.events.chronology import Rank
from shared.events.deals.deal import ContentUsed
from shared.events.definition import AsKnown, FreeText, event
from shared.events.money import Money


@event("deals.deal-activity-corrected", aggregate="deal", rank=Rank.ACTIVITY)
class DealActivityCorrected:
    """An activity was not as it had been told, but like this (DEAL-6). What was told before is retracted along with
    it."""

    deal_id: UUID
    activity_id: UUID
    kind: str
    by: UUID | None = None
    on: date | None = None
    minutes: int | None = None
    cost: Money | None = None
    outcome: FreeText[str | None] = None
    automatic: bool = False
    contacts: tuple[UUID, ...] = ()
    """Who took part at the customer's."""
    members: tuple[UUID, ...] = ()
    """Who took part beside the one who did it."""
    content: ContentUsed | None = None
    """What was used of what is kept as content."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-activity-withdrawn", aggregate="deal", rank=Rank.ACTIVITY)
class DealActivityWithdrawn:
    """An activity had never been, or was none of this deal (DEAL-6). What was told of it is retracted along with it."""

    deal_id: UUID
    activity_id: UUID
    reason: FreeText[str | None] = None
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-contact-set", aggregate="deal", rank=Rank.CHANGE)
class DealContactSet:
    """A contact has this part in deciding about the deal, and stands like this to it (DEAL-5)."""

    deal_id: UUID
    contact_id: UUID
    role: str
    """economic-buyer, champion, influencer, user, blocker, legal or finance."""
    stance: str
    """supportive, neutral, opposed or unknown."""
    on: date | None = None
    """The company's day on which that was found out."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-contact-removed", aggregate="deal", rank=Rank.CHANGE)
class DealContactRemoved:
    """A contact has no part in deciding about the deal any more, or never had."""

    deal_id: UUID
    contact_id: UUID
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-buyer-stage-noted", aggregate="deal", rank=Rank.CHANGE)
class DealBuyerStageNoted:
    """The buyer stands here in their journey, whatever the stage of the deal is (PROC-7)."""

    deal_id: UUID
    before: AsKnown[str | None]
    buyer_stage: str
    """awareness, interest, evaluation, decision, use, repurchase or churn."""
    on: date
    """The company's day on which that was found out."""
    evidence: FreeText[str | None] = None
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-note-added", aggregate="deal", rank=Rank.CHANGE)
class DealNoteAdded:
    """Somebody noted something about the deal."""

    deal_id: UUID
    note_id: UUID
    by: UUID | None = None
    on: date | None = None
    """The company's day."""
    text: FreeText[str | None] = None
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-file-attached", aggregate="deal", rank=Rank.CHANGE)
class DealFileAttached:
    """A file that is kept elsewhere belongs to the deal. Its name and where it is may name somebody, so they stand
    beside the log."""

    deal_id: UUID
    file_id: UUID
    kind: str | None = None
    sha256: str | None = None
    by: UUID | None = None
    on: date | None = None
    """The company's day."""
    name: FreeText[str | None] = None
    reference: FreeText[str | None] = None
    """A link, or the id of a document."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-file-detached", aggregate="deal", rank=Rank.CHANGE)
class DealFileDetached:
    """A file does not belong to the deal any more."""

    deal_id: UUID
    file_id: UUID
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None
