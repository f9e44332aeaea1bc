"""`throughline doctor`: is this machine fit, and what to do where it is not."""

import asyncio
import importlib.util
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from deploy.cli.output import Json, show
from deploy.local.environment import composed
from deploy.local.fault import LocalError
from deploy.local.home import LEAST_FREE_BYTES, Home, cache

LEAST_MEMORY_BYTES = 2 << 30
LEAST_FILES = 4096


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    what: str
    fit: bool
    found: str
    remedy: str = ""


def run(json: Json = False) -> None:
    """Check this machine: versions, ports, disk, memory, Java, downloads, limits, secret; each with what to do."""
    findings = [
        python(),
        venv_module(),
        *servers(),
        java(),
        artefacts(),
        ports(),
        disk(),
        memory(),
        open_files(),
        claims(),
    ]
    lines = []
    for finding in findings:
        lines.append(f"{'ok ' if finding.fit else 'NOT'}  {finding.what}: {finding.found}")
        if not finding.fit:
            lines.append(f"     → {finding.remedy}")
    show([asdict(finding) for finding in findings], "\n".join(lines), json)
    if not all(finding.fit for finding in findings):
        raise typer.Exit(1)


def python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    fit = (3, 11) <= sys.version_info[:2] < (3, 14)
    return Finding("Python", fit, found, "Install Python 3.11, 3.12 or 3.13 and run `make clean`, then `make demo`.")


def venv_module() -> Finding:
    fit = all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))
    remedy = "Install it with your system's package manager; on Debian it is the package python3-venv."
    return Finding("venv module", fit, "there" if fit else "missing", remedy)


def servers() -> list[Finding]:
    from deploy.local import gateway, postgres

    binary = postgres.wheel_binaries() / "bin" / "postgres"
    findings = [Finding("PostgreSQL", *version_of(binary, "--version"), remedy="Run `make clean`, then `make demo`.")]
    try:
        findings.append(Finding("gateway", *version_of(gateway.caddy(), "version"), remedy="Run `make clean`."))
    except LocalError as fault:
        findings.append(Finding("gateway", False, fault.sentence, fault.remedy))
    return findings


def java() -> Finding:
    from deploy.local import kafka

    fit, found = version_of(kafka.java_runtime(), kafka.NO_COUNTERS, "--version")
    return Finding("Java for Kafka", fit, found, "There is no runtime for this kind of machine; set KAFKA_BOOTSTRAP.")


def artefacts() -> Finding:
    from deploy.local import kafka

    what = "Kafka's artefacts"
    jars = kafka.locked_jars()
    try:
        folder = kafka.jar_folder()
    except LocalError as fault:
        return Finding(what, False, fault.sentence, fault.remedy)
    there = sum(os.path.lexists(folder / jar.file_name) for jar in jars)
    found = f"{there} of {len(jars)} in {cache()}"
    # Missing ones are no fault, for `up` fetches them, as long as they can be kept.
    hindrance = refused(folder) if there < len(jars) and not os.environ.get("KAFKA_BOOTSTRAP") else ""
    if hindrance:
        remedy = "Give this user access, or set THROUGHLINE_CACHE to a folder that can be written."
        return Finding(what, False, f"{found}, which cannot be written ({hindrance})", remedy)
    return Finding(what, True, found)


def refused(folder: Path) -> str:
    """Why nothing can be made in a folder, or in the nearest above it that is there; empty when it can.

    It is tried, as modes do not tell everything: root may write anywhere by them.
    """
    nearest = next(place for place in (folder, *folder.absolute().parents) if os.path.lexists(place))
    try:
        with tempfile.TemporaryDirectory(dir=nearest):
            return ""
    except OSError as error:
        return error.strerror or type(error).__name__


def ports() -> Finding:
    from deploy.local.control import is_supervised
    from deploy.local.ports import require_free
    from deploy.local.stack import home_path, origin_port

    if is_supervised(Home(home_path().resolve())):
        return Finding("port", True, "in use by the running stack")
    try:
        port = origin_port()
        require_free(port)
    except LocalError as fault:
        return Finding("port", False, fault.sentence, fault.remedy)
    return Finding("port", True, f"{port} is free")


def disk() -> Finding:
    from deploy.local.stack import home_path

    if hindrance := refused(home_path()):
        remedy = "Give this user access, or set THROUGHLINE_HOME to a folder that can be written."
        return Finding("disk", False, f"{home_path()} cannot be written ({hindrance})", remedy)
    place = next(folder for folder in (home_path(), *home_path().resolve().parents) if folder.exists())
    free = shutil.disk_usage(place).free
    remedy = "Free some space, or set THROUGHLINE_HOME to a folder on another disk."
    return Finding("disk", free >= LEAST_FREE_BYTES, f"{free >> 20} MiB free at {place}", remedy)


def memory() -> Finding:
    import psutil

    free = psutil.virtual_memory().available
    remedy = "Close other programs: everything together needs 2 GiB."
    return Finding("memory", free >= LEAST_MEMORY_BYTES, f"{free >> 20} MiB available", remedy)


def open_files() -> Finding:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    fit = hard == resource.RLIM_INFINITY or hard >= LEAST_FILES
    found = "unlimited" if hard == resource.RLIM_INFINITY else str(hard)
    return Finding("open files", fit, found, f"Raise the limit: `ulimit -n {LEAST_FILES}`.")


def claims() -> Finding:
    """Whether the databases of this stack, as far as they answer, have claims under its secret."""
    from deploy.local.stack import Stack, home_path
    from deploy.services import SERVICES

    what = "claim secret"
    if not home_path().exists():
        return Finding(what, True, "nothing has started here yet")
    try:
        stack = Stack.at(home_path(), choose_ports=False)
    except LocalError as fault:
        return Finding(what, False, fault.sentence, fault.remedy)
    secret = stack.settings()["CLAIM_SECRET"].encode()
    held = asyncio.run(secrets_held({name: stack.database_url(name) for name in SERVICES}, secret))
    other = [name for name, same in held.items() if not same]
    if other:
        remedy = "Set CLAIM_SECRET to the secret that their data was written with; docs/how-to/operate.md says more."
        return Finding(what, False, f"another one in the database of {', '.join(other)}", remedy)
    found = f"that of {', '.join(held)}" if held else "no database answers or keeps one yet"
    return Finding(what, True, found)


async def secrets_held(urls: Mapping[str, str], secret: bytes) -> dict[str, bool]:
    """By service whether its database is held to this secret; without those that do not answer or keep none yet."""
    import asyncpg

    from shared.eventstore.claim_secret import fingerprint, kept_fingerprint
    from shared.eventstore.connecting import connect

    held = {}
    for service, url in urls.items():
        try:
            connection = await connect(url, timeout=2)
        except (OSError, TimeoutError, asyncpg.PostgresError):
            continue
        try:
            kept = await kept_fingerprint(connection)
        except asyncpg.UndefinedTableError:
            kept = None
        finally:
            await connection.close()
        if kept is not None:
            held[service] = kept == fingerprint(secret)
    return held


def version_of(binary: Path, *options: str) -> tuple[bool, str]:
    """Whether a program runs on this machine, and the first line it says of itself."""
    try:
        said = subprocess.run(  # noqa: S603 - our own binaries
            [binary, *options], check=True, capture_output=True, encoding="utf-8", env=composed({}), timeout=30
        )
    except (OSError, subprocess.SubprocessError) as error:
        return False, f"does not run ({type(error).__name__})"
    return True, said.stdout.strip().splitlines()[0]
