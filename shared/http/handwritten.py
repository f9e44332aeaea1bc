"""What hand-written routes share: who asks, who may, what is known of the question, and how it is described.

Every router asks who may: `handwritten` whoever is signed in, `by_secret` whoever has an address that holds a secret.

router = handwritten()

@router.get("/v1/funnel", **operation(roles=READING, reads=("deals",), answers=Funnel, example={...}))
async def funnel(asking: CurrentActor, service: CurrentService, to: date | None = None) -> Response:
    '''How many deals stand in each stage.'''
    return answer(await ...)
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from starlette.routing import BaseRoute

from shared.domain.context import Actor
from shared.domain.roles import Permission, Role
from shared.http.bodies import ONLY_JSON, Files, parse, read_body
from shared.http.command_routes import operation_id
from shared.http.context import ServiceContext, context_of
from shared.http.dry_runs import dry_path
from shared.http.headers import refuse_parameters
from shared.http.json import encode, schema_of
from shared.http.problems import Problem
from shared.http.read_your_writes import reader
from shared.languages.catalogue import Catalogue

ROLES = "x-roles"
READS = "x-reads"
WORDED = "x-worded"
BY_SECRET = "x-by-secret"  # noqa: S105
SECRET = "secret"  # noqa: S105
"""The parameter of an address that holds a secret: what is logged leaves it out."""
EVENT_STREAM = "text/event-stream"
"""The media type of server-sent events; what such an operation `answers` is the data of one event."""
BODY = "x-body"
ANSWER = "x-answer"
BODY_EXAMPLE = "x-body-example"
ASKS = "x-asks"
PROBLEMS = "x-problems"
PRIVATE = (BODY, BODY_EXAMPLE, ASKS, ANSWER, PROBLEMS, READS, WORDED, BY_SECRET)
"""Marks that `shared.http.openapi.document` replaces with the standard's own words, or leaves out."""

Value = TypeVar("Value")


def operation(
    *,
    roles: Permission,
    reads: Sequence[str] = (),
    example: Any = None,
    answers: type | None = None,
    body: type | None = None,
    asks: type | None = None,
    problems: tuple[str, ...] = (),
    worded: bool = False,
    by_secret: bool = False,
    status: int = 200,
    media_type: str = "application/json",
) -> dict[str, Any]:
    """The arguments of a route's decorator: who may (enforced), the names of the projections that the answer is read
    from (it waits for these, and is given no others), and what the document says.

    A route with a `body` gives a command by `execute_command` (or one to each of many things), and does nothing else:
    the same function answers at the address of its dry run. One that `asks` has a body that is too large for an
    address, and is a question all the same, though a POST: nothing is written, there is no key and no dry run.
    `example` is an answer, or there a body; `answers` is an `answer_shape`, `body` and `asks` are data classes;
    `problems` are kinds beyond those that every route has; `worded` answers carry texts for people, in the language
    that the request prefers, and `answer` is given their catalogue; `by_secret` is of a router of that name, and its
    roles are those that the member may have. The docstring gives summary and description.
    """
    extra: dict[str, Any] = {
        ROLES: sorted(roles),
        READS: list(reads),
        PROBLEMS: list(problems),
        WORDED: worded,
        BY_SECRET: by_secret,
    }
    if answers is not None:
        extra[ANSWER] = schema_of(answers)
    taken = body or asks
    if taken is not None:
        extra[BODY], extra[BODY_EXAMPLE], extra[ASKS] = schema_of(taken), example, asks is not None
        example = None
    content = {media_type: {} if example is None else {"example": example}}
    return {
        "status_code": status,
        "response_class": Response,
        "responses": {status: {"description": "What was asked for.", "content": content}},
        "openapi_extra": extra,
    }


def _roles_of(route: APIRoute) -> Collection[Role]:
    roles: Collection[Role] | None = (route.openapi_extra or {}).get(ROLES)
    if roles is None:
        raise LookupError(f"{route.path} does not say who may: its decorator lacks operation(roles=…)")
    return roles


async def _asking(request: Request) -> Actor:
    route = request.scope["route"]
    roles = _roles_of(route)
    known = request.app.state.parameters[request.method.lower(), route.path_format]
    several = frozenset(name for name, may_be_repeated in known.items() if may_be_repeated)
    return await reader(request, reads=reads_of(request), roles=roles, known=frozenset(known), several=several)


def reads_of(request: Request) -> Sequence[str]:
    """The names of the projections that the answer of a hand-written route is read from."""
    names: Sequence[str] = request.scope["route"].openapi_extra[READS]
    return names


CurrentActor = Annotated[Actor, Depends(_asking)]
"""The person who asks; signed in, with one of the operation's roles."""

CurrentService = Annotated[ServiceContext, Depends(context_of)]
"""The process that answers."""


def handwritten(*tags: str) -> APIRouter:
    """The routes of a module: every one of them asks who may, whether or not it looks at who asks."""
    return APIRouter(
        tags=list(tags),
        dependencies=[Depends(_asking)],
        generate_unique_id_function=lambda route: operation_id(route.name),
    )


Whose = Callable[[ServiceContext, UUID, str], Awaitable[Actor | None]]
"""`async (service, id, secret) -> whoever an address stands for`, as they are now; None where it stands for nobody. The
secret has to be compared in constant time."""


class BySecret:
    """Capability URL: whoever has the address `…/{id}/{secret}…` is shown what somebody would see who is not signed in.

    Whatever is wrong is answered alike (404), and counted in the allowance of whoever's address it came from.
    """

    def __init__(self, whose: Whose) -> None:
        self._whose = whose

    async def __call__(
        self, request: Request, of: Annotated[str, Path(alias="id")], secret: Annotated[str, Path(alias=SECRET)]
    ) -> Actor:
        service = context_of(request)
        service.authenticator.admit(request)
        refuse_parameters(request)
        actor = await self._whose(service, found, secret) if (found := _id_of(of)) else None
        if actor is None or actor.roles.isdisjoint(_roles_of(request.scope["route"])):
            raise Problem("not-found", "There is no such address.")
        return actor


def _id_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def by_secret(*tags: str, asking: BySecret) -> APIRouter:
    """The routes of a module that are asked without a token, by an address which holds a secret: the only ones that let
    in whoever is not signed in, and every one of them asks `asking` first."""
    return APIRouter(
        tags=list(tags),
        dependencies=[Depends(asking)],
        generate_unique_id_function=lambda route: operation_id(route.name),
    )


def served(router: APIRouter) -> list[BaseRoute]:
    """The routes of a module, and the addresses at which its commands are tried out. Raises ValueError where one would
    let in everybody."""
    for route in router.routes:
        if not isinstance(route, APIRoute) or not (_is_signed_in(route) or _is_by_secret(route)):
            path = getattr(route, "path", route)
            raise ValueError(
                f"{path} asks nobody who they are: its router was not made by `handwritten`, nor is it a GET that says"
                f" `by_secret` of a router of that name, with {{id}} and {{{SECRET}}} in its address"
            )
    return [*router.routes, *_dry_runs_of(router).routes]


def _is_signed_in(route: APIRoute) -> bool:
    """Whether a route asks for a token."""
    return not _says_by_secret(route) and any(each.dependency is _asking for each in route.dependencies)


def _is_by_secret(route: APIRoute) -> bool:
    """Whether a route is asked by an address that holds a secret, says so, and only shows something."""
    asks = any(isinstance(each.dependency, BySecret) for each in route.dependencies)
    return (
        asks and _says_by_secret(route) and route.methods == {"GET"} and {"id", SECRET} <= route.param_convertors.keys()
    )


def _says_by_secret(route: APIRoute) -> bool:
    return bool((route.openapi_extra or {}).get(BY_SECRET))


def _dry_runs_of(router: APIRouter) -> APIRouter:
    """The same commands, at the addresses at which they are tried out."""
    dry_runs = handwritten()
    for route in router.routes:
        if isinstance(route, APIRoute) and BODY in (extra := route.openapi_extra or {}) and not extra[ASKS]:
            dry_runs.add_api_route(
                dry_path(route.path),
                route.endpoint,
                methods=["POST"],
                name=f"dry_run_{route.name}",
                response_class=Response,
                openapi_extra=extra,
                include_in_schema=False,  # the document tells them from the commands
            )
    return dry_runs


def words_of(request: Request) -> Catalogue:
    """The texts that a request prefers: of the languages that ship, by its Accept-Language."""
    return context_of(request).languages.asked(",".join(request.headers.getlist("Accept-Language")))


def of_language(words: Catalogue) -> dict[str, str]:
    """What an answer with texts says of their language (RFC 9110, 12.5.5)."""
    return {"Content-Language": words.language, "Vary": "Accept-Language"}


def answer(
    data: Any,
    *,
    parked: int = 0,
    headers: Mapping[str, str] | None = None,
    words: Catalogue | None = None,
    status: int = 200,
) -> Response:
    """Plain data as JSON; `parked` says how many events the answer lacks because they could not be applied, `words` in
    whose language its texts are."""
    content = encode(data)
    if parked:
        if not content.startswith(b"{"):
            raise TypeError("only an object can say how many events are parked")
        separator = b"" if content == b"{}" else b","
        content = content[:-1] + separator + b'"parked":%d}' % parked
    told = {**(headers or {}), **(of_language(words) if words else {})}
    return Response(content, status, headers={**told, "Content-Type": "application/json"})


@dataclass(frozen=True, slots=True)
class Body(Generic[Value]):
    """A body: what it says, and the bytes that said it (`execute_command` compares them on a retry)."""

    value: Value
    raw: bytes


async def body_of(request: Request, adapter: TypeAdapter[Value], files: Files = ONLY_JSON) -> Body[Value]:
    """Read and check the body of a hand-written route, which may be one of `files`, too. Raises Problem with every
    fault."""
    raw = await read_body(request, context_of(request).settings.body_limit, files)
    return Body(parse(adapter, raw), raw)
