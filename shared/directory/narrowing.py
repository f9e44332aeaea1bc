"""Validation of the team and the member that a question is narrowed to (API-1, API-4).

One whom nobody knows, or of whom the asker sees nothing, is a wrong value: an answer of zeros would read as "no
business".
"""

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from shared.directory.organisation import Organisation
from shared.domain.context import Actor
from shared.domain.permissions import reach_of
from shared.domain.references import MADE_A_MOMENT_AGO
from shared.domain.roles import Permission, Reach
from shared.projections.errors import InvalidQuery, invalid

TEAM, OWNER = "team", "owner"
NAMES = {
    TEAM: ("unknown-team", f"There is no such team, or you see nothing of it. {MADE_A_MOMENT_AGO}"),
    OWNER: ("unknown-member", f"There is no such member, or you see nothing of theirs. {MADE_A_MOMENT_AGO}"),
}
"""Parameter → the code and the sentence of its refusal. What one does not see is told as what is not there."""

Holds = Callable[[str, UUID], Awaitable[bool]]
"""`async (parameter, id) -> whether there is something of theirs that the asker sees`."""


async def refuse_strangers(
    organisation: Organisation,
    actor: Actor,
    permission: Permission,
    *,
    teams: Sequence[UUID] = (),
    owners: Sequence[UUID] = (),
    holds: Holds,
) -> None:
    """Raise InvalidQuery for a team or member who is not known, or of whom the asker sees nothing.

    Whoever has left, and a team that is formed after the instant asked about, are known. Something of theirs is seen
    also where it lies beyond one's reach by now, like a deal that one kept when one changed teams.
    """
    if not teams and not owners:
        return
    reach = reach_of(actor, permission)
    known = await organisation.named(teams, owners)
    wrong = []
    for parameter, ids in ((TEAM, teams), (OWNER, owners)):
        for each in ids:
            reached = each in known and _reaches(actor, reach, parameter, each, known[each])
            if not reached and not await holds(parameter, each):
                wrong.append(invalid(parameter, *NAMES[parameter]))
    if wrong:
        raise InvalidQuery(wrong)


def _reaches(actor: Actor, reach: Reach | None, parameter: str, named: UUID, teams: frozenset[UUID]) -> bool:
    """Whether an actor reaches a team, by it or one below it, or a member, by themselves or the team that they sit
    in."""
    if reach is Reach.ALL or named == actor.member:
        return True
    if parameter == OWNER and reach not in (Reach.TEAM, Reach.TEAM_AND_COMMON):
        return False
    return not teams.isdisjoint(actor.teams)
