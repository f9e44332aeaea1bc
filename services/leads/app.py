"""What the leads service consists of."""

from services.leads import completeness_api, search_api
from services.leads.domain.account import account
from services.leads.domain.account.record import Keeper, Neighbours
from services.leads.domain.account.state import ActiveAccount
from services.leads.domain.assignment import AssignmentDesk, assignment_queue
from services.leads.domain.contact_points import KnownUnder
from services.leads.domain.forgetting import Traces
from services.leads.domain.lead import lead
from services.leads.domain.lead.closing import MatchedAccount
from services.leads.domain.organisation.member import ActiveMember, SubjectHolder, member
from services.leads.domain.organisation.team import ActiveTeam, HierarchyPlace, NamedMember, team
from services.leads.domain.policies import POLICIES
from services.leads.domain.reminders import OwnerToday, RemindedToday
from services.leads.projections.accounts import ACCOUNT_PROJECTION, ACCOUNTS, CONTACTS
from services.leads.projections.deals import KNOWN_DEALS
from services.leads.projections.leads import LEAD_PROJECTION, LEADS
from services.leads.projections.lookups import (
    assignment_desk,
    keeper,
    known_under,
    matched_account,
    named_member,
    neighbours,
    owner_today,
    place,
    reminded_today,
    subject_holder,
)
from services.leads.projections.people import MEMBERS, PEOPLE_PROJECTION, TEAMS
from services.leads.projections.traces import traces
from services.leads.resources import RESOURCES
from shared.commands.references import OnStream
from shared.eventstore.batching import UNHURRIED
from shared.service.definition import Service

SERVICE = Service(
    "leads",
    description="The sales organisation, leads from capture to conversion, and accounts with their contacts.",
    tags={
        "leads": "Interest that somebody showed, from its capture to its conversion.",
        "accounts": "Customers and prospects, with the people there.",
        "account-search": "Accounts, contacts and leads by words, also with slips of the pen.",
        "contacts": "The people at accounts.",
        "teams": "The sales organisation: teams in a hierarchy.",
        "members": "The people in the sales organisation.",
        "assignment-queues": "Whose turn it is in a team when a lead comes in.",
        "lead-policies": "The rules with numbers that leads are decided by, in versions.",
    },
    aggregates=(team, member, assignment_queue, lead, account),
    policies=POLICIES,
    resources=RESOURCES,
    journal_pace=UNHURRIED,  # of the deals only what an erasure of a person's traces asks for
    projections=(PEOPLE_PROJECTION, LEAD_PROJECTION, ACCOUNT_PROJECTION, KNOWN_DEALS),
    listings=(TEAMS, MEMBERS, LEADS, ACCOUNTS, CONTACTS),
    routes=(completeness_api.router, search_api.router),
    knows=(OnStream(team, ActiveTeam), OnStream(member, ActiveMember), OnStream(account, ActiveAccount)),
    provides={
        NamedMember: named_member,
        HierarchyPlace: place,
        SubjectHolder: subject_holder,
        KnownUnder: known_under,
        RemindedToday: reminded_today,
        OwnerToday: owner_today,
        AssignmentDesk: assignment_desk,
        MatchedAccount: matched_account,
        Neighbours: neighbours,
        Keeper: keeper,
        Traces: traces,
    },
)
