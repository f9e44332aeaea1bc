"""Bulk operations: one command for many things, with a result for each row (API-1).

`POST /v1/<plural>/bulk/<command>` follows from a command that its service names in `bulk`. Each row is the command as
its own address takes it: decided by itself, in a transaction of its own, with the rights, the gates and the refusals
that it has there. Its idempotency key derives from that of the request and the row's id: the same request again goes on
where the first one ended, and does nothing twice.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, make_dataclass
from dataclasses import field as dataclass_field
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import structlog
from annotated_types import MaxLen, MinLen
from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter

from shared.commands.executor import CommandExecutor
from shared.commands.request import CommandRequest, CommandResult
from shared.domain.context import Actor
from shared.events.definition import described
from shared.events.registry import type_of
from shared.eventstore.append import Idempotency
from shared.http.command_routes import CommandRoute, operation_id, token_of, traceparent_of
from shared.http.context import ServiceContext
from shared.http.dry_runs import is_dry_run
from shared.http.failures import EXPECTED, problem_of
from shared.http.handwritten import CurrentActor, CurrentService, answer, body_of, handwritten, operation
from shared.http.headers import content_of, idempotency_key
from shared.http.json import answer_shape
from shared.http.problems import CATALOGUE, KINDS, Fault, Problem, pointer
from shared.http.read_your_writes import await_token

log = structlog.get_logger(__name__)

MOST_ROWS = 100
AT_ONCE = 25
"""So many rows are carried out beside each other: whoever asks for one thing gets their turn meanwhile."""
SECONDS = 20.0
"""After so long no further row is begun (real time)."""

Outcome = Literal["done", "unchanged", "refused"]


@answer_shape
class RowFault:
    """One thing that is wrong with a row."""

    code: str
    message: str
    pointer: str | None
    """JSON pointer of the field, into the body of this request."""
    details: dict[str, Any]


@answer_shape
class RowProblem:
    """Why a row was refused: what the command would have been answered at its own address (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[RowFault]


@answer_shape
class BulkRow:
    """What became of a row; in a dry run, what would become of it."""

    id: UUID
    outcome: Outcome
    """`unchanged` where it was so already, `refused` where nothing was recorded because of the problem."""
    replayed: bool
    """Whether it was carried out under this Idempotency-Key before."""
    version: int | None
    """The version that the thing has then. Of a row that was refused it is told where it was refused for another
    version, or where the refusal is on record."""
    events: list[str]
    """The types of what was recorded, to whichever thing; of a row that is replayed they are not told again."""
    token: str | None
    """The Consistency-Token of the row, for services that have to know of this very one."""
    problem: RowProblem | None


@answer_shape
class BulkAnswer:
    """What became of every row, in the order of the request, and how many came to what."""

    done: int
    unchanged: int
    refused: int
    rows: list[BulkRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """The rows of a body, and the same as they were sent."""

    rows: Sequence[Any]
    as_sent: Sequence[Any]


def bulk_routes(commands: Iterable[CommandRoute], given: Collection[type]) -> APIRouter:
    """The routes of the commands that may be `given` for many things at once. They have to stand before those of single
    things, whose addresses would take `bulk` for an id."""
    router = handwritten()
    for route in commands:
        if route.command in given:
            _add(router, route)
    return router


def _add(router: APIRouter, route: CommandRoute) -> None:
    name = route.handler.name.strip("_")
    body = _body(route)
    adapter: TypeAdapter[Any] = TypeAdapter(body)
    example = {"rows": [_example(route)]}
    told = operation(roles=route.handler.allow, body=body, example=example, answers=BulkAnswer)

    first = route.handler.summary
    about = (
        f"For many at once: {first[0].lower()}{first[1:]}\n\nEach row is decided by itself, as `{route.operation_id}` "
        f"is, and has its own result; what is refused stops no other row. At most {MOST_ROWS} rows, each counting as a "
        "request. With the same Idempotency-Key the same rows do nothing twice, so a request that broke off is sent "
        "again."
    )
    address = f"/v1/{route.aggregate.plural}/bulk/{name.replace('_', '-')}"

    @router.post(address, **told, name=_called(route), description=about)
    async def bulk(request: Request, asking: CurrentActor, service: CurrentService) -> Response:
        asked = await body_of(request, adapter)
        given = _Given(rows=asked.value.rows, as_sent=msgspec.json.decode(asked.raw)["rows"])
        return await _answered(request, service, asking, route, given)


def _body(route: CommandRoute) -> type:
    """The class of the body: rows, each with the id of a thing and the command for it."""
    name, is_change = route.command.__name__, route.method in ("PATCH", "PUT")
    version = described(int if is_change else int | None, "Only if the thing still has this version.")
    made = [("id", UUID), ("version", version), ("command", route.command)]
    optional = {} if is_change else {"version": dataclass_field(default=None)}
    row = _value(f"{name}Row", [(field, kind, optional.get(field, dataclass_field())) for field, kind in made])
    row.__doc__ = "The command for one thing."
    rows = Annotated[tuple[row, ...], MinLen(1), MaxLen(MOST_ROWS)]  # type: ignore[valid-type]
    body = _value(f"Bulk{name}", [("rows", rows, dataclass_field())])
    body.__doc__ = "The command for many things, each of which is named once."
    return body


def _value(name: str, fields: Any) -> type:
    made = make_dataclass(name, fields, frozen=True, slots=True, kw_only=True)
    made.__pydantic_config__ = {"extra": "forbid"}  # type: ignore[attr-defined]
    return made


def _example(route: CommandRoute) -> dict[str, Any]:
    example = {"id": "01936d2f-8a5c-7e54-b8a1-3d2c9b5e7f10", "command": getattr(route.command, "example", {})}
    return {**example, "version": 7} if route.method in ("PATCH", "PUT") else example


def _called(route: CommandRoute) -> str:
    return f"bulk_{route.handler.name.strip('_')}_{route.aggregate.name}".replace("-", "_")


async def _answered(
    request: Request, service: ServiceContext, actor: Actor, route: CommandRoute, given: _Given
) -> Response:
    _refuse_repeated(given.rows)
    service.authenticator.count(request, actor, len(given.rows) - 1)
    actor = await await_token(request, actor, service.commands.reads(route.aggregate, route.command))
    dry = is_dry_run(request)
    commands = service.dry_run_commands() if dry else service.commands
    results = await carried_out(commands, _requests(request, actor, route, given, key=_key(request)))
    rows = [
        _refused(row.id, place, result) if isinstance(result, Problem) else _done(service, result, dry=dry)
        for place, (row, result) in enumerate(zip(given.rows, results, strict=True))
    ]
    counts = Counter(row.outcome for row in rows)
    content = BulkAnswer(done=counts["done"], unchanged=counts["unchanged"], refused=counts["refused"], rows=rows)
    done = [result for result in results if isinstance(result, CommandResult) and not dry]
    return answer(content, headers={"Consistency-Token": token_of(service, *done)} if done else {})


def _key(request: Request) -> str | None:
    return None if is_dry_run(request) else idempotency_key(request)


def _refuse_repeated(rows: Sequence[Any]) -> None:
    """Of two rows about one thing nobody could say which is to come first."""
    times = Counter(row.id for row in rows)
    faults = [
        Fault(code="repeated", message="Each thing is named once.", pointer=pointer(("rows", place, "id")))
        for place, row in enumerate(rows)
        if times[row.id] > 1
    ]
    if faults:
        raise Problem("invalid-body", "Some things are named more than once.", faults=faults)


def _requests(
    request: Request, actor: Actor, route: CommandRoute, given: _Given, *, key: str | None
) -> list[CommandRequest]:
    """The rows as commands. A row is the same one again where it is about the same thing and says the same."""

    def idempotency(row: Any, sent: Any) -> Idempotency | None:
        if key is None:
            return None
        return Idempotency(
            principal=actor.subject,
            operation=operation_id(_called(route)),
            key=f"{key}/{row.id}",
            request_hash=content_of(request, msgspec.json.encode(sent)),
        )

    return [
        CommandRequest(
            route.aggregate,
            row.id,
            row.command,
            actor,
            expected=row.version,
            idempotency=idempotency(row, sent),
            correlation_id=request.scope["state"]["correlation_id"],
            traceparent=traceparent_of(request),
        )
        for row, sent in zip(given.rows, given.as_sent, strict=True)
    ]


async def carried_out(
    commands: CommandExecutor, requests: Sequence[CommandRequest], *, seconds: float = SECONDS
) -> list[CommandResult | Problem]:
    """Carry out the rows, some beside each other; the results in their order. What is not begun in time is told so, and
    is begun by the same request again."""
    until = time.monotonic() + seconds
    results: list[CommandResult | Problem] = []
    for first in range(0, len(requests), AT_ONCE):
        some = requests[first : first + AT_ONCE]
        if time.monotonic() >= until:
            results += [_not_begun()] * len(some)
        else:
            answers = await asyncio.gather(*(_one(commands, each) for each in some), return_exceptions=True)
            results += [_told(answer, request) for answer, request in zip(answers, some, strict=True)]
    return results


def _told(answer: CommandResult | Problem | BaseException, request: CommandRequest) -> CommandResult | Problem:
    """The result of a row. One that failed in a way that nobody expects hides no other: it is told as unexpected, and
    logged with everything that is known of it."""
    if not isinstance(answer, BaseException) or isinstance(answer, Problem):
        return answer
    if not isinstance(answer, Exception):
        raise answer
    log.error("bulk-row-failed", aggregate=request.aggregate.name, id=str(request.aggregate_id), exc_info=answer)
    return Problem("unexpected", "This row failed here; send it again with the same Idempotency-Key.")


async def _one(commands: CommandExecutor, request: CommandRequest) -> CommandResult | Problem:
    try:
        return await commands.execute(request)
    except EXPECTED as failure:
        return problem_of(failure)


def _not_begun() -> Problem:
    return Problem("unavailable", "There was no time left for this row; send it again with the same Idempotency-Key.")


def _done(service: ServiceContext, result: CommandResult, *, dry: bool) -> BulkRow:
    return BulkRow(
        id=result.aggregate_id,
        outcome="done" if result.events or result.replayed else "unchanged",
        replayed=result.replayed,
        version=result.sequence,
        events=[type_of(type(event)) for event in result.events],
        token=None if dry else token_of(service, result),
        problem=None,
    )


def _refused(id_: UUID, place: int, problem: Problem) -> BulkRow:
    within = pointer(("rows", place, "command"))
    told = problem_of_row(problem, lambda own: within + own)
    known = problem.extra.get("version")
    return BulkRow(id=id_, outcome="refused", replayed=False, version=known, events=[], token=None, problem=told)


def problem_of_row(problem: Problem, placed: Callable[[str], str]) -> RowProblem:
    """Why a row was refused; `placed` makes of a pointer into its command one into the body."""
    kind = KINDS[problem.kind]
    return RowProblem(
        type=f"{CATALOGUE}#{problem.kind}",
        title=kind.title,
        status=kind.status,
        detail=problem.detail,
        code=problem.code,
        errors=[
            RowFault(
                code=fault.code,
                message=fault.message,
                pointer=None if fault.pointer is None else placed(fault.pointer),
                details=dict(fault.details),
            )
            for fault in problem.faults
        ],
    )
