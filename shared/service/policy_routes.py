"""The routes of a service's policies, which follow from their kinds: what counts, what counted, and setting it."""

from collections.abc import Sequence
from dataclasses import make_dataclass
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter

from shared.directory.hierarchy import teams_above
from shared.domain.policy import InForce, Policies, Policy, Version, in_force, versions_of
from shared.domain.roles import EVERYBODY, Role
from shared.events.definition import described
from shared.http.command_routes import execute_command, operation_id
from shared.http.context import ServiceContext
from shared.http.handwritten import CurrentActor, CurrentService, answer, body_of, handwritten, operation
from shared.http.headers import etag
from shared.http.json import answer_shape

Document = TypeVar("Document")


@answer_shape
class PolicyKind:
    """A rule with numbers that can be set. Its address is the kind after that of this list."""

    kind: str
    about: str
    set_by: list[str]
    """The roles that set it."""
    scopes: list[str]
    """For whom it can be set."""
    versions: int
    """How often it was set; 0 where the default counts for everybody."""


@answer_shape
class PolicyKinds:
    """The policies of a service."""

    items: list[PolicyKind]


async def in_force_today(service: ServiceContext, policies: Policies, policy: Policy[Document]) -> InForce[Document]:
    """What counts of a kind today, as handlers are given it, for an answer that is reckoned by it. A route that asks
    for it reads the organisation."""
    held = await service.commands.state(policies.family, policies.id_of(policy))
    versions, company = versions_of(held.state), service.settings.company
    above = await teams_above(service.projections.lookup) if any(version.team for version in versions) else {}
    today = company.day(service.clock.now())
    return InForce(default=policy.default_of(company), on=today, versions=versions, above=above)


def policy_routes(policies: Policies) -> APIRouter:
    """Every route of a service's policies."""
    router = handwritten()
    _add_list(router, policies)
    for policy in policies.kinds.values():
        _add_kind(router, policies, policy)
    return router


def _add_list(router: APIRouter, policies: Policies) -> None:
    name = policies.family.plural

    @router.get(f"/v1/{name}", **operation(roles=EVERYBODY, answers=PolicyKinds), name=f"list_{name.replace('-', '_')}")
    async def list_kinds(asking: CurrentActor, service: CurrentService) -> Response:
        """List the rules with numbers that can be set, by kind."""
        kinds = policies.kinds.values()
        held = await service.commands.states(policies.family, [policies.id_of(policy) for policy in kinds])
        items = [_kind(policy, versions_of(held[policies.id_of(policy)].state)) for policy in kinds]
        return answer(PolicyKinds(items=sorted(items, key=lambda item: item.kind)))


def _add_kind(router: APIRouter, policies: Policies, policy: Policy[Any]) -> None:
    address = f"/v1/{policies.family.plural}/{policy.kind}"
    command, aggregate_id = policies.commands[policy.kind], policies.id_of(policy)
    adapter: TypeAdapter[Any] = TypeAdapter(command)
    shown = _shown(policy)

    @router.get(
        address,
        **operation(roles=EVERYBODY, answers=shown),
        name=f"get_{policy.event_field}_policy",
        description=f"Show the policy {policy.kind}: what counts, by default and since when, and what counted.",
    )
    async def get_policy(asking: CurrentActor, service: CurrentService) -> Response:
        held = await service.commands.state(policies.family, aggregate_id)
        versions = versions_of(held.state)
        today = service.settings.company.day(service.clock.now())
        content = shown(
            kind=policy.kind,
            set_by=_people(policy),
            scopes=list(policy.scopes),
            default_document=policy.default_of(service.settings.company),
            in_force=in_force(versions, today),
            versions=versions,
        )
        return answer(content, headers={"ETag": etag(held.sequence)})

    setting = operation(roles=policy.allow, body=command, example=command.example)  # type: ignore[attr-defined]

    about = (
        f"Set the policy {policy.kind}.\n\n{policy.summary} What is set counts from its day on, for what is decided "
        "then; what was decided stays, and says by which version."
    )

    @router.post(address, **setting, name=f"set_{policy.event_field}_policy", description=about)
    async def set_policy(request: Request, asking: CurrentActor) -> Response:
        body = await body_of(request, adapter)
        return await execute_command(
            request,
            asking,
            policies.family,
            aggregate_id,
            body.value,
            raw=body.raw,
            operation=operation_id(f"set_{policy.event_field}_policy"),
            address=address,
        )


def _people(policy: Policy[Any]) -> list[str]:
    return sorted(role for role in policy.allow if role is not Role.SERVICE)


def _kind(policy: Policy[Any], versions: Sequence[Version[Any]]) -> PolicyKind:
    return PolicyKind(
        kind=policy.kind,
        about=policy.summary,
        set_by=_people(policy),
        scopes=list(policy.scopes),
        versions=len(versions),
    )


def _shown(policy: Policy[Any]) -> Any:
    """What is shown of a kind, typed by its document."""
    title = policy.title
    version = make_dataclass(
        f"{title}Version",
        [
            ("number", described(int, "Counts from 1.")),
            ("valid_from", date),
            ("document", described(policy.document | None, "None: the next wider scope counts from that day on.")),
            ("team", described(UUID | None, "The team that it was set for.")),
            ("process", described(UUID | None, "The process that it was set for.")),
            ("set_on", date),
            ("reason", str | None),
        ],
    )
    version.__doc__ = f"The policy {policy.kind} as it was set once."
    shown = make_dataclass(
        f"{title}Policy",
        [
            ("kind", str),
            ("set_by", described(list[str], "The roles that set it.")),
            ("scopes", described(list[str], "For whom it can be set.")),
            ("default_document", described(policy.document, "What counts as long as nothing is set; version 0.")),
            ("in_force", described(list[version], "What counts today, by scope.")),  # type: ignore[valid-type]
            ("versions", described(list[version], "All that was set, the first first.")),  # type: ignore[valid-type]
        ],
    )
    shown.__doc__ = policy.summary
    return shown
