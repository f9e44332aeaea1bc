"""`make clients`: generate clients of the committed document with other people's generators, compile them strictly, and
have each open, read and lose a deal of a real stack.

The tools are pinned (package-lock.json, requirements.txt) and installed into a temporary folder. Where node or java is
missing, a line says which clients are left out.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from shared.http.openapi.pages import MERGED
from tests.conftest import whole_stack

HERE = Path(__file__).parent
NODE = {"node", "npm"}
JAVA = {"java"}
CLIENTS: Mapping[str, tuple[set[str], str]] = {
    "openapi-typescript": (NODE, "openapi_fetch.ts"),
    "hey-api": (NODE, "hey_api.ts"),
    "typescript-fetch": (NODE | JAVA, "typescript_fetch.ts"),
    "openapi-generator": (JAVA, "openapi_generator.py"),
    "openapi-python-client": (set(), "openapi_python_client.py"),
}
"""Each client: the programs that it takes beside Python, and what is written against it."""

UNREACHED = re.compile(r"\b(ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|E40[134]|EHOSTUNREACH|ENETUNREACH)\b")
"""What npm says of an index that cannot be reached, or has not got what the lock file names."""

Body = tuple[str, str, Any]
"""A documented body: operation id, name of its schema, example."""


class Failed(Exception):
    """A step that does not do what it is to do; says with which words."""


def main() -> None:
    missing = {program for program in NODE | JAVA if shutil.which(program) is None}
    wanted = [name for name, (needs, _) in CLIENTS.items() if not needs & missing]
    for name in (each for each in CLIENTS if each not in wanted):
        say(f"{name}: left out, because there is no {' and no '.join(sorted(CLIENTS[name][0] & missing))} here.")
    with TemporaryDirectory(prefix="throughline-clients-") as folder:
        try:
            work = Workshop(Path(folder), wanted)
            work.install()
            work.generate()
            work.compile()
            with ExitStack() as held:
                with timed("A stack was started"):
                    stack = held.enter_context(whole_stack("clients"))
                work.run(stack.origin, stack.token("sales-operations"))
        except Failed as failed:
            sys.exit(str(failed))


class Workshop:
    """A folder with the tools, what they generated, and the programs against it."""

    def __init__(self, folder: Path, clients: list[str]) -> None:
        self.folder = folder
        self.clients = clients
        self.scripts = folder / "tools" / ("Scripts" if os.name == "nt" else "bin")
        self.bin = folder / "node_modules" / ".bin"
        self.generated = folder / "generated"
        for path in ("package.json", "package-lock.json", "tsconfig.json"):
            shutil.copy(HERE / path, folder)
        shutil.copytree(HERE / "programs", folder / "programs")

    @property
    def typescript(self) -> list[str]:
        """The clients that are TypeScript."""
        return [name for name in self.clients if CLIENTS[name][1].endswith(".ts")]

    def install(self) -> None:
        """Install the tools, by their lock files alone."""
        with timed("Tools were installed"):
            self._do("uv", "venv", "--quiet", "--python", sys.executable, "tools")
            python = str(self.scripts / "python")
            locked = str(HERE / "requirements.txt")
            self._do("uv", "pip", "install", "--quiet", "--python", python, "--require-hashes", "--requirement", locked)
            if self.typescript:
                self._install_from_npm()

    def _install_from_npm(self) -> None:
        """The TypeScript clients need a second package index. Where that is not reached, they are left out, loudly:
        the rest of the product is built without it."""
        try:
            self._do("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error")
        except Failed as failed:
            if not UNREACHED.search(str(failed)):
                raise
            for name in self.typescript:
                say(f"NOT TESTED: {name}, because npm's index does not give the locked packages here.")
            self.clients = [name for name in self.clients if name not in self.typescript]

    def generate(self) -> None:
        """Have each tool make its client, and write the documented bodies against their types."""
        for name in self.clients:
            with timed(f"{name}: generated"):
                (self.generated / name).mkdir(parents=True, exist_ok=True)
                self._do(*self._generator(name, self.generated / name))
        bodies = list(_bodies(json.loads(MERGED.read_text(encoding="utf-8"))))
        (self.folder / "examples.json").write_text(json.dumps({schema: body for _, schema, body in bodies}))
        if "openapi-typescript" in self.clients:
            self._examples(
                "openapi-typescript",
                'import type { operations } from "./schema";',
                lambda name: f'operations["{name}"]["requestBody"]["content"]["application/json"]',
                bodies,
            )
        if "hey-api" in self.clients:
            self._examples("hey-api", 'import type * as types from ".";', lambda name: f"types.{_data(name)}", bodies)

    def _generator(self, name: str, to: Path) -> list[str]:
        document = str(MERGED)
        java = [str(self.scripts / "openapi-generator-cli"), "generate", "-i", document, "-o", str(to)]
        return {
            "openapi-typescript": [str(self.bin / "openapi-typescript"), document, "-o", str(to / "schema.ts")],
            "hey-api": [str(self.bin / "openapi-ts"), "-i", document, "-o", str(to), "--no-log-file"],
            "typescript-fetch": [*java, "-g", "typescript-fetch"],
            "openapi-generator": [*java, "-g", "python", "--package-name", "throughline_openapi"],
            "openapi-python-client": [
                str(self.scripts / "openapi-python-client"), "generate", "--path", document,
                "--meta", "none", "--output-path", str(to / "throughline_client"), "--fail-on-warning",
                "--config", str(HERE / "openapi_python_client.yaml"),
            ],
        }[name]  # fmt: skip

    def _examples(
        self, name: str, first: str, type_of: Callable[[str], str], bodies: list[tuple[str, str, Any]]
    ) -> None:
        lines = [f"export const {each}: {type_of(each)} = {json.dumps(body)};" for each, _, body in bodies]
        (self.generated / name / "examples.ts").write_text("\n".join([first, *lines, ""]), encoding="utf-8")

    def compile(self) -> None:
        """Compile what is TypeScript, strictly, together with the documented bodies."""
        for path in (self.folder / "programs").glob("*.ts"):
            if path.name not in {"checks.ts", *(CLIENTS[name][1] for name in self.typescript)}:
                path.unlink()
        if self.typescript:
            with timed("TypeScript was compiled with --strict"):
                self._do(str(self.bin / "tsc"), "--project", ".")

    def run(self, origin: str, token: str) -> None:
        """Have each client open, read and lose a deal."""
        for name in self.clients:
            program = f"programs/{CLIENTS[name][1]}"
            command = [str(self.scripts / "python"), program]
            if program.endswith(".ts"):
                bundle = program.replace(".ts", ".mjs")
                esbuild = ("--bundle", "--platform=node", "--format=esm", "--log-level=error")
                self._do(str(self.bin / "esbuild"), program, *esbuild, f"--outfile={bundle}")
                command = ["node", bundle]
            with timed(f"{name}: opened, read and lost a deal"):
                examples = str(self.folder / "examples.json")
                self._do(*command, origin, token, examples, PYTHONPATH=str(self.generated / name))

    def _do(self, *command: str, **surroundings: str) -> None:
        environment = {**os.environ, **surroundings, "PATH": f"{self.scripts}{os.pathsep}{_path()}"}
        done = subprocess.run(
            command, check=False, capture_output=True, encoding="utf-8", cwd=self.folder, env=environment
        )
        if done.returncode:
            raise Failed(f"{' '.join(command)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")


def _path() -> str:
    """Where programs are looked for: beside this Python, then as ever."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def _bodies(document: Mapping[str, Any]) -> Iterator[Body]:
    """Every documented body."""
    for operations in document["paths"].values():
        for told in operations.values():
            if "requestBody" in told:
                media = told["requestBody"]["content"]["application/json"]
                yield told["operationId"], media["schema"]["$ref"].rpartition("/")[2], media["example"]


def _data(operation: str) -> str:
    return f'{operation[0].upper()}{operation[1:]}Data["body"]'


@contextmanager
def timed(done: str) -> Iterator[None]:
    """Say that something is done, and how long it took."""
    began = time.monotonic()
    yield
    say(f"{done} ({time.monotonic() - began:.1f} s).")


def say(sentence: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
