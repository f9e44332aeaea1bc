"""What happens in the organisation, to leads and to accounts. Owner: the leads service."""

from datetime import date, datetime
from uuid import UUID

from shared.domain.money import Money
from shared.events.chronology import Rank
from shared.events.definition import AsKnown, Exact, Personal, event

# -- the sales organisation (ORG-1) ---------------------------------------------------------------------------------


@event("leads.team-formed", aggregate="team", rank=Rank.OPENING)
class TeamFormed:
    """A team came into being, below another one or at the top."""

    team_id: UUID
    name: str
    parent_id: UUID | None = None


@event("leads.team-changed", aggregate="team", rank=Rank.CHANGE)
class TeamChanged:
    """A team is called this and stands below that one from now on, or at the top."""

    team_id: UUID
    name: str
    parent_id: UUID | None = None


@event("leads.manager-appointed", aggregate="team", rank=Rank.CHANGE)
class ManagerAppointed:
    """A member leads a team from now on, and sees what belongs to it and to the teams below."""

    team_id: UUID
    member_id: UUID
    before: AsKnown[UUID | None] = None


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


@event("leads.member-left", aggregate="member", rank=Rank.END)
class MemberLeft:
    """A member left the organisation."""

    member_id: UUID
    on: date


@event("leads.turn-taken", aggregate="assignment-queue")
class TurnTaken:
    """A member of a team was given a lead; the next one is somebody else's turn (LEAD-4)."""

    team_id: UUID
    member_id: UUID
    lead_id: UUID


# -- leads ----------------------------------------------------------------------------------------------------------


@event("leads.lead-captured", aggregate="lead", person="lead_id", rank=Rank.OPENING)
class LeadCaptured:
    """Somebody showed interest (LEAD-1)."""

    lead_id: UUID
    source: str
    person_name: Personal[str] = None
    email: Personal[str] = None
    phone: Personal[str] = None
    title: Personal[str] = None
    interest: Personal[str] = None
    company_name: str | None = None
    company_domain: str | None = None
    industry: str | None = None
    company_size: int | None = None
    country: str | None = None
    campaign: str | None = None
    acquisition_cost: Money | None = None
    consent: bool = False
    captured_at: datetime | None = None
    """When the interest was shown; a conversion repeats it, so that cycles are measured from it."""
    candidates: Personal[tuple[UUID, ...]] = None
    """Leads and accounts where others are known under the same e-mail address, who may be the same person (LEAD-2)."""


@event("leads.lead-marked-duplicate", aggregate="lead", rank=Rank.CHANGE)
class LeadMarkedDuplicate:
    """The lead repeats another lead, or a contact of an account; the original goes on (LEAD-2)."""

    lead_id: UUID
    original_id: UUID
    original_kind: str
    """lead or account."""
    matched_on: str
    """The key that matched: email."""
    score: Exact
    owner: UUID | None = None
    """Who has the original, and so sees the duplicate too; as known when this was recorded."""
    team: AsKnown[UUID | None] = None


@event("leads.lead-assigned", aggregate="lead", rank=Rank.CHANGE)
class LeadAssigned:
    """The lead has an owner; `rule` says which rule decided, `candidates` whose turns were considered (LEAD-4)."""

    lead_id: UUID
    team_id: UUID
    member_id: UUID
    rule: str
    candidates: tuple[UUID, ...] = ()


@event("leads.lead-left-unassigned", aggregate="lead", rank=Rank.CHANGE)
class LeadLeftUnassigned:
    """Nobody was eligible: the lead stands in the public pool (LEAD-4)."""

    lead_id: UUID
    team_id: UUID | None
    rule: str


@event("leads.lead-activity-logged", aggregate="lead", person="lead_id", rank=Rank.ACTIVITY)
class LeadActivityLogged:
    """Somebody called, wrote to, visited or met the lead (LEAD-7)."""

    lead_id: UUID
    activity_id: UUID
    kind: str
    """call, email, visit, meeting or demo."""
    by: UUID | None = None
    on: date | None = None
    minutes: int | None = None
    outcome: str | None = None
    note: Personal[str] = None


@event("leads.lead-follow-up-planned", aggregate="lead", rank=Rank.CHANGE)
class LeadFollowUpPlanned:
    """When the lead is to be followed up next; None says explicitly that it is not."""

    lead_id: UUID
    on: date | None


@event("leads.lead-qualification-noted", aggregate="lead", rank=Rank.CHANGE)
class LeadQualificationNoted:
    """What is known about need, budget, decision chain, timeline and intent; None is unknown (LEAD-7)."""

    lead_id: UUID
    need_stated: bool | None = None
    budget: Money | None = None
    decision_chain_known: bool | None = None
    timeline: str | None = None
    intent_to_cooperate: bool | None = None


@event("leads.lead-converted", aggregate="lead", rank=Rank.END)
class LeadConverted:
    """The lead became an account, a contact and, when `deal_id` is set, a deal (LEAD-8)."""

    lead_id: UUID
    account_id: UUID
    contact_id: UUID
    captured_at: AsKnown[datetime]
    source: AsKnown[str]
    owner: AsKnown[UUID | None]
    team: AsKnown[UUID | None]
    deal_id: UUID | None = None
    deal_name: str | None = None
    amount: Money | None = None
    expected_close: date | None = None
    industry: AsKnown[str | None] = None


@event("leads.lead-disqualified", aggregate="lead", person="lead_id", rank=Rank.END)
class LeadDisqualified:
    """The lead is not worth following (LEAD-8)."""

    lead_id: UUID
    reason: str
    note: Personal[str] = None


@event("leads.lead-erased", aggregate="lead", erases="lead_id", rank=Rank.END)
class LeadErased:
    """The personal data of the lead's person are gone; figures stay (DATA-4)."""

    lead_id: UUID


# -- accounts (ACCT-1) ----------------------------------------------------------------------------------------------


@event("leads.account-opened", aggregate="account", rank=Rank.OPENING)
class AccountOpened:
    """A customer or prospect company is known."""

    account_id: UUID
    name: str
    domain: str | None = None
    industry: str | None = None
    size: int | None = None
    country: str | None = None
    parent_id: UUID | None = None
    owner: UUID | None = None
    team: UUID | None = None
    lead_id: UUID | None = None
    said: tuple[str, ...] | None = None
    """The fields that a line of history states; the others stay as they were. None: all are stated."""


@event("leads.account-changed", aggregate="account", rank=Rank.CHANGE)
class AccountChanged:
    """The profile of an account is now this; fields are the new values, all of them but for what is not `said`."""

    account_id: UUID
    name: str
    domain: str | None = None
    industry: str | None = None
    size: int | None = None
    country: str | None = None
    parent_id: UUID | None = None
    lead_id: UUID | None = None
    """The lead that it came from, where that is told later; None: as it was."""
    said: tuple[str, ...] | None = None
    """The fields that a line of history states; the others stay as they were. None: all are stated."""


@event("leads.account-handed-over", aggregate="account", rank=Rank.CHANGE)
class AccountHandedOver:
    """Another member or team keeps the account from now on."""

    account_id: UUID
    owner: UUID | None = None
    team: UUID | None = None
    said: tuple[str, ...] | None = None
    """The fields that a line of history states; the others stay as they were. None: all are stated."""


@event("leads.contact-added", aggregate="account", person="contact_id", rank=Rank.CHANGE)
class ContactAdded:
    """A person at the account, with their role in buying."""

    account_id: UUID
    contact_id: UUID
    buying_role: str | None = None
    """economic-buyer, champion, influencer, user, blocker, legal or finance."""
    name: Personal[str] = None
    email: Personal[str] = None
    phone: Personal[str] = None
    title: Personal[str] = None
    candidates: Personal[tuple[UUID, ...]] = None
    """Leads and accounts where others are known under the same e-mail address, who may be the same person (LEAD-2)."""


@event("leads.contact-erased", aggregate="account", erases="contact_id", rank=Rank.CHANGE)
class ContactErased:
    """The personal data of a contact are gone (DATA-4)."""

    account_id: UUID
    contact_id: UUID


# -- taking back (DATA-5) ---------------------------------------------------------------------------------------------


@event("leads.team-fact-retracted", aggregate="team", rank=Rank.CHANGE, retracts=True)
class TeamFactRetracted:
    """What a request told of a team is taken back; what had been corrected by it counts again (DATA-5)."""

    team_id: UUID
    request: UUID
    """The causation id of the events that count no longer."""


@event("leads.member-fact-retracted", aggregate="member", rank=Rank.CHANGE, retracts=True)
class MemberFactRetracted:
    """What a request told of a member is taken back; what had been corrected by it counts again (DATA-5)."""

    member_id: UUID
    request: UUID
    """The causation id of the events that count no longer."""


@event("leads.lead-fact-retracted", aggregate="lead", rank=Rank.CHANGE, retracts=True)
class LeadFactRetracted:
    """What a request told of a lead is taken back; what had been corrected by it counts again (DATA-5)."""

    lead_id: UUID
    request: UUID
    """The causation id of the events that count no longer."""


@event("leads.account-fact-retracted", aggregate="account", rank=Rank.CHANGE, retracts=True)
class AccountFactRetracted:
    """What a request told of an account is taken back; what had been corrected by it counts again (DATA-5)."""

    account_id: UUID
    request: UUID
    """The causation id of the events that count no longer."""
