"""Logs: one JSON object a line, an event with a name and fields, and the correlation id of the request behind it.

Never personal data, tokens or payloads. Tracebacks are written without the values of local variables, which hold both.
"""

import logging
import logging.config
import sys
from typing import Any

import orjson
import structlog
from structlog.processors import ExceptionRenderer
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor, WrappedLogger

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

BRIDGED = ("uvicorn", "uvicorn.error", "uvicorn.access", "faststream", "aiokafka", "asyncio")
"""Libraries that bring handlers of their own; theirs are taken away, so that every line has one form."""


def configure_logs(service: str, level: str) -> None:
    """Make structlog and the standard library's logging write to standard output as JSON lines."""
    lowest = LEVELS[level]

    def with_service(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        with_service,
        ExceptionRenderer(ExceptionDictTransformer(show_locals=False, max_frames=15)),
        structlog.processors.EventRenamer("message"),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(serializer=_line)],
        wrapper_class=structlog.make_filtering_bound_logger(lowest),
        logger_factory=structlog.BytesLoggerFactory(sys.stdout.buffer),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *shared,
            structlog.processors.JSONRenderer(serializer=lambda event, **_: _line(event).decode()),
        ],
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(lowest, logging.INFO))
    for name in BRIDGED:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    for chatty in ("httpx", "httpcore"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # While the broker is away it reports each attempt, many a second; the relay and the journal say so themselves.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def _line(event: Any, **_: Any) -> bytes:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS)
