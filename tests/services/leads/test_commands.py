"""What holds for every command of the service."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from pydantic import TypeAdapter

from services.leads.domain.account import account
from services.leads.domain.account.contacts import AddContact, EraseContact
from services.leads.domain.account.following_up import PlanAccountFollowUp, RemindOfAccountFollowUp
from services.leads.domain.account.history import ImportAccount, ImportAccountFollowUp, ImportContact
from services.leads.domain.account.record import ChangeAccount, Keeper, Neighbours, RegisterAccount
from services.leads.domain.assignment import AssignmentDesk, Candidate
from services.leads.domain.contact_points import KnownUnder
from services.leads.domain.forgetting import Traces
from services.leads.domain.lead import lead
from services.leads.domain.lead.capture import AssignLead, CaptureLead
from services.leads.domain.lead.closing import ConvertLead, DisqualifyLead, MatchedAccount
from services.leads.domain.lead.erasure import EraseLeadPerson
from services.leads.domain.lead.history import (
    ImportLead,
    ImportLeadActivity,
    ImportLeadConversion,
    ImportLeadDisqualification,
    ImportLeadFollowUp,
    ImportLeadQualification,
)
from services.leads.domain.lead.nurturing import LogLeadActivity, NoteLeadQualification, PlanLeadFollowUp
from services.leads.domain.lead.reminding import RemindOfFollowUp
from services.leads.domain.organisation.leave import CancelLeave, GoOnLeave, ImportMemberLeave, ShortenLeave
from services.leads.domain.organisation.member import (
    ImportMember,
    ImportMemberDeparture,
    ImportMemberMove,
    JoinMember,
    LeaveOrganisation,
    MoveMember,
    SubjectHolder,
    member,
)
from services.leads.domain.organisation.team import (
    AppointManager,
    FormTeam,
    HierarchyPlace,
    ImportTeam,
    ImportTeamManager,
    NamedMember,
    team,
)
from services.leads.domain.policies import FOLLOW_UPS, NURTURING_EXIT, WORKING_HOURS
from services.leads.projections.traces import contacts_of, lead_of
from shared.domain.aggregate import Aggregate
from shared.domain.policy import InForce
from shared.domain.retraction import RetractFacts
from shared.domain.roles import ONLY_SERVICES
from shared.events.leads.member import MemberWentOnLeave
from shared.testing.scenario import CONTEXT, Scenario, scenario
from tests.services.leads.known import (
    HERE,
    ROSA,
    SAM,
    SOUTH,
    ada,
    after,
    assigned,
    captured,
    formed,
    joined,
    opened,
    qualified,
)

christmas = MemberWentOnLeave(member_id=HERE, start=date(2026, 12, 21), end=date(2027, 1, 3))

HOME: dict[type, tuple[Aggregate, tuple[Any, ...]]] = {
    **dict.fromkeys((FormTeam, ImportTeam), (team, ())),
    **dict.fromkeys((AppointManager, ImportTeamManager), (team, (formed,))),
    **dict.fromkeys((JoinMember, ImportMember), (member, ())),
    **dict.fromkeys(
        (MoveMember, GoOnLeave, LeaveOrganisation, ImportMemberMove, ImportMemberLeave, ImportMemberDeparture),
        (member, (joined,)),
    ),
    **dict.fromkeys((ShortenLeave, CancelLeave), (member, (joined, christmas))),
    **dict.fromkeys((CaptureLead, ImportLead), (lead, ())),
    **dict.fromkeys(
        (
            AssignLead,
            LogLeadActivity,
            PlanLeadFollowUp,
            NoteLeadQualification,
            ConvertLead,
            DisqualifyLead,
            EraseLeadPerson,
            ImportLeadActivity,
            ImportLeadFollowUp,
            ImportLeadQualification,
            ImportLeadConversion,
            ImportLeadDisqualification,
            RemindOfFollowUp,
        ),
        (lead, (captured, assigned, qualified)),
    ),
    **dict.fromkeys((RegisterAccount, ImportAccount), (account, ())),
    **dict.fromkeys(
        (
            ChangeAccount,
            AddContact,
            EraseContact,
            PlanAccountFollowUp,
            RemindOfAccountFollowUp,
            ImportContact,
            ImportAccountFollowUp,
        ),
        (account, (opened, ada)),
    ),
}
"""Every command with the aggregate and history that it meets."""

ROUTED = sorted((command for command in HOME if hasattr(command, "example")), key=lambda command: command.__name__)

DESK = AssignmentDesk(
    rule="given-team",
    team_id=SOUTH,
    candidates=tuple(Candidate(member_id=one, capacity=30, open_leads=0) for one in (ROSA, SAM)),
)


def around(aggregate: Aggregate, command: Any, *history: Any) -> Scenario:
    """The command's circumstances when nothing stands in its way."""
    return (
        scenario(aggregate)
        .given(*history)
        .knowing(
            named_member=NamedMember(team=SOUTH),
            holder=SubjectHolder(),
            known=KnownUnder(),
            desk=replace(DESK, team_id=getattr(command, "team_id", None) or SOUTH),
            matched=MatchedAccount(),
            nurturing=InForce(default=NURTURING_EXIT.default_of(CONTEXT.company), on=CONTEXT.today),
            follow_ups=InForce(default=FOLLOW_UPS.default_of(CONTEXT.company), on=CONTEXT.today),
            hours=InForce(default=WORKING_HOURS.default_of(CONTEXT.company), on=CONTEXT.today),
            neighbours=Neighbours(),
            place=HierarchyPlace(),
            keeper=Keeper(member_id=getattr(command, "owner", None) or ROSA, team=SOUTH),
            traces=traces_of(after(aggregate, *history), command),
        )
    )


def traces_of(state: Any, command: Any) -> Traces:
    """All that somebody is whom a command has forgotten: nothing but this lead or contact."""
    if isinstance(command, EraseLeadPerson):
        return Traces(leads=(lead_of(state),))
    people = contacts_of(state) if isinstance(command, EraseContact) else []
    return Traces(contacts=tuple(contact for contact in people if contact.id == command.contact_id))


def test_every_command_is_covered_here() -> None:
    families = (team, member, lead, account)
    assert {*HOME, RetractFacts} == {command for family in families for command in family.handlers}


@pytest.mark.parametrize("command", ROUTED, ids=lambda command: command.__name__)
def test_api_1_the_example_of_a_command_is_one(command: Any) -> None:
    TypeAdapter(command).validate_json(TypeAdapter(dict).dump_json(command.example), strict=True)


@pytest.mark.parametrize("command", ROUTED, ids=lambda command: command.__name__)
def test_api_1_an_unknown_field_is_an_error(command: Any) -> None:
    with pytest.raises(ValueError, match="nonsense"):
        TypeAdapter(command).validate_python({**command.example, "nonsense": 1})


# What is no number comes past no edge.
some.register_type_strategy(Decimal, some.decimals(allow_nan=False, allow_infinity=False))


NATIVE = [command for command, (family, _) in HOME.items() if family.handlers[command][0].allow != ONLY_SERVICES]
"""What history tells is known again by its name, and not by what it says."""


@given(some.data())
@settings(max_examples=400)
def test_a_command_repeated_on_its_own_result_records_nothing_or_is_refused(data: some.DataObject) -> None:
    kind = data.draw(some.sampled_from(sorted(NATIVE, key=lambda command: command.__name__)))
    aggregate, history = HOME[kind]
    command = data.draw(some.from_type(kind))
    first = around(aggregate, command, *history).when(command)
    if first.rejected is not None:
        return
    own = [fact.event for fact in first.facts if fact.event.aggregate == aggregate.name]
    again = around(aggregate, command, *history, *own).when(command)
    assert again.rejected is not None or again.facts == ()


@pytest.mark.parametrize("command", ROUTED, ids=lambda command: command.__name__)
def test_the_example_of_a_command_repeated_records_nothing(command: Any) -> None:
    aggregate, history = HOME[command]
    asked = TypeAdapter(command).validate_json(TypeAdapter(dict).dump_json(command.example), strict=True)
    first = around(aggregate, asked, *history).when(asked)
    own = [fact.event for fact in first.facts if fact.event.aggregate == aggregate.name]
    again = around(aggregate, asked, *history, *own).when(asked)
    assert again.rejected is not None or again.facts == ()
