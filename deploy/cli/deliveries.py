"""`throughline deliveries`: what waits to be sent outside, what is not tried any more, and sending it anew."""

import asyncio
from typing import Annotated, Literal
from uuid import UUID

import typer

from deploy.cli.output import Json, show
from deploy.cli.parked import Service, chosen

app = typer.Typer(help="List what is to be sent outside, or have it sent anew.", no_args_is_help=True)

State = Literal["waiting", "delivered", "dead"]


@app.command("list")
def list_(
    state: Annotated[State, typer.Option("--state", help="What waits, what was delivered, or what is dead.")] = "dead",
    receiver: Annotated[UUID | None, typer.Option("--receiver", help="Only this receiver's.")] = None,
    service: Service = None,
    json: Json = False,
) -> None:
    """List deliveries in their order, at most a thousand of a service: those that are not tried any more, or others."""
    found = asyncio.run(listed(service, state, receiver))
    lines = [
        f"{entry['service']:<12} {entry['channel']:<8} {entry['receiver']}  {entry['id']}  {entry['kind']}"
        f"\n{'':<13}{entry['attempts']} attempts, {entry['error'] or 'no error'}, queued {entry['queued_at']}"
        f"{', next ' + str(entry['next_attempt_at']) if state == 'waiting' and entry['next_attempt_at'] else ''}"
        for entry in found
    ]
    show(found, "\n".join(lines) or f"Nothing is {state}.", json)


@app.command()
def redrive(
    channel: Annotated[str | None, typer.Argument(help="Only of this channel: mail or webhook.")] = None,
    receiver: Annotated[UUID | None, typer.Option("--receiver", help="Only this receiver's.")] = None,
    delivery: Annotated[UUID | None, typer.Option("--delivery", help="Only this one.")] = None,
    service: Service = None,
    json: Json = False,
) -> None:
    """Have dead deliveries sent anew, under the ids that they have: who got one already drops it."""
    asked = asyncio.run(redriven(service, channel, receiver, delivery))
    total = sum(asked.values())
    waits = "`throughline deliveries list --state waiting` shows what still waits."
    show({"asked": asked}, f"Asked for {total} deliveries; {waits}" if total else "None of these is dead.", json)


async def listed(service: str | None, state: State, receiver: UUID | None) -> list[dict[str, object]]:
    """Deliveries by service. Raises LocalError."""
    from deploy.cli.databases import databases, this_stack
    from shared.deliveries import outbox

    async with databases(this_stack(), chosen(service)) as pools:
        return [
            {
                "service": name,
                "id": str(entry.id),
                "channel": entry.channel,
                "receiver": str(entry.receiver),
                "kind": entry.kind,
                "state": entry.state,
                "attempts": entry.attempts,
                "error": entry.error,
                "queued_at": entry.queued_at.isoformat(timespec="seconds"),
                "next_attempt_at": entry.next_attempt_at.isoformat(timespec="seconds")
                if entry.next_attempt_at
                else None,
            }
            for name, pool in pools.items()
            for entry in await outbox.listed(pool, state, receiver)
        ]


async def redriven(
    service: str | None, channel: str | None, receiver: UUID | None, delivery: UUID | None
) -> dict[str, int]:
    """How many deliveries are sent anew, by service. Raises LocalError."""
    from deploy.cli.databases import databases, this_stack
    from shared.deliveries import outbox

    async with databases(this_stack(), chosen(service)) as pools:
        return {name: await outbox.redrive(pool, channel, receiver, delivery) for name, pool in pools.items()}
