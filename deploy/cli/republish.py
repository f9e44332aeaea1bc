"""`throughline republish`: fill the topics again from the stores."""

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli.output import Json, show

if TYPE_CHECKING:
    from deploy.republish import Republished


def run(
    recreate: Annotated[
        bool,
        typer.Option(
            help="Empty all topics and journals first: after a database was restored. Projections are folded anew."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Publish every event of the stores again into topics that were lost. Topics that hold records are left alone."""
    done = asyncio.run(republished(recreate))
    data = {"services": list(done.services), "events": dict(done.events), "journals": list(done.journals)}
    show(data, as_text(done), json)


async def republished(recreate: bool) -> "Republished":
    """Republish for the stack of this checkout. Raises LocalError."""
    import structlog
    from aiokafka.errors import KafkaError

    from deploy.cli.databases import databases, settings_of, this_stack
    from deploy.cli.verify import parts_of
    from deploy.local.fault import LocalError
    from deploy.republish import republish
    from deploy.services import SERVICES

    # As the services write them, but to standard error, so that `--json` stays readable by programs.
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    stack = this_stack()
    async with databases(stack, statement_seconds=600) as pools:
        parts, replication = parts_of(stack, pools), settings_of(stack, SERVICES[0]).kafka_replication
        try:
            return await republish(parts, stack.bootstrap, recreate=recreate, replication=replication)
        except (KafkaError, TimeoutError) as error:
            raise LocalError(
                f"Kafka does not answer ({type(error).__name__}).",
                "Start it, and run the command again: it may be run any number of times.",
            ) from error


def as_text(done: "Republished") -> str:
    """One line for each service, or that there was nothing to do."""
    if not done.services and not done.journals:
        return "Every topic holds what was published; nothing was done."
    lines = [f"{service}: {done.events[service]} events are published again." for service in done.services]
    lines += [f"{service}: its journal is read again and its projections are folded anew." for service in done.journals]
    return "\n".join(lines)
