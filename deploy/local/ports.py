"""Ports on this machine: free ones, remembered ones, busy ones."""

import json
import socket

import psutil

from deploy.local.fault import LocalError
from deploy.local.home import Home, read_json, write_atomically

LOOPBACK = "127.0.0.1"
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - named to be told apart


def is_free(port: int, host: str = LOOPBACK) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # The servers set this too: without it a port counts as taken for a minute after its last connection.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def reached(host: str) -> str:
    """Where this machine reaches what listens on an interface."""
    return LOOPBACK if host in EVERYWHERE else host


def answers(port: int, host: str = LOOPBACK) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def remembered(home: Home, names: list[str], *, choose: bool = True) -> dict[str, int]:
    """A port for each name: the one it had last time while that is still free, otherwise any free one.

    With `choose=False` the last ones count even when they are in use: by the stack itself, that is.
    """
    file = home.path / "ports.json"
    before = read_json(file)
    ports: dict[str, int] = {}
    for name in names:
        old = before.get(name)
        if isinstance(old, int) and (not choose or is_free(old)):
            ports[name] = old
        else:
            ports[name] = free_port(taken={*ports.values(), *before.values()})
    if ports != before:
        write_atomically(file, json.dumps(ports, indent=2))
    return ports


def free_port(taken: set[int]) -> int:
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind((LOOPBACK, 0))
            port: int = probe.getsockname()[1]
        if port not in taken:
            return port


def require_free(port: int) -> None:
    """Raises LocalError, with the name of the program that holds the port where the system tells it."""
    if is_free(port):
        return
    if port < 1024 and not answers(port):
        raise LocalError(f"Port {port} may not be used by this user.", "Choose one above 1023: `make demo PORT=8080`.")
    holder = holder_of(port)
    raise LocalError(
        f"Port {port} is in use by {holder}." if holder else f"Port {port} is in use by another program.",
        f"Stop that program, or choose another port: `make demo PORT={port + 1}`.",
    )


def holder_of(port: int) -> str | None:
    """The name and process id of who listens on a port, as far as this user may know."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            here = connection.laddr and connection.laddr.port == port
            if here and connection.status == psutil.CONN_LISTEN and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    except psutil.Error:
        return None
    return None
