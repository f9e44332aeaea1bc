"""Whose turn it is in a team (LEAD-4)."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.leads.domain.assignment import (
    ASKERS_TEAM,
    GIVEN_TEAM,
    NO_TEAM,
    AssignmentDesk,
    Candidate,
    assignment_queue,
    chosen_team,
    handed_out,
    in_turn,
    queue_of,
)
from shared.domain.aggregate import Occurrence
from shared.events.leads.assignment_queue import TurnTaken
from shared.events.leads.lead import LeadAssigned, LeadLeftUnassigned
from tests.services.leads.known import HERE, NORTH, ROSA, SAM, SOUTH, TEA, after


def free(member_id: UUID) -> Candidate:
    return Candidate(member_id=member_id, capacity=3, open_leads=0)


def test_lead_4_the_team_that_is_named_comes_before_the_askers() -> None:
    assert chosen_team(SOUTH, NORTH) == (SOUTH, GIVEN_TEAM)
    assert chosen_team(None, NORTH) == (NORTH, ASKERS_TEAM)
    assert chosen_team(None, None) == (None, NO_TEAM)


def test_lead_4_the_first_after_the_last_one_is_next() -> None:
    team = [free(TEA), free(ROSA), free(SAM)]
    assert in_turn(team, None) == (ROSA, SAM, TEA)
    assert in_turn(team, ROSA) == (SAM, TEA, ROSA)
    assert in_turn(team, TEA) == (ROSA, SAM, TEA)


def test_lead_4_the_round_goes_on_when_whoever_was_last_has_left() -> None:
    assert in_turn([free(ROSA), free(TEA)], SAM) == (TEA, ROSA)


def test_lead_4_who_is_on_leave_is_skipped() -> None:
    away = Candidate(member_id=SAM, capacity=3, open_leads=0, on_leave=True)
    assert in_turn([free(ROSA), away, free(TEA)], ROSA) == (TEA, ROSA)


def test_lead_4_who_carries_enough_is_skipped() -> None:
    full = Candidate(member_id=SAM, capacity=3, open_leads=3)
    assert in_turn([free(ROSA), full, free(TEA)], ROSA) == (TEA, ROSA)


def test_lead_4_the_assignment_says_rule_and_candidates_and_the_turn_is_taken() -> None:
    desk = AssignmentDesk(rule=GIVEN_TEAM, team_id=SOUTH, candidates=(free(ROSA), free(SAM)), last=ROSA)
    assert handed_out(HERE, desk) == [
        LeadAssigned(lead_id=HERE, team_id=SOUTH, member_id=SAM, rule="given-team", candidates=(SAM, ROSA)),
        Occurrence(event=TurnTaken(team_id=SOUTH, member_id=SAM, lead_id=HERE), to=queue_of(SOUTH)),
    ]


@pytest.mark.parametrize(
    "candidates",
    [
        (),
        (Candidate(member_id=ROSA, capacity=3, open_leads=4),),
        (Candidate(member_id=ROSA, capacity=0, open_leads=0),),
        (Candidate(member_id=ROSA, capacity=3, open_leads=0, on_leave=True),),
    ],
)
def test_lead_4_where_nobody_is_eligible_the_lead_stands_in_the_pool(candidates: tuple[Candidate, ...]) -> None:
    desk = AssignmentDesk(rule=GIVEN_TEAM, team_id=SOUTH, candidates=candidates)
    assert handed_out(HERE, desk) == [LeadLeftUnassigned(lead_id=HERE, team_id=SOUTH, rule="given-team")]


def test_lead_4_without_a_team_the_lead_stands_in_the_pool() -> None:
    assert handed_out(HERE, AssignmentDesk(rule=NO_TEAM)) == [
        LeadLeftUnassigned(lead_id=HERE, team_id=None, rule="no-team")
    ]


def test_lead_4_the_queue_remembers_who_was_last() -> None:
    turns = [TurnTaken(team_id=SOUTH, member_id=member, lead_id=HERE) for member in (ROSA, SAM)]
    state = after(assignment_queue, *turns)
    assert (state.last, state.turns) == (SAM, 2)


@given(some.sets(some.uuids(), min_size=1, max_size=8), some.integers(min_value=1, max_value=40))
def test_lead_4_nobody_is_ever_two_turns_ahead(members: set[UUID], leads: int) -> None:
    team = [Candidate(member_id=member, capacity=1000, open_leads=0) for member in members]
    last: UUID | None = None
    turns = dict.fromkeys(members, 0)
    for _ in range(leads):
        last = in_turn(team, last)[0]
        turns[last] += 1
    assert max(turns.values()) - min(turns.values()) <= 1
