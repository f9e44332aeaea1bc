"""Serve one service on one port, by one process or several, until it is told to stop."""

import asyncio
import gc
import signal
import socket
from types import FrameType

import structlog
import uvicorn
from fastapi import FastAPI

from shared.ops.logs import configure_logs
from shared.ops.settings import Settings
from shared.service.build import build
from shared.service.definition import Part, Service
from shared.service.prefork import listening_socket, prefork

log = structlog.get_logger(__name__)

GRACE_SECONDS = 20
"""How long requests that are being answered may take after the signal to stop."""

COLLECT = (50_000, 20, 100)
"""Thresholds of the garbage collector: with Python's own, a collection in the middle of requests triples their p99."""


def run(service: Service, settings: Settings, only: Part | None = None, processes: int = 1) -> int:
    """Serve a service on HOST and SERVICE_PORT, and HEALTH_PORT where it is set; returns after SIGTERM or SIGINT, once
    everything has been put down.

    Several processes share the port: the first does all that is asked for, the others answer requests; each has a
    health port of its own, counted up from HEALTH_PORT. Gives the exit code.
    """
    configure_logs(settings.service, settings.log_level)
    listening = [listening_socket(settings.host, settings.service_port)]
    if processes == 1:
        calm_the_collector()
        _serve(service, settings, only, 0, listening)
        return 0
    build(service, settings, only)  # imports everything, so that the processes share its memory
    calm_the_collector()

    def child(number: int, parent: int) -> None:
        _serve(service, settings, "web" if number else only, number, listening, parent)

    return prefork(processes, child)


def _serve(  # noqa: PLR0917
    service: Service,
    settings: Settings,
    only: Part | None,
    number: int,
    listening: list[socket.socket],
    parent: int | None = None,
) -> None:
    app = build(service, settings, only)
    if settings.health_port is not None:
        listening = [*listening, listening_socket(settings.host, settings.health_port + number)]
    Server(server_config(app, settings), app, parent).run(listening)


def server_config(app: FastAPI, settings: Settings) -> uvicorn.Config:
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


def calm_the_collector() -> None:
    """Take what start-up made out of collections, and collect less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT)


class Server(uvicorn.Server):
    """uvicorn, telling the application at once that it stops: endless answers (event streams) end by themselves."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, parent: int | None = None) -> None:
        """`parent` is a descriptor that is at its end once the parent process is gone: then it stops as well."""
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
            asyncio.get_running_loop().add_reader(self._parent, self._orphaned, self._parent)
        if self.started:
            port = self.servers[0].sockets[0].getsockname()[1]
            log.info("serving", host=self.config.host, port=port)

    def _orphaned(self, parent: int) -> None:
        asyncio.get_running_loop().remove_reader(parent)
        self.handle_exit(signal.SIGTERM, None)
