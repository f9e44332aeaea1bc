"""What policies are in force, as handlers are given them: from their own stream, so that one counts as soon as it is
set."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from shared.commands.loaders import LoaderContext, Provider, reads
from shared.directory.organisation import NAME as ORGANISATION
from shared.domain.context import Context
from shared.domain.policy import InForce, Policies, Policy, SetPolicy

ABOVE = "select team_id, parent_id from {view}.team where parent_id is not null"


def provided_by(policies: Policies) -> dict[type, Provider]:
    """How each kind is loaded, by the type under which a handler asks for it."""
    return {
        InForce[policy.document]: _provider(policies, policy)  # type: ignore[name-defined]
        for policy in policies.kinds.values()
    }


def _provider(policies: Policies, policy: Policy[Any]) -> Provider:
    @reads(ORGANISATION)
    async def in_force(reader: LoaderContext, state: Any, command: Any, context: Context) -> InForce[Any]:
        held, _ = await reader.state(policies.family, policies.id_of(policy))
        if not isinstance(held, SetPolicy):
            return InForce(default=policy.default_of(context.company), on=context.today)
        above = await teams_above(reader) if any(version.team for version in held.versions) else {}
        default = policy.default_of(context.company)
        return InForce(default=default, on=context.today, versions=held.versions, above=above)

    return in_force


async def teams_above(reader: LoaderContext) -> Mapping[UUID, UUID]:
    """Every team that has one above it; asked for only where a team has a policy of its own."""
    return {row["team_id"]: row["parent_id"] for row in await reader.fetch(ORGANISATION, ABOVE)}
