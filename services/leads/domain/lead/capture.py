"""How a lead comes in: captured once (LEAD-1), known again (LEAD-2), and handed out (LEAD-4)."""

from dataclasses import replace
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from services.leads.domain.assignment import BY_HAND, AssignmentDesk, handed_out
from services.leads.domain.contact_points import ContactPoints, Known, KnownUnder, normalised
from services.leads.domain.fields import Country, Domain, Email, Headcount, Phone, Word
from services.leads.domain.lead.reminding import reminded_follow_up
from services.leads.domain.lead.state import (
    Captured,
    ConvertedLead,
    DisqualifiedLead,
    DuplicateLead,
    NoLead,
    OpenLead,
    lead,
    same_fields,
)
from services.leads.domain.organisation.team import NamedMember
from shared.domain.aggregate import Decision
from shared.domain.context import Context
from shared.domain.fields import LongText, Name
from shared.domain.money import check_money
from shared.domain.references import AnyMemberId, AnyTeamId, TeamId
from shared.domain.rejection import Rejected, all_at_once
from shared.domain.roles import SELLING, Reach, Role, permission
from shared.domain.working_time.reminders import after_hand_over
from shared.events.definition import value
from shared.events.leads.lead import LeadAssigned, LeadCaptured, LeadLeftUnassigned, LeadMarkedDuplicate
from shared.events.money import Money

CAPTURING = permission(
    {
        Role.REP: Reach.ALL,
        Role.MANAGER: Reach.ALL,
        Role.SALES_DIRECTOR: Reach.ALL,
        Role.SALES_OPERATIONS: Reach.ALL,
        Role.MARKETING: Reach.ALL,
        Role.CUSTOMER_SERVICE: Reach.ALL,
    }
)
"""Whoever meets interest enters it; the queue says whose it becomes."""

ASSIGNING = permission({role: reach for role, reach in SELLING.items() if role is not Role.REP})
"""Those who hand out leads."""


@value
class CaptureLead:
    """Enter somebody's interest."""

    source: Word
    """Where the interest came from, like website, fair or referral."""
    person_name: Name | None = None
    email: Email | None = None
    """Kept in lower case; the key by which duplicates are known."""
    phone: Phone | None = None
    """Kept in E.164; a national number needs the country."""
    title: Name | None = None
    interest: LongText | None = None
    """What the person wants, in free text."""
    company_name: Name | None = None
    company_domain: Domain | None = None
    """A host or web address; the registrable domain is kept."""
    industry: Word | None = None
    company_size: Headcount | None = None
    """People employed."""
    country: Country | None = None
    """ISO 3166-1, two letters."""
    campaign: Word | None = None
    acquisition_cost: Money | None = None
    """What it cost to win the interest."""
    consent: bool = False
    """Whether the person agreed to be contacted."""
    team_id: TeamId | None = None
    """The team whose turn it is; default: the team of whoever enters the lead."""

    example: ClassVar[dict[str, object]] = {
        "source": "website",
        "person_name": "Ada Moreno",
        "email": "ada.moreno@northwind.example",
        "phone": "+49 30 901820",
        "title": "Head of production",
        "interest": "Wants to see the new line at work.",
        "company_name": "Northwind Tooling",
        "company_domain": "northwind.example",
        "industry": "manufacturing",
        "company_size": 420,
        "country": "DE",
        "campaign": "autumn-fair",
        "acquisition_cost": {"amount": "85.00", "currency": "EUR"},
        "consent": True,
    }


@value
class AssignLead:
    """Hand a lead to a member, or to whose turn it is in a team."""

    member_id: AnyMemberId | None = None
    """The new owner; the lead goes to the member's team."""
    team_id: AnyTeamId | None = None
    """Round-robin in this team; ignored when `member_id` is given."""

    example: ClassVar[dict[str, object]] = {"member_id": "0192f0c1-0000-7000-8000-000000000007"}


@lead.decides(allow=CAPTURING)
def capture(state: NoLead, command: CaptureLead, context: Context, known: KnownUnder, desk: AssignmentDesk) -> Decision:
    """Capture a lead: it gets an owner, stands in the public pool, or is a duplicate that points to its original.

    The first of two leads with one e-mail address is the original, however close together they come; people who share
    an address are told apart by their names.
    """
    captured = as_captured(command, context.company.currency)
    lead_id, others = context.aggregate_id, known.without(context.aggregate_id)
    happened = LeadCaptured(lead_id=lead_id, captured_at=context.now, **same_fields(captured))
    if repeated := others.named(captured.person_name):
        return [happened, duplicate_of(repeated[0], lead_id)]
    return [replace(happened, candidates=others.ids or None), *handed_out(lead_id, desk)]


@lead.decides(allow=ASSIGNING)
def assign(state: OpenLead, command: AssignLead, desk: AssignmentDesk, named_member: NamedMember) -> Decision:
    """Hand a lead to a member, or to whose turn it is in a team; it stays where it is when nobody there can take it."""
    if command.member_id is None:
        if command.team_id is None:
            raise Rejected("assignee-missing", "Name a member or a team.", field="member_id")
        happened = handed_out(state.id, desk)
        if desk.team_id is not None and isinstance(happened[0], LeadLeftUnassigned):
            raise Rejected("no-eligible-member", "Everybody of the team is on leave or carries enough leads.")
        return [_handed_on(state, each) if isinstance(each, LeadAssigned) else each for each in happened]
    if named_member.team is None:
        raise Rejected("unknown-member", "There is no such active member with a team.", field="member_id")
    by_hand = LeadAssigned(lead_id=state.id, team_id=named_member.team, member_id=command.member_id, rule=BY_HAND)
    return [_handed_on(state, by_hand)]


@lead.already
def is_captured(state: OpenLead | DuplicateLead | ConvertedLead | DisqualifiedLead, command: CaptureLead) -> bool:
    currency = command.acquisition_cost.currency if command.acquisition_cost else ""
    return state.captured == as_captured(command, currency)


@lead.already
def is_assigned(state: OpenLead, command: AssignLead) -> bool:
    if command.member_id is not None:
        return state.owner == command.member_id
    return state.owner is not None and command.team_id is not None and state.team == command.team_id


@lead.evolves
def came_in(state: NoLead, event: LeadCaptured) -> OpenLead:
    return OpenLead(
        id=event.lead_id,
        captured=Captured(**same_fields(event)),
        captured_at=event.captured_at,
        candidates=event.candidates or (),
    )


@lead.evolves
def is_known_again(state: OpenLead, event: LeadMarkedDuplicate) -> DuplicateLead:
    return DuplicateLead(
        id=state.id,
        captured=state.captured,
        captured_at=state.captured_at,
        original_id=event.original_id,
        original_kind=event.original_kind,
        owner=event.owner,
        team=event.team,
    )


@lead.evolves
def has_an_owner(state: OpenLead, event: LeadAssigned) -> OpenLead:
    before, now = (state.owner, state.team), (event.member_id, event.team_id)
    reminders = after_hand_over(state.reminders, before=before, now=now)
    return replace(state, owner=event.member_id, team=event.team_id, rule=event.rule, reminders=reminders)


@lead.evolves
def stands_in_the_pool(state: OpenLead, event: LeadLeftUnassigned) -> OpenLead:
    return replace(state, owner=None, team=event.team_id, rule=event.rule)


def _handed_on(state: OpenLead, event: LeadAssigned) -> LeadAssigned:
    """That a lead has another owner, and whose it was."""
    told = reminded_follow_up(state)
    return replace(event, owner_before=state.owner, team_before=state.team, reminded_follow_up=told)


def as_captured(said: Any, currency: str, *, leave_out: bool = False) -> Captured:
    """What a command says, in normal form. `Rejected` names every field that cannot be read, or they are left out."""

    def points_said() -> ContactPoints:
        return normalised(
            email=said.email,
            phone=said.phone,
            domain=said.company_domain,
            country=said.country,
            domain_field="company_domain",
            leave_out=leave_out,
        )

    def cost_said() -> Money | None:
        cost = said.acquisition_cost
        return check_money(cost, "acquisition_cost", currency=currency) if cost else None

    all_at_once(points_said, cost_said)
    points = points_said()
    return replace(
        Captured(**same_fields(said)),
        email=points.email,
        phone=points.phone,
        company_domain=points.domain,
        country=points.country,
        acquisition_cost=cost_said(),
    )


def duplicate_of(original: Known, lead_id: UUID, reminded: UUID | None = None) -> LeadMarkedDuplicate:
    """The fact that a lead repeats another lead or a contact (LEAD-2); and the follow-up of it that somebody was
    reminded of."""
    return LeadMarkedDuplicate(
        lead_id=lead_id,
        original_id=original.id,
        original_kind=original.kind,
        matched_on="email",
        score=Decimal(1),
        owner=original.owner,
        reminded_follow_up=reminded,
        team=original.team,
    )
