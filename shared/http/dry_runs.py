"""Dry run: what a command would do now, at an address of its own: `POST /v1/dry-runs/<address of the command>`.

Decided as the command would be, on what is there now, with the same rights and the same refusals. Nothing is written:
no number is taken, no timer set, and no Idempotency-Key needed. Between it and the command somebody else may act.
"""

from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from shared.commands.request import CommandRequest, CommandResult, StreamOutcome
from shared.domain.aggregate import status_of
from shared.events.registry import type_of
from shared.http.context import ServiceContext
from shared.http.json import answer_shape, encode

V1 = "/v1/"
DRY_RUNS = f"{V1}dry-runs/"


@answer_shape
class WouldHappen:
    """An event that would be recorded. `data` is its content where it is about the thing itself; of others, like a
    series that gives out a number, nothing but the type is told."""

    aggregate: str
    id: UUID
    type: str
    data: dict[str, Any] | None


@answer_shape
class WouldRun:
    """A command that the clock would give at `due`; one that is running already goes on or is set anew."""

    name: str
    due: datetime


@answer_shape
class DryRun:
    """What the command would do now. Without events everything is as it asks for already. Ids that are made on the way
    would be others."""

    id: UUID
    version: int
    status: str
    events: list[WouldHappen]
    timers: list[WouldRun]


def dry_path(path: str) -> str:
    """Where the dry run of a command is asked for."""
    return DRY_RUNS + path.removeprefix(V1)


def dry_run_id(operation_id: str) -> str:
    """The operation id of the dry run of a command."""
    return f"dryRun{operation_id[0].upper()}{operation_id[1:]}"


def is_dry_run(request: Request) -> bool:
    """Whether a request asks what a command would do."""
    path: str = request.scope["path"]
    return path.startswith(DRY_RUNS)


async def dry_run(service: ServiceContext, command: CommandRequest) -> CommandResult:
    """What a command would come to. Raises `Rejected` and `Refused` as the command does."""
    (result,) = await service.dry_run_commands().execute_many([command])
    if isinstance(result, Exception):
        raise result
    return result


def dry_run_answer(result: CommandResult) -> Response:
    """What would happen."""
    itself = result.streams[0]
    timers = itself.aggregate.timers_of(itself.state)
    answer = DryRun(
        id=result.aggregate_id,
        version=result.sequence,
        status=status_of(itself.aggregate, itself.state),
        events=[each for stream in result.streams for each in _events(stream, whole=stream is itself)],
        timers=[WouldRun(name=name.replace("_", "-"), due=timer.due) for name, timer in sorted(timers.items())],
    )
    return Response(encode(answer), headers={"Content-Type": "application/json"})


def _events(stream: StreamOutcome, *, whole: bool) -> list[WouldHappen]:
    return [
        WouldHappen(
            aggregate=stream.aggregate.name,
            id=stream.aggregate_id,
            type=type_of(type(event)),
            data={field.name: getattr(event, field.name) for field in fields(event)} if whole else None,
        )
        for event in stream.events
    ]
