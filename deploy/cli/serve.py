"""`throughline serve <service>`: one process of the product."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.output import Json


class Part(StrEnum):
    """What a process does of a service."""

    web = "web"
    workers = "workers"


def run(
    service: Annotated[str, typer.Argument(help="leads, deals, contracts, receivables, forecast, or identity")],
    only: Annotated[
        Part | None, typer.Option(help="web: answer requests. workers: do what follows from them. Default: both.")
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="How many processes answer requests, all of them on SERVICE_PORT.")
    ] = 1,
    json: Json = False,
) -> None:
    """Serve one service on HOST and SERVICE_PORT until told to stop; `identity` is the issuer for development."""
    from deploy.local.stack import IDENTITY
    from deploy.services import SERVICES

    if service == IDENTITY:
        serve_identity()
    elif service in SERVICES:
        from deploy.services import definition_of
        from shared.ops.settings import Settings
        from shared.service.server import run as serve

        if only is Part.workers and workers > 1:
            raise typer.BadParameter(
                "Of the workers one process at a time works: start another one, on another machine."
            )
        settings = Settings.from_environment(service)
        if code := serve(definition_of(service), settings, only.value if only else None, workers):
            raise typer.Exit(code)
    else:
        raise typer.BadParameter(f"{service!r} is none of {', '.join((*SERVICES, IDENTITY))}.")


def serve_identity() -> None:
    """The development issuer knows no database, hence none of the settings of services but where it listens."""
    import uvicorn

    from deploy.local.fault import LocalError
    from deploy.local.identity import build_identity
    from shared.ops.logs import configure_logs

    missing = [name for name in ("THROUGHLINE_HOME", "OIDC_ISSUER", "STACK_SECRET") if not os.environ.get(name)]
    if missing:
        raise LocalError(f"The setting {missing[0]} is missing.", "`throughline up` gives it to the issuer it starts.")
    configure_logs("identity", os.environ.get("LOG_LEVEL", "info"))
    app = build_identity(
        Path(os.environ["THROUGHLINE_HOME"]),
        os.environ["OIDC_ISSUER"],
        secret=os.environ["STACK_SECRET"],
        audience=os.environ.get("OIDC_AUDIENCE", "throughline"),
    )
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("SERVICE_PORT", "0"))
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        # Otherwise WEB_CONCURRENCY and FORWARDED_ALLOW_IPS would say.
        workers=1,
        forwarded_allow_ips=host,
    )
