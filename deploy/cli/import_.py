"""`throughline import`: history from a file of facts, the CSV export of another system, or a table of exchange rates
(DATA-5)."""

import asyncio
import json as jsonlib
import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from deploy.cli.outages import outage
from deploy.cli.output import Json, say, show
from deploy.cli.undo import take_back, told_of_undo, write_kept
from shared.events import registry
from shared.ops.ids import new_id

if TYPE_CHECKING:
    from deploy.imports.facts import Line, Unreadable
    from deploy.imports.loading import Rejection, Summary
    from deploy.imports.mapping import CsvMapping

WRITERS = registry.SERVICES
TELL_SECONDS = 2.0
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
MAX_REASONS = 10
"""So many reasons are told in the summary, those first that were given most often."""
REMEDY = "docs/how-to/import.md says how a mapping is written."
AGAIN = "Run the import again when the databases answer: what is recorded already is left alone."
REMEDY_OF_RATES = "docs/how-to/exchange-rates.md says which files are read."
LEFT_ALONE = "Reactions, and timers due already, were left alone: nothing follows from history by itself."


class Format(StrEnum):
    """What a file holds."""

    FACTS = "facts"
    ECB_RATES = "ecb-rates"


def run(  # noqa: PLR0917 - typer reads the parameters
    path: Annotated[
        Path | None, typer.Argument(help="A .jsonl file of facts, or a folder with an export.", exists=True)
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(help="How the export becomes facts; default: its mapping.yaml, or one that comes along."),
    ] = None,
    form: Annotated[
        Format,
        typer.Option(
            "--format", help="What a file holds: facts, or exchange rates as the European Central Bank publishes them."
        ),
    ] = Format.FACTS,
    rejects: Annotated[Path | None, typer.Option(help="Where refused facts go, with line and reason.")] = None,
    source: Annotated[
        str | None,
        typer.Option(
            help="The system that it comes from, part of every id; default: the mapping's, or the file's name."
        ),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Say what would come in, and write nothing.")] = False,
    undo: Annotated[
        UUID | None,
        typer.Option(help="Take back the import with this run id (see its summary), as far as nothing rests on it."),
    ] = None,
    json: Json = False,
) -> None:
    """Take over history as dated facts. Running it again takes in what is missing, and what says something new.

    Exit code 0 means that every fact came in or was there, 2 that some were refused; with --undo 0 that everything was
    taken back, 2 that some stays.
    """
    if rejects is not None and not os.access(rejects.parent, os.W_OK):
        raise typer.BadParameter(f"Nothing can be written into {rejects.parent}.", param_hint="--rejects")
    if undo is not None:
        if path or mapping or source:
            raise typer.BadParameter("It goes with --check, --rejects and --json alone.", param_hint="--undo")
        undone, kept = asyncio.run(take_back(undo, check=check))
        if kept and rejects:
            write_kept(rejects, kept)
        show(undone, told_of_undo(undone), json)
        raise typer.Exit(2 if kept else 0)
    if path is None:
        raise typer.BadParameter("A file or a folder is wanted.", param_hint="path")
    if source is not None and not source.strip():
        raise typer.BadParameter("A name is wanted.", param_hint="--source")
    if form is Format.ECB_RATES and (path.is_dir() or mapping):
        raise typer.BadParameter("It is the form of a file, which needs no mapping.", param_hint="--format")
    chosen = mapping_of(path, mapping) if path.is_dir() else None
    result = asyncio.run(bring_in(path, chosen, rejects, source=source, check=check, form=form))
    show(result, told(result), json)
    if result["rejected"]:
        raise typer.Exit(2)


def mapping_of(folder: Path, named: Path | None = None) -> "CsvMapping":
    """The mapping of an export. Raises LocalError."""
    from deploy.imports.mapping import BadMapping, mapping_for, read_mapping
    from deploy.local.fault import LocalError

    try:
        return read_mapping(named or mapping_for(folder))
    except BadMapping as error:
        raise LocalError(str(error), REMEDY) from error


async def bring_in(
    path: Path,
    mapping: "CsvMapping | None",
    rejects: Path | None = None,
    *,
    source: str | None = None,
    check: bool = False,
    form: Format = Format.FACTS,
) -> dict[str, Any]:
    """Import a file of facts or rates, or with a mapping the folder of an export; wait until it is visible in all
    projections. With `check`, only say what would come in.

    Gives the summary. Raises LocalError.
    """
    from deploy.cli.databases import settings_of, this_stack
    from deploy.imports import ecb
    from deploy.imports.export import facts_of
    from deploy.imports.facts import ids_of
    from deploy.imports.loading import Summary, load
    from deploy.imports.mapping import BadMapping
    from deploy.imports.visibility import until_visible
    from deploy.local.fault import LocalError
    from deploy.services import SERVICES

    stack = this_stack()
    settings = {name: settings_of(stack, name) for name in WRITERS}
    run = new_id()
    if not check:
        say(f"This is the run {run}; should it break off, `throughline import --undo` takes back what it recorded.")
    began = told_at = time.monotonic()
    reached = Summary(run=run)

    def progress(summary: Summary) -> None:
        nonlocal told_at, reached
        reached = summary
        if time.monotonic() - told_at > TELL_SECONDS:
            told_at = time.monotonic()
            say(f"{summary.read:,} facts read, {summary.recorded.total():,} {'would be ' if check else ''}recorded.")

    try:
        if mapping is not None:
            source = source or mapping.source
            read = partial(facts_of, mapping, path, settings["deals"].company)
        elif form is Format.ECB_RATES:
            source, read = source or ecb.SOURCE, partial(ecb.rates_in, path)
        else:
            source, read = source or path.stem, partial(facts_in, path)
        summary = await load(read, ids_of(source), settings, progress, run=run, dry_run=check)
    except BadMapping as error:
        raise LocalError(str(error), REMEDY) from error
    except ecb.BadTable as error:
        raise LocalError(str(error), REMEDY_OF_RATES) from error
    except Exception as error:  # Only an outage is told otherwise than it came.
        if (fault := outage(error)) is None:
            raise
        far = f"{reached.read:,} facts were read until then, {reached.recorded.total():,} recorded."
        raise LocalError(f"{fault.sentence} {far}", AGAIN) from error
    loaded = time.monotonic() - began
    # Checking writes nothing, unless a file is named.
    refused = rejects or (None if check else path.parent / f"{path.stem}.rejected.jsonl")
    if (summary.rejections or summary.notes) and refused:
        write_rejects(refused, summary)
    visible = False
    if not check:
        say(f"{summary.recorded.total():,} facts recorded in {loaded:.1f} s; waiting until all projections have them.")
        visible = await until_visible({name: stack.database_url(name) for name in SERVICES})
    return {
        "checked": check,
        "run": None if check else str(summary.run),
        "earlier_runs": [str(each) for each in sorted(summary.earlier, reverse=True)],
        "source": source,
        "read": summary.read,
        "recorded": dict(summary.recorded),
        "corrected": dict(+summary.corrected),
        "known": dict(summary.known),
        "rejected": len(summary.rejections),
        "otherwise": dict(+summary.otherwise),
        "reject_file": str(refused) if (summary.rejections or summary.notes) and refused else None,
        "came_in_without": dict(Counter(each.without for each in summary.notes)),
        "reasons": dict(Counter(map(rule_of, summary.rejections)).most_common(MAX_REASONS)),
        "assumptions": dict(summary.assumptions),
        "left_alone": LEFT_ALONE,
        "currencies": sorted(summary.currencies),
        "seconds": round(loaded, 1),
        "visible": visible,
        "visible_seconds": round(time.monotonic() - began, 1),
    }


def rule_of(rejection: "Rejection") -> str:
    """Why a fact was refused, without what it says: that stands in the reject file alone."""
    if rejection.rule:
        return rejection.rule
    # What a field may hold is told; what it held is not.
    parts = rejection.reason.split("; ")
    return "; ".join(part if ": Input should be " in part else QUOTED.sub("…", part) for part in parts)


def write_rejects(file: Path, summary: "Summary") -> None:
    """One JSON object a line: where the fact stands, why it was refused, and the fact; of those that came in, without
    what."""
    refused = [
        {"file": each.place.file, "line": each.place.line, "reason": each.reason, "fact": each.fact}
        for each in summary.rejections
    ]
    notes = [
        {"file": each.place.file, "line": each.place.line, "came_in_without": each.without} for each in summary.notes
    ]
    lines = [*refused, *notes]
    text = "".join(jsonlib.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    # Half of a character, as in a file's name that is not UTF-8, is written as JSON's own escape.
    file.write_text(text, encoding="utf-8", errors="backslashreplace")


def facts_in(path: Path) -> "Iterator[Line]":
    """The facts of a file with their places."""
    from deploy.imports.facts import FactPlace

    # What is no UTF-8 comes through as surrogates, so that one such line does not end the reading of all others.
    with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield FactPlace(file=path.name, line=number), fact_in(line.strip())


def fact_in(line: str) -> "Mapping[str, Any] | Unreadable":
    """What a line says, or why it says nothing that can be taken in."""
    from deploy.imports.facts import Unreadable
    from deploy.imports.flaws import SURROGATE, flaw_of

    fact, flaw = None, None
    if SURROGATE.search(line):
        line = line.encode(errors="surrogateescape").decode(errors="backslashreplace")
        flaw = "This is not UTF-8."
    else:
        try:
            fact = jsonlib.loads(line)
        except (ValueError, RecursionError):
            flaw = "This is no JSON object."
    if isinstance(fact, dict):
        flaw = flaw_of(fact)
        if flaw is None:
            return fact
    return Unreadable(reason=flaw or "This is no JSON object.", content={"text": line})


def told(result: dict[str, Any]) -> str:
    """The summary in sentences."""
    amounts = f", amounts in {', '.join(result['currencies'])}" if result["currencies"] else ""
    lines = [f"{result['read']:,} facts read from {result['source']}{amounts}."]
    kinds = {**result["known"], **result["recorded"]}
    come = "would be recorded" if result["checked"] else "recorded"
    for kind in kinds:
        before, corrected = result["known"].get(kind, 0), result["corrected"].get(kind, 0)
        instead = f", {corrected:,} of them in place of what was told before" if corrected else ""
        there = f", {before:,} were there already" if before else ""
        lines.append(f"  {kind}: {result['recorded'].get(kind, 0):,} {come}{instead}{there}")
    lines += [f"  assumed for {kind}: {number:,}" for kind, number in result["assumptions"].items()]
    lines += [f"  came in without {name}: {number:,}" for name, number in result["came_in_without"].items()]
    lines.append(result["left_alone"])
    if result["rejected"]:
        refused = "would be refused" if result["checked"] else "were refused"
        where = f"; {result['reject_file']} says where and why" if result["reject_file"] else ""
        lines.append(f"{result['rejected']:,} facts {refused}{where}:")
        lines += [f"  {number:,}: {reason}" for reason, number in result["reasons"].items()]
        lines += [
            f"  {number:,} of {kind} are known already and say something else"
            for kind, number in result["otherwise"].items()
        ]
    if result["earlier_runs"]:
        earlier = ", ".join(result["earlier_runs"])
        lines.append(f"What was there already came with these runs, the latest first: {earlier}.")
    if result["checked"]:
        lines.append("Nothing was written.")
        return "\n".join(lines)
    seen = "visible in all projections" if result["visible"] else "recorded, but NOT yet visible in all projections,"
    lines.append(f"Everything is {seen} after {result['visible_seconds']} s.")
    lines.append(f"The run is {result['run']}; `throughline import --undo` takes it back.")
    return "\n".join(lines)
