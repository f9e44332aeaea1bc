"""The `throughline` command. A verb is a module of this folder: its `run` is the command, or its `app` the group."""

import logging
import os
import sys
from io import TextIOWrapper
from types import ModuleType

import typer

from deploy.cli import (
    clock,
    deliveries,
    doctor,
    down,
    import_,
    migrate,
    parked,
    rebuild,
    republish,
    serve,
    simulate,
    status,
    token,
    up,
    verify,
)
from deploy.cli.outages import outage
from deploy.cli.output import complain
from deploy.local.fault import LocalError
from shared.eventstore.claim_secret import OtherClaimSecret
from shared.kafka.layout import OtherPartitions
from shared.ops.settings import SettingsError

VERBS: tuple[ModuleType, ...] = (
    up,
    down,
    status,
    doctor,
    serve,
    simulate,
    migrate,
    import_,
    token,
    clock,
    rebuild,
    republish,
    parked,
    deliveries,
    verify,
)

app = typer.Typer(
    name="throughline",
    help="Run and operate Throughline.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

for verb in VERBS:
    name = verb.__name__.rpartition(".")[2].rstrip("_")  # a verb like `import` is no module name
    if hasattr(verb, "app"):
        app.add_typer(verb.app, name=name)
    else:
        app.command(name, context_settings=getattr(verb, "SETTINGS", None))(verb.run)


def main() -> None:
    """Run the command line. A fault of the machine is a sentence, never a traceback."""
    if sys.getfilesystemencoding() != "utf-8" and "utf8" not in sys._xoptions:
        # Under another locale the name of a folder would be other bytes for the programs that are started.
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606 - this very program
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # PYTHONIOENCODING may know no “→”
    for library in ("asyncpg", "aiokafka"):
        # What nobody handles goes to standard error: their tracebacks of an outage, before its sentence.
        logging.getLogger(library).addHandler(logging.NullHandler())
    try:
        app()
    except LocalError as told:
        complain(told.sentence, told.remedy)
        sys.exit(1)
    except SettingsError as refused:
        complain(str(refused), "docs/settings.md says what each setting may be.")
        sys.exit(1)
    except OtherClaimSecret as refused:
        complain(str(refused), "`throughline doctor` says which databases have another one.")
        sys.exit(1)
    except OtherPartitions as refused:
        complain(str(refused), "The number is frozen once anything was published.")
        sys.exit(1)
    except Exception as error:  # Whatever is no outage is a fault of ours, and is raised as it came.
        fault = outage(error)
        if fault is None:
            raise
        complain(fault.sentence, fault.remedy)
        sys.exit(1)


if __name__ == "__main__":
    main()
