"""Providers of approvals: who is there to approve, what is approved, and what something waits for."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from shared.commands.loaders import LoaderContext, Provider, reads
from shared.directory.hierarchy import leaders
from shared.directory.organisation import NAME as ORGANISATION
from shared.domain.approval.chain import Approvers, asks_superiors, members_of
from shared.domain.approval.requesting import Approvals, OwnApproval, Subject
from shared.domain.context import Actor, Context
from shared.domain.policy import Policies, Policy, in_force, versions_of
from shared.events.approval_chain import ApprovalChain

ACTIVE = "select member_id from {view}.member where member_id = any($1) and left_on is null"


def approvers_by(policies: Policies, policy: Policy[Any]) -> Provider:
    """Who may be asked by any chain that is in force; the documents of the policy have it as `chain`."""

    @reads(ORGANISATION)
    async def approvers(reader: LoaderContext, state: Any, command: Any, context: Context) -> Approvers:
        held, _ = await reader.state(policies.family, policies.id_of(policy))
        documents = [each.document for each in in_force(versions_of(held), context.today) if each.document]
        chains = [each.chain for each in (policy.default_of(context.company), *documents)]
        return await approvers_of(reader, chains, context.actor)

    return approvers


async def approvers_of(reader: LoaderContext, chains: Sequence[ApprovalChain], actor: Actor) -> Approvers:
    """Who may be asked by any of these chains where somebody submits. Reads the organisation."""
    members = frozenset[UUID]().union(*map(members_of, chains))
    return Approvers(
        active=frozenset(await _active(reader, members)) if members else frozenset(),
        superiors=await leaders(reader, actor.member, actor.team) if any(map(asks_superiors, chains)) else (),
    )


async def _active(reader: LoaderContext, members: frozenset[UUID]) -> Sequence[UUID]:
    return [row["member_id"] for row in await reader.fetch(ORGANISATION, ACTIVE, list(members))]


def subject_of(approvals: Approvals) -> Provider:
    """What an approval is about, in its own stream: what ends the approval is appended to both."""

    async def subject(reader: LoaderContext, state: Any, command: Any, context: Context) -> Subject:
        family = approvals.subjects[state.subject_kind].aggregate
        return Subject(state=(await reader.state(family, state.subject_id))[0])

    return subject


def approval_of(approvals: Approvals) -> Provider:
    """The approval that a thing waits for, where its state names one (`approval_id`)."""

    async def own_approval(reader: LoaderContext, state: Any, command: Any, context: Context) -> OwnApproval:
        approval_id: UUID | None = getattr(state, "approval_id", None)
        return OwnApproval(state=(await reader.state(approvals.family, approval_id))[0] if approval_id else None)

    return own_approval
