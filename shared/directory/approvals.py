"""Who is there to approve, and what is approved, as handlers are given them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from shared.commands.loaders import LoaderContext, Provider, reads
from shared.directory.organisation import NAME as ORGANISATION
from shared.domain.approval.chain import Approvers, asks_superiors, members_of
from shared.domain.approval.requesting import Approvals, Subject
from shared.domain.context import Context
from shared.domain.policy import Policies, Policy, SetPolicy

ACTIVE = "select member_id from {view}.member where member_id = any($1) and left_on is null"
SUPERIORS = """
with recursive above(team_id, parent_id, manager_id, depth) as (
    select team_id, parent_id, manager_id, 0 from {view}.team where team_id = $1
    union all
    select t.team_id, t.parent_id, t.manager_id, a.depth + 1
      from above a join {view}.team t on t.team_id = a.parent_id where a.depth < 100
)
select m.member_id, min(a.depth) as level from above a join {view}.member m on m.member_id = a.manager_id
 where m.left_on is null and m.member_id is distinct from $2 group by m.member_id order by level
"""
"""The managers of a team and of those above it who have not left, but for one person; the nearest first."""


def approvers_by(policies: Policies, policy: Policy[Any]) -> Provider:
    """Who may be asked by any chain that a policy has set; its documents have it as `chain`."""

    @reads(ORGANISATION)
    async def approvers(reader: LoaderContext, state: Any, command: Any, context: Context) -> Approvers:
        held, _ = await reader.state(policies.family, policies.id_of(policy))
        versions = held.versions if isinstance(held, SetPolicy) else ()
        chains = [policy.default.chain, *(each.document.chain for each in versions if each.document)]
        members = frozenset[UUID]().union(*map(members_of, chains))
        return Approvers(
            active=frozenset(await _active(reader, members)) if members else frozenset(),
            superiors=tuple(await _superiors(reader, context)) if any(map(asks_superiors, chains)) else (),
        )

    return approvers


async def _active(reader: LoaderContext, members: frozenset[UUID]) -> Sequence[UUID]:
    return [row["member_id"] for row in await reader.fetch(ORGANISATION, ACTIVE, list(members))]


async def _superiors(reader: LoaderContext, context: Context) -> Sequence[UUID]:
    actor = context.actor
    return [row["member_id"] for row in await reader.fetch(ORGANISATION, SUPERIORS, actor.team, actor.member)]


def subject_of(approvals: Approvals) -> Provider:
    """What an approval is about, in its own stream: what ends the approval is appended to both."""

    async def subject(reader: LoaderContext, state: Any, command: Any, context: Context) -> Subject:
        family = approvals.subjects[state.subject_kind].aggregate
        return Subject(state=(await reader.state(family, state.subject_id))[0])

    return subject
