"""`throughline parked`: what could not be handled, and handling it again."""

import asyncio
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from deploy.cli.output import Json, show
from deploy.cli.services import known_service

if TYPE_CHECKING:
    from deploy.local.fault import LocalError

app = typer.Typer(help="List what could not be handled, or have it handled again.", no_args_is_help=True)

Service = Annotated[str | None, typer.Option("--service", help="Only in this service.")]


@app.command("list")
def list_(service: Service = None, json: Json = False) -> None:
    """List the sequences of events that wait because one of them could not be handled."""
    found = asyncio.run(parked(service))
    lines = [
        f"{entry['service']:<12} {entry['runner']:<20} {entry['aggregate_id']}  {entry['events']} events,"
        f" {entry['attempts']} attempts, next {entry['next_attempt_at'] or 'when asked'}\n{'':<13}{entry['error']}"
        for entry in found
    ]
    show(found, "\n".join(lines) or "Nothing is parked.", json)


@app.command()
def redrive(
    runner: Annotated[str | None, typer.Argument(help="Only of this runner, as `list` names it.")] = None,
    aggregate: Annotated[UUID | None, typer.Argument(help="Only this aggregate's.")] = None,
    service: Service = None,
    json: Json = False,
) -> None:
    """Have parked sequences handled again now, each in its order, by the services that parked them."""
    asked = asyncio.run(redriven(service, runner, aggregate))
    total = sum(asked.values())
    if not total and runner is not None:
        raise nothing_parked(runner, aggregate)
    waits = "`throughline parked list` shows what still waits."
    show({"asked": asked}, f"Asked for {total} sequences; {waits}" if total else "Nothing is parked.", json)


def nothing_parked(runner: str, aggregate: UUID | None) -> "LocalError":
    """Why a name that was asked for leads nowhere: mistyped, or handled meanwhile."""
    from deploy.local.fault import LocalError

    whose = "" if aggregate is None else f" of {aggregate}"
    return LocalError(f"Nothing{whose} is parked under {runner!r}.", "`throughline parked list` names what is.")


async def parked(service: str | None) -> list[dict[str, object]]:
    """Everything that waits, by service. Raises LocalError."""
    from deploy.cli.databases import databases, this_stack
    from shared.following import dead_letters

    async with databases(this_stack(), chosen(service)) as pools:
        return [
            {
                "service": name,
                "runner": entry.runner,
                "aggregate_id": str(entry.aggregate_id),
                "events": entry.events,
                "attempts": entry.attempts,
                "next_attempt_at": entry.next_attempt_at.isoformat() if entry.next_attempt_at else None,
                "error": entry.error,
            }
            for name, pool in pools.items()
            for entry in await dead_letters.parked(pool)
        ]


async def redriven(service: str | None, runner: str | None, aggregate: UUID | None) -> dict[str, int]:
    """How many sequences were asked for, by service. Raises LocalError."""
    from deploy.cli.databases import databases, this_stack
    from shared.following.dead_letters import request_redrive

    async with databases(this_stack(), chosen(service)) as pools:
        return {name: await request_redrive(pool, runner, aggregate) for name, pool in pools.items()}


def chosen(service: str | None) -> tuple[str, ...]:
    """One service, or all."""
    from deploy.services import SERVICES

    return SERVICES if service is None else (known_service(service),)
