"""Names of services on the command line."""

import typer


def known_service(name: str) -> str:
    """The name of a service of the product. Raises BadParameter for another one."""
    from deploy.services import SERVICES

    if name not in SERVICES:
        raise typer.BadParameter(f"{name!r} is none of {', '.join(SERVICES)}.")
    return name
