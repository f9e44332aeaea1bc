"""Serve one service on one port until it is told to stop."""

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

log = structlog.get_logger(__name__)

GRACE_SECONDS = 20
"""How long requests that are being answered may take after the signal to stop."""

COLLECT = (50_000, 20, 100)
"""Thresholds of the garbage collector: with Python's own, a collection in the middle of requests triples their p99."""


def run(app: FastAPI, settings: Settings) -> None:
    """Serve `app` on HOST and SERVICE_PORT; returns after SIGTERM or SIGINT, once everything has been put down."""
    configure_logs(settings.service, settings.log_level)
    calm_the_collector()
    Server(server_config(app, settings), app).run()


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

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

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
        if self.started:
            port = self.servers[0].sockets[0].getsockname()[1]
            log.info("serving", host=self.config.host, port=port)
