"""`throughline simulate`: the people of the demo company at work."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.output import Json, say


def run(
    seed: Annotated[int, typer.Option(help="The same seed and run bring the same decisions.")] = 1,
    after: Annotated[Path | None, typer.Option(help="Do not begin before this file is there.")] = None,
    json: Json = False,
) -> None:
    """Keep the people of the demo company at work through the public interface, until told to stop.

    SIMULATE_PACE is how many turns they take in a minute (40); SIMULATE=0 keeps `throughline up` from starting this.
    """
    from deploy.demo.simulator import Simulation, until_told
    from deploy.local.stack import Stack, home_path
    from shared.ops.logs import configure_logs

    stack = Stack.at(home_path(), choose_ports=False)
    configure_logs("simulator", os.environ.get("LOG_LEVEL", "info"))
    simulation = Simulation(
        origin=stack.origin, secret=stack.home.secret("stack"), seed=seed, run=next_run(stack.home.path), pace=pace()
    )
    say(f"The people of the demo company take {simulation.pace:g} turns a minute at {stack.origin}.")
    asyncio.run(until_told(simulation, after))


def pace() -> float:
    """Turns a minute. Raises LocalError."""
    from deploy.local.fault import LocalError

    given = os.environ.get("SIMULATE_PACE") or "40"
    try:
        turns = float(given)
    except ValueError:
        turns = 0.0
    if not 0 < turns <= 6000:
        raise LocalError(f"SIMULATE_PACE is {given!r}.", "Give the turns a minute: a number from 1 to 6000.")
    return turns


def next_run(home: Path) -> int:
    """How often the people went to work in this home; counted from 1."""
    from deploy.local.home import write_atomically

    file = home / "simulator.runs"
    number = int(file.read_text(encoding="utf-8")) + 1 if file.exists() else 1
    write_atomically(file, str(number))
    return number
