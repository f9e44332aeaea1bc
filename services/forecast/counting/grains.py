"""Rollups at three grains: figures are kept for the company, each team and each owner, so no answer sums over members.

What counts for an owner in a team is kept three times: for the company, for the team, and for the owner within the
team. A question reads each figure at the coarsest grain that its scope allows. The rows of all grains stand in one
table with the columns `team` and `owner`; `ALL` stands for every team or owner there, `NOBODY` for none.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from services.forecast.asking.question import NOBODY, Question, scoped

ALL = UUID(int=2**128 - 1)
"""Stands for every owner, or every team, in the rows of a coarser grain."""

GRAINS = (
    f"(values ('{ALL}'::uuid, '{ALL}'::uuid), (given.team, '{ALL}'), (given.team, given.owner)) grain (team, owner)"
)
"""The three rows in which what belongs to an owner in a team is counted. The same as `at_grains`."""

COUNTED = f"""((owner = '{ALL}' and team = any(${{}}::uuid[]))
    or (team <> '{ALL}' and ((owner = any(${{}}::uuid[]) and (${{}}::uuid[] is null or team = any(${{}})))
        or (owner = ${{}}::uuid and (${{}}::uuid[] is null or team = any(${{}})) and team <> all(${{}})))))"""
"""The rows that count, each at its coarsest grain."""


def at_grains(team: UUID | None, owner: UUID | None) -> Iterator[tuple[UUID, UUID]]:
    """The (team, owner) of the three rows in which what belongs to an owner in a team is counted."""
    yield ALL, ALL
    yield team or NOBODY, ALL
    yield team or NOBODY, owner or NOBODY


def counted(first: int) -> str:
    """The condition on the rows that count; its arguments, from `$first` on, are `counts_at(question)`."""
    whole, owners, within, own, teams = range(first, first + 5)
    return COUNTED.format(whole, owners, within, within, own, teams, teams, whole)


def counts_at(asked: Question) -> tuple[Any, ...]:
    """The arguments of `counted`: teams read whole; owners read by themselves, and the teams that those are in; who
    asks, where what they own is read beyond the teams that they see, and the teams that that is in.

    The same counts as for `Question.covers`; nothing is counted at two grains.
    """
    teams = None if asked.teams is None else list(asked.teams)
    if asked.owners is None:
        if asked.sees_all:
            return ([ALL] if teams is None else teams), [], None, None, None
        whole = [team for team in asked.sees_teams if teams is None or team in teams]
        return whole, [], None, asked.member, teams
    if asked.sees_all:
        return [], list(asked.owners), teams, None, None
    others = [owner for owner in asked.owners if owner != asked.member]
    seen = [team for team in asked.sees_teams if teams is None or team in teams]
    return [], others, seen, asked.member if asked.member in asked.owners else None, teams


def counting(sql: str, asked: Question, *more: Any) -> tuple[Any, ...]:
    """A statement on tallies and on rows of a day, with its arguments: `more` begins at $11."""
    return scoped(sql.replace("{counted}", counted(6))), *asked.scope, *counts_at(asked), *more
