"""How the command line speaks: sentences to people, JSON to programs."""

import json
import sys
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of sentences.")]


def say(text: str) -> None:
    """Tell a person what happens. Goes to standard error, so that `--json` stays readable by programs."""
    typer.echo(text, err=True)


def show(data: Any, text: str, as_json: bool) -> None:
    """The result of a command."""
    typer.echo(json.dumps(data, indent=2) if as_json else text)


def complain(sentence: str, remedy: str) -> None:
    """Why a command failed, and what to do."""
    if "--json" in sys.argv:
        typer.echo(json.dumps({"error": {"sentence": sentence, "remedy": remedy}}))
    else:
        typer.echo(f"{sentence}\n{remedy}", err=True)
