"""Teams and members (ORG-1)."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from services.leads.domain.organisation.leave import GoOnLeave, ImportMemberLeave
from services.leads.domain.organisation.member import (
    ActiveMember,
    FormerMember,
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
    team,
)
from shared.domain.aggregate import Claim
from shared.domain.context import Moment
from shared.domain.roles import Role
from shared.events.leads.member import MemberChanged, MemberLeft, MemberMoved, MemberWentOnLeave
from shared.events.leads.team import ManagerAppointed, TeamChanged, TeamFormed
from shared.testing.scenario import CONTEXT, NOW, scenario
from tests.services.leads.known import HERE, NORTH, OTHER, ROSA, SOUTH, TODAY, after, formed, joined

# -- teams ----------------------------------------------------------------------------------------------------------

new_team = scenario(team)


def test_org_1_a_team_is_formed_at_the_top() -> None:
    new_team.when(FormTeam(name="South")).then(formed)


def test_org_1_a_team_is_formed_below_another() -> None:
    new_team.when(FormTeam(name="South", parent_id=NORTH)).then(replace(formed, parent_id=NORTH))


def test_org_1_forming_the_same_team_again_records_nothing() -> None:
    new_team.given(formed).when(FormTeam(name="South")).then()


def test_org_1_a_team_that_exists_cannot_be_formed_otherwise() -> None:
    new_team.given(formed).when(FormTeam(name="North")).then_rejected("not-in-this-state")


somebody = scenario(team).given(formed)
led_by_rosa = ManagerAppointed(team_id=HERE, member_id=ROSA)


def test_org_1_a_member_is_put_at_the_head_of_a_team() -> None:
    somebody.when(AppointManager(member_id=ROSA)).then(led_by_rosa)


def test_org_1_a_new_manager_takes_the_place_of_the_old_one() -> None:
    outcome = somebody.given(led_by_rosa).when(AppointManager(member_id=OTHER))
    outcome.then(ManagerAppointed(team_id=HERE, member_id=OTHER, before=ROSA))


def test_org_1_appointing_the_manager_again_records_nothing() -> None:
    somebody.given(led_by_rosa).when(AppointManager(member_id=ROSA)).then()


def test_org_1_a_team_that_was_never_formed_has_no_manager() -> None:
    new_team.when(AppointManager(member_id=ROSA)).then_rejected("does-not-exist")


# -- members --------------------------------------------------------------------------------------------------------

newcomer = scenario(member).knowing(holder=SubjectHolder())
rosa_joins = JoinMember(subject="rosa.diaz", name="Rosa Diaz", role=Role.REP, team_id=SOUTH)
away = MemberWentOnLeave(member_id=HERE, start=date(2026, 3, 20), end=date(2026, 3, 27))
gone = MemberLeft(member_id=HERE, on=TODAY)


def test_org_1_a_person_joins_a_team() -> None:
    newcomer.when(rosa_joins).then(replace(joined, on=TODAY))


def test_org_1_a_person_can_join_without_a_team() -> None:
    newcomer.when(replace(rosa_joins, team_id=None)).then(replace(joined, team_id=None, on=TODAY))


def test_org_1_two_members_do_not_sign_in_as_one() -> None:
    taken = scenario(member).knowing(holder=SubjectHolder(member_id=OTHER))
    taken.when(rosa_joins).then_rejected("subject-taken")


def test_nobody_signs_in_as_a_service() -> None:
    """It would stand in histories as if a service had done it, and what an import told by them would not be its own."""
    newcomer.when(replace(rosa_joins, subject="service:deals")).then_rejected("reserved-subject")


def test_org_1_an_active_member_holds_their_subject_and_a_former_one_does_not() -> None:
    assert member.claims_of(after(member, joined)) == {Claim(kind="subject", key="rosa.diaz")}
    assert member.claims_of(after(member, joined, gone)) == set()


def test_org_1_joining_again_with_the_same_content_records_nothing() -> None:
    newcomer.given(joined).when(rosa_joins).then()


def test_org_1_joining_again_with_other_content_is_refused() -> None:
    newcomer.given(joined).when(replace(rosa_joins, capacity=10)).then_rejected("not-in-this-state")


def test_org_1_a_member_moves_to_another_team() -> None:
    outcome = newcomer.given(joined).when(MoveMember(team_id=NORTH))
    outcome.then(MemberMoved(member_id=HERE, before=SOUTH, team_id=NORTH, on=TODAY))
    assert outcome.state.team == NORTH


def test_org_1_moving_to_where_one_is_records_nothing() -> None:
    newcomer.given(joined).when(MoveMember(team_id=SOUTH)).then()


def test_org_1_everybody_is_their_own_owner_so_that_they_may_enter_their_leave() -> None:
    state = after(member, joined)
    assert isinstance(state, ActiveMember)
    assert (state.owner, state.team) == (HERE, SOUTH)


def test_org_1_a_member_leaves() -> None:
    outcome = newcomer.given(joined).when(LeaveOrganisation(on=TODAY))
    outcome.then(gone)
    assert isinstance(outcome.state, FormerMember)


def test_org_1_a_departure_of_last_week_happened_then() -> None:
    outcome = newcomer.given(joined).when(LeaveOrganisation(on=TODAY - timedelta(days=7)))
    (fact,) = outcome.facts
    assert fact.at is not None
    assert fact.at.at < NOW


def test_org_1_nobody_has_left_before_they_joined_or_came_to_their_team() -> None:
    """A departure of a year ago, of somebody taken in today, made time run backwards for whoever reads the topics."""
    since = newcomer.given(replace(joined, on=TODAY - timedelta(days=9)))
    moved = MemberMoved(member_id=HERE, before=SOUTH, team_id=NORTH, on=TODAY - timedelta(days=2))
    for history, days in ((since, 9), (since.given(moved), 2)):
        early = history.when(LeaveOrganisation(on=TODAY - timedelta(days=days + 1))).then_rejected("before-it-began")
        assert early.rejected is not None
        assert early.rejected.reasons[0].field == "on"
        assert history.when(LeaveOrganisation(on=TODAY - timedelta(days=days))).rejected is None


def test_org_1_nobody_has_left_in_the_future() -> None:
    late = LeaveOrganisation(on=TODAY + timedelta(days=1))
    newcomer.given(joined).when(late).then_rejected("in-the-future")


def test_org_1_leaving_twice_records_nothing_and_on_another_day_is_refused() -> None:
    newcomer.given(joined, gone).when(LeaveOrganisation(on=TODAY)).then()
    other_day = LeaveOrganisation(on=TODAY - timedelta(days=1))
    newcomer.given(joined, gone).when(other_day).then_rejected("not-in-this-state")


def test_org_1_a_former_member_neither_moves_nor_goes_on_leave() -> None:
    left = newcomer.given(joined, gone)
    left.when(MoveMember(team_id=NORTH)).then_rejected("not-in-this-state")
    left.when(GoOnLeave(start=away.start, end=away.end)).then_rejected("not-in-this-state")


# -- history --------------------------------------------------------------------------------------------------------


def test_data_5_the_organisation_of_the_past_comes_in_dated() -> None:
    on = date(2025, 1, 7)
    outcome = scenario(team).knowing(place=HierarchyPlace()).when(ImportTeam(on=on, name="South"))
    outcome.then(TeamFormed(team_id=HERE, name="South"))
    assert outcome.facts[0].at is not None
    assert outcome.facts[0].at.at.date() == on
    scenario(team).given(formed).when(ImportTeamManager(on=on, member_id=ROSA)).then(led_by_rosa)
    history = scenario(member).knowing(holder=SubjectHolder())
    history.when(ImportMember(on=on, subject="rosa.diaz", name="Rosa Diaz", role=Role.REP, team_id=SOUTH)).then(
        replace(joined, said=("subject", "name", "role", "team_id"), on=on)
    )
    moved = MemberMoved(member_id=HERE, before=SOUTH, team_id=NORTH, on=on)
    history.given(joined).when(ImportMemberMove(on=on, team_id=NORTH)).then(moved)
    history.given(joined).when(ImportMemberLeave(on=on, start=away.start, end=away.end)).then(away)
    history.given(joined).when(ImportMemberDeparture(on=TODAY)).then(gone)


def test_data_5_an_instant_that_history_knows_is_kept() -> None:
    at = NOW - timedelta(days=400, hours=3)
    outcome = scenario(team).knowing(place=HierarchyPlace()).when(ImportTeam(on=at.date(), at=at, name="South"))
    assert outcome.facts[0].at == Moment(at)


def test_data_5_what_was_so_anyway_is_told_again_and_changes_nothing() -> None:
    on = date(2025, 1, 7)
    known = scenario(team).given(formed, led_by_rosa).knowing(place=HierarchyPlace())
    was = after(team, formed, led_by_rosa)
    assert known.when(ImportTeam(on=on, name="South")).state == was
    assert known.when(ImportTeamManager(on=on, member_id=ROSA)).state == was
    again = ImportMember(on=on, subject="rosa.diaz", name="Rosa Diaz", role=Role.REP, team_id=SOUTH)
    there = scenario(member).knowing(holder=SubjectHolder()).given(joined)
    assert there.when(again).state == after(member, joined)
    assert there.when(ImportMemberMove(on=on, team_id=SOUTH)).state == after(member, joined)
    there.given(gone).when(again).then()
    scenario(member).given(joined, away).when(ImportMemberLeave(on=on, start=away.start, end=away.end)).then()
    scenario(member).given(joined, gone).when(ImportMemberDeparture(on=TODAY)).then()


def test_org_1_a_team_of_history_does_not_stand_below_itself() -> None:
    below = scenario(team).given(formed).knowing(place=HierarchyPlace(circular=True))
    below.when(ImportTeam(on=date(2025, 1, 7), name="South", parent_id=NORTH)).then_rejected("circular-hierarchy")


def test_data_5_what_a_later_export_says_counts_from_its_day_on() -> None:
    on = date(2025, 1, 7)
    renamed = (
        scenario(team)
        .given(formed)
        .knowing(place=HierarchyPlace())
        .when(ImportTeam(on=on, name="Renamed", parent_id=NORTH))
    )
    renamed.then(TeamChanged(team_id=HERE, name="Renamed", parent_id=NORTH))
    assert (renamed.state.name, renamed.state.parent_id) == ("Renamed", NORTH)
    told = ImportMember(on=on, subject="rosa", name="Rosa D.", role=Role.MANAGER, team_id=NORTH, capacity=5)
    outcome = scenario(member).knowing(holder=SubjectHolder(member_id=HERE)).given(joined).when(told)
    assert [type(fact.event) for fact in outcome.facts] == [MemberMoved, MemberChanged]
    assert {fact.at for fact in outcome.facts} == {Moment(CONTEXT.company.end_of(on), by_day=True)}
    known = outcome.state
    assert (known.subject, known.name, known.role, known.team, known.capacity) == (
        "rosa",
        "Rosa D.",
        "manager",
        NORTH,
        5,
    )
    assert member.claims_of(known) == {Claim(kind="subject", key="rosa")}


def test_data_5_two_members_of_history_do_not_sign_in_as_one() -> None:
    taken = scenario(member).knowing(holder=SubjectHolder(member_id=UUID(int=98)))
    again = ImportMember(on=TODAY, subject="rosa.diaz", name="Rosa", role=Role.REP)
    taken.when(again).then_rejected("subject-taken")


def test_data_5_what_a_later_line_of_a_member_does_not_say_stays() -> None:
    senior = replace(joined, department="service", experience="senior", capacity=7)
    told = ImportMember(on=date(2025, 1, 7), subject="rosa.diaz", name="Rosa D.", role=Role.REP)
    outcome = scenario(member).knowing(holder=SubjectHolder(member_id=HERE)).given(senior).when(told)
    assert [type(fact.event) for fact in outcome.facts] == [MemberChanged]
    assert outcome.state == replace(after(member, senior), name="Rosa D.")
    # The same where the line that was told first turns out to be the later one.
    later = replace(joined, name="Rosa D.", team_id=None, said=("subject", "name", "role"))
    assert after(member, senior, later) == replace(after(member, senior), name="Rosa D.")
