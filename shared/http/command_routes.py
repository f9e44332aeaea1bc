"""Command routes, which follow from the handlers: the address, the body, who may, the answer (API-1, API-2).

A handler of the start state creates: `POST /v1/<plural>`. Others act: `POST /v1/<plural>/{id}/<handler-name>`. A PATCH
or PUT changes: `PATCH /v1/<plural>/{id}`, on the version that the caller has read. A handler that only services may run
has no route.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, make_dataclass
from dataclasses import field as dataclass_field
from typing import Annotated, Any
from uuid import UUID

import msgspec
from pydantic import AfterValidator, Field, TypeAdapter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.commands.access import obstacle
from shared.commands.request import CommandRequest, CommandResult
from shared.domain.aggregate import Aggregate, Handler, status_of
from shared.domain.context import Actor
from shared.domain.roles import Role, is_for_people
from shared.events.registry import topic_of
from shared.eventstore.append import Idempotency, StreamPosition
from shared.http.bodies import AS_YAML, ONLY_JSON, parse, read_body
from shared.http.context import ServiceContext, context_of
from shared.http.dry_runs import dry_path, dry_run, dry_run_answer, dry_run_id, is_dry_run
from shared.http.headers import (
    content_of,
    etag,
    expected_version,
    idempotency_key,
    is_unchanged,
    refuse_parameters,
)
from shared.http.json import answer_shape, encode
from shared.http.problems import Problem
from shared.http.read_your_writes import await_token, reader
from shared.http.resources import Resource
from shared.kafka.partitioning import partition_of
from shared.ops.ids import new_id
from shared.projections.names import Named, called_now, reads_of_names, stated_names
from shared.projections.tokens import PartitionPosition, token_for

TRACEPARENT_LENGTH = 55


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRoute:
    """Where a command is sent: its handlers (one for each group of states), address and body."""

    aggregate: Aggregate
    handlers: tuple[Handler, ...]
    path: str
    method: str
    operation_id: str
    body: TypeAdapter[Any]

    @property
    def handler(self) -> Handler:
        """The handler that names and describes the command."""
        return self.handlers[0]

    @property
    def command(self) -> type:
        """The command's class."""
        return self.handler.command

    @property
    def creates(self) -> bool:
        """Whether the command brings the aggregate into being."""
        return all(handler.creates for handler in self.handlers)

    @property
    def roles(self) -> frozenset[Role]:
        """Who may, in some state."""
        return frozenset(role for handler in self.handlers for role in handler.allow)


def command_routes(aggregates: Iterable[Aggregate]) -> list[CommandRoute]:
    """Every route that follows from the handlers. Raises ValueError when two commands claim one address."""
    found = [
        _command_route(aggregate, tuple(handlers))
        for aggregate in aggregates
        for handlers in aggregate.handlers.values()
        if all(handler.routed for handler in handlers) and any(is_for_people(handler.allow) for handler in handlers)
    ]
    owners: dict[tuple[str, str], str] = {}
    for route in found:
        name = route.command.__name__
        other = owners.setdefault((route.method, route.path), name)
        if other != name:
            raise ValueError(f"{name} and {other} both claim {route.method} {route.path}")
    return found


def _command_route(aggregate: Aggregate, handlers: tuple[Handler, ...]) -> CommandRoute:
    first = handlers[0]
    creates = all(handler.creates for handler in handlers)
    path = f"/v1/{aggregate.plural}"
    if not creates:
        path += "/{id}"
        if first.method == "POST":
            path += f"/{first.name.strip('_').replace('_', '-')}"
    return CommandRoute(
        aggregate=aggregate,
        handlers=handlers,
        path=path,
        method=first.method,
        operation_id=operation_id(first.name, aggregate.singular),
        body=TypeAdapter(_with_id(first.command) if creates else first.command),
    )


def operation_id(function: str, *more: str) -> str:
    """camelCase of a function's name and further words: ("move_on", "deal") is moveOnDeal."""
    first, *rest = [word for name in (function, *more) for word in name.replace("-", "_").strip("_").split("_")]
    return first + "".join(word.capitalize() for word in rest)


def _version_7(given: UUID | None) -> UUID | None:
    # Ids of version 5 derive from business keys ("the contract of this deal"): nobody outside may take one first.
    if given is not None and given.version != 7:
        raise ValueError("an id made by a client is a UUID of version 7")
    return given


def _with_id(command: type) -> type:
    """The command with an optional `id`, under which the caller wants to know what it creates."""
    if any(field.name == "id" for field in fields(command)):
        raise ValueError(f"{command.__name__} has a field id, which is the aggregate's")
    kind = Annotated[
        UUID | None,
        AfterValidator(_version_7),
        Field(
            description="An id made by the caller (UUIDv7), so that a retry finds what it made; else one is made here."
        ),
    ]
    made = make_dataclass(
        command.__name__,
        [("id", kind, dataclass_field(default=None))],
        bases=(command,),
        frozen=True,
        slots=True,
        kw_only=True,
    )
    # The schema's descriptions are read from the source of the class of this name in this module.
    made.__module__, made.__qualname__, made.__doc__ = command.__module__, command.__qualname__, command.__doc__
    made.__pydantic_config__ = command.__pydantic_config__  # type: ignore[attr-defined]
    return made


def starlette_routes(route: CommandRoute) -> tuple[Route, Route]:
    """Where the command is given, and where it is tried out."""

    def served(path: str, method: str, name: str) -> Route:
        # Each has a function of its own, by which figures tell it.
        async def run(request: Request) -> Response:
            return await _run(request, route)

        return Route(path, run, methods=[method], name=name)

    return (
        served(route.path, route.method, route.operation_id),
        served(dry_path(route.path), "POST", dry_run_id(route.operation_id)),
    )


async def _run(request: Request, route: CommandRoute) -> Response:
    actor = await context_of(request).authenticator.sign_in(request)
    refuse_parameters(request)
    aggregate_id = None if route.creates else path_id(request, route.aggregate)
    limit = context_of(request).settings.body_limit
    raw = await read_body(request, limit, AS_YAML if route.aggregate.takes_yaml else ONLY_JSON)
    command = parse(route.body, raw)
    if route.creates:
        chosen = command.id
        command = route.command(**{field.name: getattr(command, field.name) for field in fields(route.command)})
        aggregate_id = chosen or new_id()
    assert aggregate_id is not None
    return await execute_command(
        request,
        actor,
        route.aggregate,
        aggregate_id,
        command,
        raw=raw,
        operation=route.operation_id,
        created=route.creates,
    )


def path_id(request: Request, aggregate: Aggregate) -> UUID:
    """The id in the address. Raises Problem (404) when it is none."""
    try:
        return UUID(request.path_params["id"])
    except ValueError:
        raise Problem("not-found", f"There is no such {aggregate.name}.") from None


async def execute_command(
    request: Request,
    actor: Actor,
    aggregate: Aggregate,
    aggregate_id: UUID,
    command: Any,
    *,
    raw: bytes,
    operation: str,
    created: bool = False,
    address: str | None = None,
) -> Response:
    """Run a command for a request, or try it out, with everything that its headers ask for, and answer with where it
    led, or would lead.

    `raw` is the body, parsed before (two requests with one Idempotency-Key have the same JSON); `operation` is the
    operation id; `address` is where the aggregate is shown, where that is not by its id.
    """
    service = context_of(request)
    dry = is_dry_run(request)
    key = None if dry else idempotency_key(request)
    expected = expected_version(request, required=request.method in ("PATCH", "PUT"))
    actor = await await_token(request, actor, service.commands.reads(aggregate, type(command)))
    idempotency = None
    if key is not None:
        idempotency = Idempotency(
            principal=actor.subject, operation=operation, key=key, request_hash=content_of(request, raw)
        )
    asked = CommandRequest(
        aggregate,
        aggregate_id,
        command,
        actor,
        expected=expected,
        idempotency=idempotency,
        correlation_id=request.scope["state"]["correlation_id"],
        traceparent=traceparent_of(request),
    )
    if dry:
        return dry_run_answer(await dry_run(service, asked))
    result = await service.commands.execute(asked)
    return _answer(service, result, created=created, address=address or f"/v1/{aggregate.plural}/{result.aggregate_id}")


def traceparent_of(request: Request) -> str | None:
    """The W3C trace that a request is part of."""
    given = request.headers.get("traceparent", "")
    return given if len(given) == TRACEPARENT_LENGTH and given.isascii() else None


def token_of(service: ServiceContext, *results: CommandResult) -> str:
    """The token by which readers wait for what commands did, to whichever aggregates."""

    def place(each: StreamPosition) -> PartitionPosition:
        partition = partition_of(each.aggregate_id, service.settings.kafka_partitions)
        return PartitionPosition(topic_of(service.name, each.aggregate), partition, each.position)

    return token_for(service.name, (place(each) for result in results for each in result.written)).encode()


def _answer(service: ServiceContext, result: CommandResult, *, created: bool, address: str) -> Response:
    headers = {
        "Location": address,
        "ETag": etag(result.sequence),
        "Consistency-Token": token_of(service, result),
        "Content-Type": "application/json",
    }
    if result.replayed:
        headers["Idempotency-Replayed"] = "true"
    body = msgspec.json.encode({"id": result.aggregate_id, "version": result.sequence})
    return Response(body, 201 if created else 200, headers=headers)


@answer_shape
class PossibleCommand:
    """A command that a thing takes, and whether whoever asks may give it now, as far as their role, its owner and team,
    its state, and whom that asks say. What the command itself says and what gates ask for is told by its dry run."""

    operation: str
    """Its operation id, like moveDeal."""
    possible: bool
    code: str | None
    """Why not, by the code that the command would be refused with: `not-allowed`, `not-in-this-state`, or that of a
    rule about who is asked, like `not-an-approver`."""
    message: str | None
    """The same as a sentence."""


def possible_commands(routes: Iterable[CommandRoute], actor: Actor, state: Any) -> list[PossibleCommand]:
    """What somebody may do with something that stands in a state."""
    obstacles = ((route.operation_id, obstacle(actor, route.aggregate, state, route.command)) for route in routes)
    return [
        PossibleCommand(
            operation=operation,
            possible=reason is None,
            code=reason.code if reason else None,
            message=reason.message if reason else None,
        )
        for operation, reason in obstacles
    ]


def resource_route(resource: Resource, commands: Iterable[CommandRoute]) -> Route:
    """`GET /v1/<plural>/{id}`: what is published of the aggregate as it is now, folded from its stream, and what may be
    done with it by whoever asks. A name that it has a place for and does not state is joined, as in lists."""
    aggregate = resource.aggregate
    own = [route for route in commands if route.aggregate is aggregate and not route.creates]
    named = frozenset(each for shape in resource.shapes.values() for each in stated_names(shape).values())

    async def show(request: Request) -> Response:
        service = context_of(request)
        actor = await reader(request, reads=reads_of_names(named, service.projections.every))
        aggregate_id = path_id(request, aggregate)
        held = await service.commands.seen(aggregate, aggregate_id, actor)
        tag = etag(held.sequence)
        told = resource.of(held.state)
        unnamed = _unnamed(resource.shapes[type(held.state)], told)
        # A thing has the same version when what it leads to is called otherwise.
        if not unnamed and is_unchanged(request, held.sequence):
            return Response(status_code=304, headers={"ETag": tag})
        names = {name.name: await called_now(service.projections, name, thing) for name, thing in unnamed.items()}
        content = {
            **told,
            **names,
            "id": aggregate_id,
            "version": held.sequence,
            "status": status_of(aggregate, held.state),
            "commands": possible_commands(own, actor, held.state),
        }
        return Response(encode(content), headers={"ETag": tag, "Content-Type": "application/json"})

    return Route(f"/v1/{aggregate.plural}/{{id}}", show, methods=["GET"], name=operation_id("get", aggregate.singular))


def _unnamed(shape: type, told: Mapping[str, Any]) -> Mapping[Named, UUID]:
    """What a thing leads to without saying what that is called, though it has a place for it."""
    return {
        named: told[field]
        for field, named in stated_names(shape).items()
        if told[field] is not None and told[named.name] is None
    }
