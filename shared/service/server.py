"""Serve one service on one port, by one process or several, until it is told to stop."""

import asyncio
import os
import signal
import socket
from collections.abc import Collection, Sequence
from types import FrameType

import structlog
import uvicorn
from fastapi import FastAPI
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.http.probes import PROBES
from shared.ops.collector import calm_the_collector
from shared.ops.logs import configure_logs
from shared.ops.settings import Settings
from shared.service.build import build
from shared.service.definition import Part, Service
from shared.service.prefork import Parent, listening_socket, prefork

log = structlog.get_logger(__name__)

GRACE_SECONDS = 20
"""How long requests that are being answered may take after the signal to stop."""


def run(service: Service, settings: Settings, only: Part | None = None, processes: int = 1) -> int:
    """Serve a service on HOST and SERVICE_PORT, and HEALTH_PORT where it is set; returns after SIGTERM or SIGINT, once
    everything has been put down.

    Several processes share the port: the first does all that is asked for, the others answer requests; each has a
    health port of its own, counted up from HEALTH_PORT. Gives the exit code.
    """
    configure_logs(settings.service, settings.log_level)
    try:
        shared = listening_socket(settings.host, settings.service_port)
        own = [listening_socket(settings.host, port) for port in health_ports(settings, processes)]
    except (OSError, OverflowError) as refusal:
        log.error("not-started", reason=f"cannot listen on {settings.host}: {refusal}")
        return 1
    if processes == 1:
        calm_the_collector()
        _serve(service, settings, only, [shared, *own])
        return 0
    build(service, settings, only)  # imports everything, so that the processes share its memory
    calm_the_collector()

    def child(number: int, parent: Parent) -> None:
        _serve(service, settings, "web" if number else only, [shared, *own[number : number + 1]], parent)

    return prefork(processes, child)


def health_ports(settings: Settings, processes: int) -> Sequence[int]:
    """The health port of each process; none where HEALTH_PORT is not set."""
    first = settings.health_port
    return () if first is None else range(first, first + processes)


def _serve(
    service: Service,
    settings: Settings,
    only: Part | None,
    listening: list[socket.socket],
    parent: Parent | None = None,
) -> None:
    app = build(service, settings, only)
    ports = {each.getsockname()[1] for each in listening[1:]}
    Server(server_config(probes_alone(app, ports), settings), app, parent).run(listening)


def probes_alone(app: ASGIApp, ports: Collection[int]) -> ASGIApp:
    """The application, of which ports for health answer probes and Prometheus and nothing else."""

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["server"][1] in ports and scope["path"] not in PROBES:
            await Response(status_code=404)(scope, receive, send)
        else:
            await app(scope, receive, send)

    return answered


def server_config(app: ASGIApp, settings: Settings) -> uvicorn.Config:
    """How a service is served."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.service_port,
        http="httptools",
        loop="uvloop",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        workers=1,  # otherwise WEB_CONCURRENCY would say
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=GRACE_SECONDS,
        backlog=2048,
    )


class Server(uvicorn.Server):
    """uvicorn, telling the application at once that it stops: endless answers (event streams) end by themselves."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, parent: Parent | None = None) -> None:
        """Below a parent it says when it has started, and stops once that is gone."""
        super().__init__(config)
        self._app = app
        self._parent = parent

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal to stop came."""
        stopping: asyncio.Event | None = getattr(self._app.state, "stopping", None)
        if stopping is not None:
            stopping.set()
        log.info("stopping", signal=signal.Signals(sig).name)
        # Not the parent's way: it raises the signal again at the end, and a good stop would look like a death.
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say where."""
        await super().startup(sockets)
        if self._parent is not None:
            asyncio.get_running_loop().add_reader(self._parent.gone, self._orphaned, self._parent.gone)
        if self.started:
            if self._parent is not None:
                os.write(self._parent.started, b".")
            port, *health = [server.sockets[0].getsockname()[1] for server in self.servers]
            log.info("serving", host=self.config.host, port=port, health_ports=health)

    def _orphaned(self, parent: int) -> None:
        asyncio.get_running_loop().remove_reader(parent)
        self.handle_exit(signal.SIGTERM, None)
