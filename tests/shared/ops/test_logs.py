"""Log lines: one JSON object each, with the correlation id, and never the values of local variables."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = """
import logging
import structlog
from structlog.contextvars import bind_contextvars
from shared.ops.logs import configure_logs

configure_logs("deals", "info")
bind_contextvars(correlation_id="abc")
log = structlog.get_logger("x")
log.debug("not written")
log.info("deal won", deal_id=7)
logging.getLogger("uvicorn.error").warning("from %s", "outside")

def fail():
    password = "hidden in a local"
    raise ValueError("broken")

try:
    fail()
except ValueError:
    log.exception("failed")
    logging.getLogger("asyncio").exception("failed outside")
    logging.getLogger("aiokafka.conn").error("not written: the broker is away")
"""


def lines() -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
        timeout=60,
    )
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.usefixtures("processes")
def test_every_line_is_an_event_with_fields() -> None:
    won, outside, failed, failed_outside = lines()
    assert (won["message"], won["deal_id"], won["level"], won["service"]) == ("deal won", 7, "info", "deals")
    assert won["correlation_id"] == "abc"
    assert won["timestamp"].endswith("Z")
    assert (outside["message"], outside["logger"], outside["level"]) == ("from outside", "uvicorn.error", "warning")
    for line in (failed, failed_outside):
        assert line["exception"][0]["exc_type"] == "ValueError"
        assert "hidden" not in json.dumps(line)
