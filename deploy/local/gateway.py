"""The gateway: Caddy in front of the services, one origin for everybody."""

import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from deploy.local.fault import LocalError
from deploy.local.home import Home, write_atomically
from deploy.local.ports import LOOPBACK, reached
from deploy.local.program import Program
from shared.http.problems import CATALOGUE, KINDS

PROBLEMS = {
    "unavailable": "The service is starting or away.",
    "request-timeout": "The whole request did not arrive in time.",
    "body-too-large": "A body may have 1 MiB.",
    "not-found": "There is no such address.",
    "malformed-request": "The request cannot be passed on as it came.",
    "unexpected": "Something broke at the gateway.",
}
"""What the gateway itself refuses, by kind: its detail."""

PATH = '{{placeholder "http.request.orig_uri.path" | urlquery | replace "+" "%20" | replace "%2F" "/" | toJson}}'
"""The path as text of JSON that is a URI reference. `urlquery` escapes for a form, where a space is a plus."""

TEMPLATE = Path(__file__).with_name("Caddyfile")


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayPlace:
    """Where the gateway listens and what stands behind it."""

    home: Home
    port: int
    segments: Mapping[str, str]
    """What comes first after `/v1/`, or after `/v1/dry-runs/` with that, to the name of the service that owns it."""
    upstreams: Mapping[str, str]
    """Name of a service to its host and port; `forecast` also serves the page, `identity` the sign-in, and `mailbox`
    what was sent outside."""
    host: str = LOOPBACK
    header_seconds: int = 5
    """How long a client may take to send the head of a request."""
    body_seconds: int = 15
    """How long a client may take to send a whole request."""

    @property
    def ready_url(self) -> str:
        return f"http://{reached(self.host)}:{self.port}/gateway/ready"


def prepare(place: GatewayPlace) -> Program:
    """Write the configuration; gives the program that serves it. Raises LocalError."""
    configuration = place.home.path / "Caddyfile"
    write_atomically(configuration, configured(place))
    return Program(
        name="gateway",
        argv=(str(caddy()), "run", "--adapter", "caddyfile", "--config", str(configuration.resolve())),
        # Caddy keeps certificates and locks in these; a stack shares none with another program of this user.
        env={
            "XDG_DATA_HOME": str(place.home.path / "caddy"),
            "XDG_CONFIG_HOME": str(place.home.path / "caddy"),
        },
        stop_order=10,
        stop_seconds=6,
    )


def configured(place: GatewayPlace) -> str:
    """The Caddyfile of a place."""
    unknown = set(place.segments.values()) - set(place.upstreams)
    assert not unknown, f"segments are routed to services that do not run: {sorted(unknown)}"
    words = {
        "automatic_https": "off",
        "address": f"http://:{place.port}",
        "host": place.host,
        "header_seconds": str(place.header_seconds),
        "body_seconds": str(place.body_seconds),
        "identity": place.upstreams["identity"],
        "mailbox": place.upstreams["mailbox"],
        "page": place.upstreams["forecast"],
        "routes": "\n".join(routes(place)),
        **{kind: problem(kind, detail) for kind, detail in PROBLEMS.items()},
    }
    text = TEMPLATE.read_text(encoding="utf-8")
    for word, value in words.items():
        text = text.replace(f"<{word}>", value)
    return text


def problem(kind: str, detail: str) -> str:
    """A problem as the gateway answers it, with Caddy's words for what only the request tells."""
    told = {
        "type": f"{CATALOGUE}#{kind}",
        "title": KINDS[kind].title,
        "status": KINDS[kind].status,
        "detail": detail,
        "instance": "<path>",
        "code": kind,
        "correlation_id": "{correlation}",
    }
    return json.dumps(told).replace('"<path>"', PATH)


def routes(place: GatewayPlace) -> list[str]:
    owned = sorted((service, segment) for segment, service in place.segments.items())
    lines: list[str] = []
    for service, pairs in groupby(owned, key=lambda pair: pair[0]):
        paths = " ".join(f"/v1/{segment} /v1/{segment}/*" for _, segment in pairs)
        lines += [f"\t@{service} path {paths}", f"\thandle @{service} {{"]
        lines += [f"\t\timport service {place.upstreams[service]}", "\t}"]
    return lines


def caddy() -> Path:
    beside_python = Path(sys.executable).with_name("caddy")
    if beside_python.exists():
        return beside_python
    found = shutil.which("caddy")
    if found is None:
        raise LocalError("The gateway's program, caddy, is not installed.", "Run `make clean` and start again.")
    return Path(found)
