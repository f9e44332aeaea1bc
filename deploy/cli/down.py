"""`throughline down`: stop everything, keep the data."""

import asyncio
from typing import Annotated

import typer

from deploy.cli.output import Json, show
from deploy.cli.services import known_service


def run(
    service: Annotated[str | None, typer.Argument(help="Stop this service alone; servers and others go on.")] = None,
    json: Json = False,
    data: bool = typer.Option(False, "--data", help="Throw all data away as well."),
) -> None:
    """Stop everything that `up` started, even when its supervisor has died. The data is kept."""
    from deploy.local.control import hold, take_down
    from deploy.local.home import Home
    from deploy.local.stack import home_path

    home = Home(home_path().resolve())
    if service is not None:
        if data:
            raise typer.BadParameter("--data is for the whole stack.")
        known_service(service)
        stopped_now = asyncio.run(hold(home, service))
        text = f"{service} is stopped until `throughline up {service}`."
        show({"stopped": [service] if stopped_now else [], "held": service}, text, json)
        return
    stopped = asyncio.run(take_down(home)) if home.path.exists() else []
    text = f"Stopped: {', '.join(sorted(stopped))}." if stopped else "Nothing was running."
    if data:
        home.remove()
        text += f" The data in {home.path} is gone."
    show({"stopped": sorted(stopped), "data_removed": data}, text, json)
