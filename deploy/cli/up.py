"""`throughline up`: the whole stack on this machine."""

import asyncio

from deploy.cli.output import Json, say, show


def run(json: Json = False) -> None:
    """Start everything on this machine and wait until it is ready. Running it twice is harmless."""
    from deploy.local.control import bring_up, is_supervised
    from deploy.local.home import Home
    from deploy.local.stack import Stack, home_path

    running = is_supervised(Home(home_path().resolve()))
    stack = Stack.at(home_path(), choose_ports=not running)
    state = asyncio.run(bring_up(stack, say))
    show({"origin": state["origin"], "kafka": state["kafka"]}, f"Throughline answers at {state['origin']}", json)
