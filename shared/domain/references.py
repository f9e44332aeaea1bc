"""Referential integrity: whom and what a command names beside its own aggregate, and refusals of the unknown (API-1).

Members, teams and accounts stand in the leads service; the others know them from its events, a moment later.
"""

from uuid import UUID

from shared.domain.context import Actor
from shared.domain.permissions import reach_of
from shared.domain.rejection import Reason
from shared.domain.roles import Permission, Reach
from shared.events.definition import value

MADE_A_MOMENT_AGO = "If it was made a moment ago, send the Consistency-Token of that answer along."


@value
class References:
    """Whether whom and what a command names is known here. What it does not name is not asked for."""

    member: bool = True
    """In the organisation, and not departed."""
    team: bool = True
    account: bool = True
    """There, and the asker sees it (API-4)."""


def unknown(references: References, *, member: str = "owner") -> list[Reason]:
    """The reasons against a command that leads nowhere; `member` is the field that names the person."""
    reasons = []
    if not references.member:
        reasons.append(unknown_reference("unknown-member", "There is no such active member.", member))
    if not references.team:
        reasons.append(unknown_reference("unknown-team", "There is no such team.", "team"))
    if not references.account:
        reasons.append(unknown_reference("unknown-account", "There is no such account.", "account_id"))
    return reasons


def unknown_reference(code: str, message: str, field: str) -> Reason:
    """The reason against a field that names what is not known here, or not yet."""
    return Reason(code=code, message=f"{message} {MADE_A_MOMENT_AGO}", field=field)


def foreign_team(actor: Actor, permission: Permission, team: UUID | None) -> list[Reason]:
    """The reason against a team that somebody names who does not reach it (API-4)."""
    if team is None or reach_of(actor, permission) is Reach.ALL or team == actor.team or team in actor.teams:
        return []
    return [Reason(code="other-team", message="This is done in a team of your own.", field="team")]
