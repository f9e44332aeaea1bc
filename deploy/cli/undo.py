"""`throughline import --undo`: what an import told is taken back, as far as nothing rests on it (DATA-5)."""

import json as jsonlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from deploy.cli.outages import outage
from shared.events import registry

if TYPE_CHECKING:
    from deploy.imports.undoing import Kept

AGAIN = "Run it again when the databases answer: it goes on where it broke off."
RUNS = "The summary of an import names its run; it is the correlation id of all its events."
MAX_REASONS = 10
"""So many reasons are told, those first that hold for most."""


async def take_back(run: UUID, *, check: bool = False) -> tuple[dict[str, Any], list["Kept"]]:
    """Take back what an import told, as far as nothing rests on it; wait until that is visible in all projections. With
    `check`, only say what would be.

    Gives the summary, and what stays. Raises LocalError.
    """
    from deploy.cli.databases import settings_of, this_stack
    from deploy.imports.undoing import undo
    from deploy.imports.visibility import until_visible
    from deploy.local.fault import LocalError
    from deploy.services import SERVICES

    stack = this_stack()
    try:
        undone = await undo(run, {name: settings_of(stack, name) for name in registry.SERVICES}, dry_run=check)
    except Exception as error:  # Only an outage is told otherwise than it came.
        if (fault := outage(error)) is None:
            raise
        raise LocalError(fault.sentence, AGAIN) from error
    if not undone.retracted and not undone.kept and not undone.before:
        raise LocalError(f"No import with the run {run} told anything.", RUNS)
    visible = False if check else await until_visible({name: stack.database_url(name) for name in SERVICES})
    summary = {
        "checked": check,
        "run": str(run),
        "taken_back": dict(undone.retracted),
        "facts": undone.facts,
        "taken_back_before": undone.before,
        "stays": dict(Counter(each.aggregate for each in undone.kept)),
        "reasons": dict(Counter(f"{each.aggregate}: {each.reason}" for each in undone.kept).most_common(MAX_REASONS)),
        "visible": visible,
    }
    return summary, undone.kept


def told_of_undo(result: dict[str, Any]) -> str:
    """What was taken back, in sentences."""
    back = "would be taken back" if result["checked"] else "taken back"
    things = sum(result["taken_back"].values())
    lines = [f"{result['facts']:,} facts {back}, of {things:,} things:"]
    lines += [f"  {kind}: {number:,}" for kind, number in result["taken_back"].items()]
    if result["taken_back_before"]:
        lines.append(f"{result['taken_back_before']:,} facts had been taken back before.")
    if result["stays"]:
        lines.append(f"{sum(result['stays'].values()):,} things stay, with all that was told of them:")
        lines += [f"  {number:,}: {reason}" for reason, number in result["reasons"].items()]
    if result["checked"]:
        lines.append("Nothing was written.")
    elif not result["visible"]:
        lines.append("It is recorded, but NOT yet visible in all projections.")
    return "\n".join(lines)


def write_kept(file: Path, kept: Sequence["Kept"]) -> None:
    """One JSON object a line: what stays, and why."""
    lines = ({"thing": each.aggregate, "id": str(each.id), "reason": each.reason} for each in kept)
    file.write_text("".join(jsonlib.dumps(line) + "\n" for line in lines), encoding="utf-8")
