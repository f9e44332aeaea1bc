"""`throughline down`: stop everything, keep the data."""

import asyncio

import typer

from deploy.cli.output import Json, show


def run(json: Json = False, data: bool = typer.Option(False, "--data", help="Throw all data away as well.")) -> None:
    """Stop everything that `up` started, even when its supervisor has died. The data is kept."""
    from deploy.local.control import take_down
    from deploy.local.home import Home
    from deploy.local.stack import home_path

    home = Home(home_path().resolve())
    stopped = asyncio.run(take_down(home)) if home.path.exists() else []
    text = f"Stopped: {', '.join(sorted(stopped))}." if stopped else "Nothing was running."
    if data:
        home.remove()
        text += f" The data in {home.path} is gone."
    show({"stopped": sorted(stopped), "data_removed": data}, text, json)
