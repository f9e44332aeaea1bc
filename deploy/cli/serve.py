"""`throughline serve <service>`: one process of the product."""

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli.output import Json

if TYPE_CHECKING:
    from fastapi import FastAPI


class Part(StrEnum):
    """What a process does of a service."""

    web = "web"
    workers = "workers"


def run(
    service: Annotated[str, typer.Argument(help="leads, deals, contracts, receivables, forecast, identity or mailbox")],
    only: Annotated[
        Part | None, typer.Option(help="web: answer requests. workers: do what follows from them. Default: both.")
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="How many processes answer requests, all of them on SERVICE_PORT.")
    ] = 1,
    json: Json = False,
) -> None:
    """Serve one service on HOST and SERVICE_PORT until told to stop; `identity` and `mailbox` are for development."""
    from deploy.local.stack import IDENTITY, MAILBOX
    from deploy.services import SERVICES

    if service == IDENTITY:
        serve_identity()
    elif service == MAILBOX:
        serve_mailbox()
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
        raise typer.BadParameter(f"{service!r} is none of {', '.join((*SERVICES, IDENTITY, MAILBOX))}.")


def serve_identity() -> None:
    """The development issuer knows no database, hence none of the settings of services but where it listens."""
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
    _serve(app)


def serve_mailbox() -> None:
    """Where mail and webhooks of a development stack arrive; it knows no database either."""
    from deploy.local.mailbox import build_mailbox
    from shared.ops.logs import configure_logs

    configure_logs("mailbox", os.environ.get("LOG_LEVEL", "info"))
    port = int(os.environ.get("MAILBOX_SMTP_PORT", "1025"))
    _serve(build_mailbox(os.environ.get("HOST", "127.0.0.1"), port))


def _serve(app: "FastAPI") -> None:
    import uvicorn

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
