"""Where a local stack keeps its data, logs and records."""

import errno
import fcntl
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.fault import LocalError

LAYOUT = "throughline 1: postgresql 18, kafka 4.1"
"""Written into every home. A home with another layout holds data that today's servers cannot open."""
MARKER = "layout"
"""The file that says so; what has one is a home."""

LEAST_FREE_BYTES = 1 << 30
MEMORY = Path("/dev/shm")  # noqa: S108 - whoever makes a folder in it looks whose it is
LEAST_MEMORY_BYTES = 4 << 30
"""Containers have 64 MB of it where nobody asks for more."""


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of one stack. Two stacks with different homes know nothing of each other."""

    path: Path

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def records(self) -> Path:
        """One file a started process: how a later command finds what an earlier one left running."""
        return self.path / "run"

    @property
    def state(self) -> Path:
        return self.path / "state.json"

    @property
    def held(self) -> Path:
        """One empty file for each service that was stopped alone: the supervisor does not start it again."""
        return self.path / "held"

    @property
    def kafka(self) -> Path:
        return self.path / "kafka"

    @property
    def postgres(self) -> Path:
        """Data of PostgreSQL, which refuses to run as root.

        Root's own folders are closed to the unprivileged user it runs as instead, so that root keeps this one folder
        outside of the home, rather than opening a parent to everybody.
        """
        if os.geteuid() != 0:
            return self.path / "postgres"
        return root_only_places() / self.elsewhere

    @property
    def volatile(self) -> Path:
        """Data of a PostgreSQL that need not outlive the machine: in memory (tmpfs), where there is enough for it.

        A database is some three hundred files. To make and drop it time and again is slow on a disk, the more so where
        ext4 has no journal: for each new file it looks through all that were deleted within the last minutes.
        """
        # By its size: what is free may change while processes use the home.
        if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).total < LEAST_MEMORY_BYTES:
            return self.postgres
        return MEMORY / f"throughline-{os.geteuid()}-{self.elsewhere}"

    @property
    def elsewhere(self) -> str:
        """The name of this home in a folder that others use, too."""
        return hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]

    def prepare(self) -> None:
        """Make the folders; refuses a full disk and the data of another version.

        Raises LocalError.
        """
        self.check_name()
        try:
            for folder in (self.path, self.logs, self.records, self.kafka):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                refuse_read_only(folder)
        except OSError as error:
            raise LocalError(
                f"The folder {self.path} cannot be written ({error.strerror}).",
                "Set THROUGHLINE_HOME to a folder that can.",
            ) from error
        self.check_disk()
        self.check_layout()

    def check_name(self) -> None:
        """Java names files in UTF-8 only, and so do the files in which a path is written down."""
        try:
            str(self.path).encode()
        except UnicodeEncodeError:
            raise LocalError(
                f"The name of the folder {os.fsencode(self.path)!r} is not UTF-8.",
                "Set THROUGHLINE_HOME to a folder whose name is.",
            ) from None

    def check_disk(self) -> None:
        free = shutil.disk_usage(self.path).free
        if free < LEAST_FREE_BYTES:
            raise LocalError(
                f"The disk that holds {self.path} has {free >> 20} MiB left, and the servers need 1 GiB.",
                "Free some space, or set THROUGHLINE_HOME to a folder on another disk.",
            )

    def check_layout(self) -> None:
        marker = self.path / MARKER
        if not marker.exists():
            write_atomically(marker, LAYOUT + "\n")
        elif (found := marker.read_text(encoding="utf-8").strip()) != LAYOUT:
            raise LocalError(
                f"The data in {self.path} was made by another version ({found[:60]}).",
                "Run `make clean` to throw it away and start anew, or set THROUGHLINE_HOME to another folder.",
            )

    def secret(self, name: str) -> str:
        """A secret of this stack, made at its first use and readable by its owner only."""
        file = self.path / f"{name}.secret"
        if not file.exists():
            write_atomically(file, secrets.token_urlsafe(24), mode=0o600)
        return file.read_text(encoding="utf-8")

    def remove(self) -> None:
        """Throw all data away, with that of homes within this one, as tests make them. The stacks must be down."""
        within = [Home(marker.parent) for marker in self.path.rglob(MARKER)]
        for folder in (*(place for home in (self, *within) for place in (home.postgres, home.volatile)), self.path):
            if folder.exists():
                shutil.rmtree(folder)

    @contextmanager
    def claim(self) -> Iterator[bool]:
        """Hold this home against other commands; gives False when somebody else holds it.

        Whoever removes a home while they hold it does not hold the next one of its name.
        """
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.path / "lock").open("w", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True


def root_only_places() -> Path:
    """The folder that holds what PostgreSQL needs when root starts it; its parents are open to all by custom."""
    parent = next(folder for folder in (Path("/var/lib"), Path("/var/tmp")) if folder.is_dir())  # noqa: S108 - owned below
    places = parent / "throughline"
    places.mkdir(exist_ok=True, mode=0o755)
    if places.stat().st_uid != 0:
        raise LocalError(f"The folder {places} belongs to somebody else than root.", "Remove it, or ask its owner to.")
    places.chmod(0o755)  # whatever the umask is
    return places


def refuse_read_only(folder: Path) -> None:
    """Raises OSError when this user makes no files in a folder, be it by its owner, its mode or its disk."""
    if not os.access(folder, os.W_OK | os.X_OK):
        code = errno.EROFS if os.statvfs(folder).f_flag & os.ST_RDONLY else errno.EACCES
        raise OSError(code, os.strerror(code), str(folder))


def write_atomically(file: Path, text: str, mode: int = 0o644) -> None:
    """A reader sees the old text or the new one, never a part."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as stream:
        stream.write(text)
    draft.replace(file)


def read_json(file: Path) -> Mapping[str, Any]:
    """The object in a file that `write_atomically` wrote; empty when there is none. Raises LocalError."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise LocalError(f"The file {file} is damaged: it holds no JSON object.", "Remove it, then try again.")
    return found


def cache() -> Path:
    """Downloads, shared by all stacks of this user."""
    chosen = os.environ.get("THROUGHLINE_CACHE")
    if chosen:
        return Path(chosen)
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "throughline"
    except RuntimeError as error:
        raise LocalError("This user has no home folder for downloads.", "Set THROUGHLINE_CACHE to a folder.") from error
