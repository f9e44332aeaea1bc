"""The `throughline` command. A verb is a module of this folder: its `run` is the command, or its `app` the group."""

import sys
from types import ModuleType

import typer

from deploy.cli import (
    clock,
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
from deploy.cli.output import complain
from deploy.local.fault import LocalError
from shared.ops.settings import SettingsError
from shared.store.claim_secret import OtherClaimSecret

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
        app.command(name)(verb.run)


def main() -> None:
    """Run the command line. A fault of the machine is a sentence, never a traceback."""
    try:
        app()
    except LocalError as fault:
        complain(fault.sentence, fault.remedy)
        sys.exit(1)
    except SettingsError as fault:
        complain(str(fault), "docs/settings.md says what each setting may be.")
        sys.exit(1)
    except OtherClaimSecret as fault:
        complain(str(fault), "`throughline doctor` says which databases have another one.")
        sys.exit(1)


if __name__ == "__main__":
    main()
