"""Grains count what the scope of a question covers, each thing once, whatever the grain (API-4, FC-1)."""

from dataclasses import replace
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.forecast.asking.question import NOBODY, Question
from services.forecast.counting.grains import ALL, at_grains, counts_at
from tests.services.forecast.test_changes import ALL as EVERYTHING

TEAMS = [UUID(int=number) for number in range(1, 5)]
PEOPLE = [UUID(int=number) for number in range(11, 15)]
THINGS = [(team, owner) for team in (None, *TEAMS) for owner in (None, *PEOPLE)]

teams = st.lists(st.sampled_from(TEAMS), unique=True).map(tuple)
questions = st.builds(
    lambda **scope: replace(EVERYTHING, **scope),
    sees_all=st.booleans(),
    sees_teams=teams,
    member=st.none() | st.sampled_from(PEOPLE),
    teams=st.none() | teams,
    owners=st.none() | st.lists(st.sampled_from([NOBODY, *PEOPLE]), unique=True, min_size=1).map(tuple),
)


def counts(asked: Question, team: UUID, owner: UUID) -> bool:
    """What `counted` says, in Python."""
    whole, owners, within, own, teams = counts_at(asked)
    if owner == ALL:
        return team in whole
    alone = owner in owners and (within is None or team in within)
    beyond = owner == own and (teams is None or team in teams) and team not in whole
    return team != ALL and (alone or beyond)


@given(questions)
def test_each_thing_that_a_question_covers_counts_once(asked: Question) -> None:
    asked = replace(asked, sees_teams=() if asked.sees_all else asked.sees_teams)
    for team, owner in THINGS:
        rows = [row for row in at_grains(team, owner) if counts(asked, *row)]
        alone = [row for row in rows if ALL not in row]
        # A coarse row counts everything that is in it: the question has to cover all of that.
        assert len(rows) == asked.covers(team, owner), (team, owner, rows)
        assert not alone or asked.covers(*((None if part == NOBODY else part) for part in alone[0]))
