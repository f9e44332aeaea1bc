"""The environment of a stack's programs: composed by an allow list, so that no other variable reaches them."""

import os
from collections.abc import Mapping
from dataclasses import fields

from shared.ops.settings import Settings, environment_name

MACHINE = (
    *("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "XDG_CACHE_HOME", "THROUGHLINE_CACHE"),
    # Where this very Python and the libraries of the wheels are found, and where it may write.
    *("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "NIX_LD", "NIX_LD_LIBRARY_PATH"),
)
"""What programs are told of the machine. Not among them: proxies, `PG…`, `JAVA_TOOL_OPTIONS`, `CLASSPATH`, `KAFKA_…`,
`WEB_CONCURRENCY`, `NOTIFY_SOCKET` and whatever else a library or server would read unasked."""

SAME_EVERYWHERE = {
    "TZ": "UTC",
    # Java names files by the locale: with any other one it cannot find a folder whose name has an umlaut.
    "LC_ALL": "C.UTF-8",
    "PYTHONUTF8": "1",
}

TOOLS = ("SIMULATE_PACE",)
"""Settings of the stack's own programs that are none of the services'."""


def composed(own: Mapping[str, str], around: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The whole environment of a program: what is its own, the machine, and what is the same on every machine."""
    return {**{name: around[name] for name in MACHINE if name in around}, **SAME_EVERYWHERE, **own}


def settings_in(around: Mapping[str, str]) -> dict[str, str]:
    """The settings that an environment has, without addresses of databases: each service is given its own alone."""
    names = {environment_name(field.name, "") for field in fields(Settings)} - {environment_name("database_url", "")}
    return {name: around[name] for name in sorted({*names, *TOOLS} - {"SERVICE"}) if name in around}
