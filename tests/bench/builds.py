"""Which builds of the product are measured: this checkout, and another commit in a work tree of its own."""

import asyncio
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.home import Home
from deploy.local.ports import free_port
from deploy.local.stack import CHECKOUT, Stack
from tests.conftest import names_a_server

LOCK = Path("requirements") / "runtime.txt"
UP = """
import asyncio, sys
from pathlib import Path
from deploy.local.control import bring_up
from deploy.local.stack import Stack
asyncio.run(bring_up(Stack.at(Path(sys.argv[1])), lambda line: print(line, flush=True)))
"""
"""Run by the interpreter of a build in its folder; what it starts runs that build's code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """The product at one commit."""

    label: str
    folder: Path
    python: Path


THIS = Build(label="this build", folder=CHECKOUT, python=Path(sys.executable))


@contextmanager
def checked_out(commit: str) -> Iterator[Build]:
    """Another commit in a work tree of its own, with its own locked packages unless they are the ones of this build."""
    with tempfile.TemporaryDirectory(prefix="throughline-bench-") as place:
        folder = Path(place) / "checkout"
        _run("git", "worktree", "add", "--detach", str(folder), commit, at=CHECKOUT)
        try:
            yield Build(label=commit, folder=folder, python=_interpreter(Path(place), folder))
        finally:
            _run("git", "worktree", "remove", "--force", str(folder), at=CHECKOUT)


def _interpreter(place: Path, folder: Path) -> Path:
    if (folder / LOCK).read_bytes() == (CHECKOUT / LOCK).read_bytes():
        return THIS.python
    venv.create(place / "venv", with_pip=True)
    python = place / "venv" / "bin" / "python"
    _run(str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "--requirement", str(LOCK), at=folder)
    return python


def _run(*words: str, at: Path) -> None:
    subprocess.run(words, cwd=at, check=True, stdout=sys.stderr)


async def up(build: Build, home: Home) -> Stack:
    """Start the stack of a build in a home. Raises RuntimeError when it does not come up."""
    environment = _environment(build)
    process = await asyncio.create_subprocess_exec(
        # Safe path: nothing is imported from where the script would be, only from the build's folder.
        *(str(build.python), "-P", "-c", UP, str(home.path)),
        cwd=build.folder,
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
    )
    if await process.wait() != 0:
        raise RuntimeError(f"The stack of {build.label} did not come up; it says why above, and in {home.logs}.")
    return Stack.at(home.path, environment=environment, choose_ports=False)


def _environment(build: Build) -> Mapping[str, str]:
    """Without servers that are not this stack's, and without limits: one caller sends everything."""
    kept = {name: value for name, value in os.environ.items() if not names_a_server(name)}
    return {**kept, "PYTHONPATH": str(build.folder), "RATE_LIMIT": "", "PORT": str(free_port(set()))}
