"""What clients see of leads, accounts, teams and members: each state's published fields (`GET /v1/…/{id}`)."""

from datetime import date, datetime
from uuid import UUID

from services.leads.domain.account import account
from services.leads.domain.assignment import AssignmentRule, assignment_queue
from services.leads.domain.contact_points import KnownKind
from services.leads.domain.fields import ActivityKind
from services.leads.domain.lead import lead
from services.leads.domain.lead.closing import DisqualificationReason
from services.leads.domain.lead.nurturing import ActivityOutcome, Timeline
from services.leads.domain.organisation.member import Experience, member
from services.leads.domain.organisation.team import team
from shared.domain.fields import BuyingRole
from shared.domain.roles import Role
from shared.events.definition import value
from shared.events.money import Money
from shared.http.resources import Resource

# -- leads ------------------------------------------------------------------------------------------------------------


@value
class CapturedInterest:
    """What was said when the interest was shown, in normal form."""

    source: str
    person_name: str | None
    email: str | None
    phone: str | None
    title: str | None
    interest: str | None
    company_name: str | None
    company_domain: str | None
    industry: str | None
    company_size: int | None
    country: str | None
    campaign: str | None
    acquisition_cost: Money | None
    consent: bool


@value
class LeadQualification:
    """What is known; null is unknown."""

    need_stated: bool | None
    budget: Money | None
    decision_chain_known: bool | None
    timeline: Timeline | None
    intent_to_cooperate: bool | None


@value
class LeadActivity:
    """A call, mail, visit, meeting or demo."""

    id: UUID
    kind: ActivityKind
    by: UUID | None
    on: date | None
    minutes: int | None
    outcome: ActivityOutcome | None
    automatic: bool
    """Whether a system logged it on its own behalf."""
    note: str | None


@value
class Lead:
    """What is published of a lead, whatever its state."""

    captured: CapturedInterest
    captured_at: datetime | None
    owner: UUID | None
    team: UUID | None


@value
class OpenLead(Lead):
    """Somebody's, or the public pool's when nobody owns it."""

    rule: AssignmentRule | None
    """The rule that decided about the owner."""
    qualification: LeadQualification
    activities: tuple[LeadActivity, ...]
    follow_up: date | None
    follow_up_planned: bool
    """True once somebody said when the next follow-up is, or that there is none."""
    candidates: tuple[UUID, ...]
    """Leads and accounts of others who are known under the same e-mail address; they may be the same person."""


@value
class DuplicateLead(Lead):
    """Repeats another lead or a contact; those who see the original see it."""

    original_id: UUID
    original_kind: KnownKind
    erased: bool


@value
class ConvertedLead(Lead):
    """Became an account's contact, and maybe a deal."""

    qualification: LeadQualification
    activities: tuple[LeadActivity, ...]
    account_id: UUID
    contact_id: UUID
    deal_id: UUID | None
    deal_name: str | None
    amount: Money | None
    expected_close: date | None
    erased: bool
    assumptions: tuple[str, ...]
    """What had to be assumed: "order-of-day" of one that came to two ends on a day whose order nobody knows."""


@value
class DisqualifiedLead(Lead):
    """Not worth following."""

    qualification: LeadQualification
    activities: tuple[LeadActivity, ...]
    reason: DisqualificationReason
    note: str | None
    erased: bool
    assumptions: tuple[str, ...]
    """What had to be assumed: "order-of-day" of one that came to two ends on a day whose order nobody knows."""


@value
class ErasedLead(Lead):
    """Was open when its person was erased: there is nobody left to follow up."""


# -- accounts ---------------------------------------------------------------------------------------------------------


@value
class CompanyProfile:
    """What is known about the company."""

    name: str
    domain: str | None
    industry: str | None
    size: int | None
    country: str | None
    parent_id: UUID | None


@value
class AccountContact:
    """A person at the account; once erased, only the role in buying is left."""

    id: UUID
    buying_role: BuyingRole | None
    name: str | None
    email: str | None
    phone: str | None
    title: str | None
    erased: bool
    candidates: tuple[UUID, ...]
    """Leads and accounts of others who are known under the same e-mail address; they may be the same person."""


@value
class ActiveAccount:
    """A customer or prospect."""

    profile: CompanyProfile
    owner: UUID | None
    team: UUID | None
    lead_id: UUID | None
    """The lead that it came from."""
    contacts: tuple[AccountContact, ...]
    follow_up: date | None
    follow_up_kind: ActivityKind | None
    """What is to be done; null: it is not said."""
    follow_up_planned: bool
    """True once somebody said when the next follow-up is, or that there is none."""


# -- the organisation -------------------------------------------------------------------------------------------------


@value
class ActiveTeam:
    """At work."""

    name: str
    parent_id: UUID | None
    """The team above; none of a team at the top."""
    manager: UUID | None


@value
class LeaveDays:
    """Days away, both included."""

    start: date
    end: date


@value
class Member:
    """What is published of a member, whatever the state."""

    subject: str
    """The subject of the person's bearer tokens."""
    name: str
    role: Role
    team: UUID | None
    leaves: tuple[LeaveDays, ...]
    assumptions: tuple[str, ...]
    """What had to be assumed: "order-of-day" of one who came to two teams on a day whose order nobody knows."""


@value
class ActiveMember(Member):
    """In the organisation."""

    department: str
    experience: Experience
    capacity: int
    """Open leads that the person can carry; 0 for somebody who gets none."""
    since: date | None
    """The day on which they joined, or came to their team."""


@value
class FormerMember(Member):
    """Left."""

    left_on: date


@value
class RunningAssignmentQueue:
    """Where the round of a team stands."""

    team_id: UUID
    last: UUID
    """The member who had the last turn."""
    turns: int


RESOURCES = (
    Resource(lead, OpenLead, DuplicateLead, ConvertedLead, DisqualifiedLead, ErasedLead),
    Resource(account, ActiveAccount),
    Resource(team, ActiveTeam),
    Resource(member, ActiveMember, FormerMember),
    Resource(assignment_queue, RunningAssignmentQueue),
)
