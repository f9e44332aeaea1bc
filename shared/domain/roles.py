"""Roles, and how far each reaches (API-4)."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from shared.events.roles import Role as Role  # noqa: PLC0414 - it is part of this vocabulary


class Reach(StrEnum):
    """How far a role reaches: what the person owns, what belongs to the teams they lead or sit in, or everything; the
    narrowest first.

    Those "and common" add what nobody owns, like a target: what those teams, or the whole company, have in common;
    "and all common" adds that of every team.
    """

    OWN = "own"
    OWN_AND_COMMON = "own-and-common"
    OWN_AND_ALL_COMMON = "own-and-all-common"
    TEAM = "team"
    TEAM_AND_COMMON = "team-and-common"
    ALL = "all"


Permission = Mapping[Role, Reach]


def permission(reaches: Mapping[Role, Reach]) -> Permission:
    """A read-only table role → reach. Administrators and the services themselves reach everything, always."""
    return MappingProxyType({**reaches, **dict.fromkeys(MACHINERY, Reach.ALL)})


MACHINERY = (Role.ADMIN, Role.SERVICE)
"""Those whom every permission names."""


def is_for_people(permission: Permission) -> bool:
    """Whether people may do this in their daily work; else the machinery alone does."""
    return any(role not in MACHINERY for role in permission)


SELLING = permission(
    {
        Role.REP: Reach.OWN,
        Role.MANAGER: Reach.TEAM,
        Role.SALES_DIRECTOR: Reach.ALL,
        Role.SALES_OPERATIONS: Reach.ALL,
    }
)
"""Those who carry a sale: reps what is theirs, managers what is their teams', direction and operations everything."""

MANAGING = permission({Role.MANAGER: Reach.TEAM, Role.SALES_DIRECTOR: Reach.ALL, Role.SALES_OPERATIONS: Reach.ALL})
"""Those who answer for other people's sales."""

OPERATIONS = permission({Role.SALES_OPERATIONS: Reach.ALL})
"""Those who shape the process, the organisation and the products."""

ONLY_SERVICES = permission({})
"""Commands without a route: timers, reactions and imports run them."""

READING = permission(
    {
        Role.REP: Reach.OWN,
        Role.MANAGER: Reach.TEAM,
        **{role: Reach.ALL for role in Role if role not in (Role.REP, Role.MANAGER)},
    }
)
"""Who sees a sale: reps what is theirs, managers what is their teams', all other roles everything."""

READING_TARGETS = permission({**READING, Role.REP: Reach.OWN_AND_COMMON, Role.MANAGER: Reach.TEAM_AND_COMMON})
"""Who sees a target: reps their own, their team's and the company's, managers also those of their people (PROC-4)."""

EVERYBODY = permission(dict.fromkeys(Role, Reach.ALL))
"""What every signed-in person may see or do, like the organisation, products and processes."""
