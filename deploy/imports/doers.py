"""By whom: the subjects of the members who did what the lines of an import tell (DATA-5).

Events name people by whom they sign in as, lines name members by outside ids. So members are looked up when what they
did comes in, departed ones too.
"""

from collections.abc import Iterable, Mapping
from uuid import UUID

from deploy.imports.facts import MEMBER, Taken
from deploy.imports.kinds import THINGS
from shared.commands.executor import CommandExecutor


async def subjects_of(facts: Iterable[Taken], desks: Mapping[str, CommandExecutor]) -> Mapping[UUID, str]:
    """Whom the members sign in as who did some facts, all of whom are there."""
    members = {taken.by for taken in facts if taken.by is not None}
    if not members:
        return {}
    commands = desks[THINGS[MEMBER].service]
    held = await commands.states(commands.aggregates[THINGS[MEMBER].aggregate], list(members))
    return {member: found.state.subject for member, found in held.items()}
