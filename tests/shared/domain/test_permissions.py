"""Who may, and how far roles reach (API-4)."""

from uuid import UUID

import pytest

from shared.domain.context import Actor
from shared.domain.permissions import may, reach_of, sees
from shared.domain.roles import READING_TARGETS, SELLING, Reach, Role, permission

ANN, BOB = UUID(int=1), UUID(int=2)
NORTH, SOUTH = UUID(int=10), UUID(int=20)


def actor(*roles: Role) -> Actor:
    return Actor(subject="ann", roles=frozenset(roles), member=ANN, team=NORTH, teams=frozenset({NORTH}))


@pytest.mark.parametrize(
    ("role", "owner", "team", "allowed"),
    [
        (Role.REP, ANN, SOUTH, True),
        (Role.REP, BOB, NORTH, False),
        (Role.REP, None, None, False),
        (Role.MANAGER, BOB, NORTH, True),
        (Role.MANAGER, ANN, SOUTH, True),
        (Role.MANAGER, BOB, SOUTH, False),
        (Role.MANAGER, None, None, False),
        (Role.SALES_DIRECTOR, BOB, SOUTH, True),
        (Role.SALES_DIRECTOR, None, None, True),
        (Role.ADMIN, None, None, True),
        (Role.SERVICE, BOB, None, True),
        (Role.LEGAL, ANN, NORTH, False),
    ],
)
def test_a_role_reaches_so_far(role: Role, owner: UUID | None, team: UUID | None, *, allowed: bool) -> None:
    """API-4"""
    assert sees(actor(role), SELLING, owner, team) is allowed
    assert (may(actor(role), SELLING, owner, team) is None) is allowed


@pytest.mark.parametrize(
    ("role", "owner", "team", "seen"),
    [
        (Role.REP, None, None, True),
        (Role.REP, None, NORTH, True),
        (Role.REP, None, SOUTH, False),
        (Role.REP, ANN, NORTH, True),
        (Role.REP, BOB, NORTH, False),
        (Role.MANAGER, None, None, True),
        (Role.MANAGER, None, NORTH, True),
        (Role.MANAGER, None, SOUTH, False),
        (Role.MANAGER, BOB, NORTH, True),
        (Role.MANAGER, BOB, SOUTH, False),
        (Role.SALES_DIRECTOR, BOB, SOUTH, True),
        (Role.FINANCE, None, SOUTH, True),
    ],
)
def test_what_a_team_or_the_company_has_in_common_is_seen_by_its_people(
    role: Role, owner: UUID | None, team: UUID | None, *, seen: bool
) -> None:
    """API-4, PROC-4: a target."""
    assert sees(actor(role), READING_TARGETS, owner, team) is seen


@pytest.mark.parametrize(
    ("owner", "team", "seen"),
    [(ANN, SOUTH, True), (None, None, True), (None, SOUTH, True), (BOB, NORTH, False), (BOB, None, False)],
)
def test_what_nobody_owns_is_seen_whichever_team_has_it_but_nothing_that_somebody_else_owns(
    owner: UUID | None, team: UUID | None, *, seen: bool
) -> None:
    """API-4"""
    allowed = permission({Role.SALES_OPERATIONS: Reach.OWN_AND_ALL_COMMON})
    assert sees(actor(Role.SALES_OPERATIONS), allowed, owner, team) is seen


def test_the_reason_says_what_would_be_needed() -> None:
    reasons = [may(actor(role), SELLING, BOB, SOUTH) for role in (Role.LEGAL, Role.REP, Role.MANAGER)]
    assert reasons == [
        f"This takes one of the roles {', '.join(sorted(SELLING))}.",
        "Your role allows this only for what you own.",
        "Your role allows this only for what belongs to your teams.",
    ]


def test_the_widest_of_several_roles_counts() -> None:
    assert reach_of(actor(Role.REP, Role.SALES_DIRECTOR, Role.MANAGER), SELLING) is Reach.ALL
    assert reach_of(actor(Role.LEGAL), SELLING) is None


def test_somebody_without_a_member_owns_nothing() -> None:
    outsider = Actor(subject="x", roles=frozenset({Role.REP}))
    assert not sees(outsider, permission({Role.REP: Reach.OWN}), None, None)
    assert not sees(outsider, permission({Role.REP: Reach.TEAM}), None, None)
