"""Events of a lead: from the first interest to a deal, or to none."""

from datetime import date, datetime
from uuid import UUID

from shared.events.chronology import Rank
from shared.events.definition import AsKnown, Exact, Personal, event, value
from shared.events.money import Money
from shared.events.reminders import PlannedReminder


@value
class ForgottenDeal:
    """A deal that somebody had to do with who was erased: its texts, which may name them, and its name (DATA-4)."""

    deal_id: UUID
    name: str | None = None
    """What it is called from now on, where its name held theirs; None: as before."""
    texts_kept: bool = False
    """Whether its texts stay, because they name nobody; otherwise they are deleted."""


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
    reminded_follow_up: AsKnown[UUID | None] = None
    """The follow-up that somebody was reminded of, and need not know of any longer."""
    team: AsKnown[UUID | None] = None


@event("leads.lead-assigned", aggregate="lead", rank=Rank.CHANGE)
class LeadAssigned:
    """The lead has an owner; `rule` says which rule decided, `candidates` whose turns were considered (LEAD-4)."""

    lead_id: UUID
    team_id: UUID
    member_id: UUID
    rule: str
    candidates: tuple[UUID, ...] = ()
    owner_before: AsKnown[UUID | None] = None
    team_before: AsKnown[UUID | None] = None
    reminded_follow_up: AsKnown[UUID | None] = None
    """The follow-up that somebody was reminded of while it was another one's."""


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
    automatic: bool = False
    """Whether a system logged it on its own behalf, for no member."""
    note: Personal[str] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("leads.lead-follow-up-planned", aggregate="lead", rank=Rank.CHANGE)
class LeadFollowUpPlanned:
    """When the lead is to be followed up next; None says explicitly that it is not."""

    lead_id: UUID
    on: date | None
    follow_up_id: UUID | None = None
    """By what its reminders are known; none where nobody is reminded."""
    reminders: tuple[PlannedReminder, ...] = ()
    """When whom is reminded; nothing of what lies in the past."""
    reminders_version: int | None = None
    """The version of the policy follow-ups that says so; 0 is the default. None: nothing is planned, or its day had
    passed when history told of it."""
    reminded_follow_up: AsKnown[UUID | None] = None
    """The follow-up before that somebody was reminded of, and need not know of any longer."""
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("leads.lead-follow-up-reminded", aggregate="lead", rank=Rank.CHANGE)
class LeadFollowUpReminded:
    """The follow-up is due and nothing else was planned: whoever has to know is reminded (DEAL-6)."""

    lead_id: UUID
    follow_up_id: UUID
    """The follow-up, as it was planned."""
    on: date
    """The day for which it was planned."""
    levels: tuple[str, ...]
    """owner, again (the owner once more) or manager (whoever leads the owner); several whose time came at once."""
    name: str = ""
    """What the lead's company is called, else its domain, else where the interest came from; never the person."""
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("leads.lead-qualification-noted", aggregate="lead", rank=Rank.CHANGE)
class LeadQualificationNoted:
    """What is known about need, budget, decision chain, timeline and intent; None is unknown (LEAD-7)."""

    lead_id: UUID
    need_stated: bool | None = None
    budget: Money | None = None
    decision_chain_known: bool | None = None
    timeline: str | None = None
    intent_to_cooperate: bool | None = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


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
    company_size: AsKnown[int | None] = None
    country: AsKnown[str | None] = None
    exit_version: int | None = None
    """The version of the policy nurturing-exit that it met; 0 is the default. None: it was not asked for."""
    reminded_follow_up: AsKnown[UUID | None] = None
    """The follow-up that somebody was reminded of, and need not know of any longer."""


@event("leads.lead-disqualified", aggregate="lead", person="lead_id", rank=Rank.END)
class LeadDisqualified:
    """The lead is not worth following (LEAD-8)."""

    lead_id: UUID
    reason: str
    note: Personal[str] = None
    reminded_follow_up: AsKnown[UUID | None] = None
    """The follow-up that somebody was reminded of, and need not know of any longer."""
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("leads.lead-erased", aggregate="lead", erases="lead_id", rank=Rank.END)
class LeadErased:
    """The personal data of the lead's person are gone; figures stay (DATA-4). Told again of deals found since."""

    lead_id: UUID
    deals: tuple[ForgottenDeal, ...] = ()
    """The deals that they had to do with, as far as no other event of the erasure tells them."""
    deal_name: str | None = None
    """The new name, in the lead, of the deal that it became, where the old one held theirs; None: as before."""
    reminded_follow_up: AsKnown[UUID | None] = None
    """The follow-up that somebody was reminded of, and need not know of any longer."""
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("leads.lead-fact-retracted", aggregate="lead", rank=Rank.CHANGE, retracts=True)
class LeadFactRetracted:
    """What a request told of a lead is taken back; what had been corrected by it counts again (DATA-5)."""

    lead_id: UUID
    request: UUID
    """The causation id of the events that count no longer."""
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None
