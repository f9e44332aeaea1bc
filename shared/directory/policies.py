"""Providers of policies in force: from their own stream, so that one counts for handlers as soon as it is set."""

from typing import Any

from shared.commands.loaders import LoaderContext, Provider, reads
from shared.directory.hierarchy import teams_above
from shared.directory.organisation import NAME as ORGANISATION
from shared.domain.context import Context
from shared.domain.policy import InForce, Policies, Policy, versions_of


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
        versions, default = versions_of(held), policy.default_of(context.company)
        above = await teams_above(reader.fetch) if any(version.team for version in versions) else {}
        return InForce(default=default, on=context.today, versions=versions, above=above)

    return in_force
