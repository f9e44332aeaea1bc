"""`throughline verify`: proof that stores, topics, journals and projections hold the same."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy.cli.output import Json, say, show
from deploy.services import definition_of

if TYPE_CHECKING:
    from asyncpg import Pool

    from deploy.local.stack import Stack
    from deploy.verify.comparing import Comparison, Difference
    from deploy.verify.verification import Part, Verification

MAX_SHOWN = 20
TELL_SECONDS = 2.0


def run(
    json: Json = False,
    patience: Annotated[float, typer.Option(help="Seconds to wait for readers that are behind.")] = 30.0,
) -> None:
    """Compare each store with its topics and with every journal, and each projection with a fresh fold. Changes
    nothing."""
    found = asyncio.run(verification(patience))
    show(as_data(found), as_text(found), json)
    if found.differences:
        raise typer.Exit(1)


async def verification(patience: float) -> "Verification":
    """Check the stack of this checkout. Raises LocalError."""
    from aiokafka.errors import KafkaError

    from deploy.cli.databases import databases, this_stack
    from deploy.local.fault import LocalError
    from deploy.verify.verification import verify

    stack = this_stack()
    async with databases(stack, statement_seconds=600) as pools:
        try:
            return await verify(parts_of(stack, pools), stack.bootstrap, patience=patience, say=now_and_then(say))
        except (KafkaError, TimeoutError) as error:
            raise LocalError(
                f"Kafka cannot be read ({type(error).__name__}).", "See `throughline status` and the log of kafka."
            ) from error


def parts_of(stack: "Stack", pools: "Mapping[str, Pool]") -> "list[Part]":
    """Every service of this release with its database."""

    from deploy.cli.databases import settings_of
    from deploy.verify.verification import Part

    found = [(name, pool, settings_of(stack, name)) for name, pool in pools.items()]
    return [Part.of(definition_of(name), pool, known.company, known.kafka_partitions) for name, pool, known in found]


def now_and_then(tell: Callable[[str], None]) -> Callable[[str], None]:
    """Tells where the check is every two seconds, not every step."""
    told = time.monotonic()

    def say_sometimes(text: str) -> None:
        nonlocal told
        if time.monotonic() - told > TELL_SECONDS:
            told = time.monotonic()
            tell(text)

    return say_sometimes


def as_data(found: "Verification") -> dict[str, Any]:
    """What `--json` prints: comparisons, every difference, and the control totals of each aggregate type and day."""
    return {
        "differences": [_difference(difference) for difference in found.differences],
        "compared": [
            {"where": one.where, "compared": one.compared, "differences": len(one.differences), "note": one.note}
            for one in found.comparisons
        ],
        "totals": [
            {
                "topic": day.topic,
                "day": day.day.isoformat(),
                "events": total.events,
                "checksum": f"{total.checksum:032x}",
            }
            for day, total in sorted(found.totals.items())
        ],
    }


def as_text(found: "Verification") -> str:
    """A table of what was compared, and the first differences of each."""
    width = max(len(one.where) for one in found.comparisons)
    lines = [_line(one, width) for one in found.comparisons]
    for one in found.comparisons:
        lines += ["", *_told(one.differences)] if one.differences else []
    count = len(found.differences)
    return "\n".join([*lines, "", f"{count} differences." if count else "No difference."])


def _line(one: "Comparison", width: int) -> str:
    result = f"{len(one.differences)} DIFFERENCES" if one.differences else "the same"
    note = f"  ({one.note})" if one.note else ""
    return f"{one.where:<{width}}  {one.compared:>9}  {result}{note}"


def _told(differences: Sequence["Difference"]) -> list[str]:
    lines = []
    for one in differences[:MAX_SHOWN]:
        lines.append(f"{one.where}: {one.what}. {one.sentence}")
        if one.aggregate_id is not None:
            event = f" event {one.event_id} at position {one.position}" if one.event_id else ""
            lines.append(f"    {one.service} {one.aggregate} {one.aggregate_id}{event}")
    if len(differences) > MAX_SHOWN:
        lines.append(f"… and {len(differences) - MAX_SHOWN} more; --json names them all.")
    return lines


def _difference(one: "Difference") -> dict[str, Any]:
    return {
        "where": one.where,
        "what": one.what,
        "sentence": one.sentence,
        "service": one.service,
        "aggregate": one.aggregate,
        "aggregate_id": str(one.aggregate_id) if one.aggregate_id else None,
        "event_id": str(one.event_id) if one.event_id else None,
        "position": one.position,
    }
