"""Authorisation rules: who may act on, or see, what belongs to an owner and a team (API-4)."""

from collections.abc import Iterable
from uuid import UUID

from shared.domain.context import Actor
from shared.domain.roles import Permission, Reach

_WIDTH = {reach: width for width, reach in enumerate(Reach)}


def may(actor: Actor, permission: Permission, owner: UUID | None, team: UUID | None) -> str | None:
    """None when the actor may, else the reason as a sentence. What has no owner and no team needs the reach ALL, or one
    that takes in what is common."""
    match reach_of(actor, permission):
        case None:
            return role_missing(permission)
        case Reach.ALL:
            return None
        case Reach.TEAM | Reach.TEAM_AND_COMMON as reach:
            common = reach is Reach.TEAM_AND_COMMON and owner is None and team is None
            allowed = _owns(actor, owner) or team in actor.teams or common
            return None if allowed else "Your role allows this only for what belongs to your teams."
        case Reach.OWN | Reach.OWN_AND_COMMON as reach:
            common = reach is Reach.OWN_AND_COMMON and owner is None and (team is None or team in actor.teams)
            return None if _owns(actor, owner) or common else "Your role allows this only for what you own."
        case Reach.OWN_AND_ALL_COMMON:
            return None if _owns(actor, owner) or owner is None else "Your role allows this only for what you own."


def role_missing(roles: Iterable[str]) -> str:
    """What somebody is told who has none of these roles."""
    return f"This takes one of the roles {', '.join(sorted(roles))}."


def sees(actor: Actor, permission: Permission, owner: UUID | None, team: UUID | None) -> bool:
    """Whether the actor's read scope contains what belongs to this owner and team."""
    return may(actor, permission, owner, team) is None


def reach_of(actor: Actor, permission: Permission) -> Reach | None:
    """The widest reach that one of the actor's roles gives, or None."""
    reaches = [permission[role] for role in actor.roles if role in permission]
    return max(reaches, key=_WIDTH.__getitem__, default=None)


def _owns(actor: Actor, owner: UUID | None) -> bool:
    return owner is not None and owner == actor.member
