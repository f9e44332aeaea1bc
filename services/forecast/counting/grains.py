"""Rollups at three grains: figures are kept for the company, each team and each owner, so no answer sums over members.

What counts for an owner in a team is kept three times: for the company, for the team, and for the owner within the
team. A question reads each figure at the coarsest grain that its scope allows. The rows of all grains stand in one
table with the columns `team` and `owner`; `ALL` stands for every team or owner there, `NOBODY` for none.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from services.forecast.asking.question import Question, scoped
from services.forecast.counting.sums import NOBODY

ALL = UUID(int=2**128 - 1)
"""Stands for every owner, or every team, in the rows of a coarser grain."""

GRAINS = (
    f"(values ('{ALL}'::uuid, '{ALL}'::uuid), (given.team, '{ALL}'), (given.team, given.owner)) grain (team, owner)"
)
"""The three rows in which what belongs to an owner in a team is counted. The same as `at_grains`."""

COUNTED = f"""((owner = '{ALL}' and team = any(${{}}::uuid[]))
    or (owner = ${{}}::uuid and (${{}}::uuid[] is null or team = any(${{}}))
        and team <> '{ALL}' and team <> all(${{}})))"""
"""The rows that count, each at its coarsest grain."""


def at_grains(team: UUID | None, owner: UUID | None) -> Iterator[tuple[UUID, UUID]]:
    """The (team, owner) of the three rows in which what belongs to an owner in a team is counted."""
    yield ALL, ALL
    yield team or NOBODY, ALL
    yield team or NOBODY, owner or NOBODY


def counted(first: int) -> str:
    """The condition on the rows that count; its arguments, from `$first` on, are `counts_at(question)`."""
    whole, owner, teams = first, first + 1, first + 2
    return COUNTED.format(whole, owner, teams, teams, whole)


def counts_at(asked: Question) -> tuple[Any, ...]:
    """The arguments of `counted`: teams read whole, then an owner read alone, and the teams that those are in.

    The same counts as for `Question.covers`; nothing is counted at two grains.
    """
    if asked.owner is None:
        if asked.sees_all:
            return ([ALL] if asked.teams is None else list(asked.teams)), None, None
        whole = [team for team in asked.sees_teams if asked.teams is None or team in asked.teams]
        return whole, asked.member, None if asked.teams is None else list(asked.teams)
    teams = None if asked.teams is None else set(asked.teams)
    if not asked.sees_all and asked.owner != asked.member:
        teams = set(asked.sees_teams) if teams is None else teams & set(asked.sees_teams)
    return [], asked.owner, None if teams is None else sorted(teams)


def counting(sql: str, asked: Question, *more: Any) -> tuple[Any, ...]:
    """A statement on tallies and on rows of a day, with its arguments: `more` begins at $9."""
    return scoped(sql.replace("{counted}", counted(6))), *asked.scope, *counts_at(asked), *more
