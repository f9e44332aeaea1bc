"""Roll-ups: figures are kept at three grains, so that an answer for the company never sums over its members.

A figure that counts for an owner in a team is kept three times: for the company, for the team, and for the owner within
the team. A question reads each figure at the coarsest grain that its scope allows. The rows of all grains stand in one
table with the columns `team` and `owner`; `ALL` stands for every team or owner there, `NONE` for no team or owner.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from services.forecast.question import Question

NONE = UUID(int=0)
"""Stands for no owner and no team in keys."""

ALL = UUID(int=2**128 - 1)
"""Stands for every owner, or every team, in the rows of a coarser grain."""

ROLLED_UP = """(
    (owner = 'ffffffff-ffff-ffff-ffff-ffffffffffff' and team = any($1::uuid[]))
    or (owner = $2::uuid and ($3::uuid[] is null or team = any($3))
        and team <> 'ffffffff-ffff-ffff-ffff-ffffffffffff' and team <> all($1))
)"""
"""The rows that count, each at its coarsest grain. Its arguments are `rolled_up(question)`."""


def at_grains(team: UUID | None, owner: UUID | None) -> Iterator[tuple[UUID, UUID]]:
    """The (team, owner) of the three rows in which what belongs to an owner in a team is counted."""
    yield ALL, ALL
    yield team or NONE, ALL
    yield team or NONE, owner or NONE


def by_grain(sql: str) -> str:
    """A statement whose "{scope}" is `ROLLED_UP`; its own arguments begin at $4."""
    return sql.replace("{scope}", ROLLED_UP)


def rolled_up(asked: Question) -> tuple[Any, ...]:
    """The arguments of `ROLLED_UP`: teams read whole, then an owner read alone, and the teams that those are in.

    The same rows count as for `Question.covers`; nothing is counted at two grains.
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
